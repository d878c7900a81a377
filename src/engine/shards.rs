//! All shards, or those of one worker.

use std::sync::Arc;

use super::Knowledge;
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
    seed: u64,
}

impl Shards {
    /// Empty shards; `seed` keys the hash.
    #[must_use]
    pub fn new(limits: &Arc<Limits>, knowledge: &Arc<Knowledge>, seed: u64) -> Self {
        Self { shards: (0..SHARDS).map(|_| Shard::new(Arc::clone(limits), Arc::clone(knowledge))).collect(), seed }
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

    /// Takes a datagram of DNS or QUIC; `now` never runs backwards.
    pub fn handle_datagram(&mut self, datagram: &Datagram<'_>, now: Timestamp, out: &mut Vec<Observation>) {
        let key = FlowKey::of_pair(&datagram.head);
        if let Some(shard) = self.shards.get_mut(FlowKey::shard(key.hash(self.seed))) {
            shard.handle_datagram(datagram, now, out);
        }
    }

    /// Fires what is due at or before `now` in every shard.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        for shard in &mut self.shards {
            shard.tick(now, out);
        }
    }

    /// Decides every open case and forgets all flows.
    pub fn finish(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        for shard in &mut self.shards {
            shard.tick(now, out);
            shard.finish(now, out);
        }
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
