//! The open questions of one shard: which answer belongs to which, and when nothing more is waited for.

use std::hash::BuildHasher;

use foldhash::quality::FixedState;
use hashlink::LinkedHashMap;

use crate::engine::contact::Contact;
use crate::engine::decode::datagram::{Carrier, DNS, Datagram, DatagramHead};
use crate::engine::limits::Limits;
use crate::engine::observation::ClosedBecause;
use crate::engine::protocol::dns::{Message, Name, Question};
use crate::engine::time::Timestamp;

use super::exchange::{Exchange, Mark};
use super::habits::{Habit, Habits, Pair};
use super::{Scene, WINDOW};

/// Bytes of the longest name (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 255;

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DnsCounters {
    /// Datagrams of port 53 that are no standard query or answer.
    pub unread: u64,
    /// Questions.
    pub questions: u64,
    /// Answers.
    pub answers: u64,
    /// Questions and answers over TCP; they are counted above too.
    pub over_tcp: u64,
    /// Answers of which the question was not seen.
    pub unasked: u64,
    /// Questions decided early because the shard's share was used up.
    pub evicted: u64,
    /// Answers without a question that were left out because the shard's share was used up.
    pub left_out: u64,
    /// Resolvers forgotten because too many were known.
    pub pairs_evicted: u64,
}

impl DnsCounters {
    /// Both added up.
    #[must_use]
    pub const fn plus(self, other: &Self) -> Self {
        Self {
            unread: self.unread + other.unread,
            questions: self.questions + other.questions,
            answers: self.answers + other.answers,
            over_tcp: self.over_tcp + other.over_tcp,
            unasked: self.unasked + other.unasked,
            evicted: self.evicted + other.evicted,
            left_out: self.left_out + other.left_out,
            pairs_evicted: self.pairs_evicted + other.pairs_evicted,
        }
    }
}

/// A question for which nothing more is waited.
#[derive(Clone, Debug)]
pub struct Closed {
    /// Engine time at which it was closed.
    pub at: Timestamp,
    /// Why.
    pub because: ClosedBecause,
    /// The question, its answers, and what the resolver is known by.
    pub scene: Scene,
}

/// What tells one question from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    pair: Pair,
    over_tcp: bool,
    port: u16,
    id: u16,
    qtype: u16,
    /// Hash of the name in small letters.
    name: u64,
}

/// The open questions, the one that is due first in front: each waits equally long, so that whoever is given more time goes to the back.
#[derive(Debug)]
pub struct Exchanges {
    open: LinkedHashMap<Key, Exchange, FixedState>,
    habits: Habits,
    bytes: usize,
    serial: u64,
    counters: DnsCounters,
}

impl Default for Exchanges {
    fn default() -> Self {
        let open = LinkedHashMap::with_hasher(FixedState::with_seed(0));
        Self { open, habits: Habits::default(), bytes: 0, serial: 0, counters: DnsCounters::default() }
    }
}

impl Exchanges {
    /// Takes a datagram to or from port 53, or a message that came over TCP like one; `crowded` is to be asked next. What it says of the client's doings comes back.
    pub fn handle(&mut self, datagram: &Datagram<'_>, now: Timestamp, limits: &Limits) -> Option<Contact> {
        let head = &datagram.head;
        let Some(message) = Message::read(datagram.payload) else {
            self.counters.unread += 1;
            return None;
        };
        self.counters.over_tcp += u64::from(head.carrier == Carrier::Tcp);
        let contact = contact(head, &message);
        match message.is_answer() {
            true if head.src_port == DNS => self.take_answer(datagram, message, (now, limits)),
            false if head.dst_port == DNS => self.take_question(head, &message, now),
            _ => self.counters.unread += 1,
        }
        contact
    }

    /// Closes the question that is due first, while all together are too large.
    pub fn crowded(&mut self, now: Timestamp, limits: &Limits) -> Option<Closed> {
        self.first_closed(|this, _| {
            let is_crowded = this.bytes > limits.dns_bytes_per_shard;
            this.counters.evicted += u64::from(is_crowded);
            is_crowded.then_some((now, ClosedBecause::Evicted))
        })
    }

    /// Closes the first question that is due at or before `now`. One at a time, for what is found of one tells what measure the next has.
    pub fn due(&mut self, now: Timestamp) -> Option<Closed> {
        self.first_closed(|_, due| (due <= now).then_some((due, ClosedBecause::Deadline)))
    }

    /// Closes the question that is due next, at the end of the capture.
    pub fn last(&mut self, now: Timestamp) -> Option<Closed> {
        self.first_closed(|_, _| Some((now, ClosedBecause::EndOfCapture)))
    }

    /// What this exchange taught is forgotten: it was found out to be no measure.
    pub fn unlearn(&mut self, scene: &Scene) {
        self.habits.unlearn(&scene.pair, scene.exchange.serial);
    }

    /// Open questions, and their bytes by the same estimate as the bound's.
    #[must_use]
    pub fn held(&self) -> (usize, usize) {
        (self.open.len(), self.bytes)
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> DnsCounters {
        self.counters
    }

    fn take_question(&mut self, head: &DatagramHead, message: &Message, now: Timestamp) {
        let Some(question) = &message.question else {
            self.counters.unread += 1;
            return;
        };
        self.counters.questions += 1;
        let own = Key::of(head, message, question);
        let key = self.beside(&own, |_| true).unwrap_or(own);
        if !self.open.contains_key(&key) {
            self.open(key, head, message, question.clone());
        }
        self.change(&key, |exchange| {
            if exchange.question.name.is_same(&question.name) {
                exchange.ask(head, message, question.name.clone());
            }
            exchange.answers.is_empty().then_some(now + WINDOW)
        });
    }

    fn take_answer(&mut self, datagram: &Datagram<'_>, message: Message, (now, limits): (Timestamp, &Limits)) {
        let head = &datagram.head;
        self.counters.answers += 1;
        let key = match self.asked(head, &message) {
            Some(key) => key,
            None => {
                self.counters.unasked += 1;
                let Some(question) = message.question.clone() else { return };
                let key = Key::of(head, &message, &question);
                // An answer to nothing makes no room for itself: whoever sends them shall not push out what was asked.
                if self.bytes > limits.dns_bytes_per_shard / 4 * 3 || self.open.contains_key(&key) {
                    self.counters.left_out += 1;
                    return;
                }
                self.open(key, head, &message, question);
                key
            }
        };
        let mut first = None;
        let mut is_other = false;
        self.change(&key, |exchange| {
            let is_first = exchange.answers.is_empty();
            is_other = exchange.answer(datagram, message);
            let habit = |answer| Habit { serial: exchange.serial, mark: Mark::of(head), took: exchange.took(answer) };
            // What a system sends over TCP is no measure for its datagrams.
            first = exchange.answers.first().filter(|answer| is_first && !answer.mark.over_tcp).map(habit);
            is_first.then_some(now + WINDOW)
        });
        if let Some(habit) = first {
            self.counters.pairs_evicted += u64::from(self.habits.learn(key.pair, habit, limits.dns_pairs_per_shard));
        } else if is_other
            && !key.over_tcp
            && let Some(exchange) = self.open.get(&key)
        {
            self.habits.unlearn(&key.pair, exchange.serial);
        }
    }

    /// The open question that an answer belongs to. One that repeats no question belongs to the only one with its identification.
    fn asked(&self, head: &DatagramHead, message: &Message) -> Option<Key> {
        if let Some(question) = &message.question {
            let key = Key::of(head, message, question);
            let is_asked = |key: &Key| self.open.get(key).is_some_and(|exchange| exchange.question.name.is_same(&question.name));
            return Some(key).filter(is_asked).or_else(|| {
                let was_asked_over_tcp = |exchange: &Exchange| exchange.asked.iter().any(|asked| asked.mark.over_tcp);
                self.beside(&key, was_asked_over_tcp).filter(is_asked)
            });
        }
        let wanted = Key::without_question(head, message);
        let mut found = self.open.keys().filter(|key| Key { qtype: 0, name: 0, ..**key } == wanted);
        found.next().filter(|_| found.next().is_none()).copied()
    }

    /// For one that is asked over TCP: the last question for the same between the same two that was answered by a datagram, as far as it is still open.
    /// A truncated answer leads to the second question, and where another answer comes to that, the two are compared.
    fn beside(&self, key: &Key, is_it: impl Fn(&Exchange) -> bool) -> Option<Key> {
        if !key.over_tcp || self.open.contains_key(key) {
            return None;
        }
        let is_same = |other: &Key| !other.over_tcp && (other.pair, other.qtype, other.name) == (key.pair, key.qtype, key.name);
        let found = self.open.iter().rev().find(|(other, exchange)| is_same(other) && !exchange.answers.is_empty() && is_it(exchange));
        found.map(|(other, _)| *other)
    }

    /// Opens a question under a key that none has.
    fn open(&mut self, key: Key, head: &DatagramHead, message: &Message, question: Question) {
        self.serial += 1;
        let exchange = Exchange::new(self.serial, head, message, question);
        self.bytes += exchange.bytes();
        self.open.insert(key, exchange);
    }

    /// Changes an exchange; `change` gives its new deadline, if it has one.
    fn change(&mut self, key: &Key, change: impl FnOnce(&mut Exchange) -> Option<Timestamp>) {
        let Some(exchange) = self.open.get_mut(key) else { return };
        let before = exchange.bytes();
        let deadline = change(exchange);
        self.bytes = self.bytes - before + exchange.bytes();
        if let Some(deadline) = deadline {
            exchange.deadline = deadline;
            self.open.to_back(key);
        }
    }

    /// Closes by order of deadlines while `why` gives time and reason, up to one that was answered.
    fn first_closed(&mut self, why: impl Fn(&mut Self, Timestamp) -> Option<(Timestamp, ClosedBecause)>) -> Option<Closed> {
        loop {
            let due = self.open.front()?.1.deadline;
            let (at, because) = why(self, due)?;
            let (key, exchange) = self.open.pop_front()?;
            self.bytes -= exchange.bytes();
            if !exchange.answers.is_empty() {
                let habits = self.habits.beside(&key.pair, exchange.serial);
                return Some(Closed { at, because, scene: Scene { pair: key.pair, exchange, habits } });
            }
        }
    }
}

/// A question, or an answer with addresses, as a step of a client.
fn contact(head: &DatagramHead, message: &Message) -> Option<Contact> {
    let question = &message.question.as_ref()?.name;
    let Message { alias, addresses, .. } = message;
    if message.is_answer() && addresses.is_empty() {
        return None;
    }
    // As long as the name: one length becomes nothing, the others dots.
    let mut name = String::with_capacity(question.as_bytes().len().saturating_sub(1));
    question.write_small(&mut name);
    Some(Contact::of_dns(head, name.into(), message.is_answer().then(|| (alias.clone(), addresses.as_slice()))))
}

impl Key {
    fn of(head: &DatagramHead, message: &Message, question: &Question) -> Self {
        Self { qtype: question.qtype, name: hash(&question.name), ..Self::without_question(head, message) }
    }

    fn without_question(head: &DatagramHead, message: &Message) -> Self {
        let (client, port, resolver) =
            if message.is_answer() { (head.dst, head.dst_port, head.src) } else { (head.src, head.src_port, head.dst) };
        let ids = head.vlans.as_slice();
        let vlan = |at: usize| ids.get(at).copied().unwrap_or(0);
        let pair = Pair { client, resolver, vlans: [vlan(0), vlan(1)], tunnel: head.tunnel };
        Self { pair, over_tcp: head.carrier == Carrier::Tcp, port, id: message.id, qtype: 0, name: 0 }
    }
}

/// Of two names with one hash only the one met first is followed. Nothing is gained by finding some: an answer must repeat the name.
fn hash(name: &Name) -> u64 {
    let mut small = [0; LONGEST_NAME];
    let name = name.as_bytes();
    let Some(small) = small.get_mut(..name.len()) else { return 0 };
    small.copy_from_slice(name);
    small.make_ascii_lowercase();
    FixedState::with_seed(0).hash_one(&*small)
}

#[cfg(test)]
mod tests;
