//! S14d: a second server of DHCP or DHCPv6 gives other settings.
//!
//! ## What it sees
//! Offers and grants from another hardware address than that of the server heard first in this network, with other routers or other servers of DNS than
//! that one gives. 20 points; 20 when they bear the first server's identifier; 20 when the first server answers too, in the same exchange or within a minute; 15 when the
//! newcomer names itself as router or DNS and the first one does not name it; 10 when a client took the settings.
//! Where the rules pin them (`[[pin]]`), at once and in place of the first 20: 60 points for a pinned server's name from another machine, 50 for a server that no
//! pin names, 45 for routers or DNS that no pin names; 10 for each more of these. Relays are looked at too then.
//!
//! ## Why it matters
//! Who names the router or the DNS server of a device decides which way its traffic goes.
//!
//! ## When it is wrong
//! Failover pairs give settings that the first one gives too, to the same or another device, and stay quiet; so do relays. A device that moves to another network meets another server, and the first one is
//! not heard any more: that gives no record. A home router plugged in the wrong way round does what an attacker does; it never gets beyond severity 2.
//! Who was there first is taken for the network's own server, unless a pin says who is; a server that a pin names is compared with itself only.
//!
//! ## Reference
//! RFC 2131 section 3.1, RFC 8415 section 18, RFC 7610 (DHCPv6-Shield).

use std::collections::BTreeMap;

use super::addresses::{Network, Owner, network};
use super::incidents::{Incidents, Suspicion};
use super::pinned::{self, Breach, Local, Standing};
use super::tell::{Ceiling, Finding, MOST_FRAMES, signal, written};
use crate::alert::{Carrier, Considered, Mechanism, Signal};
use crate::engine::decode::datagram::DatagramHead;
use crate::engine::decode::packet::Addr;
use crate::engine::local::{Mac, Notice};
use crate::engine::protocol::dhcp::Lease;
use crate::engine::time::{Span, Timestamp};
use crate::rules::pins::{Pins, Role};

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S14d";

/// Networks whose first server is remembered, apart by version of IP; further ones are not judged.
const NETWORKS: usize = 1_024;
/// Different settings that are remembered of the first server: it may give each device others.
const SETTINGS: usize = 16;
/// How soon the first server must be heard after the second one, that both are in one network and not a device in two.
const BOTH_WITHIN: Span = Span::from_secs(60);

/// The network, the version of IP, and the server where a pin names it: those have a place of their own.
type Place = (Network, u8, Option<Addr>);

/// The servers that were there first.
#[derive(Debug, Default)]
pub(super) struct Servers {
    first: BTreeMap<Place, Server>,
}

/// What a server gives.
#[derive(Clone, Debug)]
struct Server {
    /// The last lease.
    lease: Lease,
    owner: Owner,
    address: Addr,
    /// Routers and DNS that it gave, to whomever.
    given: Vec<(Vec<Addr>, Vec<Addr>)>,
}

impl Server {
    /// Whether it gives such settings itself. Clients ask for what they need, so that a list that is not there says nothing.
    fn gives(&self, lease: &Lease, here: Local<'_>) -> bool {
        let (routers_known, dns_known) = (here.knows(Role::Router, &lease.routers), here.knows(Role::Dns, &lease.dns));
        let fits = |one: &[Addr], other: &[Addr]| one.is_empty() || other.is_empty() || one == other;
        self.given.iter().any(|(routers, dns)| (routers_known || fits(routers, &lease.routers)) && (dns_known || fits(dns, &lease.dns)))
    }
}

/// A server that was not there first.
#[derive(Debug)]
pub(super) struct Newcomer {
    network: Network,
    mac: Mac,
    head: DatagramHead,
    lease: Lease,
    /// None where nobody was heard before, and pins alone speak.
    first: Option<Server>,
    frames: Vec<u64>,
    last: Timestamp,
    /// Where the first server answered too.
    both: Vec<u64>,
    granted: bool,
    breaches: Vec<Breach>,
}

/// The address that a server is known by: of DHCP what it calls itself, which stays the same behind a relay.
fn address_of(lease: &Lease, sender: Addr) -> Addr {
    let named = lease.server.first_chunk().filter(|_| sender.ip().is_ipv4() && lease.server.len() == 4);
    named.map_or(sender, |octets| Addr::v4(*octets))
}

/// What pins say of a lease.
fn standing(here: Local<'_>, head: &DatagramHead, lease: &Lease) -> Standing {
    // Behind a relay the sender is the relay.
    let mac = head.ether.map(|(mac, _)| mac).filter(|_| !lease.relayed);
    let mut standing = here.sender((Role::Dhcp, address_of(lease, head.src)), mac, head.frame);
    here.settings(&mut standing, (Role::Router, &lease.routers), head.frame);
    here.settings(&mut standing, (Role::Dns, &lease.dns), head.frame);
    standing
}

/// Takes what a server gives.
pub(super) fn take(
    notice: &Notice,
    lease: &Lease,
    now: Timestamp,
    (servers, incidents): (&mut Servers, &mut Incidents<(Network, Mac), Newcomer>),
    pins: &Pins,
) {
    let Some(mac) = notice.sender() else { return };
    let head = notice.head;
    let network = network(&head);
    let here = Local { pins, network };
    let standing = standing(here, &head, lease);
    if lease.relayed && standing.breaches.is_empty() {
        return;
    }
    let place = (network, head.ip_version, standing.is_named.then(|| address_of(lease, head.src)));
    let server = Server {
        lease: lease.clone(),
        owner: Owner { mac, since: now, last: now, frame: head.frame, ttl: head.ttl },
        address: head.src,
        given: vec![(lease.routers.clone(), lease.dns.clone())],
    };
    let first = servers.first.get_mut(&place);
    let met = first.as_deref().filter(|first| first.lease.transaction == lease.transaction).map(|first| first.owner.frame);
    if !standing.breaches.is_empty() {
        let new = Newcomer::new(network, &head, (lease, mac), first.as_deref());
        return suspect(incidents, new, (met, standing.breaches), now);
    }
    let Some(first) = first else {
        if servers.first.len() < NETWORKS {
            servers.first.insert(place, server);
        }
        return;
    };
    let same_settings = first.gives(lease, here);
    let is_itself = first.owner.mac == mac || (first.lease.server == lease.server && same_settings);
    if is_itself || (standing.is_at_home && first.lease.server == lease.server) {
        // What the first one gives later is what the network gives.
        let mut given = std::mem::take(&mut first.given);
        if !same_settings && given.len() < SETTINGS {
            given.push((lease.routers.clone(), lease.dns.clone()));
        }
        *first = Server { given, ..server };
        let is_rival = |newcomer: &Newcomer| newcomer.mac != mac && newcomer.is_met_by(place, lease, now);
        let rivals: Vec<Mac> = incidents.iter().filter(|(newcomer, _)| is_rival(newcomer)).map(|(newcomer, _)| newcomer.mac).collect();
        for rival in rivals {
            let begin = || Newcomer::new(network, &head, (lease, mac), Some(first));
            incidents.add((network, rival), now, begin, |newcomer| newcomer.both(head.frame));
        }
    } else if standing.is_at_home {
        if !here.machine_of(address_of(&first.lease, first.address), first.owner.mac, 0).is_at_home {
            // Whom a pin knows is compared with, not whom it does not, though that one was heard first.
            *first = server;
        }
    } else if !same_settings {
        suspect(incidents, Newcomer::new(network, &head, (lease, mac), Some(first)), (met, Vec::new()), now);
    }
}

/// Adds a lease to what is held against its sender; `met` is where the first server answered in the same exchange.
fn suspect(
    incidents: &mut Incidents<(Network, Mac), Newcomer>,
    new: Newcomer,
    (met, breaches): (Option<u64>, Vec<Breach>),
    now: Timestamp,
) {
    let (frame, granted) = (new.head.frame, new.lease.granted);
    incidents.add(
        (new.network, new.mac),
        now,
        || new,
        |newcomer| {
            newcomer.last = now;
            newcomer.granted |= granted;
            pinned::merge(&mut newcomer.breaches, breaches);
            if newcomer.frames.len() < MOST_FRAMES {
                newcomer.frames.push(frame);
            }
            if let Some(frame) = met {
                newcomer.both(frame);
            }
        },
    );
}

impl Newcomer {
    fn new(network: Network, head: &DatagramHead, (lease, mac): (&Lease, Mac), first: Option<&Server>) -> Self {
        Self {
            network,
            mac,
            head: *head,
            lease: lease.clone(),
            first: first.cloned(),
            frames: Vec::new(),
            last: head.time,
            both: Vec::new(),
            granted: false,
            breaches: Vec::new(),
        }
    }

    fn is_met_by(&self, (network, version, _): Place, lease: &Lease, now: Timestamp) -> bool {
        let same_exchange = self.lease.transaction == lease.transaction;
        self.network == network && self.head.ip_version == version && (same_exchange || now - self.last <= BOTH_WITHIN)
    }

    fn both(&mut self, frame: u64) {
        if self.both.len() < MOST_FRAMES && !self.both.contains(&frame) {
            self.both.push(frame);
        }
    }

    /// What makes it graver.
    fn circumstances(&self) -> Vec<Signal> {
        let mut signals = Vec::new();
        let mut more = |points, (observed, expected): (&str, &str), frames, why| {
            signals.push(signal(CODE, points, (observed.to_owned(), expected.to_owned()), frames, why));
        };
        if !self.both.is_empty() {
            let told = ("the first server answers too", "one set of settings in one network");
            more(20, told, self.both.clone(), "Both servers are in the same network at the same time.");
        }
        let first = self.first.as_ref().filter(|first| first.owner.mac != self.mac);
        if first.is_some_and(|first| first.lease.server == self.lease.server) {
            let told = ("it calls itself by the first server's identifier", "an identifier of its own");
            more(20, told, self.frames.clone(), "It speaks in the first server's name from another machine.");
        }
        if self.names_itself() {
            let told = ("the second server names itself as router or DNS", "the machines that the first one names");
            more(15, told, self.frames.clone(), "Whoever takes these settings sends its traffic or its questions to the second server.");
        }
        if self.granted {
            more(10, ("the settings were granted", "an offer that nobody takes"), self.frames.clone(), "A device took the settings.");
        }
        signals
    }

    fn names_itself(&self) -> bool {
        let own = [Some(self.head.src), self.lease.server.first_chunk().copied().filter(|_| self.lease.server.len() == 4).map(Addr::v4)];
        let names = |lease: &Lease| own.iter().flatten().any(|own| lease.routers.contains(own) || lease.dns.contains(own));
        names(&self.lease) && !self.first.as_ref().is_some_and(|first| names(&first.lease))
    }

    /// Looks at its first lease by other pins; false when by them nothing is wrong with it.
    pub(super) fn is_suspect_by(&mut self, pins: &Pins) -> bool {
        let standing = standing(Local { pins, network: self.network }, &self.head, &self.lease);
        let bears_its_name = self.first.as_ref().is_some_and(|first| first.lease.server == self.lease.server);
        let is_good = standing.is_at_home || (standing.is_named && !bears_its_name);
        self.breaches = standing.breaches;
        !self.breaches.is_empty() || (self.first.is_some() && !is_good)
    }

    /// Whether this client may have taken its settings.
    pub(super) fn concerns(&self, vlans: (u16, u16), client: Addr) -> bool {
        (self.network.0, self.network.1) == vlans && self.lease.address.is_none_or(|given| given == client)
    }
}

impl Suspicion for Newcomer {
    fn lease(&self) -> Option<&Lease> {
        Some(&self.lease)
    }

    fn finding(&self) -> Finding {
        let mut signals = pinned::signals(CODE, &self.breaches);
        if let (Some(first), true) = (&self.first, signals.is_empty()) {
            let gives = |lease: &Lease| format!("routers {}, DNS {}", listed(&lease.routers), listed(&lease.dns));
            let told = (
                format!("{} at {} gives {}", self.head.src, written(self.mac), gives(&self.lease)),
                format!("{} at {} gives {}", first.address, written(first.owner.mac), gives(&first.lease)),
            );
            let frames = vec![first.owner.frame, self.head.frame];
            signals.push(signal(CODE, 20, told, frames, "A second server gives other settings than the first one."));
        }
        signals.extend(self.circumstances());
        let met = !self.both.is_empty();
        let is_pinned = !self.breaches.is_empty();
        let moved = match (is_pinned, met) {
            (true, _) => "the pin says what is right in this network",
            (false, true) => "the first server is still heard",
            (false, false) => "the first server was not heard again",
        };
        let weigh = |explanation, kept, why: &str| Considered { explanation, kept, why: why.to_owned() };
        Finding {
            mechanism: Mechanism::DhcpRogue,
            network: self.network,
            head: self.head,
            carrier: Carrier::Udp,
            mac: Some(self.mac),
            ends: (self.head.src, self.head.dst),
            frames: self.frames.clone(),
            genuine: self.first.as_ref().map(|first| first.owner),
            signals,
            considered: vec![
                weigh("two servers that share the work", false, "such servers give the same settings"),
                weigh("a device that moved to another network", !met && !is_pinned, moved),
                weigh("a router that was plugged in the wrong way round", true, "it does the same, without anybody's intent"),
            ],
            ceiling: if met || is_pinned { Ceiling::Medium } else { Ceiling::Nothing },
        }
    }
}

fn listed(addresses: &[Addr]) -> String {
    if addresses.is_empty() { "none".to_owned() } else { addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ") }
}
