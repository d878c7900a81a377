//! IPv6 through address translation: Teredo (RFC 4380) and AYIYA.

use super::super::captured::Captured;
use super::super::count::Count;
use super::super::link::Next;
use super::super::plausible;
use super::Opened;

/// Teredo. Peers and relays use any port, so the packet must fill the datagram and have an end in Teredo's prefix, or both on the
/// link, as while a client finds its address. Nothing joins the flow key: the addresses inside are unique, and the answer may come
/// by another relay.
pub(super) fn open(rest: Captured<'_>) -> Option<Opened<'_>> {
    let mut inner = rest;
    if let [0, 1, client, value, ..] = *inner.bytes {
        inner = inner.after(usize::from(client).saturating_add(usize::from(value)).saturating_add(13))?;
    }
    if let [0, 0, ..] = *inner.bytes {
        inner = inner.after(8)?;
    }
    let (&[first, _, _, _, l0, l1, ..], _) = inner.bytes.split_first_chunk::<40>()?;
    let total = u64::from(u16::from_be_bytes([l0, l1])).saturating_add(40);
    let certain = first >> 4 == 6 && total == inner.len() && plausible::v6(inner) && teredo_addresses(inner.bytes);
    certain.then_some(Opened { kind: Count::InTeredo, id: None, next: Next::V6(inner) })
}

fn teredo_addresses(packet: &[u8]) -> bool {
    const PREFIX: [u8; 4] = [0x20, 0x01, 0, 0];
    const ON_LINK: [u8; 2] = [0xfe, 0x80];
    let (Some(src), Some(dst)) = (packet.get(8..24), packet.get(24..40)) else { return false };
    let on_link = src.starts_with(&ON_LINK) && (dst.starts_with(&ON_LINK) || dst.starts_with(&[0xff, 0x02]));
    on_link || src.starts_with(&PREFIX) || dst.starts_with(&PREFIX)
}

/// AYIYA ("anything in anything", draft-massar-v6ops-ayiya): identity, signature, then what the header says.
pub(super) fn ayiya(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    const FORWARD: u8 = 1;
    let &[identity, signature, operation, next, ..] = rest.take::<8>()?;
    let identity = 1_usize.checked_shl(u32::from(identity >> 4))?;
    let signature = usize::from(signature >> 4).checked_mul(4)?;
    let inner = rest.after(identity.checked_add(signature)?)?;
    let next = match (operation & 0xf, next) {
        (FORWARD, 4) if plausible::v4(inner) => Next::V4(inner),
        (FORWARD, 41) if plausible::v6(inner) => Next::V6(inner),
        _ => return None,
    };
    Some(Opened { kind: Count::InAyiya, id: None, next })
}
