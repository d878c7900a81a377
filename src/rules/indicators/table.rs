//! The compact table: sorted keys that share their beginnings, behind a filter that lets hardly any other name through.
//!
//! All of it is one piece of bytes, as it lies in a store: some 20 bytes a domain, 30 a web address.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Keys that share their beginnings with the one before; a look-up reads one such block.
const BLOCK: usize = 16;
/// Bits of the filter for each key: with four bits set of a 64-bit word about one in a hundred other names passes.
const FILTER_BITS: usize = 16;
/// The most indicators of one table.
const MOST_ROWS: usize = 16 << 20;
/// The most text of one table.
const MOST_TEXT: usize = 1 << 30;
/// Lists of one look-up that are told of.
const MOST_FOUND: usize = 8;

/// A table is full.
#[derive(Debug, thiserror::Error)]
#[error("no room: one store takes {MOST_ROWS} indicators and 1 GiB of text; split the lists")]
pub(super) struct Full;

/// Rows on their way into a table.
#[derive(Debug, Default)]
pub(super) struct Builder {
    text: Vec<u8>,
    rows: Vec<Row>,
    prefixes: Prefixes,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    start: u32,
    key: u16,
    written: u16,
    list: u16,
}

/// Lengths of the networks that are listed, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Prefixes {
    pub(super) v4: u32,
    pub(super) v6: u128,
}

/// The parts of a table.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) prefixes: Prefixes,
    pub(super) rows: u32,
    /// Offset of each block.
    pub(super) index: Vec<u8>,
    pub(super) filter: Vec<u8>,
    pub(super) blocks: Vec<u8>,
    /// Rows that were there before, by list.
    pub(super) repeated: Vec<u16>,
}

/// A table to look things up in.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) index: &'a [u8],
    pub(super) blocks: &'a [u8],
}

/// A row that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) list: u16,
    pub(super) written: String,
}

impl Builder {
    /// A row. `prefix` is the length of a network, whose key then says whether it is IPv4.
    pub(super) fn add(&mut self, key: &[u8], written: &str, list: u16, prefix: Option<u8>) -> Result<(), Full> {
        let written = abridged(key, written);
        let (Ok(start), Ok(key_len), Ok(written_len)) =
            (u32::try_from(self.text.len()), u16::try_from(key.len()), u16::try_from(written.len()))
        else {
            return Err(Full);
        };
        if self.rows.len() >= MOST_ROWS || self.text.len() >= MOST_TEXT {
            return Err(Full);
        }
        match prefix {
            Some(bits @ 1..=32) if key.first() == Some(&b'4') => self.prefixes.v4 |= 1 << (bits - 1),
            Some(bits @ 1..=128) => self.prefixes.v6 |= 1 << (bits - 1),
            _ => {}
        }
        self.text.extend(key);
        self.text.extend(written.as_bytes());
        self.rows.push(Row { start, key: key_len, written: written_len, list });
        Ok(())
    }

    fn key(&self, row: &Row) -> &[u8] {
        let start = row.start as usize;
        self.text.get(start..start + usize::from(row.key)).unwrap_or_default()
    }

    fn written(&self, row: &Row) -> &[u8] {
        let start = row.start as usize + usize::from(row.key);
        self.text.get(start..start + usize::from(row.written)).unwrap_or_default()
    }

    /// The table.
    pub(super) fn finish(mut self) -> Parts {
        let mut rows = std::mem::take(&mut self.rows);
        rows.sort_unstable_by(|a, b| (self.key(a), a.list, a.start).cmp(&(self.key(b), b.list, b.start)));
        let mut parts = Parts { prefixes: self.prefixes, ..Parts::default() };
        rows.dedup_by(|later, first| {
            let same = later.list == first.list && self.key(later) == self.key(first);
            if same {
                parts.repeated.push(later.list);
            }
            same
        });
        parts.rows = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let pages = rows.iter().filter(|row| self.key(row).first() == Some(&b'u')).count();
        let words = ((rows.len() + pages) * FILTER_BITS).div_ceil(64).max(1);
        let mut filter = vec![0_u64; words];
        let mut before: &[u8] = &[];
        for (number, row) in rows.iter().enumerate() {
            let key = self.key(row);
            if number % BLOCK == 0 {
                put_u32(&mut parts.index, u32::try_from(parts.blocks.len()).unwrap_or(u32::MAX));
                before = &[];
            }
            let shared = before.iter().zip(key).take_while(|(a, b)| a == b).count();
            let own = key.get(shared..).unwrap_or_default();
            put_varint(&mut parts.blocks, shared);
            put_varint(&mut parts.blocks, own.len());
            parts.blocks.extend(own);
            put_varint(&mut parts.blocks, usize::from(row.list));
            let written = self.written(row);
            put_varint(&mut parts.blocks, written.len());
            parts.blocks.extend(written);
            let host = key.strip_prefix(b"u").map(|rest| rest.split(|byte| matches!(byte, b'/' | b':')).next().unwrap_or_default());
            for hash in std::iter::once(Hash::of(key)).chain(host.map(page_mark)) {
                let (word, mask) = place(hash, words);
                if let Some(word) = filter.get_mut(word) {
                    *word |= mask;
                }
            }
            before = key;
        }
        parts.filter = filter.iter().flat_map(|word| word.to_le_bytes()).collect();
        parts
    }
}

/// What is stored in place of `https://` and the key's address.
const WITH_TLS: &str = "s";

/// An entry that is written as its key says need not be stored twice.
fn abridged<'a>(key: &[u8], written: &'a str) -> &'a str {
    let plain = usual_spelling(key);
    match written.strip_prefix("https").zip(plain.strip_prefix("http")) {
        _ if written == plain => "",
        Some((rest, plain)) if rest == plain => WITH_TLS,
        _ => written,
    }
}

/// An entry as most lists would write it.
fn usual_spelling(key: &[u8]) -> String {
    let Some((mark, rest)) = key.split_first() else { return String::new() };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match (mark, rest.split_last()) {
        (b'd', _) => text(&rest.iter().rev().copied().collect::<Vec<u8>>()),
        (b'u', _) => format!("http://{}", text(rest)),
        (b'4', Some((32, octets))) => octets.first_chunk::<4>().map_or_else(String::new, |octets| Ipv4Addr::from(*octets).to_string()),
        (b'6', Some((128, octets))) => octets.first_chunk::<16>().map_or_else(String::new, |octets| Ipv6Addr::from(*octets).to_string()),
        _ => String::new(),
    }
}

/// The entry as its list wrote it.
fn spelled_out(key: &[u8], stored: &[u8]) -> String {
    match stored {
        [] => usual_spelling(key),
        stored if stored == WITH_TLS.as_bytes() && key.first() == Some(&b'u') => usual_spelling(key).replacen("http", "https", 1),
        stored => String::from_utf8_lossy(stored).into_owned(),
    }
}

/// FNV-1a (Fowler, Noll, Vo), which can be asked at every byte. Whoever makes collisions with it makes look-ups, and no hits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hash(u64);

impl Hash {
    pub(super) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
    pub(super) const fn and(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3))
    }
    fn of(bytes: &[u8]) -> Self {
        bytes.iter().fold(Self::new(), |hash, byte| hash.and(*byte))
    }
}

/// What the filter holds for a host of which a web address is listed.
pub(super) fn page_mark(host: &[u8]) -> Hash {
    std::iter::once(&b'h').chain(host).fold(Hash::new(), |hash, byte| hash.and(*byte))
}

/// Word and bits of a key in the filter.
fn place(hash: Hash, words: usize) -> (usize, u64) {
    // The high bits of FNV are well mixed only after one more round.
    let mixed = (hash.0 ^ (hash.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let word = ((mixed >> 32) * words as u64) >> 32;
    let mask = [0, 6, 12, 18].into_iter().fold(0, |mask, shift| mask | 1_u64 << ((mixed >> shift) & 63));
    (usize::try_from(word).unwrap_or(0), mask)
}

/// False when no key of a filter has this hash.
pub(super) fn may_hold(filter: &[u8], hash: Hash) -> bool {
    let (word, mask) = place(hash, filter.len() / 8);
    let bytes = filter.get(word * 8..).and_then(|rest| rest.first_chunk::<8>());
    bytes.is_some_and(|bytes| u64::from_le_bytes(*bytes) & mask == mask)
}

impl View<'_> {
    /// Every row of this key.
    pub(super) fn find(&self, key: &[u8]) -> Vec<Found> {
        // The last block that begins before the key: rows with the same key may begin in the block before.
        let (mut low, mut high) = (0, self.index.len() / 4);
        while low < high {
            let middle = low.midpoint(high);
            if self.first_key(middle).is_some_and(|first| first < key) { low = middle + 1 } else { high = middle }
        }
        let mut found = Vec::new();
        let Some(start) = self.offset(low.saturating_sub(1)) else { return found };
        let mut rest = self.blocks.get(start..).unwrap_or_default();
        let mut current = Vec::new();
        while let Some(row) = read_row(&mut rest) {
            current.truncate(row.shared);
            current.extend(row.own);
            match current.as_slice().cmp(key) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal if found.len() < MOST_FOUND => {
                    found.push(Found { list: row.list, written: spelled_out(key, row.written) });
                }
                _ => break,
            }
        }
        found
    }

    fn offset(&self, block: usize) -> Option<usize> {
        let bytes = self.index.get(block * 4..)?.first_chunk::<4>()?;
        usize::try_from(u32::from_le_bytes(*bytes)).ok()
    }

    fn first_key(&self, block: usize) -> Option<&[u8]> {
        let mut rest = self.blocks.get(self.offset(block)?..)?;
        Some(read_row(&mut rest)?.own)
    }
}

struct ReadRow<'a> {
    shared: usize,
    own: &'a [u8],
    list: u16,
    written: &'a [u8],
}

fn read_row<'a>(rest: &mut &'a [u8]) -> Option<ReadRow<'a>> {
    let shared = read_varint(rest)?;
    let own = read_piece(rest)?;
    let list = u16::try_from(read_varint(rest)?).ok()?;
    Some(ReadRow { shared, own, list, written: read_piece(rest)? })
}

fn read_piece<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = read_varint(rest)?;
    let (piece, after) = rest.split_at_checked(len)?;
    *rest = after;
    Some(piece)
}

fn read_varint(rest: &mut &[u8]) -> Option<usize> {
    let mut value = 0;
    for shift in [0, 7, 14, 21] {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A number as a store has it: little end first.
pub(super) fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend(value.to_le_bytes());
}

/// Seven bits a byte, the least first, the highest bit set on all but the last. Below 2^28.
fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_of_a_store_comes_back() {
        let address = |octets: &[u8], length: u8| [&[if octets.len() == 4 { b'4' } else { b'6' }], octets, &[length]].concat();
        for (key, written, stored) in [
            (b"delpmaxe.live".to_vec(), "evil.example", 0),
            (b"delpmaxe.live".to_vec(), "evil[.]example", 14),
            (b"uevil.example/a".to_vec(), "http://evil.example/a", 0),
            (b"uevil.example/a".to_vec(), "https://evil.example/a", 1),
            (b"uevil.example/a".to_vec(), "evil.example/a", 14),
            (address(&[198, 51, 100, 7], 32), "198.51.100.7", 0),
            (address(&[198, 51, 100, 0], 24), "198.51.100.0/24", 15),
            (address(&Ipv6Addr::LOCALHOST.octets(), 128), "::1", 0),
        ] {
            let kept = abridged(&key, written);
            assert_eq!((kept.len(), spelled_out(&key, kept.as_bytes()).as_str()), (stored, written));
        }
    }
}
