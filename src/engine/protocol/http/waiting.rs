//! The requests that wait for their response, oldest first.

use std::collections::VecDeque;

use super::message::{Request, Stamp};

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queue: VecDeque<Request>,
    /// So many of the newest were not asked for yet.
    new: usize,
    /// Requests that found the queue full. Until they are answered none may enter, or it would be paired wrongly.
    turned_away: u64,
    /// All requests that were ever turned away.
    turned_away_total: u64,
}

impl Waiting {
    /// The oldest.
    pub(super) fn front(&self) -> Option<&Request> {
        self.queue.front()
    }

    /// The request that the next response answers, when it is known.
    pub(super) fn answer(&mut self) -> Option<Request> {
        let request = self.queue.pop_front();
        if request.is_none() {
            self.turned_away = self.turned_away.saturating_sub(1);
        }
        request
    }

    /// Adds a request whose head is complete; `cap` bounds the queue.
    pub(super) fn push(&mut self, request: Request, cap: usize) {
        if self.turned_away == 0 && self.queue.len() < cap {
            // Most connections have one request waiting at a time.
            self.queue.reserve_exact(1);
            self.queue.push_back(request);
            self.new += 1;
        } else {
            self.turned_away = self.turned_away.saturating_add(1);
            self.turned_away_total = self.turned_away_total.saturating_add(1);
        }
    }

    /// How many entered since this was asked before.
    pub(super) const fn take_new(&mut self) -> usize {
        std::mem::replace(&mut self.new, 0)
    }

    /// The newest `count`.
    pub(super) fn newest(&self, count: usize) -> impl Iterator<Item = &Request> {
        self.queue.iter().skip(self.queue.len().saturating_sub(count))
    }

    /// More of the request that began at `first` was seen, up to `last`; nothing happens when it waits no more.
    pub(super) fn extend_newest(&mut self, first: Stamp, last: Stamp) {
        if let Some(newest) = self.queue.back_mut().filter(|newest| newest.first == first) {
            newest.last = last;
        }
    }

    /// Forgets all: which of them were answered is not known.
    pub(super) fn forget(&mut self) {
        self.queue = VecDeque::new();
        self.turned_away = 0;
    }

    /// Requests that were not paired because the queue was full.
    pub(super) const fn turned_away_total(&self) -> u64 {
        self.turned_away_total
    }

    /// Heap bytes held.
    pub(super) fn heap_bytes(&self) -> usize {
        let queue = self.queue.capacity().saturating_mul(size_of::<Request>());
        self.queue.iter().map(Request::heap_bytes).fold(queue, usize::saturating_add)
    }
}
