//! Made-up questions and answers for tests, on packet time.

use crate::engine::decode::datagram::{Carrier, DNS, Datagram, DatagramHead};
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::limits::Limits;
use crate::engine::protocol::dns::A;
use crate::engine::time::Timestamp;

use super::{Closed, Exchanges};

pub(in crate::engine) const CLIENT: Addr = Addr(0xffff_c000_0217);
pub(in crate::engine) const RESOLVER: Addr = Addr(0xffff_c633_6435);
/// An ordinary answer: QR, RD, RA.
pub(in crate::engine) const ANSWER: u16 = 0x8180;
const PORT: u16 = 40_001;

/// A message before it is sent.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Sample {
    pub(in crate::engine) ms: i64,
    pub(in crate::engine) id: u16,
    pub(in crate::engine) flags: u16,
    pub(in crate::engine) name: &'static str,
    pub(in crate::engine) qtype: u16,
    pub(in crate::engine) addresses: Vec<[u8; 4]>,
    /// Records of the authority section, each an empty one.
    pub(in crate::engine) authorities: u16,
    pub(in crate::engine) edns: bool,
    pub(in crate::engine) ttl: u8,
    pub(in crate::engine) ip_id: u16,
    pub(in crate::engine) df: bool,
}

/// The question at so many milliseconds.
pub(in crate::engine) fn ask(ms: i64) -> Sample {
    Sample {
        ms,
        id: 7,
        flags: 0x0100,
        name: "a.example",
        qtype: A,
        addresses: Vec::new(),
        authorities: 0,
        edns: true,
        ttl: 64,
        ip_id: 0x100_u16.wrapping_add(ms as u16),
        df: true,
    }
}

/// An answer at so many milliseconds.
pub(in crate::engine) fn answer<const N: usize>(ms: i64, addresses: [[u8; 4]; N]) -> Sample {
    Sample { flags: ANSWER, addresses: addresses.into(), ttl: 55, ip_id: (ms as u16).wrapping_mul(7919), ..ask(ms) }
}

impl Sample {
    pub(in crate::engine) fn bytes(&self) -> Vec<u8> {
        let counts = [1, self.addresses.len() as u16, self.authorities, u16::from(self.edns)];
        let mut bytes: Vec<u8> = [self.id, self.flags].into_iter().chain(counts).flat_map(u16::to_be_bytes).collect();
        for label in self.name.split('.') {
            bytes.push(label.len() as u8);
            bytes.extend(label.as_bytes());
        }
        bytes.push(0);
        bytes.extend(self.qtype.to_be_bytes());
        bytes.extend([0, 1]);
        for address in &self.addresses {
            bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4]);
            bytes.extend(address);
        }
        for _ in 0..self.authorities {
            bytes.extend([0xc0, 12, 0, 10, 0, 1, 0, 0, 1, 44, 0, 0]);
        }
        if self.edns {
            bytes.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
        }
        bytes
    }

    pub(in crate::engine) fn head(&self, frame: u64, len: usize) -> DatagramHead {
        let is_answer = self.flags & 0x8000 != 0;
        let ends = if is_answer { (RESOLVER, DNS, CLIENT, PORT) } else { (CLIENT, PORT, RESOLVER, DNS) };
        DatagramHead {
            carrier: Carrier::Udp,
            frame,
            time: Timestamp::from_nanos(self.ms * 1_000_000),
            src: ends.0,
            dst: ends.2,
            src_port: ends.1,
            dst_port: ends.3,
            ttl: self.ttl,
            ip_id: self.ip_id,
            df: self.df,
            ip_version: 4,
            ether: None,
            vlans: Vlans::default(),
            tunnel: 0,
            payload_len: len as u32,
            wire_len: len as u32 + 42,
        }
    }
}

/// Sends the messages, numbered from 1, and closes what is due in between; what was closed, and the table.
pub(in crate::engine) fn play(samples: &[Sample], limits: &Limits) -> (Vec<Closed>, Exchanges) {
    let (mut table, mut closed) = (Exchanges::default(), Vec::new());
    for (number, sample) in (1..).zip(samples) {
        let bytes = sample.bytes();
        let head = sample.head(number, bytes.len());
        closed.extend(std::iter::from_fn(|| table.due(head.time)));
        table.handle(&Datagram { head, payload: &bytes }, head.time, limits);
        closed.extend(std::iter::from_fn(|| table.crowded(head.time, limits)));
    }
    (closed, table)
}

/// The same to the end: everything that was answered.
pub(in crate::engine) fn closed(samples: &[Sample]) -> Vec<Closed> {
    let (mut all, mut table) = play(samples, &Limits::default());
    let end = Timestamp::from_nanos(samples.last().map_or(0, |sample| sample.ms) * 1_000_000);
    all.extend(std::iter::from_fn(|| table.last(end)));
    all
}
