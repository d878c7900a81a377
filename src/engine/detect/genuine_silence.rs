//! S7: the genuine server falls silent with the suspect.
//!
//! ## What it sees
//! After the suspect no payload with the stack of the server's other packets arrives until the case is closed (a device in the path may let bare
//! acknowledgments pass), although the server had sent its SYN-ACK or spoken before. A case is closed after three seconds, or after ten round trips
//! where that is longer, and after ten seconds at most. At the end of a capture the silence so far counts, and its length is told.
//!
//! ## Why it matters
//! It tells a device in the path, which lets nothing of the genuine answer through, from one on the side, whose victim receives both. It has no weight of
//! its own.
//!
//! ## When it is wrong
//! A server that answers with one packet and closes is silent too: without other evidence silence means nothing.
//!
//! ## Reference
//! Marczak et al., "Bad Traffic" (2018): in none of 51 injections did the genuine answer arrive.

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;

/// The detector.
#[derive(Debug)]
pub(super) struct GenuineSilence;

impl Detector for GenuineSilence {
    fn code(&self) -> &'static str {
        "S7"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Class
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        is_silent(scene).then(|| Finding {
            weight: Weight::Class,
            points: 0,
            votes: 0,
            observed: format!(
                "no payload of the server's own stack in the {:.1} s after the suspect",
                scene.watched.as_millis_f64() / 1_000.0
            ),
            expected: "the genuine answer".to_owned(),
            frames: vec![scene.suspect.frame],
            why: "The genuine server, alive until then, sent nothing more that counts as an answer.",
        })
    }
}

/// The server answered the SYN or spoke before, and did not after the suspect.
#[must_use]
pub fn is_silent(scene: &Scene) -> bool {
    // A connection of which no handshake was seen was established before the capture began.
    let midstream = scene.syn.seen().is_none() && scene.syn_ack.seen().is_none();
    let alive = midstream || scene.syn_ack.seen().is_some() || scene.base.iter().any(|record| record.frame < scene.suspect.frame);
    alive && scene.spoke_again.is_none() && scene.genuine.is_empty()
}
