//! The pcapng format: blocks in sections, each section with a byte order and interfaces of its own.

use pcap_parser::nom::error::Error as OptionError;
use pcap_parser::{BOM_MAGIC, EPB_MAGIC, IDB_MAGIC, OptionCode, SHB_MAGIC, SPB_MAGIC, parse_option_be, parse_option_le};

use super::buffer::Buffer;
use super::error::{Damage, Part};
use super::{MAX_CAPTURED, Record};
use crate::engine::frame::LinkType;
use crate::engine::time::Timestamp;

/// The obsolete Packet Block, which the crate does not know.
const PACKET_BLOCK: u32 = 2;
/// Blocks without a packet that Wireshark (4.0) numbers like packets: systemd journal entries, custom blocks, sysdig events.
const NUMBERED_BLOCKS: [u32; 6] = [0x9, 0xbad, 0x4000_0bad, 0x204, 0x216, 0x221];
/// Type and length before a block's body.
const HEAD: usize = 8;
/// The length again, behind it.
const TRAILER: usize = 4;
/// The most bytes of one block that are held at once (Wireshark's limit too). Larger blocks that are not needed are
/// passed over.
const MAX_BLOCK: u64 = 16 << 20;
/// The most interfaces of one section: the old Packet Block can number no more.
const MAX_INTERFACES: usize = 1 << 16;

/// A pcapng being read.
///
/// The crate's block parsers are not used: they collect every packet's options in a new vector, read `if_tsoffset` as
/// little-endian always, refuse powers of two as time resolution, and do not know Packet Blocks or lengths off the
/// 4-byte grid, which Wireshark reads.
pub(super) struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
    /// Of the last packet, for Simple Packet Blocks, which have none.
    time: Timestamp,
    block_at: u64,
}

struct Interface {
    link: LinkType,
    /// 0 is no limit.
    snaplen: u32,
    unit: Unit,
    offset_nanos: i128,
}

/// How a 64-bit stamp becomes nanoseconds.
enum Unit {
    Multiply(u64),
    Divide(u64),
    /// So many parts of a second, as a power of two.
    Binary(u32),
    /// Parts so small that no 64-bit count of them reaches a nanosecond.
    Vanishing,
}

/// A block's first fields.
struct Head {
    kind: u32,
    length: u32,
}

impl Head {
    /// Bytes to the next block: some writers give a length off the 4-byte grid, yet pad to it.
    fn whole(&self) -> u64 {
        u64::from(self.length).next_multiple_of(4)
    }
    fn holds_packet(&self) -> bool {
        matches!(self.kind, EPB_MAGIC | SPB_MAGIC | PACKET_BLOCK)
    }
    fn is_needed(&self) -> bool {
        self.holds_packet() || matches!(self.kind, SHB_MAGIC | IDB_MAGIC)
    }
    fn part(&self, packets: u64) -> Part {
        if self.holds_packet() { Part::Packet { number: packets.saturating_add(1) } } else { Part::Block }
    }
}

impl PcapNg {
    /// Whether a file with these first bytes is a pcapng of either byte order.
    pub(super) fn begins(first: &[u8]) -> bool {
        first.starts_with(&SHB_MAGIC.to_be_bytes()) && first.get(8..12).is_none_or(|order| byte_order(order).is_some())
    }

    pub(super) fn new() -> Self {
        Self { big_endian: false, interfaces: Vec::new(), time: Timestamp::default(), block_at: 0 }
    }

    /// Where the block begins that was read last.
    pub(super) fn block_at(&self) -> u64 {
        self.block_at
    }

    /// Whether a whole block is buffered, so that the next one needs no reading.
    pub(super) fn is_buffered(&self, rest: &[u8]) -> bool {
        self.words(rest).is_some_and(|[_, length]| rest.len() as u64 >= u64::from(length).next_multiple_of(4))
    }

    /// The next packet, or `None` at a clean end; `packets` were given so far.
    pub(super) fn next(&mut self, buffer: &mut Buffer, packets: u64) -> Result<Option<Record>, Damage> {
        let mut numbered_before = 0;
        loop {
            self.block_at = buffer.offset();
            if !buffer.has(HEAD) {
                return if buffer.at_clean_end() { Ok(None) } else { Err(buffer.cut(Part::Block)) };
            }
            let head = self.head(buffer)?;
            if !head.is_needed() {
                self.pass_over(buffer, &head)?;
                numbered_before += u64::from(NUMBERED_BLOCKS.contains(&head.kind));
                continue;
            }
            if head.whole() > MAX_BLOCK {
                return Err(Damage::BlockLength { length: head.length });
            }
            let whole = head.whole() as usize;
            if !buffer.has(whole) {
                return Err(buffer.cut(head.part(packets)));
            }
            let (body, trailer) = split(buffer.rest(), whole);
            self.check_trailer(&head, trailer)?;
            if head.holds_packet() {
                return self.packet(&head, body, packets).map(|record| Some(Record { numbered_before, ..record }));
            }
            match head.kind {
                SHB_MAGIC => self.begin_section(body)?,
                _ => self.add_interface(body)?,
            }
            buffer.take(whole, 0, 0);
        }
    }

    /// Reads type and length, and with a section header the byte order that both are in.
    fn head(&mut self, buffer: &mut Buffer) -> Result<Head, Damage> {
        if buffer.rest().starts_with(&SHB_MAGIC.to_be_bytes()) {
            if !buffer.has(HEAD + 4) {
                return Err(buffer.cut(Part::Block));
            }
            let order = buffer.rest().get(HEAD..HEAD + 4).unwrap_or_default();
            self.big_endian = byte_order(order).ok_or_else(|| Damage::ByteOrder { magic: order.to_vec() })?;
        }
        let [kind, length] = self.words(buffer.rest()).unwrap_or_default();
        if (length as usize) < HEAD + TRAILER {
            return Err(Damage::BlockLength { length });
        }
        Ok(Head { kind, length })
    }

    fn pass_over(&self, buffer: &mut Buffer, head: &Head) -> Result<(), Damage> {
        if !buffer.skip(head.whole() - TRAILER as u64) || !buffer.has(TRAILER) {
            return Err(buffer.cut(Part::Block));
        }
        self.check_trailer(head, buffer.take(TRAILER, 0, TRAILER))
    }

    fn check_trailer(&self, head: &Head, trailer: &[u8]) -> Result<(), Damage> {
        match self.words(trailer) {
            Some([length]) if length == head.length => Ok(()),
            words => Err(Damage::BlockTrailer { head: head.length, trailer: words.map_or(0, |[length]| length) }),
        }
    }

    fn begin_section(&mut self, body: &[u8]) -> Result<(), Damage> {
        let Some([_order, version, _, _]) = self.words(body) else {
            return Err(Damage::BlockContent { kind: SHB_MAGIC });
        };
        let (high, low) = ((version >> 16) as u16, version as u16);
        let (major, minor) = if self.big_endian { (high, low) } else { (low, high) };
        // 1.2 was written by mistake and means 1.0 (the draft's section 4.1).
        if major != 1 || !matches!(minor, 0 | 2) {
            return Err(Damage::Version { major, minor });
        }
        self.interfaces.clear();
        Ok(())
    }

    fn add_interface(&mut self, body: &[u8]) -> Result<(), Damage> {
        let (Some([link, snaplen]), Some(options)) = (self.words(body), body.get(8..)) else {
            return Err(Damage::BlockContent { kind: IDB_MAGIC });
        };
        if self.interfaces.len() >= MAX_INTERFACES {
            return Err(Damage::TooManyInterfaces { limit: MAX_INTERFACES });
        }
        let link = LinkType(if self.big_endian { (link >> 16) as u16 } else { link as u16 });
        let mut interface = Interface { link, snaplen, unit: Unit::from_tsresol(6), offset_nanos: 0 };
        self.read_options(options, &mut interface);
        self.interfaces.push(interface);
        Ok(())
    }

    /// Takes what tells the time; of an option given twice the last counts, as in Wireshark.
    fn read_options(&self, mut rest: &[u8], interface: &mut Interface) {
        let parse = if self.big_endian { parse_option_be::<OptionError<&[u8]>> } else { parse_option_le::<OptionError<&[u8]>> };
        while let Ok((after, option)) = parse(rest) {
            rest = after;
            match (option.code, option.as_bytes()) {
                (OptionCode::EndOfOpt, _) => break,
                (OptionCode::IfTsresol, Ok(&[resolution])) => interface.unit = Unit::from_tsresol(resolution),
                (OptionCode::IfTsoffset, Ok(value)) => {
                    if let Some(eight) = value.first_chunk().filter(|_| value.len() == 8) {
                        let seconds = if self.big_endian { i64::from_be_bytes(*eight) } else { i64::from_le_bytes(*eight) };
                        interface.offset_nanos = i128::from(seconds) * 1_000_000_000;
                    }
                }
                _ => {}
            }
        }
    }

    fn packet(&mut self, head: &Head, body: &[u8], packets: u64) -> Result<Record, Damage> {
        let too_short = || Damage::BlockContent { kind: head.kind };
        let packet = packets.saturating_add(1);
        let (interface, stamp, captured, wire_len, before) = match head.kind {
            SPB_MAGIC => {
                let Some([wire_len]) = self.words(body) else { return Err(too_short()) };
                (0, None, wire_len, wire_len, 4)
            }
            _ => {
                let Some([id, high, low, captured, wire_len]) = self.words(body) else { return Err(too_short()) };
                let id = match (head.kind, self.big_endian) {
                    // The old block has a 16-bit number here, then a count of drops.
                    (PACKET_BLOCK, true) => id >> 16,
                    (PACKET_BLOCK, false) => id & 0xffff,
                    _ => id,
                };
                (id, Some(u64::from(high) << 32 | u64::from(low)), captured, wire_len, 20)
            }
        };
        let Some(from) = self.interfaces.get(interface as usize) else {
            return Err(Damage::UnknownInterface { packet, interface, known: self.interfaces.len() });
        };
        let captured = if stamp.is_none() && from.snaplen != 0 { captured.min(from.snaplen) } else { captured };
        if captured > MAX_CAPTURED {
            return Err(Damage::CapturedLength { packet, length: captured });
        }
        let len = captured as usize;
        if body.len() < before + len {
            return Err(too_short());
        }
        if let Some(stamp) = stamp {
            self.time = from.time(stamp);
        }
        let whole = HEAD + body.len() + TRAILER;
        let (time, link, wire_len) = (self.time, from.link, wire_len.max(captured));
        Ok(Record { skip: HEAD + before, len, whole, numbered_before: 0, time, link, wire_len })
    }

    /// The first 32-bit fields of `bytes`, in the section's byte order.
    #[inline]
    fn words<const N: usize>(&self, bytes: &[u8]) -> Option<[u32; N]> {
        let mut words = [0; N];
        let (fours, _) = bytes.as_chunks::<4>();
        for (word, four) in words.iter_mut().zip(fours.get(..N)?) {
            *word = if self.big_endian { u32::from_be_bytes(*four) } else { u32::from_le_bytes(*four) };
        }
        Some(words)
    }
}

impl Interface {
    #[inline]
    fn time(&self, stamp: u64) -> Timestamp {
        let nanos = self.unit.nanos(stamp).saturating_add(self.offset_nanos);
        Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl Unit {
    /// By the option `if_tsresol`: a power of ten, or of two when its highest bit is set.
    fn from_tsresol(resolution: u8) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        if resolution & 0x80 != 0 {
            return Self::Binary(exponent);
        }
        match exponent.checked_sub(9) {
            None => Self::Multiply(10_u64.pow(9 - exponent)),
            Some(beyond) => 10_u64.checked_pow(beyond).map_or(Self::Vanishing, Self::Divide),
        }
    }

    /// Cannot overflow: 2^64 stamps of a second each are fewer than 2^94 nanoseconds.
    #[inline]
    fn nanos(&self, stamp: u64) -> i128 {
        match *self {
            Self::Multiply(factor) => i128::from(stamp) * i128::from(factor),
            Self::Divide(divisor) => i128::from(stamp / divisor),
            Self::Binary(exponent) => (i128::from(stamp) * 1_000_000_000) >> exponent,
            Self::Vanishing => 0,
        }
    }
}

/// `Some(true)` for big-endian, `Some(false)` for little-endian, `None` for four bytes that are no byte-order magic.
fn byte_order(four: &[u8]) -> Option<bool> {
    match four {
        _ if four == BOM_MAGIC.to_be_bytes() => Some(true),
        _ if four == BOM_MAGIC.to_le_bytes() => Some(false),
        _ => None,
    }
}

/// A block's body and trailer, of the bytes that begin with the block.
fn split(bytes: &[u8], whole: usize) -> (&[u8], &[u8]) {
    let body = bytes.get(HEAD..whole - TRAILER).unwrap_or_default();
    (body, bytes.get(whole - TRAILER..whole).unwrap_or_default())
}
