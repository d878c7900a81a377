//! ESP that only authenticates (RFC 2410): what it carries is in clear, and is recognised by what cannot be chance (RFC 5879).

use super::super::captured::Captured;
use super::super::checksum::{RIGHT, add_to_sum, header_sum};
use super::super::ip::{Outer, Upper};
use super::super::plausible;

/// Lengths of the check value: HMAC of 96 and of 128 bits.
const CHECK_VALUES: [usize; 2] = [12, 16];

/// The packet's upper layer without its ESP, if that does not encrypt.
#[inline(never)]
pub(in super::super) fn opened<'a>(outer: &Outer<'_>, upper: Upper<'a>) -> Option<Upper<'a>> {
    const TCP: u8 = 6;
    if upper.is_cut() {
        return None;
    }
    let inner = match unencrypted_packet(upper.bytes) {
        Some(inner) => inner,
        None => payloads(upper.bytes).find(|&(next, bytes)| {
            let sum = || add_to_sum(header_sum(outer.src, outer.dst, &[], u32::try_from(bytes.len()).unwrap_or(0)), bytes);
            next == TCP && bytes.len() >= 20 && upper.checksum_covers_addresses && sum() == RIGHT
        })?,
    };
    let (protocol, bytes) = inner;
    Some(Upper { protocol, bytes, declared: u32::try_from(bytes.len()).ok()?, ..upper })
}

/// Protocol and packet of tunnel mode.
pub(super) fn unencrypted_packet(esp: &[u8]) -> Option<(u8, &[u8])> {
    payloads(esp).find(|&(next, bytes)| {
        let packet = Captured { bytes, beyond: 0 };
        let declared = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).map(|length| usize::from(u16::from_be_bytes(*length)));
        match next {
            4 => plausible::v4(packet) && declared(2) == Some(bytes.len()),
            41 => plausible::v6(packet) && declared(4) == bytes.len().checked_sub(40),
            _ => false,
        }
    })
}

/// What lies between index, sequence number and a padding that counts 1, 2, 3, for each length of the check value.
fn payloads(esp: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    CHECK_VALUES.into_iter().filter_map(move |check_value| {
        let (inside, _) = esp.get(8..)?.split_at_checked(esp.len().checked_sub(8)?.checked_sub(check_value)?)?;
        let (inside, &[padding, next]) = inside.split_last_chunk::<2>()?;
        let (payload, filling) = inside.split_at_checked(inside.len().checked_sub(usize::from(padding))?)?;
        let counts = filling.iter().zip(1_u8..=u8::MAX).all(|(byte, number)| *byte == number);
        counts.then_some((next, payload))
    })
}
