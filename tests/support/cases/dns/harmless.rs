//! Harmless answers of DNS that come twice, or contradict each other, or look odd.

use super::{BLOCKED, resolver, site};
use crate::support::cases::{Case, Told};
use crate::support::host::{Host, IpId, client, linux, v4};
use crate::support::names::{A, AAAA, ANSWER, ANY, Lookups, Reply, TRUNCATED, TXT, Udp, refusal, reply};
use crate::support::segment::End;
use crate::support::story::{Mirror, Story, after_ms};

pub(in crate::support::cases) fn cases() -> Vec<Case> {
    [around_servers(), around_the_sensor()].into_iter().flatten().collect()
}

fn around_servers() -> Vec<Case> {
    vec![
        Case::alone(
            "dns-rotation",
            "One name is asked for again and again, each time from another port, and each answer has other addresses: a CDN.",
            || {
                let mut story = Story::new();
                let mut dns = Lookups::new(&mut story, client(), resolver());
                for network in [0_u8, 64, 128, 192] {
                    dns.ask(BLOCKED, A);
                    dns.answer(after_ms(25.0), &Reply { ttl: 5, ..reply([v4(203, 0, 113, network), v4(192, 0, 2, network)]) });
                    dns.story.wait(after_ms(700.0));
                }
                Told::silent(story)
            },
        ),
        Case::alone(
            "dns-two-answers-of-one-resolver",
            "A resolver answers one question twice within a millisecond, with addresses of two sites of a CDN: equal TTL and DF, identifications next
             to each other.",
            || {
                let mut story = Story::new();
                let resolver = resolver().with_ip_id(IpId::Sequential(0x6100));
                let mut dns = Lookups::new(&mut story, client(), resolver);
                dns.ask(BLOCKED, A);
                dns.answer(after_ms(20.0), &site());
                dns.answer(after_ms(0.4), &reply([v4(192, 0, 2, 180)]));
                Told::silent(story)
            },
        ),
        Case::alone(
            "dns-two-answers-unclear",
            "The same with identifications at random: nothing tells the two answers apart, and nothing shows that there are two senders.",
            || {
                let mut story = Story::new();
                let mut dns = Lookups::new(&mut story, client(), resolver());
                dns.ask(BLOCKED, A);
                dns.answer(after_ms(20.0), &site());
                dns.answer(after_ms(0.4), &reply([v4(192, 0, 2, 180)]));
                Told::quiet(story)
            },
        ),
        Case::alone(
            "dns-route-change",
            "A question is asked again because the answer is slow. Both answers come, over routes that differ by two routers and from sites of a CDN.",
            || {
                let mut story = Story::new();
                let mut dns = Lookups::new(&mut story, client(), resolver());
                dns.ask(BLOCKED, A);
                dns.story.wait(after_ms(1000.0));
                dns.ask_again();
                dns.answer(after_ms(30.0), &site());
                dns.resolver.hops += 2;
                dns.answer(after_ms(16.0), &reply([v4(192, 0, 2, 180)]));
                Told::quiet(story)
            },
        ),
        Case::alone(
            "dns-truncated",
            "An answer is cut to fit, with a part of the addresses; the second sending of the question is answered in full by others.",
            || {
                let mut story = Story::new();
                let mut dns = Lookups::new(&mut story, client(), resolver());
                dns.ask(BLOCKED, A);
                dns.answer(after_ms(20.0), &Reply { flags: ANSWER | TRUNCATED, ..reply([v4(192, 0, 2, 7)]) });
                dns.answer(after_ms(2.0), &site());
                Told::silent(story)
            },
        ),
        Case::alone(
            "dns-fallback",
            "A resolver that knows no EDNS says that the format is wrong, fails the second time, refuses the third, and answers the fourth.",
            || {
                let mut story = Story::new();
                let mut dns = Lookups::new(&mut story, client(), resolver());
                dns.ask(BLOCKED, A);
                for rcode in [1, 2, 5] {
                    dns.answer(after_ms(20.0), &Reply { edns: false, ..refusal(rcode) });
                    dns.ask_again();
                }
                dns.answer(after_ms(20.0), &Reply { edns: false, ..site() });
                Told::silent(story)
            },
        ),
        Case::alone("dns-any", "ANY is answered twice, with other records each time.", || {
            let mut story = Story::new();
            let mut dns = Lookups::new(&mut story, client(), resolver());
            dns.ask(BLOCKED, ANY);
            dns.answer(after_ms(20.0), &site());
            dns.answer(after_ms(0.5), &Reply { text: true, ..reply([v4(192, 0, 2, 7)]) });
            Told::silent(story)
        }),
        Case::alone(
            "dns-both-families",
            "A device asks for A, AAAA and TXT of one name at once from one port; each is answered for itself.",
            || {
                let mut story = Story::new();
                let mut dns = Lookups::new(&mut story, client(), resolver());
                dns.ask(BLOCKED, A);
                let first = dns.genuine(&site());
                dns.ask(BLOCKED, AAAA);
                let second = dns.genuine(&Reply { authority: true, ..refusal(0) });
                dns.ask(BLOCKED, TXT);
                dns.answer(after_ms(20.0), &Reply { text: true, ..reply([]) });
                dns.story.put_udp(&second);
                dns.story.put_udp(&first);
                Told::silent(story)
            },
        ),
    ]
}

fn around_the_sensor() -> Vec<Case> {
    vec![
        Case::alone(
            "dns-other-identification",
            "Answers that nobody waits for: with another identification, and to another port, with other addresses than the one that counts.",
            || {
                let mut story = Story::new();
                let mut dns = Lookups::new(&mut story, client(), resolver());
                dns.ask(BLOCKED, A);
                let (id, port) = (dns.id, dns.port);
                dns.id = id.wrapping_add(1);
                dns.answer(after_ms(5.0), &reply([v4(192, 0, 2, 7)]));
                (dns.id, dns.port) = (id, port + 1);
                dns.answer(after_ms(5.0), &reply([v4(192, 0, 2, 8)]));
                (dns.id, dns.port) = (id, port);
                dns.answer(after_ms(15.0), &site());
                Told::silent(story)
            },
        ),
        Case::alone(
            "dns-around-router",
            "The sensor sees each packet before and after a router: question and answer twice, with TTLs that differ by one.",
            || {
                let mut story = Story::new();
                story.mirror = Mirror::AroundRouter;
                let mut dns = Lookups::new(&mut story, client(), resolver());
                dns.ordinary(20.0);
                Told::silent(story)
            },
        ),
        Case::alone(
            "dns-both-sides-of-nat",
            "The sensor sees both sides of a NAT: question and answer with the client's address and with the router's. Asked again, the answer has
             other addresses.",
            || {
                let mut story = Story::new();
                let mut dns = Lookups::new(&mut story, client(), resolver());
                let outside = |udp: &Udp, ttl: u8| {
                    let turn = |end: End| if end.ip == client().ip { End { ip: v4(203, 0, 113, 9), ..end } } else { end };
                    Udp { src: turn(udp.src), dst: turn(udp.dst), ttl, ..udp.clone() }
                };
                dns.ask(BLOCKED, A);
                for answer in [site(), reply([v4(192, 0, 2, 180)])] {
                    let question = outside(&dns.question(), 63);
                    dns.story.put_udp(&question);
                    dns.story.wait(after_ms(20.0));
                    let before = outside(&dns.genuine(&answer), resolver().seen_ttl() + 1);
                    dns.story.put_udp(&before);
                    dns.answer(after_ms(0.1), &answer);
                    dns.story.wait(after_ms(1000.0));
                    dns.ask_again();
                }
                Told::silent(story)
            },
        ),
        Case::alone(
            "dns-question-unseen",
            "The sensor sees the answers only: to a question and, 2 s later, to the same one asked again.",
            || {
                let mut story = Story::new();
                story.seen = false;
                let mut dns = Lookups::new(&mut story, client(), resolver());
                dns.ask(BLOCKED, A);
                dns.story.seen = true;
                dns.answer(after_ms(20.0), &site());
                dns.answer(after_ms(2000.0), &reply([v4(192, 0, 2, 180)]));
                Told::silent(story)
            },
        ),
        Case::alone(
            "dns-multicast",
            "Names of the local network (mDNS): two devices answer one question from port 5353, each with its own address.",
            || {
                let mut story = Story::new();
                let group = Host { mac: [1, 0, 0x5e, 0, 0, 0xfb], ..linux(v4(224, 0, 0, 251)) };
                let mut dns = Lookups::new(&mut story, client(), group);
                dns.ask("printer.local", A);
                for last in [30, 31] {
                    let answer = dns.genuine(&reply([v4(192, 0, last, 9)]));
                    let from = |end: End| End { ip: v4(192, 0, 2, last), port: 5353, ..end };
                    let udp = Udp { src: from(answer.src), dst: End { port: 5353, ..answer.dst }, ..answer };
                    dns.story.put_udp(&udp);
                }
                Told::silent(story)
            },
        ),
    ]
}
