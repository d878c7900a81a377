//! The link layer: one function per link type, each giving the network protocol and what follows it. VLAN tags and LLC/SNAP too.

use super::count::Count;
use super::packet::Vlans;
use crate::engine::frame::{Frame, LinkType};

/// Raw IPv4, as the tcpdump.org registry numbers it.
const RAW_IPV4: LinkType = LinkType(228);
/// Raw IPv6, as the tcpdump.org registry numbers it.
const RAW_IPV6: LinkType = LinkType(229);

/// Below this a type field is an 802.3 length (IEEE 802.3 clause 3.2.6; the values between 1501 and 1535 mean nothing).
const FIRST_ETHERTYPE: u16 = 0x600;
/// LLC header with the SNAP service points, unnumbered information.
const LLC_SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
/// LLC header with the service points of IP (RFC 948).
const LLC_IP: [u8; 3] = [0x06, 0x06, 0x03];

/// Captured bytes with what is known of the wire.
#[derive(Clone, Copy)]
pub(super) struct Captured<'a> {
    /// What was captured.
    pub(super) bytes: &'a [u8],
    /// How many bytes of the wire follow that were not captured.
    pub(super) beyond: u32,
}

impl<'a> Captured<'a> {
    /// Splits off the first `N` bytes.
    #[inline]
    fn take<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (first, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(first)
    }

    /// Cuts what follows the first `len` bytes.
    fn truncate(&mut self, len: usize) {
        if let Some(first) = self.bytes.get(..len) {
            self.bytes = first;
            self.beyond = 0;
        }
    }
}

/// The network layer that a frame carries.
#[derive(Clone, Copy)]
pub(super) enum Network<'a> {
    /// IPv4, by its type field.
    V4(Captured<'a>),
    /// IPv6, by its type field.
    V6(Captured<'a>),
}

/// What the link layer says of a packet.
#[derive(Clone, Copy, Default)]
pub(super) struct Link<'a> {
    /// Destination and source where they lie in the frame: twelve bytes by value would be copied at each step.
    pub(super) ether: Option<&'a [u8; 12]>,
    /// VLAN ids.
    pub(super) vlans: Vlans,
}

impl Link<'_> {
    /// Source and destination.
    #[inline]
    pub(super) fn source_and_destination(self) -> Option<([u8; 6], [u8; 6])> {
        let (destination, rest) = self.ether?.split_first_chunk()?;
        Some((*rest.first_chunk()?, *destination))
    }
}

/// Walks the link layer of `frame`. The error is the fate of a frame without IP.
#[inline]
pub(super) fn network<'a>(frame: &Frame<'a>, vlan_depth: usize) -> Result<(Network<'a>, Link<'a>), Count> {
    let captured = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
    let all = Captured { bytes: frame.bytes, beyond: frame.wire_len.saturating_sub(captured) };
    let mut link = Link::default();
    let network = match frame.link {
        LinkType::ETHERNET => ethernet(all, &mut link, vlan_depth),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => raw(all),
        RAW_IPV4 => Ok(Network::V4(all)),
        RAW_IPV6 => Ok(Network::V6(all)),
        LinkType::LINUX_SLL => linux_sll(all, &mut link.vlans, vlan_depth),
        LinkType::LINUX_SLL2 => linux_sll2(all, &mut link.vlans, vlan_depth),
        _ => Err(Count::LinkTypeUnsupported),
    }?;
    Ok((network, link))
}

#[inline]
fn ethernet<'a>(mut rest: Captured<'a>, link: &mut Link<'a>, vlan_depth: usize) -> Result<Network<'a>, Count> {
    link.ether = rest.bytes.first_chunk();
    let &[.., t0, t1] = rest.take::<14>().ok_or(Count::LinkHeaderCut)?;
    match u16::from_be_bytes([t0, t1]) {
        0x0800 => Ok(Network::V4(rest)),
        0x86dd => Ok(Network::V6(rest)),
        ethertype => by_type(ethertype, rest, &mut link.vlans, vlan_depth),
    }
}

fn raw(all: Captured<'_>) -> Result<Network<'_>, Count> {
    match all.bytes.first().map(|first| first >> 4) {
        Some(4) => Ok(Network::V4(all)),
        Some(6) => Ok(Network::V6(all)),
        Some(_) => Err(Count::IpVersionUnknown),
        None => Err(Count::LinkHeaderCut),
    }
}

/// LINKTYPE_LINUX_SLL: packet type, device type, address length, address, protocol.
fn linux_sll<'a>(mut rest: Captured<'a>, vlans: &mut Vlans, vlan_depth: usize) -> Result<Network<'a>, Count> {
    let &[_, _, device0, device1, .., protocol0, protocol1] = rest.take::<16>().ok_or(Count::LinkHeaderCut)?;
    cooked([device0, device1], [protocol0, protocol1], rest, vlans, vlan_depth)
}

/// LINKTYPE_LINUX_SLL2: protocol, reserved, interface, device type, packet type, address length, address.
fn linux_sll2<'a>(mut rest: Captured<'a>, vlans: &mut Vlans, vlan_depth: usize) -> Result<Network<'a>, Count> {
    let &[protocol0, protocol1, _, _, _, _, _, _, device0, device1, ..] = rest.take::<20>().ok_or(Count::LinkHeaderCut)?;
    cooked([device0, device1], [protocol0, protocol1], rest, vlans, vlan_depth)
}

fn cooked<'a>(device: [u8; 2], protocol: [u8; 2], rest: Captured<'a>, vlans: &mut Vlans, vlan_depth: usize) -> Result<Network<'a>, Count> {
    // The device types (ARPHRD_) whose protocol field is no EtherType, by the registry's page on LINKTYPE_LINUX_SLL:
    // FRAD, 802.11 with and without headers, netlink.
    if matches!(u16::from_be_bytes(device), 770 | 801..=803 | 824) {
        return Err(Count::CookedOther);
    }
    match u16::from_be_bytes(protocol) {
        // An 802.2 LLC header follows, without a length.
        0x0004 => {
            let (ethertype, rest) = llc(rest)?;
            by_type(ethertype, rest, vlans, vlan_depth)
        }
        0..FIRST_ETHERTYPE => Err(Count::CookedOther),
        ethertype => by_type(ethertype, rest, vlans, vlan_depth),
    }
}

/// Looks through VLAN tags and, once, through LLC.
fn by_type<'a>(mut ethertype: u16, mut rest: Captured<'a>, vlans: &mut Vlans, vlan_depth: usize) -> Result<Network<'a>, Count> {
    let mut tags = 0;
    let mut in_llc = false;
    loop {
        match ethertype {
            0x0800 => return Ok(Network::V4(rest)),
            0x86dd => return Ok(Network::V6(rest)),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                if tags == vlan_depth {
                    return Err(Count::VlanTooDeep);
                }
                tags += 1;
                let &[tci0, tci1, type0, type1] = rest.take::<4>().ok_or(Count::LinkHeaderCut)?;
                // Id 0 is a priority tag (IEEE 802.1Q table 9-2): the frame belongs to no VLAN by it.
                match u16::from_be_bytes([tci0, tci1]) & 0xfff {
                    0 => {}
                    id => vlans.push(id),
                }
                ethertype = u16::from_be_bytes([type0, type1]);
            }
            0..FIRST_ETHERTYPE if !in_llc => {
                in_llc = true;
                rest.truncate(usize::from(ethertype));
                (ethertype, rest) = llc(rest)?;
            }
            other => return Err(fate_of_ethertype(other)),
        }
    }
}

/// The EtherType that an LLC header stands for, and what follows.
fn llc(mut rest: Captured<'_>) -> Result<(u16, Captured<'_>), Count> {
    match *rest.take::<3>().ok_or(Count::LinkHeaderCut)? {
        LLC_IP => Ok((0x0800, rest)),
        LLC_SNAP => match *rest.take::<5>().ok_or(Count::LinkHeaderCut)? {
            // RFC 1042, and the bridge-tunnel encapsulation of IEEE 802.1H.
            [0, 0, 0 | 0xf8, type0, type1] => Ok((u16::from_be_bytes([type0, type1]), rest)),
            _ => Err(Count::LlcOther),
        },
        _ => Err(Count::LlcOther),
    }
}

fn fate_of_ethertype(ethertype: u16) -> Count {
    match ethertype {
        0x0806 => Count::Arp,
        0x8847 | 0x8848 => Count::Mpls,
        0x8863 | 0x8864 => Count::Pppoe,
        0x888e => Count::Eapol,
        0x88cc => Count::Lldp,
        0x88e5 => Count::Macsec,
        _ => Count::EthertypeOther,
    }
}
