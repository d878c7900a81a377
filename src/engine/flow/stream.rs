//! Payload in sequence space: what came before is compared, what comes next is handed to the application in order.

use super::event::{Conflict, FlowEvent, SAMPLE};
use super::key::Sender;
use super::memory::{LogId, Piece, Pool};
use super::record::{Record, seq_diff};
use super::{Content, Context, Flow};
use crate::engine::decode::checksum;
use crate::engine::decode::datagram::DNS;
use crate::engine::decode::packet::{Packet, TcpFlags};
use crate::engine::dns::stream::Bytes;
use crate::engine::protocol::http::{Connection, Stamp};
use crate::engine::protocol::tls::Opening;

/// An overlap shorter than this proves nothing: keep-alive probes carry a garbage byte, and padding counted as payload is at most six bytes
/// (the least Ethernet frame leaves no more behind an ACK).
const SMALLEST_CONFLICT: u32 = 8;
/// Pieces that are compared with one packet after the first difference; so many of one byte each are an overlap that counts.
const MOST_DIFFERENCES: usize = 16;
/// Of a TLS stream only so much is remembered: the handshake, where plain bytes could still be forged.
const TLS_REMEMBERED: usize = 4 << 10;
/// Segments of a client in which its ClientHello is looked for; browsers send one or two.
const HELLO_SEGMENTS: u8 = 16;
/// Bytes beyond a hole after which the hole is given up.
const LARGEST_WAIT: u32 = 256 << 10;

/// True unless another payload than `payload` is remembered of the packet in `frame`; what is not remembered cannot differ.
pub(super) fn holds(pool: &Pool, log: LogId, frame: u64, payload: &[u8]) -> bool {
    let mut rest = payload;
    pool.pieces(log).filter(|piece| piece.record.frame == frame).all(|piece| {
        let (same, after) = rest.split_at_checked(piece.bytes.len().min(rest.len())).unwrap_or_default();
        rest = after;
        same == piece.bytes.get(..same.len()).unwrap_or_default()
    })
}

/// Takes the payload of a packet.
pub(super) fn take(flow: &mut Flow, packet: &Packet<'_>, record: &Record, (sender, context): (Sender, &mut Context<'_>)) {
    if flow.content == Content::Unknown {
        recognise(flow, packet.payload, sender);
    }
    let content = flow.content;
    // Of a protocol that is not known, seen from the middle on, either end may be the server.
    let from_server = sender == flow.server || (!flow.roles_known && content == Content::Other);
    let seq = record.payload_seq();
    let side = flow.side_mut(sender);
    let end = seq.wrapping_add(record.len);
    (side.last_payload_at, side.payload_end) = (record.time, end);
    let is_next = seq == side.next && seq == side.high;
    let is_old = seq_diff(seq, side.high) > 0;
    let known = from_server && is_old && compare(flow, packet, record, (sender, context));
    let side = flow.side_mut(sender);
    let worth_keeping = match content {
        Content::Tls => context.pool.held(side.log) < TLS_REMEMBERED,
        Content::Dns => true,
        // Of the client only what waits behind a hole is needed again.
        _ => from_server || !is_next,
    };
    if worth_keeping && !known {
        context.pool.append(&mut side.log, record, seq, packet.payload);
    }
    if seq_diff(side.high, end) > 0 {
        side.high = end;
    }
    advance(flow, packet, record, (sender, context));
}

/// What the stream carries, by its first payload; the roles follow where no handshake told them.
fn recognise(flow: &mut Flow, payload: &[u8], sender: Sender) {
    let from = |flow: &mut Flow, server: Sender| {
        if !flow.roles_known {
            flow.server = server;
            flow.roles_known = true;
        }
        flow.content = Content::Http;
        flow.http = Some(Box::default());
    };
    if Connection::is_request(payload) {
        from(flow, sender.other());
    } else if Connection::is_response(payload) {
        from(flow, sender);
    } else if let [0x14..=0x17, 0x03, 0x00..=0x04, ..] = payload {
        flow.content = Content::Tls;
        flow.hello_segments = HELLO_SEGMENTS;
    } else if !payload.is_empty() && flow.key.has_port(DNS) {
        flow.content = Content::Dns;
        flow.dns = Some(Box::default());
    } else if !payload.is_empty() {
        flow.content = Content::Other;
    }
}

/// Compares a packet with what is remembered of its range. True when all of it was there already and is the same. Whoever has two versions of its
/// bytes is the one in whose name somebody forges: where the roles were guessed, that is the server.
fn compare(flow: &mut Flow, packet: &Packet<'_>, record: &Record, (sender, context): (Sender, &mut Context<'_>)) -> bool {
    let seq = record.payload_seq();
    let log = flow.side(sender).log;
    let captured = packet.payload.len() as u32;
    let (mut same, mut found) = (0_u32, Vec::new());
    for piece in context.pool.overlapping(log, seq, captured).filter(is_of_stream) {
        let Some((from, earlier, later)) = common(piece.seq, piece.bytes, seq, packet.payload) else { continue };
        if earlier == later {
            same = same.saturating_add(later.len() as u32);
        } else if found.len() < MOST_DIFFERENCES {
            found.push(difference(&piece.record, record, from, (earlier, later)));
        }
    }
    let Some(mut conflict) = merge(found) else { return same >= captured };
    if conflict.overlap < SMALLEST_CONFLICT {
        context.counters.small_conflicts += 1;
        return false;
    }
    conflict.later_checksum = checksum::checksum_ok(&packet.head, packet.payload);
    conflict.earlier_checksum = held_checksum(&conflict.earlier, &context.pool.payload_of(log, conflict.earlier.frame));
    if conflict.earlier_checksum.is_some() && conflict.later_checksum.is_some() && conflict.earlier_checksum != conflict.later_checksum {
        context.counters.corrupt_copies += 1;
        return false;
    }
    if flow.conflicts >= context.limits.conflicts_per_flow {
        context.counters.conflicts_left_out += 1;
        return false;
    }
    if sender != flow.server {
        if !flow.cases.is_empty() {
            return false;
        }
        (flow.server, flow.roles_known) = (sender, true);
    }
    flow.conflicts += 1;
    context.events.push(FlowEvent::Conflict(Box::new(conflict)));
    false
}

/// A RST may carry a text that says why (RFC 9293, section 3.10.7); it is no part of the stream.
fn is_of_stream(piece: &Piece<'_>) -> bool {
    !piece.record.flags.any(TcpFlags::RST)
}

/// The range that two pieces share, and each one's bytes in it.
fn common<'a>(a_seq: u32, a: &'a [u8], b_seq: u32, b: &'a [u8]) -> Option<(u32, &'a [u8], &'a [u8])> {
    let shift = seq_diff(a_seq, b_seq);
    let (a, b, from) = if shift >= 0 { (a.get(shift as usize..)?, b, b_seq) } else { (a, b.get(shift.unsigned_abs() as usize..)?, a_seq) };
    let len = a.len().min(b.len());
    Some((from, a.get(..len)?, b.get(..len)?))
}

fn difference(earlier: &Record, later: &Record, seq: u32, (old, new): (&[u8], &[u8])) -> Conflict {
    let differing = old.iter().zip(new).filter(|(a, b)| a != b).count() as u32;
    let sample = |bytes: &[u8]| bytes.iter().copied().take(SAMPLE).collect();
    Conflict {
        earlier: *earlier,
        later: *later,
        seq,
        overlap: new.len() as u32,
        differing,
        earlier_bytes: sample(old),
        later_bytes: sample(new),
        earlier_checksum: None,
        later_checksum: None,
    }
}

/// Pieces that lie one behind the other count as one overlap, however small the packets were cut and in whatever order they came; several at one place
/// count once. The earliest packet that differs is the one told of.
fn merge(mut found: Vec<Conflict>) -> Option<Conflict> {
    let first = found.first()?;
    let (earliest, base) = (first.earlier, first.seq);
    found.sort_by_key(|piece| seq_diff(base, piece.seq));
    let mut found = found.into_iter();
    let mut all = found.next()?;
    let mut end = all.seq.wrapping_add(all.overlap);
    for piece in found {
        if seq_diff(end, piece.seq) < 0 {
            continue;
        }
        if piece.seq == end {
            let room = SAMPLE.saturating_sub(all.earlier_bytes.len());
            all.earlier_bytes.extend(piece.earlier_bytes.iter().take(room));
            all.later_bytes.extend(piece.later_bytes.iter().take(room));
        }
        end = piece.seq.wrapping_add(piece.overlap);
        all.overlap += piece.overlap;
        all.differing += piece.differing;
    }
    all.earlier = earliest;
    Some(all)
}

/// Whether the checksum of a packet is right whose payload is still held; unknown when only a part of it is.
#[must_use]
pub fn held_checksum(record: &Record, payload: &[u8]) -> Option<bool> {
    let whole = payload.len() as u32 == record.len && record.header_sum != 0;
    whole.then(|| checksum::add_to_sum(record.header_sum, payload) == checksum::RIGHT)
}

/// Moves the stream on, through the packet and whatever waited behind the hole that it filled.
fn advance(flow: &mut Flow, packet: &Packet<'_>, record: &Record, (sender, context): (Sender, &mut Context<'_>)) {
    let seq = record.payload_seq();
    let side = flow.side(sender);
    let ahead = seq_diff(side.next, seq);
    if ahead > 0 {
        if seq_diff(side.next, side.high) as u32 > LARGEST_WAIT {
            give_up_hole(flow, seq, sender, context);
            deliver(flow, (packet.payload, record.len), record, (sender, context));
        }
        return;
    }
    let Some(rest) = packet.payload.get(ahead.unsigned_abs() as usize..) else {
        skip_uncaptured(flow, record, (sender, context));
        return;
    };
    let wire = record.len.saturating_sub(ahead.unsigned_abs());
    if wire > 0 {
        deliver(flow, (rest, wire), record, (sender, context));
    }
    fill_from_memory(flow, sender, context);
}

/// The packet reaches beyond `next`, but what was captured of it does not.
fn skip_uncaptured(flow: &mut Flow, record: &Record, (sender, context): (Sender, &mut Context<'_>)) {
    let end = record.payload_seq().wrapping_add(record.len);
    if seq_diff(flow.side(sender).next, end) > 0 {
        give_up_hole(flow, end, sender, context);
    }
}

/// Hands the next bytes to the application; `wire` is their length on the wire, more than was captured when the snap length cut them.
fn deliver(flow: &mut Flow, (bytes, wire): (&[u8], u32), record: &Record, (sender, context): (Sender, &mut Context<'_>)) {
    let from_server = sender == flow.server;
    let side = flow.side_mut(sender);
    let seq = side.next;
    let at = Stamp { frame: record.frame, time: record.time, seq };
    side.next = side.next.wrapping_add(wire);
    if flow.hello_segments > 0 && !from_server {
        look_for_hello(flow, bytes, record, (sender, context));
    }
    let Some(http) = flow.http.as_deref_mut() else {
        if flow.content == Content::Dns {
            tell_messages(flow, Bytes { seq, captured: bytes, wire }, record, (sender, context));
        }
        return;
    };
    let cut = wire.saturating_sub(bytes.len() as u32);
    if from_server {
        http.server_bytes(bytes, at, context.limits, context.http);
        if cut > 0 {
            http.server_gap(Some(cut), context.http);
        }
    } else {
        http.client_bytes(bytes, at, context.limits);
        if cut > 0 {
            http.client_gap(Some(cut));
        }
    }
    report(flow, context);
}

/// The messages of DNS that the next bytes complete.
fn tell_messages(flow: &mut Flow, bytes: Bytes<'_>, record: &Record, (sender, context): (Sender, &mut Context<'_>)) {
    let log = flow.side(sender).log;
    let Context { pool, events, counters, .. } = context;
    let Some([client, server]) = flow.dns.as_deref_mut() else { return };
    let framing = if sender == flow.server { server } else { client };
    let is_lost = framing.take(
        bytes,
        |from, most| {
            let pieces = pool.overlapping(log, from, most as u32).filter(is_of_stream).collect();
            joined(pieces, from, most)
        },
        |message| events.push(FlowEvent::Dns(sender, *record, message.into())),
    );
    counters.dns_lost += u64::from(is_lost);
}

/// Reads the client's first bytes: this segment alone where it begins the stream and is enough, else with what is remembered.
fn look_for_hello(flow: &mut Flow, bytes: &[u8], record: &Record, (sender, context): (Sender, &mut Context<'_>)) {
    let opening = if flow.hello_segments == HELLO_SEGMENTS {
        Opening::of_stream(bytes)
    } else {
        Opening::of_stream(&in_order(context.pool, flow.side(sender).log))
    };
    flow.hello_segments = if opening == Opening::Unfinished { flow.hello_segments - 1 } else { 0 };
    match opening {
        Opening::Hello(hello) => context.events.push(FlowEvent::Hello(*record, hello)),
        Opening::Unfinished if flow.hello_segments == 0 => context.counters.hellos_unread += 1,
        Opening::Unfinished | Opening::Other => {}
    }
}

/// The bytes that are remembered of a stream, from the first on up to a hole.
fn in_order(pool: &Pool, log: LogId) -> Vec<u8> {
    let pieces: Vec<Piece<'_>> = pool.pieces(log).filter(is_of_stream).collect();
    let Some(start) = pieces.first().map(|piece| piece.seq) else { return Vec::new() };
    let first = pieces.iter().map(|piece| piece.seq).min_by_key(|seq| seq_diff(start, *seq)).unwrap_or(start);
    joined(pieces, first, usize::MAX)
}

/// The bytes from `first` on up to a hole, or so many.
fn joined(mut pieces: Vec<Piece<'_>>, first: u32, most: usize) -> Vec<u8> {
    pieces.sort_by_key(|piece| seq_diff(first, piece.seq));
    let mut bytes = Vec::new();
    for piece in pieces {
        let known = bytes.len() as i32 - seq_diff(first, piece.seq);
        match usize::try_from(known) {
            Ok(known) => bytes.extend_from_slice(piece.bytes.get(known..).unwrap_or_default()),
            Err(_) => break,
        }
    }
    bytes.truncate(most);
    bytes
}

fn report(flow: &mut Flow, context: &mut Context<'_>) {
    context.events.extend(context.http.drain(..).map(FlowEvent::Http));
    if flow.http.as_ref().is_some_and(|http| !http.is_live()) {
        flow.end_http(context.counters);
        flow.content = Content::Other;
    }
}

fn fill_from_memory(flow: &mut Flow, sender: Sender, context: &mut Context<'_>) {
    while flow.side(sender).has_hole() {
        let side = flow.side(sender);
        let next = side.next;
        let waiting = context
            .pool
            .overlapping(side.log, next, 1)
            .filter(is_of_stream)
            .map(|piece| (piece.record, piece.seq, piece.bytes.to_vec()))
            .next();
        let Some((record, seq, bytes)) = waiting else { return };
        let Some(rest) = bytes.get(seq_diff(seq, next) as usize..) else { return };
        deliver(flow, (rest, rest.len() as u32), &record, (sender, context));
    }
}

/// The receiver acknowledged bytes that the capture does not have: they will not come.
pub(super) fn notice_hole(flow: &mut Flow, sender: Sender) {
    let acked = flow.side(sender.other()).acked;
    let side = flow.side_mut(sender);
    if side.synced && !side.has_hole() && seq_diff(side.next, acked) > 1 && seq_diff(side.next, acked) < LARGEST_WAIT as i32 {
        let missing = seq_diff(side.next, acked) as u32;
        side.history.gaps += 1;
        (side.next, side.high) = (acked, acked);
        if let Some(http) = flow.http.as_deref_mut() {
            let from_server = sender == flow.server;
            if from_server { http.server_gap(Some(missing), &mut Vec::new()) } else { http.client_gap(Some(missing)) }
        }
    }
}

fn give_up_hole(flow: &mut Flow, seq: u32, sender: Sender, context: &mut Context<'_>) {
    let from_server = sender == flow.server;
    let side = flow.side_mut(sender);
    let missing = seq_diff(side.next, seq).max(0) as u32;
    side.next = seq;
    side.history.gaps += 1;
    context.counters.gaps += 1;
    if let Some(http) = flow.http.as_deref_mut() {
        if from_server { http.server_gap(Some(missing), context.http) } else { http.client_gap(Some(missing)) }
    }
    report(flow, context);
}

/// The sender will send no more.
pub(super) fn close(flow: &mut Flow, sender: Sender, context: &mut Context<'_>) {
    let from_server = sender == flow.server;
    let complete = !flow.side(sender).has_hole();
    if from_server
        && complete
        && let Some(http) = flow.http.as_deref_mut()
    {
        http.server_closed(context.limits, context.http);
        report(flow, context);
    }
}
