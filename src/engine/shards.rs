//! All shards, or those of one worker.

use std::sync::Arc;

use super::Knowledge;
use super::backlog::Backlog;
use super::counters::ShardCounters;
use super::decode::datagram::Datagram;
use super::decode::packet::Packet;
use super::flow::key::{FlowKey, SHARDS};
use super::limits::Limits;
use super::observation::Observation;
use super::shard::Shard;
use super::time::Timestamp;

/// Flow state, split by a hash of the flow. A worker owns one of these and is handed the packets of its shards only.
#[derive(Debug)]
pub struct Shards {
    shards: Vec<Shard>,
    backlog: Backlog,
    limits: Arc<Limits>,
    seed: u64,
}

impl Shards {
    /// Empty shards; `seed` keys the hash.
    #[must_use]
    pub fn new(limits: &Arc<Limits>, knowledge: &Arc<Knowledge>, seed: u64) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::new(Arc::clone(limits), Arc::clone(knowledge))).collect();
        Self { shards, backlog: Backlog::default(), limits: Arc::clone(limits), seed }
    }

    /// Goes on with other knowledge; flows and open cases stay.
    pub fn exchange(&mut self, knowledge: &Arc<Knowledge>) {
        for shard in &mut self.shards {
            shard.exchange(Arc::clone(knowledge));
        }
    }

    /// Takes a packet; `now` never runs backwards.
    pub fn handle(&mut self, packet: &Packet<'_>, now: Timestamp, out: &mut Vec<Observation>) {
        let (key, sender) = FlowKey::of(&packet.head);
        let hash = key.hash(self.seed);
        if let Some(shard) = self.shards.get_mut(FlowKey::shard(hash)) {
            shard.handle(packet, (key, sender, hash), now, out);
        }
    }

    /// Takes a datagram of DNS or QUIC; `now` never runs backwards. What it brings may come with the next tick only.
    pub fn handle_datagram(&mut self, datagram: &Datagram<'_>, now: Timestamp, out: &mut Vec<Observation>) {
        if self.backlog.add(datagram, now, self.limits.backlog_bytes) {
            self.settle(out);
        }
    }

    /// Fires what is due at or before `now` in every shard.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        self.settle(out);
        for shard in &mut self.shards {
            shard.tick(now, out);
            shard.tick_datagrams(now, out);
        }
    }

    /// Decides every open case and forgets all flows.
    pub fn finish(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        self.tick(now, out);
        for shard in &mut self.shards {
            shard.finish(now, out);
        }
    }

    /// Handles the datagrams that wait. Should one of them make it panic, none is tried again.
    fn settle(&mut self, out: &mut Vec<Observation>) {
        if self.backlog.is_empty() {
            return;
        }
        let mut backlog = std::mem::take(&mut self.backlog);
        for (datagram, now) in backlog.iter() {
            let key = FlowKey::of_pair(&datagram.head);
            if let Some(shard) = self.shards.get_mut(FlowKey::shard(key.hash(self.seed))) {
                shard.handle_datagram(&datagram, now, out);
            }
        }
        backlog.clear();
        self.backlog = backlog;
    }

    /// Flows held, open cases, chunks of remembered bytes in use.
    #[must_use]
    pub fn held(&self) -> (usize, usize, usize) {
        self.shards.iter().map(Shard::held).fold((0, 0, 0), |sum, held| (sum.0 + held.0, sum.1 + held.1, sum.2 + held.2))
    }

    /// Open questions of DNS, and their bytes.
    #[must_use]
    pub fn held_questions(&self) -> (usize, usize) {
        self.shards.iter().map(Shard::held_questions).fold((0, 0), |sum, held| (sum.0 + held.0, sum.1 + held.1))
    }

    /// What was counted, added up.
    #[must_use]
    pub fn counters(&self) -> ShardCounters {
        self.shards.iter().map(Shard::counters).fold(ShardCounters::default(), |sum, shard| sum.plus(&shard))
    }
}
