//! The thread that commits what was judged, before anything else happens to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::wall::SystemWall;
use crate::config::SinkSettings;
use crate::pump::live::Wall;
use crate::store::{Record, Store, StoreError};

/// Records that wait while the database takes none: about 4 KiB each, 64 MiB.
const MOST_WAITING: usize = 16_384;
/// Records of one transaction.
const AT_ONCE: usize = 256;
/// How long it waits for a record at most.
const WAIT: Duration = Duration::from_millis(100);
/// After a failure, the first pause and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// What is old is removed so often.
const TENDED: Duration = Duration::from_secs(300);
/// How long it tries at the end, when the database takes nothing.
const LAST_TRIES: Duration = Duration::from_millis(700);

/// What the thread takes.
#[derive(Clone, Debug)]
pub enum Keep {
    /// A suspicion whose evidence is not complete.
    Pending(Record),
    /// What is to be told.
    Complete(Record),
}

/// A database.
pub trait Keeps {
    /// See [`Store::pend`].
    ///
    /// # Errors
    /// When nothing was committed.
    fn pend(&self, records: &[Record]) -> Result<(), StoreError>;
    /// See [`Store::commit`].
    ///
    /// # Errors
    /// When nothing was committed.
    fn commit(&self, records: &[Record], sinks: &[SinkSettings]) -> Result<(), StoreError>;
    /// Sets a damaged database aside.
    ///
    /// # Errors
    /// When that did not help.
    fn reopen(&self) -> Result<(), StoreError>;
    /// Removes what is old.
    ///
    /// # Errors
    /// When that did not work; it is tried again later.
    fn tend(&self) -> Result<(), StoreError>;
}

impl Keeps for Store {
    fn pend(&self, records: &[Record]) -> Result<(), StoreError> {
        Self::pend(self, records)
    }
    fn commit(&self, records: &[Record], sinks: &[SinkSettings]) -> Result<(), StoreError> {
        Self::commit(self, records, sinks)
    }
    fn reopen(&self) -> Result<(), StoreError> {
        Self::reopen(self)
    }
    fn tend(&self) -> Result<(), StoreError> {
        let pruned = self.prune(SystemWall.now().as_nanos() / 1_000_000)?;
        if pruned.removed > 0 {
            tracing::info!(removed = pruned.removed, "{} delivered alerts and events were old and are removed", pruned.removed);
        }
        Ok(())
    }
}

/// Shared between the thread and those who look after it.
#[derive(Debug, Default)]
pub struct KeeperBoard {
    turns: AtomicU64,
    /// Records that wait.
    waiting: AtomicU64,
    /// Records that were committed.
    committed: AtomicU64,
    /// Records that were given up.
    lost: AtomicU64,
    /// Transactions that failed.
    failures: AtomicU64,
    /// To whom records are told.
    sinks: Mutex<Arc<[SinkSettings]>>,
}

impl KeeperBoard {
    /// A board with these sinks.
    #[must_use]
    pub fn new(sinks: &[SinkSettings]) -> Self {
        Self { sinks: Mutex::new(sinks.into()), ..Self::default() }
    }

    /// Tells others from here on.
    pub fn exchange(&self, sinks: &[SinkSettings]) {
        *self.sinks.lock().unwrap_or_else(PoisonError::into_inner) = sinks.into();
    }

    /// How often the loop has turned.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Records that wait, that were committed, that were given up; transactions that failed.
    #[must_use]
    pub fn counters(&self) -> [(&'static str, u64); 4] {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        [
            ("records_waiting", of(&self.waiting)),
            ("records_committed", of(&self.committed)),
            ("records_lost", of(&self.lost)),
            ("store_failures", of(&self.failures)),
        ]
    }

    fn sinks(&self) -> Arc<[SinkSettings]> {
        Arc::clone(&self.sinks.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The thread's state.
#[derive(Debug)]
pub struct Keeper<S> {
    store: S,
    board: Arc<KeeperBoard>,
    pending: VecDeque<Record>,
    complete: VecDeque<Record>,
    /// When it is tried again, and the pause after that.
    again: Option<(Instant, Duration)>,
    tended: Option<Instant>,
}

impl<S: Keeps> Keeper<S> {
    /// A thread that has committed nothing yet.
    pub fn new(store: S, board: Arc<KeeperBoard>) -> Self {
        Self { store, board, pending: VecDeque::new(), complete: VecDeque::new(), again: None, tended: None }
    }

    /// Commits until nobody is left who could send.
    pub fn run(mut self, inbox: &Receiver<Keep>) {
        loop {
            match inbox.recv_timeout(WAIT) {
                Ok(keep) => self.take(keep),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            // Everything that came by now goes into one transaction.
            for keep in inbox.try_iter().take(MOST_WAITING) {
                self.take(keep);
            }
            self.turn(Instant::now());
        }
        let last = Instant::now() + LAST_TRIES;
        while !(self.pending.is_empty() && self.complete.is_empty()) && Instant::now() < last {
            self.turn(Instant::now());
            if let Some((again, _)) = self.again {
                std::thread::sleep(again.saturating_duration_since(Instant::now()).min(WAIT));
            }
        }
        for record in self.complete.drain(..) {
            self.board.lost.fetch_add(1, Ordering::Relaxed);
            tracing::error!("the database took it no more, this line is all that is left of an alert: {}", record.eve);
        }
    }

    fn take(&mut self, keep: Keep) {
        match keep {
            Keep::Pending(record) => self.pending.push_back(record),
            Keep::Complete(record) => {
                self.pending.retain(|pending| pending.id != record.id);
                self.complete.push_back(record);
            }
        }
        if self.pending.len() + self.complete.len() > MOST_WAITING {
            self.give_up_one();
        }
    }

    /// First what will be said again anyway, then what wakes nobody, then the oldest.
    fn give_up_one(&mut self) {
        if self.pending.pop_front().is_some() {
            return;
        }
        let least = self.complete.iter().position(|record| record.severity >= 3).unwrap_or(0);
        if let Some(record) = self.complete.remove(least) {
            let lost = self.board.lost.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::error!(
                lost,
                "{MOST_WAITING} records wait for the database; this one is given up, and this line is all that is left: {}",
                record.eve
            );
        }
    }

    fn turn(&mut self, now: Instant) {
        if self.again.is_none_or(|(again, _)| again <= now) {
            match self.commit() {
                Ok(()) => {
                    if self.again.take().is_some() {
                        tracing::info!("the alert database takes records again");
                    }
                }
                Err(error) => self.failed(&error, now),
            }
        }
        if self.again.is_none() && self.tended.is_none_or(|tended| now - tended >= TENDED) {
            self.tended = Some(now);
            if let Err(error) = self.store.tend() {
                tracing::warn!("what is old in the alert database could not be removed: {error}");
            }
        }
        self.board.waiting.store((self.pending.len() + self.complete.len()) as u64, Ordering::Relaxed);
        self.board.turns.fetch_add(1, Ordering::Relaxed);
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        // What is complete wakes people; what is pending is for after a crash.
        while !self.complete.is_empty() {
            let some = self.complete.len().min(AT_ONCE);
            let records = self.complete.make_contiguous().get(..some).unwrap_or_default();
            self.store.commit(records, &self.board.sinks())?;
            self.complete.drain(..some);
            self.board.committed.fetch_add(some as u64, Ordering::Relaxed);
        }
        while !self.pending.is_empty() {
            let some = self.pending.len().min(AT_ONCE);
            let records = self.pending.make_contiguous().get(..some).unwrap_or_default();
            self.store.pend(records)?;
            self.pending.drain(..some);
        }
        Ok(())
    }

    #[cold]
    fn failed(&mut self, error: &StoreError, now: Instant) {
        self.board.failures.fetch_add(1, Ordering::Relaxed);
        let (first, longest) = PAUSES;
        let pause = self.again.map_or(first, |(_, pause)| (pause * 2).min(longest));
        self.again = Some((now + pause, pause));
        let waiting = self.pending.len() + self.complete.len();
        tracing::error!(waiting, "nothing is lost yet, {waiting} records wait: {error}");
        if error.is_corrupt() {
            match self.store.reopen() {
                Ok(()) => {
                    tracing::warn!("the damaged database was set aside, and another one begun");
                    self.again = Some((now, first));
                }
                Err(error) => tracing::error!("the damaged database could not be set aside: {error}"),
            }
        }
    }
}

#[cfg(test)]
mod tests;
