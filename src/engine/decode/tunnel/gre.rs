//! GRE: plain and keyed (RFC 2784, RFC 2890), PPTP's (RFC 2637), ERSPAN, WCCP.

use super::super::captured::Captured;
use super::super::count::Count;
use super::super::link::Next;
use super::super::plausible;
use super::super::wifi::Air;
use super::Opened;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const ACKNOWLEDGMENT: u16 = 0x0080;

const BRIDGED: u16 = 0x6558;

/// `ends` is a number for the two addresses around it.
pub(super) fn open(mut rest: Captured<'_>, ends: u64) -> Option<Opened<'_>> {
    let &[f0, f1, t0, t1] = rest.take::<4>()?;
    let (flags, ethertype) = (u16::from_be_bytes([f0, f1]), u16::from_be_bytes([t0, t1]));
    match flags & 7 {
        0 if flags & ROUTING == 0 => plain(flags, ethertype, rest, ends),
        1 => pptp(flags, ethertype, rest, ends),
        _ => None,
    }
}

fn plain(flags: u16, ethertype: u16, mut rest: Captured<'_>, ends: u64) -> Option<Opened<'_>> {
    if flags & CHECKSUM != 0 {
        rest.take::<4>()?;
    }
    let key = if flags & KEY == 0 { None } else { Some(u32::from_be_bytes(*rest.take::<4>()?)) };
    if flags & SEQUENCE != 0 {
        rest.take::<4>()?;
    }
    let next = match ethertype {
        BRIDGED => Next::Ethernet(rest),
        0x88be if flags & SEQUENCE == 0 => return Some(mirrored(Next::Ethernet(rest))),
        0x88be => return Some(mirrored(Next::Ethernet(rest.after(8)?))),
        0x22eb => return erspan_three(rest),
        0x883e => return wccp(rest),
        // Aruba's access points, the last byte being a queue.
        0x8200..=0x82ff => Next::Wifi(Air { may_be_swapped: true, ..Air::plain(rest) }),
        // Nothing (a keep-alive), or the router protocols of 802.3.
        0..0x600 => return None,
        ethertype => Next::EtherType(ethertype, rest),
    };
    // With frames in it the key is NVGRE's (RFC 7637), whose last eight bits may be a hash of the inner flow.
    let key = key.map_or(0, |key| u64::from(if ethertype == BRIDGED { key >> 8 } else { key }).wrapping_add(1));
    Some(Opened { kind: Count::InGre, id: Some(ends.wrapping_add(key.wrapping_mul(0x9e37_79b9_7f4a_7c15))), next })
}

/// Version 1: the call number is the receiver's, so the directions differ in it.
fn pptp(flags: u16, ethertype: u16, mut rest: Captured<'_>, ends: u64) -> Option<Opened<'_>> {
    let &[l0, l1, _, _] = rest.take::<4>()?;
    // Without a sequence number there is no payload.
    if flags & KEY == 0 || flags & SEQUENCE == 0 || ethertype != 0x880b {
        return None;
    }
    rest.take::<4>()?;
    if flags & ACKNOWLEDGMENT != 0 {
        rest.take::<4>()?;
    }
    rest.truncate(usize::from(u16::from_be_bytes([l0, l1])));
    Some(Opened { kind: Count::InPptp, id: Some(ends), next: Next::Ppp(rest) })
}

/// ERSPAN shows another network's frames. Two switches may each show one direction, so nothing of it joins the flow key.
fn mirrored(next: Next<'_>) -> Opened<'_> {
    Opened { kind: Count::InErspan, id: None, next }
}

/// Type III: twelve bytes of which the last says what frame follows and whether eight more bytes come first.
fn erspan_three(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    let &[_, _, _, _, _, _, _, _, _, _, kind, last] = rest.take::<12>()?;
    if last & 1 == 1 {
        rest.take::<8>()?;
    }
    match (kind >> 2) & 0x1f {
        0 => Some(mirrored(Next::Ethernet(rest))),
        2 => Some(mirrored(Next::Ip(rest))),
        _ => None,
    }
}

/// A request that a router turned aside to a cache; the answer comes back by another way. Version 2 has four bytes before the packet.
fn wccp(rest: Captured<'_>) -> Option<Opened<'_>> {
    let packet = if plausible::v4(rest) { rest } else { rest.after(4).filter(|packet| plausible::v4(*packet))? };
    Some(Opened { kind: Count::InGre, id: None, next: Next::V4(packet) })
}
