//! S14r: a second machine announces itself as a router of an IPv6 network.
//!
//! ## What it sees
//! Router advertisements beside the router that was heard first. In that router's name from another hardware address: 40 points, 25 more when the router
//! itself goes on; to say in its name that it is none any more (lifetime 0): 35 and 25. In another name and from another machine with a lifetime above 0: 25
//! points when it announces other prefixes or servers of DNS, 10 more for other DNS servers than the first router's, 10 when it wants to be preferred.
//!
//! ## Why it matters
//! Every device of the link takes such an advertisement; the announcer becomes its way to the outside, or its source of names.
//!
//! ## When it is wrong
//! Standby routers share a virtual hardware address (VRRP) and stay quiet; so does one machine under two names, and a second router with the same prefixes
//! and DNS. Two providers on one link differ in both, which is severity 3. A replaced router comes with a name of its own.
//!
//! ## Reference
//! RFC 4861 section 6.2, RFC 6104 (rogue router advertisements), RFC 6105 (RA Guard), RFC 4191 (preferences), RFC 8106 (DNS).

use std::collections::BTreeMap;

use super::addresses::{Network, Owner, network};
use super::incidents::{Incidents, Suspicion};
use super::spoof::is_virtual;
use super::tell::{Ceiling, Finding, MOST_FRAMES, signal, written};
use crate::alert::{Carrier, Considered, Mechanism, Signal};
use crate::engine::decode::datagram::DatagramHead;
use crate::engine::decode::packet::Addr;
use crate::engine::local::{Mac, Notice};
use crate::engine::protocol::ndp::RouterAdvertisement;
use crate::engine::time::Timestamp;

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S14r";

/// Networks whose first router is remembered; further ones are not judged.
const NETWORKS: usize = 1_024;

/// The routers that were there first.
#[derive(Debug, Default)]
pub(super) struct Routers {
    first: BTreeMap<Network, Router>,
}

#[derive(Clone, Debug)]
struct Router {
    said: RouterAdvertisement,
    owner: Owner,
    address: Addr,
}

/// A machine that announces itself beside the first router.
#[derive(Debug)]
pub(super) struct Announcer {
    network: Network,
    mac: Mac,
    head: DatagramHead,
    said: RouterAdvertisement,
    first: Router,
    frames: Vec<u64>,
    /// In the first router's name.
    in_its_name: bool,
    /// That the first router is none any more.
    farewell: bool,
    /// Where the first router went on.
    contested: Vec<u64>,
}

/// Takes an advertisement.
pub(super) fn take(
    notice: &Notice,
    said: &RouterAdvertisement,
    now: Timestamp,
    (routers, incidents): (&mut Routers, &mut Incidents<(Network, Mac), Announcer>),
) {
    let head = notice.head;
    let Some(mac) = notice.sender().or(said.mac) else { return };
    let network = network(&head);
    let router =
        Router { said: said.clone(), owner: Owner { mac, since: now, last: now, frame: head.frame, ttl: head.ttl }, address: head.src };
    let Some(first) = routers.first.get_mut(&network) else {
        if said.lifetime > 0 && routers.first.len() < NETWORKS {
            routers.first.insert(network, router);
        }
        return;
    };
    let in_its_name = first.address == head.src;
    if first.owner.mac == mac {
        if in_its_name {
            first.owner = router.owner;
            if said.lifetime > 0 {
                first.said = router.said;
            }
            let rivals: Vec<Mac> = incidents.iter().filter(|(other, _)| other.network == network).map(|(other, _)| other.mac).collect();
            for rival in rivals {
                incidents.add(
                    (network, rival),
                    now,
                    || Announcer::new(network, &head, (said, mac), first),
                    |other| other.went_on(head.frame),
                );
            }
        }
        return;
    }
    let differs = in_its_name || (said.lifetime > 0 && (said.prefixes != first.said.prefixes || said.dns != first.said.dns));
    if differs && !is_virtual(mac) {
        incidents.add(
            (network, mac),
            now,
            || Announcer::new(network, &head, (said, mac), first),
            |other| {
                other.in_its_name |= in_its_name;
                other.farewell |= in_its_name && said.lifetime == 0;
                if other.frames.len() < MOST_FRAMES {
                    other.frames.push(head.frame);
                }
            },
        );
    }
}

impl Announcer {
    fn new(network: Network, head: &DatagramHead, (said, mac): (&RouterAdvertisement, Mac), first: &Router) -> Self {
        Self {
            network,
            mac,
            head: *head,
            said: said.clone(),
            first: first.clone(),
            frames: Vec::new(),
            in_its_name: false,
            farewell: false,
            contested: Vec::new(),
        }
    }

    fn went_on(&mut self, frame: u64) {
        if self.contested.len() < MOST_FRAMES {
            self.contested.push(frame);
        }
    }

    /// All devices of the network hear it.
    pub(super) fn concerns(&self, vlans: (u16, u16), client: Addr) -> bool {
        (self.network.0, self.network.1) == vlans && client.0 >> 32 != 0xffff
    }

    fn signals(&self) -> Vec<Signal> {
        let mut all = Vec::new();
        let (here, there) = (written(self.mac), written(self.first.owner.mac));
        let both = vec![self.first.owner.frame, self.head.frame];
        let at_first = format!("{} is at {there}", self.first.address);
        if self.farewell {
            let told = (format!("{here} says that {} is no router", self.head.src), at_first.clone());
            all.push(signal(CODE, 35, told, both.clone(), "Another machine tells all devices, in the router's name, to use it no longer."));
        } else if self.in_its_name {
            let told = (format!("{} announces itself from {here}", self.head.src), at_first.clone());
            all.push(signal(CODE, 40, told, both.clone(), "The router's announcement comes from another machine."));
        } else {
            let told = (format!("{} at {here} is a router with other settings", self.head.src), at_first.clone());
            all.push(signal(CODE, 25, told, both.clone(), "A second machine announces itself as a router."));
            if !self.said.dns.is_empty() && !self.first.said.dns.is_empty() && self.said.dns != self.first.said.dns {
                let told = (format!("DNS {}", listed(&self.said.dns)), format!("DNS {}", listed(&self.first.said.dns)));
                all.push(signal(CODE, 10, told, both.clone(), "It names other servers for the questions where names lead."));
            }
            if self.said.preferred && !self.first.said.preferred {
                let told = ("preference high".to_owned(), "no preference".to_owned());
                all.push(signal(CODE, 10, told, both, "It wants to be taken before the first router."));
            }
        }
        if self.in_its_name && !self.contested.is_empty() {
            let told = (format!("{there} went on to announce itself"), "one machine for one router".to_owned());
            all.push(signal(CODE, 25, told, self.contested.clone(), "The router itself is still there."));
        }
        all
    }
}

impl Suspicion for Announcer {
    fn finding(&self) -> Finding {
        let weigh = |explanation, kept, why: &str| Considered { explanation, kept, why: why.to_owned() };
        let replaced = self.in_its_name && self.contested.is_empty();
        Finding {
            mechanism: Mechanism::RaRogue,
            network: self.network,
            head: self.head,
            carrier: Carrier::Icmpv6(134, 0),
            mac: Some(self.mac),
            ends: (self.head.src, self.head.dst),
            frames: self.frames.clone(),
            genuine: Some(self.first.owner),
            signals: self.signals(),
            considered: vec![
                weigh("standby router", false, "the hardware address is none of those that standby routers share"),
                weigh(
                    "second provider or replaced router",
                    !self.in_its_name || replaced,
                    if self.in_its_name { "it bears the name of the router that is there" } else { "it bears a name of its own" },
                ),
            ],
            ceiling: Ceiling::Open,
        }
    }
}

fn listed(addresses: &[Addr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}
