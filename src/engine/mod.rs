//! The pure engine: frames in, observations out. No clock, file, socket or thread may enter here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::indexing_slicing)]

pub mod clock;
pub mod frame;
pub mod limits;
pub mod time;

pub mod decode;

pub mod flow;

pub mod protocol;

pub mod case;
pub mod contact;
pub mod detect;
pub mod dns;
pub mod local;
pub mod observation;

mod backlog;
mod counters;
mod hellos;
mod shard;
mod shards;
mod watch;
pub mod web;

pub use clock::Clock;
pub use counters::ShardCounters;
pub use detect::Knowledge;
pub use shards::Shards;

use std::sync::Arc;

use decode::datagram::Datagram;
use decode::{Decoded, Decoder};
use frame::Frame;
use limits::Limits;
use local::Notice;
use observation::{Observation, What};
use time::Timestamp;

/// The pure half that judges flow by flow, whole, for one worker: decoder, clock and all shards. Several workers share out the shards instead.
#[derive(Debug)]
pub struct Engine {
    decoder: Decoder,
    clock: Clock,
    shards: Shards,
    out: Vec<Observation>,
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
        let Self { decoder, clock, shards, out } = self;
        clock.pass(frame, |frame, now| decoder.decode(frame, |decoded| take(decoded, shards, now, out)));
    }

    /// Goes on with other knowledge, by which everything is judged that is decided from here on. Flows and open cases stay.
    pub fn exchange(&mut self, knowledge: &Arc<Knowledge>) {
        self.shards.exchange(knowledge);
    }

    /// An idle tick: fires what is due. Changes nothing that a later frame would not bring about.
    pub fn handle_timeout(&mut self, now: Timestamp) {
        let Self { decoder, clock, shards, out } = self;
        clock.advance(now, |frame, now| decoder.decode(frame, |decoded| take(decoded, shards, now, out)));
        shards.tick(clock.now(), out);
    }

    /// The end of the input: decides what is pending on what was seen.
    pub fn finish(&mut self) {
        let Self { decoder, clock, shards, out } = self;
        clock.finish(|frame, now| decoder.decode(frame, |decoded| take(decoded, shards, now, out)));
        self.shards.finish(self.clock.now(), &mut self.out);
    }

    /// Forgets all flows unjudged and goes on with these shards; for an owner that caught a panic.
    pub fn begin_anew(&mut self, shards: Shards) -> Shards {
        std::mem::replace(&mut self.shards, shards)
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

    /// The clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
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

/// A message of the local network leaves at once; whoever shares out the shards does the same.
#[inline]
fn take(decoded: Decoded<'_, '_>, shards: &mut Shards, now: Timestamp, out: &mut Vec<Observation>) {
    match decoded {
        Decoded::Tcp(packet) => shards.handle(packet, now, out),
        Decoded::Datagram(datagram) if datagram.is_of_pair() => shards.handle_datagram(datagram, now, out),
        Decoded::Datagram(datagram) => out.extend(observed(datagram, now)),
    }
}

/// The observation that a message of the local network is.
#[must_use]
pub fn observed(datagram: &Datagram<'_>, now: Timestamp) -> Option<Observation> {
    let notice = Notice::read(datagram)?;
    Some(Observation { at: now, what: What::Local(Box::new(notice)) })
}
