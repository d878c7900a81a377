//! What is kept of a packet's header: the unit that stacks are told apart by.

use crate::engine::decode::packet::{Head, TcpFlags};
use crate::engine::time::Timestamp;

/// The header of one packet, compact. `frame == 0` marks an empty slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Frame number.
    pub frame: u64,
    /// Capture time.
    pub time: Timestamp,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number.
    pub ack: u32,
    /// TSval; 0 without the option.
    pub tsval: u32,
    /// TSecr; 0 without the option.
    pub tsecr: u32,
    /// Payload bytes on the wire.
    pub len: u32,
    /// Window field, unscaled.
    pub window: u16,
    /// IPv4 identification; 0 for IPv6.
    pub ip_id: u16,
    /// TCP flags.
    pub flags: TcpFlags,
    /// See `Head::header_sum`.
    pub header_sum: u16,
    /// TTL or hop limit.
    pub ttl: u8,
    /// The lower four are flags, the upper four those of the flow label that `label` has no room for.
    pub(in crate::engine) bits: u8,
    pub(in crate::engine) label: u16,
}

const DF: u8 = 1;
const TIMESTAMPS: u8 = 2;
const NO_OPTIONS: u8 = 4;
const V6: u8 = 8;
const LABEL_BITS: u32 = 4;

/// Bytes of a record in the payload log.
pub const RECORD_BYTES: usize = 48;

impl Record {
    /// Of a packet.
    #[must_use]
    pub fn of(head: &Head) -> Self {
        let (tsval, tsecr) = head.timestamps.unwrap_or((0, 0));
        let bits = [(DF, head.df), (TIMESTAMPS, head.timestamps.is_some()), (NO_OPTIONS, head.no_options), (V6, head.ip_version == 6)];
        let bits = bits.into_iter().filter(|(_, set)| *set).fold(0, |all, (bit, _)| all | bit);
        let label_high = (head.flow_label >> 16) as u8;
        Self {
            frame: head.frame,
            time: head.time,
            seq: head.seq,
            ack: head.ack,
            tsval,
            tsecr,
            len: head.payload_len,
            window: head.window,
            ip_id: head.ip_id,
            flags: head.flags,
            header_sum: head.header_sum,
            ttl: head.ttl,
            bits: bits | label_high << LABEL_BITS,
            label: head.flow_label as u16,
        }
    }
    /// "Don't fragment".
    #[must_use]
    pub const fn df(&self) -> bool {
        self.bits & DF != 0
    }
    /// Carries the timestamps option.
    #[must_use]
    pub const fn has_timestamps(&self) -> bool {
        self.bits & TIMESTAMPS != 0
    }
    /// The options area was empty.
    #[must_use]
    pub const fn no_options(&self) -> bool {
        self.bits & NO_OPTIONS != 0
    }
    /// IPv6: no identification, no DF.
    #[must_use]
    pub const fn is_v6(&self) -> bool {
        self.bits & V6 != 0
    }
    /// IPv6 flow label, 20 bits; 0 for IPv4.
    #[must_use]
    pub const fn flow_label(&self) -> u32 {
        (self.bits as u32 >> LABEL_BITS) << 16 | self.label as u32
    }
    /// The sequence number after the packet, SYN and FIN counted.
    #[must_use]
    pub const fn end_seq(&self) -> u32 {
        let control = self.flags.any(TcpFlags::SYN) as u32 + self.flags.any(TcpFlags::FIN) as u32;
        self.seq.wrapping_add(self.len).wrapping_add(control)
    }
    /// The sequence number of the first payload byte: a SYN takes one (TCP Fast Open puts data behind it).
    #[must_use]
    pub const fn payload_seq(&self) -> u32 {
        self.seq.wrapping_add(self.flags.any(TcpFlags::SYN) as u32)
    }
    /// No payload and none of SYN, FIN, RST.
    #[must_use]
    pub const fn is_bare_ack(&self) -> bool {
        self.len == 0 && !self.flags.any(TcpFlags::SYN | TcpFlags::FIN | TcpFlags::RST)
    }
    /// TTL, DF and timestamps in one word: what a sender's stack and way do not change within a flow.
    #[must_use]
    pub const fn stack_bits(&self) -> u16 {
        (self.ttl as u16) << 8 | (self.bits & (DF | TIMESTAMPS)) as u16
    }
    /// Perhaps the same packet, seen a second time by the mirror: every field that a sender sets anew for each packet is equal, and the TTL differs by
    /// one hop at most. Where there is payload, its bytes must be compared too.
    #[must_use]
    pub fn may_be_copy_of(&self, earlier: &Self) -> bool {
        let same_place = self.seq == earlier.seq && self.ip_id == earlier.ip_id && self.len == earlier.len && self.flags == earlier.flags;
        // A numbered packet is told by its number and its bytes, whatever a middlebox between the mirror's two ports made of its options.
        let numbered = self.len > 0 && self.ip_id != 0;
        let same_rest = self.ack == earlier.ack
            && self.window == earlier.window
            && self.tsval == earlier.tsval
            && self.tsecr == earlier.tsecr
            && (self.bits, self.label) == (earlier.bits, earlier.label)
            && self.ttl.abs_diff(earlier.ttl) <= 1;
        earlier.frame != 0 && same_place && (numbered || same_rest)
    }

    /// For the payload log.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let words: [u64; 6] = [
            self.frame,
            self.time.as_nanos() as u64,
            u64::from(self.seq) | u64::from(self.ack) << 32,
            u64::from(self.tsval) | u64::from(self.tsecr) << 32,
            u64::from(self.len) | u64::from(self.window) << 32 | u64::from(self.ip_id) << 48,
            u64::from(self.flags.0)
                | u64::from(self.header_sum) << 16
                | u64::from(self.ttl) << 32
                | u64::from(self.bits) << 40
                | u64::from(self.label) << 48,
        ];
        let mut out = [0; RECORD_BYTES];
        for (slot, word) in out.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *slot = word.to_le_bytes();
        }
        out
    }
    /// From the payload log.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Self {
        let mut words = [0_u64; 6];
        for (word, chunk) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*chunk);
        }
        let [frame, time, seq_ack, stamps, sizes, rest] = words;
        Self {
            frame,
            time: Timestamp::from_nanos(time as i64),
            seq: seq_ack as u32,
            ack: (seq_ack >> 32) as u32,
            tsval: stamps as u32,
            tsecr: (stamps >> 32) as u32,
            len: sizes as u32,
            window: (sizes >> 32) as u16,
            ip_id: (sizes >> 48) as u16,
            flags: TcpFlags(rest as u16),
            header_sum: (rest >> 16) as u16,
            ttl: (rest >> 32) as u8,
            bits: (rest >> 40) as u8,
            label: (rest >> 48) as u16,
        }
    }
}

/// Distance from `from` to `to` in sequence space, negative when `to` is before `from` (RFC 9293, section 3.4).
#[must_use]
pub const fn seq_diff(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_the_log() {
        let record = Record {
            frame: u64::MAX,
            time: Timestamp::from_nanos(-5),
            seq: 1,
            ack: u32::MAX,
            tsval: 2,
            tsecr: 3,
            len: 70_000,
            window: 4,
            ip_id: 0x3412,
            flags: TcpFlags(0xfff),
            header_sum: 0xabcd,
            ttl: 255,
            bits: 0xff,
            label: 0x1234,
        };
        assert_eq!((record.flow_label(), size_of::<Record>()), (0xf1234, RECORD_BYTES));
        assert_eq!(Record::from_bytes(&record.to_bytes()), record);
    }

    #[test]
    fn sequence_space_wraps() {
        assert_eq!(seq_diff(u32::MAX, 4), 5);
        assert_eq!(seq_diff(4, u32::MAX), -5);
    }
}
