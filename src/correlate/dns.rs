//! From a judged question of DNS to the alert.

use sha2::{Digest, Sha256};

use super::story::{capped, ended, first_eight, hex, signal};
use super::verdict::{graded, injected};
use crate::alert::{
    Alert, Carrier, Considered, DnsFacts, FlowFacts, Grade, LadderRow, Mechanism, PacketFacts, Role, SensorHealth, Verdict,
};
use crate::engine::case::scene as tcp;
use crate::engine::decode::datagram::DNS;
use crate::engine::detect::Group;
use crate::engine::detect::dns_conflict::{DnsAssessment, Kind, content};
use crate::engine::dns::{Answer, Asked, Exchange, Mark, WINDOW};
use crate::engine::flow::event::Conflict;
use crate::engine::observation::JudgedDns;
use crate::engine::protocol::dns::{Message, Question, type_name};
use crate::engine::time::{Span, Timestamp};
use crate::rules::policy::Thresholds;

/// How long an answer is waited for where no other answer of the resolver was timed: stub resolvers ask again after a second or more.
const UNKNOWN_TIME: Span = Span::from_secs(1);

/// The alert, or none below the lowest grade.
pub(super) fn tell(judged: &JudgedDns, at: Timestamp, bounds: Thresholds) -> Option<Alert> {
    let assessment = &judged.assessment;
    let exchange = &assessment.scene.exchange;
    let forged = assessment.answers(&assessment.forged).next()?;
    let genuine = assessment.answers(&assessment.genuine).next();
    let (score, grade) = (assessment.score(), grade(assessment, bounds)?);
    let verdict = verdict(assessment, at);
    let id = hash(exchange, |hash| {
        hash.update(forged.mark.time.as_nanos().to_be_bytes());
        hash.update(forged.sha256);
        hash.update(Mechanism::DnsAnswer.name());
    });
    Some(Alert {
        id,
        verdict,
        mechanism: Mechanism::DnsAnswer,
        severity: injected(grade, verdict),
        confidence: f64::from(score.min(99)) / 100.0,
        score,
        grade,
        flow: flow(exchange, forged),
        http: None,
        dns: Some(facts(assessment, forged)),
        indicators: Vec::new(),
        dhcp: None,
        signals: assessment.evidence.iter().map(signal).collect(),
        considered: considered(assessment),
        forged: packet(&forged.mark, Some(&forged.sha256)),
        forged_frames: frames(assessment, &assessment.forged),
        genuine: genuine.map(|answer| packet(&answer.mark, Some(&answer.sha256))),
        genuine_frames: frames(assessment, &assessment.genuine),
        redirect: None,
        sensor: SensorHealth { one_sided: exchange.times_asked == 0, handshake_seen: true, ..SensorHealth::default() },
        closed_at: at,
        closed_because: ended(judged.because),
        ladder: ladder(assessment),
        silence: genuine.is_none().then(|| (at - forged.mark.time).clamp(Span::ZERO, WINDOW)),
    })
}

fn grade(assessment: &DnsAssessment, bounds: Thresholds) -> Option<Grade> {
    let hard = [Group::Contradiction, Group::Header, Group::Device].into_iter().filter(|group| assessment.has(*group)).count();
    graded(assessment.score(), hard, bounds)
}

fn verdict(assessment: &DnsAssessment, at: Timestamp) -> Verdict {
    match assessment.kind {
        Kind::TwoSenders => Verdict::OnPathInjection,
        Kind::Replaced if was_waited_for(assessment, at) => Verdict::InPathInjection,
        Kind::Replaced | Kind::Unclear | Kind::KnownAddress => Verdict::Inconclusive,
    }
}

/// The genuine answer would have come by now: it was watched for twice the longest time that this resolver is known to take.
fn was_waited_for(assessment: &DnsAssessment, at: Timestamp) -> bool {
    let usual = assessment.scene.habits.iter().filter_map(|habit| habit.took).max();
    let first = assessment.answers(&assessment.forged).map(|answer| answer.mark.time).min();
    first.is_some_and(|first| at - first >= usual.map_or(UNKNOWN_TIME, |usual| usual.times(2)).min(WINDOW))
}

/// Derived from what live and replay see alike: the ends, the question, and what is added.
fn hash(exchange: &Exchange, add: impl FnOnce(&mut Sha256)) -> u64 {
    let mut hash = Sha256::new();
    for (address, port) in [exchange.client, exchange.resolver] {
        hash.update(address.0.to_be_bytes());
        hash.update(port.to_be_bytes());
    }
    hash.update(exchange.start.as_nanos().to_be_bytes());
    hash.update(exchange.id.to_be_bytes());
    add(&mut hash);
    first_eight(hash)
}

fn flow(exchange: &Exchange, forged: &Answer) -> FlowFacts {
    FlowFacts {
        id: hash(exchange, |_| {}) >> 13,
        carrier: if forged.mark.over_tcp { Carrier::Tcp } else { Carrier::Udp },
        client: (exchange.client.0, forged.client_port),
        server: exchange.resolver,
        ip_version: if forged.mark.is_v6 { 6 } else { 4 },
        vlans: exchange.vlans,
        ether: forged.ether,
        start: exchange.start,
        pkts_toserver: exchange.to_resolver.0,
        pkts_toclient: exchange.to_client.0,
        bytes_toserver: exchange.to_resolver.1,
        bytes_toclient: exchange.to_client.1,
    }
}

fn facts(assessment: &DnsAssessment, forged: &Answer) -> DnsFacts {
    let exchange = &assessment.scene.exchange;
    let message = &forged.message;
    let said = |indices: &[usize]| assessment.answers(indices).map(|answer| content(&answer.message)).collect();
    facts_of(&exchange.question, message, (said(&assessment.forged), said(&assessment.genuine)))
}

fn facts_of(question: &Question, message: &Message, (forged, genuine): (Vec<String>, Vec<String>)) -> DnsFacts {
    DnsFacts {
        id: message.id,
        name: question.name.to_string(),
        qtype: type_name(question.qtype),
        flags: message.flags,
        addresses: message.addresses.clone(),
        alias: message.alias.as_ref().map(ToString::to_string),
        ttl: message.ttl,
        forged,
        genuine,
    }
}

/// The answer of DNS that a suspected packet of a TCP connection begins with, and what stood in its place.
pub(super) fn over_tcp(scene: &tcp::Scene) -> Option<DnsFacts> {
    let message = Message::read_framed(&scene.payload).filter(|message| scene.server_port == DNS && message.is_answer())?;
    let rival = |conflict: &Conflict| {
        let is_earlier = conflict.earlier.frame == scene.suspect.frame;
        Message::read_framed(if is_earlier { &conflict.later_bytes } else { &conflict.earlier_bytes }).filter(Message::is_answer)
    };
    let genuine = scene.conflicts.iter().filter_map(rival).map(|message| content(&message)).collect();
    Some(facts_of(message.question.as_ref()?, &message, (vec![content(&message)], genuine)))
}

fn frames(assessment: &DnsAssessment, indices: &[usize]) -> Vec<u64> {
    let mut frames: Vec<u64> = assessment.answers(indices).flat_map(|answer| answer.frames.iter().copied()).collect();
    frames.sort_unstable();
    capped(frames)
}

fn packet(mark: &Mark, sha256: Option<&[u8; 32]>) -> PacketFacts {
    PacketFacts {
        frame: mark.frame,
        time: mark.time,
        ttl: Some(mark.ttl),
        ip_id: (!mark.is_v6).then_some(mark.ip_id),
        tcp: None,
        payload_len: mark.len,
        payload_sha256: sha256.map(|digest| hex(digest)),
    }
}

/// The question, each time it was asked, and each different answer.
fn ladder(assessment: &DnsAssessment) -> Vec<LadderRow> {
    let exchange = &assessment.scene.exchange;
    let qtype = type_name(exchange.question.qtype);
    let asked = |asked: &Asked| LadderRow {
        packet: packet(&asked.mark, None),
        to_server: true,
        role: Role::Context,
        note: format!("{qtype} of {}?", asked.name),
    };
    let answered = |(index, answer): (usize, &Answer)| LadderRow {
        packet: packet(&answer.mark, None),
        to_server: false,
        role: match index {
            _ if assessment.forged.contains(&index) => Role::Forged,
            _ if assessment.genuine.contains(&index) => Role::Genuine,
            _ => Role::Context,
        },
        note: content(&answer.message),
    };
    let mut rows: Vec<LadderRow> = exchange.asked.iter().map(asked).chain(exchange.answers.iter().enumerate().map(answered)).collect();
    rows.sort_by_key(|row| row.packet.frame);
    rows
}

/// Every explanation that could apply.
fn considered(assessment: &DnsAssessment) -> Vec<Considered> {
    let (kind, exchange) = (assessment.kind, &assessment.scene.exchange);
    let mut all = Vec::new();
    let mut weigh = |explanation: &'static str, kept: bool, why: String| all.push(Considered { explanation, kept, why });
    if assessment.has(Group::Contradiction) {
        let asked = match exchange.times_asked {
            0 => "the question was not seen".to_owned(),
            1 => "the question was asked once".to_owned(),
            times => format!("the question was asked {times} times"),
        };
        let why = format!("{asked}, and {} different answers came", exchange.answers.len());
        weigh("question asked again, addresses of a CDN or in rotation", assessment.retried, why);
        let two_stacks = assessment.has(Group::Header) || assessment.has(Group::Device) || assessment.has(Group::Timing);
        let why = if two_stacks { "they were not made by one sender" } else { "nothing shows that they had two senders" };
        weigh("two answers of the resolver itself", !two_stacks, why.to_owned());
    } else {
        let why = if kind == Kind::KnownAddress {
            "one answer came, and nothing but its address speaks against it: the resolver itself may have been told so"
        } else {
            "the answer was not made as the resolver's others are"
        };
        weigh(
            "the resolver's operator answers so: a filter, a portal, a page for names that do not exist",
            kind == Kind::KnownAddress,
            why.to_owned(),
        );
        weigh(
            "the address is in use here for something else",
            true,
            "addresses change hands, and private ones are used by many".to_owned(),
        );
    }
    if exchange.times_asked == 0 {
        weigh("gaps in what the sensor saw", true, "the question was not seen".to_owned());
    }
    all
}
