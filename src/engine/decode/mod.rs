//! Bytes of a frame to a `Packet`: link types, VLAN tags, IP, fragments, TCP. The only user of etherparse.

pub mod packet;

use super::frame::Frame;
use super::limits::Limits;
use packet::Packet;
use std::collections::BTreeMap;

/// What one frame turned out to be.
#[derive(Debug)]
pub enum Decoded<'a> {
    /// A TCP segment.
    Tcp(Packet<'a>),
    /// Anything else; the reason is counted.
    Other,
}

/// Turns frames into packets, and counts by name what it could not turn.
#[derive(Debug)]
pub struct Decoder {}

impl Decoder {
    /// A decoder whose fragment buffers keep within `limits`.
    #[must_use]
    pub fn new(_limits: &Limits) -> Self {
        Self {}
    }
    /// Decodes one frame. Borrows the decoder because a reassembled datagram lives in its buffer.
    pub fn decode<'a>(&'a mut self, _frame: &Frame<'a>) -> Decoded<'a> {
        Decoded::Other
    }
    /// Frames by what became of them, by stable name ("tcp", "udp", "arp", "link_type_105_unsupported", "ipv4_header_cut", ...).
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}
