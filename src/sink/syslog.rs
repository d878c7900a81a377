//! The syslog sink: RFC 5424 over UDP, TCP or TLS.

mod link;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::Instant;

use super::error::SinkError;
use super::form::{self, Told};
use super::tls;
use crate::config::{SyslogTarget, Transport};
use link::Link;

/// Bytes of a message over UDP: what receivers should take (RFC 5426, section 3.2).
const LARGEST_DATAGRAM: usize = 2048;

/// Bytes of a message over TCP and TLS: rsyslog cuts what is longer than 8,192, and a record that is cut is none.
const LARGEST: usize = 8000;

/// Messages written in so long a time before a connection was found broken may not have arrived, as nobody acknowledges them; they are written once
/// more. Longer than the kernel tries to hand over what it has (`link::UNHEARD`).
const DOUBTED: Duration = Duration::from_secs(30);

/// Messages that are kept for that.
const KEPT: usize = 256;

/// A receiver of syslog.
///
/// Syslog acknowledges nothing. What is known: over TCP and TLS the connection was open when the message was written, and what was written shortly
/// before it broke is written again (twice at most, known by its id). Over UDP: that nobody refused it at once.
#[derive(Debug)]
pub(super) struct Syslog {
    target: SyslogTarget,
    tls: Option<Arc<ClientConfig>>,
    link: Option<Link>,
    /// Written lately, the oldest first.
    written: VecDeque<Written>,
    /// To be written once more.
    owed: VecDeque<String>,
}

#[derive(Debug)]
struct Written {
    at: Instant,
    message: String,
}

impl Syslog {
    /// Reads certificates; connects to nobody yet. Blocks on files.
    ///
    /// # Errors
    /// When a certificate cannot be used.
    pub(super) fn new(target: SyslogTarget) -> Result<Self, SinkError> {
        let tls = (target.transport == Transport::Tls).then(|| tls::client(target.ca.as_deref(), None)).transpose()?.map(Arc::new);
        Ok(Self { target, tls, link: None, written: VecDeque::new(), owed: VecDeque::new() })
    }

    /// One attempt, after what is owed.
    ///
    /// # Errors
    /// When it could not be written to an open connection.
    pub(super) async fn tell(&mut self, told: &Told<'_>) -> Result<(), SinkError> {
        self.repay().await?;
        let most = if self.target.transport == Transport::Udp { LARGEST_DATAGRAM } else { LARGEST };
        let message = form::syslog::message(&self.target, told, most);
        self.write(&message).await?;
        if self.target.transport != Transport::Udp {
            self.written.truncate(KEPT - 1);
            self.written.push_front(Written { at: Instant::now(), message });
        }
        Ok(())
    }

    /// Whether messages are to be written once more.
    pub(super) fn owes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Writes what a broken connection may have lost.
    ///
    /// # Errors
    /// When there is no connection; it stays owed.
    pub(super) async fn repay(&mut self) -> Result<(), SinkError> {
        self.look().await;
        while let Some(message) = self.owed.pop_front() {
            if let Err(error) = self.write(&message).await {
                self.owed.push_front(message);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Returns when the connection is found broken; never without one.
    pub(super) async fn broken(&mut self) {
        match &mut self.link {
            Some(link) => link.broken().await,
            None => std::future::pending().await,
        }
        self.lose();
    }

    async fn look(&mut self) {
        if let Some(link) = &mut self.link
            && !link.is_open().await
        {
            self.lose();
        }
    }

    async fn write(&mut self, message: &str) -> Result<(), SinkError> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => Link::open(&self.target, self.tls.clone()).await?,
        };
        let outcome = link.write(message, &self.target.address).await;
        self.link = Some(link);
        if outcome.is_err() {
            self.lose();
        }
        outcome
    }

    fn lose(&mut self) {
        self.link = None;
        let doubted = |written: &Written| written.at.elapsed() <= DOUBTED;
        let mut lost: VecDeque<String> = self.written.drain(..).filter(doubted).map(|written| written.message).collect();
        while let Some(message) = lost.pop_front() {
            self.owed.push_front(message); // the latest came out first
        }
    }
}
