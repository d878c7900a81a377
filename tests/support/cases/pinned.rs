//! The local network of which the owner has pinned the good state: contradictions are told at once, and what the pin names is not told of at all.

use super::http::{get, page, prose};
use super::race::genuine;
use super::{Alert, Case, Told};
use crate::support::host::{client, site};
use crate::support::lan::{Mac, Router, Settings, Station, advertises, announces, answers, asks, gives6, redirects, solicits, station};
use crate::support::story::{Story, after_ms};

/// What the stories' network is known to be.
pub(crate) const PINS: &str = "\
[[pin]]
name = \"office\"
reason = \"made up with the stories\"
machines = { \"192.0.2.1\" = [\"02:00:00:00:00:01\", \"02:11:22:33:44:01\", \"00:00:5e:00:01:07\"], \"192.0.2.2\" = \"02:00:00:00:00:02\" }
dhcp = [\"192.0.2.1\", \"192.0.2.2\", \"fe80::1\", \"fe80::2\"]
routers = [\"192.0.2.1\", \"192.0.2.2\", \"fe80::1\", \"fe80::2\"]
dns = [\"192.0.2.1\", \"192.0.2.2\", \"fe80::1\", \"fe80::2\"]

[[pin]]
name = \"office, version 6\"
reason = \"the same\"
machines = { \"fe80::1\" = [\"02:00:00:00:00:01\", \"02:11:22:33:44:01\"] }
";

const DEVICE: Station = station(0x17);
const GATEWAY: Station = station(0x01);
const SECOND: Station = station(0x02);
const ROGUE: Station = station(0x66);
/// The other half of the gateway.
const STANDBY: Mac = [2, 0x11, 0x22, 0x33, 0x44, 1];
const OUTSIDE: [u8; 4] = [198, 51, 100, 80];

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "pinned-arp-first-packet",
            "The first packet that is seen is an ARP answer to one device: the pinned address of the gateway is at a machine that the pin does not name.",
            "The standby half of the gateway, which the pin names, tells the device four times, unasked, that it has the address, while the first half goes
             on to say so; a connection moves to it.",
            arp,
        ),
        Case::twins(
            "pinned-arp-vrrp",
            "A machine with a virtual hardware address of VRRP that the pin does not name announces the gateway's address.",
            "The same with the virtual hardware address that the pin names.",
            vrrp,
        ),
        Case::twins(
            "pinned-ndp-first-packet",
            "The first packets that are seen are neighbour advertisements with the override flag: the pinned address of the router is at another machine.",
            "The standby half of the router says so, unasked, while the first half answers.",
            ndp,
        ),
        Case::twins(
            "pinned-dhcp-second",
            "The first server of DHCP that is heard is one that the pin does not name; nobody else answers.",
            "Two servers that the pin names answer in one exchange, each with itself as router and DNS.",
            dhcp,
        ),
        Case::twins(
            "pinned-dhcp-dns",
            "In the name and from the hardware address of the pinned server comes a server of DNS that the pin does not name.",
            "The pinned server gives another pinned server of DNS than before, and so does its standby half.",
            dhcp_dns,
        ),
        Case::twins(
            "pinned-dhcp6-second",
            "The first server of DHCPv6 that is heard is one that the pin does not name.",
            "Two servers of DHCPv6 that the pin names answer in one exchange, each with itself as DNS.",
            dhcp6,
        ),
        Case::twins(
            "pinned-ra-second",
            "The first router that announces itself is one that the pin does not name.",
            "Two routers that the pin names announce different prefixes, each itself as DNS, and the second wants to be preferred.",
            ra,
        ),
        Case::twins(
            "pinned-ra-farewell",
            "In the pinned router's name, from another machine, it is announced that it is no router any more.",
            "The router itself announces that, from its standby half.",
            farewell,
        ),
        Case::twins(
            "pinned-ra-dns",
            "In the name and from the hardware address of the pinned router comes a server of DNS that the pin does not name.",
            "The router names one pinned server of DNS after the other.",
            ra_dns,
        ),
        Case::twins(
            "pinned-icmp-redirect",
            "The first packet that is seen is a redirect, in the name of the gateway, from a machine that the pin does not name.",
            "The second router, which the pin names, tells the device that it is itself the better way.",
            redirect,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn arp(loud: bool) -> Told {
    let mut story = Story::new();
    if loud {
        let forged = story.put_frame(answers(GATEWAY.at(ROGUE.mac), DEVICE));
        return Told::loud(story, [Alert::local("arp_spoof", &[forged], None).by(["S14"])]).ruled(PINS);
    }
    story.put_frame(asks(DEVICE, GATEWAY.ip));
    story.put_frame(answers(GATEWAY, DEVICE));
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    genuine(&mut tcp, 15.0, &page(&prose(1)));
    for round in 0..4 {
        tcp.wait(after_ms(2000.0));
        tcp.story.put_frame(answers(GATEWAY.at(STANDBY), DEVICE));
        tcp.story.put_frame(asks(GATEWAY, [192, 0, 2, 0x50]));
        if round == 1 {
            tcp.server.end.mac = STANDBY;
            tcp.request(&get("news.example", "/more"));
            genuine(&mut tcp, 16.0, &page(&prose(1)));
        }
    }
    Told::silent(story).ruled(PINS)
}

fn vrrp(loud: bool) -> Told {
    let mut story = Story::new();
    let group = if loud { 9 } else { 7 };
    let mut said = Vec::new();
    for _ in 0..2 {
        said.push(story.put_frame(announces(GATEWAY.at([0, 0, 0x5e, 0, 1, group]))));
        story.wait(after_ms(1000.0));
    }
    if loud { Told::loud(story, [Alert::local("arp_spoof", &said, None).up_to(2)]).ruled(PINS) } else { Told::silent(story).ruled(PINS) }
}

fn ndp(loud: bool) -> Told {
    let mut story = Story::new();
    let mut said = Vec::new();
    for _ in 0..3 {
        let mac = if loud { ROGUE.mac } else { STANDBY };
        said.push(story.put_frame(advertises(GATEWAY.at(mac), Some(DEVICE), 0xa0)));
        story.wait(after_ms(1000.0));
        if !loud {
            story.put_frame(solicits(DEVICE, GATEWAY.ip6));
            story.put_frame(advertises(GATEWAY, Some(DEVICE), 0x60));
        }
    }
    if loud { Told::loud(story, [Alert::local("ndp_spoof", &said, None).by(["S14"])]).ruled(PINS) } else { Told::silent(story).ruled(PINS) }
}

/// A server that names itself as everything.
fn itself(server: Station) -> Settings {
    Settings { server, named: server.ip, router: server.ip, dns: server.ip }
}

fn dhcp(loud: bool) -> Told {
    let mut story = Story::new();
    if loud {
        let forged = [false, true].map(|granted| story.put_frame(itself(ROGUE).gives(7, DEVICE, granted)));
        return Told::loud(story, [Alert::local("dhcp_rogue", &forged, None).up_to(2).by(["S14d"])]).ruled(PINS);
    }
    for turn in 0..3 {
        story.put_frame(itself(GATEWAY).gives(turn, DEVICE, false));
        story.put_frame(itself(SECOND).gives(turn, DEVICE, false));
        story.put_frame(itself(SECOND).gives(turn, DEVICE, true));
        story.wait(after_ms(2000.0));
    }
    Told::silent(story).ruled(PINS)
}

fn dhcp_dns(loud: bool) -> Told {
    let mut story = Story::new();
    story.put_frame(itself(GATEWAY).gives(6, station(0x18), true));
    story.wait(after_ms(3000.0));
    if loud {
        let forged = story.put_frame(Settings { dns: ROGUE.ip, ..itself(GATEWAY) }.gives(7, DEVICE, true));
        return Told::loud(story, [Alert::local("dhcp_rogue", &[forged], Some(1)).up_to(2).by(["S14d"])]).ruled(PINS);
    }
    for server in [GATEWAY, GATEWAY.at(STANDBY)] {
        story.put_frame(Settings { server, dns: SECOND.ip, ..itself(GATEWAY) }.gives(7, DEVICE, true));
    }
    Told::silent(story).ruled(PINS)
}

fn dhcp6(loud: bool) -> Told {
    let mut story = Story::new();
    if loud {
        let forged = story.put_frame(gives6(ROGUE, DEVICE, 2, ROGUE.ip6));
        return Told::loud(story, [Alert::local("dhcp_rogue", &[forged], None).up_to(2).by(["S14d"])]).ruled(PINS);
    }
    for turn in 0..3 {
        story.put_frame(gives6(GATEWAY, DEVICE, turn, GATEWAY.ip6));
        story.put_frame(gives6(SECOND, DEVICE, turn, SECOND.ip6));
        story.wait(after_ms(2000.0));
    }
    Told::silent(story).ruled(PINS)
}

fn router(station: Station) -> Router {
    Router { station, lifetime: 1800, preferred: false, prefix: 1, dns: Some(station.ip6) }
}

fn ra(loud: bool) -> Told {
    let mut story = Story::new();
    let mut said = Vec::new();
    for _ in 0..3 {
        if loud {
            said.push(story.put_frame(router(ROGUE).announces()));
        } else {
            story.put_frame(router(GATEWAY).announces());
            story.put_frame(Router { prefix: 2, preferred: true, ..router(SECOND) }.announces());
        }
        story.wait(after_ms(3000.0));
    }
    if loud {
        Told::loud(story, [Alert::local("ra_rogue", &said, None).up_to(2).by(["S14r"])]).ruled(PINS)
    } else {
        Told::silent(story).ruled(PINS)
    }
}

fn farewell(loud: bool) -> Told {
    let mut story = Story::new();
    let known = story.put_frame(router(GATEWAY).announces());
    story.wait(after_ms(3000.0));
    let mac = if loud { ROGUE.mac } else { STANDBY };
    let forged = story.put_frame(Router { lifetime: 0, ..router(GATEWAY.at(mac)) }.announces());
    story.wait(after_ms(1000.0));
    story.put_frame(router(GATEWAY).announces());
    if loud {
        Told::loud(story, [Alert::local("ra_rogue", &[forged], Some(known)).by(["S14r"])]).ruled(PINS)
    } else {
        Told::silent(story).ruled(PINS)
    }
}

fn ra_dns(loud: bool) -> Told {
    let mut story = Story::new();
    let known = story.put_frame(router(GATEWAY).announces());
    story.wait(after_ms(3000.0));
    let dns = Some(if loud { ROGUE.ip6 } else { SECOND.ip6 });
    let forged = story.put_frame(Router { dns, ..router(GATEWAY) }.announces());
    if loud {
        Told::loud(story, [Alert::local("ra_rogue", &[forged], Some(known)).up_to(2).by(["S14r"])]).ruled(PINS)
    } else {
        Told::silent(story).ruled(PINS)
    }
}

fn redirect(loud: bool) -> Told {
    let mut story = Story::new();
    if loud {
        let forged = story.put_frame(redirects(GATEWAY.at(ROGUE.mac), DEVICE, ROGUE.ip, OUTSIDE));
        return Told::loud(story, [Alert::local("icmp_redirect", &[forged], None).up_to(2).by(["S14i"])]).ruled(PINS);
    }
    story.put_frame(asks(DEVICE, SECOND.ip));
    story.put_frame(answers(SECOND, DEVICE));
    story.put_frame(redirects(SECOND, DEVICE, SECOND.ip, OUTSIDE));
    Told::silent(story).ruled(PINS)
}
