//! What the decoder makes of a message without TCP that somebody reads: ARP, ICMP redirects, neighbour discovery, DHCP, DNS, first packets of QUIC.

use super::captured::Captured;
use super::count::Count;
use super::ip::{Outer, Upper};
use super::link::Link;
use super::packet::{Addr, Vlans};
use crate::engine::frame::Frame;
use crate::engine::time::Timestamp;

/// The port of DNS.
pub const DNS: u16 = 53;
/// UDP ports (IANA) whose datagrams are handed on, whichever end has them: DNS, DHCP, DHCPv6.
const READ: [u16; 5] = [DNS, 67, 68, 546, 547];
/// The port of HTTPS: of the datagrams to it the first of a QUIC connection are handed on.
const HTTPS: u16 = 443;
/// ICMP's redirect (RFC 792).
const REDIRECT: u8 = 5;
/// ICMPv6 from router solicitation to redirect (RFC 4861, section 4).
const FIRST_DISCOVERY: u8 = 133;
const LAST_DISCOVERY: u8 = 137;

/// A message that somebody reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'a> {
    /// The header fields.
    pub head: DatagramHead,
    /// What was captured after the UDP header; of ARP, ICMP and ICMPv6 the whole message. `head.payload_len` is its length on the wire.
    pub payload: &'a [u8],
}

/// What carries a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Carrier {
    /// ARP for IPv4 on Ethernet.
    Arp,
    /// ICMP, type 5 only.
    Icmp,
    /// ICMPv6, types 133 to 137 only.
    Icmpv6,
    /// UDP.
    Udp,
    /// TCP: a message of DNS that was put together out of a connection. The decoder makes none.
    Tcp,
}

/// The header fields of a message, host byte order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DatagramHead {
    /// What it is.
    pub carrier: Carrier,
    /// Frame number, 1-based.
    pub frame: u64,
    /// Capture time.
    pub time: Timestamp,
    /// Source address; of ARP the sender's protocol address.
    pub src: Addr,
    /// Destination address; of ARP the target's protocol address.
    pub dst: Addr,
    /// Source port; 0 where there are none.
    pub src_port: u16,
    /// Destination port; 0 where there are none.
    pub dst_port: u16,
    /// TTL or hop limit of the innermost IP header; 0 for ARP.
    pub ttl: u8,
    /// IPv4 identification; 0 for IPv6 and ARP.
    pub ip_id: u16,
    /// IPv4 "don't fragment"; false for IPv6 and ARP.
    pub df: bool,
    /// 4 or 6; 4 for ARP.
    pub ip_version: u8,
    /// See `Head::ether`.
    pub ether: Option<([u8; 6], [u8; 6])>,
    /// VLAN ids from the outside in.
    pub vlans: Vlans,
    /// See `Head::tunnel`.
    pub tunnel: u32,
    /// Bytes of the payload on the wire.
    pub payload_len: u32,
    /// Bytes of the whole frame on the wire.
    pub wire_len: u32,
}

impl Datagram<'_> {
    /// A question or answer of DNS. All others are messages of the local network.
    #[must_use]
    pub const fn is_dns(&self) -> bool {
        let DatagramHead { src_port, dst_port, .. } = self.head;
        matches!(self.head.carrier, Carrier::Udp) && (src_port == DNS || dst_port == DNS)
    }

    /// The first packet of a QUIC connection, or one like it.
    #[must_use]
    pub const fn is_quic(&self) -> bool {
        matches!(self.head.carrier, Carrier::Udp) && self.head.dst_port == HTTPS
    }

    /// It belongs to the shard of its two addresses.
    #[must_use]
    pub const fn is_of_pair(&self) -> bool {
        self.is_dns() || self.is_quic()
    }

    /// How the decoder counts it.
    pub(super) const fn fate(&self) -> Count {
        match self.head.carrier {
            Carrier::Arp => Count::Arp,
            Carrier::Icmp => Count::Icmp,
            Carrier::Icmpv6 => Count::Icmpv6,
            Carrier::Udp | Carrier::Tcp => Count::Udp,
        }
    }
}

/// An ARP packet (RFC 826) of IPv4 on Ethernet; its padding is cut.
#[cold]
pub(super) fn arp<'a>(packet: Captured<'a>, link: Link<'a>, frame: &Frame<'_>) -> Option<Datagram<'a>> {
    const LEN: usize = 28;
    let payload = packet.bytes.get(..LEN)?;
    let fields = etherparse::ArpPacketSlice::from_slice(payload).ok()?;
    let is_ipv4 = fields.hw_addr_size() == 6 && fields.proto_addr_type() == etherparse::EtherType::IPV4 && fields.proto_addr_size() == 4;
    let address = |bytes: &[u8]| bytes.first_chunk().copied().map(Addr::v4);
    let (src, dst) = (address(fields.sender_protocol_addr())?, address(fields.target_protocol_addr())?);
    let outer = Outer { time: frame.time, wire_len: frame.wire_len, link, src, dst, version: 4, ttl: 0, id: 0, flow_label: 0, df: false };
    is_ipv4.then(|| datagram(Carrier::Arp, &outer, (payload, LEN as u32), frame))
}

/// What IP carries under `fate`, if it is of those that somebody reads.
#[cold]
pub(super) fn above_ip<'a>(fate: Count, outer: &Outer<'a>, upper: &Upper<'a>, frame: &Frame<'_>) -> Option<Datagram<'a>> {
    let kind = *upper.bytes.first()?;
    match fate {
        Count::Udp => udp(outer, upper.captured(), frame),
        Count::Icmp if kind == REDIRECT => Some(datagram(Carrier::Icmp, outer, (upper.bytes, upper.declared), frame)),
        Count::Icmpv6 if (FIRST_DISCOVERY..=LAST_DISCOVERY).contains(&kind) => {
            Some(datagram(Carrier::Icmpv6, outer, (upper.bytes, upper.declared), frame))
        }
        _ => None,
    }
}

fn udp<'a>(outer: &Outer<'a>, mut rest: Captured<'a>, frame: &Frame<'_>) -> Option<Datagram<'a>> {
    let &[s0, s1, d0, d1, l0, l1, _, _] = rest.take::<8>()?;
    let ports = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    let is_initial = ports.1 == HTTPS && is_initial(rest.bytes);
    if !is_initial && !READ.iter().any(|port| *port == ports.0 || *port == ports.1) {
        return None;
    }
    // 0 is a length that an offloading card was to fill in.
    if let Some(length) = u16::from_be_bytes([l0, l1]).checked_sub(8) {
        rest.truncate(usize::from(length));
    }
    let length = u32::try_from(rest.len()).unwrap_or(u32::MAX);
    let mut datagram = datagram(Carrier::Udp, outer, (rest.bytes, length), frame);
    (datagram.head.src_port, datagram.head.dst_port) = ports;
    Some(datagram)
}

/// An Initial packet of QUIC version 1 (RFC 9000, section 17.2.2) or 2 (RFC 9369, section 3.2), by its first five bytes.
fn is_initial(payload: &[u8]) -> bool {
    matches!(payload, [0xc0..=0xcf, 0, 0, 0, 1, ..] | [0xd0..=0xdf, 0x6b, 0x33, 0x43, 0xcf, ..])
}

fn datagram<'a>(carrier: Carrier, outer: &Outer<'a>, (payload, payload_len): (&'a [u8], u32), frame: &Frame<'_>) -> Datagram<'a> {
    let head = DatagramHead {
        carrier,
        frame: frame.number,
        time: outer.time,
        src: outer.src,
        dst: outer.dst,
        src_port: 0,
        dst_port: 0,
        ttl: outer.ttl,
        ip_id: outer.id,
        df: outer.df,
        ip_version: outer.version,
        ether: outer.link.source_and_destination(),
        vlans: outer.link.vlans,
        tunnel: outer.link.tunnel,
        payload_len,
        wire_len: outer.wire_len,
    };
    Datagram { head, payload }
}
