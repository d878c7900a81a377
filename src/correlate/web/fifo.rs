//! Keys in the order in which they came, within a bound.

use std::collections::VecDeque;

/// The keys.
#[derive(Debug)]
pub(super) struct Fifo<K> {
    keys: VecDeque<K>,
    most: usize,
    /// Keys let go for the bound.
    pub(super) evicted: u64,
}

impl<K> Fifo<K> {
    pub(super) const fn new(most: usize) -> Self {
        Self { keys: VecDeque::new(), most, evicted: 0 }
    }

    /// Adds a new key; the oldest, when it has to go.
    pub(super) fn push(&mut self, key: K) -> Option<K> {
        self.keys.push_back(key);
        let over = self.keys.len() > self.most;
        self.evicted += u64::from(over);
        if over { self.keys.pop_front() } else { None }
    }
}
