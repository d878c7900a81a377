//! Random conversations that mean something: who talks, how it goes, and when.

use proptest::prelude::*;
use sidewatch::engine::time::Span;

use super::tape::{Cut, cuts};
use crate::support::connection::{Connection, Side};
use crate::support::host::{Host, appliance, client, linux, macos, v4, windows};
use crate::support::injector::Injector;
use crate::support::names::{A, Forger, Lookups, Reply, reply};
use crate::support::segment::{ACK, FIN, PSH, RST};
use crate::support::story::{Story, after_ms};

/// How a conversation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// So many requests, each answered.
    Exchanges(u8),
    /// The site redirects elsewhere.
    Moved,
    /// The answer is sent again.
    Again,
    /// Neighbouring segments of the answer change places.
    Reordered,
    /// A segment of the answer is lost before the sensor and sent again.
    Lost,
    /// The client resets when it has what it wanted.
    ClientResets,
    /// Nothing after the handshake.
    Idle,
    /// Only the server's side passes the sensor.
    OneSided,
    /// A forged answer before the genuine one.
    Race(Third),
    /// A forged answer and nothing genuine.
    InPath(Third),
    /// A forged reset before the genuine answer.
    Reset,
    /// A forged FIN before the genuine answer.
    Fin,
    /// So many names are looked up, each a little later than the one before, some of them twice.
    Names(u8),
    /// The same, and so many of them get a forged answer before the genuine one.
    FalseNames(u8),
}

/// Who forges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Third {
    Quantum,
    PacketLogic,
    Careful,
    Perfect,
    Unknown,
}

/// One conversation.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) pattern: Pattern,
    pub(super) server: u8,
    pub(super) rtt_ms: u16,
    pub(super) paragraphs: u8,
    pub(super) closes: bool,
    /// From the beginning of the capture to that of the conversation.
    pub(super) start_ms: u16,
}

fn honest() -> impl Strategy<Value = Pattern> {
    use Pattern::{Again, ClientResets, Exchanges, Idle, Lost, Moved, Names, OneSided, Reordered};
    prop_oneof![
        (1..5_u8).prop_map(Exchanges),
        Just(Moved),
        Just(Again),
        Just(Reordered),
        Just(Lost),
        Just(ClientResets),
        Just(Idle),
        Just(OneSided),
        (1..9_u8).prop_map(Names)
    ]
}

fn third() -> impl Strategy<Value = Third> {
    use Third::{Careful, PacketLogic, Perfect, Quantum, Unknown};
    prop_oneof![Just(Quantum), Just(PacketLogic), Just(Careful), Just(Perfect), Just(Unknown)]
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    use Pattern::{FalseNames, Fin, InPath, Race, Reset};
    prop_oneof![
        3 => honest(),
        2 => third().prop_map(Race),
        1 => third().prop_map(InPath),
        1 => Just(Reset),
        1 => Just(Fin),
        1 => (1..5_u8).prop_map(FalseNames)
    ]
}

fn talk(pattern: impl Strategy<Value = Pattern>) -> impl Strategy<Value = Talk> {
    (pattern, 0..4_u8, 3..200_u16, 1..60_u8, any::<bool>(), 0..9_000_u16)
        .prop_map(|(pattern, server, rtt_ms, paragraphs, closes, start_ms)| Talk { pattern, server, rtt_ms, paragraphs, closes, start_ms })
}

/// Up to `most` conversations, honest or not.
pub(super) fn any_talks(most: usize) -> impl Strategy<Value = Vec<Talk>> {
    prop::collection::vec(talk(any_pattern()), 1..=most)
}

/// Up to `most` honest conversations.
pub(super) fn honest_talks(most: usize) -> impl Strategy<Value = Vec<Talk>> {
    prop::collection::vec(talk(honest()), 1..=most)
}

/// Each conversation by itself, between hosts of its own.
pub(super) fn apart(talks: &[Talk]) -> Vec<Vec<Cut>> {
    (1..).zip(talks).map(|(number, talk)| told(talk, number)).collect()
}

/// The conversations over and over, each time between other hosts and a little later, until there are `frames` frames.
pub(super) fn told_times(talks: &[Talk], frames: usize) -> Vec<Vec<Cut>> {
    let mut flows: Vec<Vec<Cut>> = Vec::new();
    let (mut held, mut number) = (0, 1_u16);
    for talk in talks.iter().cycle() {
        let later = talk.start_ms.saturating_add(number.saturating_mul(50));
        let flow = told(&Talk { start_ms: later, ..talk.clone() }, number);
        held += flow.len();
        number += 1;
        flows.push(flow);
        if held >= frames {
            break;
        }
    }
    flows
}

/// All in one capture, in order of time; frames of one time in order of conversation. Each frame is numbered.
pub(super) fn merged(flows: &[Vec<Cut>]) -> Vec<Cut> {
    let mut all: Vec<Cut> = flows.iter().flatten().cloned().collect();
    all.sort_by_key(|cut| cut.time);
    number(&mut all, 1);
    all
}

/// Numbers `frames` from `first` on.
pub(super) fn number(frames: &mut [Cut], first: u64) {
    for (number, cut) in (first..).zip(frames) {
        cut.number = number;
    }
}

/// One capture of all conversations.
pub(super) fn together(talks: &[Talk]) -> Vec<Cut> {
    merged(&apart(talks))
}

fn told(talk: &Talk, number: u16) -> Vec<Cut> {
    let [high, low] = number.to_be_bytes();
    let ip = v4(203, 0, high, low);
    let server = match talk.server {
        0 => linux(ip).away(11),
        1 => windows(ip).away(15),
        2 => macos(ip).away(9),
        _ => appliance(ip).away(18),
    };
    let mut story = Story::new();
    let client = Host { ip: v4(192, 0, high, low), ..client() };
    if let Pattern::Names(count) | Pattern::FalseNames(count) = talk.pattern {
        look_up(&mut Lookups::new(&mut story, client, server), talk, count);
        return cuts(&story, Span::from_millis(i64::from(talk.start_ms)));
    }
    let mut tcp = story.connection(client, server);
    let rtt = f64::from(talk.rtt_ms);
    tcp.story.seen = talk.pattern != Pattern::OneSided;
    tcp.handshake(rtt);
    converse(&mut tcp, talk, rtt);
    if talk.closes && talk.pattern != Pattern::ClientResets {
        tcp.close();
    }
    cuts(&story, Span::from_millis(i64::from(talk.start_ms)))
}

fn look_up(dns: &mut Lookups<'_>, talk: &Talk, count: u8) {
    let rtt = f64::from(talk.rtt_ms);
    for number in 0..count + 3 {
        dns.ask("news.example", A);
        if number >= 3 && matches!(talk.pattern, Pattern::FalseNames(_)) {
            let forger = Forger { ttl: 99, ip_id: 0x77, df: false };
            dns.forge(forger, after_ms(rtt * 0.3), &Reply { edns: false, ..reply([v4(198, 51, 100, number)]) });
        }
        dns.answer(after_ms(rtt), &reply([v4(203, 0, 113, number)]));
        if number % 3 == 1 {
            dns.story.wait(after_ms(900.0));
            dns.ask_again();
            dns.answer(after_ms(rtt), &reply([v4(192, 0, 2, number)]));
        }
        dns.story.wait(after_ms(f64::from(talk.paragraphs) * 40.0));
    }
}

fn converse(tcp: &mut Connection<'_>, talk: &Talk, rtt: f64) {
    let page = page(talk.paragraphs);
    if talk.pattern == Pattern::Idle {
        return;
    }
    ask(tcp);
    match talk.pattern {
        Pattern::Idle | Pattern::Names(_) | Pattern::FalseNames(_) => {}
        Pattern::Exchanges(count) => {
            answer(tcp, rtt, &page);
            for _ in 1..count {
                tcp.wait(after_ms(700.0));
                ask(tcp);
                answer(tcp, rtt, &page);
            }
        }
        Pattern::Moved => answer(tcp, rtt, &moved()),
        Pattern::OneSided => {
            tcp.story.seen = true;
            tcp.reply(after_ms(rtt), &page);
        }
        Pattern::ClientResets => {
            answer(tcp, rtt, &page);
            tcp.reset(Side::Client, after_ms(3.0), RST);
        }
        Pattern::Again | Pattern::Reordered | Pattern::Lost => troubled(tcp, talk.pattern, rtt, &page),
        Pattern::Race(third) => {
            tcp.forge(&injector(third), after_ms(rtt * 0.4), &lure());
            tcp.ack();
            answer(tcp, rtt * 0.6, &page);
        }
        Pattern::InPath(third) => {
            tcp.server_ack(after_ms(rtt));
            tcp.forge(&injector(third), after_ms(1.0), &lure());
            tcp.ack();
        }
        Pattern::Reset => {
            tcp.forge_bare(&Injector::censor(), after_ms(rtt * 0.4), RST | ACK);
            answer(tcp, rtt * 0.6, &page);
        }
        Pattern::Fin => {
            tcp.forge_bare(&Injector::quantum(), after_ms(rtt * 0.4), FIN | ACK);
            answer(tcp, rtt * 0.6, &page);
        }
    }
}

fn troubled(tcp: &mut Connection<'_>, pattern: Pattern, rtt: f64, page: &[u8]) {
    tcp.wait(after_ms(rtt));
    let mut segments = tcp.server_segments(page, 700, PSH | ACK);
    let end = tcp.server.next;
    match pattern {
        Pattern::Again => {
            tcp.put_all(&segments);
            tcp.wait(after_ms(rtt * 2.0));
            for segment in &segments {
                let again = tcp.again(segment);
                tcp.put(&again);
            }
        }
        Pattern::Reordered => {
            for pair in segments.chunks_mut(2) {
                pair.reverse();
            }
            tcp.put_all(&segments);
        }
        _ => {
            let lost = segments.remove(segments.len() / 2);
            tcp.put_all(&segments);
            tcp.wait(after_ms(rtt));
            let again = tcp.again(&lost);
            tcp.put(&again);
        }
    }
    tcp.client.heard = Some(end);
    tcp.ack();
}

pub(super) fn injector(third: Third) -> Injector {
    match third {
        Third::Quantum => Injector::quantum(),
        Third::PacketLogic => Injector::packetlogic(2),
        Third::Careful => Injector::careful(),
        Third::Perfect => Injector::perfect(),
        Third::Unknown => Injector::unknown_device(),
    }
}

pub(super) fn ask(tcp: &mut Connection<'_>) {
    tcp.request(b"GET /front HTTP/1.1\r\nHost: news.example\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n");
}

fn answer(tcp: &mut Connection<'_>, ms: f64, bytes: &[u8]) {
    tcp.server_ack(after_ms(ms));
    tcp.reply(after_ms(0.8), bytes);
    tcp.ack();
}

/// A page as a usual server sends it.
pub(super) fn page(paragraphs: u8) -> Vec<u8> {
    let text: String = (0..paragraphs).map(|n| format!("<p>Paragraph {n} of the morning news.</p>\n")).collect();
    usual("200 OK", "", &text)
}

fn moved() -> Vec<u8> {
    usual("302 Found", "Location: http://elsewhere.test/\r\n", "<a href=\"http://elsewhere.test/\">here</a>")
}

fn usual(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let len = body.len();
    let date = "Date: Mon, 05 Jan 2026 09:00:00 GMT\r\nServer: nginx/1.26.2\r\n";
    format!("HTTP/1.1 {status}\r\n{date}{fields}Content-Type: text/html\r\nContent-Length: {len}\r\n\r\n{body}").into_bytes()
}

/// What the third party sends.
pub(super) fn lure() -> Vec<u8> {
    b"HTTP/1.1 302 Found\r\nLocation: http://x9q2.updates.test/land\r\nContent-Length: 0\r\n\r\n".to_vec()
}
