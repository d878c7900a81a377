//! Encapsulations in UDP: by port, and where ports say nothing, by what cannot be chance.

use super::super::captured::Captured;
use super::super::count::Count;
use super::super::link::Next;
use super::super::mpls;
use super::super::plausible;
use super::{Opened, air, esp, gre, gtp, l2tp, overlay, teredo};

/// Recognises an encapsulation. The ports are the registered ones, and 8472, which Linux took for VXLAN before there was one.
pub(super) fn open(datagram: Captured<'_>, ends: u64) -> Option<Opened<'_>> {
    let mut rest = datagram;
    let &[s0, s1, d0, d1, l0, l1, _, _] = rest.take::<8>()?;
    // 0 is a length that an offloading card was to fill in.
    if let Some(length) = u16::from_be_bytes([l0, l1]).checked_sub(8) {
        rest.truncate(usize::from(length));
    }
    let (from, to) = (u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1]));
    // The sender's port of these is a hash of the inner flow.
    let by_receiver = match to {
        4341 => overlay::lisp(rest),
        4754 => gre::open(rest, ends).filter(certain),
        4789 | 8472 => overlay::vxlan(rest),
        4790 => overlay::vxlan_gpe(rest).filter(certain),
        6081 => overlay::geneve(rest),
        6635 => mpls::open(rest).filter(certain),
        37_008 => air::tzsp(rest),
        _ => None,
    };
    let is = |port: u16| from == port || to == port;
    let by_either = || match () {
        () if is(1701) => l2tp::open_in_udp(rest, ends),
        () if is(2152) => gtp::open(rest),
        () if is(3386) => gtp::open_first_version(rest),
        () if is(4500) => esp_in_udp(rest),
        () if is(5072) => teredo::ayiya(rest),
        () if is(5247) => air::capwap(rest).filter(certain),
        () => teredo::open(rest),
    };
    by_receiver.or_else(by_either)
}

/// Whether what is inside is what it should be: these ports may be anybody's.
fn certain(opened: &Opened<'_>) -> bool {
    match opened.next {
        Next::V4(packet) | Next::EtherType(0x0800, packet) => plausible::v4(packet),
        Next::V6(packet) | Next::EtherType(0x86dd, packet) => plausible::v6(packet),
        Next::Ethernet(frame) => plausible::ethernet(frame),
        _ => true,
    }
}

/// RFC 3948: four zeros in place of the index are a key exchange. Only in tunnel mode, where the inner header can be checked.
fn esp_in_udp(rest: Captured<'_>) -> Option<Opened<'_>> {
    if rest.beyond > 0 || rest.bytes.starts_with(&[0; 4]) {
        return None;
    }
    match esp::unencrypted_packet(rest.bytes)? {
        (4, packet) => Some(Opened { kind: Count::InEsp, id: None, next: Next::V4(Captured { bytes: packet, beyond: 0 }) }),
        (_, packet) => Some(Opened { kind: Count::InEsp, id: None, next: Next::V6(Captured { bytes: packet, beyond: 0 }) }),
    }
}
