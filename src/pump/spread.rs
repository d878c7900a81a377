//! The calling thread reads and decodes; workers own the flows, each its share of the shards; observations are merged batch by batch.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Audience, BATCH_FRAMES, Judge, Report, Settings};
use crate::capture::FrameSource;
use crate::correlate::Correlator;
use crate::engine::decode::Decoder;
use crate::engine::decode::packet::{Head, Packet};
use crate::engine::flow::key::FlowKey;
use crate::engine::observation::Observation;
use crate::engine::time::Timestamp;
use crate::engine::{Clock, ShardCounters, Shards};

/// Batches on their way at once; replay waits when the workers have so many before them.
const BATCHES_IN_FLIGHT: usize = 4;

/// The packets of one batch that belong to one worker.
#[derive(Debug, Default)]
struct Batch {
    packets: Vec<(Head, Timestamp, Range<usize>)>,
    payloads: Vec<u8>,
    /// The time at the end of the batch, the same for all workers.
    now: Timestamp,
    /// No batch follows.
    last: bool,
}

/// What a worker makes of a batch; the emptied batch goes back to be filled again.
#[derive(Debug, Default)]
struct Outcome {
    observations: Vec<Observation>,
    batch: Batch,
}

struct Worker<'scope> {
    batches: Sender<Batch>,
    outcomes: Receiver<Outcome>,
    thread: ScopedJoinHandle<'scope, ShardCounters>,
}

pub(super) fn run<S: FrameSource>(source: &mut S, settings: &Settings, audience: &mut dyn Audience<S>) -> (Report, Result<(), S::Error>) {
    thread::scope(|scope| {
        let workers: Vec<Worker<'_>> = (0..settings.workers)
            .map(|_| {
                let (batches, inbox) = bounded(BATCHES_IN_FLIGHT);
                let (outbox, outcomes) = bounded(BATCHES_IN_FLIGHT);
                let shards = Shards::new(&Arc::new(settings.limits.clone()), &settings.knowledge, settings.seed);
                Worker { batches, outcomes, thread: scope.spawn(move || work(shards, &inbox, &outbox)) }
            })
            .collect();
        let mut dispatcher =
            Dispatcher { workers, spare: VecDeque::new(), in_flight: 0, judge: Judge { correlator: Correlator::default(), audience } };
        let mut decoder = Decoder::new(&settings.limits);
        let ended = dispatcher.dispatch(source, &mut decoder, settings.seed);
        let Dispatcher { workers, judge, .. } = dispatcher;
        let mut counters = ShardCounters::default();
        for worker in workers {
            drop(worker.batches);
            match worker.thread.join() {
                Ok(counted) => counters = counters.plus(&counted),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (judge.report(&decoder, counters), ended)
    })
}

fn work(mut shards: Shards, inbox: &Receiver<Batch>, outbox: &Sender<Outcome>) -> ShardCounters {
    while let Ok(mut batch) = inbox.recv() {
        let mut observations = Vec::new();
        for (head, now, payload) in &batch.packets {
            let payload = batch.payloads.get(payload.clone()).unwrap_or(&[]);
            shards.handle(&Packet { head: *head, payload }, *now, &mut observations);
        }
        if batch.last {
            shards.finish(batch.now, &mut observations);
        } else {
            shards.tick(batch.now, &mut observations);
        }
        batch.packets.clear();
        batch.payloads.clear();
        if outbox.send(Outcome { observations, batch }).is_err() {
            break;
        }
    }
    shards.counters()
}

struct Dispatcher<'scope, 'a, S> {
    workers: Vec<Worker<'scope>>,
    spare: VecDeque<Batch>,
    in_flight: usize,
    judge: Judge<'a, S>,
}

impl<S: FrameSource> Dispatcher<'_, '_, S> {
    fn dispatch(&mut self, source: &mut S, decoder: &mut Decoder, seed: u64) -> Result<(), S::Error> {
        let mut clock = Clock::default();
        let mut filling = self.fresh_batches();
        let mut frames = 0_u64;
        let ended = loop {
            match source.next_frame() {
                Ok(Some(frame)) => {
                    let now = clock.advance(frame.time);
                    decoder.decode(&frame, |packet| place(&mut filling, packet, now, seed));
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
            frames += 1;
            if frames.is_multiple_of(BATCH_FRAMES as u64) {
                self.send(&mut filling, clock.now(), false);
                self.judge.audience.progress(frames, source);
            }
        };
        self.send(&mut filling, clock.now(), true);
        while self.in_flight > 0 {
            self.collect();
        }
        self.judge.audience.progress(frames, source);
        ended
    }

    fn fresh_batches(&mut self) -> Vec<Batch> {
        self.workers.iter().map(|_| self.spare.pop_front().unwrap_or_default()).collect()
    }

    fn send(&mut self, filling: &mut Vec<Batch>, now: Timestamp, last: bool) {
        let fresh = self.fresh_batches();
        for (worker, mut batch) in self.workers.iter().zip(std::mem::replace(filling, fresh)) {
            (batch.now, batch.last) = (now, last);
            // A worker that is gone has panicked; joining it says so.
            let _ = worker.batches.send(batch);
        }
        self.in_flight += 1;
        if self.in_flight >= BATCHES_IN_FLIGHT {
            self.collect();
        }
    }

    /// Waits for the oldest batch and judges what all workers observed in it.
    fn collect(&mut self) {
        let mut observations = Vec::new();
        for worker in &self.workers {
            if let Ok(outcome) = worker.outcomes.recv() {
                observations.extend(outcome.observations);
                self.spare.push_back(outcome.batch);
            }
        }
        self.in_flight -= 1;
        self.judge.take(observations);
    }
}

fn place(filling: &mut [Batch], packet: &Packet<'_>, now: Timestamp, seed: u64) {
    let shard = FlowKey::shard(FlowKey::of(&packet.head).0.hash(seed));
    let workers = filling.len();
    if let Some(batch) = filling.get_mut(shard % workers) {
        let start = batch.payloads.len();
        batch.payloads.extend_from_slice(packet.payload);
        batch.packets.push((packet.head, now, start..batch.payloads.len()));
    }
}
