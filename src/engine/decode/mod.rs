//! Bytes of a frame to a `Packet`: link types, VLAN tags, IP, fragments, TCP. The only user of etherparse.

pub mod checksum;
mod count;
mod fragment;
mod ip;
mod link;
pub mod packet;
mod tcp;

use std::collections::BTreeMap;

use super::frame::Frame;
use super::limits::Limits;
use count::{Count, Counters};
use fragment::Fragments;
use link::Network;
use packet::Packet;

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
pub struct Decoder {
    vlan_depth: usize,
    counters: Counters,
    fragments: Fragments,
}

impl Decoder {
    /// A decoder whose fragment buffers keep within `limits`.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { vlan_depth: limits.vlan_depth, counters: Counters::new(), fragments: Fragments::new(limits) }
    }

    /// Decodes one frame. Borrows the decoder because a reassembled datagram lives in its buffer.
    pub fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Decoded<'a> {
        let Self { vlan_depth, counters, fragments } = self;
        counters.frame();
        match segment(frame, *vlan_depth, counters, fragments) {
            Ok(packet) => {
                counters.add(Count::Tcp);
                Decoded::Tcp(packet)
            }
            Err(fate) => {
                counters.add(fate);
                match fate {
                    Count::Arp => counters.understood(),
                    Count::LinkTypeUnsupported => counters.link_type(frame.link.0),
                    _ => {}
                }
                Decoded::Other
            }
        }
    }

    /// Frames by what became of them, by stable name ("tcp", "udp", "arp", "link_type_105_unsupported", "ipv4_header_cut", ...), and
    /// notes on some of them ("tcp_options_malformed", "fragment_overlap_conflict", ...). Only what was seen is there.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.counters.by_name()
    }

    /// Frames taken in.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.counters.frames_seen()
    }

    /// Frames of which at least an IP header or an ARP packet was recognised. None of many frames: the capture is of a kind, or its
    /// link type says something, that this decoder cannot read.
    #[must_use]
    pub fn understood(&self) -> u64 {
        self.counters.frames_understood()
    }

    /// Bytes of heap that the reassembly of fragments holds, estimated on the high side.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.fragments.heap_bytes()
    }
}

/// The TCP segment in `frame`, or what the frame is instead.
#[inline]
fn segment<'a>(frame: &Frame<'a>, vlan_depth: usize, counters: &mut Counters, fragments: &'a mut Fragments) -> Result<Packet<'a>, Count> {
    const TCP: u8 = 6;
    let (network, link) = link::network(frame, vlan_depth)?;
    let (outer, upper) = match network {
        Network::V4(ip) => ip::v4(ip, link, frame, counters, fragments),
        Network::V6(ip) => ip::v6(ip, link, frame, counters, fragments),
    }?;
    if upper.protocol != TCP {
        return Err(ip::fate_of_protocol(upper.protocol));
    }
    tcp::segment(frame.number, outer, upper, counters)
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
