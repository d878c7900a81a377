//! A sink's target made ready, and made ready anew when something of it may have changed.

use tokio::task::spawn_blocking;

use super::error::SinkError;
use super::file::Lines;
use super::form::{Told, journal};
use super::journald;
use super::syslog::Syslog;
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
    Journald,
    Syslog(Box<Syslog>),
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

    /// Tells again what a broken connection may have lost. Whether nothing is left to be told again.
    pub(super) async fn repay(&mut self) -> bool {
        match &mut self.ready {
            Some(Ready::Syslog(syslog)) if syslog.owes() => syslog.repay().await.is_ok(),
            _ => true,
        }
    }

    /// Returns when a connection is found broken over which something was told; never otherwise.
    pub(super) async fn broken(&mut self) {
        match &mut self.ready {
            Some(Ready::Syslog(syslog)) => syslog.broken().await,
            _ => std::future::pending().await,
        }
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
                let line = delivery.record.eve.clone();
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
            Ready::Journald => {
                self.ready = Some(Ready::Journald);
                let entry = journal::entry(&told);
                spawn_blocking(move || journald::tell(&entry)).await.map_err(|_| SinkError::BrokenOff)?
            }
            Ready::Syslog(mut syslog) => {
                let outcome = syslog.tell(&told).await;
                self.ready = Some(Ready::Syslog(syslog));
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
            Target::Journald => Ready::Journald,
            Target::Syslog(syslog) => Ready::Syslog(Box::new(Syslog::new(syslog)?)),
        })
    });
    made.await.map_err(|_| SinkError::BrokenOff)?
}
