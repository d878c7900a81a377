//! Datagrams that wait for the end of their batch.

use std::ops::Range;

use super::decode::datagram::{Datagram, DatagramHead};
use super::time::Timestamp;

/// Datagrams in the order of their arrival, each with its engine time. What is done for one shares no code with what is done for a
/// segment of TCP: handled one by one in between, each would cost the processor's instruction cache twice.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: Vec<(DatagramHead, Timestamp, Range<usize>)>,
    payloads: Vec<u8>,
}

impl Backlog {
    /// Adds a datagram; true when that makes the payloads more than `most` bytes, and the backlog is to be handled now.
    pub(super) fn add(&mut self, datagram: &Datagram<'_>, now: Timestamp, most: usize) -> bool {
        let start = self.payloads.len();
        self.payloads.extend_from_slice(datagram.payload);
        self.waiting.push((datagram.head, now, start..self.payloads.len()));
        self.payloads.len() > most
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What waits.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Datagram<'_>, Timestamp)> {
        let payload = |range: &Range<usize>| self.payloads.get(range.clone()).unwrap_or(&[]);
        self.waiting.iter().map(move |(head, now, range)| (Datagram { head: *head, payload: payload(range) }, *now))
    }

    /// Nothing waits any longer; the room is kept.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.payloads.clear();
    }
}
