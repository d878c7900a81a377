//! What IP carries beside TCP: other packets. One file for each family of encapsulations.

mod air;
pub(super) mod esp;
mod gre;
mod gtp;
mod l2tp;
pub(super) mod overlay;
mod teredo;
mod udp;

use super::Desk;
use super::captured::Captured;
use super::count::Count;
use super::ip::{Outer, Upper, fate_of_protocol};
use super::link::{Link, Next};
use super::mpls;
use super::packet::Addr;

/// An encapsulation that was recognised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened<'a> {
    /// The note that is counted.
    pub(super) kind: Count,
    /// What tells this tunnel from others of its kind, when that is the same in both directions; it joins the flow key. Nothing
    /// joins it where the directions differ, or where one of them may have no tunnel: half a conversation is worse than two in one.
    pub(super) id: Option<u64>,
    /// What is inside.
    pub(super) next: Next<'a>,
}

/// Goes into what is above an IP header, or says what that is.
#[inline(never)]
pub(super) fn inside<'a>(outer: Outer<'a>, upper: Upper<'a>, desk: &mut Desk<'a, '_>) -> Result<(Next<'a>, Link<'a>), Count> {
    let mut link = outer.link;
    let rest = upper.captured();
    let ends = unordered(outer.src, outer.dst);
    let opened = match upper.protocol {
        // Private addresses are in the inner header of IPv4 (DS-Lite, for one); those of IPv6 are unique, and 6to4 answers by
        // another relay.
        4 => Some(Opened { kind: Count::InIpv4, id: Some(ends), next: Next::V4(rest) }),
        41 => Some(Opened { kind: Count::InIpv6, id: None, next: Next::V6(rest) }),
        17 => udp::open(rest, ends),
        47 => gre::open(rest, ends),
        97 => ethernet_in_ip(rest, ends),
        115 => l2tp::open_in_ip(rest, ends),
        137 => mpls::open(rest),
        143 => Some(Opened { kind: Count::InEtherIp, id: None, next: Next::Ethernet(rest) }),
        _ => None,
    };
    let next = desk.open(opened, &mut link, fate_of_protocol(upper.protocol))?;
    Ok((next, link))
}

/// EtherIP (RFC 3378): version 3.
fn ethernet_in_ip(mut rest: Captured<'_>, ends: u64) -> Option<Opened<'_>> {
    let &[0x30, _] = rest.take::<2>()? else { return None };
    Some(Opened { kind: Count::InEtherIp, id: Some(ends), next: Next::Ethernet(rest) })
}

/// A number for two addresses that does not depend on who sends.
fn unordered(a: Addr, b: Addr) -> u64 {
    let number = |Addr(bits): Addr| ((bits >> 64) as u64 ^ (bits as u64).rotate_left(32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let spread = |number: u64| (number ^ (number >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    spread(number(a)).wrapping_add(spread(number(b)))
}
