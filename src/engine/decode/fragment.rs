//! Reassembly of IP fragments within bounds. Ordered maps throughout: an attacker who chooses every field gains nothing by it, and no
//! output depends on a hash.

use std::collections::BTreeMap;

use super::count::{Count, Counters};
use super::ip::{Outer, Upper};
use super::link::Link;
use crate::engine::limits::Limits;
use crate::engine::time::{Span, Timestamp};

/// The largest IP packet (RFC 791 section 3.1); RFC 8200 section 4.5 holds reassembled payloads to the same.
const LARGEST: u32 = 65_535;
/// What a datagram and a piece of it cost beside their bytes: map nodes that are half full, and the allocator's share. An estimate on
/// the high side of what 64-bit targets take.
const DATAGRAM_COST: usize = 768;
const PIECE_COST: usize = 64;

/// Where a fragment belongs.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Identification of the datagram.
    pub(super) id: u32,
    /// Of its first byte, in bytes.
    pub(super) offset: u32,
    /// Whether fragments follow.
    pub(super) more: bool,
}

/// Which datagram. IPv6 has no protocol in it: only the first fragment's next header counts (RFC 8200 section 4.5).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Key {
    id: u32,
    src: u128,
    dst: u128,
    version: u8,
    protocol: u8,
    vlans: [u16; 2],
    tunnel: u32,
}

/// What the fragment at offset 0 says of its datagram.
#[derive(Clone, Copy, Debug)]
struct First {
    protocol: u8,
    ttl: u8,
    id: u16,
    df: bool,
    ether: Option<([u8; 6], [u8; 6])>,
    checksum_covers_addresses: bool,
}

#[derive(Debug)]
struct Datagram {
    born: Timestamp,
    age: u64,
    /// By offset; never overlapping.
    pieces: BTreeMap<u32, Box<[u8]>>,
    /// Bytes in `pieces`.
    have: u32,
    /// Of the whole, from its last fragment.
    len: Option<u32>,
    first: Option<First>,
    wire_len: u32,
    /// Overlapping fragments made it void; it stays to swallow the rest (RFC 5722 section 4).
    void: bool,
}

/// Datagrams that wait for their missing fragments.
#[derive(Debug)]
pub(super) struct Fragments {
    max_datagrams: usize,
    max_bytes: usize,
    timeout: Span,
    datagrams: BTreeMap<Key, Datagram>,
    by_age: BTreeMap<u64, (Timestamp, Key)>,
    next_age: u64,
    held: usize,
}

/// A datagram that was put together; the packet borrows from it.
#[derive(Debug, Default)]
pub(super) struct Whole {
    bytes: Vec<u8>,
    first: Option<First>,
}

impl Whole {
    /// Bytes of heap in use.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}

impl Fragments {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            max_datagrams: limits.fragment_datagrams,
            max_bytes: limits.fragment_bytes,
            timeout: limits.fragment_timeout,
            datagrams: BTreeMap::new(),
            by_age: BTreeMap::new(),
            next_age: 0,
            held: 0,
        }
    }

    /// Bytes of heap in use, estimated on the high side.
    pub(super) fn heap_bytes(&self) -> usize {
        self.held
    }

    /// Takes in a fragment. The datagram that it completes is given back in `whole`, with the words of the fragment at offset 0 about the whole
    /// and the time of this one. Otherwise the error is this frame's fate.
    pub(super) fn add<'a>(
        &mut self,
        fragment: Upper<'_>,
        place: Place,
        outer: Outer<'_>,
        (whole, counters): (&'a mut Whole, &mut Counters),
    ) -> Result<(Outer<'a>, Upper<'a>), Count> {
        let bytes = whole_units(fragment, place, outer.version)?;
        let key = Key::of(place, fragment.protocol, &outer);
        self.expire(outer.time, &key, counters);
        let age = self.next_age;
        let datagram = self.datagrams.entry(key).or_insert_with(|| Datagram::new(outer.time, age));
        if datagram.age == age {
            self.next_age = age.wrapping_add(1);
            self.by_age.insert(age, (outer.time, key));
            self.held = self.held.saturating_add(DATAGRAM_COST);
        }
        let before = datagram.cost();
        let fate = datagram.add(bytes, place, outer.version, counters);
        if fate == Taken::Kept {
            datagram.wire_len = datagram.wire_len.saturating_add(outer.wire_len);
            if place.offset == 0 && datagram.first.is_none() {
                datagram.first = Some(First::of(fragment, &outer));
            }
        }
        let completed = datagram.completed_by();
        self.held = self.held.saturating_add(datagram.cost()).saturating_sub(before);
        let Some(first) = completed else {
            self.evict(counters);
            return Err(if fate == Taken::Invalid { Count::FragmentInvalid } else { Count::Fragment });
        };
        let Some(done) = self.remove(&key) else { return Err(Count::Fragment) };
        counters.add(Count::FragmentReassembled);
        whole.bytes.clear();
        done.pieces.values().for_each(|piece| whole.bytes.extend_from_slice(piece));
        let upper = Upper {
            protocol: first.protocol,
            bytes: &whole.bytes,
            declared: done.have,
            checksum_covers_addresses: first.checksum_covers_addresses,
        };
        Ok((whole.first.insert(first).words_on(outer, done.wire_len), upper))
    }

    /// Drops what waited too long: from the oldest on, and the one asked for even when stamps that ran backwards hide it behind others.
    fn expire(&mut self, now: Timestamp, wanted: &Key, counters: &mut Counters) {
        while let Some((_, &(born, key))) = self.by_age.first_key_value()
            && now - born > self.timeout
        {
            self.remove(&key);
            counters.add(Count::FragmentTimeout);
        }
        if self.datagrams.get(wanted).is_some_and(|datagram| now - datagram.born > self.timeout) {
            self.remove(wanted);
            counters.add(Count::FragmentTimeout);
        }
    }

    fn evict(&mut self, counters: &mut Counters) {
        while self.datagrams.len() > self.max_datagrams || self.held > self.max_bytes {
            let Some((_, &(_, oldest))) = self.by_age.first_key_value() else { return };
            self.remove(&oldest);
            counters.add(Count::FragmentEvicted);
        }
    }

    fn remove(&mut self, key: &Key) -> Option<Datagram> {
        let datagram = self.datagrams.remove(key)?;
        self.by_age.remove(&datagram.age);
        self.held = self.held.saturating_sub(DATAGRAM_COST).saturating_sub(datagram.cost());
        Some(datagram)
    }
}

/// The fragment's bytes when its length and place are possible.
fn whole_units<'b>(fragment: Upper<'b>, place: Place, ip_version: u8) -> Result<&'b [u8], Count> {
    if fragment.is_cut() {
        return Err(Count::FragmentCut);
    }
    let mut bytes = fragment.bytes;
    let odd = bytes.len() % 8;
    if place.more && odd != 0 {
        // RFC 8200 section 4.5: discard. Of IPv4, Linux keeps the whole units of eight bytes.
        if ip_version == 6 {
            return Err(Count::FragmentInvalid);
        }
        bytes = bytes.get(..bytes.len().saturating_sub(odd)).unwrap_or(&[]);
    }
    let end = u32::try_from(bytes.len()).ok().and_then(|len| place.offset.checked_add(len));
    if bytes.is_empty() || end.is_none_or(|end| end > LARGEST) { Err(Count::FragmentInvalid) } else { Ok(bytes) }
}

impl Key {
    fn of(place: Place, protocol: u8, outer: &Outer<'_>) -> Self {
        let mut vlans = [0; 2];
        vlans.iter_mut().zip(outer.link.vlans.as_slice()).for_each(|(to, id)| *to = *id);
        Self {
            id: place.id,
            src: outer.src.0,
            dst: outer.dst.0,
            version: outer.version,
            protocol: if outer.version == 4 { protocol } else { 0 },
            vlans,
            tunnel: outer.link.tunnel,
        }
    }
}

impl First {
    fn of(fragment: Upper<'_>, outer: &Outer<'_>) -> Self {
        Self {
            protocol: fragment.protocol,
            ttl: outer.ttl,
            id: outer.id,
            df: outer.df,
            ether: outer.link.ether.map(|(destination, source)| (*destination, *source)),
            checksum_covers_addresses: fragment.checksum_covers_addresses,
        }
    }

    /// `outer` of the completing fragment, corrected to speak for the whole.
    fn words_on<'a>(&'a self, outer: Outer<'_>, wire_len: u32) -> Outer<'a> {
        let link = Link {
            ether: self.ether.as_ref().map(|(destination, source)| (destination, source)),
            vlans: outer.link.vlans,
            tunnel: outer.link.tunnel,
        };
        Outer { wire_len, link, ttl: self.ttl, id: self.id, df: self.df, ..outer }
    }
}

/// What became of a fragment.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Some of its bytes are new.
    Kept,
    /// It brought nothing.
    Left,
    /// It contradicts the datagram's length.
    Invalid,
}

impl Datagram {
    fn new(born: Timestamp, age: u64) -> Self {
        Self { born, age, pieces: BTreeMap::new(), have: 0, len: None, first: None, wire_len: 0, void: false }
    }

    fn cost(&self) -> usize {
        self.pieces.len().saturating_mul(PIECE_COST).saturating_add(self.have as usize)
    }

    /// The first fragment's word, when nothing is missing.
    fn completed_by(&self) -> Option<First> {
        if self.len == Some(self.have) && !self.void { self.first } else { None }
    }

    fn add(&mut self, bytes: &[u8], place: Place, ip_version: u8, counters: &mut Counters) -> Taken {
        if self.void {
            return Taken::Left;
        }
        let start = place.offset;
        let end = start.saturating_add(bytes.len() as u32);
        let reached = self.pieces.last_key_value().map_or(0, |(at, piece)| at.saturating_add(piece.len() as u32));
        let fits = match self.len {
            Some(len) => {
                if place.more {
                    end <= len
                } else {
                    end == len
                }
            }
            None => place.more || reached <= end,
        };
        if !fits {
            return Taken::Invalid;
        }
        let (gaps, differs) = self.gaps(start, bytes);
        if differs {
            counters.add(Count::FragmentOverlapConflict);
        }
        if ip_version == 6 && gaps != [(start, end)] {
            // RFC 8200 section 4.5 lets an exact duplicate pass; any other overlap makes the datagram void.
            if !gaps.is_empty() || differs {
                counters.add(Count::FragmentOverlapDropped);
                self.pieces.clear();
                self.have = 0;
                self.void = true;
            }
            return Taken::Left;
        }
        if !place.more {
            self.len = Some(end);
        }
        for &(from, to) in &gaps {
            if let Some(new) = bytes.get(from.saturating_sub(start) as usize..to.saturating_sub(start) as usize) {
                self.have = self.have.saturating_add(new.len() as u32);
                self.pieces.insert(from, new.into());
            }
        }
        if gaps.is_empty() { Taken::Left } else { Taken::Kept }
    }

    /// The ranges of `bytes` that no earlier fragment brought, and whether any earlier one differs where they overlap.
    fn gaps(&self, start: u32, bytes: &[u8]) -> (Vec<(u32, u32)>, bool) {
        let end = start.saturating_add(bytes.len() as u32);
        let before = self.pieces.range(..start).next_back();
        let mut gaps = Vec::new();
        let mut differs = false;
        let mut at = start;
        for (&piece_start, piece) in before.into_iter().chain(self.pieces.range(start..end)) {
            let piece_end = piece_start.saturating_add(piece.len() as u32);
            if piece_end <= start {
                continue;
            }
            let (from, to) = (piece_start.max(start), piece_end.min(end));
            let within = |origin: u32| from.saturating_sub(origin) as usize..to.saturating_sub(origin) as usize;
            differs |= piece.get(within(piece_start)) != bytes.get(within(start));
            if at < from {
                gaps.push((at, from));
            }
            at = to;
        }
        if at < end {
            gaps.push((at, end));
        }
        (gaps, differs)
    }
}

#[cfg(test)]
mod tests;
