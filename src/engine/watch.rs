//! Which events are worth a case, and how a case becomes an observation.

use sha2::{Digest, Sha256};

use super::Knowledge;
use super::case::{Case, LONGEST_WAIT, scene};
use super::counters::ShardCounters;
use super::decode::packet::TcpFlags;
use super::detect::indicator::{Listed, touched};
use super::detect::{self, Assessment, dns_conflict, redirect_semantics};
use super::dns::{Closed, Exchanges};
use super::flow::Flow;
use super::flow::event::FlowEvent;
use super::flow::memory::Pool;
use super::flow::record::{Record, seq_diff};
use super::limits::Limits;
use super::observation::{ClosedBecause, FlowFacts, Judged, JudgedDns, Observation, What};
use super::protocol::http::{Event, Redirect, Response};
use super::protocol::url::Address;
use super::time::{Span, Timestamp};

/// A RST later than this after the client's last payload interrupts nothing: middleboxes reset connections that idled out.
const RESET_INTERRUPTS_WITHIN: Span = Span::from_secs(5);

/// A RST or FIN of a connection whose server was not heard for so long may be that of a middlebox which has forgotten it: session tables are emptied
/// after one minute of idleness or several, although RFC 5382, section 5, asks for two hours.
const FORGOTTEN_AFTER: Span = Span::from_secs(60);

/// What opening a case needs of the shard.
pub(super) struct Desk<'a> {
    pub(super) pool: &'a Pool,
    pub(super) limits: &'a Limits,
    pub(super) knowledge: &'a Knowledge,
    pub(super) counters: &'a mut ShardCounters,
}

/// Takes an event into the flow's cases, or opens one.
pub(super) fn react(flow: &mut Flow, event: FlowEvent, now: Timestamp, desk: &mut Desk<'_>) {
    match event {
        FlowEvent::StackChange(record) => {
            if record.len > 0 || (record.flags.any(TcpFlags::FIN) && is_unanswered(flow, &record)) {
                let _ = case_for(flow, &record, now, desk);
            }
        }
        // A response whose head was cut by the snap length is not read; the packet can still be known.
        // No matter of one flow: the shard lets it out.
        FlowEvent::LinkChange { .. } | FlowEvent::Hello(..) | FlowEvent::Dns(..) => {}
        FlowEvent::UnpushedFin(record) => {
            if desk.knowledge.devices.may_know(&record) {
                let _ = case_for(flow, &record, now, desk);
            }
        }
        FlowEvent::ListedServer(record) => contact(flow, &record, now, desk),
        FlowEvent::Conflict(conflict) => {
            let limits = desk.limits;
            let known = flow.cases.iter().position(|case| case.concerns(conflict.earlier.frame) || case.concerns(conflict.later.frame));
            let case = match known {
                Some(index) => flow.cases.get_mut(index).map(Box::as_mut),
                None => case_for(flow, &conflict.earlier, now, desk),
            };
            if let Some(case) = case {
                case.add_conflict(*conflict, limits);
            }
        }
        FlowEvent::CompetingSynAck(opening) => {
            if let Some(case) = case_for(flow, &opening.record, now, desk)
                && case.competing.len() < 4
            {
                case.competing.push(opening);
            }
        }
        FlowEvent::Reset(record) => {
            if interrupts(flow, &record) {
                let _ = case_for(flow, &record, now, desk);
            }
        }
        FlowEvent::CloseContradiction(contradiction) => {
            if let Some(case) = case_for(flow, &contradiction.close, now, desk) {
                case.add_suspect(&contradiction.contradicted_by);
                if case.closes.len() < 8 {
                    case.closes.push(contradiction);
                }
            }
        }
        // No matter of one flow.
        FlowEvent::Http(Event::Whole(_)) => {}
        FlowEvent::Http(Event::Head(response)) => answer(flow, response, now, desk),
        FlowEvent::Http(Event::Body(redirects)) => body(flow, redirects, now, desk),
    }
}

/// The server was not heard for so long that a middlebox may have forgotten the connection.
fn may_be_forgotten(flow: &Flow, record: &Record) -> bool {
    let server = flow.server_side();
    let before = server.opening().seen().into_iter().chain(server.records()).filter(|other| other.frame < record.frame);
    before.last().is_some_and(|last| record.time - last.time > FORGOTTEN_AFTER)
}

/// The client had asked and not been answered.
fn is_unanswered(flow: &Flow, record: &Record) -> bool {
    let (server, client) = (flow.server_side(), flow.client_side());
    !may_be_forgotten(flow, record)
        && client.last_payload().is_some_and(|asked| {
            record.time - asked < RESET_INTERRUPTS_WITHIN && server.last_payload().is_none_or(|answered| answered < asked)
        })
}

/// A reset of a connection on which something was going on.
fn interrupts(flow: &Flow, record: &Record) -> bool {
    let (server, client) = (flow.server_side(), flow.client_side());
    let alive = server.opening().seen().is_some() || server.packets > 1;
    let last_payload = client.last_payload().max(server.last_payload());
    let busy = last_payload.is_none_or(|last| record.time - last < RESET_INTERRUPTS_WITHIN);
    alive && busy && !may_be_forgotten(flow, record) && !server.closed && !client.closed && !client.reset
}

fn answer(flow: &mut Flow, response: Box<Response>, now: Timestamp, desk: &mut Desk<'_>) {
    let record = find(flow, desk.pool, response.first.frame);
    if let Some(record) = record {
        let odd = is_odd(flow, &response, &record, desk.knowledge);
        if !odd && !listed(flow, &response, &response.redirects, desk.knowledge).is_empty() {
            contact(flow, &record, now, desk);
        }
        let concerned = odd || flow.cases.iter().any(|case| case.concerns(record.frame));
        if concerned
            && let Some(case) = case_for(flow, &record, now, desk)
            && case.response.is_none()
        {
            case.response = Some(response.clone());
        }
    }
    flow.last_answer = Some(response);
}

/// Opens a case on the ground of a list alone. It waits as long as any, so that a redirect that led there, in another connection, is told first.
fn contact(flow: &mut Flow, record: &Record, now: Timestamp, desk: &mut Desk<'_>) {
    let opened = flow.cases_opened;
    if let Some(case) = case_for(flow, record, now, desk)
        && case.serial > opened
    {
        case.deadline = now + LONGEST_WAIT;
    }
}

/// Listed indicators that an exchange touches; the server's address was looked up with its first payload.
fn listed(flow: &Flow, response: &Response, redirects: &[Redirect], knowledge: &Knowledge) -> Vec<Listed> {
    touched(&knowledge.indicators, redirects.iter(), response.request.as_ref(), (None, flow.endpoint(flow.server).1))
}

fn body(flow: &mut Flow, redirects: Vec<Redirect>, now: Timestamp, desk: &mut Desk<'_>) {
    let Some(response) = flow.last_answer.clone() else { return };
    let frame = response.first.frame;
    let concerned = redirect_semantics::leads_away(&redirects, asked(flow, &response).as_ref())
        || flow.cases.iter().any(|case| case.concerns(frame))
        || !listed(flow, &response, &redirects, desk.knowledge).is_empty();
    if !concerned {
        return;
    }
    let Some(record) = find(flow, desk.pool, frame) else { return };
    if let Some(case) = case_for(flow, &record, now, desk)
        && case.response.as_ref().is_none_or(|known| known.first.frame == frame)
    {
        case.response = Some(response);
        case.body = redirects;
    }
}

/// A response that is worth watching what follows it: bare, leading away, by someone who had not read the question, far too early, or with the
/// identification of a known device.
fn is_odd(flow: &Flow, response: &Response, record: &Record, knowledge: &Knowledge) -> bool {
    let bare = !response.has_date && response.server.is_none() && response.status >= 200;
    let request = response.request.as_ref();
    let unread = request.is_some_and(|request| request.last.frame < record.frame && seq_diff(record.ack, request.last.seq) > 0);
    let early = flow.rtt.zip(request).is_some_and(|(rtt, request)| {
        let after = record.time - request.last.time;
        rtt > Span::from_millis(2) && after >= Span::ZERO && after.times(2) < rtt
    });
    bare || unread
        || early
        || knowledge.devices.may_know(record)
        || (!response.redirects.is_empty() && redirect_semantics::leads_away(&response.redirects, asked(flow, response).as_ref()))
}

/// The address that a response answers for.
pub(super) fn asked(flow: &Flow, response: &Response) -> Option<Address> {
    let request = response.request.as_ref()?;
    Address::of_request(request.host.as_deref()?, flow.endpoint(flow.server).1, &request.target)
}

pub(super) fn find(flow: &Flow, pool: &Pool, frame: u64) -> Option<Record> {
    let server = flow.server_side();
    let held = server.records().find(|record| record.frame == frame).copied();
    held.or_else(|| pool.pieces(server.log).map(|piece| piece.record).find(|record| record.frame == frame))
}

/// The case that a suspect belongs to: an open one of the flow, unless that is about another response; else a new one, within the flow's share.
fn case_for<'a>(flow: &'a mut Flow, suspect: &Record, now: Timestamp, desk: &mut Desk<'_>) -> Option<&'a mut Case> {
    let joined = flow.cases.iter().rposition(|case| case.concerns(suspect.frame) || !is_other_exchange(case, suspect));
    if let Some(index) = joined {
        let case = flow.cases.get_mut(index)?;
        case.add_suspect(suspect);
        return Some(case);
    }
    if flow.cases_opened >= desk.limits.cases_per_flow {
        desk.counters.cases_left_out += 1;
        return None;
    }
    flow.cases_opened += 1;
    desk.counters.cases += 1;
    let server = flow.server_side();
    let mut before: Vec<Record> = desk.pool.pieces(server.log).map(|piece| piece.record).collect();
    let surplus = before.len().saturating_sub(desk.limits.case_packets);
    before.drain(..surplus);
    before.extend(server.records());
    let case = Case {
        serial: flow.cases_opened,
        suspects: vec![*suspect],
        deadline: now + Case::wait(flow.rtt),
        before,
        after: Vec::new(),
        client: flow.client_side().records().copied().collect(),
        conflicts: Vec::new(),
        closes: Vec::new(),
        competing: Vec::new(),
        response: flow.last_answer.clone().filter(|answer| answer.first.frame == suspect.frame),
        body: Vec::new(),
        request: flow.http.as_ref().and_then(|http| http.waiting().cloned()),
        left_out: 0,
    };
    flow.cases.push(Box::new(case));
    flow.cases.last_mut().map(Box::as_mut)
}

/// The client asked again between the case's response and the suspect: that is another exchange of a persistent connection.
fn is_other_exchange(case: &Case, suspect: &Record) -> bool {
    let Some(response) = &case.response else { return false };
    let asked_again = |packet: &&Record| packet.len > 0 && packet.frame > response.first.frame && packet.frame < suspect.frame;
    suspect.len > 0 && suspect.frame > response.first.frame && case.client.iter().any(|packet| asked_again(&packet))
}

/// Below the lowest grade (`LOW` in `correlate/verdict.rs`) a case is no matter of an alert.
const WORTH_TELLING: u8 = 25;
/// From this score on a page reaches the lowest grade by what is known across flows: 15 or 20 points.
const MAY_GROW_FROM: u8 = 10;
/// From this score on a case is an alert's whole matter, and its packets are not told of again.
const TOLD: u8 = 40;

/// Below the lowest grade, but what is known across flows may add to it: what leads to another site tells besides which targets many are sent to, and a
/// page can differ from what it was, or be one that used to be encrypted.
fn may_grow(assessment: &Assessment) -> bool {
    let scene = &assessment.scene;
    let is_page =
        scene.response.as_ref().is_some_and(|response| response.status == 200 && (response.validator.is_some() || response.is_page()));
    (is_page && assessment.score() >= MAY_GROW_FROM) || redirect_semantics::destination(scene).is_some_and(|to| to.cross_site == Some(true))
}

/// Judges a case. None when nothing speaks for a forgery, or an earlier case of the flow told of it.
pub(super) fn decide(
    case: &Case,
    flow: &mut Flow,
    pool: &Pool,
    (limits, knowledge): (&Limits, &Knowledge),
    (at, because): (Timestamp, ClosedBecause),
) -> Option<Observation> {
    let scenes = scene::scenes(case, flow, pool, (at, limits));
    let assessment = detect::assess(scenes, knowledge)?;
    let scene = &assessment.scene;
    if assessment.score() < WORTH_TELLING && !may_grow(&assessment) {
        return None;
    }
    let named = || {
        scene
            .forged
            .iter()
            .chain(&scene.genuine)
            .map(|record| record.frame)
            .chain(scene.closes.iter().flat_map(|close| [close.close.frame, close.contradicted_by.frame]))
    };
    if named().any(|frame| flow.judged.contains(&frame)) {
        return None;
    }
    if assessment.score() >= TOLD {
        let room = limits.judged_frames.saturating_sub(flow.judged.len());
        let frames: Vec<u64> = named().take(room).collect();
        flow.judged.reserve_exact(frames.len());
        flow.judged.extend(frames);
    }
    let sha256 = |record: &Record| {
        let payload = pool.payload_of(flow.server_side().log, record.frame);
        (!payload.is_empty()).then(|| Sha256::digest(&payload).into())
    };
    let judged = Judged {
        serial: case.serial,
        because,
        forged_sha256: sha256(&assessment.scene.suspect),
        genuine_sha256: assessment.scene.genuine.first().and_then(sha256),
        flow: FlowFacts::of(flow),
        assessment,
    };
    Some(Observation { at, what: What::Case(Box::new(judged)) })
}

/// Judges a question of DNS for which nothing more is waited. What is told of teaches nothing about the resolver.
pub(super) fn decide_dns(closed: Closed, dns: &mut Exchanges, knowledge: &Knowledge) -> Option<Observation> {
    let assessment = dns_conflict::inspect(&closed.scene, knowledge)?;
    dns.unlearn(&closed.scene);
    Some(Observation { at: closed.at, what: What::Dns(Box::new(JudgedDns { because: closed.because, assessment })) })
}
