//! The link layer: which header a frame of each link type begins with, and what is known of a packet from there.

use super::Desk;
use super::captured::Captured;
use super::count::Count;
use super::packet::Vlans;
use super::{cooked, ethertype, mpls, ppp, wifi};
use crate::engine::frame::{Frame, LinkType};

/// The next header to read, and the bytes from it on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next<'a> {
    /// IPv4.
    V4(Captured<'a>),
    /// IPv6.
    V6(Captured<'a>),
    /// IP of the version that its first half byte says.
    Ip(Captured<'a>),
    /// Ethernet from the destination address on.
    Ethernet(Captured<'a>),
    /// What follows a type field.
    EtherType(u16, Captured<'a>),
    /// IEEE 802.2.
    Llc(Captured<'a>),
    /// PPP from the protocol field, or from the address field, on.
    Ppp(Captured<'a>),
    /// The session header of PPPoE.
    Pppoe(Captured<'a>),
    /// A stack of MPLS labels.
    Mpls(Captured<'a>),
    /// IEEE 802.11 from the frame control field on.
    Wifi(wifi::Air<'a>),
    /// ARP.
    Arp(Captured<'a>),
    /// The subframes of an A-MSDU: several datagrams.
    Subframes(Captured<'a>),
}

/// What is known of a packet from outside its IP header.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link<'a> {
    /// Destination and source where they lie in the frame: twelve bytes by value would be copied at each step.
    pub(super) ether: Option<(&'a [u8; 6], &'a [u8; 6])>,
    /// VLAN ids.
    pub(super) vlans: Vlans,
    /// The tunnels around the packet, as `Head::tunnel` has it.
    pub(super) tunnel: u32,
}

impl<'a> Link<'a> {
    /// Source and destination.
    #[inline]
    pub(super) fn source_and_destination(self) -> Option<([u8; 6], [u8; 6])> {
        self.ether.map(|(destination, source)| (*source, *destination))
    }

    /// Goes into a tunnel of `kind`. Of `id` nothing but equality matters; it must be the same in both directions.
    pub(super) fn enter(&mut self, kind: Count, id: u64) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let outside = (u64::from(self.tunnel) << 16) | (kind as u64);
        let mixed = (outside.wrapping_mul(ODD) ^ id).wrapping_mul(ODD);
        // 0 means that there is no tunnel.
        self.tunnel = (((mixed ^ (mixed >> 29)).wrapping_mul(ODD) >> 32) as u32).max(1);
    }
}

/// The first header of `frame`.
#[inline]
pub(super) fn first<'a>(frame: &Frame<'a>, link: &mut Link<'a>) -> Result<Next<'a>, Count> {
    let captured = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
    let all = Captured { bytes: frame.bytes, beyond: frame.wire_len.saturating_sub(captured) };
    if frame.link == LinkType::ETHERNET { ethernet(all, link) } else { other(frame.link, all) }
}

/// The numbers are those of the tcpdump.org registry.
pub(super) fn other(link: LinkType, all: Captured<'_>) -> Result<Next<'_>, Count> {
    match link.0 {
        0 | 108 => cooked::loopback(all),
        1 => Ok(Next::Ethernet(all)),
        9 | 50 => ppp::in_frame(all),
        12 | 14 | 101 => Ok(Next::Ip(all)),
        51 => Ok(Next::Pppoe(all)),
        104 => ppp::cisco(all),
        105 => Ok(Next::Wifi(wifi::Air::plain(all))),
        113 => cooked::linux_sll(all),
        117 => cooked::pflog(all),
        119 => wifi::prism(all),
        127 => wifi::radiotap(all),
        143 => cooked::docsis(all),
        163 => wifi::avs(all),
        166 | 204 => ppp::with_direction(all),
        192 => wifi::ppi(all),
        226 => cooked::ipnet(all),
        228 => Ok(Next::V4(all)),
        229 => Ok(Next::V6(all)),
        239 => cooked::nflog(all),
        274 => cooked::mpacket(all),
        276 => cooked::linux_sll2(all),
        _ => Err(Count::LinkTypeUnsupported),
    }
}

/// Reads a header that is no IP header; what follows it.
pub(super) fn step<'a>(next: Next<'a>, link: &mut Link<'a>, desk: &mut Desk<'a, '_>) -> Result<Next<'a>, Count> {
    match next {
        Next::Ip(all) => match all.nibble() {
            Some(4) => Ok(Next::V4(all)),
            Some(6) => Ok(Next::V6(all)),
            Some(_) => Err(Count::IpVersionUnknown),
            None => Err(Count::LinkHeaderCut),
        },
        Next::Ethernet(rest) => ethernet(rest, link),
        Next::EtherType(ethertype, rest) => ethertype::step(ethertype, rest, link, desk),
        Next::Llc(rest) => ethertype::llc(rest),
        Next::Ppp(rest) => ppp::step(rest),
        Next::Pppoe(rest) => desk.open(ppp::over_ethernet(rest), link, Count::Pppoe),
        Next::Mpls(rest) => desk.open(mpls::open(rest), link, Count::Mpls),
        Next::Wifi(air) => wifi::step(air, link),
        Next::V4(_) | Next::V6(_) | Next::Arp(_) | Next::Subframes(_) => Ok(next),
    }
}

#[inline]
fn ethernet<'a>(mut rest: Captured<'a>, link: &mut Link<'a>) -> Result<Next<'a>, Count> {
    let destination = rest.take::<6>().ok_or(Count::LinkHeaderCut)?;
    let source = rest.take::<6>().ok_or(Count::LinkHeaderCut)?;
    let &ethertype = rest.take::<2>().ok_or(Count::LinkHeaderCut)?;
    link.ether = Some((destination, source));
    Ok(match u16::from_be_bytes(ethertype) {
        0x0800 => Next::V4(rest),
        0x86dd => Next::V6(rest),
        ethertype => Next::EtherType(ethertype, rest),
    })
}
