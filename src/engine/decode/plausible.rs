//! Whether bytes whose kind no field names can be what they are guessed to be.

use super::captured::Captured;
use super::checksum::{RIGHT, add_to_sum};

/// An IPv4 header that agrees with its checksum and with the length of the packet.
pub(super) fn v4(packet: Captured<'_>) -> bool {
    let Some(&[first, _, l0, l1]) = packet.bytes.first_chunk() else { return false };
    let header_len = usize::from(first & 0xf).saturating_mul(4);
    let total = usize::from(u16::from_be_bytes([l0, l1]));
    let fits = first >> 4 == 4 && header_len >= 20 && total >= header_len && total as u64 <= packet.len();
    fits && packet.bytes.get(..header_len).is_some_and(|header| add_to_sum(0, header) == RIGHT)
}

/// An IPv6 header whose length is possible and whose next header is one that is in use.
pub(super) fn v6(packet: Captured<'_>) -> bool {
    let Some((header, _)) = packet.bytes.split_first_chunk::<40>() else { return false };
    let [first, _, _, _, l0, l1, next, ..] = *header;
    let total = u64::from(u16::from_be_bytes([l0, l1])).saturating_add(40);
    first >> 4 == 6 && total <= packet.len() && matches!(next, 0 | 4 | 6 | 17 | 41 | 43 | 44 | 47 | 50 | 51 | 58..=60 | 89 | 103 | 132)
}

/// An IP packet of either version.
pub(super) fn ip(packet: Captured<'_>) -> bool {
    v4(packet) || v6(packet)
}

/// An Ethernet frame of a type that is in use, with an IP packet in it when it says so.
pub(super) fn ethernet(frame: Captured<'_>) -> bool {
    let mut rest = frame;
    let Some(&[.., t0, t1]) = rest.take::<14>() else { return false };
    match u16::from_be_bytes([t0, t1]) {
        0x0800 => rest.nibble() == Some(4),
        0x86dd => rest.nibble() == Some(6),
        0x0806 | 0x8100 | 0x88a8 | 0x9100 | 0x8847 | 0x8848 | 0x8863 | 0x8864 | 0x88cc | 0x888e | 0x8902 | 0x9000 => true,
        length @ 3..=1500 => {
            u64::from(length) <= rest.len() && matches!(rest.bytes, [0x42, 0x42, 3, ..] | [0xaa, 0xaa, 3, ..] | [0xfe, 0xfe, 3, ..])
        }
        _ => false,
    }
}

/// An Ethernet frame that holds an IP packet which is beyond doubt.
pub(super) fn ethernet_with_ip(frame: Captured<'_>) -> bool {
    let mut rest = frame;
    match rest.take::<14>() {
        Some([.., 0x08, 0x00]) => v4(rest),
        Some([.., 0x86, 0xdd]) => v6(rest),
        Some([.., 0x81 | 0x88, 0x00 | 0xa8]) => match rest.take::<4>() {
            Some([_, _, 0x08, 0x00]) => v4(rest),
            Some([_, _, 0x86, 0xdd]) => v6(rest),
            _ => false,
        },
        _ => false,
    }
}
