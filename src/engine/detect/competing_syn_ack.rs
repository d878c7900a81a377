//! S2: two SYN-ACKs that answer one SYN with different sequence numbers.
//!
//! ## What it sees
//! A second SYN-ACK for the same SYN with another initial sequence number, within a second or three round trips: although the client sent its SYN only
//! once (45 points), or with another TTL, DF bit or options than the first (30). 65 points when both numbers lived on: the client acknowledged the
//! first, and someone sent data, FIN or RST in the second.
//!
//! ## Why it matters
//! An endpoint chooses one initial sequence number for a connection. Who answers the SYN first with another one owns the connection: the client
//! discards all that the genuine server sends.
//!
//! ## When it is wrong
//! A server that hands out SYN cookies, or an anti-DDoS front, answers a repeated SYN with a new number: then the SYN was seen twice, the gap is that
//! of a retransmission, and the packets are alike in every other field. Where the capture lost the repeated SYN, a front can look like two senders.
//! Which of the two is the false one it does not say: that is the one whose acknowledgment the server resets, else the one that fits less.
//!
//! ## Reference
//! RFC 9293, sections 3.4.1 and 3.10.7.4; RFC 4987 (SYN cookies); HoneyBadger, "handshake hijack".

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;
use crate::engine::decode::packet::TcpFlags;
use crate::engine::flow::record::{Record, seq_diff};
use crate::engine::time::Span;

/// A SYN is repeated after a second (RFC 6298, section 2.1).
const RETRANSMISSION: Span = Span::from_secs(1);

/// The detector.
#[derive(Debug)]
pub(super) struct CompetingSynAck;

impl Detector for CompetingSynAck {
    fn code(&self) -> &'static str {
        "S2"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Contradiction
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let (first, other) = (&scene.first_syn_ack, scene.competing.first()?);
        let soon = scene.rtt.map_or(RETRANSMISSION, |rtt| rtt.times(3).max(RETRANSMISSION));
        let unlike = other.record.ttl != first.record.ttl || !other.same_options(first) || other.record.df() != first.record.df();
        let asked_once = scene.syn.seen().is_some() && !scene.syn_repeated;
        if !scene.suspect.flags.any(TcpFlags::SYN) || other.record.time - first.record.time >= soon || !(unlike || asked_once) {
            return None;
        }
        let first = &first.record;
        let proven = both_lived_on(scene, first, &other.record);
        Some(Finding {
            weight: if proven { Weight::Proof } else { Weight::Strong },
            points: match (proven, asked_once) {
                (true, _) => 65,
                (false, true) => 45,
                (false, false) => 30,
            },
            votes: 0,
            observed: format!("frame {}: sequence number {}, TTL {}", first.frame, first.seq, first.ttl),
            expected: format!("frame {}: sequence number {}, TTL {}", other.record.frame, other.record.seq, other.record.ttl),
            frames: vec![first.frame, other.record.frame],
            why: "Two SYN-ACKs answered one SYN with different sequence numbers.",
        })
    }
}

/// The connection went on in the first one's numbers, and someone spoke in the second one's: data, or a RST for an acknowledgment it never earned.
fn both_lived_on(scene: &Scene, first: &Record, second: &Record) -> bool {
    let near = |base: u32, seq: u32| (0..1 << 20).contains(&seq_diff(base, seq));
    let client_chose_first =
        scene.client.iter().any(|packet| packet.flags.any(TcpFlags::ACK) && near(first.seq.wrapping_add(1), packet.ack));
    let speaks = |record: &&Record| record.len > 0 || record.flags.any(TcpFlags::RST | TcpFlags::FIN);
    let second_spoke = scene.forged.iter().chain(&scene.base).filter(speaks).any(|record| near(second.seq.wrapping_add(1), record.seq));
    client_chose_first && second_spoke
}
