//! One shard: its flows, their remembered bytes, their open cases, and when they are decided or forgotten.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use super::Knowledge;
use super::case::Case;
use super::contact::Contact;
use super::counters::ShardCounters;
use super::decode::datagram::Datagram;
use super::decode::packet::{Packet, TcpFlags};
use super::dns::Exchanges;
use super::flow::event::FlowEvent;
use super::flow::key::{FlowKey, Sender};
use super::flow::memory::Pool;
use super::flow::record::Record;
use super::flow::table::FlowTable;
use super::flow::{Context, Flow, Stage};
use super::hellos::Hellos;
use super::limits::Limits;
use super::observation::{ClosedBecause, Detour, Observation, What};
use super::protocol::http;
use super::time::Timestamp;
use super::watch;
use super::web;

/// Entries of `http_holders` for each flow that a shard may have; more are stale.
const HOLDERS_PER_FLOW: usize = 2;
/// Deadlines for each case that may be open; more are stale.
const STALE_DEADLINES: usize = 8;

/// One shard.
#[derive(Debug)]
pub(super) struct Shard {
    limits: Arc<Limits>,
    knowledge: Arc<Knowledge>,
    flows: FlowTable,
    pool: Pool,
    /// Deadline, first frame and index of the flow of every open case; entries of cases that were decided early are passed over.
    deadlines: BinaryHeap<Reverse<(Timestamp, u64, u32)>>,
    open_cases: usize,
    /// Heap bytes of all HTTP states, and the flows that hold some in order of when they began to; stale entries are passed over.
    http_bytes: usize,
    http_holders: VecDeque<(u32, u64)>,
    next_due: Timestamp,
    dns: Exchanges,
    hellos: Hellos,
    events: Vec<FlowEvent>,
    http: Vec<http::Event>,
    counters: ShardCounters,
}

impl Shard {
    /// An empty shard.
    #[must_use]
    pub(super) fn new(limits: Arc<Limits>, knowledge: Arc<Knowledge>) -> Self {
        Self {
            pool: Pool::new(&limits),
            limits,
            knowledge,
            flows: FlowTable::default(),
            deadlines: BinaryHeap::new(),
            open_cases: 0,
            http_bytes: 0,
            http_holders: VecDeque::new(),
            next_due: Timestamp::MAX,
            dns: Exchanges::default(),
            hellos: Hellos::default(),
            events: Vec::new(),
            http: Vec::new(),
            counters: ShardCounters::default(),
        }
    }

    /// Goes on with other knowledge. Servers are looked up in its lists anew, those of connections under way too.
    pub(super) fn exchange(&mut self, knowledge: Arc<Knowledge>) {
        self.knowledge = knowledge;
        for index in self.flows.indices() {
            if let Some(flow) = self.flows.flow_mut(index) {
                flow.looked_up = false;
            }
        }
    }

    /// Takes a packet of one of this shard's flows. Timers due at or before `now` fire first.
    pub(super) fn handle(
        &mut self,
        packet: &Packet<'_>,
        (key, sender, hash): (FlowKey, Sender, u64),
        now: Timestamp,
        out: &mut Vec<Observation>,
    ) {
        self.tick(now, out);
        let index = self.flow_of(packet, (key, sender, hash), now, out);
        let Some(flow) = self.flows.flow_mut(index) else { return };
        let stage_before = flow.stage;
        let mut context = Context {
            pool: &mut self.pool,
            limits: &self.limits,
            events: &mut self.events,
            counters: &mut self.counters.flow,
            http: &mut self.http,
        };
        let taken = flow.handle(packet, sender, now, &mut context);
        if taken && !flow.cases.is_empty() {
            let record = Record::of(&packet.head);
            let from_server = sender == flow.server;
            for case in &mut flow.cases {
                if from_server { case.add_server(&record, &self.limits) } else { case.add_client(&record, &self.limits) }
            }
        }
        if taken && packet.head.payload_len > 0 && !flow.looked_up && sender == flow.server {
            flow.looked_up = true;
            if !self.knowledge.indicators.match_ip(flow.endpoint(sender).0).is_empty() {
                self.events.push(FlowEvent::ListedServer(Record::of(&packet.head)));
            }
        }
        let (stage, has_http) = (flow.stage, packet.head.payload_len > 0 && flow.http_has_changed());
        if has_http && sender != flow.server {
            tell_requests(flow, now, out);
        }
        if !self.events.is_empty() {
            self.react(index, now, out);
        }
        if has_http {
            self.account_http(index);
        }
        if stage != stage_before {
            let due = now + self.limits.flow_timeout(stage);
            self.flows.rearm(index, due);
            self.next_due = self.next_due.min(due);
        }
    }

    /// Takes a datagram between two addresses whose datagrams are this shard's. What is due at or before `now` of other datagrams comes first;
    /// flows have a time of their own, which may be later.
    pub(super) fn handle_datagram(&mut self, datagram: &Datagram<'_>, now: Timestamp, out: &mut Vec<Observation>) {
        self.tick_datagrams(now, out);
        if datagram.is_quic() {
            self.counters.initials += 1;
            let hello = self.hellos.take(datagram, self.limits.quic_handshakes);
            out.extend(hello.map(|hello| seen(Contact::of_quic(&datagram.head, hello), now)));
            return;
        }
        self.counters.datagrams += 1;
        out.extend(self.dns.handle(datagram, now, &self.limits).map(|contact| seen(contact, now)));
        while let Some(closed) = self.dns.crowded(now, &self.limits) {
            out.extend(watch::decide_dns(closed, &mut self.dns, &self.knowledge));
        }
    }

    /// Closes the questions of DNS that are due at or before `now`.
    pub(super) fn tick_datagrams(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        while let Some(closed) = self.dns.due(now) {
            out.extend(watch::decide_dns(closed, &mut self.dns, &self.knowledge));
        }
    }

    /// Fires what is due at or before `now` in the flows.
    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        if now < self.next_due {
            return;
        }
        while let Some(Reverse((due, _, index))) = self.deadlines.peek().copied() {
            if due > now {
                break;
            }
            self.deadlines.pop();
            self.decide(index, due, (due, ClosedBecause::Deadline), out);
        }
        for stage in [Stage::Closing, Stage::Opening, Stage::Open] {
            self.expire(stage, now, out);
        }
        let flows = self.flows.earliest().unwrap_or(Timestamp::MAX);
        self.next_due = self.deadlines.peek().map_or(flows, |Reverse((deadline, ..))| flows.min(*deadline));
    }

    /// Decides every open case on what was seen so far and forgets all flows.
    pub(super) fn finish(&mut self, now: Timestamp, out: &mut Vec<Observation>) {
        for index in self.flows.indices() {
            self.decide(index, Timestamp::MAX, (now, ClosedBecause::EndOfCapture), out);
            self.forget(index);
        }
        self.deadlines.clear();
        while let Some(closed) = self.dns.last(now) {
            out.extend(watch::decide_dns(closed, &mut self.dns, &self.knowledge));
        }
    }

    /// Flows held, open cases, chunks of remembered bytes in use.
    #[must_use]
    pub(super) fn held(&self) -> (usize, usize, usize) {
        (self.flows.len(), self.open_cases, self.pool.chunks_in_use())
    }

    /// Open questions of DNS, and their bytes.
    #[must_use]
    pub(super) fn held_questions(&self) -> (usize, usize) {
        self.dns.held()
    }

    /// What was counted.
    #[must_use]
    pub(super) fn counters(&self) -> ShardCounters {
        let (memory_stolen, memory_outlived) = (self.pool.stolen, self.pool.outlived);
        let dns = self.dns.counters();
        ShardCounters { dns, memory_stolen, memory_outlived, handshakes_evicted: self.hellos.evicted, ..self.counters }
    }

    /// The flow that a packet belongs to: the one known, or a new one where none is, or where that one is over.
    fn flow_of(
        &mut self,
        packet: &Packet<'_>,
        (key, sender, hash): (FlowKey, Sender, u64),
        now: Timestamp,
        out: &mut Vec<Observation>,
    ) -> u32 {
        if let Some(index) = self.flows.find(&key, hash)
            && let Some(flow) = self.flows.flow(index)
        {
            let over = flow.last_seen + self.limits.flow_timeout(flow.stage);
            if now <= over && !flow.is_reopened_by(&packet.head, sender) {
                return index;
            }
            self.decide(index, Timestamp::MAX, (now.min(over), ClosedBecause::FlowOver), out);
            self.forget(index);
        }
        if self.flows.len() >= self.limits.flows_per_shard
            && let Some(index) = self.flows.least_missed()
        {
            self.counters.flows_evicted += 1;
            self.decide(index, Timestamp::MAX, (now, ClosedBecause::Evicted), out);
            self.forget(index);
        }
        self.counters.flows += 1;
        let flags = packet.head.flags;
        if flags.any(TcpFlags::SYN) && !flags.any(TcpFlags::ACK) {
            out.push(seen(Contact::of_syn(&packet.head), now));
        }
        let flow = Flow::new(key, sender, &packet.head, now);
        let due = now + self.limits.flow_timeout(flow.stage);
        self.next_due = self.next_due.min(due);
        self.flows.insert(flow, hash, due)
    }

    fn expire(&mut self, stage: Stage, now: Timestamp, out: &mut Vec<Observation>) {
        while let Some((index, _)) = self.flows.first_due(stage).filter(|(_, due)| *due <= now) {
            let Some(flow) = self.flows.flow(index) else { return };
            let really_due = flow.last_seen + self.limits.flow_timeout(stage);
            if really_due > now {
                self.flows.rearm(index, really_due);
            } else {
                self.decide(index, Timestamp::MAX, (really_due, ClosedBecause::FlowOver), out);
                self.forget(index);
            }
        }
    }

    fn react(&mut self, index: u32, now: Timestamp, out: &mut Vec<Observation>) {
        let mut events = std::mem::take(&mut self.events);
        if let Some(flow) = self.flows.flow_mut(index) {
            for event in events.drain(..) {
                out.extend(detour(flow, &event, now));
                let Some(event) = tell_contact(flow, event, now, out) else { continue };
                out.extend(web::observe(flow, &event, &self.pool, now));
                let before = flow.cases.len();
                let mut desk =
                    watch::Desk { pool: &self.pool, limits: &self.limits, knowledge: &self.knowledge, counters: &mut self.counters };
                watch::react(flow, event, now, &mut desk);
                for case in flow.cases.iter().skip(before) {
                    self.open_cases += 1;
                    self.deadlines.push(Reverse((case.deadline, flow.first_frame, index)));
                    self.next_due = self.next_due.min(case.deadline);
                }
            }
        }
        self.events = events;
        self.sweep_deadlines();
        while self.open_cases > self.limits.open_cases_per_shard {
            let Some(Reverse((deadline, _, index))) = self.deadlines.pop() else { break };
            self.counters.cases_evicted += 1;
            self.decide(index, deadline, (now, ClosedBecause::Evicted), out);
        }
    }

    /// Counts what the flow's HTTP state holds; over the shard's share, whoever began to hold some longest ago lets go.
    fn account_http(&mut self, index: u32) {
        let Some(flow) = self.flows.flow_mut(index) else { return };
        let (before, bytes) = (flow.http_bytes, flow.count_http_bytes());
        flow.http_bytes = bytes;
        self.http_bytes = self.http_bytes - before + bytes;
        if before == 0 && bytes > 0 {
            self.http_holders.push_back((index, flow.first_frame));
        }
        while self.http_bytes > self.limits.http_bytes_per_shard || self.http_holders.len() > HOLDERS_PER_FLOW * self.limits.flows_per_shard
        {
            let Some((oldest, first_frame)) = self.http_holders.pop_front() else { return };
            let holder = self.flows.flow_mut(oldest).filter(|flow| flow.first_frame == first_frame && flow.http_bytes > 0);
            if let Some(flow) = holder {
                self.http_bytes -= std::mem::take(&mut flow.http_bytes);
                flow.drop_http(&mut self.counters.flow);
                self.counters.http_dropped += 1;
            }
        }
    }

    /// Deadlines of cases that were decided early stay behind; they are swept out before they are many.
    fn sweep_deadlines(&mut self) {
        if self.deadlines.len() <= STALE_DEADLINES * self.limits.open_cases_per_shard {
            return;
        }
        let flows = &self.flows;
        self.deadlines.retain(|Reverse((deadline, first_frame, index))| {
            let flow = flows.flow(*index).filter(|flow| flow.first_frame == *first_frame);
            flow.is_some_and(|flow| flow.cases.iter().any(|case| case.deadline == *deadline))
        });
    }

    /// Closes the cases of a flow whose deadline is not after `until`.
    fn decide(&mut self, index: u32, until: Timestamp, closed: (Timestamp, ClosedBecause), out: &mut Vec<Observation>) {
        let Some(flow) = self.flows.flow_mut(index) else { return };
        if flow.cases.is_empty() {
            return;
        }
        let (due, open): (Vec<Box<Case>>, Vec<Box<Case>>) =
            std::mem::take(&mut flow.cases).into_iter().partition(|case| case.deadline <= until);
        flow.cases = open;
        self.open_cases -= due.len();
        for case in due {
            self.counters.case_packets_left_out += case.left_out;
            let observation = watch::decide(&case, flow, &self.pool, (&self.limits, &self.knowledge), closed);
            self.counters.cases_dismissed += u64::from(observation.is_none());
            out.extend(observation);
        }
    }

    fn forget(&mut self, index: u32) {
        if let Some(mut flow) = self.flows.remove(index) {
            flow.release(&mut self.pool);
            flow.end_http(&mut self.counters.flow);
            self.http_bytes -= flow.http_bytes;
        }
    }
}

fn seen(contact: Contact, now: Timestamp) -> Observation {
    Observation { at: now, what: What::Contact(Box::new(contact)) }
}

/// The requests that the client's last segment completed.
fn tell_requests(flow: &mut Flow, now: Timestamp, out: &mut Vec<Observation>) {
    let new = flow.http.as_mut().map_or(0, |http| http.take_new_requests());
    let requests = flow.http.iter().flat_map(|http| http.newest_requests(new));
    out.extend(requests.map(|request| seen(Contact::of_request(flow, request), now)));
}

/// Lets out what an event says of the client's doings; the event comes back if it says more.
fn tell_contact(flow: &Flow, event: FlowEvent, now: Timestamp, out: &mut Vec<Observation>) -> Option<FlowEvent> {
    match event {
        FlowEvent::Hello(record, hello) => {
            out.push(seen(Contact::of_tls(flow, (record.frame, record.time), hello), now));
            return None;
        }
        FlowEvent::Http(http::Event::Head(ref response)) => {
            out.extend(Contact::of_redirect(flow, response).map(|contact| seen(contact, now)));
        }
        _ => {}
    }
    Some(event)
}

/// The fact about the local network that an event of a flow is.
fn detour(flow: &Flow, event: &FlowEvent, now: Timestamp) -> Option<Observation> {
    let FlowEvent::LinkChange { record, before, after, from_server } = event else { return None };
    let (server, client) = (flow.endpoint(flow.server).0, flow.endpoint(flow.server.other()).0);
    let ends = if *from_server { (server, client) } else { (client, server) };
    let detour = Detour::of(ends, *before, *after, record, flow.vlans)?;
    Some(Observation { at: now, what: What::Detour(Box::new(detour)) })
}
