//! The open questions of one shard: which answer belongs to which, and when nothing more is waited for.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::engine::decode::datagram::{DNS, Datagram, DatagramHead};
use crate::engine::limits::Limits;
use crate::engine::observation::ClosedBecause;
use crate::engine::protocol::dns::{Message, Name, Question};
use crate::engine::time::Timestamp;

use super::exchange::{Exchange, Mark};
use super::habits::{Habit, Habits, Pair};
use super::{Scene, WINDOW};

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DnsCounters {
    /// Datagrams of port 53 that are no standard query or answer.
    pub unread: u64,
    /// Questions.
    pub questions: u64,
    /// Answers.
    pub answers: u64,
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

/// What tells one question from another. Ordered so that all questions with one identification between two ends stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    pair: Pair,
    port: u16,
    id: u16,
    qtype: u16,
    /// Hash of the name in small letters.
    name: u64,
}

/// The open questions.
#[derive(Debug, Default)]
pub struct Exchanges {
    by_serial: BTreeMap<u64, (Key, Box<Exchange>)>,
    by_key: BTreeMap<Key, u64>,
    due: BTreeSet<(Timestamp, u64)>,
    habits: Habits,
    bytes: usize,
    serial: u64,
    counters: DnsCounters,
}

impl Exchanges {
    /// Takes a datagram to or from port 53; `crowded` is to be asked next.
    pub fn handle(&mut self, datagram: &Datagram<'_>, now: Timestamp, limits: &Limits) {
        let head = &datagram.head;
        let Some(message) = Message::read(datagram.payload) else {
            self.counters.unread += 1;
            return;
        };
        match message.is_answer() {
            true if head.src_port == DNS => self.take_answer(datagram, message, (now, limits)),
            false if head.dst_port == DNS => self.take_question(head, message, now),
            _ => self.counters.unread += 1,
        }
    }

    /// Closes the question that is due first, while all together are too large.
    pub fn crowded(&mut self, now: Timestamp, limits: &Limits) -> Option<Closed> {
        self.first_closed(|this, _| {
            let is_crowded = this.bytes > limits.dns_bytes_per_shard;
            this.counters.evicted += u64::from(is_crowded);
            is_crowded.then_some((now, ClosedBecause::Evicted))
        })
    }

    /// When the next question is due.
    #[must_use]
    pub fn next_due(&self) -> Timestamp {
        self.due.first().map_or(Timestamp::MAX, |(due, _)| *due)
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
        (self.by_serial.len(), self.bytes)
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> DnsCounters {
        self.counters
    }

    fn take_question(&mut self, head: &DatagramHead, message: Message, now: Timestamp) {
        let Some(question) = message.question.clone() else {
            self.counters.unread += 1;
            return;
        };
        self.counters.questions += 1;
        let key = Key::of(head, &message, &question);
        let serial = self.by_key.get(&key).copied().unwrap_or_else(|| self.open(key, head, &message, question.clone()));
        self.change(serial, |exchange| {
            if exchange.question.name.is_same(&question.name) {
                exchange.ask(head, &message, question.name);
            }
            if exchange.answers.is_empty() { now + WINDOW } else { exchange.deadline }
        });
    }

    fn take_answer(&mut self, datagram: &Datagram<'_>, message: Message, (now, limits): (Timestamp, &Limits)) {
        let head = &datagram.head;
        self.counters.answers += 1;
        let serial = match self.asked(head, &message) {
            Some(serial) => serial,
            None => {
                self.counters.unasked += 1;
                let Some(question) = message.question.clone() else { return };
                // An answer to nothing makes no room for itself: whoever floods with them shall not push out what was asked.
                if self.bytes > limits.dns_bytes_per_shard / 4 * 3 {
                    self.counters.left_out += 1;
                    return;
                }
                self.open(Key::of(head, &message, &question), head, &message, question)
            }
        };
        let Some((key, exchange)) = self.by_serial.get(&serial) else { return };
        let (pair, is_first) = (key.pair, exchange.answers.is_empty());
        let mut is_other = false;
        self.change(serial, |exchange| {
            is_other = exchange.answer(datagram, message);
            if is_first { now + WINDOW } else { exchange.deadline }
        });
        if is_first {
            let took = self.by_serial.get(&serial).and_then(|(_, exchange)| exchange.took(exchange.answers.first()?));
            let habit = Habit { serial, mark: Mark::of(head), took };
            self.counters.pairs_evicted += u64::from(self.habits.learn(pair, habit, now, limits.dns_pairs_per_shard));
        } else if is_other {
            self.habits.unlearn(&pair, serial);
        }
    }

    /// The open question that an answer belongs to. One that repeats no question belongs to the only one with its identification.
    fn asked(&self, head: &DatagramHead, message: &Message) -> Option<u64> {
        if let Some(question) = &message.question {
            let serial = self.by_key.get(&Key::of(head, message, question))?;
            return self.by_serial.get(serial).filter(|(_, exchange)| exchange.question.name.is_same(&question.name)).map(|_| *serial);
        }
        let first = Key { qtype: 0, name: 0, ..Key::without_question(head, message) };
        let last = Key { qtype: u16::MAX, name: u64::MAX, ..first };
        let mut found = self.by_key.range(first..=last).map(|(_, serial)| *serial);
        found.next().filter(|_| found.next().is_none())
    }

    fn open(&mut self, key: Key, head: &DatagramHead, message: &Message, question: Question) -> u64 {
        self.serial += 1;
        let serial = self.serial;
        let exchange = Box::new(Exchange::new(serial, head, message, question));
        self.bytes += exchange.bytes();
        self.due.insert((exchange.deadline, serial));
        self.by_serial.insert(serial, (key, exchange));
        self.by_key.insert(key, serial);
        serial
    }

    /// Changes an exchange; `change` gives its deadline.
    fn change(&mut self, serial: u64, change: impl FnOnce(&mut Exchange) -> Timestamp) {
        let Some((_, exchange)) = self.by_serial.get_mut(&serial) else { return };
        let (before, deadline) = (exchange.bytes(), exchange.deadline);
        exchange.deadline = change(exchange);
        self.bytes = self.bytes - before + exchange.bytes();
        if exchange.deadline != deadline {
            self.due.remove(&(deadline, serial));
            self.due.insert((exchange.deadline, serial));
        }
    }

    /// Closes by order of deadlines while `why` gives time and reason, up to one that was answered.
    fn first_closed(&mut self, why: impl Fn(&mut Self, Timestamp) -> Option<(Timestamp, ClosedBecause)>) -> Option<Closed> {
        loop {
            let (due, serial) = self.due.first().copied()?;
            let (at, because) = why(self, due)?;
            let closed = self.close(serial, at, because);
            if closed.is_some() {
                return closed;
            }
        }
    }

    /// None when there was no answer.
    fn close(&mut self, serial: u64, at: Timestamp, because: ClosedBecause) -> Option<Closed> {
        let (key, exchange) = self.by_serial.remove(&serial)?;
        self.due.remove(&(exchange.deadline, serial));
        if self.by_key.get(&key) == Some(&serial) {
            self.by_key.remove(&key);
        }
        self.bytes -= exchange.bytes();
        if exchange.answers.is_empty() {
            return None;
        }
        let habits = self.habits.beside(&key.pair, serial);
        Some(Closed { at, because, scene: Scene { pair: key.pair, exchange: *exchange, habits } })
    }
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
        Self { pair, port, id: message.id, qtype: 0, name: 0 }
    }
}

/// Of two names with one hash only the one asked for first is followed. Nothing is gained by finding some: an answer must repeat the name.
fn hash(name: &Name) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    for byte in name.as_bytes() {
        hasher.write_u8(byte.to_ascii_lowercase());
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
