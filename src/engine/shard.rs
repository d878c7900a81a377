//! One shard: its flows, their remembered bytes, their open cases, and the order in which they are forgotten.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use hashbrown::HashTable;

use super::Knowledge;
use super::case::Case;
use super::decode::packet::Packet;
use super::flow::event::FlowEvent;
use super::flow::key::{FlowKey, Sender};
use super::flow::memory::Pool;
use super::flow::record::Record;
use super::flow::{Context, Flow, FlowCounters, Stage};
use super::limits::Limits;
use super::observation::{ClosedBecause, Observation};
use super::protocol::http;
use super::time::Timestamp;
use super::watch;

/// No neighbour in a list.
const NONE: u32 = u32::MAX;
/// Lists of flows by stage, in order of eviction: closing flows first, then half-open ones.
const STAGES: [Stage; 3] = [Stage::Closing, Stage::Opening, Stage::Open];

/// What the shards counted, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardCounters {
    /// Flows begun.
    pub flows: u64,
    /// Flows forgotten early because their shard was full.
    pub flows_evicted: u64,
    /// Cases opened.
    pub cases: u64,
    /// Cases decided early because too many were open.
    pub cases_evicted: u64,
    /// Suspects of flows that had had their share of cases.
    pub cases_left_out: u64,
    /// Chunks of remembered bytes taken from the stream that held the oldest.
    pub memory_stolen: u64,
    /// What the flows counted.
    pub flow: FlowCounters,
}

impl ShardCounters {
    /// Both added up.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            flows: self.flows + other.flows,
            flows_evicted: self.flows_evicted + other.flows_evicted,
            cases: self.cases + other.cases,
            cases_evicted: self.cases_evicted + other.cases_evicted,
            cases_left_out: self.cases_left_out + other.cases_left_out,
            memory_stolen: self.memory_stolen + other.memory_stolen,
            flow: self.flow.plus(&other.flow),
        }
    }
}

#[derive(Debug)]
#[repr(C)]
struct Slot {
    flow: Option<Flow>,
    hash: u64,
    stage: Stage,
    due: Timestamp,
    older: u32,
    newer: u32,
}

#[derive(Clone, Copy, Debug)]
struct List {
    oldest: u32,
    newest: u32,
}

/// One shard.
#[derive(Debug)]
pub(super) struct Shard {
    limits: Arc<Limits>,
    knowledge: Arc<Knowledge>,
    table: HashTable<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    lists: [List; 3],
    pool: Pool,
    /// Deadline, slot and flow of every open case; entries of flows that are gone are passed over.
    deadlines: BinaryHeap<Reverse<(Timestamp, u64, u32)>>,
    open_cases: usize,
    next_due: Timestamp,
    events: Vec<FlowEvent>,
    http: Vec<http::Event>,
    counters: ShardCounters,
}

impl Shard {
    /// An empty shard.
    #[must_use]
    pub(super) fn new(limits: Arc<Limits>, knowledge: Arc<Knowledge>) -> Self {
        Self {
            pool: Pool::new(&limits),
            limits,
            knowledge,
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            lists: [List { oldest: NONE, newest: NONE }; 3],
            deadlines: BinaryHeap::new(),
            open_cases: 0,
            next_due: Timestamp::MAX,
            events: Vec::new(),
            http: Vec::new(),
            counters: ShardCounters::default(),
        }
    }

    /// Takes a packet of one of this shard's flows. Timers due at or before `now` fire first.
    pub(super) fn handle(
        &mut self,
        packet: &Packet<'_>,
        (key, sender, hash): (FlowKey, Sender, u64),
        now: Timestamp,
        out: &mut Vec<Observation>,
    ) {
        self.tick(now, out);
        let index = self.find(packet, (key, sender, hash), now, out);
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        let Some(flow) = slot.flow.as_mut() else { return };
        let stage_before = flow.stage;
        let mut context = Context {
            pool: &mut self.pool,
            limits: &self.limits,
            events: &mut self.events,
            counters: &mut self.counters.flow,
            http: &mut self.http,
        };
        let kept = flow.handle(packet, sender, now, &mut context);
        if kept && !flow.cases.is_empty() {
            let record = Record::of(&packet.head);
            let from_server = sender == flow.server;
            for case in &mut flow.cases {
                if from_server { case.add_server(&record, &self.limits) } else { case.add_client(&record, &self.limits) }
            }
        }
        let stage = flow.stage;
        if !self.events.is_empty() {
            self.react(index, now, out);
        }
        if stage != stage_before {
            self.restage(index, stage, now);
        }
    }

    /// Fires what is due at or before `now`.
    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        if now < self.next_due {
            return;
        }
        while let Some(Reverse((due, _, index))) = self.deadlines.peek().copied() {
            if due > now {
                break;
            }
            self.deadlines.pop();
            self.decide(index, (due, ClosedBecause::Deadline), out);
        }
        for stage in 0..STAGES.len() {
            self.expire(stage, now, out);
        }
        self.next_due = self.earliest();
    }

    /// Decides every open case on what was seen so far and forgets all flows.
    pub(super) fn finish(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        for index in 0..self.slots.len() as u32 {
            self.decide(index, (now, ClosedBecause::EndOfCapture), out);
            self.remove(index);
        }
        self.deadlines.clear();
    }

    /// Flows held.
    #[must_use]
    pub(super) fn flows(&self) -> usize {
        self.table.len()
    }

    /// Open cases.
    #[must_use]
    pub(super) const fn open_cases(&self) -> usize {
        self.open_cases
    }

    /// Chunks of remembered bytes in use.
    #[must_use]
    pub(super) fn chunks_in_use(&self) -> usize {
        self.pool.chunks_in_use()
    }

    /// What was counted.
    #[must_use]
    pub(super) fn counters(&self) -> ShardCounters {
        ShardCounters { memory_stolen: self.pool.stolen, ..self.counters }
    }

    fn find(
        &mut self,
        packet: &Packet<'_>,
        (key, sender, hash): (FlowKey, Sender, u64),
        now: Timestamp,
        out: &mut Vec<Observation>,
    ) -> u32 {
        let slots = &self.slots;
        let same = |index: &u32| slots.get(*index as usize).and_then(|slot| slot.flow.as_ref()).is_some_and(|flow| flow.key == key);
        if let Some(index) = self.table.find(hash, same).copied() {
            let Some(flow) = slots.get(index as usize).and_then(|slot| slot.flow.as_ref()) else { return NONE };
            if now - flow.last_seen <= self.limits.flow_timeout(flow.stage) && !flow.is_reopened_by(&packet.head, sender) {
                return index;
            }
            self.decide(index, (now, ClosedBecause::FlowOver), out);
            self.remove(index);
        }
        self.insert(Flow::new(key, sender, &packet.head, now), hash, now, out)
    }

    fn insert(&mut self, flow: Flow, hash: u64, now: Timestamp, out: &mut Vec<Observation>) -> u32 {
        if self.table.len() >= self.limits.flows_per_shard {
            self.evict(now, out);
        }
        self.counters.flows += 1;
        let due = now + self.limits.flow_timeout(flow.stage);
        let slot = Slot { hash, stage: flow.stage, flow: Some(flow), due, older: NONE, newer: NONE };
        let index = match self.free.pop() {
            Some(index) => {
                if let Some(place) = self.slots.get_mut(index as usize) {
                    *place = slot;
                }
                index
            }
            None => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        let slots = &self.slots;
        self.table.insert_unique(hash, index, |other| slots.get(*other as usize).map_or(0, |slot| slot.hash));
        self.link(index);
        self.next_due = self.next_due.min(due);
        index
    }

    /// Forgets a flow that is closing, else one half open, else the one that was armed longest ago.
    fn evict(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        let Some(index) = self.lists.iter().map(|list| list.oldest).find(|index| *index != NONE) else { return };
        self.counters.flows_evicted += 1;
        self.decide(index, (now, ClosedBecause::Evicted), out);
        self.remove(index);
    }

    fn expire(&mut self, stage: usize, now: Timestamp, out: &mut Vec<Observation>) {
        while let Some(index) = self.lists.get(stage).map(|list| list.oldest) {
            let Some(slot) = self.slots.get_mut(index as usize) else { return };
            if slot.due > now {
                return;
            }
            let Some(flow) = slot.flow.as_ref() else { return };
            let due = flow.last_seen + self.limits.flow_timeout(slot.stage);
            if due > now {
                slot.due = due;
                self.unlink(index);
                self.link(index);
            } else {
                self.decide(index, (due, ClosedBecause::FlowOver), out);
                self.remove(index);
            }
        }
    }

    fn restage(&mut self, index: u32, stage: Stage, now: Timestamp) {
        let due = now + self.limits.flow_timeout(stage);
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        debug_assert!(slot.stage != stage);
        self.unlink(index);
        if let Some(slot) = self.slots.get_mut(index as usize) {
            (slot.stage, slot.due) = (stage, due);
        }
        self.link(index);
        self.next_due = self.next_due.min(due);
    }

    fn earliest(&self) -> Timestamp {
        let due = |list: &List| self.slots.get(list.oldest as usize).map(|slot| slot.due);
        let flows = self.lists.iter().filter_map(due).min().unwrap_or(Timestamp::MAX);
        self.deadlines.peek().map_or(flows, |Reverse((deadline, ..))| flows.min(*deadline))
    }

    fn react(&mut self, index: u32, now: Timestamp, out: &mut Vec<Observation>) {
        let mut events = std::mem::take(&mut self.events);
        if let Some(flow) = self.slots.get_mut(index as usize).and_then(|slot| slot.flow.as_mut()) {
            for event in events.drain(..) {
                let before = flow.cases.len();
                watch::react(
                    flow,
                    event,
                    now,
                    &mut watch::Desk { pool: &self.pool, limits: &self.limits, knowledge: &self.knowledge, counters: &mut self.counters },
                );
                for case in flow.cases.iter().skip(before) {
                    self.open_cases += 1;
                    self.deadlines.push(Reverse((case.deadline, flow.first_frame, index)));
                    self.next_due = self.next_due.min(case.deadline);
                }
            }
        }
        self.events = events;
        while self.open_cases > self.limits.open_cases_per_shard {
            let Some(Reverse((deadline, _, index))) = self.deadlines.pop() else { break };
            self.counters.cases_evicted += 1;
            self.decide_until(index, deadline, (now, ClosedBecause::Evicted), out);
        }
    }

    /// Closes the cases of a flow; at a deadline only those that are due.
    fn decide(&mut self, index: u32, closed: (Timestamp, ClosedBecause), out: &mut Vec<Observation>) {
        let until = if closed.1 == ClosedBecause::Deadline { closed.0 } else { Timestamp::MAX };
        self.decide_until(index, until, closed, out);
    }

    fn decide_until(&mut self, index: u32, until: Timestamp, closed: (Timestamp, ClosedBecause), out: &mut Vec<Observation>) {
        let Some(flow) = self.slots.get_mut(index as usize).and_then(|slot| slot.flow.as_mut()) else { return };
        if flow.cases.is_empty() {
            return;
        }
        let (due, open): (Vec<Box<Case>>, Vec<Box<Case>>) =
            std::mem::take(&mut flow.cases).into_iter().partition(|case| case.deadline <= until);
        flow.cases = open;
        self.open_cases -= due.len();
        for case in due {
            out.extend(watch::decide(&case, flow, &self.pool, (&self.limits, &self.knowledge), closed));
        }
    }

    fn remove(&mut self, index: u32) {
        let Some(slot) = self.slots.get_mut(index as usize) else { return };
        let Some(mut flow) = slot.flow.take() else { return };
        flow.release(&mut self.pool);
        let hash = slot.hash;
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == index) {
            entry.remove();
        }
        self.unlink(index);
        self.free.push(index);
    }

    fn list_of(stage: Stage) -> usize {
        STAGES.iter().position(|other| *other == stage).unwrap_or(0)
    }

    fn link(&mut self, index: u32) {
        let Some(stage) = self.slots.get(index as usize).map(|slot| slot.stage) else { return };
        let Some(list) = self.lists.get_mut(Self::list_of(stage)) else { return };
        let before = std::mem::replace(&mut list.newest, index);
        if before == NONE {
            list.oldest = index;
        }
        if let Some(slot) = self.slots.get_mut(before as usize) {
            slot.newer = index;
        }
        if let Some(slot) = self.slots.get_mut(index as usize) {
            (slot.older, slot.newer) = (before, NONE);
        }
    }

    fn unlink(&mut self, index: u32) {
        let Some(slot) = self.slots.get(index as usize) else { return };
        let (older, newer, stage) = (slot.older, slot.newer, slot.stage);
        let Some(list) = self.lists.get_mut(Self::list_of(stage)) else { return };
        if list.oldest == index {
            list.oldest = newer;
        }
        if list.newest == index {
            list.newest = older;
        }
        if let Some(slot) = self.slots.get_mut(older as usize) {
            slot.newer = newer;
        }
        if let Some(slot) = self.slots.get_mut(newer as usize) {
            slot.older = older;
        }
    }
}
