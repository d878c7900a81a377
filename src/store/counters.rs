//! What the database counts of its own work.

use std::sync::atomic::{AtomicU64, Ordering};

use super::StoreError;
use super::commit::Tally;

/// Counted since the database was opened, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Alerts and events with outbox rows for those who want them.
    pub told: u64,
    /// Alerts counted with the first of their storm.
    pub repeats: u64,
    /// Of these, those beyond the thousand of a storm that are kept whole.
    pub left_out: u64,
    /// Alerts that are muted.
    pub muted: u64,
    /// Records that were committed before.
    pub again: u64,
    /// Writes that failed as another process held the database locked.
    pub busy: u64,
    /// Writes that failed for want of room, the reserve included.
    pub full: u64,
    /// Writes that failed otherwise.
    pub failed: u64,
    /// Times that the reserve was given to a full disk.
    pub reserve_given: u64,
}

/// The same, in numbers that grow.
#[derive(Debug, Default)]
pub(super) struct Counting {
    told: AtomicU64,
    repeats: AtomicU64,
    left_out: AtomicU64,
    muted: AtomicU64,
    again: AtomicU64,
    busy: AtomicU64,
    full: AtomicU64,
    failed: AtomicU64,
    reserve_given: AtomicU64,
}

impl Counting {
    pub(super) fn add(&self, tally: &Tally) {
        let Tally { told, repeats, left_out, muted, again } = *tally;
        let grown = [(&self.told, told), (&self.repeats, repeats), (&self.left_out, left_out), (&self.muted, muted), (&self.again, again)];
        for (counter, by) in grown {
            counter.fetch_add(by, Ordering::Relaxed);
        }
    }
    pub(super) fn failed(&self, error: &StoreError) {
        let counter = match error {
            StoreError::Busy => &self.busy,
            StoreError::Full => &self.full,
            _ => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
    pub(super) fn reserve_given(&self, given: bool) {
        self.reserve_given.fetch_add(u64::from(given), Ordering::Relaxed);
    }
    pub(super) fn counters(&self) -> Counters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counters {
            told: read(&self.told),
            repeats: read(&self.repeats),
            left_out: read(&self.left_out),
            muted: read(&self.muted),
            again: read(&self.again),
            busy: read(&self.busy),
            full: read(&self.full),
            failed: read(&self.failed),
            reserve_given: read(&self.reserve_given),
        }
    }
}
