//! The calling thread reads and decodes; workers own the flows, each its share of the shards; observations are merged batch by batch.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::thread::{self, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{Audience, Judge, More, Quota, Renewal, Report, Settings, survive};
use crate::capture::FrameSource;
use crate::correlate::Correlator;
use crate::engine::decode::datagram::{Datagram, DatagramHead};
use crate::engine::decode::packet::{Head, Packet};
use crate::engine::decode::{Decoded, Decoder};
use crate::engine::flow::key::FlowKey;
use crate::engine::observation::Observation;
use crate::engine::time::Timestamp;
use crate::engine::{Clock, Knowledge, ShardCounters, Shards, observed};
use crate::rules::policy::Policy;

/// Batches on their way at once; replay waits when the workers have so many before them.
const BATCHES_IN_FLIGHT: usize = 4;

/// The packets of one batch that belong to one worker.
#[derive(Debug, Default)]
struct Batch {
    packets: Vec<(Item, Timestamp, Range<usize>)>,
    payloads: Vec<u8>,
    /// What is in force from its first packet on, where that was exchanged.
    knowledge: Option<Arc<Knowledge>>,
    /// The time at the end of the batch, the same for all workers.
    now: Timestamp,
    /// No batch follows.
    last: bool,
}

/// A packet without its payload.
#[derive(Debug)]
enum Item {
    Tcp(Head),
    Datagram(DatagramHead),
}

impl Item {
    const fn frame(&self) -> u64 {
        match self {
            Self::Tcp(head) => head.frame,
            Self::Datagram(head) => head.frame,
        }
    }
}

/// What the batches are filled with: those of the workers, and what needs no worker.
struct Filling {
    batches: Vec<Batch>,
    observations: Vec<Observation>,
    renewal: Option<Renewal>,
    seed: u64,
}

/// A batch that the workers have: what was observed of it without them, and the time at its end.
struct Sent {
    observations: Vec<Observation>,
    /// What it is judged by from here on, where that was exchanged.
    policy: Option<Arc<Policy>>,
    now: Timestamp,
    last: bool,
}

/// What a worker makes of a batch; the emptied batch goes back to be filled again.
#[derive(Debug, Default)]
struct Outcome {
    observations: Vec<Observation>,
    batch: Batch,
    /// Frames at which it panicked.
    panics: Vec<u64>,
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
                Worker { batches, outcomes, thread: scope.spawn(move || work(settings, &inbox, &outbox)) }
            })
            .collect();
        let judge = Judge { correlator: Correlator::new(&settings.limits).with_policy(Arc::clone(&settings.policy)), audience, panics: 0 };
        let mut dispatcher = Dispatcher {
            workers,
            spare: VecDeque::new(),
            in_flight: VecDeque::new(),
            judge,
            decoder: Decoder::new(&settings.limits),
            clock: Clock::default(),
            seed: settings.seed,
            frames: 0,
            frame: 0,
        };
        let ended = dispatcher.dispatch(source);
        let Dispatcher { workers, judge, decoder, clock, .. } = dispatcher;
        let mut counters = ShardCounters::default();
        for worker in workers {
            drop(worker.batches);
            match worker.thread.join() {
                Ok(counted) => counters = counters.plus(&counted),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (judge.report(&decoder, &clock, counters), ended)
    })
}

fn work(settings: &Settings, inbox: &Receiver<Batch>, outbox: &Sender<Outcome>) -> ShardCounters {
    let limits = Arc::new(settings.limits.clone());
    let mut knowledge = Arc::clone(&settings.knowledge);
    let fresh = |knowledge: &Arc<Knowledge>| Shards::new(&limits, knowledge, settings.seed);
    let (mut shards, mut lost) = (fresh(&knowledge), ShardCounters::default());
    while let Ok(mut batch) = inbox.recv() {
        if let Some(renewed) = batch.knowledge.take() {
            shards.exchange(&renewed);
            knowledge = renewed;
        }
        let (mut observations, mut panics, mut next) = (Vec::new(), Vec::new(), 0);
        while survive(|| handle(&mut shards, &batch, &mut next, &mut observations)).is_none() {
            let handled = batch.packets.get(next.saturating_sub(1)).map_or(0, |(item, ..)| item.frame());
            panics.push(handled);
            let mut broken = std::mem::replace(&mut shards, fresh(&knowledge));
            // Its second panic, if there is one, costs what was still undecided.
            survive(|| broken.finish(batch.now, &mut observations));
            lost = lost.plus(&broken.counters());
        }
        batch.packets.clear();
        batch.payloads.clear();
        if outbox.send(Outcome { observations, batch, panics }).is_err() {
            break;
        }
    }
    lost.plus(&shards.counters())
}

/// The packets of a batch from the `next` on, and what its end brings.
fn handle(shards: &mut Shards, batch: &Batch, next: &mut usize, observations: &mut Vec<Observation>) {
    while let Some((item, now, payload)) = batch.packets.get(*next) {
        *next += 1;
        let payload = batch.payloads.get(payload.clone()).unwrap_or(&[]);
        match *item {
            Item::Tcp(head) => shards.handle(&Packet { head, payload }, *now, observations),
            Item::Datagram(head) => shards.handle_datagram(&Datagram { head, payload }, *now, observations),
        }
    }
    if batch.last {
        shards.finish(batch.now, observations);
    } else {
        shards.tick(batch.now, observations);
    }
}

struct Dispatcher<'scope, 'a, S> {
    workers: Vec<Worker<'scope>>,
    spare: VecDeque<Batch>,
    in_flight: VecDeque<Sent>,
    judge: Judge<'a, S>,
    decoder: Decoder,
    clock: Clock,
    seed: u64,
    frames: u64,
    /// Number of the frame that is handled.
    frame: u64,
}

impl<S: FrameSource> Dispatcher<'_, '_, S> {
    fn dispatch(&mut self, source: &mut S) -> Result<(), S::Error> {
        let mut filling = Filling { batches: self.fresh_batches(), observations: Vec::new(), renewal: None, seed: self.seed };
        let ended = loop {
            let before = self.frames;
            match survive(|| self.fill(source, &mut filling)) {
                Some(Ok(More::Some)) => {}
                None => {
                    self.judge.panicked(self.frame);
                    // Not at a frame but in the source, which cannot be asked again.
                    if self.frames == before {
                        break Ok(());
                    }
                }
                Some(Ok(More::None)) => break Ok(()),
                Some(Err(error)) => break Err(error),
            }
            let now = self.clock.now();
            self.send(&mut filling, now, false);
            while source.is_waiting() && !self.in_flight.is_empty() {
                self.collect();
            }
            self.judge.audience.progress(self.frames, source);
        };
        let decoder = &mut self.decoder;
        self.clock.finish(|frame, now| decoder.decode(frame, |decoded| filling.take(decoded, now)));
        let now = self.clock.now();
        self.send(&mut filling, now, true);
        while !self.in_flight.is_empty() {
            self.collect();
        }
        self.judge.audience.progress(self.frames, source);
        ended
    }

    /// Frames up to the next moment of judgement, each with the worker that owns its flow.
    fn fill(&mut self, source: &mut S, filling: &mut Filling) -> Result<More, S::Error> {
        let decoder = &mut self.decoder;
        let mut quota = Quota::default();
        while !(quota.frames > 0 && source.is_waiting()) {
            let frame = match source.next_frame() {
                Ok(Some(frame)) => frame,
                ended => {
                    let ended = ended.map(|_| More::None);
                    if quota.frames == 0 {
                        filling.renewal = self.judge.audience.renewal();
                    }
                    return ended;
                }
            };
            if quota.frames == 0 {
                filling.renewal = self.judge.audience.renewal();
            }
            (self.frame, self.frames) = (frame.number, self.frames + 1);
            let is_last = quota.takes_last(frame.bytes.len());
            self.clock.pass(&frame, |frame, now| decoder.decode(frame, |decoded| filling.take(decoded, now)));
            if is_last {
                break;
            }
        }
        Ok(More::Some)
    }

    fn fresh_batches(&mut self) -> Vec<Batch> {
        self.workers.iter().map(|_| self.spare.pop_front().unwrap_or_default()).collect()
    }

    fn send(&mut self, filling: &mut Filling, now: Timestamp, last: bool) {
        let fresh = self.fresh_batches();
        for (worker, mut batch) in self.workers.iter().zip(std::mem::replace(&mut filling.batches, fresh)) {
            (batch.now, batch.last) = (now, last);
            batch.knowledge = filling.renewal.as_ref().map(|renewal| Arc::clone(&renewal.knowledge));
            // A worker that is gone has panicked; joining it says so.
            let _ = worker.batches.send(batch);
        }
        let policy = filling.renewal.take().map(|renewal| renewal.policy);
        self.in_flight.push_back(Sent { observations: std::mem::take(&mut filling.observations), policy, now, last });
        if self.in_flight.len() >= BATCHES_IN_FLIGHT {
            self.collect();
        }
    }

    /// Waits for the oldest batch and judges what all workers observed in it.
    fn collect(&mut self) {
        let Some(Sent { mut observations, policy, now, last }) = self.in_flight.pop_front() else { return };
        if let Some(policy) = policy {
            self.judge.correlator.exchange(policy);
        }
        for worker in &self.workers {
            if let Ok(outcome) = worker.outcomes.recv() {
                observations.extend(outcome.observations);
                for frame in outcome.panics {
                    self.judge.panicked(frame);
                }
                self.spare.push_back(outcome.batch);
            }
        }
        self.judge.take(observations, now, last);
    }
}

impl Filling {
    /// Gives a packet to the worker that owns its shard. A message of the local network is observed at once.
    fn take(&mut self, decoded: Decoded<'_, '_>, now: Timestamp) {
        match decoded {
            Decoded::Tcp(packet) => self.place(&FlowKey::of(&packet.head).0, Item::Tcp(packet.head), packet.payload, now),
            Decoded::Datagram(datagram) if datagram.is_of_pair() => {
                self.place(&FlowKey::of_pair(&datagram.head), Item::Datagram(datagram.head), datagram.payload, now);
            }
            Decoded::Datagram(datagram) => self.observations.extend(observed(datagram, now)),
        }
    }

    fn place(&mut self, key: &FlowKey, item: Item, payload: &[u8], now: Timestamp) {
        let shard = FlowKey::shard(key.hash(self.seed));
        let workers = self.batches.len();
        if let Some(batch) = self.batches.get_mut(shard % workers) {
            let start = batch.payloads.len();
            batch.payloads.extend_from_slice(payload);
            batch.packets.push((item, now, start..batch.payloads.len()));
        }
    }
}
