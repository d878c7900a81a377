//! Tar: blocks of 512 bytes, a header before each member (POSIX ustar and pax, GNU long names, the old format without a mark).

use super::{Body, MAX_NAME, Member, Shelf, Tail};
use crate::capture::replay::error::Damage;

const BLOCK: usize = 512;

/// Whether these bytes are a header: its checksum fits, and it names something.
pub(super) fn begins(first: &[u8]) -> bool {
    first.first_chunk::<BLOCK>().is_some_and(|header| !header.starts_with(&[0]) && is_header(header))
}

fn is_header(header: &[u8; BLOCK]) -> bool {
    let sum: u64 = header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
    number(header.get(148..156).unwrap_or_default()) == Some(sum)
}

/// What headers before a member's own say about it.
#[derive(Default)]
struct Said {
    name: Option<String>,
    size: Option<u64>,
}

pub(super) fn next_member(shelf: &mut Shelf) -> Result<Option<Member>, Damage> {
    let mut said = Said::default();
    loop {
        if !shelf.buffer.has(BLOCK) {
            return if shelf.buffer.at_clean_end() { Ok(None) } else { Err(shelf.cut()) };
        }
        let Some(header) = shelf.buffer.rest().first_chunk::<BLOCK>().copied() else { return Ok(None) };
        if header == [0; BLOCK] {
            return Ok(None);
        }
        let size = number(header.get(124..136).unwrap_or_default());
        let (true, Some(size)) = (is_header(&header), size) else { return Err(Damage::ArchiveHeader) };
        shelf.buffer.take(BLOCK, 0, 0);
        match header.get(156) {
            Some(b'L') => said.name = Some(text(&content(shelf, size)?)),
            Some(b'x') => pax(&content(shelf, size)?, &mut said),
            Some(b'0' | b'7' | 0) => {
                let size = said.size.unwrap_or(size);
                shelf.body = Body::Plain { left: size, crc: None };
                shelf.tail = Tail::Padding(padding(size));
                return Ok(Some(Member { name: said.name.unwrap_or_else(|| name(&header)), unreadable: None }));
            }
            // Extended old GNU sparse headers go on in the next block, which is no header.
            Some(b'S') if header.get(482) == Some(&1) => return Err(Damage::ArchiveHeader),
            _ => {
                if !shelf.buffer.skip(size.saturating_add(padding(size))) {
                    return Err(shelf.cut());
                }
                said = Said::default();
            }
        }
    }
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// The bytes of a header that tells of the next member.
fn content(shelf: &mut Shelf, size: u64) -> Result<Vec<u8>, Damage> {
    if size > MAX_NAME {
        return Err(Damage::ArchiveHeader);
    }
    let (len, whole) = (size as usize, (size + padding(size)) as usize);
    if !shelf.buffer.has(whole) {
        return Err(shelf.cut());
    }
    Ok(shelf.buffer.take(whole, 0, len).to_vec())
}

fn name(header: &[u8; BLOCK]) -> String {
    let name = text(header.get(..100).unwrap_or_default());
    let prefix = text(header.get(345..500).unwrap_or_default());
    if header.get(257..263) == Some(b"ustar\0") && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

/// Records of the form `LENGTH KEY=VALUE\n`, the length counting the whole record.
fn pax(mut rest: &[u8], said: &mut Said) {
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let length = rest.get(..space).and_then(|digits| str::from_utf8(digits).ok()?.parse::<usize>().ok());
        let Some((record, after)) = length.and_then(|length| rest.split_at_checked(length)) else { return };
        let Some(pair) = record.get(space + 1..record.len().saturating_sub(1)) else { return };
        rest = after;
        match str::from_utf8(pair).ok().and_then(|pair| pair.split_once('=')) {
            Some(("path", path)) => said.name = Some(path.to_owned()),
            Some(("size", size)) => said.size = size.parse().ok(),
            _ => {}
        }
    }
}

/// A number field: octal digits among spaces and zero bytes, or binary when the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((first, rest)) = field.split_first()
        && first & 0x80 != 0
    {
        return rest.iter().try_fold(u64::from(first & 0x3f), |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)));
    }
    let digits = field.iter().skip_while(|byte| **byte == b' ').take_while(|byte| !matches!(byte, b' ' | 0));
    digits.copied().try_fold(0_u64, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value.checked_mul(8)?.checked_add(u64::from(digit))
    })
}
