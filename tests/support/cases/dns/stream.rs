//! DNS over TCP: several questions in one connection, and answers in it or beside it that contradict each other.

use super::super::{Alert, Case, Told};
use super::{BLOCKED, forged, resolver, site};
use crate::support::connection::{Connection, Side};
use crate::support::host::{client, v4};
use crate::support::injector::Injector;
use crate::support::names::{A, AAAA, ANSWER, Forger, Lookups, Reply, TRUNCATED, reply};
use crate::support::segment::{ACK, PSH};
use crate::support::story::{Story, after_ms};

pub(in super::super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "dns-tcp-inserted",
            "A box on the path puts an answer of its own in front of the resolver's in a connection, and moves the sequence numbers of what comes after it:
             nothing overlaps, and the client reads two answers to one question.",
            "Two questions in one connection, for A and AAAA, are answered by the resolver in the other order.",
            inserted,
        ),
        Case::twins(
            "dns-tcp-against-udp",
            "A forged answer over UDP, from another distance and without EDNS, holds no truncated mark. The device asks the same over TCP, where the resolver
             answers with other addresses.",
            "The resolver answers over UDP, and to the same question over TCP with other addresses of a site that turns them.",
            against_udp,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(in super::super) fn quiet() -> Vec<Case> {
    vec![
        Case::alone(
            "dns-tcp-pipelined",
            "Three questions in one segment; the answers come in another order, one of them a byte at a time, its length alone in a segment.",
            pipelined,
        ),
        Case::alone(
            "dns-tcp-truncated",
            "Truncated answers over UDP with one address of those that the answer over TCP does not have, twice; the second answer over TCP fills two segments.",
            truncated,
        ),
    ]
}

fn connected<'s>(story: &'s mut Story) -> Connection<'s> {
    let mut tcp = story.connection(client(), resolver());
    tcp.server.end.port = 53;
    tcp.handshake(20.0);
    tcp
}

/// A question and its answer as they stand in a stream.
fn exchange(dns: &mut Lookups<'_>, (name, qtype): (&str, u16), answer: &Reply) -> (Vec<u8>, Vec<u8>) {
    dns.choose(name, qtype);
    (dns.framed(None), dns.framed(Some(answer)))
}

fn inserted(loud: bool) -> Told {
    let mut story = Story::new();
    let mut dns = Lookups::new(&mut story, client(), resolver());
    dns.ordinary(20.0);
    let (question, answer) = exchange(&mut dns, (BLOCKED, A), &site());
    let lie = dns.framed(Some(&forged(v4(192, 0, 2, 66))));
    let (other, no_such) = exchange(&mut dns, (BLOCKED, AAAA), &Reply { authority: true, ..reply([]) });
    let mut tcp = connected(&mut story);
    if !loud {
        tcp.request(&[question, other].concat());
        tcp.reply(after_ms(20.0), &no_such);
        tcp.reply(after_ms(1.0), &answer);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    tcp.request(&question);
    let frames = tcp.forge(&Injector::quantum(), after_ms(4.0), &lie);
    tcp.server.next = tcp.server.next.wrapping_add(lie.len() as u32);
    tcp.client.heard = Some(tcp.server.next);
    tcp.ack();
    let genuine = tcp.reply(after_ms(16.0), &answer)[0];
    tcp.ack();
    tcp.wait(after_ms(12_000.0));
    tcp.close();
    Told::loud(story, [Alert::on_path("dns_answer", &frames, genuine).up_to(2).by(["S15"])])
}

fn against_udp(loud: bool) -> Told {
    let mut story = Story::new();
    let mut dns = Lookups::new(&mut story, client(), resolver());
    dns.ask(BLOCKED, A);
    let lie = if loud {
        dns.forge(Forger { ttl: 61, ip_id: 0x3c3c, df: false }, after_ms(6.0), &forged(v4(192, 0, 2, 66)))
    } else {
        dns.answer(after_ms(20.0), &reply([v4(192, 0, 2, 180)]))
    };
    let (question, answer) = exchange(&mut dns, (BLOCKED, A), &site());
    let mut tcp = connected(&mut story);
    tcp.request(&question);
    let genuine = tcp.reply(after_ms(20.0), &answer)[0];
    tcp.ack();
    tcp.close();
    if !loud {
        return Told::silent(story);
    }
    Told::loud(story, [Alert::on_path("dns_answer", &[lie], genuine).up_to(2).by(["S15"])])
}

fn pipelined() -> Told {
    let mut story = Story::new();
    let mut dns = Lookups::new(&mut story, client(), resolver());
    let (first, to_first) = exchange(&mut dns, (BLOCKED, A), &site());
    let (second, to_second) = exchange(&mut dns, ("mail.example", A), &reply([v4(198, 51, 100, 10)]));
    let (third, to_third) =
        exchange(&mut dns, ("www.example.org", A), &Reply { alias: Some("edge.example.net"), ..reply([v4(192, 0, 2, 33)]) });
    let mut tcp = connected(&mut story);
    tcp.request(&[first, second, third].concat());
    tcp.reply(after_ms(20.0), &to_third);
    let (length, rest) = to_first.split_at(2);
    tcp.reply(after_ms(3.0), length);
    for byte in rest.chunks(1) {
        let segment = tcp.segment(Side::Server, PSH | ACK, byte);
        tcp.wait(after_ms(0.1));
        tcp.put(&segment);
    }
    tcp.ack();
    tcp.reply(after_ms(2.0), &to_second);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn truncated() -> Told {
    let mut story = Story::new();
    for _ in 0..2 {
        let mut dns = Lookups::new(&mut story, client(), resolver());
        dns.ask(BLOCKED, A);
        dns.answer(after_ms(20.0), &Reply { flags: ANSWER | TRUNCATED, ..reply([v4(192, 0, 2, 7)]) });
        let (question, answer) = exchange(&mut dns, (BLOCKED, A), &site());
        let mut tcp = connected(&mut story);
        tcp.request(&question);
        let halves = tcp.server_segments(&answer, answer.len() / 2 + 1, PSH | ACK);
        tcp.wait(after_ms(20.0));
        tcp.put_all(&halves);
        tcp.ack();
        tcp.close();
        story.wait(after_ms(30_000.0));
    }
    Told::silent(story)
}
