//! The classic pcap format: a header of 24 bytes, then records of 16 bytes and a packet each.

use pcap_parser::parse_pcap_header;

use super::buffer::Buffer;
use super::error::{Damage, Part};
use super::{MAX_CAPTURED, Record, Refusal};
use crate::engine::frame::LinkType;
use crate::engine::time::Timestamp;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A classic pcap being read.
pub(super) struct Pcap {
    big_endian: bool,
    /// Nanoseconds in the unit of the record's second time field.
    nanos_per_tick: i64,
    link: LinkType,
    order: LengthOrder,
}

/// In which order a record gives the captured length and the length on the wire, by the file's version.
#[derive(PartialEq)]
enum LengthOrder {
    /// From 2.4 on.
    CapturedFirst,
    /// 2.3 was written in both orders.
    SmallerIsCaptured,
    /// Before.
    WireFirst,
}

impl Pcap {
    /// Whether a file with these first bytes is a pcap of the kinds read here: either byte order, micro- or nanoseconds.
    pub(super) fn begins(first: &[u8]) -> bool {
        let magic = first.first_chunk().map(|four| u32::from_le_bytes(*four));
        matches!(magic, Some(0xa1b2_c3d4 | 0xd4c3_b2a1 | 0xa1b2_3c4d | 0x4d3c_b2a1))
    }

    pub(super) fn read_header(buffer: &mut Buffer) -> Result<Self, Refusal> {
        if !buffer.has(FILE_HEADER) {
            return Err(buffer.cut(Part::FileHeader).into());
        }
        let Ok((_, header)) = parse_pcap_header(buffer.rest()) else {
            return Err(Refusal::NotACapture(buffer.first()));
        };
        let order = match (header.version_major, header.version_minor) {
            (2, 0..3) => LengthOrder::WireFirst,
            (2, 3) => LengthOrder::SmallerIsCaptured,
            (2, _) => LengthOrder::CapturedFirst,
            (major, minor) => return Err(Damage::Version { major, minor }.into()),
        };
        buffer.take(FILE_HEADER, 0, 0);
        Ok(Self {
            big_endian: header.is_bigendian(),
            nanos_per_tick: if header.is_nanosecond_precision() { 1 } else { 1_000 },
            // The upper half of the field tells of frame check sequences and is no part of the number.
            link: LinkType(header.network.0 as u16),
            order,
        })
    }

    /// The next packet, or `None` at a clean end; `packets` were given so far.
    // By hand: the crate's parser asks for the whole record in one slice before it tells the length, so it can neither
    // refuse an absurd length nor say how much to read on.
    #[inline]
    pub(super) fn next(&self, buffer: &mut Buffer, packets: u64) -> Result<Option<Record>, Damage> {
        if !buffer.has(RECORD_HEADER) {
            return if buffer.at_clean_end() { Ok(None) } else { Err(buffer.cut(part(packets))) };
        }
        let Some(header) = buffer.rest().first_chunk::<RECORD_HEADER>() else {
            return Ok(None);
        };
        let [seconds, ticks, mut captured, mut wire_len] = self.fields(header);
        if self.order != LengthOrder::CapturedFirst && (self.order == LengthOrder::WireFirst || captured > wire_len) {
            std::mem::swap(&mut captured, &mut wire_len);
        }
        if captured > MAX_CAPTURED {
            return Err(Damage::CapturedLength { packet: packets.saturating_add(1), length: captured });
        }
        let len = captured as usize;
        let whole = RECORD_HEADER + len;
        if !buffer.has(whole) {
            return Err(buffer.cut(part(packets)));
        }
        Ok(Some(Record {
            skip: RECORD_HEADER,
            len,
            whole,
            numbered_before: 0,
            time: Timestamp::from_parts(i64::from(seconds), i64::from(ticks) * self.nanos_per_tick),
            link: self.link,
            wire_len: wire_len.max(captured),
        }))
    }

    #[inline]
    fn fields(&self, header: &[u8; RECORD_HEADER]) -> [u32; 4] {
        let mut fields = [0; 4];
        for (field, four) in fields.iter_mut().zip(header.as_chunks::<4>().0) {
            *field = if self.big_endian { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
        }
        fields
    }
}

fn part(packets: u64) -> Part {
    Part::Packet { number: packets.saturating_add(1) }
}
