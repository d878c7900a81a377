//! Who says that an address is theirs: in ARP and in neighbour discovery.

use super::network::{DEVICE, GATEWAY, Lan, OTHER, OUTSIDE, OUTSIDE6, PORT, REPLACED, exchange, written};
use super::{Scene, Truth};
use crate::support::lan::{Station, advertises, answers};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::sleep;
use std::time::Duration;

pub(super) const SCENES: [Scene; 7] = [
    Scene {
        name: "lab-lan-arp-two-sided",
        about: "A machine tells the device that it is the gateway, and the gateway that it is the device; both kernels believe it, and it passes their packets on",
        play: poison,
        truth: Truth::Forged("arp_spoof", "S14m"),
        needs: &[],
    },
    Scene {
        name: "lab-lan-arp-one-sided",
        about: "A machine tells the device, and nobody else, that it is the gateway; the device's packets go through it and on by a way of its own, the answers do not",
        play: poison_device,
        truth: Truth::Forged("arp_spoof", "S14m"),
        needs: &[],
    },
    Scene {
        name: "lab-lan-ndp-override",
        about: "A machine tells the device, in neighbour advertisements with the override flag, that the router's address is its own; the kernel believes it",
        play: poison6,
        truth: Truth::Forged("ndp_spoof", "S14m"),
        needs: &[],
    },
    Scene {
        name: "lab-lan-ndp-two-sided",
        about: "A machine tells the device, in neighbour advertisements with the override flag, that it is the router, and the router that it is the device; both kernels believe it",
        play: poison6_both,
        truth: Truth::Forged("ndp_spoof", "S14m"),
        needs: &[],
    },
    Scene {
        name: "lab-lan-replaced-card",
        about: "The gateway's card is replaced: the kernel announces the address from the new one, and the connection goes on through it",
        play: replaced,
        truth: Truth::Harmless(&["arp_spoof"]),
        needs: &[],
    },
    Scene {
        name: "lab-lan-replaced-card-ip6",
        about: "The router's card is replaced: the kernel advertises its addresses from the new one to all nodes, with the override flag, and the connection goes on through it",
        play: replaced6,
        truth: Truth::Harmless(&["ndp_spoof"]),
        needs: &[],
    },
    Scene {
        name: "lab-lan-restart",
        about: "The device's link goes down and up again, with its tests for duplicates and its questions",
        play: restart,
        truth: Truth::Harmless(&["arp_spoof", "ndp_spoof"]),
        needs: &[],
    },
];

fn poison(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 3)?;
    // Linux keeps an entry for a second against another claim (locktime), and takes the claim after that.
    sleep(Duration::from_millis(700));
    for _ in 0..4 {
        lan.lie(answers(GATEWAY.at(OTHER.mac), DEVICE))?;
        lan.lie(answers(DEVICE.at(OTHER.mac), GATEWAY))?;
        exchange(&mut stream, 4)?;
    }
    Ok(())
}

fn poison_device(lan: &mut Lan) -> io::Result<()> {
    lan.open_own_way()?;
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 3)?;
    sleep(Duration::from_millis(700));
    for _ in 0..3 {
        lan.lie(answers(GATEWAY.at(OTHER.mac), DEVICE))?;
        exchange(&mut stream, 4)?;
    }
    Ok(())
}

fn poison6(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE6.into())?;
    exchange(&mut stream, 3)?;
    for _ in 0..4 {
        lan.lie(advertises(GATEWAY.at(OTHER.mac), Some(DEVICE), 0xa0))?;
        exchange(&mut stream, 4)?;
    }
    Ok(())
}

fn poison6_both(lan: &mut Lan) -> io::Result<()> {
    // What the router answers to is the address that the device speaks to the outside with.
    let global = [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x17];
    let device = Station { ip6: global, ..DEVICE };
    let mut stream = lan.connect(OUTSIDE6.into())?;
    exchange(&mut stream, 3)?;
    for _ in 0..3 {
        lan.lie(advertises(GATEWAY.at(OTHER.mac), Some(DEVICE), 0xa0))?;
        lan.lie(advertises(device.at(OTHER.mac), Some(GATEWAY), 0x20))?;
        exchange(&mut stream, 4)?;
    }
    Ok(())
}

fn replaced(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 3)?;
    lan.gateway.sysctl("ipv4/conf/swlab-l/arp_notify", "1")?;
    lan.gateway.ip(&format!("link set swlab-l address {}\n", written(REPLACED)))?;
    exchange(&mut stream, 8)
}

fn replaced6(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE6.into())?;
    exchange(&mut stream, 3)?;
    lan.gateway.sysctl("ipv6/conf/swlab-l/ndisc_notify", "1")?;
    lan.gateway.ip(&format!("link set swlab-l address {}\n", written(REPLACED)))?;
    exchange(&mut stream, 8)
}

fn restart(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 3)?;
    lan.device.sysctl("ipv4/conf/swlab-l/arp_notify", "1")?;
    lan.device.ip(
        "link set swlab-l down\nlink set swlab-l up\nroute add default via 192.0.2.1\naddr add fe80::17/64 dev swlab-l\naddr add 2001:db8:1::17/64 dev swlab-l\n",
    )?;
    exchange(&mut stream, 6)?;
    let other = lan.other.within(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)))?;
    lan.device
        .within(|| TcpStream::connect_timeout(&SocketAddr::new(Ipv4Addr::new(192, 0, 2, 0x66).into(), PORT), Duration::from_secs(2)))?;
    drop(other);
    Ok(())
}
