//! S9: an end of the connection that the server did not make.
//!
//! ## What it sees
//! (a) Payload of the server after its RST; (b) new payload of the server at or after the sequence number of its FIN, or a FIN that ends the stream
//! before bytes which were sent in its name, or a bare acknowledgment that counts the server's stream short of them: one that acknowledges more than they
//! did, or as much 20 ms later, when the client has acknowledged them; (c) a second RST whose sequence
//! number is higher than the first one's and than any acknowledgment;
//! (d) an unsolicited bare acknowledgment 80 to 130 ms after the suspect's FIN, which is no contradiction but one header vote.
//!
//! ## Why it matters
//! An endpoint that closed does not go on, and cannot end its stream before what it sent. (d) is the habit of a device that closes for both sides.
//!
//! ## When it is wrong
//! (a) Segments that the network reordered arrive after the RST: those within 5 ms give nothing, nor do those which the RST counts as sent and which
//! were numbered or stamped before it. A load balancer may reset a connection that its
//! backend still writes to. Where routes to an address of several machines change, one that knows nothing of the connection resets it: such a RST
//! gives 35 points, others 45. (b) An acknowledgment can be overtaken by the data behind it: by 1.7 ms at most in 1,349 harmless captures.
//! (c) Some stacks answer each stray segment with a RST of its own number.
//!
//! ## Reference
//! RFC 9293, sections 3.5.2 and 3.6; Weaver et al. (2009), RST_SEQ_CHANGE; Marczak et al. (2018): an acknowledgment 99.0 to 101.0 ms after the FIN in 36 of 36.

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;
use crate::engine::case::stacks;
use crate::engine::decode::packet::TcpFlags;
use crate::engine::flow::event::{CloseContradiction, CloseKind};
use crate::engine::flow::record::{Record, seq_diff};
use crate::engine::time::Span;

/// The unsolicited acknowledgment was seen 99.0 to 101.0 ms after the FIN in 36 of 36 injections.
const LAST_ACK: (Span, Span) = (Span::from_millis(80), Span::from_millis(130));
/// Segments that overtook each other on the way arrive within this of each other.
const REORDERING: Span = Span::from_millis(5);

/// Packets that a RST overtakes at most: what one delayed lane of a road holds.
const OVERTAKEN: u16 = 16;

/// The detector.
#[derive(Debug)]
pub(super) struct CloseContradictionDetector;

impl Detector for CloseContradictionDetector {
    fn code(&self) -> &'static str {
        "S9"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Contradiction
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let strongest = scene
            .closes
            .iter()
            .filter(|close| concerns(scene, close))
            .map(|close| (close, points(close, scene)))
            .filter(|(_, points)| *points > 0)
            .max_by_key(|(_, points)| *points);
        match strongest {
            Some((close, points)) => Some(describe(close, points)),
            None => last_ack(scene),
        }
    }
}

/// Who goes on after a close speaks for the close being forged; who closes before others' bytes, for the bytes being forged.
fn concerns(scene: &Scene, close: &CloseContradiction) -> bool {
    let forged = |frame: u64| scene.forged.iter().any(|record| record.frame == frame);
    match close.kind {
        CloseKind::ResetMoved => forged(close.close.frame) || forged(close.contradicted_by.frame),
        CloseKind::DataAfterReset | CloseKind::DataAfterFin => forged(close.close.frame) && !forged(close.contradicted_by.frame),
        CloseKind::FinBeforeData | CloseKind::AckBeforeData => !forged(close.close.frame) && forged(close.contradicted_by.frame),
    }
}

/// A user-space stack that loses count of its own bytes ends its stream before them, numbered like all its packets: 30 then, and 45 where
/// the packet borrows another one's IP identification.
fn points(close: &CloseContradiction, scene: &Scene) -> u8 {
    match close.kind {
        CloseKind::FinBeforeData | CloseKind::AckBeforeData if !stacks::borrows_id(&close.contradicted_by, &scene.base) => 30,
        CloseKind::DataAfterReset if close.contradicted_by.time - close.close.time < REORDERING => 0,
        CloseKind::DataAfterReset if was_overtaken(&close.contradicted_by, &close.close) => 0,
        CloseKind::DataAfterReset if is_of_closed_port(&close.close) => 35,
        CloseKind::DataAfterReset => 45,
        CloseKind::DataAfterFin | CloseKind::FinBeforeData | CloseKind::AckBeforeData => 45,
        CloseKind::ResetMoved => 40,
    }
}

/// Whether the payload was sent before the RST, which came first on another way: the RST's sequence number counts it, and identification or clock
/// are of before. Who forges a RST does not know what the server has under way: it gives the number that the client acknowledged, or guesses.
fn was_overtaken(data: &Record, reset: &Record) -> bool {
    let counted = seq_diff(data.end_seq(), reset.seq) >= 0;
    let numbered = !data.is_v6() && (1..=OVERTAKEN).contains(&reset.ip_id.wrapping_sub(data.ip_id));
    let stamped = data.has_timestamps() && reset.has_timestamps() && seq_diff(data.tsval, reset.tsval) > 0;
    counted && (numbered || stamped)
}

/// What a machine sends that knows nothing of the connection: no ACK and no window (RFC 9293, section 3.5.2). Behind one address another machine
/// may know the connection and go on.
fn is_of_closed_port(reset: &Record) -> bool {
    !reset.flags.any(TcpFlags::ACK) && reset.window == 0
}

fn describe(close: &CloseContradiction, points: u8) -> Finding {
    let (end, other) = (&close.close, &close.contradicted_by);
    let (observed, expected, why) = match close.kind {
        CloseKind::DataAfterReset => ("RST", "no payload after it", "The server went on sending after a RST in its name."),
        CloseKind::DataAfterFin => ("FIN", "no new payload after it", "The server went on sending after a FIN in its name."),
        CloseKind::FinBeforeData => ("FIN", "no payload beyond it", "The server ended its stream before bytes that were sent in its name."),
        CloseKind::AckBeforeData => (
            "bare acknowledgment",
            "a sequence number after all that was sent",
            "The server's own count of what it sent does not include bytes that were sent in its name.",
        ),
        CloseKind::ResetMoved => ("RST", "one sequence number", "A second RST guesses another sequence number."),
    };
    Finding {
        weight: Weight::Proof,
        points,
        votes: 0,
        observed: format!("{observed} in frame {}, then frame {} with {} bytes", end.frame, other.frame, other.len),
        expected: expected.to_owned(),
        frames: vec![end.frame, other.frame],
        why,
    }
}

fn last_ack(scene: &Scene) -> Option<Finding> {
    let fin = scene.forged.iter().find(|record| record.flags.any(TcpFlags::FIN))?;
    let ack = scene
        .forged
        .iter()
        .find(|record| record.frame > fin.frame && record.is_bare_ack() && (LAST_ACK.0..=LAST_ACK.1).contains(&(record.time - fin.time)))?;
    Some(Finding {
        weight: Weight::Weak,
        points: 0,
        votes: 1,
        observed: format!("a bare acknowledgment {:.1} ms after the FIN", (ack.time - fin.time).as_millis_f64()),
        expected: "an acknowledgment when there is something to acknowledge".to_owned(),
        frames: vec![fin.frame, ack.frame],
        why: "The sender closed the connection by a timer, as a device that plays both ends does.",
    })
}
