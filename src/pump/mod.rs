//! The loop that carries frames from a source through the engine to the alerts, on one worker or several.

mod single;
mod spread;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::alert::Alert;
use crate::capture::FrameSource;
use crate::correlate::{CorrelateCounters, Correlator};
use crate::engine::decode::Decoder;
use crate::engine::limits::Limits;
use crate::engine::{Knowledge, ShardCounters};

/// Frames between two moments at which observations are judged. A constant, so that the number of workers changes nothing.
const BATCH_FRAMES: usize = 4096;

/// How a source is pumped.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds.
    pub limits: Limits,
    /// What detectors look things up in.
    pub knowledge: Arc<Knowledge>,
    /// Keys the flow hash: fixed in replay, random live.
    pub seed: u64,
    /// Worker threads; 1 runs everything on the calling thread.
    pub workers: usize,
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
}

/// Pumps a source to its end, or to the error that ends it; the report and the alerts cover everything before that.
pub fn run<S: FrameSource>(source: &mut S, settings: &Settings, audience: &mut dyn Audience<S>) -> (Report, Result<(), S::Error>) {
    if settings.workers <= 1 { single::run(source, settings, audience) } else { spread::run(source, settings, audience) }
}

/// The ordered stage and whom it tells.
struct Judge<'a, S> {
    correlator: Correlator,
    audience: &'a mut dyn Audience<S>,
}

impl<S> Judge<'_, S> {
    fn take(&mut self, observations: Vec<crate::engine::observation::Observation>) {
        for alert in self.correlator.judge(observations) {
            self.audience.alert(&alert);
        }
    }

    fn report(&self, decoder: &Decoder, shards: ShardCounters) -> Report {
        Report {
            frames: decoder.frames(),
            understood: decoder.understood(),
            decoded: decoder.counts(),
            shards,
            correlate: self.correlator.counters(),
        }
    }
}
