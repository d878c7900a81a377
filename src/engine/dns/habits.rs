//! What the answers of one resolver to one client look like, by those that nothing contradicts.

use std::collections::VecDeque;

use foldhash::quality::FixedState;
use hashlink::LinkedHashMap;

use crate::engine::decode::packet::Addr;
use crate::engine::time::Span;

use super::exchange::Mark;

/// Answers remembered of each pair: routes and anycast sites change, so the last few count.
const REMEMBERED: usize = 8;

/// A client and a resolver; VLANs and tunnel as in `FlowKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// The habits of the resolvers of one shard, in the order in which an answer of theirs came last.
#[derive(Debug)]
pub(super) struct Habits {
    pairs: LinkedHashMap<Pair, VecDeque<Habit>, FixedState>,
}

impl Default for Habits {
    fn default() -> Self {
        Self { pairs: LinkedHashMap::with_hasher(FixedState::with_seed(0)) }
    }
}

impl Habits {
    /// Takes an answer in. With `most` pairs known already, the one that was seen longest ago is forgotten; true when that was so.
    pub(super) fn learn(&mut self, pair: Pair, habit: Habit, most: usize) -> bool {
        let known = self.pairs.to_back(&pair);
        let is_full = known.is_none() && self.pairs.len() >= most;
        if is_full {
            self.pairs.pop_front();
        }
        let known = self.pairs.entry(pair).or_insert_with(VecDeque::new);
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back(habit);
        is_full
    }

    /// An answer of this exchange was contradicted: nothing is learned from it.
    pub(super) fn unlearn(&mut self, pair: &Pair, serial: u64) {
        if let Some(known) = self.pairs.get_mut(pair) {
            known.retain(|habit| habit.serial != serial);
        }
    }

    /// What is known of a pair beside the exchange with this number.
    pub(super) fn beside(&self, pair: &Pair, serial: u64) -> Vec<Habit> {
        let known = self.pairs.get(pair).into_iter().flatten();
        known.filter(|habit| habit.serial != serial).copied().collect()
    }
}
