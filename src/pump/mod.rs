//! The loop that carries frames from a source through the engine to the alerts, on one worker or several.

#[cfg(feature = "daemon")]
pub mod live;
mod single;
pub mod sources;
mod spread;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::alert::Alert;
use crate::capture::FrameSource;
use crate::correlate::{CorrelateCounters, Correlator};
use crate::engine::decode::Decoder;
use crate::engine::limits::Limits;
use crate::engine::observation::Observation;
use crate::engine::time::Timestamp;
use crate::engine::{Clock, Knowledge, ShardCounters};
use crate::rules::policy::Policy;

/// Frames between two moments at which observations are judged. A constant, so that the number of workers changes nothing.
const BATCH_FRAMES: usize = 4096;
/// Bytes after which they are judged earlier: workers are handed copies of a whole batch.
const BATCH_BYTES: usize = 2 << 20;

/// How full the batch is. It ends by what was read alone, so that it ends at the same frame whatever the number of workers.
#[derive(Debug, Default)]
struct Quota {
    frames: usize,
    bytes: usize,
}

impl Quota {
    /// Takes a frame of so many bytes; true when the batch ends with it.
    fn takes_last(&mut self, bytes: usize) -> bool {
        self.frames += 1;
        self.bytes += bytes;
        self.frames >= BATCH_FRAMES || self.bytes >= BATCH_BYTES
    }
}

/// How a source is pumped.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds.
    pub limits: Limits,
    /// What detectors look things up in.
    pub knowledge: Arc<Knowledge>,
    /// What is told, and how loud.
    pub policy: Arc<Policy>,
    /// Keys the flow hash: fixed in replay, random live.
    pub seed: u64,
    /// Worker threads; 1 runs everything on the calling thread.
    pub workers: usize,
}

/// What takes the place of knowledge and policy while the pump runs.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// See `Settings::knowledge`.
    pub knowledge: Arc<Knowledge>,
    /// See `Settings::policy`.
    pub policy: Arc<Policy>,
}

/// What became of a source.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Frames read.
    pub frames: u64,
    /// Frames of which at least the network layer was understood.
    pub understood: u64,
    /// Frames by what became of them.
    pub decoded: BTreeMap<String, u64>,
    /// Frames whose time was so far ahead of all others that no clock followed it.
    pub disbelieved: u64,
    /// Panics that were survived: each cost the flow state of a worker, and what came after it is reported.
    pub panics: u64,
    /// What the flow state counted.
    pub shards: ShardCounters,
    /// What the correlating stage counted.
    pub correlate: CorrelateCounters,
}

/// What the caller is told while the pump runs.
pub trait Audience<S> {
    /// An alert, in the order of closing time, then id.
    fn alert(&mut self, alert: &Alert);
    /// So many frames were read; the source may be asked how far it is.
    fn progress(&mut self, frames: u64, source: &S);
    /// What is in force from the frame on that was just read, and for all that is decided after it. Asked before the first frame of a batch is looked
    /// at, so that the moment lies between the same two frames whatever the number of workers.
    fn renewal(&mut self) -> Option<Renewal> {
        None
    }
    /// The engine panicked at about this frame. Its worker's open cases were decided early, and its flows forgotten.
    fn panicked(&mut self, frame: u64);
}

/// Pumps a source to its end, or to the error that ends it; the report and the alerts cover everything before that.
pub fn run<S: FrameSource>(source: &mut S, settings: &Settings, audience: &mut dyn Audience<S>) -> (Report, Result<(), S::Error>) {
    if settings.workers <= 1 { single::run(source, settings, audience) } else { spread::run(source, settings, audience) }
}

/// The ordered stage as the settings have it.
fn correlator(settings: &Settings) -> Correlator {
    Correlator::new(&settings.limits).with_policy(Arc::clone(&settings.policy)).with_knowledge(Arc::clone(&settings.knowledge))
}

/// Whether the source may have more frames.
enum More {
    Some,
    None,
}

/// Runs `work`; `None` if it panicked, which the panic hook has told by then. Around a whole batch, so that no frame pays for it.
fn survive<T>(work: impl FnOnce() -> T) -> Option<T> {
    // What the closure left half done is flow state, and that is replaced by those who call this.
    catch_unwind(AssertUnwindSafe(work)).ok()
}

/// The ordered stage and whom it tells.
struct Judge<'a, S> {
    correlator: Correlator,
    audience: &'a mut dyn Audience<S>,
    panics: u64,
}

impl<S> Judge<'_, S> {
    /// What was observed up to `now`; with `last` nothing follows.
    fn take(&mut self, observations: Vec<Observation>, now: Timestamp, last: bool) {
        let alerts = if last { self.correlator.finish(observations, now) } else { self.correlator.judge(observations, now) };
        for alert in alerts {
            self.audience.alert(&alert);
        }
    }

    fn panicked(&mut self, frame: u64) {
        self.panics += 1;
        self.audience.panicked(frame);
    }

    fn report(&self, decoder: &Decoder, clock: &Clock, shards: ShardCounters) -> Report {
        Report {
            frames: decoder.frames(),
            understood: decoder.understood(),
            decoded: decoder.counts(),
            disbelieved: clock.disbelieved(),
            panics: self.panics,
            shards,
            correlate: self.correlator.counters(),
        }
    }
}
