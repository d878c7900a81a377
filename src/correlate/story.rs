//! From an observation and its ruling to the alert: ids, packets, the ladder.

use sha2::{Digest, Sha256};

use super::considered;
use super::verdict::Ruling;
use crate::alert::{
    Alert, Carrier, ClosedBecause, FlowFacts, HttpFacts, IndicatorFacts, LadderRow, Mechanism, PacketFacts, RedirectFacts, Role,
    SensorHealth, Signal, TcpFacts, Verdict,
};
use crate::engine::case::scene::Scene;
use crate::engine::decode::packet::TcpFlags;
use crate::engine::detect::indicator::Listed;
use crate::engine::detect::{Evidence, Group, first_line};
use crate::engine::flow::record::Record;
use crate::engine::observation::{self, Judged};
use crate::engine::time::Timestamp;

/// Rows of the ladder; the packets nearest to the suspect are kept.
const MOST_ROWS: usize = 16;
/// Frames that a list names.
const MOST_FRAMES: usize = 64;

/// Tells the whole story of an case.
pub(super) fn tell(case: &Judged, at: Timestamp, ruling: &Ruling) -> Alert {
    let scene = &case.assessment.scene;
    let genuine = scene.genuine.first();
    Alert {
        id: id(case, ruling.mechanism),
        verdict: ruling.verdict,
        mechanism: ruling.mechanism,
        severity: ruling.severity,
        confidence: f64::from(ruling.score.min(99)) / 100.0,
        score: ruling.score,
        grade: ruling.grade,
        flow: flow(&case.flow, case.assessment.scene.suspect.is_v6()),
        http: http(scene),
        dns: None,
        dhcp: None,
        signals: signals(case, ruling),
        considered: considered::consider(&case.assessment, ruling),
        forged: packet(scene, &scene.suspect, false, case.forged_sha256),
        forged_frames: if ruling.verdict == Verdict::ListedContact { vec![scene.suspect.frame] } else { frames(&scene.forged) },
        genuine: genuine.map(|record| packet(scene, record, false, case.genuine_sha256)),
        genuine_frames: frames(&scene.genuine),
        redirect: redirect(scene, ruling),
        indicators: case.assessment.listed.iter().map(facts).collect(),
        sensor: SensorHealth {
            kernel_drops: 0,
            gaps: case.flow.gaps,
            one_sided: case.flow.one_sided,
            handshake_seen: case.flow.handshake_seen,
            offload_frames: case.flow.offloaded,
        },
        closed_at: at,
        closed_because: ended(case.because),
        ladder: ladder(case),
        silence: case.assessment.found("S7").map(|_| scene.watched),
    }
}

/// Why it was closed, in the words of the record.
pub(super) const fn ended(because: observation::ClosedBecause) -> ClosedBecause {
    match because {
        observation::ClosedBecause::Deadline => ClosedBecause::Deadline,
        observation::ClosedBecause::FlowOver => ClosedBecause::FlowOver,
        observation::ClosedBecause::EndOfCapture => ClosedBecause::EndOfCapture,
        observation::ClosedBecause::Evicted => ClosedBecause::Evicted,
    }
}

/// Derived from what live and replay see alike: endpoints, the forged packet, the mechanism. Not from frame numbers.
fn id(case: &Judged, mechanism: Mechanism) -> u64 {
    let suspect = &case.assessment.scene.suspect;
    let mut hash = flow_hash(&case.flow);
    hash.update(suspect.time.as_nanos().to_be_bytes());
    hash.update(suspect.seq.to_be_bytes());
    hash.update(suspect.ip_id.to_be_bytes());
    hash.update(mechanism.name());
    first_eight(hash)
}

fn flow_hash(flow: &observation::FlowFacts) -> Sha256 {
    let mut hash = Sha256::new();
    for (address, port) in [flow.client, flow.server] {
        hash.update(address.0.to_be_bytes());
        hash.update(port.to_be_bytes());
    }
    hash.update(flow.start.as_nanos().to_be_bytes());
    hash
}

pub(super) fn first_eight(hash: Sha256) -> u64 {
    hash.finalize().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// The flow as the alert has it.
pub(super) fn flow(flow: &observation::FlowFacts, is_v6: bool) -> FlowFacts {
    FlowFacts {
        // EVE readers keep it in a double: below 2^51.
        id: first_eight(flow_hash(flow)) >> 13,
        carrier: Carrier::Tcp,
        client: flow.client,
        server: flow.server,
        ip_version: if is_v6 { 6 } else { 4 },
        vlans: flow.vlans,
        ether: flow.ether,
        start: flow.start,
        pkts_toserver: flow.to_server.0,
        pkts_toclient: flow.to_client.0,
        bytes_toserver: flow.to_server.1,
        bytes_toclient: flow.to_client.1,
    }
}

fn http(scene: &Scene) -> Option<HttpFacts> {
    let (response, request) = (scene.response.as_deref(), scene.asked());
    if response.is_none() && request.is_none() {
        return None;
    }
    let minor = response.map(|response| response.minor).or_else(|| request.map(|request| request.minor));
    Some(HttpFacts {
        hostname: request.and_then(|request| request.host.as_deref()).map(str::to_owned),
        url: request.map(|request| request.target.to_string()),
        method: request.map(|request| request.method.to_string()),
        user_agent: request.and_then(|request| request.user_agent.as_deref()).map(str::to_owned),
        referer: request.and_then(|request| request.referer.as_deref()).map(str::to_owned),
        protocol: minor.map(|minor| format!("HTTP/1.{minor}")),
        status: response.map(|response| response.status),
        content_type: response.and_then(|response| response.content_type.as_deref()).map(str::to_owned),
        length: response.and_then(|response| response.content_length),
    })
}

fn redirect(scene: &Scene, ruling: &Ruling) -> Option<RedirectFacts> {
    let destination = ruling.destination.as_ref()?;
    Some(RedirectFacts {
        from: destination.from.as_ref().map(|from| from.as_str().to_owned()),
        to: destination.to.as_ref().map_or_else(|| destination.written.clone(), |to| to.as_str().to_owned()),
        status: scene.response.as_ref().map_or(0, |response| response.status),
        kind: destination.kind,
        cross_site: destination.cross_site,
        wants: scene.asked().map(|request| request.wants).unwrap_or_default(),
        led_by: Vec::new(),
        followed: None,
    })
}

/// One detector's evidence.
pub(super) fn signal(Evidence { code, version, finding, .. }: &Evidence) -> Signal {
    Signal {
        code,
        version: *version,
        weight: finding.weight.name(),
        points: finding.points,
        observed: finding.observed.clone(),
        expected: finding.expected.clone(),
        frames: capped(finding.frames.clone()),
        why: finding.why.to_owned(),
    }
}

/// A hit, as an alert tells it.
pub(super) fn facts(listed: &Listed) -> IndicatorFacts {
    IndicatorFacts {
        value: listed.hit.value.clone(),
        kind: listed.hit.kind.name(),
        list: listed.hit.list.clone(),
        list_date: listed.hit.list_date.clone(),
        seen: listed.seen.name(),
        met: listed.met.clone(),
    }
}

/// Each detector's evidence, and the header vote that adds the votes up.
fn signals(case: &Judged, ruling: &Ruling) -> Vec<Signal> {
    let assessment = &case.assessment;
    let mut all: Vec<Signal> = assessment.evidence.iter().map(signal).collect();
    if assessment.points(Group::Header) > 0 {
        let voters: Vec<&str> =
            assessment.evidence.iter().filter(|evidence| evidence.finding.votes > 0).map(|evidence| evidence.code).collect();
        let halved = if assessment.scene.impaired { ", halved because the sensor saw only a part" } else { "" };
        all.push(Signal {
            code: "H",
            version: 1,
            weight: if ruling.header_points >= 45 { "strong" } else { "weak" },
            points: ruling.header_points,
            observed: format!("{} votes of {}{halved}", assessment.votes(), voters.join(", ")),
            expected: format!("the header of {} other packets of the server", assessment.scene.base_with_syn_ack().count()),
            frames: vec![assessment.scene.suspect.frame],
            why: "The packet's header does not fit the server's other packets.".to_owned(),
        });
    }
    all
}

pub(super) fn capped(mut frames: Vec<u64>) -> Vec<u64> {
    frames.truncate(MOST_FRAMES);
    frames
}

fn frames(records: &[Record]) -> Vec<u64> {
    let mut frames: Vec<u64> = records.iter().map(|record| record.frame).collect();
    frames.sort_unstable();
    frames.dedup();
    capped(frames)
}

fn packet(scene: &Scene, record: &Record, to_server: bool, sha256: Option<[u8; 32]>) -> PacketFacts {
    let opening = if to_server { &scene.syn } else { &scene.syn_ack };
    let initial = opening.seen().map_or(0, |record| record.seq);
    PacketFacts {
        frame: record.frame,
        time: record.time,
        ttl: Some(record.ttl),
        ip_id: (!record.is_v6()).then_some(record.ip_id),
        tcp: Some(TcpFacts { flags: record.flags.to_string(), window: record.window, seq: record.seq.wrapping_sub(initial) }),
        payload_len: record.len,
        payload_sha256: sha256.map(|digest| hex(&digest)),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The handshake and the packets around the suspect, in order of time.
fn ladder(case: &Judged) -> Vec<LadderRow> {
    let scene = &case.assessment.scene;
    let openings = scene.syn.seen().into_iter().map(|record| (record, true));
    let answers = scene.syn_ack.seen().into_iter().chain(scene.competing.iter().map(|other| &other.record)).map(|record| (record, false));
    let client = scene.client.iter().map(|record| (record, true));
    let contradictions = scene.closes.iter().flat_map(|close| [&close.close, &close.contradicted_by]);
    let server = scene.base.iter().chain(&scene.forged).chain(contradictions).map(|record| (record, false));
    let mut rows: Vec<(&Record, bool)> = openings.chain(answers).chain(client).chain(server).collect();
    rows.sort_by_key(|(record, _)| record.frame);
    rows.dedup_by_key(|(record, _)| record.frame);
    let is_named = |record: &Record| scene.forged.iter().chain(&scene.genuine).any(|named| named.frame == record.frame);
    let mut near: Vec<(&Record, bool)> = rows;
    near.sort_by_key(|(record, _)| (!is_named(record) && !record.flags.any(TcpFlags::SYN), record.frame.abs_diff(scene.suspect.frame)));
    near.truncate(MOST_ROWS);
    near.sort_by_key(|(record, _)| record.frame);
    near.into_iter().map(|(record, to_server)| row(case, record, to_server)).collect()
}

fn row(case: &Judged, record: &Record, to_server: bool) -> LadderRow {
    let scene = &case.assessment.scene;
    let is_in = |list: &[Record]| !to_server && list.iter().any(|other| other.frame == record.frame);
    let role = if is_in(&scene.forged) {
        Role::Forged
    } else if is_in(&scene.genuine) {
        Role::Genuine
    } else {
        Role::Context
    };
    let request = scene.asked().filter(|request| to_server && request.first.frame == record.frame);
    let conflict = scene.conflicts.iter().find_map(|conflict| {
        let earlier = (conflict.earlier.frame == record.frame).then_some(&conflict.earlier_bytes);
        earlier.or_else(|| (conflict.later.frame == record.frame).then_some(&conflict.later_bytes))
    });
    let note = match (request, conflict) {
        (Some(request), _) => format!("{} {} HTTP/1.{}", request.method, request.target, request.minor),
        _ if record.frame == scene.suspect.frame && !scene.payload.is_empty() => first_line(&scene.payload),
        (None, Some(bytes)) if !to_server => first_line(bytes),
        _ => kind(record).to_owned(),
    };
    LadderRow { packet: packet(scene, record, to_server, None), to_server, role, note }
}

fn kind(record: &Record) -> &'static str {
    match (record.flags.any(TcpFlags::SYN), record.flags.any(TcpFlags::ACK)) {
        (true, true) => "SYN-ACK",
        (true, false) => "SYN",
        _ if record.flags.any(TcpFlags::RST) => "RST",
        _ if record.flags.any(TcpFlags::FIN) => "FIN",
        _ if record.len == 0 => "bare ACK",
        _ => "data",
    }
}
