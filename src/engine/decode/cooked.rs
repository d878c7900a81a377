//! Link types that an operating system or an instrument made up: loopback, Linux cooked, packet filters' logs, DOCSIS, mPackets.

use super::captured::Captured;
use super::count::Count;
use super::ethertype::FIRST_ETHERTYPE;
use super::link::Next;
use super::ppp;

type Step<'a> = Result<Next<'a>, Count>;

/// LINKTYPE_NULL and LINKTYPE_LOOP: an address family of the capturing machine, in its byte order or in network order.
pub(super) fn loopback(all: Captured<'_>) -> Step<'_> {
    let mut rest = all;
    let &family = rest.take::<4>().ok_or(Count::LinkHeaderCut)?;
    match family {
        [0, 0, 0, 2] | [2, 0, 0, 0] => Ok(Next::V4(rest)),
        // Linux 10, Windows 23, NetBSD and OpenBSD 24, FreeBSD 28, macOS 30.
        [0, 0, 0, 10 | 23 | 24 | 28 | 30] | [10 | 23 | 24 | 28 | 30, 0, 0, 0] => Ok(Next::V6(rest)),
        [0xff, 0x03, ..] => ppp::in_frame(all),
        _ => Err(Count::LoopbackOther),
    }
}

/// LINKTYPE_LINUX_SLL: packet type, device type, address length, address, protocol.
pub(super) fn linux_sll(mut rest: Captured<'_>) -> Step<'_> {
    let &[_, _, device0, device1, .., protocol0, protocol1] = rest.take::<16>().ok_or(Count::LinkHeaderCut)?;
    linux([device0, device1], [protocol0, protocol1], rest)
}

/// LINKTYPE_LINUX_SLL2: protocol, reserved, interface, device type, packet type, address length, address.
pub(super) fn linux_sll2(mut rest: Captured<'_>) -> Step<'_> {
    let &[protocol0, protocol1, _, _, _, _, _, _, device0, device1, ..] = rest.take::<20>().ok_or(Count::LinkHeaderCut)?;
    linux([device0, device1], [protocol0, protocol1], rest)
}

fn linux(device: [u8; 2], protocol: [u8; 2], rest: Captured<'_>) -> Step<'_> {
    // The device types (ARPHRD_) whose protocol field is no EtherType, by the registry's page on LINKTYPE_LINUX_SLL:
    // FRAD, 802.11 with and without headers, netlink.
    if matches!(u16::from_be_bytes(device), 770 | 801..=803 | 824) {
        return Err(Count::CookedOther);
    }
    match u16::from_be_bytes(protocol) {
        // An 802.2 LLC header follows, without a length.
        0x0004 => Ok(Next::Llc(rest)),
        0..FIRST_ETHERTYPE => Err(Count::CookedOther),
        ethertype => Ok(Next::EtherType(ethertype, rest)),
    }
}

/// LINKTYPE_PFLOG: the first byte is the header's length without its padding to a multiple of four.
pub(super) fn pflog(all: Captured<'_>) -> Step<'_> {
    let length = usize::from(*all.bytes.first().ok_or(Count::LinkHeaderCut)?);
    all.after(length.next_multiple_of(4)).filter(|_| length > 0).map(Next::Ip).ok_or(Count::LinkHeaderCut)
}

/// LINKTYPE_IPNET of Solaris: version, address family, hook, length, two interfaces, two zones.
pub(super) fn ipnet(mut rest: Captured<'_>) -> Step<'_> {
    match *rest.take::<24>().ok_or(Count::LinkHeaderCut)? {
        [1, 2, ..] => Ok(Next::V4(rest)),
        [1, 26, ..] => Ok(Next::V6(rest)),
        _ => Err(Count::LinkHeaderInvalid),
    }
}

/// LINKTYPE_NFLOG: family, version, resource, then attributes in the byte order of the capturing machine.
pub(super) fn nflog(mut rest: Captured<'_>) -> Step<'_> {
    const PAYLOAD: u16 = 9;
    let &[_, version, ..] = rest.take::<4>().ok_or(Count::LinkHeaderCut)?;
    if version != 0 {
        return Err(Count::LinkHeaderInvalid);
    }
    loop {
        let (&[l0, l1, t0, t1], _) = rest.bytes.split_first_chunk().ok_or(Count::LinkWithoutPacket)?;
        // Types are small numbers: the zero is the upper half.
        let order = if t1 == 0 { u16::from_le_bytes } else { u16::from_be_bytes };
        let length = usize::from(order([l0, l1]));
        if length < 4 {
            return Err(Count::LinkHeaderInvalid);
        }
        if order([t0, t1]) == PAYLOAD {
            rest.truncate(length);
            return rest.after(4).map(Next::Ip).ok_or(Count::LinkHeaderCut);
        }
        rest = rest.after(length.next_multiple_of(4)).ok_or(Count::LinkHeaderCut)?;
    }
}

/// LINKTYPE_DOCSIS: frame control, parameter, length, extended header, check sequence; Ethernet in data frames.
pub(super) fn docsis(mut rest: Captured<'_>) -> Step<'_> {
    let &[control, parameter, ..] = rest.take::<6>().ok_or(Count::LinkHeaderCut)?;
    let extended = if control & 1 == 0 { 0 } else { usize::from(parameter) };
    match control >> 6 {
        0 | 2 => rest.after(extended).map(Next::Ethernet).ok_or(Count::LinkHeaderCut),
        _ => Err(Count::LinkWithoutPacket),
    }
}

/// LINKTYPE_ETHERNET_MPACKET: preamble and start delimiter, then Ethernet, of which IEEE 802.3br may have cut the rest.
pub(super) fn mpacket(mut rest: Captured<'_>) -> Step<'_> {
    match rest.take::<8>().ok_or(Count::LinkHeaderCut)? {
        // An express packet, or the first piece of a preemptable one.
        [.., 0xd5 | 0xe6 | 0x4c | 0x7f | 0xb3] => Ok(Next::Ethernet(rest)),
        _ => Err(Count::MpacketFragment),
    }
}
