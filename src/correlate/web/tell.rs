//! A page that took encryption away on a bent path, as an alert.

use sha2::{Digest, Sha256};

use crate::alert::{Alert, ClosedBecause, Considered, Grade, HttpFacts, Mechanism, PacketFacts, SensorHealth, Signal, TcpFacts, Verdict};
use crate::correlate::story;
use crate::engine::detect::Evidence;
use crate::engine::time::Timestamp;
use crate::engine::web::Web;

/// Points of a path that was bent a short time ago.
const BENT: u8 = 40;

/// The alert.
pub(super) fn tell(web: &Web, evidence: &Evidence, at: Timestamp) -> Alert {
    let (record, flow) = (&web.record, &web.flow);
    let score = evidence.finding.points.saturating_add(BENT);
    let mut hash = Sha256::new();
    for (address, port) in [flow.client, flow.server] {
        hash.update(address.0.to_be_bytes());
        hash.update(port.to_be_bytes());
    }
    hash.update(record.time.as_nanos().to_be_bytes());
    hash.update(Mechanism::TlsDowngrade.name());
    Alert {
        id: hash.finalize().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes)),
        verdict: Verdict::LocalMitm,
        mechanism: Mechanism::TlsDowngrade,
        severity: 2,
        confidence: f64::from(score) / 100.0,
        score,
        grade: Grade::Medium,
        flow: story::flow(flow, record.is_v6()),
        http: Some(HttpFacts {
            hostname: Some(web.host.clone()),
            url: Some(web.target.to_string()),
            method: Some("GET".to_owned()),
            user_agent: web.user_agent.as_deref().map(str::to_owned),
            status: Some(200),
            ..HttpFacts::default()
        }),
        signals: vec![bent(record.frame), story::signal(evidence)],
        considered: vec![Considered {
            explanation: "a site that gave https up, or serves a part of its pages by http",
            kept: true,
            why: "the site's other answers on this connection were not compared".to_owned(),
        }],
        forged: PacketFacts {
            frame: record.frame,
            time: record.time,
            ttl: Some(record.ttl),
            ip_id: (!record.is_v6()).then_some(record.ip_id),
            tcp: Some(TcpFacts { flags: record.flags.to_string(), window: record.window, seq: record.seq }),
            payload_len: record.len,
            payload_sha256: None,
        },
        forged_frames: vec![record.frame],
        genuine: None,
        genuine_frames: Vec::new(),
        redirect: None,
        dns: None,
        dhcp: None,
        indicators: Vec::new(),
        sensor: SensorHealth {
            kernel_drops: 0,
            gaps: flow.gaps,
            one_sided: flow.one_sided,
            handshake_seen: flow.handshake_seen,
            offload_frames: flow.offloaded,
        },
        closed_at: at,
        closed_because: ClosedBecause::Deadline,
        ladder: Vec::new(),
        silence: None,
    }
}

fn bent(frame: u64) -> Signal {
    Signal {
        code: "S14",
        version: 1,
        weight: "strong",
        points: BENT,
        observed: "a machine of this network had drawn the client's traffic to itself".to_owned(),
        expected: "the way by the network's own router".to_owned(),
        frames: vec![frame],
        why: "The answer passed, or came from, the machine that bent the path.".to_owned(),
    }
}
