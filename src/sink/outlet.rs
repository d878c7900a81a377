//! A sink's target made ready, and made ready anew when something of it may have changed.

use tokio::task::spawn_blocking;

use super::error::SinkError;
use super::file::Lines;
use super::form::{Told, plain};
use super::webhook::Webhook;
use crate::config::Target;
use crate::store::Delivery;

/// Where a sink leads, and what is open to it.
#[derive(Debug)]
pub(super) struct Outlet {
    target: Target,
    ready: Option<Ready>,
}

#[derive(Debug)]
enum Ready {
    File(Lines),
    Webhook(Box<Webhook>),
}

impl Outlet {
    /// Nothing is opened or read yet.
    pub(super) const fn new(target: Target) -> Self {
        Self { target, ready: None }
    }

    /// Files are opened, secrets and certificates read, and connections made anew for the next delivery.
    pub(super) fn refresh(&mut self) {
        self.ready = None;
    }

    /// One attempt.
    ///
    /// # Errors
    /// When it cannot be said to be told.
    pub(super) async fn tell(&mut self, delivery: &Delivery) -> Result<(), SinkError> {
        let told = Told::new(delivery);
        let ready = match self.ready.take() {
            Some(ready) => ready,
            None => made_ready(self.target.clone()).await?,
        };
        match ready {
            Ready::File(mut lines) => {
                let line = if told.count > 1 { plain::json(&told.eve) } else { delivery.record.eve.clone() };
                let written = spawn_blocking(move || (lines.append(&line), lines)).await;
                let (outcome, lines) = written.map_err(|_| SinkError::BrokenOff)?;
                self.ready = Some(Ready::File(lines));
                outcome
            }
            Ready::Webhook(webhook) => {
                let outcome = webhook.tell(&told).await;
                self.ready = Some(Ready::Webhook(webhook));
                outcome
            }
        }
    }
}

async fn made_ready(target: Target) -> Result<Ready, SinkError> {
    let made = spawn_blocking(move || {
        Ok(match target {
            Target::File(file) => Ready::File(Lines::new(file)),
            Target::Webhook(webhook) => Ready::Webhook(Box::new(Webhook::new(*webhook)?)),
            Target::Journald | Target::Syslog(_) => return Err(SinkError::BrokenOff),
        })
    });
    made.await.map_err(|_| SinkError::BrokenOff)?
}
