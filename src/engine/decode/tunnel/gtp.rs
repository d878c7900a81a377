//! GTP-U, the tunnels of mobile networks (3GPP TS 29.281).

use super::super::captured::Captured;
use super::super::count::Count;
use super::super::link::Next;
use super::super::plausible;
use super::Opened;

/// The type of message that holds a user's packet.
const USER_DATA: u8 = 0xff;

/// A user's packet in version 0 (3GPP TS 09.60).
pub(super) fn open_first_version(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    let &[0x1e | 0x1f, USER_DATA, l0, l1, ..] = rest.take::<20>()? else { return None };
    let length = u16::from_be_bytes([l0, l1]);
    let fits = u64::from(length) == rest.len() && matches!(rest.nibble(), Some(4 | 6));
    fits.then_some(Opened { kind: Count::InGtp, id: Some(0), next: Next::Ip(rest) })
}

/// A user's packet. Each direction has its own tunnel number, and a handover changes the addresses in the midst of a connection:
/// only being in such a tunnel joins the flow key.
pub(super) fn open(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    let &[flags, USER_DATA, l0, l1, _, _, _, _] = rest.take::<8>()? else { return None };
    let length = u16::from_be_bytes([l0, l1]);
    // Version 1, not the charging protocol.
    if flags & 0xf0 != 0x30 || u64::from(length) > rest.len() {
        return None;
    }
    rest.truncate(usize::from(length));
    if flags & 7 != 0 {
        let &[_, _, _, mut extension] = rest.take::<4>()?;
        if flags & 4 == 0 {
            extension = 0;
        }
        while extension != 0 {
            let words = usize::from(*rest.bytes.first()?);
            let last = words.checked_mul(4)?.checked_sub(1)?;
            extension = *rest.bytes.get(last)?;
            rest = rest.after(words.checked_mul(4)?)?;
        }
    }
    let next = match rest.nibble()? {
        4 | 6 => Next::Ip(rest),
        _ if plausible::ethernet(rest) => Next::Ethernet(rest),
        _ => return None,
    };
    Some(Opened { kind: Count::InGtp, id: Some(0), next })
}
