//! The bytes of one segment while they are read.

use super::message::Stamp;

/// A segment and how far it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    /// Bytes that are still to be read.
    pub(super) rest: &'a [u8],
    len: usize,
    at: Stamp,
}

impl<'a> Segment<'a> {
    /// The segment `at` with its `bytes`, none read.
    pub(super) const fn new(bytes: &'a [u8], at: Stamp) -> Self {
        Self { rest: bytes, len: bytes.len(), at }
    }

    /// Stamp of the next byte to be read.
    pub(super) const fn here(&self) -> Stamp {
        // Sequence numbers count modulo 2^32, so cutting the length to 32 bits loses nothing.
        let read = self.len.saturating_sub(self.rest.len()) as u32;
        Stamp { seq: self.at.seq.wrapping_add(read), ..self.at }
    }
}
