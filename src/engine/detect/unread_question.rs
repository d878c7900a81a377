//! S6+: an answer whose sender had not read the question.
//!
//! ## What it sees
//! The suspect carries payload in answer to an HTTP request but acknowledges not one byte of it, although the whole request was sent before.
//!
//! ## Why it matters
//! An endpoint cannot answer what it has not received, and it acknowledges what it has. Shots that are fired on the SYN-ACK acknowledge only the
//! client's initial sequence number plus one. Two votes.
//!
//! ## When it is wrong
//! A server that gives up before it has read the request, or has nothing to do with what it says, acknowledges less: answers with a status of 1xx, 400,
//! 408, 413, 414, 431, 501 or 503 are left out. So may the answer to an earlier request of a pipeline, where it was paired with a later one.
//!
//! ## Reference
//! RFC 9293, section 3.4; fox-it, "Deep dive into QUANTUM INSERT" (2015): so in eight of nine captures.

use super::{Detector, Finding, Group, Knowledge, vote};
use crate::engine::case::scene::Scene;
use crate::engine::decode::packet::TcpFlags;
use crate::engine::flow::record::seq_diff;

/// The detector.
#[derive(Debug)]
pub(super) struct UnreadQuestion;

impl Detector for UnreadQuestion {
    fn code(&self) -> &'static str {
        "S6+"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Header
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let request = scene.asked()?;
        let suspect = &scene.suspect;
        let answers = suspect.len > 0 && suspect.flags.any(TcpFlags::ACK) && request.last.frame < suspect.frame;
        let gives_up =
            scene.response.as_ref().is_some_and(|response| matches!(response.status, 100..=199 | 400 | 408 | 413 | 414 | 431 | 501 | 503));
        let missing = seq_diff(suspect.ack, request.last.seq);
        let read_none_of_it = seq_diff(request.first.seq, suspect.ack) <= 0;
        (answers && !gives_up && missing > 0 && read_none_of_it && missing < 1 << 16).then(|| {
            vote(
                2,
                format!("acknowledges {missing} bytes less than the request it answers"),
                format!("acknowledgment of the request in frame {}", request.last.frame),
                vec![request.last.frame, suspect.frame],
                "The answer was sent by someone whose TCP had not received the question.",
            )
        })
    }
}
