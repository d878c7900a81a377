//! PPP in its framings (HDLC, Cisco's, PPPoE) and what it carries.

use super::captured::Captured;
use super::count::Count;
use super::link::Next;
use super::tunnel::Opened;

/// LINKTYPE_PPP and LINKTYPE_PPP_HDLC: the first byte tells Cisco's framing (unicast 0x0f, broadcast 0x8f) from PPP's.
pub(super) fn in_frame(all: Captured<'_>) -> Result<Next<'_>, Count> {
    match all.bytes.first() {
        Some(0x0f | 0x8f) => cisco(all),
        _ => Ok(Next::Ppp(all)),
    }
}

/// LINKTYPE_PPP_PPPD and LINKTYPE_PPP_WITH_DIR: a byte for the direction, in place of the address field or before it.
pub(super) fn with_direction(all: Captured<'_>) -> Result<Next<'_>, Count> {
    let behind = match all.bytes {
        [_, 0x03, ..] => all.after(2),
        _ => all.after(1),
    };
    behind.map(Next::Ppp).ok_or(Count::LinkHeaderCut)
}

/// LINKTYPE_C_HDLC: address, control, EtherType.
pub(super) fn cisco(mut rest: Captured<'_>) -> Result<Next<'_>, Count> {
    let &[_, _, t0, t1] = rest.take::<4>().ok_or(Count::LinkHeaderCut)?;
    Ok(Next::EtherType(u16::from_be_bytes([t0, t1]), rest))
}

/// Reads the protocol field.
pub(super) fn step(mut rest: Captured<'_>) -> Result<Next<'_>, Count> {
    if let [0xff, 0x03, ..] = rest.bytes {
        rest = rest.after(2).ok_or(Count::LinkHeaderCut)?;
    }
    match protocol(&mut rest).ok_or(Count::LinkHeaderCut)? {
        0x0021 => Ok(Next::V4(rest)),
        0x0057 => Ok(Next::V6(rest)),
        0x0281 | 0x0283 => Ok(Next::Mpls(rest)),
        // Multilink (RFC 1990) in long form, of a packet that is whole: beginning and end at once.
        0x003d => match rest.take::<4>() {
            Some(&[flags, ..]) if flags & 0xc0 == 0xc0 => match protocol(&mut rest) {
                Some(0x0021) => Ok(Next::V4(rest)),
                Some(0x0057) => Ok(Next::V6(rest)),
                _ => Err(Count::PppOther),
            },
            _ => Err(Count::PppOther),
        },
        _ => Err(Count::PppOther),
    }
}

/// The protocol field, which may be one byte long: then it is odd (RFC 1661 section 6.5).
fn protocol(rest: &mut Captured<'_>) -> Option<u16> {
    let &first = rest.bytes.first()?;
    if first & 1 == 1 {
        rest.take::<1>()?;
        return Some(u16::from(first));
    }
    rest.take::<2>().map(|field| u16::from_be_bytes(*field))
}

/// A PPPoE session (RFC 2516). Its number is the same in both directions.
pub(super) fn over_ethernet(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    let &[0x11, 0, s0, s1, l0, l1] = rest.take::<6>()? else { return None };
    rest.truncate(usize::from(u16::from_be_bytes([l0, l1])));
    Some(Opened { kind: Count::InPppoe, id: Some(u64::from(u16::from_be_bytes([s0, s1]))), next: Next::Ppp(rest) })
}
