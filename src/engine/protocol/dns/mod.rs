//! A message of DNS over UDP or TCP as values: what two answers to one question can be compared by. The only user of domain.

use std::fmt;
use std::sync::Arc;

use domain::base::iana::{Class, Opcode, Rtype};
use domain::base::name::Label;
use domain::base::{Message as Wire, ParsedName, ParsedRecord, ToName, UnknownRecordData};
use domain::rdata::Cname;

use crate::engine::decode::packet::Addr;

#[cfg(test)]
mod tests;

/// Records of one message that are looked at; the rest only shows in the counts.
const MOST_RECORDS: usize = 128;
/// Addresses kept of one message: what is answered with more is told apart by these.
const MOST_ADDRESSES: usize = 16;
/// Type A (RFC 1035).
pub const A: u16 = 1;
/// Type AAAA (RFC 3596).
pub const AAAA: u16 = 28;
/// Type ANY (RFC 1035, `*`; RFC 8482 lets a server answer with whatever it likes).
pub const ANY: u16 = 255;

/// A domain name in the letters in which it was written: labels, each behind its length, without the root. Shared, as most names of an
/// exchange are the one that was asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<[u8]>);

/// The second 16 bits of the header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(pub u16);

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Name.
    pub name: Name,
    /// Type.
    pub qtype: u16,
    /// Class.
    pub qclass: u16,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Identification.
    pub id: u16,
    /// Flags.
    pub flags: Flags,
    /// The first question, where there is one.
    pub question: Option<Question>,
    /// Addresses of the answer section in ascending order, each once.
    pub addresses: Vec<Addr>,
    /// The last name that the answer section's aliases lead to.
    pub alias: Option<Name>,
    /// Records of the answer section that are neither addresses nor aliases.
    pub others: u16,
    /// The least time to live in the answer section, in seconds.
    pub ttl: Option<u32>,
    /// An OPT record is there (RFC 6891).
    pub edns: bool,
    /// Questions, answers, authorities and additional records that the header announces.
    pub counts: [u16; 4],
    /// All records of the answer section were read.
    pub answers_whole: bool,
    /// All records that the header announces were read.
    pub whole: bool,
}

impl Flags {
    /// QR: an answer.
    pub const ANSWER: u16 = 0x8000;
    /// AA: the sender claims to have the zone.
    pub const AUTHORITATIVE: u16 = 0x0400;
    /// TC: cut to fit a datagram.
    pub const TRUNCATED: u16 = 0x0200;
    /// RD: please ask others.
    pub const RECURSION_DESIRED: u16 = 0x0100;
    /// RA: the sender asks others.
    pub const RECURSION_AVAILABLE: u16 = 0x0080;

    /// All of `bits` set.
    #[must_use]
    pub const fn has(self, bits: u16) -> bool {
        self.0 & bits == bits
    }
    /// The response code, its lower four bits.
    #[must_use]
    pub const fn rcode(self) -> u8 {
        (self.0 & 0x000f) as u8
    }
}

impl Message {
    /// Reads the captured bytes of a message; `None` when they are no standard query or answer. What is malformed or was cut away behind the
    /// question is left out, and the message is not `whole`.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let wire = Wire::from_octets(bytes).ok()?;
        let header = wire.header();
        let counts = wire.header_counts();
        if header.opcode() != Opcode::QUERY {
            return None;
        }
        let flags = wire.as_slice().get(2..4)?.first_chunk().map_or(0, |bits| u16::from_be_bytes(*bits));
        let mut message = Self {
            id: header.id(),
            flags: Flags(flags),
            counts: [counts.qdcount(), counts.ancount(), counts.nscount(), counts.arcount()],
            ..Self::default()
        };
        let mut questions = wire.question();
        match questions.next() {
            Some(Ok(question)) => {
                let (qtype, qclass) = (question.qtype().to_int(), question.qclass().to_int());
                message.question = Some(Question { name: Name::of(question.qname()), qtype, qclass });
            }
            Some(Err(_)) => return None,
            None => {}
        }
        let is_bare = message.counts == [1, 0, 0, 0] && message.question.is_some();
        message.answers_whole = is_bare;
        message.whole = is_bare || message.read_records(&wire).is_some();
        Some(message)
    }

    /// Reads the message that a stream of DNS over TCP begins with, behind its length (RFC 7766, section 8).
    #[must_use]
    pub fn read_framed(stream: &[u8]) -> Option<Self> {
        let (length, behind) = stream.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length));
        Self::read(behind.get(..length).unwrap_or(behind))
    }

    /// None when a record could not be read.
    fn read_records(&mut self, wire: &Wire<&[u8]>) -> Option<()> {
        let mut left = MOST_RECORDS;
        let mut section = wire.answer().ok();
        let mut number = 0;
        while let Some(records) = &mut section {
            for record in records.by_ref() {
                left = left.checked_sub(1)?;
                self.take(&record.ok()?, number == 0);
            }
            number += 1;
            self.answers_whole = true;
            section = section.and_then(|section| section.next_section().ok().flatten());
        }
        (number == 3).then_some(())
    }

    fn take(&mut self, record: &ParsedRecord<'_, &[u8]>, is_answer: bool) {
        if record.rtype() == Rtype::OPT {
            self.edns |= !is_answer;
        }
        if !is_answer {
            return;
        }
        self.ttl = Some(self.ttl.map_or(u32::MAX, |least| least).min(record.ttl().as_secs()));
        match record.rtype() {
            Rtype::A | Rtype::AAAA if record.class() == Class::IN => {
                let data = record.to_record::<UnknownRecordData<_>>().ok().flatten();
                let address = data.and_then(|record| address(record.data().data()));
                if let Some(address) = address
                    && let Err(at) = self.addresses.binary_search(&address)
                    && self.addresses.len() < MOST_ADDRESSES
                {
                    self.addresses.insert(at, address);
                }
            }
            Rtype::CNAME => {
                if let Ok(Some(record)) = record.to_record::<Cname<_>>() {
                    self.alias = Some(Name::of(record.data().cname()));
                }
            }
            _ => self.others = self.others.saturating_add(1),
        }
    }

    /// It is an answer.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        self.flags.has(Flags::ANSWER)
    }
}

fn address(data: &[u8]) -> Option<Addr> {
    match data.len() {
        4 => data.first_chunk().map(|octets| Addr::v4(*octets)),
        16 => data.first_chunk().map(|octets| Addr::v6(*octets)),
        _ => None,
    }
}

impl Name {
    fn of(name: &ParsedName<impl AsRef<[u8]>>) -> Self {
        if let Some((_, labels)) = name.as_flat_slice().and_then(<[u8]>::split_last) {
            return Self(labels.into());
        }
        let labels = name.iter().map(Label::as_slice).filter(|label| !label.is_empty());
        let bytes = labels.flat_map(|label| [u8::try_from(label.len()).unwrap_or(u8::MAX)].into_iter().chain(label.iter().copied()));
        Self(bytes.collect())
    }

    /// The labels behind their lengths, in the letters in which they were written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same name, whatever the letters' case (RFC 4343).
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        // A label's length is at most 63 and never a letter.
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for Name {
    /// Labels and dots; what is no printable character, and a dot within a label, as `\DDD` (RFC 1035, section 5.1).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest: &[u8] = &self.0;
        if rest.is_empty() {
            return write!(f, ".");
        }
        let mut first = true;
        while let Some((length, behind)) = rest.split_first() {
            let (label, next) = behind.split_at_checked(usize::from(*length)).unwrap_or((behind, &[]));
            if !std::mem::take(&mut first) {
                write!(f, ".")?;
            }
            for byte in label {
                match byte {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                    b'!'..=b'~' => write!(f, "{}", char::from(*byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            rest = next;
        }
        Ok(())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The name of a type, or its number as RFC 3597 writes it.
#[must_use]
pub fn type_name(number: u16) -> String {
    Rtype::from_int(number).to_string()
}

/// The name of a response code, or its number.
#[must_use]
pub fn rcode_name(code: u8) -> String {
    domain::base::iana::Rcode::masked_from_int(code).to_string()
}
