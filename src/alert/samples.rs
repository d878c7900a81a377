//! Made-up alerts for the tests of the renderings: one for each kind of story.

use std::net::IpAddr;

use super::{
    Alert, ArpFacts, Carrier, ClosedBecause, Considered, FlowFacts, Grade, HttpFacts, IndicatorFacts, LadderRow, Mechanism, PacketFacts,
    RedirectFacts, Role, SensorHealth, Signal, SourceFacts, TcpFacts, Verdict,
};
use crate::engine::decode::packet::Vlans;
use crate::engine::protocol::http::{RedirectKind, Wants};
use crate::engine::time::{Span, Timestamp};

mod chain;
mod dhcp;
pub(super) mod dns;
mod redirects;

pub(super) use dhcp::dhcp_rogue;

/// 2026-11-24 12:00:01 UTC and some microseconds.
fn at(micros: i64) -> Timestamp {
    Timestamp::from_parts(1_795_521_601, micros * 1_000)
}

pub(super) fn replayed() -> SourceFacts {
    SourceFacts { host: None, in_iface: None, pcap_filename: Some("captures/office.pcap".to_owned()) }
}

pub(super) fn live() -> SourceFacts {
    SourceFacts { host: Some("gateway-1".to_owned()), in_iface: Some("eth0".to_owned()), pcap_filename: None }
}

/// An alert about an answer of DNS, to be changed.
pub(crate) fn dns_alert() -> Alert {
    dns::forged()
}

/// An alert with a redirect, to be changed.
pub(crate) fn redirect_alert() -> Alert {
    in_path()
}

/// Every story.
pub(super) fn all() -> Vec<(&'static str, Alert)> {
    vec![
        ("on_path", on_path()),
        ("in_path", in_path()),
        ("followed", chain::followed()),
        ("reset", reset()),
        ("endpoint_redirect", endpoint_redirect()),
        ("syn_ack", syn_ack()),
        ("ipv6_vlan", ipv6_vlan()),
        ("portal", redirects::portal()),
        ("notice", redirects::notice()),
        ("suspicious", redirects::suspicious()),
        ("low_content", low_content()),
        ("inconclusive", inconclusive()),
        ("dns_answer", dns::forged()),
        ("dns_unclear", dns::unclear()),
        ("arp_spoof", arp_spoof()),
        ("local_mitm", local_mitm()),
        ("dhcp_rogue", dhcp_rogue()),
        ("listed_contact", listed_contact()),
        ("listed_redirect", listed_redirect()),
    ]
}

/// A man on the side: a forged redirect, and the genuine answer 28 ms later.
pub(super) fn on_path() -> Alert {
    let forged = packet(5, 4_211, (64, Some(1)), ("PA", 8_192, 1, 71));
    let genuine = packet(10, 32_322, (54, Some(19_399)), ("PA", 14_600, 1, 185));
    Alert {
        id: 0x1f0c_9ab2_c4d7_e610,
        verdict: Verdict::OnPathInjection,
        mechanism: Mechanism::HttpRedirect,
        severity: 1,
        confidence: 0.978,
        score: 98,
        grade: Grade::Confirmed,
        flow: flow("192.168.7.23", "203.0.113.7"),
        http: Some(http()),
        dns: None,
        dhcp: None,
        signals: vec![
            Signal {
                code: "S1",
                version: 1,
                weight: "proof",
                points: 65,
                observed: "71 bytes at sequence number 1: HTTP/1.1 302 Found, Location: http://x.example/".to_owned(),
                expected: "185 bytes at sequence number 1: HTTP/1.1 301 Moved Permanently".to_owned(),
                frames: vec![5, 10],
                why: "Two different answers were sent for the same bytes of the stream.".to_owned(),
            },
            header_vote(),
        ],
        considered: vec![
            Considered {
                explanation: "retransmission by a proxy",
                kept: false,
                why: "the copies differ in content, TTL and IP ID rule".to_owned(),
            },
            Considered { explanation: "bad checksum", kept: false, why: "the checksums of both copies are right".to_owned() },
        ],
        forged_frames: vec![5],
        genuine_frames: vec![10],
        redirect: Some(redirect("http://x.example/")),
        indicators: Vec::new(),
        sensor: SensorHealth { handshake_seen: true, ..SensorHealth::default() },
        closed_at: at(3_004_211),
        closed_because: ClosedBecause::Deadline,
        ladder: vec![
            row(packet(1, -90_000, (64, Some(0x2b01)), ("S", 64_240, 0, 0)), true, Role::Context, "SYN"),
            row(packet(2, -60_120, (54, Some(0)), ("SA", 14_480, 0, 0)), false, Role::Context, "SYN-ACK"),
            row(packet(4, 0, (64, Some(0x2b03)), ("PA", 64_240, 1, 92)), true, Role::Context, "GET / HTTP/1.1"),
            row(forged.clone(), false, Role::Forged, "HTTP/1.1 302 Found"),
            row(genuine.clone(), false, Role::Genuine, "HTTP/1.1 301 Moved Permanently"),
        ],
        forged,
        genuine: Some(genuine),
        silence: None,
    }
}

/// The genuine answer was held back, up to the end of the capture.
pub(super) fn in_path() -> Alert {
    let target = "https://cdn.update-x.example/d.php?a=9f2b4c7e0d1a6b3c8e5f7a9b2c4d6e8f0a1b3c5d7e9f1b3d5f7a9c1e3b5d7f90";
    let forged = packet(7, 61_904, (57, Some(0x5a5a)), ("FA", 4_096, 1, 176));
    let closing = packet(9, 161_377, (57, Some(0x5a5a)), ("A", 4_096, 178, 0));
    let mut alert = on_path();
    alert.id = 0x07d3_55e1_9bc0_42aa;
    alert.verdict = Verdict::InPathInjection;
    alert.confidence = 0.95;
    alert.score = 95;
    alert.signals = vec![Signal {
        code: "H",
        version: 1,
        weight: "strong",
        points: 55,
        observed: "no timestamps option, DF clear, TTL 57, IP ID 0x5a5a twice".to_owned(),
        expected: "timestamps option (negotiated by both sides), DF set, TTL 55, rising IP ID on 2 other packets".to_owned(),
        frames: vec![7, 9],
        why: "A machine that agreed to send timestamps must send them on every packet; this one did not, and four other header fields differ \
              too."
            .to_owned(),
    }];
    alert.considered = vec![
        Considered {
            explanation: "anti-DDoS front that answers for the server",
            kept: false,
            why: "the bare ACK of the request came from the other stack".to_owned(),
        },
        Considered {
            explanation: "notice of the operator",
            kept: true,
            why: "one origin only was seen, so a portal cannot be excluded".to_owned(),
        },
    ];
    alert.redirect = Some(RedirectFacts { from: Some("http://news.example/setup.exe".to_owned()), status: 307, ..redirect(target) });
    alert.http = Some(HttpFacts { url: Some("/setup.exe".to_owned()), status: Some(307), length: None, ..http() });
    alert.forged_frames = vec![7, 9];
    alert.genuine = None;
    alert.genuine_frames = Vec::new();
    alert.closed_because = ClosedBecause::EndOfCapture;
    alert.silence = Some(Span::from_millis(3_140));
    alert.sensor.gaps = 1;
    alert.ladder = vec![
        row(packet(1, -120_000, (128, Some(0x2b01)), ("S", 64_240, 0, 0)), true, Role::Context, "SYN"),
        row(packet(2, -62_411, (55, Some(0)), ("SA", 28_960, 0, 0)), false, Role::Context, "SYN-ACK"),
        row(packet(4, 0, (128, Some(0x2b03)), ("PA", 64_240, 1, 134)), true, Role::Context, "GET /setup.exe HTTP/1.1"),
        row(packet(5, 58_030, (55, Some(0x8c11)), ("A", 227, 1, 0)), false, Role::Context, "bare ACK"),
        row(forged.clone(), false, Role::Forged, "HTTP/1.1 307 Temporary Redirect"),
        row(packet(8, 62_100, (128, Some(0x2b04)), ("FA", 64_240, 135, 0)), true, Role::Context, "FIN"),
        row(closing, false, Role::Forged, "bare ACK"),
    ];
    alert.forged = forged;
    alert
}

/// A reset in the server's name; the server went on.
pub(super) fn reset() -> Alert {
    let mut alert = bare(Mechanism::TcpReset, packet(21, 4_211, (60, Some(64)), ("R", 0, 4_381, 0)));
    let genuine = packet(24, 9_870, (49, Some(0x77a1)), ("A", 501, 4_381, 1_460));
    alert.signals = vec![
        Signal {
            code: "S9",
            points: 35,
            observed: "1460 bytes from the server 5.659 ms after its reset".to_owned(),
            expected: "silence after a reset".to_owned(),
            frames: vec![21, 24],
            why: "A server that has broken a connection off sends nothing more in it.".to_owned(),
            ..header_vote()
        },
        header_vote(),
    ];
    alert.ladder = vec![
        row(packet(20, 0, (49, Some(0x77a0)), ("A", 501, 2_921, 1_460)), false, Role::Context, "1460 bytes"),
        row(alert.forged.clone(), false, Role::Forged, "RST"),
        row(genuine.clone(), false, Role::Genuine, "1460 bytes after the RST"),
    ];
    alert.genuine_frames = vec![24];
    alert.genuine = Some(genuine);
    alert.severity = 2;
    alert.grade = Grade::Medium;
    alert.score = 60;
    alert.confidence = 0.6;
    alert
}

/// Two SYN-ACKs, the genuine one first.
pub(super) fn syn_ack() -> Alert {
    let mut alert = bare(Mechanism::SynAck, packet(3, 40_000, (120, Some(7)), ("SA", 5_840, 77_120, 0)));
    let genuine = packet(2, 31_000, (52, Some(0)), ("SA", 64_240, 0, 0));
    alert.ladder = vec![
        row(packet(1, 0, (64, Some(0x11)), ("S", 64_240, 0, 0)), true, Role::Context, "SYN"),
        row(genuine.clone(), false, Role::Genuine, "SYN-ACK"),
        row(alert.forged.clone(), false, Role::Forged, "SYN-ACK"),
    ];
    alert.signals = vec![Signal {
        code: "S2",
        points: 30,
        observed: "initial sequence number 77120, TTL 120, no options".to_owned(),
        expected: "initial sequence number 0, TTL 52, MSS and timestamps".to_owned(),
        frames: vec![2, 3],
        why: "A server answers one attempt to connect with one number.".to_owned(),
        ..header_vote()
    }];
    alert.genuine_frames = vec![2];
    alert.genuine = Some(genuine);
    alert
}

/// An ad on the page made the redirect.
pub(super) fn endpoint_redirect() -> Alert {
    let mut alert = on_path();
    alert.id = 3;
    alert.verdict = Verdict::EndpointRedirect;
    alert.severity = 3;
    alert.grade = Grade::Low;
    alert.score = 25;
    alert.confidence = 0.25;
    alert.genuine = None;
    alert.genuine_frames = Vec::new();
    alert.redirect = Some(RedirectFacts { kind: RedirectKind::MetaRefresh, status: 200, ..redirect("http://ads.example/?c=1") });
    alert.signals = vec![Signal {
        code: "S11",
        version: 1,
        weight: "weak",
        points: 25,
        observed: "http://ads.example/?c=1".to_owned(),
        expected: "an address of news.example".to_owned(),
        frames: vec![5],
        why: "The answer leads to another site.".to_owned(),
    }];
    alert.considered =
        vec![Considered { explanation: "redirect by the site", kept: true, why: "one stack sent all packets of the server".to_owned() }];
    alert.ladder.truncate(4);
    alert
}

fn listed(seen: &'static str, met: &str) -> IndicatorFacts {
    let (value, list) = ("evil[.]example".to_owned(), "lures.stix2".to_owned());
    IndicatorFacts { value, kind: "domain-name", list, list_date: Some("2024-01-26".to_owned()), seen, met: met.to_owned() }
}

/// A visit to a listed host.
pub(super) fn listed_contact() -> Alert {
    let indicators = vec![listed("host", "www.evil.example")];
    Alert {
        verdict: Verdict::ListedContact,
        mechanism: Mechanism::Indicator,
        severity: 2,
        redirect: None,
        indicators,
        ..endpoint_redirect()
    }
}

/// The site itself redirects to a listed host.
pub(super) fn listed_redirect() -> Alert {
    let indicators = vec![listed("location", "http://a.evil.example/x")];
    Alert { severity: 1, grade: Grade::High, redirect: Some(redirect("http://a.evil.example/x")), indicators, ..endpoint_redirect() }
}

/// Conflicting bytes of an unknown protocol, too little to wake anybody.
pub(super) fn low_content() -> Alert {
    let signal = Signal {
        code: "S1",
        points: 35,
        observed: "71 bytes at sequence number 1: 00 0a 14".to_owned(),
        expected: "71 bytes at sequence number 1: 00 0b 14".to_owned(),
        why: "Two different pieces of data were sent for the same bytes of the stream.".to_owned(),
        ..header_vote()
    };
    let alert = bare(Mechanism::TcpContent, on_path().forged);
    Alert { severity: 3, grade: Grade::Low, score: 35, confidence: 0.35, signals: vec![signal], ..alert }
}

/// Half of the connection was missed.
pub(super) fn inconclusive() -> Alert {
    let mut alert = low_content();
    alert.verdict = Verdict::Inconclusive;
    alert.sensor = SensorHealth { kernel_drops: 12, gaps: 2, one_sided: true, handshake_seen: false, offload_frames: true };
    alert
}

/// The first story over IPv6, in two VLANs.
pub(super) fn ipv6_vlan() -> Alert {
    let mut alert = on_path();
    alert.flow = flow("2001:db8::7", "2001:db8:1::80");
    alert.flow.ip_version = 6;
    alert.flow.vlans.push(100);
    alert.flow.vlans.push(42);
    alert.flow.ether = Some(([2, 0, 0, 0, 0, 0x80], [2, 0, 0, 0, 0, 7]));
    alert.forged.ip_id = None;
    for row in &mut alert.ladder {
        row.packet.ip_id = None;
    }
    if let Some(genuine) = &mut alert.genuine {
        genuine.ip_id = None;
    }
    alert
}

/// Somebody poses as the gateway.
pub(super) fn arp_spoof() -> Alert {
    let (attacker, device) = ([2, 0, 0, 0, 0, 0x66], [2, 0, 0, 0, 0, 7]);
    let claim = PacketFacts { frame: 12, time: at(0), ttl: None, ip_id: None, tcp: None, payload_len: 28, payload_sha256: None };
    let known = PacketFacts { frame: 3, time: at(-80_000), ..claim.clone() };
    let mut alert = bare(Mechanism::ArpSpoof, claim);
    alert.verdict = Verdict::LocalMitm;
    alert.flow = FlowFacts {
        carrier: Carrier::Arp(ArpFacts { operation: 2, sender_mac: attacker, target_mac: device }),
        ether: Some((attacker, device)),
        client: (alert.flow.client.0, 0),
        ..flow("192.168.7.23", "192.168.7.1")
    };
    alert.signals = vec![Signal {
        code: "S14",
        points: 40,
        observed: "192.168.7.1 is at 02:00:00:00:00:66".to_owned(),
        expected: "192.168.7.1 is at 02:00:00:00:00:01".to_owned(),
        frames: vec![3, 12],
        why: "Two machines say that the same address is theirs.".to_owned(),
        ..header_vote()
    }];
    alert.considered =
        vec![Considered { explanation: "replaced machine", kept: false, why: "the machine known before went on to answer".to_owned() }];
    alert.genuine = Some(known);
    alert.genuine_frames = vec![3];
    alert.sensor = SensorHealth::default();
    alert
}

/// The redirect whose genuine answer never came, after the path had been bent.
pub(super) fn local_mitm() -> Alert {
    Alert { verdict: Verdict::LocalMitm, ..in_path() }
}

fn header_vote() -> Signal {
    Signal {
        code: "H",
        version: 1,
        weight: "strong",
        points: 25,
        observed: "TTL 64, IP ID 0x0001".to_owned(),
        expected: "TTL 54, rising IP ID on 3 other packets of the server".to_owned(),
        frames: vec![5],
        why: "The packet was made by another machine than all others of this server.".to_owned(),
    }
}

/// Without HTTP, without a genuine packet.
fn bare(mechanism: Mechanism, forged: PacketFacts) -> Alert {
    Alert {
        id: 2,
        mechanism,
        http: None,
        dns: None,
        dhcp: None,
        redirect: None,
        genuine: None,
        genuine_frames: Vec::new(),
        forged_frames: vec![forged.frame],
        forged,
        ladder: Vec::new(),
        ..on_path()
    }
}

/// `ip` is TTL and identification, `tcp` flags, window, sequence number and payload length.
fn packet(frame: u64, micros: i64, ip: (u8, Option<u16>), tcp: (&str, u16, u32, u32)) -> PacketFacts {
    let payload_sha256 = (tcp.3 > 0).then(|| "5e".repeat(32));
    let facts = TcpFacts { flags: tcp.0.to_owned(), window: tcp.1, seq: tcp.2 };
    PacketFacts { frame, time: at(micros), ttl: Some(ip.0), ip_id: ip.1, tcp: Some(facts), payload_len: tcp.3, payload_sha256 }
}

fn row(packet: PacketFacts, to_server: bool, role: Role, note: &str) -> LadderRow {
    LadderRow { packet, to_server, role, note: note.to_owned() }
}

fn flow(client: &str, server: &str) -> FlowFacts {
    let addr = |text: &str| text.parse::<IpAddr>().unwrap().into();
    FlowFacts {
        id: 1_676_750_115_612_680,
        carrier: Carrier::Tcp,
        client: (addr(client), 50_812),
        server: (addr(server), 80),
        ip_version: 4,
        vlans: Vlans::default(),
        ether: None,
        start: at(-90_000),
        pkts_toserver: 4,
        pkts_toclient: 5,
        bytes_toserver: 420,
        bytes_toclient: 1_820,
    }
}

fn http() -> HttpFacts {
    HttpFacts {
        hostname: Some("news.example".to_owned()),
        url: Some("/".to_owned()),
        method: Some("GET".to_owned()),
        protocol: Some("HTTP/1.1".to_owned()),
        status: Some(302),
        length: Some(0),
        ..HttpFacts::default()
    }
}

fn redirect(to: &str) -> RedirectFacts {
    RedirectFacts {
        from: Some("http://news.example/".to_owned()),
        to: to.to_owned(),
        status: 302,
        kind: RedirectKind::Status,
        cross_site: Some(true),
        wants: Wants::Unknown,
        led_by: Vec::new(),
        followed: None,
    }
}
