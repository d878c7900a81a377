//! The pure engine: frames in, observations out. No clock, file, socket or thread may enter here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::indexing_slicing)]

pub mod frame;
pub mod limits;
pub mod time;

pub mod decode;

pub mod flow;

pub mod protocol;

pub mod case;
pub mod detect;
pub mod observation;

mod shard;
mod shards;
mod watch;

pub use detect::Knowledge;
pub use shard::ShardCounters;
pub use shards::Shards;

use std::sync::Arc;

use decode::Decoder;
use frame::Frame;
use limits::Limits;
use observation::Observation;
use time::Timestamp;

/// What one packet brings to its shard: the part of the work that does not depend on other flows.
#[derive(Debug)]
pub struct Engine {
    decoder: Decoder,
    clock: Clock,
    shards: Shards,
    out: Vec<Observation>,
}

/// Packet time that never runs backwards: the engine's "now".
#[derive(Clone, Copy, Debug)]
pub struct Clock(Timestamp);

impl Default for Clock {
    fn default() -> Self {
        Self(Timestamp::MIN)
    }
}

impl Clock {
    /// Moves on to `time`, unless that is in the past; the time it is.
    pub fn advance(&mut self, time: Timestamp) -> Timestamp {
        self.0 = self.0.max(time);
        self.0
    }
    /// The time it is.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.0
    }
}

impl Engine {
    /// An engine on one worker.
    #[must_use]
    pub fn new(limits: Limits, knowledge: Arc<Knowledge>, seed: u64) -> Self {
        let decoder = Decoder::new(&limits);
        Self { decoder, clock: Clock::default(), shards: Shards::new(&Arc::new(limits), &knowledge, seed), out: Vec::new() }
    }

    /// Takes a frame. Every timer due at or before its time fires first.
    pub fn handle_frame(&mut self, frame: &Frame<'_>) {
        let now = self.clock.advance(frame.time);
        let Self { decoder, shards, out, .. } = self;
        decoder.decode(frame, |packet| shards.handle(packet, now, out));
    }

    /// An idle tick: fires what is due. Changes nothing that a later frame would not bring about.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let now = self.clock.advance(now);
        self.shards.tick(now, &mut self.out);
    }

    /// The end of the input: decides what is pending on what was seen.
    pub fn finish(&mut self) {
        self.shards.finish(self.clock.now(), &mut self.out);
    }

    /// What was judged since the last call, in no particular order; `observation::Observation::at` orders it.
    #[must_use]
    pub fn poll_observations(&mut self) -> Vec<Observation> {
        std::mem::take(&mut self.out)
    }

    /// The time it is.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The decoder and its counters.
    #[must_use]
    pub const fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// The flow state and its counters.
    #[must_use]
    pub const fn shards(&self) -> &Shards {
        &self.shards
    }
}
