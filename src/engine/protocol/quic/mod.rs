//! The first packets of a QUIC connection (RFC 9000, 9001, 9369): anybody on the way can open them, and the ClientHello is in them.

mod keys;
#[cfg(test)]
mod tests;

pub use keys::Keys;

use super::tls::{LONGEST_HELLO, Opening};
use super::wire::Fields;

/// Long header, fixed bit set (RFC 9000, section 17.2).
const LONG: u8 = 0b1100_0000;
/// The two bits of a long header's first byte that say which packet it is.
const KIND: u8 = 0b0011_0000;
/// The longest connection id of version 1 and 2.
const LONGEST_ID: usize = 20;
/// Packets of one datagram that are looked at.
const MOST_PACKETS: usize = 8;
/// Pieces of the handshake with holes between them; browsers cut it into a dozen at most.
const MOST_PIECES: usize = 64;

/// A version of QUIC whose first packets can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 9000.
    V1,
    /// RFC 9369.
    V2,
}

impl Version {
    /// The version of an Initial packet, by its first byte and its version field.
    fn of_initial(first: u8, version: u32) -> Option<Self> {
        match (version, first & KIND) {
            (0x0000_0001, 0b0000_0000) => Some(Self::V1),
            (0x6b33_43cf, 0b0001_0000) => Some(Self::V2),
            _ => None,
        }
    }
}

/// A connection id: the keys of the first packets are made of the one that the client chose for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionId {
    bytes: [u8; LONGEST_ID],
    len: u8,
}

impl ConnectionId {
    /// None when it is longer than allowed.
    #[must_use]
    pub fn new(id: &[u8]) -> Option<Self> {
        let mut bytes = [0; LONGEST_ID];
        bytes.get_mut(..id.len())?.copy_from_slice(id);
        Some(Self { bytes, len: u8::try_from(id.len()).ok()? })
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// An Initial packet, still closed.
#[derive(Clone, Copy, Debug)]
pub struct Initial<'a> {
    /// Version.
    pub version: Version,
    /// Whom it is for.
    pub destination: ConnectionId,
    /// From its first byte to its end.
    packet: &'a [u8],
    /// Bytes before the packet number.
    header: usize,
}

/// The Initial packets that a datagram begins with.
pub fn initials(datagram: &[u8]) -> impl Iterator<Item = Initial<'_>> {
    let mut rest = datagram;
    std::iter::from_fn(move || Initial::read(&mut rest)).take(MOST_PACKETS)
}

impl<'a> Initial<'a> {
    /// The packet that `rest` begins with; none when it is another, or was cut.
    fn read(rest: &mut &'a [u8]) -> Option<Self> {
        let mut fields = Fields(rest);
        let first = fields.u8().filter(|first| first & LONG == LONG)?;
        let version = Version::of_initial(first, u32::from_be_bytes(*fields.array()?))?;
        let destination = ConnectionId::new(fields.behind_u8()?)?;
        let _source = ConnectionId::new(fields.behind_u8()?)?;
        let token = usize::try_from(fields.varint()?).ok()?;
        fields.take(token)?;
        let length = usize::try_from(fields.varint()?).ok()?;
        let header = rest.len().checked_sub(fields.0.len())?;
        let (packet, after) = rest.split_at_checked(header.checked_add(length)?)?;
        *rest = after;
        Some(Self { version, destination, packet, header })
    }

    /// Opens it with the client's keys; none when it was not closed with them. The payload is written to `room`.
    fn open<'r>(&self, keys: &Keys, room: &'r mut Vec<u8>) -> Option<&'r [u8]> {
        let sample = self.packet.get(self.header.checked_add(4)?..)?.first_chunk()?;
        let [first_mask, number_mask @ ..] = keys.mask(sample);
        let first = self.packet.first()? ^ first_mask & 0x0f;
        let number_len = usize::from(first & 0x03) + 1;
        let after = self.header.checked_add(number_len)?;
        room.clear();
        room.extend_from_slice(self.packet);
        *room.first_mut()? = first;
        let number = room.get_mut(self.header..after)?;
        number.iter_mut().zip(number_mask).for_each(|(byte, mask)| *byte ^= mask);
        let number = number.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let (header, sealed) = room.split_at_mut_checked(after)?;
        keys.open(number, header, sealed)
    }
}

/// The handshake of one client, gathered from its first packets in whatever order they come.
#[derive(Clone, Debug, Default)]
pub struct Handshake {
    bytes: Vec<u8>,
    /// What of `bytes` is there: first and one behind the last of each piece, in order and apart.
    pieces: Vec<(usize, usize)>,
}

impl Handshake {
    /// Takes an Initial packet; false when it is not closed with these keys.
    pub fn take(&mut self, packet: &Initial<'_>, keys: &Keys) -> bool {
        let mut room = Vec::new();
        let Some(payload) = packet.open(keys, &mut room) else { return false };
        self.take_payload(payload);
        true
    }

    /// Takes the frames of an opened packet, as far as they are well-formed.
    pub fn take_payload(&mut self, payload: &[u8]) {
        self.take_frames(Fields(payload));
    }

    /// What was gathered so far.
    #[must_use]
    pub fn opening(&self) -> Opening {
        match self.pieces.first() {
            Some((0, end)) => Opening::of_message(self.bytes.get(..*end).unwrap_or_default()),
            _ => Opening::Unfinished,
        }
    }

    /// Heap bytes held.
    #[must_use]
    pub const fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.pieces.capacity() * size_of::<(usize, usize)>()
    }

    /// Frames (RFC 9000, section 19) up to one that no Initial packet may hold.
    fn take_frames(&mut self, mut rest: Fields<'_>) -> Option<()> {
        loop {
            match rest.u8()? {
                // PADDING, PING.
                0x00 | 0x01 => {}
                kind @ (0x02 | 0x03) => skip_ack(&mut rest, kind == 0x03)?,
                // CRYPTO.
                0x06 => {
                    let (offset, len) = (rest.varint()?, rest.varint()?);
                    let data = rest.take(usize::try_from(len).ok()?)?;
                    self.put(usize::try_from(offset).ok()?, data);
                }
                _ => return None,
            }
        }
    }

    fn put(&mut self, offset: usize, data: &[u8]) {
        let end = offset.saturating_add(data.len());
        if data.is_empty() || end > LONGEST_HELLO {
            return;
        }
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        if let Some(place) = self.bytes.get_mut(offset..end) {
            place.copy_from_slice(data);
        }
        let touched = |(from, to): &(usize, usize)| *from <= end && offset <= *to;
        let (from, to) =
            self.pieces.iter().filter(|piece| touched(piece)).fold((offset, end), |(from, to), piece| (from.min(piece.0), to.max(piece.1)));
        self.pieces.retain(|piece| !touched(piece));
        if self.pieces.len() < MOST_PIECES {
            let at = self.pieces.partition_point(|piece| piece.0 < from);
            self.pieces.insert(at, (from, to));
        }
    }
}

/// An acknowledgment (RFC 9000, section 19.3).
fn skip_ack(rest: &mut Fields<'_>, counts_ecn: bool) -> Option<()> {
    let (_largest, _delay, ranges, _first) = (rest.varint()?, rest.varint()?, rest.varint()?, rest.varint()?);
    // Each number has a byte at least: a false count ends with the packet.
    let numbers = ranges.checked_mul(2)?.checked_add(if counts_ecn { 3 } else { 0 })?;
    (0..numbers).try_for_each(|_| rest.varint().map(drop))
}
