//! The local network: claims to the addresses of others in ARP and neighbour discovery, and what looks like them.

use super::http::{LURE, bare_redirect, get, page, prose};
use super::race::genuine;
use super::{Alert, Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{Host, client, site, v4};
use crate::support::injector::Injector;
use crate::support::lan::{Mac, Station, advertises, announces, answers, answers_all, asks, probes, solicits, station};
use crate::support::segment::{ACK, FIN};
use crate::support::story::{Story, after_ms};

/// The watched device has the addresses of `client()`, the gateway the hardware address that `site()` is reached by.
const DEVICE: Station = station(0x17);
const GATEWAY: Station = station(0x01);
const ATTACKER: Station = station(0x66);
/// Another machine, with hardware by another maker.
const OTHER: Mac = [2, 0x11, 0x22, 0x33, 0x44, 0x55];

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "local-arp-two-sided",
            "Gateway and device have found each other by ARP. Then a third machine tells the device that it is the gateway, and the gateway that it
             is the device, unasked and again every two seconds, while the gateway goes on to answer.",
            "The third machine asks for the gateway, is asked by it, and answers as itself.",
            two_sided,
        )
        .into(),
        Case::twins(
            "local-arp-moved",
            "A connection is under way, and no ARP was seen. A third machine tells the device, unasked, that it is the gateway; from then on the
             packets of the connection pass through it.",
            "A standby router with an address of its own takes over: it announces to all that it has the gateway's address, and the connection goes
             on through it.",
            moved,
        )
        .into(),
        Case::twins(
            "local-arp-one-sided",
            "A third machine tells the device three times, unasked, that it is the gateway; the gateway is not heard again.",
            "The gateway's card was replaced: the new one announces itself to all and answers questions; the old one is silent.",
            one_sided,
        )
        .into(),
        Case::twins(
            "local-arp-to-all",
            "A third machine tells all, every second, that it is the gateway, which goes on to speak; a connection moves to it.",
            "A standby router tells all five times, and five times more five seconds later, that it has the gateway's address; the router before is silent.",
            to_all,
        )
        .into(),
        Case::twins(
            "local-in-path-after-arp",
            "After a third machine has posed as gateway and device, a request through it is answered by another stack with a redirect, and the site
             is not heard.",
            "Without the claims, the site itself redirects.",
            in_path_after_arp,
        )
        .into(),
        Case::twins(
            "local-ndp-override",
            "The router and the device have found each other by neighbour discovery. Then a third machine says, unasked and with the override flag,
             that the router's address is its own; the router goes on to answer.",
            "A machine says to all that its own address is at its new card.",
            override_flag,
        )
        .into(),
        Case::twins(
            "local-ndp-parasite",
            "A third machine answers every neighbour solicitation as well, for router and device, with the override flag.",
            "A proxy answers for both without the override flag.",
            parasite,
        )
        .into(),
        vec![
            Case::alone("local-arp-vrrp", "A router with the virtual hardware address of VRRP takes over; the connection moves to it.", vrrp),
            Case::alone("local-arp-same-address", "Two machines were given the same address by hand; both ask, answer, and object.", same_address),
            Case::alone("local-arp-proxy", "A router answers, when asked, for machines that answer for themselves too.", proxy),
            Case::alone("local-arp-given-anew", "An address is given to another machine by DHCP while the one before is still remembered.", given_anew),
            Case::alone("local-arp-bonding", "A server spreads its clients over two ports: it tells each, unasked, another of its hardware addresses.", bonding),
            Case::alone("local-arp-probes", "A machine that starts probes for its address three times, and announces it.", start),
        ],
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `one` asks for `other`, which answers.
fn acquaint(story: &mut Story, one: Station, other: Station) -> u64 {
    story.put_frame(asks(one, other.ip));
    story.wait(after_ms(0.4));
    let frame = story.put_frame(answers(other, one));
    story.wait(after_ms(400.0));
    frame
}

/// The attacker tells both that it is the other, `rounds` times; the gateway goes on to answer a neighbour. Forged frames, and the gateway's last
/// answer before them.
pub(super) fn poison(story: &mut Story, rounds: usize) -> (Vec<u64>, u64) {
    let known = acquaint(story, DEVICE, GATEWAY);
    acquaint(story, GATEWAY, DEVICE);
    let mut forged = Vec::new();
    for _ in 0..rounds {
        forged.push(story.put_frame(answers(GATEWAY.at(ATTACKER.mac), DEVICE)));
        forged.push(story.put_frame(answers(DEVICE.at(ATTACKER.mac), GATEWAY)));
        story.wait(after_ms(900.0));
        story.put_frame(asks(GATEWAY, [192, 0, 2, 0x50]));
        story.wait(after_ms(1100.0));
    }
    (forged, known)
}

fn two_sided(loud: bool) -> Told {
    let mut story = Story::new();
    if !loud {
        acquaint(&mut story, DEVICE, GATEWAY);
        acquaint(&mut story, ATTACKER, GATEWAY);
        acquaint(&mut story, GATEWAY, ATTACKER);
        acquaint(&mut story, DEVICE, ATTACKER);
        return Told::silent(story);
    }
    let (forged, _) = poison(&mut story, 3);
    // The question is the last that was heard of the gateway before.
    Told::loud(story, [Alert::local("arp_spoof", &forged, Some(3)).by(["S14"])])
}

fn moved(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    genuine(&mut tcp, 15.0, &page(&prose(2)));
    tcp.wait(after_ms(2000.0));
    let claim = if loud { answers(GATEWAY.at(OTHER), DEVICE) } else { announces(GATEWAY.at(OTHER)) };
    let forged = tcp.story.put_frame(claim);
    tcp.server.end.mac = OTHER;
    for _ in 0..2 {
        tcp.wait(after_ms(1200.0));
        tcp.request(&get("news.example", "/more"));
        genuine(&mut tcp, 16.0, &page(&prose(1)));
    }
    if loud { Told::loud(story, [Alert::local("arp_spoof", &[forged], None).by(["S14", "S14m"])]) } else { Told::quiet(story) }
}

fn one_sided(loud: bool) -> Told {
    let mut story = Story::new();
    let known = acquaint(&mut story, DEVICE, GATEWAY);
    let mut forged = Vec::new();
    for _ in 0..3 {
        story.wait(after_ms(2000.0));
        if loud {
            forged.push(story.put_frame(answers(GATEWAY.at(OTHER), DEVICE)));
        } else {
            story.put_frame(announces(GATEWAY.at(OTHER)));
            acquaint(&mut story, DEVICE, GATEWAY.at(OTHER));
        }
    }
    if loud { Told::loud(story, [Alert::local("arp_spoof", &forged, Some(known)).up_to(2)]) } else { Told::silent(story) }
}

fn to_all(loud: bool) -> Told {
    let mut story = Story::new();
    let known = acquaint(&mut story, DEVICE, GATEWAY);
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    genuine(&mut tcp, 15.0, &page(&prose(1)));
    let mut forged = Vec::new();
    for round in 0..10 {
        let pause = if loud { 1050.0 } else { f64::from(round / 5) * 1000.0 + 1.0 };
        tcp.wait(after_ms(pause));
        let claim = if loud { answers_all(GATEWAY.at(OTHER)) } else { announces(GATEWAY.at(OTHER)) };
        forged.push(tcp.story.put_frame(claim));
        if loud && round == 1 {
            tcp.story.put_frame(asks(GATEWAY, [192, 0, 2, 0x50]));
        }
        if round == 2 {
            tcp.server.end.mac = OTHER;
            tcp.request(&get("news.example", "/more"));
            genuine(&mut tcp, 16.0, &page(&prose(1)));
        }
    }
    if loud { Told::loud(story, [Alert::local("arp_spoof", &forged, Some(known))]) } else { Told::quiet(story) }
}

fn in_path_after_arp(loud: bool) -> Told {
    let mut story = Story::new();
    let spoofed = loud.then(|| poison(&mut story, 2).0);
    let through = if loud { Host { mac: ATTACKER.mac, ..site() } } else { site() };
    let mut tcp = story.connection(client(), through);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.server_ack(after_ms(23.0));
    let Some(spoofed) = spoofed else {
        tcp.reply(after_ms(2.0), &super::http::moved("302 Found", LURE));
        tcp.close();
        return Told::quiet(story);
    };
    let forged = tcp.forge(&Injector::unknown_device(), after_ms(0.6), &bare_redirect(LURE));
    abandoned(&mut tcp);
    let answered = Alert { verdict: vec!["local_mitm".to_owned()], ..Alert::in_path("http_redirect", &forged) };
    Told::loud(story, [Alert::local("arp_spoof", &spoofed, Some(3)), answered])
}

/// The client closes, and nobody answers.
fn abandoned(tcp: &mut Connection<'_>) {
    tcp.ack();
    tcp.wait(after_ms(900.0));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    for pause in [220.0, 440.0, 880.0, 1760.0] {
        tcp.wait(after_ms(pause));
        let again = tcp.again(&fin);
        tcp.put(&again);
    }
}

/// `one` asks for `other` in neighbour discovery, which answers.
fn acquaint6(story: &mut Story, one: Station, other: Station) -> u64 {
    story.put_frame(solicits(one, other.ip6));
    story.wait(after_ms(0.4));
    let frame = story.put_frame(advertises(other, Some(one), 0x60));
    story.wait(after_ms(400.0));
    frame
}

fn override_flag(loud: bool) -> Told {
    let mut story = Story::new();
    let known = acquaint6(&mut story, DEVICE, GATEWAY);
    if !loud {
        story.put_frame(advertises(DEVICE.at(OTHER), None, 0x20));
        acquaint6(&mut story, DEVICE.at(OTHER), GATEWAY);
        return Told::silent(story);
    }
    let mut forged = Vec::new();
    story.wait(after_ms(6000.0));
    for _ in 0..3 {
        forged.push(story.put_frame(advertises(GATEWAY.at(OTHER), Some(DEVICE), 0xa0)));
        story.wait(after_ms(1000.0));
    }
    acquaint6(&mut story, station(0x44), GATEWAY);
    Told::loud(story, [Alert::local("ndp_spoof", &forged, Some(known)).by(["S14"])])
}

fn parasite(loud: bool) -> Told {
    let mut story = Story::new();
    let flags = if loud { 0x60 } else { 0x40 };
    let known = acquaint6(&mut story, DEVICE, GATEWAY);
    acquaint6(&mut story, GATEWAY, DEVICE);
    let mut forged = Vec::new();
    for (one, other) in [(DEVICE, GATEWAY), (GATEWAY, DEVICE), (DEVICE, GATEWAY), (GATEWAY, DEVICE)] {
        story.wait(after_ms(1000.0));
        story.put_frame(solicits(one, other.ip6));
        forged.push(story.put_frame(advertises(other.at(OTHER), Some(one), flags)));
        story.put_frame(advertises(other, Some(one), 0x60));
    }
    let _ = known;
    // Whoever asked was the one that was heard last of the router.
    if loud { Told::loud(story, [Alert::local("ndp_spoof", &forged, Some(3)).up_to(2)]) } else { Told::quiet(story) }
}

fn vrrp() -> Told {
    let mut story = Story::new();
    let router = GATEWAY.at([0, 0, 0x5e, 0, 1, 7]);
    acquaint(&mut story, DEVICE, GATEWAY);
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    genuine(&mut tcp, 15.0, &page(&prose(1)));
    for _ in 0..3 {
        tcp.wait(after_ms(1000.0));
        tcp.story.put_frame(announces(router));
    }
    tcp.server.end.mac = router.mac;
    tcp.request(&get("news.example", "/more"));
    genuine(&mut tcp, 16.0, &page(&prose(1)));
    acquaint(&mut story, DEVICE, router);
    Told::silent(story)
}

fn same_address() -> Told {
    let mut story = Story::new();
    let twin = DEVICE.at(OTHER);
    for _ in 0..3 {
        acquaint(&mut story, DEVICE, GATEWAY);
        acquaint(&mut story, twin, GATEWAY);
        story.put_frame(announces(twin));
        story.put_frame(announces(DEVICE));
        story.wait(after_ms(10_000.0));
    }
    Told::quiet(story)
}

fn proxy() -> Told {
    let mut story = Story::new();
    for _ in 0..2 {
        for last in 0x20..0x26 {
            let host = station(last);
            story.put_frame(asks(DEVICE, host.ip));
            story.put_frame(answers(host, DEVICE));
            story.put_frame(answers(host.at(OTHER), DEVICE));
            story.wait(after_ms(300.0));
        }
    }
    Told::silent(story)
}

fn given_anew() -> Told {
    let mut story = Story::new();
    let heir = DEVICE.at(OTHER);
    acquaint(&mut story, DEVICE, GATEWAY);
    let settings = crate::support::lan::Settings { server: GATEWAY, named: GATEWAY.ip, router: GATEWAY.ip, dns: GATEWAY.ip };
    story.put_frame(settings.gives(7, heir, true));
    story.put_frame(announces(heir));
    acquaint(&mut story, heir, GATEWAY);
    // What was still on its way to the one before.
    story.put_frame(asks(DEVICE, GATEWAY.ip));
    story.put_frame(answers(heir, GATEWAY));
    Told::silent(story)
}

fn bonding() -> Told {
    let mut story = Story::new();
    let second = GATEWAY.at([2, 0, 0, 0, 0, 2]);
    acquaint(&mut story, DEVICE, GATEWAY);
    for _ in 0..3 {
        story.wait(after_ms(1000.0));
        story.put_frame(answers(second, DEVICE));
        story.put_frame(answers(GATEWAY, station(0x18)));
    }
    Told::quiet(story)
}

fn start() -> Told {
    let mut story = Story::new();
    acquaint(&mut story, station(0x18), GATEWAY);
    for _ in 0..3 {
        story.put_frame(probes(DEVICE));
        story.wait(after_ms(1200.0));
    }
    story.put_frame(announces(DEVICE));
    let mut tcp = story.connection(client(), Host { ip: v4(198, 51, 100, 81), ..site() });
    tcp.handshake(24.0);
    Told::silent(story)
}
