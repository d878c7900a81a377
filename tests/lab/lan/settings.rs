//! Who hands out settings: servers of DHCP, and routers that announce themselves.

use super::network::{GATEWAY, Lan, OTHER};
use super::programs::{DHCP, ask_for_address, dnsmasq, radvd};
use super::{Scene, Truth};
use crate::support::lan::Router;
use std::io;
use std::thread::sleep;
use std::time::Duration;

pub(super) const SCENES: [Scene; 8] = [
    Scene {
        name: "lab-lan-dhcp-second",
        about: "Two dnsmasq serve the device, which asks four times; the second one names itself as router and DNS",
        play: second_server,
        truth: Truth::Forged("dhcp_rogue", "S14d"),
        needs: DHCP,
    },
    Scene {
        name: "lab-lan-dhcp-other-dns",
        about: "Two dnsmasq serve the device, which asks four times; the second one keeps the router and names itself as DNS",
        play: other_dns,
        truth: Truth::Forged("dhcp_rogue", "S14d"),
        needs: DHCP,
    },
    Scene {
        name: "lab-lan-dhcp-pair",
        about: "Two dnsmasq serve the device with the same settings",
        play: pair_of_servers,
        truth: Truth::Harmless(&["dhcp_rogue"]),
        needs: DHCP,
    },
    Scene {
        name: "lab-lan-dhcp-new-settings",
        about: "The network's own dnsmasq is started anew with another server of DNS and other addresses to give",
        play: new_settings,
        truth: Truth::Harmless(&["dhcp_rogue"]),
        needs: DHCP,
    },
    Scene {
        name: "lab-lan-radvd-preferred",
        about: "A second radvd announces its machine as a router with another prefix and another server of DNS, and wants to be preferred; the device's kernel takes it",
        play: preferred,
        truth: Truth::Forged("ra_rogue", "S14r"),
        needs: &["radvd"],
    },
    Scene {
        name: "lab-lan-ra-in-its-name",
        about: "While the network's radvd goes on, another machine sends router advertisements in its router's name, with another prefix and server of DNS",
        play: in_its_name,
        truth: Truth::Forged("ra_rogue", "S14r"),
        needs: &["radvd"],
    },
    Scene {
        name: "lab-lan-radvd-pair",
        about: "Two radvd announce two routers of one link, with the same prefix and DNS",
        play: pair_of_routers,
        truth: Truth::Harmless(&["ra_rogue"]),
        needs: &["radvd"],
    },
    Scene {
        name: "lab-lan-radvd-renumbered",
        about: "The network's radvd ends, which it says, and begins anew with another prefix and server of DNS",
        play: renumbered,
        truth: Truth::Harmless(&["ra_rogue"]),
        needs: &["radvd"],
    },
];

fn second_server(lan: &mut Lan) -> io::Result<()> {
    let _first = dnsmasq(&lan.gateway, 100, (GATEWAY, GATEWAY))?;
    ask_for_address(lan, 1)?;
    let _second = dnsmasq(&lan.other, 150, (OTHER, OTHER))?;
    ask_for_address(lan, 3)
}

fn other_dns(lan: &mut Lan) -> io::Result<()> {
    let _first = dnsmasq(&lan.gateway, 100, (GATEWAY, GATEWAY))?;
    ask_for_address(lan, 1)?;
    let _second = dnsmasq(&lan.other, 150, (GATEWAY, OTHER))?;
    ask_for_address(lan, 3)
}

fn pair_of_servers(lan: &mut Lan) -> io::Result<()> {
    let _first = dnsmasq(&lan.gateway, 100, (GATEWAY, GATEWAY))?;
    let _second = dnsmasq(&lan.other, 150, (GATEWAY, GATEWAY))?;
    ask_for_address(lan, 3)
}

fn new_settings(lan: &mut Lan) -> io::Result<()> {
    let first = dnsmasq(&lan.gateway, 100, (GATEWAY, GATEWAY))?;
    ask_for_address(lan, 2)?;
    first.end()?;
    let _anew = dnsmasq(&lan.gateway, 150, (GATEWAY, OTHER))?;
    ask_for_address(lan, 2)
}

/// The device listens to routers.
fn listen(lan: &Lan) -> io::Result<()> {
    lan.device.sysctl("ipv6/conf/swlab-l/accept_ra", "1")
}

fn preferred(lan: &mut Lan) -> io::Result<()> {
    let scratch = tempfile::tempdir()?;
    listen(lan)?;
    let _first = radvd(&lan.gateway, scratch.path(), "one", (1, ""))?;
    sleep(Duration::from_secs(4));
    let _second = radvd(&lan.other, scratch.path(), "two", (6, "AdvDefaultPreference high;"))?;
    sleep(Duration::from_secs(8));
    Ok(())
}

fn in_its_name(lan: &mut Lan) -> io::Result<()> {
    let scratch = tempfile::tempdir()?;
    listen(lan)?;
    let _first = radvd(&lan.gateway, scratch.path(), "one", (1, ""))?;
    sleep(Duration::from_secs(4));
    let dns = [0x20, 1, 0x0d, 0xb8, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53];
    let false_one = Router { station: GATEWAY.at(OTHER.mac), lifetime: 1800, preferred: true, prefix: 6, dns: Some(dns) };
    for _ in 0..3 {
        lan.lie(false_one.announces())?;
        sleep(Duration::from_millis(2500));
    }
    Ok(())
}

fn pair_of_routers(lan: &mut Lan) -> io::Result<()> {
    let scratch = tempfile::tempdir()?;
    let _one = radvd(&lan.gateway, scratch.path(), "one", (1, ""))?;
    let _two = radvd(&lan.other, scratch.path(), "two", (1, ""))?;
    sleep(Duration::from_secs(8));
    Ok(())
}

fn renumbered(lan: &mut Lan) -> io::Result<()> {
    let scratch = tempfile::tempdir()?;
    listen(lan)?;
    let first = radvd(&lan.gateway, scratch.path(), "one", (1, ""))?;
    sleep(Duration::from_secs(4));
    first.end()?;
    let _anew = radvd(&lan.gateway, scratch.path(), "two", (6, ""))?;
    sleep(Duration::from_secs(6));
    Ok(())
}
