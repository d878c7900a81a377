//! Bytes of a frame to `Packet`s and `Datagram`s: link types, tags, tunnels, IP, fragments, TCP. The only user of etherparse.

mod captured;
pub mod checksum;
mod cooked;
mod count;
pub mod datagram;
mod ethertype;
mod fragment;
mod ip;
mod link;
mod mpls;
pub mod packet;
mod plausible;
mod ppp;
mod quick;
mod tcp;
mod tunnel;
mod wifi;

use std::collections::BTreeMap;

use super::frame::Frame;
use super::limits::Limits;
use captured::Captured;
use count::{Count, Counters};
use datagram::Datagram;
use fragment::{Fragments, Place, Whole};
use ip::{Outer, Upper};
use link::{Link, Next};
use packet::Packet;
use tunnel::{Opened, esp};

/// How many datagrams one frame may complete, one in the other: a tunnel's and what is in it, with room to spare.
const WHOLES: usize = 4;

/// Protocol numbers (IANA).
const TCP: u8 = 6;
const ESP: u8 = 50;

/// What was found in a frame.
#[derive(Clone, Copy, Debug)]
pub enum Decoded<'d, 'a> {
    /// A TCP segment.
    Tcp(&'d Packet<'a>),
    /// Another message that somebody reads.
    Datagram(&'d Datagram<'a>),
}

/// Turns frames into packets, and counts by name what it could not turn.
#[derive(Debug)]
pub struct Decoder {
    vlan_depth: usize,
    tunnel_depth: usize,
    counters: Counters,
    fragments: Fragments,
    wholes: [Whole; WHOLES],
}

impl Decoder {
    /// A decoder whose fragment buffers keep within `limits`.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            vlan_depth: limits.vlan_depth,
            tunnel_depth: limits.tunnel_depth,
            counters: Counters::new(),
            fragments: Fragments::new(limits),
            wholes: Default::default(),
        }
    }

    /// Decodes one frame and hands each TCP segment, and each other message that somebody reads, to `each`: hardly ever more than one,
    /// but an 802.11 frame may hold several. A packet may borrow from the frame or from the decoder, where a reassembled datagram lives.
    #[inline]
    pub fn decode(&mut self, frame: &Frame<'_>, mut each: impl FnMut(Decoded<'_, '_>)) {
        self.counters.frame();
        match quick::segment(frame, &mut self.counters) {
            Some(packet) => each(Decoded::Tcp(&packet)),
            None => self.walk(frame, &mut each),
        }
    }

    /// The whole way through a frame, header by header.
    #[inline(never)]
    fn walk(&mut self, frame: &Frame<'_>, each: &mut impl FnMut(Decoded<'_, '_>)) {
        let Self { vlan_depth, tunnel_depth, counters, fragments, wholes } = self;
        let mut desk = Desk { frame, counters, fragments, wholes, tags_left: *vlan_depth, tunnels_left: *tunnel_depth };
        let mut link = Link::default();
        match link::first(frame, &mut link).map_err(Stop::Fate).and_then(|next| datagram(next, link, &mut desk)) {
            Ok(packet) => {
                desk.counters.add(Count::Tcp);
                each(Decoded::Tcp(&packet));
            }
            Err(Stop::Fate(fate)) => desk.left(fate),
            Err(Stop::Datagram(datagram)) => {
                desk.left(datagram.fate());
                each(Decoded::Datagram(&datagram));
            }
            Err(Stop::Several(subframes, link)) => several(subframes, link, &mut desk, each),
        }
    }

    /// Datagrams by what became of them, by stable name ("tcp", "udp", "arp", "link_type_147_unsupported", "ipv4_header_cut", ...), and
    /// notes on some of them ("in_vxlan", "tcp_options_malformed", ...). Only what was seen is there.
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
        self.wholes.iter().map(Whole::heap_bytes).fold(self.fragments.heap_bytes(), usize::saturating_add)
    }
}

/// What the walk through one datagram needs beside its bytes.
struct Desk<'a, 'd> {
    frame: &'d Frame<'a>,
    counters: &'d mut Counters,
    fragments: &'d mut Fragments,
    /// Buffers that no packet borrows from yet.
    wholes: &'a mut [Whole],
    tags_left: usize,
    tunnels_left: usize,
}

/// Why the walk ended without a packet.
enum Stop<'a> {
    /// It is something else.
    Fate(Count),
    /// It is something else that somebody reads.
    Datagram(Datagram<'a>),
    /// There are several datagrams: the subframes of an A-MSDU.
    Several(Captured<'a>, Link<'a>),
}

impl From<Count> for Stop<'_> {
    fn from(fate: Count) -> Self {
        Self::Fate(fate)
    }
}

impl<'a> Desk<'a, '_> {
    /// Counts a tag that is looked through.
    fn tag(&mut self) -> Result<(), Count> {
        self.tags_left = self.tags_left.checked_sub(1).ok_or(Count::VlanTooDeep)?;
        Ok(())
    }

    /// Goes into an encapsulation if it was one; otherwise `fate` is what the packet is.
    fn open(&mut self, opened: Option<Opened<'a>>, link: &mut Link<'a>, fate: Count) -> Result<Next<'a>, Count> {
        let Opened { kind, id, next } = opened.ok_or(fate)?;
        self.tunnels_left = self.tunnels_left.checked_sub(1).ok_or(Count::TunnelTooDeep)?;
        self.counters.add(kind);
        if let Some(id) = id {
            link.enter(kind, id);
        }
        Ok(next)
    }

    /// Takes in a fragment; the datagram that it completes.
    #[cold]
    #[inline(never)]
    fn reassemble(&mut self, fragment: Upper<'a>, place: Place, outer: Outer<'a>) -> Result<(Outer<'a>, Upper<'a>), Count> {
        let (whole, left) = std::mem::take(&mut self.wholes).split_first_mut().ok_or(Count::FragmentNested)?;
        self.wholes = left;
        self.fragments.add(fragment, place, outer, (whole, self.counters))
    }

    /// Counts a datagram that is no TCP segment.
    fn left(&mut self, fate: Count) {
        self.counters.add(fate);
        match fate {
            Count::Arp => self.counters.understood(),
            Count::LinkTypeUnsupported => self.counters.link_type(self.frame.link.0),
            _ => {}
        }
    }
}

/// The TCP segment that `next` leads to, or what there is instead.
#[inline(never)]
fn datagram<'a>(next: Next<'a>, link: Link<'a>, desk: &mut Desk<'a, '_>) -> Result<Packet<'a>, Stop<'a>> {
    let (outer, upper) = network(next, link, desk)?;
    above(outer, upper, desk)
}

/// Goes from header to header until one of IP has been read.
#[inline(never)]
fn network<'a>(mut next: Next<'a>, mut link: Link<'a>, desk: &mut Desk<'a, '_>) -> Result<(Outer<'a>, Upper<'a>), Stop<'a>> {
    loop {
        next = match next {
            Next::V4(ip) => return Ok(ip::v4(ip, link, desk)?),
            Next::V6(ip) => return Ok(ip::v6(ip, link, desk)?),
            Next::Subframes(all) => return Err(Stop::Several(all, link)),
            Next::Arp(packet) => return Err(datagram::arp(packet, link, desk.frame).map_or(Stop::Fate(Count::Arp), Stop::Datagram)),
            other => link::step(other, &mut link, desk)?,
        };
    }
}

/// Goes through what is above an IP header, and the headers in there, until TCP comes.
#[inline(never)]
fn above<'a>(mut outer: Outer<'a>, mut upper: Upper<'a>, desk: &mut Desk<'a, '_>) -> Result<Packet<'a>, Stop<'a>> {
    loop {
        if upper.protocol == ESP
            && let Some(inner) = esp::opened(&outer, upper)
        {
            desk.counters.add(Count::InEsp);
            upper = inner;
        }
        if upper.protocol == TCP {
            return tcp::segment(desk.frame.number, outer, upper, desk.counters);
        }
        let (next, link) = tunnel::inside(outer, upper, desk)
            .map_err(|fate| datagram::above_ip(fate, &outer, &upper, desk.frame).map_or(Stop::Fate(fate), Stop::Datagram))?;
        (outer, upper) = network(next, link, desk)?;
    }
}

/// Each datagram of an A-MSDU by itself.
#[cold]
fn several<'a>(subframes: Captured<'a>, link: Link<'a>, desk: &mut Desk<'a, '_>, each: &mut impl FnMut(Decoded<'_, '_>)) {
    desk.counters.add(Count::InAggregate);
    let mut empty = true;
    for (next, link) in wifi::subframes(subframes, link) {
        empty = false;
        let (tags_left, tunnels_left) = (desk.tags_left, desk.tunnels_left);
        let wholes = &mut *desk.wholes;
        let mut own =
            Desk { frame: desk.frame, counters: &mut *desk.counters, fragments: &mut *desk.fragments, wholes, tags_left, tunnels_left };
        match datagram(next, link, &mut own) {
            Ok(packet) => {
                own.counters.add(Count::Tcp);
                each(Decoded::Tcp(&packet));
            }
            Err(Stop::Fate(fate)) => own.left(fate),
            Err(Stop::Datagram(datagram)) => {
                own.left(datagram.fate());
                each(Decoded::Datagram(&datagram));
            }
            // An aggregate inside a datagram of an aggregate: nobody builds that.
            Err(Stop::Several(..)) => own.left(Count::WifiOther),
        }
    }
    if empty {
        desk.left(Count::WifiOther);
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
