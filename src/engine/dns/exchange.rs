//! One question and the answers to it.

use sha2::{Digest, Sha256};

use crate::engine::decode::datagram::{Datagram, DatagramHead};
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::protocol::dns::{Flags, Message, Name, Question};
use crate::engine::time::{Span, Timestamp};

use super::COPY_WITHIN;

/// Sendings of one question that are kept.
const MOST_ASKED: usize = 4;
/// Different answers to one question that are kept: an injector sends up to three, and the resolver one.
const MOST_ANSWERS: usize = 8;
/// Bytes that the table of open questions takes for each beside it, at most: its key, two links, and a place in a table that is half full.
const IN_TABLE: usize = 160;
/// Frames kept of equal answers.
const MOST_FRAMES: usize = 16;

/// What two packets of one way are compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Frame number.
    pub frame: u64,
    /// Capture time.
    pub time: Timestamp,
    /// TTL or hop limit.
    pub ttl: u8,
    /// IPv4 identification; 0 for IPv6.
    pub ip_id: u16,
    /// IPv4 "don't fragment"; false for IPv6.
    pub df: bool,
    /// IPv6.
    pub is_v6: bool,
    /// Bytes of the message on the wire.
    pub len: u32,
}

impl Mark {
    /// Of a datagram.
    #[must_use]
    pub const fn of(head: &DatagramHead) -> Self {
        let DatagramHead { frame, time, ttl, ip_id, df, payload_len, .. } = *head;
        Self { frame, time, ttl, ip_id, df, is_v6: head.ip_version == 6, len: payload_len }
    }
}

/// One sending of the question.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its header.
    pub mark: Mark,
    /// The name in the letters in which it was asked for.
    pub name: Name,
    /// With an OPT record.
    pub edns: bool,
    /// Flags.
    pub flags: Flags,
}

/// One answer, and those equal to it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The first one's header.
    pub mark: Mark,
    /// Frames of all, ascending.
    pub frames: Vec<u64>,
    /// Ethernet source and destination of the first one.
    pub ether: Option<([u8; 6], [u8; 6])>,
    /// The message.
    pub message: Message,
    /// SHA-256 of the first one's message as captured.
    pub sha256: [u8; 32],
}

/// A question and its answers.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Number within the shard, from 1.
    pub serial: u64,
    /// Who asked.
    pub client: (Addr, u16),
    /// Who was asked.
    pub resolver: (Addr, u16),
    /// VLAN ids of its first packet.
    pub vlans: Vlans,
    /// Identification.
    pub id: u16,
    /// Name, type and class, as first seen.
    pub question: Question,
    /// Sendings of the question, the first ones.
    pub asked: Vec<Asked>,
    /// How often it was asked; copies by the sensor are not counted.
    pub times_asked: u32,
    /// Different answers, in order of arrival.
    pub answers: Vec<Answer>,
    /// Further different answers, which were not kept.
    pub left_out: u32,
    /// Capture time of the first packet.
    pub start: Timestamp,
    /// Packets and bytes of frames to the resolver.
    pub to_resolver: (u64, u64),
    /// Packets and bytes of frames to the client.
    pub to_client: (u64, u64),
    /// Engine time until which answers are waited for.
    pub deadline: Timestamp,
}

impl Exchange {
    /// Begins with a datagram of either direction; `asks` says which.
    pub(super) fn new(serial: u64, head: &DatagramHead, message: &Message, question: Question) -> Self {
        let (src, dst) = ((head.src, head.src_port), (head.dst, head.dst_port));
        let (client, resolver) = if message.is_answer() { (dst, src) } else { (src, dst) };
        Self {
            serial,
            client,
            resolver,
            vlans: head.vlans,
            id: message.id,
            question,
            asked: Vec::new(),
            times_asked: 0,
            answers: Vec::new(),
            left_out: 0,
            start: head.time,
            to_resolver: (0, 0),
            to_client: (0, 0),
            deadline: Timestamp::MAX,
        }
    }

    /// Takes in a sending of the question.
    pub(super) fn ask(&mut self, head: &DatagramHead, message: &Message, name: Name) {
        count(&mut self.to_resolver, head);
        let mark = Mark::of(head);
        let is_copy = self.asked.last().is_some_and(|last| mark.time - last.mark.time < COPY_WITHIN && mark.ip_id == last.mark.ip_id);
        if is_copy {
            return;
        }
        self.times_asked = self.times_asked.saturating_add(1);
        if self.asked.len() >= MOST_ASKED {
            self.asked.pop();
        }
        self.asked.reserve_exact(1);
        self.asked.push(Asked { mark, name, edns: message.edns, flags: message.flags });
    }

    /// Takes in an answer; true when it is another than those before.
    pub(super) fn answer(&mut self, datagram: &Datagram<'_>, message: Message) -> bool {
        let head = &datagram.head;
        count(&mut self.to_client, head);
        let mark = Mark::of(head);
        if let Some(equal) = self.answers.iter_mut().find(|answer| answer.says_the_same(&message, &mark)) {
            if equal.frames.len() < MOST_FRAMES {
                equal.frames.push(head.frame);
            }
            return false;
        }
        if self.answers.len() >= MOST_ANSWERS {
            self.left_out = self.left_out.saturating_add(1);
            return true;
        }
        self.answers.reserve_exact(1);
        self.answers.push(Answer {
            mark,
            frames: vec![head.frame],
            ether: head.ether,
            message,
            sha256: Sha256::digest(datagram.payload).into(),
        });
        true
    }

    /// How long the first answer took, where the question was asked once.
    #[must_use]
    pub fn took(&self, answer: &Answer) -> Option<Span> {
        match self.asked.as_slice() {
            [only] if only.mark.time <= answer.mark.time => Some(answer.mark.time - only.mark.time),
            _ => None,
        }
    }

    /// Heap and own bytes, estimated on the high side.
    pub(super) fn bytes(&self) -> usize {
        let name = self.question.name.as_bytes().len();
        let asked = self.asked.len() * (size_of::<Asked>() + name);
        let answers = self.answers.iter().map(Answer::bytes).sum::<usize>();
        size_of::<Self>() + IN_TABLE + name + asked + answers
    }
}

impl Answer {
    /// Another copy of it, or the resolver's second answer with equal content. The times to live count down between two.
    fn says_the_same(&self, message: &Message, mark: &Mark) -> bool {
        let (mine, other) = (&self.message, message);
        let same_stack = self.mark.ttl.abs_diff(mark.ttl) <= 1 && self.mark.df == mark.df;
        same_stack
            && mine.flags == other.flags
            && mine.addresses == other.addresses
            && mine.alias == other.alias
            && mine.others == other.others
    }

    fn bytes(&self) -> usize {
        let name = |name: Option<&Name>| name.map_or(0, |name| name.as_bytes().len());
        let names = name(self.message.alias.as_ref()) + name(self.message.question.as_ref().map(|question| &question.name));
        size_of::<Self>() + names + self.frames.capacity() * size_of::<u64>() + self.message.addresses.capacity() * size_of::<Addr>()
    }
}

fn count((packets, bytes): &mut (u64, u64), head: &DatagramHead) {
    *packets += 1;
    *bytes += u64::from(head.wire_len);
}
