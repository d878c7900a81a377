//! The contacts of all clients of the last ten to twenty seconds, in two generations: the older one is forgotten as a whole.

use std::collections::VecDeque;

use foldhash::quality::FixedState;
use hashbrown::HashMap;

use crate::engine::contact::Contact;
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::time::{Span, Timestamp};

/// How long a generation is added to. An alert asks for what came up to ten seconds ago.
pub(super) const GENERATION: Span = Span::from_secs(10);
/// Bytes of a table's entry beside its contacts, estimated on the high side.
const ENTRY: usize = 128;

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
    clients: HashMap<(Addr, Vlans), VecDeque<Box<Contact>>, FixedState>,
    bytes: usize,
    contacts: usize,
}

impl Generation {
    fn new(since: Timestamp) -> Self {
        Self { since, clients: HashMap::with_hasher(FixedState::with_seed(0)), bytes: 0, contacts: 0 }
    }
}

impl Contacts {
    /// None yet; at most so many bytes of all, and so many of one client.
    pub(super) fn new(most_bytes: usize, per_client: usize) -> Self {
        let [young, old] = [Generation::new(Timestamp::MIN), Generation::new(Timestamp::MIN)];
        Self { young, old, most_bytes, per_client, evicted: 0 }
    }

    /// Adds a contact.
    pub(super) fn add(&mut self, contact: Box<Contact>, now: Timestamp) {
        let is_full = self.young.bytes > self.most_bytes / 2;
        if is_full || now - self.young.since >= GENERATION {
            let old = std::mem::replace(&mut self.old, std::mem::replace(&mut self.young, Generation::new(now)));
            if is_full {
                self.evicted += old.contacts as u64;
            }
        }
        let young = &mut self.young;
        let list = young.clients.entry((contact.client, contact.vlans)).or_insert_with(|| {
            young.bytes += ENTRY;
            VecDeque::new()
        });
        young.bytes += contact.bytes();
        young.contacts += 1;
        list.push_back(contact);
        if list.len() > self.per_client
            && let Some(oldest) = list.pop_front()
        {
            young.bytes -= oldest.bytes();
            young.contacts -= 1;
            self.evicted += 1;
        }
    }

    /// Bytes held, by the same estimate as the bound's.
    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.young.bytes + self.old.bytes
    }

    /// Those of one client, oldest first.
    pub(super) fn of(&self, client: Addr, vlans: Vlans) -> impl Iterator<Item = &Contact> {
        let key = (client, vlans);
        [&self.old, &self.young].into_iter().filter_map(move |generation| generation.clients.get(&key)).flatten().map(Box::as_ref)
    }
}
