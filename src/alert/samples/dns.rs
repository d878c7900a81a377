//! Made-up alerts about answers of DNS.

use std::net::IpAddr;

use super::super::{Alert, Carrier, DnsFacts, FlowFacts, Grade, Mechanism, PacketFacts, Role, Signal, Verdict};
use super::{bare, flow, header_vote, packet, row};
use crate::engine::protocol::dns::Flags;

/// Two forged answers to a question, and the genuine one.
pub(in crate::alert) fn forged() -> Alert {
    let udp = |frame, micros, ttl, id, payload_len| PacketFacts {
        tcp: None,
        payload_len,
        ..packet(frame, micros, (ttl, Some(id)), ("", 0, 0, 1))
    };
    let [first, second, genuine] = [udp(2, 7_100, 86, 0x3a1f, 46), udp(3, 7_420, 191, 0x77c2, 46), udp(4, 47_900, 55, 0x2147, 73)];
    let mut alert = bare(Mechanism::DnsAnswer, first.clone());
    let signal = header_vote();
    alert.flow = FlowFacts { carrier: Carrier::Udp, ..flow("192.168.7.23", "203.0.113.53") };
    alert.flow.server.1 = 53;
    alert.dns = Some(DnsFacts {
        id: 0x17cc,
        name: "news.\\027example".to_owned(),
        qtype: "A".to_owned(),
        flags: Flags(0x8580),
        addresses: vec!["192.0.2.66".parse::<IpAddr>().unwrap().into()],
        alias: None,
        ttl: Some(60),
        forged: vec!["192.0.2.66".to_owned(), "192.0.2.67".to_owned()],
        genuine: vec!["203.0.113.80, alias edge.example".to_owned()],
    });
    alert.signals = vec![
        Signal {
            code: "S15",
            points: 45,
            weight: "proof",
            observed: "192.0.2.66 (frame 2); 192.0.2.67 (frame 3)".to_owned(),
            expected: "203.0.113.80, alias edge.example (frame 4)".to_owned(),
            frames: vec![2, 3, 4],
            why: "One question got answers that contradict each other: two have answered.".to_owned(),
            ..signal.clone()
        },
        Signal {
            code: "S15",
            points: 10,
            weight: "weak",
            observed: "TTL 86".to_owned(),
            expected: "TTL 55, as in 3 other answers of this resolver".to_owned(),
            frames: vec![1, 2],
            why: "The answer came over another number of routers than the resolver's.".to_owned(),
            ..signal
        },
    ];
    alert.forged_frames = vec![2, 3];
    alert.ladder = vec![
        row(udp(1, 0, 64, 0x9aa0, 30), true, Role::Context, "A of news.\\027example?"),
        row(first, false, Role::Forged, "192.0.2.66"),
        row(second, false, Role::Forged, "192.0.2.67"),
        row(genuine.clone(), false, Role::Genuine, "203.0.113.80, alias edge.example"),
    ];
    alert.genuine = Some(genuine);
    alert.genuine_frames = vec![4];
    alert
}

/// The same with nothing that tells the answers apart.
pub(in crate::alert) fn unclear() -> Alert {
    let mut alert = forged();
    alert.verdict = Verdict::Inconclusive;
    (alert.severity, alert.grade, alert.score, alert.confidence) = (3, Grade::Medium, 45, 0.45);
    alert.signals.truncate(1);
    alert
}
