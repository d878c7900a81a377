//! From an IP packet to the bytes of a captured frame: link layers, tags, fragments.

use super::segment::{Segment, seal_ipv4};

/// Link types, as their numbers in capture files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Ethernet = 1,
    RawIp = 101,
    Sll = 113,
    Sll2 = 276,
}

/// 802.1Q customer tag.
pub(crate) const CUSTOMER: u16 = 0x8100;
/// 802.1ad service tag.
pub(crate) const SERVICE: u16 = 0x88a8;

/// Wraps the datagram of `segment` in the link layer.
pub(crate) fn frame(link: Link, tags: &[(u16, u16)], segment: &Segment, datagram: &[u8]) -> Vec<u8> {
    let ethertype: u16 = if segment.src.ip.is_ipv4() { 0x0800 } else { 0x86dd };
    let mut bytes = Vec::new();
    match link {
        Link::Ethernet => {
            bytes.extend(segment.dst.mac);
            bytes.extend(segment.src.mac);
            for (tpid, vlan) in tags {
                bytes.extend(tpid.to_be_bytes());
                bytes.extend(vlan.to_be_bytes());
            }
            bytes.extend(ethertype.to_be_bytes());
        }
        Link::RawIp => {}
        Link::Sll => {
            bytes.extend([0, 0, 0, 1, 0, 6]);
            bytes.extend(segment.src.mac);
            bytes.extend([0, 0]);
            bytes.extend(ethertype.to_be_bytes());
        }
        Link::Sll2 => {
            bytes.extend(ethertype.to_be_bytes());
            bytes.extend([0, 0, 0, 0, 0, 2, 0, 1, 0, 6]);
            bytes.extend(segment.src.mac);
            bytes.extend([0, 0]);
        }
    }
    bytes.extend(datagram);
    if link == Link::Ethernet {
        bytes.extend(&segment.trailer);
    }
    bytes
}

/// Cuts an IPv4 datagram into fragments whose data is `size` bytes each, a multiple of 8.
pub(crate) fn fragments(datagram: &[u8], size: usize) -> Vec<Vec<u8>> {
    assert!(size.is_multiple_of(8), "fragments are counted in units of 8 bytes");
    let (header, data) = datagram.split_at(20);
    let last = data.len().div_ceil(size) - 1;
    let cut = |(index, part): (usize, &[u8])| {
        let mut bytes = header.to_vec();
        bytes[2..4].copy_from_slice(&((20 + part.len()) as u16).to_be_bytes());
        let more = u16::from(index != last) << 13;
        bytes[6..8].copy_from_slice(&(more | (index * size / 8) as u16).to_be_bytes());
        seal_ipv4(&mut bytes);
        bytes.extend(part);
        bytes
    };
    data.chunks(size).enumerate().map(cut).collect()
}
