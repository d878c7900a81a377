//! The contacts of all clients of the last ten to twenty seconds, in two generations: the older one is forgotten as a whole.

use foldhash::quality::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::engine::contact::Contact;
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::time::{Span, Timestamp};

/// How long a generation is added to. An alert asks for what came up to ten seconds ago.
pub(super) const GENERATION: Span = Span::from_secs(10);
/// Bytes of a table's entry beside its contacts, estimated on the high side.
const ENTRY: usize = 128;
/// Contacts of one block.
const BLOCK: usize = 256;
/// No contact.
const NONE: u32 = u32::MAX;

/// The contacts.
#[derive(Debug)]
pub(super) struct Contacts {
    young: Generation,
    old: Generation,
    most_bytes: usize,
    per_client: usize,
    /// Contacts forgotten early: their client had too many, or all together had.
    pub(super) evicted: u64,
}

#[derive(Debug)]
struct Generation {
    since: Timestamp,
    clients: HashMap<(Addr, Vlans), List, FixedState>,
    kept: Blocks,
    bytes: usize,
    contacts: usize,
}

/// Contacts one behind the other, in blocks that are filled over and over: most are never looked at again.
#[derive(Debug, Default)]
struct Blocks {
    blocks: Vec<Vec<Kept>>,
    used: usize,
}

/// A contact, and where the next one of its client lies.
#[derive(Debug)]
struct Kept {
    contact: Contact,
    next: u32,
}

/// Where the contacts of one client lie.
#[derive(Clone, Copy, Debug)]
struct List {
    first: u32,
    last: u32,
    len: usize,
}

impl Blocks {
    fn at(&self, index: u32) -> Option<&Kept> {
        self.blocks.get(index as usize / BLOCK)?.get(index as usize % BLOCK)
    }

    fn at_mut(&mut self, index: u32) -> Option<&mut Kept> {
        self.blocks.get_mut(index as usize / BLOCK)?.get_mut(index as usize % BLOCK)
    }

    /// Adds a contact; where it lies.
    fn push(&mut self, contact: Contact) -> u32 {
        let index = self.used;
        self.used += 1;
        if index / BLOCK == self.blocks.len() {
            self.blocks.push(Vec::with_capacity(BLOCK));
        }
        if let Some(block) = self.blocks.get_mut(index / BLOCK) {
            block.push(Kept { contact, next: NONE });
        }
        index as u32
    }

    fn clear(&mut self) {
        self.blocks.iter_mut().for_each(Vec::clear);
        self.used = 0;
    }
}

impl Generation {
    fn new(since: Timestamp) -> Self {
        Self { since, clients: HashMap::with_hasher(FixedState::with_seed(0)), kept: Blocks::default(), bytes: 0, contacts: 0 }
    }

    /// Forgets all and keeps the room.
    fn restart(&mut self, since: Timestamp) {
        self.clients.clear();
        self.kept.clear();
        (self.since, self.bytes, self.contacts) = (since, 0, 0);
    }

    /// Adds a contact to those of its client; true when its oldest one made room, for it had `most`.
    fn add(&mut self, contact: Contact, most: usize) -> bool {
        self.bytes += contact.bytes();
        let list = match self.clients.entry((contact.client, contact.vlans)) {
            Entry::Occupied(list) => list.into_mut(),
            Entry::Vacant(place) => {
                self.bytes += ENTRY;
                self.contacts += 1;
                let index = self.kept.push(contact);
                place.insert(List { first: index, last: index, len: 1 });
                return false;
            }
        };
        let is_full = list.len >= most;
        let index = match self.kept.at_mut(list.first).filter(|_| is_full) {
            Some(oldest) => {
                let gone = std::mem::replace(oldest, Kept { contact, next: NONE });
                self.bytes -= gone.contact.bytes();
                let index = list.first;
                list.first = if gone.next == NONE { index } else { gone.next };
                index
            }
            None => {
                self.contacts += 1;
                list.len += 1;
                self.kept.push(contact)
            }
        };
        let before = std::mem::replace(&mut list.last, index);
        if let Some(before) = self.kept.at_mut(before).filter(|_| before != index) {
            before.next = index;
        }
        is_full
    }

    /// Those of one client, oldest first.
    fn of(&self, client: (Addr, Vlans)) -> impl Iterator<Item = &Contact> {
        let first = self.clients.get(&client).and_then(|list| self.kept.at(list.first));
        std::iter::successors(first, |kept| self.kept.at(kept.next)).map(|kept| &kept.contact)
    }
}

impl Contacts {
    /// None yet; at most so many bytes of all, and so many of one client.
    pub(super) fn new(most_bytes: usize, per_client: usize) -> Self {
        let [young, old] = [Generation::new(Timestamp::MIN), Generation::new(Timestamp::MIN)];
        Self { young, old, most_bytes, per_client, evicted: 0 }
    }

    /// Adds a contact.
    pub(super) fn add(&mut self, contact: Contact, now: Timestamp) {
        let is_full = self.young.bytes > self.most_bytes / 2;
        if is_full || now - self.young.since >= GENERATION {
            if is_full {
                self.evicted += self.old.contacts as u64;
            }
            std::mem::swap(&mut self.old, &mut self.young);
            self.young.restart(now);
        }
        self.evicted += u64::from(self.young.add(contact, self.per_client));
    }

    /// Bytes held, by the same estimate as the bound's.
    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }

    /// Those of one client, oldest first.
    pub(super) fn of(&self, client: Addr, vlans: Vlans) -> impl Iterator<Item = &Contact> {
        [&self.old, &self.young].into_iter().flat_map(move |generation| generation.of((client, vlans)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::contact::Kind;

    #[test]
    fn of_each_client_the_latest_are_kept_in_order() {
        let mut contacts = Contacts::new(1 << 20, 3);
        let contact = |client, frame| {
            let (time, vlans, server) = (Timestamp::from_nanos(1), Vlans::default(), (Addr(2), 80));
            Contact { client: Addr(client), client_port: 9, vlans, server, over_tcp: true, frame, time, kind: Kind::TcpOpened }
        };
        for frame in 1..=1_000 {
            contacts.add(contact(u128::from(frame % 2), frame), Timestamp::from_parts(1, 0));
        }
        let frames = |contacts: &Contacts, client| -> Vec<u64> {
            contacts.of(Addr(client), Vlans::default()).map(|contact| contact.frame).collect()
        };
        assert_eq!((frames(&contacts, 0), frames(&contacts, 1)), (vec![996, 998, 1_000], vec![995, 997, 999]));
        assert_eq!(contacts.evicted, 994);
        contacts.add(contact(0, 1_001), Timestamp::from_parts(12, 0));
        assert_eq!(frames(&contacts, 0), [996, 998, 1_000, 1_001], "the generation before is kept");
        contacts.add(contact(0, 1_002), Timestamp::from_parts(30, 0));
        assert_eq!(frames(&contacts, 0), [1_001, 1_002]);
    }
}
