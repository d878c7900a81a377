//! S4: the suspect took another way than the server's other packets.
//!
//! ## What it sees
//! The TTL (IPv6: hop limit) of the suspect against the TTL on which the server's other packets of this flow agree: any difference against two or more
//! packets, a difference of two or more against the SYN-ACK alone.
//!
//! ## Why it matters
//! A packet made elsewhere starts with another TTL or crosses another number of routers.
//!
//! ## When it is wrong
//! Routes change, load balancers and SYN proxies answer for the server, and 28 % of ordinary RSTs differ. Alone it is one vote, and one vote
//! gives no points. Where the server's packets do not agree among themselves it says nothing.
//!
//! ## Reference
//! Clayton et al., "Ignoring the Great Firewall of China" (2006); Weaver et al., "Detecting Forged TCP Reset Packets" (2009).

use super::{Detector, Finding, Group, Knowledge, vote};
use crate::engine::case::scene::Scene;
use crate::engine::flow::record::Record;

/// The detector.
#[derive(Debug)]
pub(super) struct HopShift;

impl Detector for HopShift {
    fn code(&self) -> &'static str {
        "S4"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Header
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let (ttl, packets) = agreed(scene)?;
        let shift = scene.suspect.ttl.abs_diff(ttl);
        let needed = if packets >= 2 { 1 } else { 2 };
        (shift >= needed).then(|| {
            let witnesses = if packets >= 2 {
                format!("on {packets} other packets of the server")
            } else {
                "on the only other packet of the server".to_owned()
            };
            vote(
                1,
                format!("TTL {}", scene.suspect.ttl),
                format!("TTL {ttl} {witnesses}"),
                vec![scene.suspect.frame],
                "The packet took another way, or began with another TTL, than the server's other packets.",
            )
        })
    }
}

/// The TTL that most of the base shares, and how many packets do. The SYN-ACK counts like any other, but a SYN proxy's is outvoted by the server's
/// own packets. None when there is nothing to compare with, or no majority.
fn agreed(scene: &Scene) -> Option<(u8, usize)> {
    let all: Vec<u8> = scene.base_with_syn_ack().map(|record| record.ttl).collect();
    let count = |ttl: u8| all.iter().filter(|other| **other == ttl).count();
    let best = all.iter().copied().max_by_key(|ttl| count(*ttl))?;
    let latest = scene.base.iter().rev().find(|record: &&Record| record.frame < scene.suspect.frame).map(|record| record.ttl);
    // With one packet each for two values, the packet sent by the same machine that sends data outweighs the handshake's.
    let ttl = match latest {
        Some(ttl) if count(ttl) == count(best) => ttl,
        _ => best,
    };
    let majority = count(ttl) * 2 > all.len() || all.len() == 2;
    majority.then_some((ttl, count(ttl)))
}
