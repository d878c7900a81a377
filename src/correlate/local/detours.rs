//! S14i: an ICMP or ICMPv6 redirect that the router it names did not send, or that leads to its sender.
//!
//! ## What it sees
//! The hardware address that a redirect comes from beside those that its source and the new first hop were heard at, in ARP and neighbour discovery.
//! 20 points for the redirect; 30 when its source is known to be at another hardware address; 25 when the new first hop is the sender itself.
//! Where the rules pin them (`[[pin]]`), in place of the 20 and 30: 60 when the source is pinned to another machine, 50 when no pin names it as a router.
//!
//! ## Why it matters
//! A host that obeys sends what it has for that destination, to the outside too, by way of the named machine.
//!
//! ## When it is wrong
//! Routers do send redirects where two are on one link: from their own hardware address, and to another machine. That gives 20 points, too few for a
//! record. Standby routers answer from virtual hardware addresses; those are passed over, and so is a router
//! that a pin names together with its hardware address.
//!
//! ## Reference
//! RFC 792, RFC 1122 section 3.2.2.2, RFC 4861 section 8. The redirect attack of ettercap.

use super::addresses::{Addresses, Network, Owner, network};
use super::incidents::{Incidents, Suspicion};
use super::pinned::{self, Breach, Local, Standing};
use super::spoof::is_virtual;
use super::tell::{Ceiling, Finding, MOST_FRAMES, signal, written};
use crate::alert::{Carrier, Considered, Mechanism};
use crate::engine::decode::datagram::DatagramHead;
use crate::engine::decode::packet::Addr;
use crate::engine::local::{Mac, Notice, Redirect};
use crate::engine::time::Timestamp;
use crate::rules::pins::{Pins, Role};

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S14i";

/// A machine that sends redirects.
#[derive(Debug)]
pub(super) struct Redirector {
    network: Network,
    mac: Mac,
    head: DatagramHead,
    redirect: Redirect,
    frames: Vec<u64>,
    victims: Vec<Addr>,
    /// Where the source of the redirect is known to be, when that is elsewhere.
    source: Option<Owner>,
    to_itself: bool,
    breaches: Vec<Breach>,
}

/// Takes a redirect.
pub(super) fn take(
    notice: &Notice,
    redirect: &Redirect,
    now: Timestamp,
    (addresses, incidents): (&Addresses, &mut Incidents<(Network, Mac), Redirector>),
    pins: &Pins,
) {
    let Some(mac) = notice.sender() else { return };
    let head = notice.head;
    let network = network(&head);
    let standing = standing(Local { pins, network }, &head, mac);
    let is_good = standing.is_named && standing.is_at_home;
    if standing.breaches.is_empty() && (is_good || is_virtual(mac)) {
        return;
    }
    let at = |address| addresses.owner(network, address, now);
    let source = at(head.src).filter(|owner| owner.mac != mac && !is_virtual(owner.mac) && !standing.is_at_home);
    let hop = redirect.mac.or_else(|| at(redirect.gateway).map(|owner| owner.mac));
    let to_itself = hop == Some(mac) && head.src != redirect.gateway && at(head.src).is_none_or(|owner| owner.mac != mac);
    let begin = || Redirector {
        network,
        mac,
        head,
        redirect: *redirect,
        frames: Vec::new(),
        victims: Vec::new(),
        source: None,
        to_itself: false,
        breaches: Vec::new(),
    };
    incidents.add((network, mac), now, begin, |sender| {
        sender.source = sender.source.or(source);
        sender.to_itself |= to_itself;
        pinned::merge(&mut sender.breaches, standing.breaches);
        if sender.frames.len() < MOST_FRAMES {
            sender.frames.push(head.frame);
        }
        if sender.victims.len() < MOST_FRAMES && !sender.victims.contains(&head.dst) {
            sender.victims.push(head.dst);
        }
    });
}

/// What pins say of whoever redirects.
fn standing(here: Local<'_>, head: &DatagramHead, mac: Mac) -> Standing {
    here.sender((Role::Router, head.src), Some(mac), head.frame)
}

impl Redirector {
    /// Looks at its first redirect by other pins; false when by them nothing is wrong with it.
    pub(super) fn is_suspect_by(&mut self, pins: &Pins) -> bool {
        let standing = standing(Local { pins, network: self.network }, &self.head, self.mac);
        let is_good = standing.is_named && standing.is_at_home;
        self.breaches = standing.breaches;
        !self.breaches.is_empty() || !is_good
    }

    /// Whether the client was told to go another way.
    pub(super) fn concerns(&self, vlans: (u16, u16), client: Addr) -> bool {
        (self.network.0, self.network.1) == vlans && self.victims.contains(&client)
    }
}

impl Suspicion for Redirector {
    fn finding(&self) -> Finding {
        let Redirect { gateway, destination, kind, .. } = self.redirect;
        let here = written(self.mac);
        let mut signals = pinned::signals(CODE, &self.breaches);
        if signals.is_empty() {
            let told = format!("{} sends what is for {destination} by way of {gateway}", self.head.src);
            let told = (told, "the way that the device knows".to_owned());
            signals.push(signal(CODE, 20, told, self.frames.clone(), "A device was told to send its traffic another way."));
        }
        if let (Some(owner), true) = (self.source, self.breaches.is_empty()) {
            let told = (format!("{} redirects from {here}", self.head.src), format!("{} is at {}", self.head.src, written(owner.mac)));
            signals.push(signal(
                CODE,
                30,
                told,
                vec![owner.frame, self.head.frame],
                "It does not come from the machine whose name it bears.",
            ));
        }
        if self.to_itself {
            let told = (format!("{gateway}, the new way, is at {here}, the sender"), "another machine than the sender".to_owned());
            signals.push(signal(CODE, 25, told, vec![self.head.frame], "The sender leads the traffic to itself."));
        }
        let forged = self.source.is_some() || self.to_itself || !self.breaches.is_empty();
        let why = if forged { "a router redirects in its own name, and to another machine" } else { "nothing speaks against it" };
        Finding {
            mechanism: Mechanism::IcmpRedirect,
            network: self.network,
            head: self.head,
            carrier: if self.head.ip_version == 4 { Carrier::Icmp(kind.0, kind.1) } else { Carrier::Icmpv6(kind.0, kind.1) },
            mac: Some(self.mac),
            ends: (self.head.src, self.head.dst),
            frames: self.frames.clone(),
            genuine: self.source,
            signals,
            considered: vec![Considered { explanation: "router that knows a better way", kept: !forged, why: why.to_owned() }],
            ceiling: Ceiling::Open,
        }
    }
}
