//! L2TP, version 2 (RFC 2661) and 3 (RFC 3931).

use super::super::captured::Captured;
use super::super::count::Count;
use super::super::link::Next;
use super::super::plausible;
use super::Opened;

/// Data in UDP. Tunnel and session numbers are the receiver's, so of both directions only the addresses are the same.
pub(super) fn open_in_udp(mut rest: Captured<'_>, ends: u64) -> Option<Opened<'_>> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    const RESERVED: u16 = 0x34f0;
    let flags = u16::from_be_bytes(*rest.take::<2>()?);
    match flags & 0xf {
        _ if flags & (CONTROL | RESERVED) != 0 => return None,
        2 => {}
        3 => return open_in_ip(rest.after(2)?, ends),
        _ => return None,
    }
    if flags & LENGTH != 0 {
        let length = usize::from(u16::from_be_bytes(*rest.take::<2>()?));
        rest.truncate(length.checked_sub(4)?);
    }
    rest.take::<4>()?;
    if flags & SEQUENCE != 0 {
        rest.take::<4>()?;
    }
    if flags & OFFSET != 0 {
        let skipped = u16::from_be_bytes(*rest.take::<2>()?);
        rest = rest.after(usize::from(skipped))?;
    }
    Some(Opened { kind: Count::InL2tp, id: Some(ends), next: Next::Ppp(rest) })
}

/// Version 3 from the session number on. Neither the length of the cookie nor the kind of the payload is in the packet: they are
/// guessed by an IP header that cannot be chance.
pub(super) fn open_in_ip(mut rest: Captured<'_>, ends: u64) -> Option<Opened<'_>> {
    let session = u32::from_be_bytes(*rest.take::<4>()?);
    // 0 is a control message.
    let payload = Some(rest).filter(|_| session != 0)?;
    // No cookie, four or eight bytes of it, each with or without the four bytes of the sublayer.
    let next = [0, 4, 8, 12].into_iter().find_map(|skipped| certain(payload.after(skipped)?))?;
    Some(Opened { kind: Count::InL2tp, id: Some(ends), next })
}

fn certain(payload: Captured<'_>) -> Option<Next<'_>> {
    let behind = |len: usize| payload.after(len).is_some_and(plausible::ip);
    match payload.bytes {
        [0xff, 0x03, 0x00, 0x21 | 0x57, ..] if behind(4) => Some(Next::Ppp(payload)),
        [0x00, 0x21 | 0x57, ..] if behind(2) => Some(Next::Ppp(payload)),
        _ if plausible::ip(payload) => Some(Next::Ip(payload)),
        _ if plausible::ethernet_with_ip(payload) => Some(Next::Ethernet(payload)),
        _ => None,
    }
}
