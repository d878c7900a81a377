//! What the answers of one resolver to one client look like, by those that nothing contradicts.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::decode::packet::Addr;
use crate::engine::time::{Span, Timestamp};

use super::exchange::Mark;

/// Answers remembered of each pair: routes and anycast sites change, so the last few count.
const REMEMBERED: usize = 8;

/// A client and a resolver; VLANs and tunnel as in `FlowKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Who asks.
    pub client: Addr,
    /// Who is asked.
    pub resolver: Addr,
    /// VLAN ids, 0 for none.
    pub vlans: [u16; 2],
    /// The tunnels as one number.
    pub tunnel: u32,
}

/// One answer that nothing contradicts.
#[derive(Clone, Copy, Debug)]
pub struct Habit {
    /// Number of its exchange.
    pub serial: u64,
    /// Its header.
    pub mark: Mark,
    /// How long after the question it came; none when the question was not seen or was asked more than once.
    pub took: Option<Span>,
}

#[derive(Debug)]
struct Known {
    last_seen: Timestamp,
    habits: VecDeque<Habit>,
}

/// The habits of the resolvers of one shard.
#[derive(Debug, Default)]
pub(super) struct Habits {
    pairs: BTreeMap<Pair, Known>,
}

impl Habits {
    /// Takes an answer in. With `most` pairs known already, the one that was seen longest ago is forgotten; true when that was so.
    pub(super) fn learn(&mut self, pair: Pair, habit: Habit, now: Timestamp, most: usize) -> bool {
        let is_new = !self.pairs.contains_key(&pair);
        let is_full = is_new && self.pairs.len() >= most;
        if is_full && let Some(oldest) = self.pairs.iter().min_by_key(|(pair, known)| (known.last_seen, **pair)).map(|(pair, _)| *pair) {
            self.pairs.remove(&oldest);
        }
        let known = self.pairs.entry(pair).or_insert_with(|| Known { last_seen: now, habits: VecDeque::new() });
        known.last_seen = now;
        if known.habits.len() >= REMEMBERED {
            known.habits.pop_front();
        }
        known.habits.push_back(habit);
        is_full
    }

    /// An answer of this exchange was contradicted: nothing is learned from it.
    pub(super) fn unlearn(&mut self, pair: &Pair, serial: u64) {
        if let Some(known) = self.pairs.get_mut(pair) {
            known.habits.retain(|habit| habit.serial != serial);
        }
    }

    /// What is known of a pair beside the exchange with this number.
    pub(super) fn beside(&self, pair: &Pair, serial: u64) -> Vec<Habit> {
        let known = self.pairs.get(pair).into_iter().flat_map(|known| &known.habits);
        known.filter(|habit| habit.serial != serial).copied().collect()
    }
}
