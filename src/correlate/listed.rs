//! S13 across flows: what clients ask DNS for, are answered and greet, against the lists; gathered until it is known what else is told of it.

use std::collections::VecDeque;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::story::{capped, facts, first_eight};
use super::verdict::graded;
use crate::alert::{
    Alert, Carrier, ClosedBecause, Considered, FlowFacts, How, IndicatorFacts, Mechanism, PacketFacts, SensorHealth, Signal, Verdict,
};
use crate::engine::Knowledge;
use crate::engine::contact::{Contact, Kind};
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::detect::indicator::{CODE, CONTACTED, Listed, Seen, VERSION};
use crate::engine::limits::Limits;
use crate::engine::protocol::tls::ClientHello;
use crate::engine::protocol::url::Address;
use crate::engine::time::{Span, Timestamp};
use crate::rules::indicators::Hit;
use crate::rules::policy::Thresholds;

#[cfg(test)]
mod tests;

/// How long is gathered what one client does: a visit in plain HTTP is answered within a few seconds, and the case of that answer is decided ten
/// seconds later. Nobody is woken by what is told then.
const GATHERED: Span = Span::from_secs(20);
/// Hits that are kept of one visit.
const MOST_HITS: usize = 16;
/// Indicators that one alert names.
const MOST_TOLD: usize = 32;
/// What a visit to a listed host weighs, and what a question for its name alone: names are looked up that nobody visits.
const VISITED: u8 = 2;
const ASKED_FOR: u8 = 3;

/// Clients that met listed indicators, the one met first in front.
#[derive(Debug)]
pub(super) struct Visits {
    knowledge: Arc<Knowledge>,
    open: VecDeque<Visit>,
    most: usize,
    /// The last name that is not listed; clients use one several times in a row.
    unlisted: String,
    /// Room for the names of aliases.
    alias: String,
    /// Visits told of early because there were too many.
    pub(super) told_early: u64,
}

/// What one client does that has to do with one indicator, or one name.
#[derive(Debug)]
struct Visit {
    client: (Addr, u16),
    vlans: Vlans,
    server: (Addr, u16),
    over_tcp: bool,
    to_client: bool,
    start: Timestamp,
    due: Timestamp,
    hits: Vec<Met>,
}

#[derive(Debug)]
struct Met {
    listed: Listed,
    /// What the client asked for or greeted.
    name: Box<str>,
    frame: u64,
}

impl Visits {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            knowledge: Arc::default(),
            open: VecDeque::new(),
            most: limits.listed_visits,
            unlisted: String::new(),
            alias: String::new(),
            told_early: 0,
        }
    }

    /// Looks things up in these lists from here on.
    pub(super) fn know(&mut self, knowledge: Arc<Knowledge>) {
        self.knowledge = knowledge;
        self.unlisted.clear();
    }

    /// Takes what a client did. What is told early for it comes back.
    pub(super) fn take(&mut self, contact: &Contact, now: Timestamp, bounds: Thresholds) -> Option<Alert> {
        if self.knowledge.indicators.is_empty() {
            return None;
        }
        let found = self.look_up(contact);
        if found.is_empty() {
            return None;
        }
        self.note(contact, found, now);
        let early = if self.open.len() > self.most { self.open.pop_front()? } else { return None };
        self.told_early += 1;
        early.tell(now, ClosedBecause::Evicted, bounds)
    }

    /// When something is to be told next.
    #[inline]
    pub(super) fn next_due(&self) -> Timestamp {
        self.open.front().map_or(Timestamp::MAX, |visit| visit.due)
    }

    /// Tells what is due at or before `now`.
    pub(super) fn tick(&mut self, now: Timestamp, bounds: Thresholds) -> Vec<Alert> {
        let mut told = Vec::new();
        while let Some(visit) = self.open.pop_front_if(|first| first.due <= now) {
            let due = visit.due;
            told.extend(visit.tell(due, ClosedBecause::Deadline, bounds));
        }
        told
    }

    /// Tells everything on what was seen.
    pub(super) fn finish(&mut self, now: Timestamp, bounds: Thresholds) -> Vec<Alert> {
        let mut told = self.tick(now, bounds);
        told.extend(self.open.drain(..).filter_map(|visit| visit.tell(now, ClosedBecause::EndOfCapture, bounds)));
        told
    }

    /// Hands over to an alert what its client did that has to do with the same indicators or names. A hit says nothing about who forged a packet: it
    /// gives no points.
    pub(super) fn join(&mut self, alert: &mut Alert) {
        if self.open.is_empty() {
            return;
        }
        let names = names(alert);
        let mut joined = Vec::new();
        self.open.retain_mut(|visit| {
            let is_part = visit.is_of(alert.flow.client.0, alert.flow.vlans)
                && visit
                    .hits
                    .iter()
                    .any(|met| names.iter().any(|name| **name == *met.name) || alert.indicators.iter().any(|told| met.is(told)));
            if is_part {
                joined.append(&mut visit.hits);
            }
            !is_part
        });
        if joined.is_empty() {
            return;
        }
        let frames = joined.iter().map(|met| met.frame);
        match alert.signals.iter_mut().find(|signal| signal.code == CODE) {
            Some(signal) => {
                signal.frames.extend(frames);
                signal.frames.sort_unstable();
                signal.frames.dedup();
                signal.frames = capped(std::mem::take(&mut signal.frames));
            }
            None => alert.signals.push(signal(&joined, 0)),
        }
        for met in &joined {
            let seen = met.listed.seen.name();
            if alert.indicators.len() < MOST_TOLD && !alert.indicators.iter().any(|told| met.is(told) && told.seen == seen) {
                alert.indicators.push(facts(&met.listed));
            }
        }
    }

    fn look_up(&mut self, contact: &Contact) -> Vec<Listed> {
        let mut found = Vec::new();
        match &contact.kind {
            Kind::DnsQuestion(name) => self.look_up_name(name, Seen::DnsQuestion, &mut found),
            Kind::DnsAnswer { name, alias, addresses } => {
                self.look_up_name(name, Seen::DnsAnswer, &mut found);
                if let Some(alias) = alias {
                    let mut text = std::mem::take(&mut self.alias);
                    alias.write_small(&mut text);
                    self.look_up_name(&text, Seen::DnsAnswer, &mut found);
                    self.alias = text;
                }
                for address in addresses {
                    self.look_up_address(*address, Seen::DnsAnswer, &mut found);
                }
            }
            Kind::TlsHello(hello) => self.look_up_hello(hello, &mut found),
            Kind::QuicHello(hello) => {
                self.look_up_hello(hello, &mut found);
                self.look_up_address(contact.server.0, Seen::Server, &mut found);
            }
            Kind::HttpRequest(asked) => {
                if let Some(host) = asked.host().filter(|host| self.unlisted != **host) {
                    let hits = self.knowledge.indicators.match_host(host);
                    self.remember(host, &hits);
                    add(&mut found, hits, Seen::Host, || host.to_owned());
                }
            }
            // Where the target lies is looked up with the answer, and a server's address when it answers.
            Kind::HttpRedirect { .. } | Kind::TcpOpened => {}
        }
        found
    }

    fn look_up_hello(&mut self, hello: &ClientHello, found: &mut Vec<Listed>) {
        if let Some(name) = &hello.server_name {
            self.look_up_name(name, Seen::Sni, found);
        }
    }

    fn look_up_name(&mut self, name: &str, seen: Seen, found: &mut Vec<Listed>) {
        if self.unlisted == name {
            return;
        }
        let hits = self.knowledge.indicators.match_name(name);
        self.remember(name, &hits);
        add(found, hits, seen, || name.to_owned());
    }

    fn remember(&mut self, name: &str, hits: &[Hit]) {
        if hits.is_empty() {
            self.unlisted.clear();
            self.unlisted.push_str(name);
        }
    }

    fn look_up_address(&self, address: Addr, seen: Seen, found: &mut Vec<Listed>) {
        add(found, self.knowledge.indicators.match_ip(address), seen, || address.to_string());
    }

    /// Adds to the client's visit that has to do with the same, or begins one.
    fn note(&mut self, contact: &Contact, found: Vec<Listed>, now: Timestamp) {
        let server = || contact.server.0.to_string().into_boxed_str();
        let name = contact.name().map_or_else(server, Box::from);
        let mine = self.open.iter().position(|visit| {
            visit.is_of(contact.client, contact.vlans)
                && visit.hits.iter().any(|met| met.name == name || found.iter().any(|listed| met.listed.hit == listed.hit))
        });
        let index = mine.unwrap_or(self.open.len());
        if mine.is_none() {
            self.open.push_back(Visit::new(contact, now));
        }
        let Some(visit) = self.open.get_mut(index) else { return };
        for listed in found {
            let is_known = visit.hits.iter().any(|met| met.listed.hit == listed.hit && met.listed.seen == listed.seen);
            if !is_known && visit.hits.len() < MOST_HITS {
                visit.hits.push(Met { listed, name: name.clone(), frame: contact.frame });
            }
        }
    }
}

fn add(found: &mut Vec<Listed>, hits: Vec<Hit>, seen: Seen, met: impl Fn() -> String) {
    for hit in hits {
        if found.len() < MOST_HITS && !found.iter().any(|listed| listed.hit == hit) {
            found.push(Listed { hit, seen, met: met() });
        }
    }
}

/// Names to which an alert says that its client was led, or whose answer was forged; in lower case.
fn names(alert: &Alert) -> Vec<String> {
    let redirect = alert.redirect.as_ref();
    let target = redirect.and_then(|redirect| Address::parse(&redirect.to)).map(|to| to.host().to_owned());
    let followed = redirect.and_then(|redirect| redirect.followed.as_ref());
    let steps = followed.into_iter().flat_map(|followed| &followed.steps);
    let visited = steps.filter(|step| step.how != How::TcpConnection).filter_map(|step| step.name.clone());
    let asked = alert.dns.as_ref().map(|dns| dns.name.to_ascii_lowercase());
    target.into_iter().chain(visited).chain(asked).collect()
}

fn signal(hits: &[Met], points: u8) -> Signal {
    let mut frames: Vec<u64> = hits.iter().map(|met| met.frame).collect();
    frames.sort_unstable();
    frames.dedup();
    let seen: Vec<String> = hits.iter().map(|met| format!("{}: {}", met.listed.seen.name().replace('_', " "), met.listed.met)).collect();
    let mut entries: Vec<String> = Vec::new();
    for Hit { value, list, list_date, .. } in hits.iter().map(|met| &met.listed.hit) {
        let entry = format!("{value} on {list} ({})", list_date.as_deref().unwrap_or("no date"));
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    Signal {
        code: CODE,
        version: VERSION,
        weight: if points > 0 { "strong" } else { "weak" },
        points,
        observed: seen.join(", "),
        expected: format!("nothing that a list names; listed: {}", entries.join(", ")),
        frames: capped(frames),
        why: "The client was in contact with a listed indicator.".to_owned(),
    }
}

impl Met {
    fn is(&self, told: &IndicatorFacts) -> bool {
        told.value == self.listed.hit.value && told.list == self.listed.hit.list
    }
}

impl Visit {
    fn new(contact: &Contact, now: Timestamp) -> Self {
        Self {
            client: (contact.client, contact.client_port),
            vlans: contact.vlans,
            server: contact.server,
            over_tcp: contact.over_tcp,
            to_client: matches!(contact.kind, Kind::DnsAnswer { .. }),
            start: contact.time,
            due: now + GATHERED,
            hits: Vec::new(),
        }
    }

    fn is_of(&self, client: Addr, vlans: Vlans) -> bool {
        self.client.0 == client && self.vlans == vlans
    }

    /// The client turned to a listed host, and did not only ask for its name.
    fn went_there(&self) -> bool {
        self.hits.iter().any(|met| !matches!(met.listed.seen, Seen::DnsQuestion | Seen::DnsAnswer))
    }

    /// The alert, or none below the lowest grade.
    fn tell(self, at: Timestamp, because: ClosedBecause, bounds: Thresholds) -> Option<Alert> {
        let grade = graded(CONTACTED, 1, bounds)?;
        let frame = self.hits.first()?.frame;
        Some(Alert {
            id: self.number(self.hits.first().map_or("", |met| &met.listed.hit.value)),
            verdict: Verdict::ListedContact,
            mechanism: Mechanism::Indicator,
            severity: if self.went_there() { VISITED } else { ASKED_FOR },
            confidence: f64::from(CONTACTED) / 100.0,
            score: CONTACTED,
            grade,
            flow: self.flow(),
            http: None,
            dns: None,
            dhcp: None,
            signals: vec![signal(&self.hits, CONTACTED)],
            considered: self.considered(),
            forged: PacketFacts { frame, time: self.start, ttl: None, ip_id: None, tcp: None, payload_len: 0, payload_sha256: None },
            forged_frames: vec![frame],
            genuine: None,
            genuine_frames: Vec::new(),
            redirect: None,
            indicators: self.hits.iter().map(|met| facts(&met.listed)).collect(),
            sensor: SensorHealth { handshake_seen: true, ..SensorHealth::default() },
            closed_at: at,
            closed_because: because,
            ladder: Vec::new(),
            silence: None,
        })
    }

    fn flow(&self) -> FlowFacts {
        FlowFacts {
            id: self.number("") >> 13,
            carrier: if self.over_tcp { Carrier::Tcp } else { Carrier::Udp },
            client: self.client,
            server: self.server,
            ip_version: if self.client.0.ip().is_ipv4() { 4 } else { 6 },
            vlans: self.vlans,
            ether: None,
            start: self.start,
            pkts_toserver: u64::from(!self.to_client),
            pkts_toclient: u64::from(self.to_client),
            bytes_toserver: 0,
            bytes_toclient: 0,
        }
    }

    /// Derived from what live and replay see alike: the ends, the time, and what was met.
    fn number(&self, value: &str) -> u64 {
        let mut hash = Sha256::new();
        for (address, port) in [self.client, self.server] {
            hash.update(address.0.to_be_bytes());
            hash.update(port.to_be_bytes());
        }
        hash.update(self.start.as_nanos().to_be_bytes());
        hash.update(Mechanism::Indicator.name());
        hash.update(value);
        first_eight(hash)
    }

    fn considered(&self) -> Vec<Considered> {
        let went = self.hits.iter().any(|met| !matches!(met.listed.seen, Seen::DnsQuestion | Seen::DnsAnswer));
        let why = if went {
            "a connection was made in its name"
        } else {
            "no connection to it was seen: browsers ask ahead for the names of links, and filters for names that they have only read"
        };
        vec![
            Considered { explanation: "a name that was looked up and not visited", kept: !went, why: why.to_owned() },
            Considered {
                explanation: "a list that has grown old, or a visit on purpose",
                kept: true,
                why: "names change hands, and who looks into a case goes there; the date of the list and the owner of the device can tell"
                    .to_owned(),
            },
        ]
    }
}
