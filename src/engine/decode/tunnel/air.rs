//! Frames of wireless networks, and what sniffers send on: CAPWAP data (RFC 5415), TZSP.

use super::super::captured::Captured;
use super::super::count::Count;
use super::super::link::Next;
use super::super::wifi::Air;
use super::Opened;

/// CAPWAP data, not encrypted and whole. A device that roams changes its access point, so nothing joins the flow key.
pub(super) fn capwap(all: Captured<'_>) -> Option<Opened<'_>> {
    const WIRELESS: u8 = 1;
    const NATIVE: u8 = 0x01;
    const FRAGMENT: u8 = 0x80;
    const KEEP_ALIVE: u8 = 0x08;
    let (&[preamble, lengths, binding, flags], _) = all.bytes.split_first_chunk()?;
    if preamble != 0 || flags & (FRAGMENT | KEEP_ALIVE) != 0 {
        return None;
    }
    let frame = all.after(usize::from(lengths >> 3).checked_mul(4)?)?;
    let next = match (binding & NATIVE, (binding >> 1) & 0x1f) {
        (0, _) => Next::Ethernet(frame),
        (_, WIRELESS) => Next::Wifi(Air { may_be_swapped: true, ..Air::plain(frame) }),
        _ => return None,
    };
    Some(Opened { kind: Count::InCapwap, id: None, next })
}

/// TZSP: version 1, a received packet, the kind of frame, tagged fields up to the end tag.
pub(super) fn tzsp(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    const PADDING: u8 = 0;
    const END: u8 = 1;
    let &[1, 0 | 1, k0, k1] = rest.take::<4>()? else { return None };
    loop {
        match *rest.take::<1>()? {
            [PADDING] => {}
            [END] => break,
            _ => {
                let &[length] = rest.take::<1>()?;
                rest = rest.after(usize::from(length))?;
            }
        }
    }
    let next = match u16::from_be_bytes([k0, k1]) {
        1 => Next::Ethernet(rest),
        18 => Next::Wifi(Air::plain(rest)),
        _ => return None,
    };
    Some(Opened { kind: Count::InTzsp, id: None, next })
}
