//! One packet through its flow (RFC 9293): handshake, acknowledgment, sequence space, close.

use super::event::{CloseContradiction, CloseKind, FlowEvent};
use super::key::Sender;
use super::memory::Pool;
use super::record::{Record, seq_diff};
use super::side::{Opening, Side};
use super::{Context, Flow, Stage, stream};
use crate::engine::decode::checksum;
use crate::engine::decode::packet::{Head, Packet, TcpFlags};
use crate::engine::time::Span;

/// A packet farther than this from the known sequence space is not of this connection's present (the largest scaled window is 1 GiB, windows in
/// use are far smaller).
const FAR: u32 = 1 << 26;
/// So many far packets in a row, and the stream is taken up anew at the last of them.
const STRAYS_TO_RESYNC: u8 = 3;
/// Fewer bytes beyond a FIN are padding that was counted as payload (two and six bytes of it were seen), or a keep-alive probe's.
const SMALLEST_EXCESS: i32 = 8;
/// Data that the client has acknowledged overtook a bare acknowledgment by 1.7 ms at most in 1,349 harmless captures (the test captures of nDPI, Suricata,
/// Zeek, Wireshark and others); twelve times that is no overtaking.
const OVERTAKING: Span = Span::from_millis(20);
/// Above any MTU in use on a wire (jumbo frames included): the capturing host merged segments.
const LARGEST_SEGMENT: u32 = 9_000;

pub(super) fn handle(flow: &mut Flow, packet: &Packet<'_>, sender: Sender, context: &mut Context<'_>) -> bool {
    let record = Record::of(&packet.head);
    if is_mirror_copy(flow.side(sender), packet, &record, context.pool) {
        context.counters.mirror_copies += 1;
        return false;
    }
    count(flow.side_mut(sender), &packet.head);
    if record.flags.any(TcpFlags::SYN) {
        open(flow, packet, sender, context);
    } else {
        carry_on(flow, packet, &record, (sender, context));
    }
    true
}

fn count(side: &mut Side, head: &Head) {
    if side.packets == 0 {
        side.history.ether = head.ether;
    }
    side.packets += 1;
    side.bytes += u64::from(head.wire_len);
    if head.payload_len > LARGEST_SEGMENT {
        side.history.offloaded = true;
    }
}

/// A mirror that sees a packet on two ports delivers it twice, the second time perhaps one hop later. A forger can copy every header field, but
/// not say the same.
fn is_mirror_copy(side: &Side, packet: &Packet<'_>, record: &Record, pool: &Pool) -> bool {
    let sends_more = record.len > 0 && side.synced && seq_diff(side.high, record.seq) >= 0;
    let acknowledges_more = side.has_acked && record.flags.any(TcpFlags::ACK) && seq_diff(side.acked, record.ack) > 0;
    if sends_more || acknowledges_more {
        return false;
    }
    let earlier = side.records().chain(side.opening().seen()).find(|earlier| record.may_be_copy_of(earlier));
    earlier.is_some_and(|earlier| record.len == 0 || stream::holds(pool, side.log, earlier.frame, packet.payload))
}

fn open(flow: &mut Flow, packet: &Packet<'_>, sender: Sender, context: &mut Context<'_>) {
    let head = &packet.head;
    let opening = Opening::of(head);
    let answers = head.flags.any(TcpFlags::ACK);
    *(if answers { &mut context.counters.syn_acks } else { &mut context.counters.syns }) += 1;
    let asked = *flow.side(sender.other()).opening();
    if !flow.roles_known {
        flow.server = if answers { sender } else { sender.other() };
        flow.roles_known = true;
    }
    let side = flow.side_mut(sender);
    match side.history.opening.seen().copied() {
        // The first of its kind; where the stream was seen before it, the packet came late or out of order.
        None => {
            side.history.opening = opening;
            // What claimed to end the connection before it began has not.
            (side.closed, side.reset) = (false, false);
            if !side.synced {
                side.sync(head.seq.wrapping_add(1));
            }
            if answers
                && let Some(syn) = asked.seen()
                && syn.seq.wrapping_add(1) == head.ack
            {
                flow.rtt = Some(head.time - syn.time);
            }
        }
        Some(first) if answers && first.seq != head.seq && first.ack == head.ack => {
            context.events.push(FlowEvent::CompetingSynAck(opening));
            return;
        }
        // A retransmission, or the SYN of a connection that is over.
        Some(_) => side.history.openings_repeated = side.history.openings_repeated.saturating_add(1),
    }
    if head.flags.any(TcpFlags::ACK) {
        acknowledge(flow, head, sender);
    }
    if !packet.payload.is_empty() {
        stream::take(flow, packet, &opening.record, (sender, context));
    }
}

fn carry_on(flow: &mut Flow, packet: &Packet<'_>, record: &Record, (sender, context): (Sender, &mut Context<'_>)) {
    let head = &packet.head;
    // RFC 9293, section 3.10.7.4: "If the ACK bit is off, drop the segment and return."
    if !record.flags.any(TcpFlags::ACK | TcpFlags::RST) {
        context.counters.unacceptable += 1;
        return;
    }
    if is_odd(flow.side(sender), record) && is_corrupt(flow.side(sender), packet) {
        context.counters.corrupt += 1;
        return;
    }
    if flow.stage == Stage::Opening {
        flow.stage = Stage::Open;
    }
    if record.flags.any(TcpFlags::ACK) {
        flow.side_mut(sender).heard = record.ack;
    }
    if is_stray(flow, record, sender) {
        context.counters.strays += 1;
        return;
    }
    let from_server = sender == flow.server;
    let side = flow.side_mut(sender);
    let expected = if side.seen { side.bits } else { side.opening().seen().unwrap_or(record).stack_bits() };
    (side.seen, side.bits) = (true, record.stack_bits());
    // Of the client the questions matter; its acknowledgments are half of all packets.
    if from_server || !record.is_bare_ack() || side.packets <= 2 {
        side.history.note(record);
        if record.len > 0
            && let Some(before) = side.history.note_link(head.ether)
        {
            context.events.push(FlowEvent::LinkChange { record: *record, before, after: head.ether.unwrap_or_default(), from_server });
        }
    }
    if from_server && expected != record.stack_bits() && !record.flags.any(TcpFlags::RST) {
        context.events.push(FlowEvent::StackChange(*record));
    }
    if head.flags.any(TcpFlags::ACK) {
        acknowledge(flow, head, sender);
    }
    if head.flags.any(TcpFlags::RST) {
        if from_server && record.len > 0 {
            let side = flow.side_mut(sender);
            context.pool.append(&mut side.log, record, record.seq, packet.payload);
        }
        reset(flow, record, sender, context);
        return;
    }
    if from_server && record.is_bare_ack() && seq_diff(record.seq, flow.server_side().high) >= SMALLEST_EXCESS {
        contradict_data(flow, record, context);
    }
    if record.len > 0 {
        contradict_close(flow, record, sender, context);
        stream::take(flow, packet, record, (sender, context));
    }
    if head.flags.any(TcpFlags::FIN) {
        if from_server && record.len > 0 && !head.flags.any(TcpFlags::PSH) {
            context.events.push(FlowEvent::UnpushedFin(*record));
        }
        finish(flow, record, sender, context);
    }
}

/// Not simply the next packet of its stream: worth the price of a checksum.
fn is_odd(side: &Side, record: &Record) -> bool {
    let in_order = record.len == 0 || record.seq == side.next;
    !in_order || side.bits != record.stack_bits() || record.flags.any(!(TcpFlags::ACK | TcpFlags::PSH))
}

/// The receiver discards the packet. Known only where other packets of the direction show that checksums were filled in before capture.
fn is_corrupt(side: &Side, packet: &Packet<'_>) -> bool {
    let is_right = |record: &Record| record.len == 0 && record.header_sum == checksum::RIGHT;
    checksum::checksum_ok(&packet.head, packet.payload) == Some(false)
        && side.opening().seen().into_iter().chain(side.records()).any(is_right)
}

fn is_stray(flow: &mut Flow, record: &Record, sender: Sender) -> bool {
    // What the client acknowledges tells where it is; packets elsewhere, however many, do not move it.
    let client = flow.client_side();
    let contradicted = sender == flow.server && client.heard != 0 && seq_diff(client.heard, record.seq).unsigned_abs() >= FAR;
    let side = flow.side_mut(sender);
    if !side.synced {
        if !record.flags.any(TcpFlags::RST) {
            side.sync(record.seq);
        }
        return false;
    }
    if seq_diff(side.next, record.seq).unsigned_abs() < FAR || record.flags.any(TcpFlags::RST) {
        side.strays = 0;
        return false;
    }
    side.strays = side.strays.saturating_add(1);
    if side.strays < STRAYS_TO_RESYNC || contradicted {
        return true;
    }
    side.sync(record.seq);
    // Another connection: the end of the one before is not its end.
    (side.closed, side.reset) = (false, false);
    false
}

/// Takes over the acknowledgment, and shortens the round-trip time where it proves a shorter one.
fn acknowledge(flow: &mut Flow, head: &Head, sender: Sender) {
    let from_server = sender == flow.server;
    let asked = flow.side(sender.other());
    // Only a packet that acknowledges the last payload, and is no answer itself, measures the way and not the server's thinking.
    let measured = match asked.last_payload() {
        Some(last) if from_server && head.payload_len == 0 && asked.payload_end == head.ack && !head.flags.any(TcpFlags::FIN) => {
            Some(head.time - last)
        }
        _ => None,
    };
    if let (Some(sample), Some(rtt)) = (measured, flow.rtt) {
        flow.rtt = Some(rtt.min(sample));
    }
    let side = flow.side_mut(sender);
    if !side.has_acked || seq_diff(side.acked, head.ack) > 0 {
        (side.acked, side.has_acked) = (head.ack, true);
    }
    stream::notice_hole(flow, sender.other());
}

fn reset(flow: &mut Flow, record: &Record, sender: Sender, context: &mut Context<'_>) {
    let acked = flow.side(sender.other()).acked;
    let has_acked = flow.side(sender.other()).has_acked;
    let from_server = sender == flow.server;
    let side = flow.side_mut(sender);
    let is_first = !std::mem::replace(&mut side.reset, true);
    if is_first {
        side.history.rst = *record;
    }
    let first = side.history.rst;
    if from_server {
        if is_first {
            context.events.push(FlowEvent::Reset(*record));
        } else if has_acked && seq_diff(first.seq, record.seq) > 0 && seq_diff(acked, record.seq) > 0 {
            let contradiction = CloseContradiction { kind: CloseKind::ResetMoved, close: first, contradicted_by: *record };
            context.events.push(FlowEvent::CloseContradiction(contradiction));
        }
    }
    flow.stage = Stage::Closing;
}

/// Payload of the server that its own RST or FIN rules out.
fn contradict_close(flow: &Flow, record: &Record, sender: Sender, context: &mut Context<'_>) {
    if sender != flow.server {
        return;
    }
    let side = flow.server_side();
    let contradiction = if side.reset {
        Some((CloseKind::DataAfterReset, side.history.rst))
    } else if side.closed && seq_diff(fin_seq(&side.history.fin), record.seq.wrapping_add(record.len)) >= SMALLEST_EXCESS {
        Some((CloseKind::DataAfterFin, side.history.fin))
    } else {
        None
    };
    if let Some((kind, close)) = contradiction {
        context.events.push(FlowEvent::CloseContradiction(CloseContradiction { kind, close, contradicted_by: *record }));
    }
}

/// The sequence number that a FIN takes.
const fn fin_seq(record: &Record) -> u32 {
    record.end_seq().wrapping_sub(1)
}

/// A bare acknowledgment carries the number of the next byte to be sent: bytes beyond it, sent before it in answer to less, were not the server's. An
/// acknowledgment that the data overtook on the way acknowledges no more than they do; one that acknowledges as much counts when it comes too late to
/// have been overtaken, and the client has acknowledged the bytes. So a server answers who acknowledges what it never sent (RFC 9293, section 3.10.7.4).
fn contradict_data(flow: &Flow, record: &Record, context: &mut Context<'_>) {
    let client = flow.client_side();
    let reaches_beyond = |other: &&Record| {
        let end = other.payload_seq().wrapping_add(other.len);
        let newer = seq_diff(other.ack, record.ack);
        let taken_in = client.has_acked && seq_diff(end, client.acked) >= 0;
        let late = newer == 0 && taken_in && record.time - other.time >= OVERTAKING;
        other.len > 0 && other.frame < record.frame && seq_diff(record.seq, end) >= SMALLEST_EXCESS && (newer > 0 || late)
    };
    if let Some(beyond) = flow.server_side().records().filter(reaches_beyond).last() {
        let contradiction = CloseContradiction { kind: CloseKind::AckBeforeData, close: *record, contradicted_by: *beyond };
        context.events.push(FlowEvent::CloseContradiction(contradiction));
    }
}

fn finish(flow: &mut Flow, record: &Record, sender: Sender, context: &mut Context<'_>) {
    let from_server = sender == flow.server;
    let side = flow.side_mut(sender);
    let end = fin_seq(record);
    let repeated = side.closed && fin_seq(&side.history.fin) == end;
    let reaches_beyond = |other: &&Record| other.len > 0 && seq_diff(end, other.payload_seq().wrapping_add(other.len)) >= SMALLEST_EXCESS;
    if from_server
        && !repeated
        && let Some(beyond) = side.records().filter(reaches_beyond).last()
    {
        let contradiction = CloseContradiction { kind: CloseKind::FinBeforeData, close: *record, contradicted_by: *beyond };
        context.events.push(FlowEvent::CloseContradiction(contradiction));
    }
    if !side.closed {
        (side.closed, side.history.fin) = (true, *record);
    }
    flow.stage = Stage::Closing;
    stream::close(flow, sender, context);
}
