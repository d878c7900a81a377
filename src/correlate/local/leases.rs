//! S14d: a second server of DHCP or DHCPv6 gives other settings.
//!
//! ## What it sees
//! Offers and grants from another hardware address than that of the server heard first in this network, with other routers or other servers of DNS than
//! that one gives. 20 points; 20 when they bear the first server's identifier; 20 when the first server answers too, in the same exchange or within a minute; 15 when the
//! newcomer names itself as router or DNS and the first one does not name it; 10 when a client took the settings.
//!
//! ## Why it matters
//! Who names the router or the DNS server of a device decides which way its traffic goes.
//!
//! ## When it is wrong
//! Failover pairs give settings that the first one gives too, to the same or another device, and stay quiet; so do relays. A device that moves to another network meets another server, and the first one is
//! not heard any more: that gives no record. A home router plugged in the wrong way round does what an attacker does; it never gets beyond severity 2.
//! Who was there first is taken for the network's own server.
//!
//! ## Reference
//! RFC 2131 section 3.1, RFC 8415 section 18, RFC 7610 (DHCPv6-Shield).

use std::collections::BTreeMap;

use super::addresses::{Network, Owner, network};
use super::incidents::{Incidents, Suspicion};
use super::tell::{Finding, MOST_FRAMES, signal, written};
use crate::alert::{Carrier, Considered, Mechanism, Signal};
use crate::engine::decode::datagram::DatagramHead;
use crate::engine::decode::packet::Addr;
use crate::engine::local::{Mac, Notice};
use crate::engine::protocol::dhcp::Lease;
use crate::engine::time::{Span, Timestamp};

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

/// The servers that were there first.
#[derive(Debug, Default)]
pub(super) struct Servers {
    first: BTreeMap<(Network, u8), Server>,
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
    fn gives(&self, lease: &Lease) -> bool {
        let fits = |one: &[Addr], other: &[Addr]| one.is_empty() || other.is_empty() || one == other;
        self.given.iter().any(|(routers, dns)| fits(routers, &lease.routers) && fits(dns, &lease.dns))
    }
}

/// A server that was not there first.
#[derive(Debug)]
pub(super) struct Newcomer {
    network: Network,
    mac: Mac,
    head: DatagramHead,
    lease: Lease,
    first: Server,
    frames: Vec<u64>,
    last: Timestamp,
    /// Where the first server answered too.
    both: Vec<u64>,
    granted: bool,
}

/// Takes what a server gives.
pub(super) fn take(
    notice: &Notice,
    lease: &Lease,
    now: Timestamp,
    (servers, incidents): (&mut Servers, &mut Incidents<(Network, Mac), Newcomer>),
) {
    let Some(mac) = notice.sender().filter(|_| !lease.relayed) else { return };
    let head = notice.head;
    let key = (network(&head), head.ip_version);
    let server = Server {
        lease: lease.clone(),
        owner: Owner { mac, since: now, last: now, frame: head.frame, ttl: head.ttl },
        address: head.src,
        given: vec![(lease.routers.clone(), lease.dns.clone())],
    };
    let Some(first) = servers.first.get_mut(&key) else {
        if servers.first.len() < NETWORKS {
            servers.first.insert(key, server);
        }
        return;
    };
    let same_settings = first.gives(lease);
    if first.owner.mac == mac || (first.lease.server == lease.server && same_settings) {
        // What the first one gives later is what the network gives.
        let mut given = std::mem::take(&mut first.given);
        if !same_settings && given.len() < SETTINGS {
            given.push((lease.routers.clone(), lease.dns.clone()));
        }
        *first = Server { given, ..server };
        let rivals: Vec<Mac> =
            incidents.iter().filter(|(newcomer, _)| newcomer.is_met_by(&key, lease, now)).map(|(newcomer, _)| newcomer.mac).collect();
        for rival in rivals {
            incidents.add(
                (key.0, rival),
                now,
                || Newcomer::new(key.0, &notice.head, (lease, mac), first),
                |newcomer| newcomer.both(head.frame),
            );
        }
    } else if !same_settings {
        let same_exchange = first.lease.transaction == lease.transaction;
        incidents.add(
            (key.0, mac),
            now,
            || Newcomer::new(key.0, &head, (lease, mac), first),
            |newcomer| {
                newcomer.last = now;
                newcomer.granted |= lease.granted;
                if newcomer.frames.len() < MOST_FRAMES {
                    newcomer.frames.push(head.frame);
                }
                if same_exchange {
                    newcomer.both(newcomer.first.owner.frame);
                }
            },
        );
    }
}

impl Newcomer {
    fn new(network: Network, head: &DatagramHead, (lease, mac): (&Lease, Mac), first: &Server) -> Self {
        Self {
            network,
            mac,
            head: *head,
            lease: lease.clone(),
            first: first.clone(),
            frames: Vec::new(),
            last: head.time,
            both: Vec::new(),
            granted: false,
        }
    }

    fn is_met_by(&self, (network, version): &(Network, u8), lease: &Lease, now: Timestamp) -> bool {
        let same_exchange = self.lease.transaction == lease.transaction;
        self.network == *network && self.head.ip_version == *version && (same_exchange || now - self.last <= BOTH_WITHIN)
    }

    fn both(&mut self, frame: u64) {
        if self.both.len() < MOST_FRAMES && !self.both.contains(&frame) {
            self.both.push(frame);
        }
    }

    fn names_itself(&self) -> bool {
        let own = [Some(self.head.src), self.lease.server.first_chunk().copied().filter(|_| self.lease.server.len() == 4).map(Addr::v4)];
        let names = |lease: &Lease| own.iter().flatten().any(|own| lease.routers.contains(own) || lease.dns.contains(own));
        names(&self.lease) && !names(&self.first.lease)
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
        let gives = |lease: &Lease| format!("routers {}, DNS {}", listed(&lease.routers), listed(&lease.dns));
        let told = (
            format!("{} at {} gives {}", self.head.src, written(self.mac), gives(&self.lease)),
            format!("{} at {} gives {}", self.first.address, written(self.first.owner.mac), gives(&self.first.lease)),
        );
        let frames = vec![self.first.owner.frame, self.head.frame];
        let mut signals: Vec<Signal> = vec![signal(CODE, 20, told, frames, "A second server gives other settings than the first one.")];
        let mut more = |points, (observed, expected): (&str, &str), frames, why| {
            signals.push(signal(CODE, points, (observed.to_owned(), expected.to_owned()), frames, why));
        };
        if !self.both.is_empty() {
            let told = ("the first server answers too", "one set of settings in one network");
            more(20, told, self.both.clone(), "Both servers are in the same network at the same time.");
        }
        if self.lease.server == self.first.lease.server {
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
        let met = !self.both.is_empty();
        let weigh = |explanation, kept, why: &str| Considered { explanation, kept, why: why.to_owned() };
        Finding {
            mechanism: Mechanism::DhcpRogue,
            network: self.network,
            head: self.head,
            carrier: Carrier::Udp,
            mac: Some(self.mac),
            ends: (self.head.src, self.head.dst),
            frames: self.frames.clone(),
            genuine: Some(self.first.owner),
            signals,
            considered: vec![
                weigh("two servers that share the work", false, "such servers give the same settings"),
                weigh(
                    "a device that moved to another network",
                    !met,
                    if met { "the first server is still heard" } else { "the first server was not heard again" },
                ),
                weigh("a router that was plugged in the wrong way round", true, "it does the same, without anybody's intent"),
            ],
            cap: if met { 64 } else { 24 },
        }
    }
}

fn listed(addresses: &[Addr]) -> String {
    if addresses.is_empty() { "none".to_owned() } else { addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ") }
}
