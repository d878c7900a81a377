//! S3: an answer that came sooner than the server can answer.
//!
//! ## What it sees
//! The time from the client's last payload to the suspect, against the shortest round trip to the server seen in this flow: less than half of it
//! gives 15 points, less than 0.9 of it 5. Round trips below 2 ms are left out.
//!
//! ## Why it matters
//! An injector sits nearer than the server; its answer needs less than a round trip.
//!
//! ## When it is wrong
//! Often: a SYN-ACK that was delayed by the server or a front that terminates TLS or TCP, an answer to an earlier request, a round trip that
//! shrank. Less than 0.9 of the round trip was seen in 5 % of 2,680 ordinary flows, less than half in 0.9 %; and of 36 injections measured in Turkey in
//! 2018 none was below half. It supports, it never decides.
//!
//! ## Reference
//! Duan et al., "Hold-On: Protecting Against On-Path DNS Poisoning" (2012); Marczak et al., "Bad Traffic" (2018); ordinary flows: the test captures
//! of nDPI, Suricata, Zeek and C. Sanders.

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;
use crate::engine::decode::packet::TcpFlags;
use crate::engine::time::Span;

/// Round trips shorter than this are within the jitter of the capture.
const SHORTEST_RTT: Span = Span::from_millis(2);

/// The detector.
#[derive(Debug)]
pub(super) struct EarlyAnswer;

impl Detector for EarlyAnswer {
    fn code(&self) -> &'static str {
        "S3"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Timing
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let rtt = scene.rtt.filter(|rtt| *rtt >= SHORTEST_RTT)?;
        let asked = scene.trigger?;
        if scene.suspect.flags.any(TcpFlags::SYN) || scene.suspect.time < asked.time {
            return None;
        }
        let after = scene.suspect.time - asked.time;
        let ratio = after.as_nanos() as f64 / rtt.as_nanos() as f64;
        let points = if ratio < 0.5 {
            15
        } else if ratio < 0.9 {
            5
        } else {
            return None;
        };
        Some(Finding {
            weight: Weight::Weak,
            points,
            votes: 0,
            observed: format!("{:.1} ms after the question", after.as_millis_f64()),
            expected: format!("at least the round trip of {:.1} ms", rtt.as_millis_f64()),
            frames: vec![asked.frame, scene.suspect.frame],
            why: "The answer came sooner than a packet travels to this server and back.",
        })
    }
}
