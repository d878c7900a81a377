//! S1: two versions of the same bytes of the server's stream.
//!
//! ## What it sees
//! Two segments in the server's name cover the same sequence numbers in at least eight bytes, and differ there. An earlier packet is held
//! against a later one however the segments were cut, for as long as the bytes are remembered (the last 64 KiB of the stream), also after FIN or RST.
//!
//! ## Why it matters
//! A TCP sender repeats a byte unchanged until it is acknowledged. Two versions of one range prove that two senders wrote into the stream.
//! It does not say which of them is the forgery; the header fields and the content do.
//!
//! ## When it is wrong
//! Keep-alive probes with a garbage byte and padding counted as payload stay below eight bytes. A copy with a wrong checksum beside a right one
//! is a corrupt frame. A user-space stack or a proxy that answers a retransmitted request anew can reuse sequence numbers for other bytes:
//! outside HTTP a conflict alone therefore gives 35 points, and 45 where the conflicting copy carries the IP identification of another packet
//! although the server counts its own. A tiny stack makes its page anew for each retransmission: a copy of the same stack, place and length, after
//! a retransmission's time, in which less than a quarter of the bytes differ gives 35 points too.
//!
//! ## Reference
//! RFC 9293, section 3.8.1; fox-it, "Deep dive into QUANTUM INSERT" (2015); Nakibly et al., "Website-Targeted False Content Injection by Network
//! Operators" (2016).

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;
use crate::engine::case::stacks;
use crate::engine::flow::event::Conflict;
use crate::engine::flow::record::Record;
use crate::engine::protocol::http::Connection;
use crate::engine::time::Span;

/// No stack in use repeats a segment by its timer sooner (Linux; RFC 6298 asks for a second).
const SHORTEST_TIMEOUT: Span = Span::from_millis(200);

/// The detector.
#[derive(Debug)]
pub(super) struct OverlapConflict;

impl Detector for OverlapConflict {
    fn code(&self) -> &'static str {
        "S1"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Contradiction
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let (conflict, points) =
            scene.conflicts.iter().map(|conflict| (conflict, points(conflict, scene))).max_by_key(|(_, points)| *points)?;
        let suspect_first =
            conflict.earlier.frame == scene.suspect.frame || scene.forged.iter().any(|record| record.frame == conflict.earlier.frame);
        let (seen, compared) = if suspect_first {
            (describe(&conflict.earlier, &conflict.earlier_bytes), describe(&conflict.later, &conflict.later_bytes))
        } else {
            (describe(&conflict.later, &conflict.later_bytes), describe(&conflict.earlier, &conflict.earlier_bytes))
        };
        Some(Finding {
            weight: Weight::Proof,
            points,
            votes: 0,
            observed: format!("{seen}; {} of {} shared bytes differ", conflict.differing, conflict.overlap),
            expected: compared,
            frames: vec![conflict.earlier.frame, conflict.later.frame],
            why: "Two different versions were sent for the same bytes of the stream.",
        })
    }
}

/// 65 when both copies begin an HTTP response, 60 when one does, else 35, or 45 when a copy borrows another packet's IP identification:
/// injectors that were captured outside HTTP did, and the harmless user-space stacks that send other bytes anew count their packets.
fn points(conflict: &Conflict, scene: &Scene) -> u8 {
    let heads = [&conflict.earlier_bytes, &conflict.later_bytes].into_iter().filter(|bytes| Connection::is_response(bytes)).count();
    match heads {
        1.. if is_made_anew(conflict) => 35,
        2 => 65,
        1 => 60,
        _ if [&conflict.earlier, &conflict.later].into_iter().any(|copy| stacks::borrows_id(copy, &scene.base)) => 45,
        _ => 35,
    }
}

/// A packet of the same stack, place and length, in which less than a quarter of the bytes differ: a stack that keeps no copy of what it sent makes
/// the page anew for the retransmission, and a clock or counter in it has gone on.
pub(super) fn is_made_anew(conflict: &Conflict) -> bool {
    let (earlier, later) = (&conflict.earlier, &conflict.later);
    let same_place = (earlier.seq, earlier.len, earlier.ack) == (later.seq, later.len, later.ack);
    let timed_out = later.time - earlier.time >= SHORTEST_TIMEOUT;
    same_place && timed_out && stacks::distance(earlier, later) == 0 && conflict.differing < conflict.overlap / 4
}

fn describe(record: &Record, bytes: &[u8]) -> String {
    format!("frame {}, {} bytes: {}", record.frame, record.len, super::first_line(bytes))
}
