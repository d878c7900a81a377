//! S5: the IPv4 identification is not the next of the server's counter.
//!
//! ## What it sees
//! (a) The server counts its packets (at least one step of 1 to 64, the SYN-ACK included) and the suspect is more than 1,024 away from its
//! neighbours; (b) the suspect carries the identification of the client's packet that it answers; (c) two packets of the suspect's sender carry
//! one value while the server's vary.
//!
//! ## Why it matters
//! A stack numbers its packets by one rule. A device that builds packets by itself has a rule of its own: a constant, zero, a copy of the packet that
//! triggered it.
//!
//! ## When it is wrong
//! The client's identification was seen on 1.6 % of 2,680 ordinary flows. Servers with random identifications, NAT that renumbers, load balancers in
//! mid-flow. Zero with DF set is ignored, for so send many stacks (RFC 6864). It is one vote, and one vote gives no points.
//!
//! ## Reference
//! RFC 6864; Weaver et al., "Detecting Forged TCP Reset Packets" (2009); Marczak et al., "Bad Traffic" (2018): 0x3412 on all of 51 injections.

use super::{Detector, Finding, Group, Knowledge, vote};
use crate::engine::case::scene::Scene;
use crate::engine::case::stacks::{NEAR_ID, id_step};
use crate::engine::flow::record::Record;

/// The largest step between neighbours of one counter; a busy server's counter is shared by its flows.
const LARGEST_STEP: i16 = 64;

/// The detector.
#[derive(Debug)]
pub(super) struct IpIdBreak;

impl Detector for IpIdBreak {
    fn code(&self) -> &'static str {
        "S5"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Header
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let suspect = &scene.suspect;
        if suspect.is_v6() || unnumbered(suspect) {
            return None;
        }
        repeated(scene).or_else(|| copied(scene)).or_else(|| jumped(scene))
    }
}

/// Zero with DF: the packet is not numbered at all.
fn unnumbered(record: &Record) -> bool {
    record.ip_id == 0 && record.df()
}

fn jumped(scene: &Scene) -> Option<Finding> {
    let suspect = &scene.suspect;
    let base: Vec<&Record> = scene.base_with_syn_ack().filter(|record| !unnumbered(record)).collect();
    let counts = base.iter().zip(base.iter().skip(1)).any(|(a, b)| (1..=LARGEST_STEP).contains(&id_step(a.ip_id, b.ip_id)));
    let neighbours = base.iter().filter(|record| record.frame < suspect.frame).max_by_key(|record| record.frame).into_iter();
    let neighbours = neighbours.chain(base.iter().filter(|record| record.frame > suspect.frame).min_by_key(|record| record.frame));
    let nearest = neighbours.min_by_key(|record| id_step(record.ip_id, suspect.ip_id).unsigned_abs())?;
    let jump = id_step(nearest.ip_id, suspect.ip_id);
    (counts && jump.unsigned_abs() > NEAR_ID).then(|| {
        vote(
            1,
            format!("IP ID {:#06x}", suspect.ip_id),
            format!("near {:#06x}, as the server counts its packets", nearest.ip_id),
            vec![nearest.frame, suspect.frame],
            "The packet is not numbered by the counter that numbers the server's packets.",
        )
    })
}

fn copied(scene: &Scene) -> Option<Finding> {
    let suspect = &scene.suspect;
    let asked =
        scene.client.iter().filter(|packet| packet.frame < suspect.frame && !unnumbered(packet)).max_by_key(|packet| packet.frame)?;
    // A server whose every packet copies the client's is a SYN proxy by its own rule, not a second sender.
    let habit = scene
        .base_with_syn_ack()
        .any(|record| scene.client.iter().chain(scene.syn.seen()).any(|packet| packet.ip_id == record.ip_id && packet.ip_id != 0));
    (asked.ip_id == suspect.ip_id && !habit).then(|| {
        vote(
            1,
            format!("IP ID {:#06x}", suspect.ip_id),
            format!("a number of the server's own; {:#06x} is that of the client's packet in frame {}", asked.ip_id, asked.frame),
            vec![asked.frame, suspect.frame],
            "The packet copies the identification of the packet that it answers, as devices without a connection of their own do.",
        )
    })
}

fn repeated(scene: &Scene) -> Option<Finding> {
    let suspect = &scene.suspect;
    let same: Vec<u64> = scene.forged.iter().filter(|record| record.ip_id == suspect.ip_id).map(|record| record.frame).collect();
    let numbers: Vec<u16> = scene.base_with_syn_ack().filter(|record| !unnumbered(record)).map(|record| record.ip_id).collect();
    let varies = numbers.len() >= 2 && numbers.iter().zip(numbers.iter().skip(1)).all(|(a, b)| a != b);
    (same.len() >= 2 && varies).then(|| {
        vote(
            1,
            format!("IP ID {:#06x} on {} packets", suspect.ip_id, same.len()),
            format!("another number on each packet, as on {} others of the server", numbers.len()),
            same,
            "Several packets carry one identification although the server gives each its own.",
        )
    })
}
