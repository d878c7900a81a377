//! MPLS label stacks, and the guess at what is under them.

use super::captured::Captured;
use super::count::Count;
use super::link::Next;
use super::plausible;
use super::tunnel::Opened;

/// Looks under the labels. They do not join the flow key: each direction has its own, and often only one has any.
pub(super) fn open(mut rest: Captured<'_>) -> Option<Opened<'_>> {
    loop {
        let &[_, _, bottom, _] = rest.take::<4>()?;
        if bottom & 1 == 1 {
            break;
        }
    }
    Some(Opened { kind: Count::InMpls, id: None, next: under(rest)? })
}

/// IP by its version (RFC 4928), or the Ethernet of a pseudowire, whose control word begins with a zero (RFC 4385).
fn under(rest: Captured<'_>) -> Option<Next<'_>> {
    let nibble = rest.nibble()?;
    match nibble {
        4 if plausible::v4(rest) => return Some(Next::V4(rest)),
        6 if plausible::v6(rest) => return Some(Next::V6(rest)),
        0 => {
            if let Some(wire) = rest.after(4).filter(|wire| plausible::ethernet(*wire)) {
                return Some(Next::Ethernet(wire));
            }
        }
        _ => {}
    }
    match nibble {
        _ if plausible::ethernet(rest) => Some(Next::Ethernet(rest)),
        4 => Some(Next::V4(rest)),
        6 => Some(Next::V6(rest)),
        _ => None,
    }
}
