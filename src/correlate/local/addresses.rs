//! What is known of each address of the local networks: who says that it is theirs, who asked for it, who was given it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::engine::decode::datagram::DatagramHead;
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::local::Mac;
use crate::engine::time::{Span, Timestamp};

/// Machines that are remembered as an address's; the one heard longest ago goes first.
const OWNERS: usize = 4;
/// An owner that was not heard for so long is no longer compared with: signals.md takes five minutes, Linux drops unused neighbours after one.
const STILL_OWNS: Span = Span::from_secs(300);
/// An answer within this time of a question is one: Linux asks three times a second apart.
const ANSWERS_WITHIN: Span = Span::from_secs(5);
/// A further answer within this time is one to the same question.
const ANSWERS_TOO_WITHIN: Span = Span::from_secs(1);
/// Questions that wait for their answer; the oldest goes first.
const QUESTIONS: usize = 4_096;

/// A network in which addresses are unique: VLANs and tunnels tell them apart.
pub(super) type Network = (u16, u16, u32);

/// The network of a message.
pub(super) fn network(head: &DatagramHead) -> Network {
    let (outer, inner) = vlan_pair(head.vlans);
    (outer, inner, head.tunnel)
}

/// VLAN ids, 0 for none.
pub(super) fn vlan_pair(vlans: Vlans) -> (u16, u16) {
    let ids = vlans.as_slice();
    (ids.first().copied().unwrap_or(0), ids.get(1).copied().unwrap_or(0))
}

/// A machine that says that an address is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// Its hardware address.
    pub(super) mac: Mac,
    /// When it said so first.
    pub(super) since: Timestamp,
    /// When it said so last, in which frame, with which TTL.
    pub(super) last: Timestamp,
    pub(super) frame: u64,
    pub(super) ttl: u8,
}

#[derive(Debug, Default)]
struct Address {
    owners: Vec<Owner>,
    /// Whom a server gave it to.
    granted: Option<Mac>,
    heard: Timestamp,
}

/// A question, and whether anybody answered it.
#[derive(Debug)]
struct Question {
    asked: Timestamp,
    answered: bool,
}

/// The addresses of all networks, within a bound.
#[derive(Debug)]
pub(super) struct Addresses {
    known: BTreeMap<(Network, Addr), Address>,
    /// By when they were last heard of.
    by_age: BTreeSet<(Timestamp, (Network, Addr))>,
    /// By who asks for which address.
    asked: BTreeMap<(Network, Addr, Addr), Question>,
    asked_in_order: VecDeque<(Timestamp, (Network, Addr, Addr))>,
    most: usize,
    /// Addresses forgotten for the bound.
    pub(super) evicted: u64,
}

impl Addresses {
    pub(super) fn new(most: usize) -> Self {
        Self { known: BTreeMap::new(), by_age: BTreeSet::new(), asked: BTreeMap::new(), asked_in_order: VecDeque::new(), most, evicted: 0 }
    }

    /// `asker` asks for an address.
    pub(super) fn ask(&mut self, network: Network, (asker, address): (Addr, Addr), now: Timestamp) {
        let key = (network, asker, address);
        self.asked.insert(key, Question { asked: now, answered: false });
        self.asked_in_order.push_back((now, key));
        while self.asked_in_order.len() > QUESTIONS
            && let Some((then, key)) = self.asked_in_order.pop_front()
        {
            if self.asked.get(&key).is_some_and(|question| question.asked == then) {
                self.asked.remove(&key);
            }
        }
    }

    /// Whether what is said of an address to `asker` is the answer to a question. Once one answer came, others have but a moment: a mirror's copy, a
    /// proxy, a machine with the same address.
    pub(super) fn answers(&mut self, network: Network, (asker, address): (Addr, Addr), now: Timestamp) -> bool {
        let Some(question) = self.asked.get_mut(&(network, asker, address)) else { return false };
        let waits = if std::mem::replace(&mut question.answered, true) { ANSWERS_TOO_WITHIN } else { ANSWERS_WITHIN };
        now - question.asked <= waits
    }

    /// A server gave the address to a machine.
    pub(super) fn grant(&mut self, network: Network, address: Addr, mac: Mac, now: Timestamp) {
        self.touch(network, address, now).granted = Some(mac);
    }

    /// Whether a server gave it to that machine.
    pub(super) fn is_granted(&self, network: Network, address: Addr, mac: Mac) -> bool {
        self.known.get(&(network, address)).is_some_and(|known| known.granted == Some(mac))
    }

    /// Notes a claim. The other machines that said the same within the last minutes, the one known longest first; and what was known of the claimer.
    pub(super) fn claim(&mut self, network: Network, address: Addr, claim: Owner) -> (Vec<Owner>, Option<Owner>) {
        let known = self.touch(network, address, claim.last);
        known.owners.retain(|owner| claim.last - owner.last <= STILL_OWNS);
        let before = known.owners.iter().find(|owner| owner.mac == claim.mac).copied();
        let others: Vec<Owner> = known.owners.iter().filter(|owner| owner.mac != claim.mac).copied().collect();
        known.owners.retain(|owner| owner.mac != claim.mac);
        if known.owners.len() >= OWNERS {
            known.owners.sort_by_key(|owner| owner.last);
            known.owners.remove(0);
        }
        known.owners.push(Owner { since: before.map_or(claim.since, |before| before.since), ..claim });
        known.owners.sort_by_key(|owner| (owner.since, owner.frame));
        (others, before)
    }

    /// The machine that an address was known to be at first, of those still heard.
    pub(super) fn owner(&self, network: Network, address: Addr, now: Timestamp) -> Option<Owner> {
        let known = self.known.get(&(network, address))?;
        known.owners.iter().find(|owner| now - owner.last <= STILL_OWNS).copied()
    }

    fn touch(&mut self, network: Network, address: Addr, now: Timestamp) -> &mut Address {
        let key = (network, address);
        if let Some(known) = self.known.get(&key) {
            self.by_age.remove(&(known.heard, key));
        } else if self.known.len() >= self.most
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.known.remove(&oldest);
            self.evicted += 1;
        }
        self.by_age.insert((now, key));
        let known = self.known.entry(key).or_default();
        known.heard = now;
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Network = (0, 0, 0);

    fn claim(last: u8, seconds: i64) -> Owner {
        let now = Timestamp::from_parts(seconds, 0);
        Owner { mac: [2, 0, 0, 0, 0, last], since: now, last: now, frame: seconds as u64, ttl: 0 }
    }

    #[test]
    fn the_one_known_longest_comes_first_and_is_forgotten_after_five_silent_minutes() {
        let mut addresses = Addresses::new(8);
        let address = Addr::v4([192, 0, 2, 1]);
        assert_eq!(addresses.claim(HERE, address, claim(1, 100)), (vec![], None));
        let (others, before) = addresses.claim(HERE, address, claim(2, 200));
        assert_eq!((others, before), (vec![claim(1, 100)], None));
        assert_eq!(addresses.owner(HERE, address, Timestamp::from_parts(200, 0)), Some(claim(1, 100)));
        assert_eq!(addresses.claim(HERE, address, claim(2, 401)).0, vec![], "the first was last heard 301 s ago");
    }

    #[test]
    fn of_too_many_addresses_the_one_heard_longest_ago_goes() {
        let mut addresses = Addresses::new(2);
        for (at, last) in [(1, 1), (2, 2), (3, 1), (4, 3)] {
            addresses.claim(HERE, Addr::v4([192, 0, 2, last]), claim(last, at));
        }
        let held = |last| addresses.owner(HERE, Addr::v4([192, 0, 2, last]), Timestamp::from_parts(5, 0)).is_some();
        assert_eq!(([1, 2, 3].map(held), addresses.evicted), ([true, false, true], 1));
    }

    #[test]
    fn an_answer_has_five_seconds_and_a_second_one_a_moment() {
        let ends = (Addr::v4([192, 0, 2, 7]), Addr::v4([192, 0, 2, 1]));
        let at = |seconds| Timestamp::from_parts(seconds, 0);
        let mut addresses = Addresses::new(2);
        addresses.ask(HERE, ends, at(10));
        assert!(!addresses.answers((7, 0, 0), ends, at(10)), "another VLAN");
        assert!(!addresses.answers(HERE, (ends.1, ends.0), at(10)), "somebody else");
        assert!(addresses.answers(HERE, ends, at(15)) && !addresses.answers(HERE, ends, at(15)), "long after the first one");
        addresses.ask(HERE, ends, at(20));
        assert!(addresses.answers(HERE, ends, at(20)) && addresses.answers(HERE, ends, at(21)) && !addresses.answers(HERE, ends, at(22)));
        addresses.ask(HERE, ends, at(30));
        assert!(!addresses.answers(HERE, ends, at(36)));
    }
}
