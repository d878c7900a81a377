//! Suspicions that are open: held until their evidence is complete or time is up, told once, and again only when they became worse.

use std::collections::BTreeMap;

use super::tell::{EVIDENCE, Finding};
use crate::alert::{Alert, ClosedBecause};
use crate::engine::protocol::dhcp::Lease;
use crate::engine::time::{Span, Timestamp};
use crate::rules::policy::Thresholds;

/// How long a suspicion outlives its last evidence, and how long a connection that is answered in the server's place is laid to it.
pub(super) const MEMORY: Span = Span::from_secs(600);
/// A severity that is none.
const UNTOLD: u8 = 4;

/// What can be told of.
pub(super) trait Suspicion {
    /// What there is to say so far.
    fn finding(&self) -> Finding;
    /// What a server gave, where it is about one.
    fn lease(&self) -> Option<&Lease> {
        None
    }
}

#[derive(Debug)]
struct Open<T> {
    what: T,
    last: Timestamp,
    due: Option<Timestamp>,
    /// Severity of what was told.
    told: u8,
}

/// Suspicions by what they are about.
#[derive(Debug)]
pub(super) struct Incidents<K, T> {
    open: BTreeMap<K, Open<T>>,
    most: usize,
    /// Where the grades begin; evidence that is there already is weighed by others when more comes.
    pub(super) bounds: Thresholds,
    next_due: Timestamp,
    overdue: Vec<Alert>,
    /// Suspicions decided early for the bound.
    pub(super) evicted: u64,
}

impl<K: Ord + Copy, T: Suspicion> Incidents<K, T> {
    pub(super) fn new(most: usize) -> Self {
        Self { open: BTreeMap::new(), most, bounds: Thresholds::default(), next_due: Timestamp::MAX, overdue: Vec::new(), evicted: 0 }
    }

    /// One that is open.
    pub(super) fn find(&self, key: K) -> Option<&T> {
        self.open.get(&key).map(|open| &open.what)
    }

    /// Adds evidence to the one about `key`, which begins when there is none. Room is made by deciding the one whose last evidence is oldest.
    pub(super) fn add(&mut self, key: K, now: Timestamp, begin: impl FnOnce() -> T, evidence: impl FnOnce(&mut T)) {
        if !self.open.contains_key(&key) && self.open.len() >= self.most {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.last).map(|(key, _)| *key);
            if let Some(mut open) = oldest.and_then(|oldest| self.open.remove(&oldest)) {
                self.evicted += 1;
                self.overdue.extend(open.tell(now, ClosedBecause::Evicted, self.bounds));
            }
        }
        let open = self.open.entry(key).or_insert_with(|| Open { what: begin(), last: now, due: None, told: UNTOLD });
        evidence(&mut open.what);
        open.last = now;
        self.next_due = self.next_due.min(open.weigh(now, self.bounds));
    }

    /// Adds evidence to one that is open, without making it younger.
    pub(super) fn change(&mut self, key: K, now: Timestamp, evidence: impl FnOnce(&mut T)) {
        if let Some(open) = self.open.get_mut(&key) {
            evidence(&mut open.what);
            self.next_due = self.next_due.min(open.weigh(now, self.bounds));
        }
    }

    /// Forgets those that are none by what is known otherwise.
    pub(super) fn retain(&mut self, mut is_suspect: impl FnMut(&mut T) -> bool) {
        self.open.retain(|_, open| is_suspect(&mut open.what));
    }

    /// Those open, with the time of their last evidence.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&T, Timestamp)> {
        self.open.values().map(|open| (&open.what, open.last))
    }

    /// Something is due at or before `now`.
    #[inline]
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        now >= self.next_due || !self.overdue.is_empty()
    }

    /// Tells what is due at or before `now`, and forgets what has not gone on.
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut told = std::mem::take(&mut self.overdue);
        if now < self.next_due {
            return told;
        }
        for open in self.open.values_mut() {
            if let Some(due) = open.due.filter(|due| *due <= now) {
                told.extend(open.tell(due, ClosedBecause::Deadline, self.bounds));
            }
        }
        self.open.retain(|_, open| open.due.is_some() || open.last + MEMORY > now);
        let times = self.open.values().map(|open| open.due.unwrap_or(open.last + MEMORY));
        self.next_due = times.min().unwrap_or(Timestamp::MAX);
        told
    }

    /// Tells all on what was seen.
    pub(super) fn finish(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut told = self.tick(now);
        let bounds = self.bounds;
        let open = std::mem::take(&mut self.open).into_values();
        told.extend(open.filter_map(|mut open| open.tell(now, ClosedBecause::EndOfCapture, bounds)));
        told
    }
}

impl<T: Suspicion> Open<T> {
    /// Sets when it is to be told, if it became worse; when to look at it again.
    fn weigh(&mut self, now: Timestamp, bounds: Thresholds) -> Timestamp {
        if self.due.is_none() && self.what.finding().severity(bounds).is_some_and(|severity| severity < self.told) {
            self.due = Some(if self.told == UNTOLD { now + EVIDENCE } else { now });
        }
        self.due.unwrap_or(self.last + MEMORY)
    }

    fn tell(&mut self, at: Timestamp, because: ClosedBecause, bounds: Thresholds) -> Option<Alert> {
        self.due = None;
        let alert = self.what.finding().alert(at, because, bounds).filter(|alert| alert.severity < self.told)?;
        self.told = alert.severity;
        Some(Alert { dhcp: self.what.lease().cloned(), ..alert })
    }
}
