//! The local network: who hands out settings, who says that it is a router, who knows a better way, and what looks like an attack by these.

use super::{Alert, Case, Told};
use crate::support::lan::{
    Mac, Router, Settings, Station, advertises, answers, asks, gives6, link_local, redirects, redirects6, solicits, station,
};
use crate::support::story::{Story, after_ms};

const DEVICE: Station = station(0x17);
const GATEWAY: Station = station(0x01);
const ROGUE: Station = station(0x66);
const OUTSIDE: [u8; 4] = [198, 51, 100, 80];

const GENUINE: Settings = Settings { server: GATEWAY, named: GATEWAY.ip, router: GATEWAY.ip, dns: GATEWAY.ip };

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "local-dhcp-race",
            "A second DHCP server offers in the same exchange as the network's own, names itself as router and DNS, and the device takes it.",
            "Two servers that share the work answer alike.",
            race,
        )
        .into(),
        Case::twins(
            "local-dhcp-dns",
            "The network's own server and a second one serve in turns; the second one keeps the router and names itself as DNS.",
            "The network's own server is given another DNS server, and hands it out from then on.",
            dns,
        )
        .into(),
        Case::twins(
            "local-dhcp-in-its-name",
            "Another machine answers first, in the identifier of the network's own DHCP server, which answers too: the DNS server is another.",
            "A standby server answers in the same identifier with the same settings.",
            in_the_servers_name,
        )
        .into(),
        Case::twins(
            "local-dhcp6-dns",
            "A second DHCPv6 server answers the device with itself as DNS, while the network's own answers too.",
            "The network's own server answers twice.",
            six,
        )
        .into(),
        Case::twins(
            "local-ra-in-its-name",
            "Router advertisements in the router's name come from another machine too; the router goes on.",
            "A standby router takes the name over from the virtual hardware address of VRRP.",
            in_its_name,
        )
        .into(),
        Case::twins(
            "local-ra-preferred",
            "A second machine announces itself as a router with another prefix, itself as DNS, and wants to be preferred.",
            "A second router announces the same prefix and DNS.",
            preferred,
        )
        .into(),
        Case::twins(
            "local-icmp-redirect",
            "In the gateway's name, but from its own hardware address, a machine tells the device that it is itself the better way to the outside.",
            "The gateway itself tells the device that a second router is the better way.",
            redirect,
        )
        .into(),
        Case::twins(
            "local-icmp6-redirect",
            "The same in ICMPv6.",
            "The router itself tells the device, in ICMPv6, that a second router is the better way.",
            redirect6,
        )
        .into(),
        vec![
            Case::alone(
                "local-dhcp-other-network",
                "A device leaves one network for another, whose server gives other settings; the first server is not heard again.",
                other_network,
            ),
            Case::alone("local-ra-two-prefixes", "One router announces a second prefix later on.", two_prefixes),
        ],
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn race(loud: bool) -> Told {
    let mut story = Story::new();
    let second = if loud {
        Settings { server: ROGUE, named: ROGUE.ip, router: ROGUE.ip, dns: ROGUE.ip }
    } else {
        Settings { server: ROGUE, named: ROGUE.ip, ..GENUINE }
    };
    story.put_frame(GENUINE.gives(6, station(0x18), true));
    story.wait(after_ms(4000.0));
    let known = story.put_frame(GENUINE.gives(7, DEVICE, false));
    story.wait(after_ms(2.0));
    let mut forged = vec![story.put_frame(second.gives(7, DEVICE, false))];
    story.wait(after_ms(30.0));
    forged.push(story.put_frame(second.gives(7, DEVICE, true)));
    if loud { Told::loud(story, [Alert::local("dhcp_rogue", &forged, Some(known)).up_to(2).by(["S14d"])]) } else { Told::silent(story) }
}

fn dns(loud: bool) -> Told {
    let mut story = Story::new();
    let server = if loud { ROGUE } else { GATEWAY };
    let second = Settings { server, named: server.ip, router: GATEWAY.ip, dns: ROGUE.ip };
    let (mut forged, mut known) = (Vec::new(), 0);
    for turn in 0..3 {
        let last = 0x30 + 2 * turn as u8;
        if loud || turn == 0 {
            let frame = story.put_frame(GENUINE.gives(turn, station(last), true));
            known = if turn == 0 { frame } else { known };
        }
        story.wait(after_ms(2000.0));
        forged.push(story.put_frame(second.gives(100 + turn, station(last + 1), true)));
        story.wait(after_ms(2000.0));
    }
    if loud { Told::loud(story, [Alert::local("dhcp_rogue", &forged, Some(known)).up_to(2).by(["S14d"])]) } else { Told::silent(story) }
}

fn in_the_servers_name(loud: bool) -> Told {
    let mut story = Story::new();
    let second = Settings { server: ROGUE, dns: if loud { ROGUE.ip } else { GATEWAY.ip }, ..GENUINE };
    story.put_frame(GENUINE.gives(6, station(0x18), true));
    story.wait(after_ms(4000.0));
    let forged = story.put_frame(second.gives(7, DEVICE, true));
    story.wait(after_ms(1.0));
    story.put_frame(GENUINE.gives(7, DEVICE, true));
    if loud { Told::loud(story, [Alert::local("dhcp_rogue", &[forged], Some(1)).up_to(2).by(["S14d"])]) } else { Told::silent(story) }
}

fn six(loud: bool) -> Told {
    let mut story = Story::new();
    let server = if loud { ROGUE } else { GATEWAY };
    story.put_frame(gives6(GATEWAY, station(0x18), 1, GATEWAY.ip6));
    story.wait(after_ms(3000.0));
    let known = story.put_frame(gives6(GATEWAY, DEVICE, 2, GATEWAY.ip6));
    let forged = story.put_frame(gives6(server, DEVICE, 2, if loud { ROGUE.ip6 } else { GATEWAY.ip6 }));
    if loud { Told::loud(story, [Alert::local("dhcp_rogue", &[forged], Some(known)).up_to(2)]) } else { Told::silent(story) }
}

fn router(station: Station) -> Router {
    Router { station, lifetime: 1800, preferred: false, prefix: 1, dns: Some(GATEWAY.ip6) }
}

fn in_its_name(loud: bool) -> Told {
    let mut story = Story::new();
    let mac: Mac = if loud { ROGUE.mac } else { [0, 0, 0x5e, 0, 2, 9] };
    let known = story.put_frame(router(GATEWAY).announces());
    let mut forged = Vec::new();
    for _ in 0..3 {
        story.wait(after_ms(3000.0));
        forged.push(story.put_frame(Router { prefix: 2, ..router(GATEWAY.at(mac)) }.announces()));
        if loud {
            story.wait(after_ms(1500.0));
            story.put_frame(router(GATEWAY).announces());
        }
    }
    if loud { Told::loud(story, [Alert::local("ra_rogue", &forged, Some(known)).by(["S14r"])]) } else { Told::silent(story) }
}

fn preferred(loud: bool) -> Told {
    let mut story = Story::new();
    let known = story.put_frame(router(GATEWAY).announces());
    let second = if loud { Router { preferred: true, prefix: 7, dns: Some(ROGUE.ip6), ..router(ROGUE) } } else { router(ROGUE) };
    let mut forged = Vec::new();
    for _ in 0..3 {
        story.wait(after_ms(3000.0));
        forged.push(story.put_frame(second.announces()));
    }
    if loud { Told::loud(story, [Alert::local("ra_rogue", &forged, Some(known)).up_to(2).by(["S14r"])]) } else { Told::silent(story) }
}

fn redirect(loud: bool) -> Told {
    let mut story = Story::new();
    story.put_frame(asks(DEVICE, GATEWAY.ip));
    let known = story.put_frame(answers(GATEWAY, DEVICE));
    story.put_frame(asks(DEVICE, ROGUE.ip));
    story.put_frame(answers(ROGUE, DEVICE));
    story.wait(after_ms(2000.0));
    let from = if loud { GATEWAY.at(ROGUE.mac) } else { GATEWAY };
    let forged = story.put_frame(redirects(from, DEVICE, ROGUE.ip, OUTSIDE));
    if loud { Told::loud(story, [Alert::local("icmp_redirect", &[forged], Some(known)).by(["S14i"])]) } else { Told::silent(story) }
}

fn redirect6(loud: bool) -> Told {
    let mut story = Story::new();
    story.put_frame(solicits(DEVICE, GATEWAY.ip6));
    let known = story.put_frame(advertises(GATEWAY, Some(DEVICE), 0xe0));
    story.wait(after_ms(2000.0));
    let from = if loud { GATEWAY.at(ROGUE.mac) } else { GATEWAY };
    let outside = [0x20, 1, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80];
    let forged = story.put_frame(redirects6(from, DEVICE, ROGUE, outside));
    if loud { Told::loud(story, [Alert::local("icmp_redirect", &[forged], Some(known)).by(["S14i"])]) } else { Told::silent(story) }
}

fn other_network() -> Told {
    let mut story = Story::new();
    story.put_frame(GENUINE.gives(7, DEVICE, false));
    story.put_frame(GENUINE.gives(7, DEVICE, true));
    story.wait(after_ms(90_000.0));
    let there = Station { mac: [2, 0x11, 0x22, 0x33, 0x44, 0x55], ip: [203, 0, 113, 1], ip6: link_local(9) };
    let settings = Settings { server: there, named: there.ip, router: there.ip, dns: there.ip };
    story.put_frame(settings.gives(8, Station { ip: [203, 0, 113, 40], ..DEVICE }, false));
    story.put_frame(settings.gives(8, Station { ip: [203, 0, 113, 40], ..DEVICE }, true));
    Told::silent(story)
}

fn two_prefixes() -> Told {
    let mut story = Story::new();
    for prefix in [1, 2, 1, 2] {
        story.put_frame(Router { prefix, ..router(GATEWAY) }.announces());
        story.wait(after_ms(3000.0));
    }
    Told::silent(story)
}
