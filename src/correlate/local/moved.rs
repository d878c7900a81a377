//! S14m: traffic to the outside moves to a machine right after it claimed an address.
//!
//! ## What it sees
//! The Ethernet addresses of TCP connections in mid-flow: the host keeps its own, and the machine that passes its packets on is another than before,
//! within a minute after that machine had claimed an address in ARP or neighbour discovery towards this host or towards all. 50 points after an unasked
//! answer or announcements without end; 25 when the machine that had the address objects; else 15.
//!
//! ## Why it matters
//! The claim worked: the traffic goes through the claimer now. It needs nothing learned beforehand.
//!
//! ## When it is wrong
//! A standby router that takes over draws the traffic in the same way; it announces to all, and the one before falls silent, which keeps it below
//! severity 2. Where a mirror sees packets on both sides of a router the addresses change with every packet, but the host's own does not stay.
//!
//! ## Reference
//! The capture `arppoison` of the packets collection of Chris Sanders shows such a move without any claim of the genuine gateway.

use super::tell::{signal, written};
use crate::alert::Signal;
use crate::engine::observation::Detour;
use crate::engine::time::Span;

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S14m";

/// A move within this time of a claim is laid to it: a neighbour's entry is used as soon as it is there, but the next packet may take a while.
pub(super) const FOLLOWS_WITHIN: Span = Span::from_secs(60);

/// The evidence.
pub(super) fn signal_of(detour: &Detour, unasked: bool, contested: bool) -> Signal {
    let points = match (unasked, contested) {
        (true, _) => 50,
        (false, true) => 25,
        (false, false) => 15,
    };
    let Detour { host, peer, hops, frame, .. } = detour;
    let told = (
        format!("packets between {} and {peer} go through {}", host.0, written(hops.1)),
        format!("through {}, as before in the same connection", written(hops.0)),
    );
    signal(CODE, points, told, vec![*frame], "Right after the claim the traffic of this device went another way.")
}
