//! Overlays of data centres: VXLAN, its generic extension, GENEVE, NSH, LISP.

use super::super::captured::Captured;
use super::super::count::Count;
use super::super::link::Next;
use super::super::plausible;
use super::Opened;

/// VXLAN (RFC 7348). The network number is the same in both directions; the addresses of the tunnel's ends may not be.
pub(in super::super) fn vxlan(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    let &[flags, r0, r1, r2, v0, v1, v2, r3] = rest.take::<8>()?;
    // The flag of a valid number and nothing else. Reserved bits are in use (group policy), but then there must be a frame.
    if [flags, r0, r1, r2, r3] != [0x08, 0, 0, 0, 0] && !plausible::ethernet(rest) {
        return None;
    }
    Some(Opened { kind: Count::InVxlan, id: Some(number(v0, v1, v2)), next: Next::Ethernet(rest) })
}

/// VXLAN's generic protocol extension (draft-ietf-nvo3-vxlan-gpe): without the flag P it is VXLAN.
pub(super) fn vxlan_gpe(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    let all = rest;
    let &[flags, _, _, protocol, v0, v1, v2, _] = rest.take::<8>()?;
    if flags & 0x04 == 0 {
        return vxlan(all);
    }
    Some(Opened { kind: Count::InVxlan, id: Some(number(v0, v1, v2)), next: by_number(protocol, rest)? })
}

/// GENEVE (RFC 8926), version 0, with frames or one of the protocols that have a use in it.
pub(super) fn geneve(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    let &[first, _, t0, t1, v0, v1, v2, _] = rest.take::<8>()?;
    if first >> 6 != 0 {
        return None;
    }
    let inner = rest.after(usize::from(first & 0x3f).checked_mul(4)?)?;
    let ethertype =
        Some(u16::from_be_bytes([t0, t1])).filter(|kind| matches!(kind, 0x0800 | 0x0806 | 0x6558 | 0x86dd | 0x8847 | 0x894f))?;
    Some(Opened { kind: Count::InGeneve, id: Some(number(v0, v1, v2)), next: Next::EtherType(ethertype, inner) })
}

/// Network service header (RFC 8300). The path is another one for each direction.
pub(in super::super) fn nsh(all: Captured<'_>) -> Option<Opened<'_>> {
    let (&[first, second, _, protocol], _) = all.bytes.split_first_chunk()?;
    if first >> 6 != 0 {
        return None;
    }
    let inner = all.after(usize::from(second & 0x3f).max(2).checked_mul(4)?)?;
    Some(Opened { kind: Count::InNsh, id: None, next: by_number(protocol, inner)? })
}

/// LISP data (RFC 9300): eight bytes, then IP.
pub(super) fn lisp(rest: Captured<'_>) -> Option<Opened<'_>> {
    let packet = rest.after(8).filter(|packet| plausible::ip(*packet))?;
    Some(Opened { kind: Count::InLisp, id: None, next: Next::Ip(packet) })
}

/// The protocol numbers that NSH and VXLAN-GPE share.
fn by_number(protocol: u8, rest: Captured<'_>) -> Option<Next<'_>> {
    match protocol {
        1 => Some(Next::V4(rest)),
        2 => Some(Next::V6(rest)),
        3 => Some(Next::Ethernet(rest)),
        4 => Some(Next::EtherType(0x894f, rest)),
        5 => Some(Next::Mpls(rest)),
        _ => None,
    }
}

fn number(v0: u8, v1: u8, v2: u8) -> u64 {
    u64::from(u32::from_be_bytes([0, v0, v1, v2]))
}
