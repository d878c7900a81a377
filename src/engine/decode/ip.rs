//! IPv4 and IPv6 headers, extension headers, and where the IP packet ends: padding is cut here.

use etherparse::err::{ip_auth, ipv4, ipv6};
use etherparse::{IpAuthHeaderSlice, Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice};

use super::Desk;
use super::captured::Captured;
use super::count::{Count, Counters};
use super::fragment::Place;
use super::link::Link;
use super::packet::Addr;
use crate::engine::time::Timestamp;

/// How many extension headers of one packet are followed. RFC 8200 section 4.1 recommends an order of seven.
const EXTENSIONS: usize = 12;

/// Protocol and next-header numbers (IANA) that matter to the walk.
mod number {
    pub(super) const HOP_BY_HOP: u8 = 0;
    pub(super) const ROUTING: u8 = 43;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const DESTINATION: u8 = 60;
    pub(super) const MOBILITY: u8 = 135;
    pub(super) const HIP: u8 = 139;
    pub(super) const SHIM6: u8 = 140;
}

/// What is known of a packet from outside its transport header. By value through the whole decoder, so that it stays in registers.
#[derive(Clone, Copy)]
pub(super) struct Outer<'a> {
    pub(super) time: Timestamp,
    pub(super) wire_len: u32,
    pub(super) link: Link<'a>,
    pub(super) src: Addr,
    pub(super) dst: Addr,
    pub(super) version: u8,
    pub(super) ttl: u8,
    pub(super) id: u16,
    pub(super) flow_label: u32,
    pub(super) df: bool,
}

/// What an IP packet carries, with the headers so far taken off.
#[derive(Clone, Copy)]
pub(super) struct Upper<'a> {
    /// The protocol of `bytes`.
    pub(super) protocol: u8,
    /// What was captured of it, without padding.
    pub(super) bytes: &'a [u8],
    /// Its length as the IP header declares it; never less than `bytes.len()`.
    pub(super) declared: u32,
    /// False when a source route hides the address that the transport checksum covers.
    pub(super) checksum_covers_addresses: bool,
}

impl<'a> Upper<'a> {
    #[inline]
    fn new(protocol: u8, rest: &'a [u8], declared: u32) -> Self {
        Self { protocol, bytes: rest.get(..declared as usize).unwrap_or(rest), declared, checksum_covers_addresses: true }
    }

    /// Takes off a header of `len` captured bytes.
    fn skip(&mut self, len: usize, next: u8) {
        self.protocol = next;
        self.bytes = self.bytes.get(len..).unwrap_or(&[]);
        self.declared = self.declared.saturating_sub(u32::try_from(len).unwrap_or(u32::MAX));
    }

    /// Why a header could not be taken off.
    fn cut_or_invalid(&self) -> Count {
        if self.is_cut() { Count::ExtensionCut } else { Count::ExtensionInvalid }
    }

    /// Its bytes, with what is known of the wire.
    pub(super) fn captured(&self) -> Captured<'a> {
        let captured = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        Captured { bytes: self.bytes, beyond: self.declared.saturating_sub(captured) }
    }

    /// Whether the snap length took a part of it.
    pub(super) fn is_cut(&self) -> bool {
        self.bytes.len() < self.declared as usize
    }
}

/// An IPv4 packet's upper layer; reassembled when this fragment completes it.
#[inline]
pub(super) fn v4<'a>(ip: Captured<'a>, link: Link<'a>, desk: &mut Desk<'a, '_>) -> Result<(Outer<'a>, Upper<'a>), Count> {
    let header = Ipv4HeaderSlice::from_slice(ip.bytes).map_err(|error| match error {
        ipv4::HeaderSliceError::Len(_) => Count::Ipv4HeaderCut,
        ipv4::HeaderSliceError::Content(_) => Count::Ipv4HeaderInvalid,
    })?;
    let header_len = header.slice().len();
    let rest = ip.bytes.get(header_len..).unwrap_or(&[]);
    let on_wire = on_wire(rest, ip);
    let declared = match header.total_len() {
        // Segmentation offload: the frame was captured before the card set the length.
        0 => on_wire,
        total => u32::from(total).checked_sub(header_len as u32).ok_or(Count::Ipv4HeaderInvalid)?,
    };
    let mut outer = Outer {
        time: desk.frame.time,
        wire_len: desk.frame.wire_len,
        link,
        src: Addr::v4(header.source()),
        dst: Addr::v4(header.destination()),
        version: 4,
        ttl: header.ttl(),
        id: header.identification(),
        flow_label: 0,
        df: header.dont_fragment(),
    };
    arrived(declared, on_wire, desk.counters);

    let mut upper = Upper::new(header.protocol().0, rest, declared);
    upper.checksum_covers_addresses = !source_routed(header.options());
    if header.is_fragmenting_payload() {
        let place = Place {
            id: u32::from(header.identification()),
            offset: u32::from(header.fragments_offset().byte_offset()),
            more: header.more_fragments(),
        };
        (outer, upper) = desk.reassemble(upper, place, outer)?;
    }
    if upper.protocol == number::AUTHENTICATION {
        upper = authentication(upper)?;
    }
    Ok((outer, upper))
}

/// An IPv6 packet's upper layer; reassembled when this fragment completes it.
pub(super) fn v6<'a>(ip: Captured<'a>, link: Link<'a>, desk: &mut Desk<'a, '_>) -> Result<(Outer<'a>, Upper<'a>), Count> {
    let header = Ipv6HeaderSlice::from_slice(ip.bytes).map_err(|error| match error {
        ipv6::HeaderSliceError::Len(_) => Count::Ipv6HeaderCut,
        ipv6::HeaderSliceError::Content(_) => Count::Ipv6HeaderInvalid,
    })?;
    let rest = ip.bytes.get(header.slice().len()..).unwrap_or(&[]);
    let on_wire = on_wire(rest, ip);
    let next = header.next_header().0;
    let declared = match header.payload_length() {
        0 if next == number::HOP_BY_HOP => jumbo_length(rest).unwrap_or(on_wire),
        // Segmentation offload, or Linux's "BIG TCP".
        0 => on_wire,
        length => u32::from(length),
    };
    let outer = Outer {
        time: desk.frame.time,
        wire_len: desk.frame.wire_len,
        link,
        src: Addr::v6(header.source()),
        dst: Addr::v6(header.destination()),
        version: 6,
        ttl: header.hop_limit(),
        id: 0,
        flow_label: header.flow_label().value(),
        df: false,
    };
    arrived(declared, on_wire, desk.counters);
    extensions(Upper::new(next, rest, declared), outer, desk)
}

#[inline]
fn on_wire(rest: &[u8], ip: Captured<'_>) -> u32 {
    u32::try_from(rest.len()).unwrap_or(u32::MAX).saturating_add(ip.beyond)
}

#[inline]
fn arrived(declared: u32, on_wire: u32, counters: &mut Counters) {
    counters.understood();
    if declared > on_wire {
        counters.add(Count::IpLongerThanFrame);
    }
}

#[inline]
fn extensions<'a>(mut upper: Upper<'a>, mut outer: Outer<'a>, desk: &mut Desk<'a, '_>) -> Result<(Outer<'a>, Upper<'a>), Count> {
    let mut whole = false;
    for _ in 0..=EXTENSIONS {
        match upper.protocol {
            number::HOP_BY_HOP | number::ROUTING | number::DESTINATION | number::MOBILITY | number::HIP | number::SHIM6 => {
                let header = Ipv6RawExtHeaderSlice::from_slice(upper.bytes).map_err(|_| upper.cut_or_invalid())?;
                // RFC 8200 section 8.1: the checksum covers the final destination, which is the header's own only with no segment left.
                if upper.protocol == number::ROUTING && header.payload().get(1).is_some_and(|&left| left > 0) {
                    upper.checksum_covers_addresses = false;
                }
                upper.skip(header.slice().len(), header.next_header().0);
            }
            number::AUTHENTICATION => upper = authentication(upper)?,
            number::FRAGMENT => {
                let header = Ipv6FragmentHeaderSlice::from_slice(upper.bytes).map_err(|_| upper.cut_or_invalid())?;
                upper.skip(header.slice().len(), header.next_header().0);
                // An atomic fragment (RFC 6946) is the whole datagram.
                if header.is_fragmenting_payload() {
                    let place = Place {
                        id: header.identification(),
                        offset: u32::from(header.fragment_offset().byte_offset()),
                        more: header.more_fragments(),
                    };
                    if whole {
                        return Err(Count::FragmentNested);
                    }
                    whole = true;
                    (outer, upper) = desk.reassemble(upper, place, outer)?;
                }
            }
            _ => return Ok((outer, upper)),
        }
    }
    Err(Count::ExtensionsTooMany)
}

fn authentication(mut upper: Upper<'_>) -> Result<Upper<'_>, Count> {
    let header = IpAuthHeaderSlice::from_slice(upper.bytes).map_err(|error| match error {
        ip_auth::HeaderSliceError::Len(_) => upper.cut_or_invalid(),
        ip_auth::HeaderSliceError::Content(_) => Count::ExtensionInvalid,
    })?;
    upper.skip(header.slice().len(), header.next_header().0);
    Ok(upper)
}

/// The jumbo payload option (RFC 2675) of a hop-by-hop header, which is legal above 65,535 only.
fn jumbo_length(rest: &[u8]) -> Option<u32> {
    const JUMBO: u8 = 0xc2;
    let header = Ipv6RawExtHeaderSlice::from_slice(rest).ok()?;
    let mut options = header.payload();
    loop {
        match *options {
            [0, ..] => options = options.get(1..)?,
            [JUMBO, 4, l0, l1, l2, l3, ..] => return Some(u32::from_be_bytes([l0, l1, l2, l3])).filter(|&length| length > 0xffff),
            [_, len, ..] => options = options.get(usize::from(len).saturating_add(2)..)?,
            _ => return None,
        }
    }
}

/// Whether an IPv4 source route (RFC 791 section 3.1) has hops left, so that the destination field is not the last one.
#[inline]
fn source_routed(mut options: &[u8]) -> bool {
    const LOOSE: u8 = 131;
    const STRICT: u8 = 137;
    loop {
        match *options {
            [1, ..] => options = options.get(1..).unwrap_or(&[]),
            [LOOSE | STRICT, len, pointer, ..] => return pointer <= len,
            [kind, len, ..] if kind != 0 && len >= 2 => options = options.get(usize::from(len)..).unwrap_or(&[]),
            _ => return false,
        }
    }
}

/// The fate of a packet that carries no TCP.
pub(super) fn fate_of_protocol(protocol: u8) -> Count {
    match protocol {
        1 => Count::Icmp,
        2 => Count::Igmp,
        4 => Count::Ipv4InIp,
        17 => Count::Udp,
        41 => Count::Ipv6InIp,
        47 => Count::Gre,
        50 => Count::Esp,
        58 => Count::Icmpv6,
        59 => Count::NoNextHeader,
        89 => Count::Ospf,
        103 => Count::Pim,
        115 => Count::L2tp,
        137 => Count::Mpls,
        112 => Count::Vrrp,
        132 => Count::Sctp,
        _ => Count::IpProtocolOther,
    }
}
