//! Zip, read from its beginning by the header before each member (PKWARE's APPNOTE, 4.3): the directory at the end is not needed.

use flate2::Decompress;

use super::{Body, Check, Member, Shelf, Tail};
use crate::capture::replay::buffer::Buffer;
use crate::capture::replay::error::Damage;
use crate::capture::replay::error::Part;

const LOCAL_HEADER: usize = 30;
const LOCAL: &[u8] = b"PK\x03\x04";
const DESCRIPTOR: &[u8] = b"PK\x07\x08";
/// What may follow the last member: the directory, its end, its 64-bit end, and the records before a directory.
const AFTER_MEMBERS: [&[u8]; 5] = [b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08", b"PK\x05\x05"];
const ENCRYPTED: u16 = 1;
/// The sizes stand behind the member.
const SIZES_BEHIND: u16 = 1 << 3;
/// A 32-bit size that says that the 64-bit one in the extra field counts.
const IN_EXTRA: u32 = u32::MAX;

/// Whether these are the first bytes of a zip file, an empty one included.
pub(super) fn begins(first: &[u8]) -> bool {
    first.starts_with(LOCAL) || first.starts_with(b"PK\x05\x06")
}

pub(super) fn next_member(shelf: &mut Shelf) -> Result<Option<Member>, Damage> {
    if !shelf.buffer.has(4) {
        return Err(shelf.cut());
    }
    if AFTER_MEMBERS.iter().any(|mark| shelf.buffer.rest().starts_with(mark)) {
        return Ok(None);
    }
    if !shelf.buffer.rest().starts_with(LOCAL) {
        return Err(Damage::ArchiveHeader);
    }
    if !shelf.buffer.has(LOCAL_HEADER) {
        return Err(shelf.cut());
    }
    let header = shelf.buffer.take(LOCAL_HEADER, 0, LOCAL_HEADER);
    let (flags, method, crc) = (u16_at(header, 6), u16_at(header, 8), u32_at(header, 14));
    let (packed, plain) = (u32_at(header, 18), u32_at(header, 22));
    let (name_len, extra_len) = (usize::from(u16_at(header, 26)), usize::from(u16_at(header, 28)));
    if !shelf.buffer.has(name_len + extra_len) {
        return Err(shelf.cut());
    }
    let both = shelf.buffer.take(name_len + extra_len, 0, name_len + extra_len);
    let (name, extra) = both.split_at_checked(name_len).unwrap_or_default();
    let name = String::from_utf8_lossy(name).into_owned();
    let packed = if packed == IN_EXTRA { long_size(extra, plain == IN_EXTRA).unwrap_or_else(|| packed.into()) } else { packed.into() };

    let behind = flags & SIZES_BEHIND != 0;
    let known = (!behind || packed > 0).then_some(packed);
    let check = (!behind).then(|| Check::new(crc));
    shelf.tail = if behind { Tail::Descriptor } else { Tail::None };
    let unreadable = match (method, flags & ENCRYPTED != 0) {
        (_, true) => Some("it is encrypted"),
        (0 | 8, false) => None,
        (_, false) => Some("it is packed with a method other than deflate"),
    };
    shelf.body = match (method, known) {
        (8, _) if unreadable.is_none() => Body::Deflated { inflate: Box::new(Decompress::new(false)), left: known, crc: check },
        (_, Some(left)) => Body::Plain { left, crc: check },
        // Nothing tells where it ends.
        (_, None) => return Err(Damage::EndlessMember),
    };
    Ok(Some(Member { name, unreadable }))
}

/// The packed size in the extra field of 64-bit sizes, where the plain one comes first if it is there.
fn long_size(mut extra: &[u8], after_plain: bool) -> Option<u64> {
    loop {
        let (head, rest) = extra.split_at_checked(4)?;
        let (field, after) = rest.split_at_checked(usize::from(u16_at(head, 2)))?;
        if u16_at(head, 0) == 1 {
            return field.get(if after_plain { 8 } else { 0 }..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight));
        }
        extra = after;
    }
}

/// Checksum and sizes behind a member: with a mark or without, of 32 bits or 64. What must follow tells which.
pub(super) fn skip_descriptor(buffer: &mut Buffer) -> Result<(), Damage> {
    for len in [16, 12, 24, 20] {
        if !buffer.has(len + 4) {
            continue;
        }
        let rest = buffer.rest();
        let marked = matches!(len, 16 | 24);
        let next = rest.get(len..).unwrap_or_default();
        let fits = next.starts_with(LOCAL) || AFTER_MEMBERS.iter().any(|mark| next.starts_with(mark));
        if fits && marked == rest.starts_with(DESCRIPTOR) {
            buffer.take(len, 0, 0);
            return Ok(());
        }
    }
    if buffer.has(28) { Err(Damage::ArchiveHeader) } else { Err(buffer.cut(Part::Member)) }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}
