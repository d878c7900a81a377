//! Who knows a better way: ICMP and ICMPv6 redirects, of kernels and of a machine that lies.

use super::network::{DEVICE, GATEWAY, Lan, OTHER, OUTSIDE, OUTSIDE6, exchange};
use super::{Scene, Truth};
use crate::support::lan::{redirects_quoting, redirects6};
use std::io;

pub(super) const SCENES: [Scene; 4] = [
    Scene {
        name: "lab-lan-icmp-redirect",
        about: "In the gateway's name a machine tells the device that it is itself the better way; it quotes a packet of the connection, and the kernel obeys",
        play: redirected,
        truth: Truth::Forged("icmp_redirect", "S14i"),
        needs: &[],
    },
    Scene {
        name: "lab-lan-icmp-redirect-ip6",
        about: "In the router's name a machine tells the device, in ICMPv6, that it is itself the better way; the kernel obeys",
        play: redirected6,
        truth: Truth::Forged("icmp_redirect", "S14i"),
        needs: &[],
    },
    Scene {
        name: "lab-lan-better-way",
        about: "The device's gateway passes packets on to another router of the same link, and its kernel says so in ICMP redirects",
        play: better_way,
        truth: Truth::Harmless(&["icmp_redirect"]),
        needs: &[],
    },
    Scene {
        name: "lab-lan-better-way-ip6",
        about: "The device's router passes packets on to another router of the same link, and its kernel says so in ICMPv6 redirects",
        play: better_way6,
        truth: Truth::Harmless(&["icmp_redirect"]),
        needs: &[],
    },
];

/// The beginning of the device's last packet to the outside, which Linux looks for in a redirect.
fn last_packet(lan: &Lan) -> io::Result<Vec<u8>> {
    let frames = lan.tap.frames.lock().unwrap();
    let is_its = |bytes: &Vec<u8>| bytes[6..12] == DEVICE.mac && bytes[12..14] == [8, 0] && bytes[23] == 6;
    let last = frames.iter().map(|(_, bytes)| bytes).rfind(|bytes| is_its(bytes));
    Ok(last.ok_or_else(|| io::Error::other("nothing was seen of the device"))?[14..42].to_vec())
}

fn redirected(lan: &mut Lan) -> io::Result<()> {
    lan.open_own_way()?;
    lan.device.sysctl("ipv4/conf/all/accept_redirects", "1")?;
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 3)?;
    for _ in 0..2 {
        let quoted = last_packet(lan)?;
        lan.lie(redirects_quoting(GATEWAY.at(OTHER.mac), DEVICE, OTHER.ip, &quoted))?;
        exchange(&mut stream, 4)?;
    }
    obeyed(lan)
}

fn redirected6(lan: &mut Lan) -> io::Result<()> {
    lan.open_own_way()?;
    let mut stream = lan.connect(OUTSIDE6.into())?;
    exchange(&mut stream, 3)?;
    for _ in 0..2 {
        lan.lie(redirects6(GATEWAY.at(OTHER.mac), DEVICE, OTHER, OUTSIDE6.octets()))?;
        exchange(&mut stream, 4)?;
    }
    obeyed(lan)
}

/// The device's last packet of TCP went to the liar.
fn obeyed(lan: &Lan) -> io::Result<()> {
    let frames = lan.tap.frames.lock().unwrap();
    let to_outside = |bytes: &Vec<u8>| {
        bytes[6..12] == DEVICE.mac && (bytes[12..14] == [8, 0] && bytes[23] == 6 || bytes[12..14] == [0x86, 0xdd] && bytes[20] == 6)
    };
    let last = frames.iter().map(|(_, bytes)| bytes).rfind(|bytes| to_outside(bytes));
    if last.is_some_and(|bytes| bytes[..6] == OTHER.mac) { Ok(()) } else { Err(io::Error::other("the device did not obey the redirect")) }
}

fn better_way(lan: &mut Lan) -> io::Result<()> {
    lan.device.ip("route replace default via 192.0.2.102\n")?;
    lan.device.sysctl("ipv4/conf/all/accept_redirects", "1")?;
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 8)
}

fn better_way6(lan: &mut Lan) -> io::Result<()> {
    lan.device.ip("route replace ::/0 via fe80::66 dev swlab-l\n")?;
    let mut stream = lan.connect(OUTSIDE6.into())?;
    exchange(&mut stream, 8)
}
