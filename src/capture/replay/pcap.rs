//! The classic pcap format and its variants: a header of 24 bytes, then records of a header and a packet each.

use super::buffer::Buffer;
use super::error::{Damage, Part};
use super::{MAX_CAPTURED, Record, Refusal};
use crate::engine::frame::LinkType;
use crate::engine::time::Timestamp;

const FILE_HEADER: usize = 24;
/// What every variant's record header begins with: seconds, ticks, captured length, length on the wire.
const RECORD_HEADER: usize = 16;
/// Bytes of a record header: as libpcap writes it; as Alexey Kuznetzov's early patch did under libpcap's own magic number, with
/// interface, protocol and packet type; as Nokia's systems do, with four unexplained bytes (Wireshark's `wiretap/libpcap.c`).
const ORDINARY_HEADERS: [usize; 3] = [RECORD_HEADER, 24, 20];
/// The same under the magic number of that patch: as it was in the end, with the processors too, without anything.
const MODIFIED_HEADERS: [usize; 3] = [24, 28, RECORD_HEADER];
/// Bytes of all records together, which Ixia's files give behind the header.
const IXIA_TOTAL: usize = 4;
/// AIX gives the interface type of RFC 1573 where others give a link type (Wireshark's `wiretap/libpcap.c`), with version 2.2.
const AIX_LINKS: [(u16, LinkType); 4] = [(6, LinkType::ETHERNET), (9, LinkType(6)), (15, LinkType(10)), (24, LinkType(0))];

/// A classic pcap being read.
pub(super) struct Pcap {
    big_endian: bool,
    /// Nanoseconds in the unit of the record's second time field.
    nanos_per_tick: i64,
    link: LinkType,
    order: LengthOrder,
    /// Bytes before a packet in its record.
    record_header: usize,
}

/// In which order a record gives the captured length and the length on the wire, by the file's version.
#[derive(Clone, Copy, PartialEq)]
enum LengthOrder {
    /// From 2.4 on.
    CapturedFirst,
    /// 2.3 was written in both orders.
    SmallerIsCaptured,
    /// Before; and by DG/UX, whose version is 543.0.
    WireFirst,
}

/// Who wrote the file, by its first four bytes.
#[derive(Clone, Copy, PartialEq)]
enum Writer {
    Libpcap,
    /// libpcap, and Navtel under a number of its own.
    LibpcapNanos,
    Kuznetzov,
    Ixia,
}

impl Writer {
    /// And whether the file's numbers are big-endian.
    fn of(first: &[u8]) -> Option<(Self, bool)> {
        let four = *first.first_chunk::<4>()?;
        [(u32::from_le_bytes(four), false), (u32::from_be_bytes(four), true)].into_iter().find_map(|(magic, big_endian)| {
            let writer = match magic {
                0xa1b2_c3d4 => Self::Libpcap,
                0xa1b2_3c4d | 0xa12b_3c4d => Self::LibpcapNanos,
                0xa1b2_cd34 => Self::Kuznetzov,
                // Captured by its hardware, and by its software.
                0x1c00_01ac | 0x1c00_01ab => Self::Ixia,
                _ => return None,
            };
            Some((writer, big_endian))
        })
    }
}

impl Pcap {
    /// Whether a file with these first bytes is a pcap of the kinds read here, in either byte order.
    pub(super) fn begins(first: &[u8]) -> bool {
        Writer::of(first).is_some()
    }

    pub(super) fn read_header(buffer: &mut Buffer) -> Result<Self, Refusal> {
        let Some((writer, big_endian)) = Writer::of(buffer.rest()) else {
            return Err(Refusal::NotACapture(buffer.first()));
        };
        let whole = FILE_HEADER + if writer == Writer::Ixia { IXIA_TOTAL } else { 0 };
        if !buffer.has(whole) {
            return Err(buffer.cut(Part::FileHeader).into());
        }
        let [_, versions, _, _, _, network] = words(buffer.rest(), big_endian);
        let (first, second) = ((versions >> 16) as u16, versions as u16);
        let (major, minor) = if big_endian { (first, second) } else { (second, first) };
        let order = match (major, minor) {
            (2, 0..3) | (543, 0) => LengthOrder::WireFirst,
            (2, 3) => LengthOrder::SmallerIsCaptured,
            (2, _) => LengthOrder::CapturedFirst,
            _ => return Err(Damage::Version { major, minor }.into()),
        };
        // The upper half of the field tells of frame check sequences and is no part of the number.
        let network = network as u16;
        let aix = AIX_LINKS.iter().find(|(number, _)| (major, minor, *number) == (2, 2, network));
        let nanos = aix.is_some() || writer == Writer::LibpcapNanos;
        buffer.take(whole, 0, 0);
        let mut pcap = Self {
            big_endian,
            nanos_per_tick: if nanos { 1 } else { 1_000 },
            link: aix.map_or(LinkType(network), |(_, link)| *link),
            order,
            record_header: RECORD_HEADER,
        };
        if matches!(writer, Writer::Libpcap | Writer::Kuznetzov) && aix.is_none() {
            pcap.guess_record_header(buffer, if writer == Writer::Libpcap { ORDINARY_HEADERS } else { MODIFIED_HEADERS });
        }
        Ok(pcap)
    }

    /// Takes the first size of record header under which the records follow each other: nothing in the file tells it.
    fn guess_record_header(&mut self, buffer: &mut Buffer, sizes: [usize; 3]) {
        let [usual, first, second] = sizes;
        // The usual size is looked at no further than needed: somebody may still be writing the rest.
        if !self.would_fit(buffer, usual, 2) {
            self.record_header = [first, second].into_iter().find(|size| self.would_fit(buffer, *size, 4)).unwrap_or(usual);
        } else {
            self.record_header = usual;
        }
    }

    /// Whether so many records, or all that are there, begin as records of this header size do.
    fn would_fit(&self, buffer: &mut Buffer, size: usize, records: u32) -> bool {
        let mut at = 0;
        for seen in 0..records {
            if !buffer.has(at + RECORD_HEADER) {
                // It ends here: cleanly, or in a record that was cut.
                return buffer.rest().len() == at || seen == records - 1;
            }
            let fields = self.fields(buffer.rest().get(at..).unwrap_or_default());
            if !self.is_likely(fields) {
                return false;
            }
            let [_, _, captured, _] = fields;
            at += size + captured as usize;
        }
        true
    }

    fn is_likely(&self, [_, ticks, captured, wire_len]: [u32; 4]) -> bool {
        i64::from(ticks) * self.nanos_per_tick < 1_000_000_000 && captured <= MAX_CAPTURED && captured <= wire_len
    }

    /// The next packet, or `None` at a clean end; `packets` were given so far.
    #[inline(always)]
    pub(super) fn next(&self, buffer: &mut Buffer, packets: u64) -> Result<Option<Record>, Damage> {
        match self.buffered(buffer.rest()) {
            Some(record) => Ok(Some(record)),
            None => self.read_on(buffer, packets),
        }
    }

    /// The record at the beginning of `rest`, if it is all there and can be one.
    #[inline(always)]
    fn buffered(&self, rest: &[u8]) -> Option<Record> {
        let (header, _) = rest.split_first_chunk::<RECORD_HEADER>()?;
        let [seconds, ticks, captured, wire_len] = self.fields(header);
        let len = captured as usize;
        let whole = self.record_header + len;
        (captured <= MAX_CAPTURED && whole <= rest.len()).then(|| Record {
            skip: self.record_header,
            len,
            whole,
            numbered_before: 0,
            time: Timestamp::from_parts(i64::from(seconds), i64::from(ticks) * self.nanos_per_tick),
            link: self.link,
            wire_len: wire_len.max(captured),
        })
    }

    #[cold]
    fn read_on(&self, buffer: &mut Buffer, packets: u64) -> Result<Option<Record>, Damage> {
        if !buffer.has(self.record_header) {
            return if buffer.at_clean_end() { Ok(None) } else { Err(buffer.cut(part(packets))) };
        }
        let [_, _, captured, _] = self.fields(buffer.rest());
        if captured > MAX_CAPTURED {
            return Err(Damage::CapturedLength { packet: packets.saturating_add(1), length: captured });
        }
        if !buffer.has(self.record_header + captured as usize) {
            return Err(buffer.cut(part(packets)));
        }
        Ok(self.buffered(buffer.rest()))
    }

    /// Whether a whole record is buffered, so that the next packet needs no reading.
    pub(super) fn is_buffered(&self, rest: &[u8]) -> bool {
        let [_, _, captured, _] = self.fields(rest);
        rest.len() >= self.record_header.saturating_add(captured as usize)
    }

    /// Seconds, ticks, captured length, length on the wire.
    #[inline]
    fn fields(&self, header: &[u8]) -> [u32; 4] {
        let [seconds, ticks, first, second] = words(header, self.big_endian);
        let turned = match self.order {
            LengthOrder::CapturedFirst => false,
            LengthOrder::SmallerIsCaptured => first > second,
            LengthOrder::WireFirst => true,
        };
        if turned { [seconds, ticks, second, first] } else { [seconds, ticks, first, second] }
    }
}

/// The first 32-bit fields of `bytes`; 0 where there are none.
#[inline]
fn words<const N: usize>(bytes: &[u8], big_endian: bool) -> [u32; N] {
    let mut fields = [0; N];
    for (field, four) in fields.iter_mut().zip(bytes.as_chunks::<4>().0) {
        *field = if big_endian { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
    }
    fields
}

fn part(packets: u64) -> Part {
    Part::Packet { number: packets.saturating_add(1) }
}
