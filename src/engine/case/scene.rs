//! A case made ready for the detectors: one suspected packet, what its sender sent, and what it is compared with.

use super::Case;
use super::stacks;
use crate::engine::decode::packet::{Addr, TcpFlags};
use crate::engine::flow::event::{CloseContradiction, Conflict};
use crate::engine::flow::memory::{LogId, Pool};
use crate::engine::flow::record::{Record, seq_diff};
use crate::engine::flow::side::Opening;
use crate::engine::flow::{Content, Flow, stream};
use crate::engine::limits::Limits;
use crate::engine::protocol::http::{Connection, Event, Redirect, Request, Response, Stamp};
use crate::engine::protocol::url::Address;
use crate::engine::time::{Span, Timestamp};

/// Bytes of the suspect's payload that detectors may look at.
const LARGEST_PAYLOAD: usize = 8 << 10;
/// A stream's bytes while its SYN-ACK is in question lie this near behind its initial number; two numbers chosen at random seldom do (1 in 128).
const NEAR_NUMBERS: i32 = 1 << 24;

/// What two senders sent, at most 8 KiB of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copies {
    /// Of the suspect's sender.
    pub forged: Vec<u8>,
    /// Of the other.
    pub genuine: Vec<u8>,
}

/// One way to read a case: this packet is the forgery.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The first packet that is held to be forged.
    pub suspect: Record,
    /// What was captured of its payload and is still held, at most 8 KiB.
    pub payload: Vec<u8>,
    /// All packets of its sender, the suspect first, in order of arrival.
    pub forged: Vec<Record>,
    /// The server's other packets, without RSTs: what the suspect is compared with.
    pub base: Vec<Record>,
    /// The client's SYN.
    pub syn: Opening,
    /// The server's SYN-ACK, the weaker part of the base.
    pub syn_ack: Opening,
    /// The SYN-ACK that came first, also when it is the suspect.
    pub first_syn_ack: Opening,
    /// The client sent its SYN more than once.
    pub syn_repeated: bool,
    /// Further SYN-ACKs with other sequence numbers.
    pub competing: Vec<Opening>,
    /// The suspect is a SYN-ACK, and the client's acknowledgment of it was reset by a host that had sent another.
    pub disowned: bool,
    /// Packets of the client, in order of arrival.
    pub client: Vec<Record>,
    /// The client's last payload before the suspect.
    pub trigger: Option<Record>,
    /// Two versions of the same bytes, of which one is forged.
    pub conflicts: Vec<Conflict>,
    /// The other versions' packets, in order of arrival; those of a second forger are left out where their headers tell.
    pub genuine: Vec<Record>,
    /// The bytes of both senders, where two versions of an HTTP answer were sent.
    pub copies: Option<Copies>,
    /// The suspect packet carries the start of this response, or lies within it.
    pub response: Option<Box<Response>>,
    /// Redirects in its body.
    pub body: Vec<Redirect>,
    /// The request that was waiting, where no response was read.
    pub request: Option<Request>,
    /// Contradictions about the end of the connection.
    pub closes: Vec<CloseContradiction>,
    /// The shortest round-trip time between the sensor and the server.
    pub rtt: Option<Span>,
    /// The connection carries HTTP, whether or not this message of it was read.
    pub is_http: bool,
    /// The server's address.
    pub server: Addr,
    /// The server's port.
    pub server_port: u16,
    /// The first payload of the base's stack after the suspect. An acknowledgment is no answer: a device in the path may let it pass.
    pub spoke_again: Option<Record>,
    /// The suspect's stack, and not the base's, answered what the client asked next.
    pub served_on: bool,
    /// From the suspect to the end of the case.
    pub watched: Span,
    /// The flow ended before the suspect: a FIN of either side was seen.
    pub was_closing: bool,
    /// Whether the suspect's checksum is right; unknown when not all of its payload was captured or is still held. A wrong one was not enough to leave
    /// the packet out, because no other of the direction is right.
    pub checksum: Option<bool>,
    /// Something impaired the sensor: one direction only, no handshake, merged segments, checksums that tell nothing.
    pub impaired: bool,
}

impl Scene {
    /// The request that the suspect answers.
    #[must_use]
    pub fn asked(&self) -> Option<&Request> {
        self.response.as_ref().and_then(|response| response.request.as_ref()).or(self.request.as_ref())
    }
    /// The address that the suspect answers for.
    #[must_use]
    pub fn asked_address(&self) -> Option<Address> {
        let request = self.asked()?;
        Address::of_request(request.host.as_deref()?, self.server_port, &request.target)
    }
    /// Redirects of head and body.
    pub fn redirects(&self) -> impl Iterator<Item = &Redirect> {
        self.response.iter().flat_map(|response| &response.redirects).chain(&self.body)
    }
    /// Timestamps were negotiated by both sides (RFC 7323, section 3.2: a SYN-ACK carries them only when the SYN did).
    #[must_use]
    pub fn timestamps_negotiated(&self) -> bool {
        let refused = self.syn.seen().is_some_and(|syn| !syn.has_timestamps());
        match self.syn_ack.seen() {
            Some(answer) => answer.has_timestamps() && !refused,
            None => self.base.len() >= 2 && self.base.iter().all(Record::has_timestamps) && self.client.iter().any(Record::has_timestamps),
        }
    }
    /// The server's packets that count as the base, the SYN-ACK first.
    pub fn base_with_syn_ack(&self) -> impl Iterator<Item = &Record> {
        self.syn_ack.seen().into_iter().chain(&self.base)
    }
}

/// Every way to read the case; for a conflict both copies are tried as the forgery.
#[must_use]
pub fn scenes(case: &Case, flow: &Flow, pool: &Pool, (closed, limits): (Timestamp, &Limits)) -> Vec<Scene> {
    let records = records(case);
    let mut scenes = Vec::new();
    let mut push = |suspect: &Record, other: Option<&Record>| {
        if scenes.iter().all(|scene: &Scene| scene.suspect.frame != suspect.frame) {
            scenes.push(scene(case, flow, (pool, limits), &records, (suspect, other, closed)));
        }
    };
    for conflict in case.conflicts.iter().take(2) {
        push(&conflict.earlier, Some(&conflict.later));
        push(&conflict.later, Some(&conflict.earlier));
    }
    for suspect in &case.suspects {
        push(suspect, None);
    }
    if !case.competing.is_empty() {
        openings(case, flow.server_side().opening()).for_each(|opening| push(opening, None));
    }
    scenes
}

/// Every SYN-ACK.
fn openings<'a>(case: &'a Case, first: &'a Opening) -> impl Iterator<Item = &'a Record> {
    std::iter::once(first).chain(&case.competing).filter_map(Opening::seen)
}

/// A packet of the server that goes on although the forged FIN or RST ended the stream.
fn is_forged_close(case: &Case, forged: &[Record], record: &Record) -> bool {
    let is_forged = |frame: u64| forged.iter().any(|other| other.frame == frame);
    case.closes.iter().any(|close| close.contradicted_by.frame == record.frame && is_forged(close.close.frame) && !is_forged(record.frame))
}

fn records(case: &Case) -> Vec<Record> {
    let mut all: Vec<Record> = case.before.iter().chain(&case.after).chain(&case.suspects).copied().collect();
    all.extend(case.conflicts.iter().flat_map(|conflict| [conflict.earlier, conflict.later]));
    all.retain(|record| !record.flags.any(TcpFlags::SYN) || record.len > 0);
    all.sort_by_key(|record| record.frame);
    all.dedup_by_key(|record| record.frame);
    all
}

fn scene(
    case: &Case,
    flow: &Flow,
    (pool, limits): (&Pool, &Limits),
    records: &[Record],
    (suspect, other, closed): (&Record, Option<&Record>, Timestamp),
) -> Scene {
    let server = flow.server_side();
    let (forged, base) = divide(case, records, (suspect, other), server.opening());
    let is_forged = |frame: u64| forged.iter().any(|record| record.frame == frame);
    let conflicts: Vec<Conflict> =
        case.conflicts.iter().filter(|conflict| is_forged(conflict.earlier.frame) || is_forged(conflict.later.frame)).cloned().collect();
    let mut genuine: Vec<Record> =
        conflicts.iter().flat_map(|conflict| [conflict.earlier, conflict.later]).filter(|record| !is_forged(record.frame)).collect();
    if conflicts.is_empty() {
        genuine.extend(case.closes.iter().map(|close| close.contradicted_by).filter(|record| is_forged_close(case, &forged, record)));
    }
    if suspect.flags.any(TcpFlags::SYN) {
        genuine.extend(openings(case, server.opening()).filter(|opening| opening.frame != suspect.frame).copied());
    }
    genuine.sort_by_key(|record| record.frame);
    genuine.dedup_by_key(|record| record.frame);
    leave_out_strangers(&mut genuine, &base, server.opening());
    let mut payload = pool.payload_of(server.log, suspect.frame);
    let checksum = stream::held_checksum(suspect, &payload);
    payload.truncate(LARGEST_PAYLOAD);
    let is_http = flow.content == Content::Http;
    let copies = (is_http && !conflicts.is_empty())
        .then(|| Copies { forged: copy(&forged, server.log, pool), genuine: copy(&genuine, server.log, pool) });
    let (response, body) = response_of(case, &forged, suspect, (&payload, limits));
    let spoke_again = base.iter().find(|record| record.frame > suspect.frame && record.len > 0).copied();
    let asked_next = next_question(case, suspect);
    let answers_next = |record: &&Record| record.len > 0 && asked_next.is_some_and(|asked| asked < record.frame);
    // The SYN-ACK's header tells little: it is compared with where there is nothing else.
    let opening = server.opening().seen().filter(|_| base.is_empty());
    let by_suspect = |record: &Record| stacks::is_nearer(record, &forged, opening.into_iter().chain(&base));
    let mut next_answers = records.iter().filter(answers_next).peekable();
    let served_on = next_answers.peek().is_some() && next_answers.all(by_suspect);
    let before = |record: &&Record| record.len > 0 && record.frame < suspect.frame;
    let closing = |record: &Record| record.flags.any(TcpFlags::FIN | TcpFlags::RST) && record.frame < suspect.frame;
    Scene {
        suspect: *suspect,
        payload,
        was_closing: case.client.iter().any(closing) || base.iter().any(closing),
        forged,
        base,
        syn: *flow.client_side().opening(),
        syn_ack: if server.opening().record.frame == suspect.frame {
            case.competing.first().copied().unwrap_or_default()
        } else {
            *server.opening()
        },
        first_syn_ack: *server.opening(),
        syn_repeated: flow.client_side().history.openings_repeated > 0,
        competing: case.competing.clone(),
        disowned: is_disowned(case, records, suspect, (flow.client_side().opening(), server.opening())),
        client: case.client.clone(),
        trigger: case.client.iter().filter(before).max_by_key(|record| record.frame).copied(),
        conflicts,
        genuine,
        copies,
        response,
        body,
        request: case.request.clone(),
        closes: case.closes.clone(),
        rtt: flow.rtt,
        is_http,
        server: flow.endpoint(flow.server).0,
        server_port: flow.endpoint(flow.server).1,
        spoke_again,
        served_on,
        watched: closed - suspect.time,
        checksum,
        impaired: flow.client_side().packets == 0
            || server.opening().seen().is_none()
            || server.history.offloaded
            || checksum == Some(false),
    }
}

/// The payload of packets in the order of the stream.
fn copy(records: &[Record], log: LogId, pool: &Pool) -> Vec<u8> {
    let mut pieces: Vec<&Record> = records.iter().filter(|record| record.len > 0).collect();
    let first = pieces.first().map_or(0, |record| record.payload_seq());
    pieces.sort_by_key(|record| seq_diff(first, record.payload_seq()));
    let mut bytes = Vec::new();
    let mut next = None;
    for record in pieces {
        // What came before, and what follows a hole, is not the copy's.
        if next.is_none_or(|next| next == record.payload_seq()) && bytes.len() < LARGEST_PAYLOAD {
            next = Some(record.payload_seq().wrapping_add(record.len));
            bytes.extend(pool.payload_of(log, record.frame));
        }
    }
    bytes.truncate(LARGEST_PAYLOAD);
    bytes
}

/// Of several other versions, one that fits the server's packets by two marks less than another is a second forger's.
fn leave_out_strangers(genuine: &mut Vec<Record>, base: &[Record], opening: &Opening) {
    let is_version = |record: &Record| genuine.iter().any(|version| version.frame == record.frame);
    let witnesses: Vec<&Record> = opening.seen().into_iter().chain(base).filter(|record| !is_version(record)).collect();
    let distances: Vec<u32> = genuine.iter().filter_map(|version| stacks::nearest(version, witnesses.iter().copied())).collect();
    let Some(least) = distances.iter().min() else { return };
    let mut distances = distances.iter();
    genuine.retain(|_| distances.next().is_none_or(|distance| *distance < least + 2));
}

/// The packets of the suspect's sender, and the rest without RSTs; up to the client's next question, with which another exchange begins.
fn divide(case: &Case, records: &[Record], (suspect, other): (&Record, Option<&Record>), syn_ack: &Opening) -> (Vec<Record>, Vec<Record>) {
    let is_reset = suspect.flags.any(TcpFlags::RST);
    // A false SYN-ACK begins all that follows.
    let bounded = !suspect.flags.any(TcpFlags::SYN);
    let until = next_question(case, suspect).filter(|_| bounded).unwrap_or(u64::MAX);
    let candidates: Vec<Record> = records
        .iter()
        .filter(|record| record.frame != suspect.frame && record.frame < until && (is_reset || !record.flags.any(TcpFlags::RST)))
        .copied()
        .collect();
    let mut servers: Vec<Record> = openings(case, syn_ack).filter(|opening| opening.frame != suspect.frame).chain(other).copied().collect();
    // Who chose a SYN-ACK's number goes on with it, however well headers are imitated.
    let (own, candidates): (Vec<Record>, Vec<Record>) = candidates
        .into_iter()
        .partition(|record| !bounded && record.frame > suspect.frame && continued(case, syn_ack, record.seq) == Some(suspect.seq));
    servers.extend(candidates.iter().filter(|record| !bounded && continued(case, syn_ack, record.seq).is_some()));
    let (mut forged, mut base) = stacks::part(&candidates, suspect, &servers);
    forged.extend(own);
    forged.sort_by_key(|record| record.frame);
    base.retain(|record| !record.flags.any(TcpFlags::RST));
    (forged, base)
}

/// The number of the one SYN-ACK whose stream `seq` lies in.
fn continued(case: &Case, first: &Opening, seq: u32) -> Option<u32> {
    let mut near = openings(case, first).map(|opening| opening.seq).filter(|start| (1..NEAR_NUMBERS).contains(&seq_diff(*start, seq)));
    let start = near.next()?;
    near.all(|other| other == start).then_some(start)
}

/// A host that has sent one SYN-ACK and gets an acknowledgment of another answers with a RST without ACK, whose number is that of the acknowledgment
/// (RFC 9293, section 3.10.7.4, SYN-RECEIVED). It comes the way that its SYN-ACK came, and no sooner after the acknowledgment than that after the SYN:
/// who sends the RST of the other SYN-ACK's own accord need not wait for it.
fn is_disowned(case: &Case, records: &[Record], suspect: &Record, (syn, first): (&Opening, &Opening)) -> bool {
    let Some(syn) = syn.seen().filter(|_| suspect.flags.any(TcpFlags::SYN)) else { return false };
    let answers = |reset: &Record| {
        let acknowledged = case.client.iter().find(|packet| packet.flags.any(TcpFlags::ACK) && packet.ack == reset.seq)?;
        Some(reset.time - acknowledged.time)
    };
    let is_of = |other: &Record, reset: &Record| {
        let same_way = other.ttl.abs_diff(reset.ttl) <= suspect.ttl.abs_diff(reset.ttl);
        // Round trips of one way differ by less than a quarter.
        let in_time = answers(reset).is_some_and(|after| after.times(4) >= (other.time - syn.time).times(3));
        other.seq != suspect.seq && same_way && in_time
    };
    records
        .iter()
        .filter(|record| record.flags.any(TcpFlags::RST) && !record.flags.any(TcpFlags::ACK))
        .filter(|reset| continued(case, first, reset.seq) == Some(suspect.seq))
        .any(|reset| openings(case, first).any(|other| is_of(other, reset)))
}

/// The frame in which the client asks for the first time after the suspect.
fn next_question(case: &Case, suspect: &Record) -> Option<u64> {
    let asks = |packet: &&Record| packet.len > 0 && packet.frame > suspect.frame && is_new(packet, &case.client);
    case.client.iter().filter(asks).map(|packet| packet.frame).min()
}

/// Not a retransmission of earlier payload.
fn is_new(packet: &Record, client: &[Record]) -> bool {
    !client
        .iter()
        .any(|earlier| earlier.frame < packet.frame && earlier.len > 0 && seq_diff(packet.payload_seq(), earlier.payload_seq()) >= 0)
}

/// The response that the suspect begins: as the stream was read, or, where the stream holds the other copy, read from the suspect alone.
fn response_of(
    case: &Case,
    forged: &[Record],
    suspect: &Record,
    (payload, limits): (&[u8], &Limits),
) -> (Option<Box<Response>>, Vec<Redirect>) {
    if let Some(response) = &case.response {
        let (from, to) = (response.first.seq, response.head_end.seq);
        let touches = seq_diff(suspect.payload_seq(), to) > 0 && seq_diff(from, suspect.payload_seq().wrapping_add(suspect.len)) > 0;
        // A false SYN-ACK's sender goes on to answer the request.
        let begins = response.first.frame == suspect.frame
            || (suspect.flags.any(TcpFlags::SYN) && forged.iter().any(|record| record.frame == response.first.frame));
        if begins || (touches && !Connection::is_response(payload) && response.first.frame < suspect.frame) {
            return (Some(response.clone()), case.body.clone());
        }
    }
    if !Connection::is_response(payload) {
        return (None, Vec::new());
    }
    let mut alone = Connection::default();
    let mut events = Vec::new();
    let at = Stamp { frame: suspect.frame, time: suspect.time, seq: suspect.payload_seq() };
    alone.server_bytes(payload, at, limits, &mut events);
    alone.server_closed(limits, &mut events);
    let (mut response, mut body) = (None, Vec::new());
    for event in events {
        match event {
            Event::Head(head) if response.is_none() => response = Some(head),
            Event::Head(_) => break,
            Event::Body(redirects) => body = redirects,
            Event::Whole(_) => {}
        }
    }
    if let Some(head) = response.as_deref_mut() {
        head.request = case.response.as_ref().and_then(|read| read.request.clone()).or_else(|| case.request.clone());
    }
    (response, body)
}
