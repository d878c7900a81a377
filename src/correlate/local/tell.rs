//! From a finding about the local network to the alert.

use sha2::{Digest, Sha256};

use super::super::verdict::graded;
use super::addresses::{Network, Owner};
use crate::alert::{Alert, Carrier, ClosedBecause, Considered, FlowFacts, Grade, Mechanism, PacketFacts, SensorHealth, Signal, Verdict};
use crate::engine::decode::datagram::DatagramHead;
use crate::engine::decode::packet::Addr;
use crate::engine::local::Mac;
use crate::engine::time::{Span, Timestamp};
use crate::rules::policy::Thresholds;

/// Frames that an alert names.
pub(super) const MOST_FRAMES: usize = 64;
/// How long evidence is collected from the first that is worth a record: tools that poison send again every second to every ten.
pub(super) const EVIDENCE: Span = Span::from_secs(10);

/// How far harmless explanations hold a finding down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ceiling {
    /// It is no record.
    Nothing,
    /// Of the lowest grade.
    Low,
    /// Not above medium.
    Medium,
    /// Nothing holds it down.
    Open,
}

impl Ceiling {
    /// At most so many points: fewer than the grade above begins with. Bounds that are raised do not raise them.
    fn points(self, bounds: Thresholds) -> u8 {
        let usual = Thresholds::default();
        let above = match self {
            Self::Nothing => bounds.low.min(usual.low),
            Self::Low => bounds.medium.min(usual.medium),
            Self::Medium => bounds.high.min(usual.high),
            Self::Open => return 100,
        };
        above.saturating_sub(1)
    }
}

/// A finding in values.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) mechanism: Mechanism,
    pub(super) network: Network,
    /// The first forged message.
    pub(super) head: DatagramHead,
    pub(super) carrier: Carrier,
    /// The sender's hardware address.
    pub(super) mac: Option<Mac>,
    /// Whose name it bears, and to whom it went.
    pub(super) ends: (Addr, Addr),
    pub(super) frames: Vec<u64>,
    /// The machine whose place is taken.
    pub(super) genuine: Option<Owner>,
    pub(super) signals: Vec<Signal>,
    pub(super) considered: Vec<Considered>,
    /// For reasons among the considered.
    pub(super) ceiling: Ceiling,
}

/// One piece of evidence.
pub(super) fn signal(code: &'static str, points: u8, (observed, expected): (String, String), frames: Vec<u64>, why: &str) -> Signal {
    let weight = if points >= 35 { "strong" } else { "weak" };
    Signal { code, version: 1, weight, points, observed, expected, frames, why: why.to_owned() }
}

impl Finding {
    /// Points, 0 to 100.
    pub(super) fn score(&self, bounds: Thresholds) -> u8 {
        self.signals.iter().fold(0_u8, |sum, signal| sum.saturating_add(signal.points)).min(self.ceiling.points(bounds))
    }

    /// None when it is not worth a record. Everything here is evidence of packets, each signal of another kind.
    pub(super) fn grade(&self, bounds: Thresholds) -> Option<Grade> {
        graded(self.score(bounds), self.signals.len(), bounds)
    }

    /// 1, 2 or 3.
    pub(super) fn severity(&self, bounds: Thresholds) -> Option<u8> {
        Some(match self.grade(bounds)? {
            Grade::Confirmed | Grade::High => 1,
            Grade::Medium => 2,
            Grade::Low => 3,
        })
    }

    /// The alert. What was told at a lower severity before is told under another id.
    pub(super) fn alert(mut self, at: Timestamp, because: ClosedBecause, bounds: Thresholds) -> Option<Alert> {
        let (score, grade, severity) = (self.score(bounds), self.grade(bounds)?, self.severity(bounds)?);
        self.frames.sort_unstable();
        self.frames.dedup();
        self.frames.truncate(MOST_FRAMES);
        let genuine = self.genuine.map(|owner| PacketFacts {
            frame: owner.frame,
            time: owner.last,
            ttl: (owner.ttl > 0).then_some(owner.ttl),
            ip_id: None,
            ..packet(&self.head)
        });
        Some(Alert {
            id: self.number(&[severity]),
            verdict: if severity <= 2 { Verdict::LocalMitm } else { Verdict::Inconclusive },
            mechanism: self.mechanism,
            severity,
            confidence: f64::from(score.min(99)) / 100.0,
            score,
            grade,
            flow: self.flow(),
            http: None,
            dns: None,
            dhcp: None,
            forged: packet(&self.head),
            genuine_frames: genuine.iter().map(|packet| packet.frame).collect(),
            genuine,
            forged_frames: self.frames,
            signals: self.signals,
            considered: self.considered,
            redirect: None,
            indicators: Vec::new(),
            sensor: SensorHealth::default(),
            closed_at: at,
            closed_because: because,
            ladder: Vec::new(),
            silence: None,
        })
    }

    fn flow(&self) -> FlowFacts {
        let head = &self.head;
        FlowFacts {
            // EVE readers keep it in a double: below 2^51.
            id: self.number(&[]) >> 13,
            carrier: self.carrier,
            client: (self.ends.1, head.dst_port),
            server: (self.ends.0, head.src_port),
            ip_version: head.ip_version,
            vlans: head.vlans,
            ether: head.ether,
            start: head.time,
            pkts_toserver: 0,
            pkts_toclient: self.frames.len() as u64,
            bytes_toserver: 0,
            bytes_toclient: u64::from(head.wire_len).saturating_mul(self.frames.len() as u64),
        }
    }

    fn number(&self, salt: &[u8]) -> u64 {
        let mut hash = Sha256::new();
        let (outer, inner, tunnel) = self.network;
        for id in [u32::from(outer), u32::from(inner), tunnel] {
            hash.update(id.to_be_bytes());
        }
        hash.update(self.mac.unwrap_or_default());
        hash.update(self.ends.0.0.to_be_bytes());
        hash.update(self.head.time.as_nanos().to_be_bytes());
        hash.update(self.mechanism.name());
        hash.update(salt);
        hash.finalize().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }
}

fn packet(head: &DatagramHead) -> PacketFacts {
    let is_v4 = head.ip_version == 4 && head.ttl > 0;
    PacketFacts {
        frame: head.frame,
        time: head.time,
        ttl: (head.ttl > 0).then_some(head.ttl),
        ip_id: is_v4.then_some(head.ip_id),
        tcp: None,
        payload_len: head.payload_len,
        payload_sha256: None,
    }
}

/// A hardware address as it is written.
pub(super) fn written([a, b, c, d, e, f]: Mac) -> String {
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}
