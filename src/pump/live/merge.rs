//! What several capture threads saw, put into one order: it is judged once all of them have passed its time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Batch;
use crate::engine::observation::Observation;
use crate::engine::time::{Span, Timestamp};

/// A thread that says nothing for so long holds the others back no more.
const SILENCE: Duration = Duration::from_secs(2);
/// Observations that wait for slower threads; with more of them they are judged without. At about a kilobyte each, 64 MiB.
const MOST_WAITING: usize = 65_536;
/// Batches of after a step of the clock that wait until all threads have seen it.
const MOST_AHEAD: usize = 4_096;

/// The threads, and what waits.
#[derive(Debug, Default)]
pub(super) struct Merge {
    sources: Vec<Source>,
    waiting: Vec<Observation>,
    merged: Timestamp,
    /// The latest watermark of any thread, also of those that ended, and when it came.
    latest: Option<(Timestamp, Instant)>,
    epoch: u32,
    ahead: Vec<Batch>,
    ahead_since: Option<Instant>,
    /// Times at which the others did not wait for a slower thread because too much waited.
    pub(super) hurried: u64,
}

#[derive(Debug)]
struct Source {
    slot: u8,
    interface: Arc<str>,
    watermark: Timestamp,
    heard: Instant,
    /// The epoch that its own count of them is added to.
    base: u32,
    /// It was seen in a later epoch.
    is_ahead: bool,
    is_silent: bool,
}

/// A thread fell silent, or speaks again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) interface: Arc<str>,
    pub(super) fell: bool,
}

impl Merge {
    pub(super) fn begin(&mut self, slot: u8, interface: Arc<str>, now: Instant) {
        self.end(slot);
        let (base, watermark) = (self.epoch, Timestamp::MIN);
        self.sources.push(Source { slot, interface, watermark, heard: now, base, is_ahead: false, is_silent: false });
    }

    pub(super) fn end(&mut self, slot: u8) {
        self.sources.retain(|source| source.slot != slot);
    }

    /// Takes what a thread saw.
    pub(super) fn take(&mut self, mut batch: Batch, now: Instant) {
        let epoch = self.epoch;
        if let Some(source) = self.sources.iter_mut().find(|source| source.slot == batch.slot) {
            source.heard = now;
            if source.base.wrapping_add(batch.epoch) > epoch {
                source.is_ahead = true;
                self.ahead_since.get_or_insert(now);
                self.ahead.push(batch);
                return;
            }
            source.watermark = source.watermark.max(batch.watermark);
        }
        if self.latest.is_none_or(|(latest, _)| latest <= batch.watermark) {
            self.latest = Some((batch.watermark, now));
        }
        for observation in &mut batch.observations {
            // Of before a step of the clock that the others have made: it would wait for a time that does not come.
            observation.at = observation.at.min(batch.watermark);
        }
        self.waiting.append(&mut batch.observations);
    }

    /// What all threads have passed, and up to when.
    pub(super) fn ready(&mut self, now: Instant) -> Option<(Vec<Observation>, Timestamp)> {
        let (latest, since) = self.latest?;
        let heard = self.sources.iter().filter(|source| !source.is_ahead && now - source.heard < SILENCE);
        let passed = match heard.map(|source| source.watermark).min() {
            Some(_) if self.waiting.len() > MOST_WAITING => {
                self.hurried += 1;
                latest
            }
            Some(slowest) => slowest,
            // What waits for its time to pass is not to wait until an interface comes back.
            None if self.ahead.is_empty() => latest + Span::from_millis(i64::try_from((now - since).as_millis()).unwrap_or(0)),
            None => latest,
        };
        if passed <= self.merged {
            return None;
        }
        self.merged = passed;
        let (ready, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|observation| observation.at <= passed);
        self.waiting = waiting;
        Some((ready, passed))
    }

    /// All threads have seen that the clock was set back, or have had the time to.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.ahead_since.is_some_and(|since| {
            let waits = |source: &Source| !source.is_ahead && now - source.heard < SILENCE;
            now - since >= SILENCE || self.ahead.len() >= MOST_AHEAD || !self.sources.iter().any(waits)
        })
    }

    /// The epoch is over: everything that waits, and the time it is. What came of the next one is taken.
    pub(super) fn step(&mut self, now: Instant) -> (Vec<Observation>, Timestamp) {
        let last = self.rest();
        self.epoch += 1;
        self.merged = Timestamp::MIN;
        (self.ahead_since, self.latest) = (None, None);
        for source in &mut self.sources {
            if !std::mem::take(&mut source.is_ahead) {
                source.base += 1;
            }
            source.watermark = Timestamp::MIN;
        }
        for batch in std::mem::take(&mut self.ahead) {
            self.take(batch, now);
        }
        last
    }

    /// Everything that waits, and the time it is.
    pub(super) fn rest(&mut self) -> (Vec<Observation>, Timestamp) {
        let waiting = std::mem::take(&mut self.waiting);
        let times = waiting.iter().map(|observation| observation.at).chain(self.latest.map(|(latest, _)| latest));
        let latest = times.fold(self.merged, Timestamp::max);
        (waiting, latest)
    }

    /// Threads that fell silent since the last call, or that speak again.
    pub(super) fn silences(&mut self, now: Instant) -> Vec<Silence> {
        let mut changed = Vec::new();
        for source in &mut self.sources {
            let fell = now - source.heard >= SILENCE;
            if fell != source.is_silent {
                source.is_silent = fell;
                changed.push(Silence { interface: Arc::clone(&source.interface), fell });
            }
        }
        changed
    }

    /// Observations that wait.
    pub(super) fn held(&self) -> usize {
        self.waiting.len()
    }
}
