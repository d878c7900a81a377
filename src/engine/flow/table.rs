//! The flows of a shard: found by key, and listed by stage in the order in which they are to be looked at again.

use hashbrown::HashTable;

use super::key::FlowKey;
use super::{Flow, Stage};
use crate::engine::time::Timestamp;

/// No neighbour in a list.
const NONE: u32 = u32::MAX;
/// The lists, in order of eviction: closing flows first, then half-open ones.
const STAGES: [Stage; 3] = [Stage::Closing, Stage::Opening, Stage::Open];

/// The flow comes first: what every packet touches lies at its beginning, and begins with a cache line.
#[derive(Debug)]
#[repr(C, align(64))]
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

/// Flows, by key and by due time. An index stays valid until its flow is removed.
#[derive(Debug)]
pub struct FlowTable {
    by_key: HashTable<u32>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    lists: [List; 3],
}

impl Default for FlowTable {
    fn default() -> Self {
        Self { by_key: HashTable::new(), slots: Vec::new(), free: Vec::new(), lists: [List { oldest: NONE, newest: NONE }; 3] }
    }
}

impl FlowTable {
    /// Flows held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }
    /// No flow is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
    /// Indices up to which flows may be held.
    #[must_use]
    pub fn indices(&self) -> std::ops::Range<u32> {
        0..self.slots.len() as u32
    }
    /// The index of a flow.
    #[must_use]
    pub fn find(&self, key: &FlowKey, hash: u64) -> Option<u32> {
        self.by_key.find(hash, |index| self.flow(*index).is_some_and(|flow| flow.key == *key)).copied()
    }
    /// The flow at an index.
    #[must_use]
    pub fn flow(&self, index: u32) -> Option<&Flow> {
        self.slots.get(index as usize)?.flow.as_ref()
    }
    /// The flow at an index.
    pub fn flow_mut(&mut self, index: u32) -> Option<&mut Flow> {
        self.slots.get_mut(index as usize)?.flow.as_mut()
    }

    /// Adds a flow that is to be looked at again at `due`; where it lies.
    pub fn insert(&mut self, flow: Flow, hash: u64, due: Timestamp) -> u32 {
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
        self.by_key.insert_unique(hash, index, |other| slots.get(*other as usize).map_or(0, |slot| slot.hash));
        self.link(index);
        index
    }

    /// Takes a flow out.
    pub fn remove(&mut self, index: u32) -> Option<Flow> {
        let slot = self.slots.get_mut(index as usize)?;
        let flow = slot.flow.take()?;
        if let Ok(entry) = self.by_key.find_entry(slot.hash, |other| *other == index) {
            entry.remove();
        }
        self.unlink(index);
        self.free.push(index);
        Some(flow)
    }

    /// Puts a flow at the end of its stage's list, to be looked at again at `due`.
    pub fn rearm(&mut self, index: u32, due: Timestamp) {
        self.unlink(index);
        if let Some(slot) = self.slots.get_mut(index as usize)
            && let Some(flow) = &slot.flow
        {
            (slot.stage, slot.due) = (flow.stage, due);
        }
        self.link(index);
    }

    /// The flow of a stage that is to be looked at first, and when; later ones of its list may be due a little earlier, never much.
    #[must_use]
    pub fn first_due(&self, stage: Stage) -> Option<(u32, Timestamp)> {
        let index = self.lists.get(list_of(stage))?.oldest;
        Some((index, self.slots.get(index as usize)?.due))
    }

    /// When the first flow of all is to be looked at.
    #[must_use]
    pub fn earliest(&self) -> Option<Timestamp> {
        STAGES.into_iter().filter_map(|stage| self.first_due(stage)).map(|(_, due)| due).min()
    }

    /// The flow to forget when room is needed: a closing one, else one half open, else the one that was armed longest ago.
    #[must_use]
    pub fn least_missed(&self) -> Option<u32> {
        STAGES.into_iter().find_map(|stage| self.first_due(stage)).map(|(index, _)| index)
    }

    fn link(&mut self, index: u32) {
        let Some(stage) = self.slots.get(index as usize).map(|slot| slot.stage) else { return };
        let Some(list) = self.lists.get_mut(list_of(stage)) else { return };
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
        let Some(list) = self.lists.get_mut(list_of(stage)) else { return };
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

const fn list_of(stage: Stage) -> usize {
    match stage {
        Stage::Closing => 0,
        Stage::Opening => 1,
        Stage::Open => 2,
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;
    use crate::engine::flow::side::Side;

    #[test]
    fn what_every_packet_touches_of_a_flow_lies_in_three_cache_lines() {
        assert_eq!((size_of::<Slot>(), size_of::<Side>()), (384, 64));
        assert!(offset_of!(Flow, page_told) < 64);
        assert_eq!(offset_of!(Flow, rtt), 3 * 64);
    }
}
