//! Forged answers to questions of DNS, and the harmless ones that look most like them.

pub(super) mod harmless;
pub(super) mod stream;

use std::net::IpAddr;

use super::{Alert, Case, Told};
use crate::support::host::{Host, IpId, client, linux, v4, v6};
use crate::support::injector::Injector;
use crate::support::names::{A, AAAA, ANSWER, AUTHORITATIVE, Forger, Lookups, Reply, TRUNCATED, refusal, reply};
use crate::support::story::{Story, after_ms};
use crate::support::wrapping::Wrapping;

const BLOCKED: &str = "news.example";

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "dns-three-injectors",
            "The three injectors of the Great Firewall as Triplet Censors describes them: AA set and a time to live of 60; DF and another TTL; IP-ID
             0 without DF and with the question's own TTL. The forged addresses are published ones. The resolver's answer comes last.",
            "The same questions. The one for the blocked name is asked twice, and each time answered with other addresses of the same site.",
            three_injectors,
        ),
        Case::twins(
            "dns-notice",
            "An injector near the client answers with the notice page's private address, as in Iran, before the resolver does.",
            "The resolver of a hotel answers every name with the private address of its log-in page.",
            notice,
        ),
        Case::twins(
            "dns-letters",
            "The question is written in letters of mixed case. A forged answer repeats it in small letters and leaves EDNS out; its address is in no
             list, its TTL and DF are the resolver's.",
            "A question in mixed letters, answered in the same letters with an alias; the sensor's mirror tells all twice.",
            letters,
        ),
        Case::twins(
            "dns-teredo",
            "Over IPv6: a forged answer to AAAA with a Teredo address, and then the resolver's, that there is none.",
            "Over IPv6: the name has no AAAA, and the device asks for A.",
            teredo,
        ),
        Case::twins(
            "dns-suppressed",
            "A box on the path answers with the notice page's address at once, from fewer hops, and the question goes no further.",
            "The resolver answers with that address by its own stack and in its own time: it may have been told to, or is deceived itself.",
            suppressed,
        ),
        Case::twins(
            "dns-late-forgery",
            "The forged answer loses the race: it comes after the resolver's. Nothing is known of the resolver but its one answer.",
            "The resolver's late answer to the first sending of a question that was sent twice: the addresses in another order, the time to live
             counted down.",
            late,
        ),
        Case::twins(
            "dns-false-denial",
            "A forged answer says that the name does not exist; the genuine one, with addresses, comes 30 ms later.",
            "A resolver that answers what does not exist with a page of its operator: one answer to each, by its own stack.",
            denial,
        ),
        Case::twins(
            "dns-over-tcp",
            "The truncated answer makes the device ask over TCP, and there a forged answer comes before the resolver's.",
            "The truncated answer makes the device ask over TCP, where the resolver answers in full, with other addresses.",
            over_tcp,
        ),
        Case::twins(
            "dns-tunnelled",
            "The race of `dns-notice`, seen inside GRE.",
            "The quiet twin of `dns-notice`, seen inside GRE.",
            tunnelled,
        ),
    ]
    .into_iter()
    .flatten()
    .chain(stream::cases())
    .collect()
}

/// A public resolver: Linux, nine hops away, identifications at random.
fn resolver() -> Host {
    linux(v4(198, 51, 100, 53)).away(9).with_ip_id(IpId::Random(53))
}

/// The site that the name leads to.
fn site() -> Reply {
    reply([v4(203, 0, 113, 80), v4(203, 0, 113, 81)])
}

fn forged(address: IpAddr) -> Reply {
    Reply { edns: false, ..reply([address]) }
}

fn three_injectors(loud: bool) -> Told {
    let mut story = Story::new();
    let mut dns = Lookups::new(&mut story, client(), resolver());
    dns.ordinary(48.0);
    dns.ask(BLOCKED, A);
    if !loud {
        dns.answer(after_ms(48.0), &site());
        dns.story.wait(after_ms(1000.0));
        dns.ask_again();
        dns.answer(after_ms(48.0), &reply([v4(192, 0, 2, 180), v4(192, 0, 2, 181)]));
        return Told::silent(story);
    }
    let first = Reply { flags: ANSWER | AUTHORITATIVE, ttl: 60, ..forged(v4(8, 7, 198, 45)) };
    let frames = [
        dns.forge(Forger { ttl: 86, ip_id: 0x3a1f, df: false }, after_ms(7.1), &first),
        dns.forge(Forger { ttl: 191, ip_id: 0x77c2, df: true }, after_ms(0.3), &forged(v4(93, 46, 8, 89))),
        dns.forge(Forger { ttl: 64, ip_id: 0, df: false }, after_ms(0.4), &forged(v4(159, 106, 121, 75))),
    ];
    let genuine = dns.answer(after_ms(40.0), &site());
    Told::loud(story, [Alert::on_path("dns_answer", &frames, genuine).by(["S15"])])
}

fn notice(loud: bool) -> Told {
    notice_in(Story::new(), loud)
}

fn notice_in(mut story: Story, loud: bool) -> Told {
    if !loud {
        let mut dns = Lookups::new(&mut story, client(), linux(v4(192, 0, 2, 1)));
        for name in [BLOCKED, "mail.example", "www.example.org"] {
            dns.ask(name, A);
            dns.answer(after_ms(1.5), &reply([v4(10, 1, 1, 1)]));
        }
        return Told::silent(story);
    }
    let mut dns = Lookups::new(&mut story, client(), resolver());
    dns.ordinary(92.0);
    dns.ask(BLOCKED, A);
    let frame = dns.forge(Forger { ttl: 61, ip_id: 0x0101, df: false }, after_ms(3.0), &forged(v4(10, 10, 34, 35)));
    let genuine = dns.answer(after_ms(88.0), &site());
    Told::loud(story, [Alert::on_path("dns_answer", &[frame], genuine).by(["S15"])])
}

fn letters(loud: bool) -> Told {
    let mut story = Story::new();
    if !loud {
        story.mirror = crate::support::story::Mirror::Twice;
    }
    let mut dns = Lookups::new(&mut story, client(), resolver());
    dns.ask("nEWs.ExaMPLe", A);
    if !loud {
        dns.answer(after_ms(31.0), &Reply { alias: Some("edge.example.net"), ..site() });
        return Told::silent(story);
    }
    let same_stack = Forger { ttl: resolver().seen_ttl(), ip_id: 0x5b5b, df: true };
    let answer = Reply { small_letters: true, ..forged(v4(192, 0, 2, 66)) };
    let frame = dns.forge(same_stack, after_ms(9.0), &answer);
    let genuine = dns.answer(after_ms(22.0), &site());
    Told::loud(story, [Alert::on_path("dns_answer", &[frame], genuine).up_to(2).by(["S15"])])
}

fn teredo(loud: bool) -> Told {
    let mut story = Story::new();
    let at = |host: Host, last| Host { ip: v6(last), ..host };
    let mut dns = Lookups::new(&mut story, at(client(), 0x17), at(resolver(), 0x53));
    dns.ordinary(60.0);
    dns.ask(BLOCKED, AAAA);
    let none = Reply { authority: true, ..refusal(0) };
    if !loud {
        dns.answer(after_ms(61.0), &none);
        dns.ask(BLOCKED, A);
        dns.answer(after_ms(60.0), &site());
        return Told::silent(story);
    }
    let address = IpAddr::from([0x2001, 0, 0, 0, 0, 0, 0x453, 0x8d4_u16]);
    let frame = dns.forge(Forger { ttl: 77, ip_id: 0, df: false }, after_ms(8.0), &forged(address));
    let genuine = dns.answer(after_ms(55.0), &none);
    Told::loud(story, [Alert::on_path("dns_answer", &[frame], genuine).by(["S15"])])
}

fn suppressed(loud: bool) -> Told {
    let mut story = Story::new();
    let mut dns = Lookups::new(&mut story, client(), resolver());
    dns.ordinary(75.0);
    dns.ask(BLOCKED, A);
    let answer = forged(v4(10, 10, 34, 36));
    if !loud {
        dns.answer(after_ms(75.0), &Reply { edns: true, ..answer });
        return Told::quiet(story);
    }
    let frame = dns.forge(Forger { ttl: 61, ip_id: 0x2222, df: true }, after_ms(2.5), &answer);
    dns.story.wait(after_ms(6000.0));
    dns.ordinary(75.0);
    Told::loud(story, [Alert::in_path("dns_answer", &[frame]).up_to(2).by(["S15"])])
}

fn late(loud: bool) -> Told {
    let mut story = Story::new();
    let mut dns = Lookups::new(&mut story, client(), resolver());
    dns.ask(BLOCKED, A);
    if !loud {
        dns.story.wait(after_ms(1200.0));
        dns.ask_again();
        dns.answer(after_ms(30.0), &site());
        let turned = Reply { addresses: site().addresses.into_iter().rev().collect(), ttl: 299, ..site() };
        dns.answer(after_ms(5.0), &turned);
        return Told::silent(story);
    }
    let genuine = dns.answer(after_ms(20.0), &Reply { alias: Some("edge.example.net"), ..site() });
    let frame = dns.forge(Forger { ttl: 90, ip_id: 0x1234, df: false }, after_ms(14.0), &forged(v4(203, 98, 7, 65)));
    Told::loud(story, [Alert::on_path("dns_answer", &[frame], genuine).by(["S15"])])
}

fn denial(loud: bool) -> Told {
    let mut story = Story::new();
    let mut dns = Lookups::new(&mut story, client(), resolver());
    if !loud {
        for name in ["wwww.example", "nwes.example", "no-such-name.example"] {
            dns.ask(name, A);
            dns.answer(after_ms(12.0), &reply([v4(203, 0, 113, 200)]));
        }
        return Told::silent(story);
    }
    dns.ordinary(44.0);
    dns.ask(BLOCKED, A);
    let frame = dns.forge(Forger { ttl: 59, ip_id: 0x9191, df: true }, after_ms(11.0), &Reply { edns: false, ..refusal(3) });
    let genuine = dns.answer(after_ms(30.0), &site());
    Told::loud(story, [Alert::on_path("dns_answer", &[frame], genuine).by(["S15"])])
}

fn over_tcp(loud: bool) -> Told {
    let mut story = Story::new();
    let mut dns = Lookups::new(&mut story, client(), resolver());
    dns.ask(BLOCKED, A);
    dns.answer(after_ms(20.0), &Reply { flags: ANSWER | TRUNCATED, ..reply([v4(192, 0, 2, 7)]) });
    let (question, answer) = (dns.framed(None), dns.framed(Some(&site())));
    let false_answer = dns.framed(Some(&forged(v4(203, 98, 7, 65))));
    let mut tcp = story.connection(client(), resolver());
    tcp.server.end.port = 53;
    tcp.handshake(20.0);
    tcp.request(&question);
    let frames = if loud { tcp.forge(&Injector::quantum(), after_ms(4.0), &false_answer) } else { Vec::new() };
    let genuine = tcp.reply(after_ms(16.0), &answer)[0];
    tcp.ack();
    tcp.close();
    tcp.client_closes_too(20.0);
    if !loud {
        return Told::silent(story);
    }
    Told::loud(story, [Alert::on_path("dns_answer", &frames, genuine).up_to(2).by(["S1"])])
}

fn tunnelled(loud: bool) -> Told {
    let mut story = Story::new();
    story.wrapping =
        Some(Wrapping { name: "gre", about: "", link: 1, six: false, frame: |wrapped| wrapped.in_gre(&[0, 0, 8, 0], wrapped.datagram) });
    notice_in(story, loud)
}
