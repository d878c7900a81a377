//! S14r: a second machine announces itself as a router of an IPv6 network.
//!
//! ## What it sees
//! Router advertisements beside the router that was heard first. In that router's name from another hardware address: 40 points, 25 more when the router
//! itself goes on; to say in its name that it is none any more (lifetime 0): 35 and 25. In another name and from another machine with a lifetime above 0: 25
//! points when it announces other prefixes or servers of DNS, 10 more for other DNS servers than the first router's, 10 when it wants to be preferred.
//! Where the rules pin them (`[[pin]]`), at once and in place of the first of these: 60 points for a pinned router's name from another machine, 50 for a router
//! that no pin names, 45 for DNS that no pin names; 10 for each more.
//!
//! ## Why it matters
//! Every device of the link takes such an advertisement; the announcer becomes its way to the outside, or its source of names.
//!
//! ## When it is wrong
//! Standby routers share a virtual hardware address (VRRP) and stay quiet; so does one machine under two names, and a second router with the same prefixes
//! and DNS. Two providers on one link differ in both, which is severity 3. A replaced router comes with a name of its own.
//! A router that a pin names is compared with itself only.
//!
//! ## Reference
//! RFC 4861 section 6.2, RFC 6104 (rogue router advertisements), RFC 6105 (RA Guard), RFC 4191 (preferences), RFC 8106 (DNS).

use std::collections::BTreeMap;

use super::addresses::{Network, Owner, network};
use super::incidents::{Incidents, Suspicion};
use super::pinned::{self, Breach, Local, Standing};
use super::spoof::is_virtual;
use super::tell::{Ceiling, Finding, MOST_FRAMES, signal, written};
use crate::alert::{Carrier, Considered, Mechanism, Signal};
use crate::engine::decode::datagram::DatagramHead;
use crate::engine::decode::packet::Addr;
use crate::engine::local::{Mac, Notice};
use crate::engine::protocol::ndp::RouterAdvertisement;
use crate::engine::time::Timestamp;
use crate::rules::pins::{Pins, Role};

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S14r";

/// Networks whose first router is remembered; further ones are not judged.
const NETWORKS: usize = 1_024;

/// The routers that were there first.
#[derive(Debug, Default)]
pub(super) struct Routers {
    /// Those whom a pin names have a place of their own.
    first: BTreeMap<(Network, Option<Addr>), Router>,
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
    /// None where nobody was heard before, and pins alone speak.
    first: Option<Router>,
    frames: Vec<u64>,
    /// In the first router's name.
    in_its_name: bool,
    /// That the first router is none any more.
    farewell: bool,
    /// Where the first router went on.
    contested: Vec<u64>,
    breaches: Vec<Breach>,
}

/// What pins say of an advertisement.
fn standing(here: Local<'_>, head: &DatagramHead, (said, mac): (&RouterAdvertisement, Mac)) -> Standing {
    let mut standing = match said.lifetime {
        // Who is no router may have any address, but not a router's.
        0 => here.machine_of(head.src, mac, head.frame),
        _ => here.sender((Role::Router, head.src), Some(mac), head.frame),
    };
    here.settings(&mut standing, (Role::Dns, &said.dns), head.frame);
    standing
}

/// Takes an advertisement.
pub(super) fn take(
    notice: &Notice,
    said: &RouterAdvertisement,
    now: Timestamp,
    (routers, incidents): (&mut Routers, &mut Incidents<(Network, Mac), Announcer>),
    pins: &Pins,
) {
    let head = notice.head;
    let Some(mac) = notice.sender().or(said.mac) else { return };
    let network = network(&head);
    let here = Local { pins, network };
    let standing = standing(here, &head, (said, mac));
    let is_named = here.knows(Role::Router, &[head.src]);
    let key = (network, is_named.then_some(head.src));
    let router =
        Router { said: said.clone(), owner: Owner { mac, since: now, last: now, frame: head.frame, ttl: head.ttl }, address: head.src };
    let first = routers.first.get_mut(&key);
    let Some(first) = first else {
        let Standing { breaches, is_elsewhere, .. } = standing;
        if !breaches.is_empty() {
            suspect(incidents, Announcer::new(network, &head, (said, mac), None), (is_elsewhere, breaches), now);
        } else if said.lifetime > 0 && routers.first.len() < NETWORKS {
            routers.first.insert(key, router);
        }
        return;
    };
    let bears_its_name = first.address == head.src;
    let in_its_name = standing.is_elsewhere || (bears_its_name && first.owner.mac != mac);
    if standing.breaches.is_empty() && (standing.is_at_home || first.owner.mac == mac) {
        if standing.is_at_home && said.lifetime > 0 && !here.machine_of(first.address, first.owner.mac, 0).is_at_home {
            // Whom a pin knows is compared with, not whom it does not, though that one was heard first.
            *first = router;
        } else if bears_its_name {
            first.owner = router.owner;
            if said.lifetime > 0 {
                first.said = router.said;
            }
            let rivals: Vec<Mac> =
                incidents.iter().filter(|(other, _)| other.network == network && other.mac != mac).map(|(other, _)| other.mac).collect();
            for rival in rivals {
                let begin = || Announcer::new(network, &head, (said, mac), Some(first));
                incidents.add((network, rival), now, begin, |other| other.went_on(first));
            }
        }
        return;
    }
    let same_dns = said.dns == first.said.dns || here.knows(Role::Dns, &said.dns);
    let differs = in_its_name || (said.lifetime > 0 && (said.prefixes != first.said.prefixes || !same_dns));
    if !standing.breaches.is_empty() || (differs && !is_virtual(mac)) {
        suspect(incidents, Announcer::new(network, &head, (said, mac), Some(first)), (in_its_name, standing.breaches), now);
    }
}

/// Adds an advertisement to what is held against its sender.
fn suspect(
    incidents: &mut Incidents<(Network, Mac), Announcer>,
    new: Announcer,
    (in_its_name, breaches): (bool, Vec<Breach>),
    now: Timestamp,
) {
    let (frame, is_farewell) = (new.head.frame, in_its_name && new.said.lifetime == 0);
    incidents.add(
        (new.network, new.mac),
        now,
        || new,
        |other| {
            other.in_its_name |= in_its_name;
            other.farewell |= is_farewell;
            pinned::merge(&mut other.breaches, breaches);
            if other.frames.len() < MOST_FRAMES {
                other.frames.push(frame);
            }
        },
    );
}

impl Announcer {
    fn new(network: Network, head: &DatagramHead, (said, mac): (&RouterAdvertisement, Mac), first: Option<&Router>) -> Self {
        Self {
            network,
            mac,
            head: *head,
            said: said.clone(),
            first: first.cloned(),
            frames: Vec::new(),
            in_its_name: false,
            farewell: false,
            contested: Vec::new(),
            breaches: Vec::new(),
        }
    }

    /// The router in whose place it stands announced itself again.
    fn went_on(&mut self, router: &Router) {
        if self.first.is_none() && self.head.src == router.address {
            self.first = Some(router.clone());
        }
        let is_in_its_place = self.first.as_ref().is_some_and(|first| first.address == router.address);
        if is_in_its_place && self.contested.len() < MOST_FRAMES {
            self.contested.push(router.owner.frame);
        }
    }

    /// Looks at its first advertisement by other pins; false when by them nothing is wrong with it.
    pub(super) fn is_suspect_by(&mut self, pins: &Pins) -> bool {
        let standing = standing(Local { pins, network: self.network }, &self.head, (&self.said, self.mac));
        let is_good = standing.is_at_home || (standing.is_named && !self.in_its_name);
        self.breaches = standing.breaches;
        !self.breaches.is_empty() || (self.first.is_some() && !is_good)
    }

    /// All devices of the network hear it.
    pub(super) fn concerns(&self, vlans: (u16, u16), client: Addr) -> bool {
        (self.network.0, self.network.1) == vlans && client.0 >> 32 != 0xffff
    }

    fn signals(&self) -> Vec<Signal> {
        let mut all = pinned::signals(CODE, &self.breaches);
        let here = written(self.mac);
        if let (Some(first), true) = (&self.first, all.is_empty()) {
            let both = vec![first.owner.frame, self.head.frame];
            let at_first = format!("{} is at {}", first.address, written(first.owner.mac));
            let (points, observed, why) = match () {
                () if self.farewell => (
                    35,
                    format!("{here} says that {} is no router", self.head.src),
                    "Another machine tells all devices, in the router's name, to use it no longer.",
                ),
                () if self.in_its_name => {
                    (40, format!("{} announces itself from {here}", self.head.src), "The router's announcement comes from another machine.")
                }
                () => (
                    25,
                    format!("{} at {here} is a router with other settings", self.head.src),
                    "A second machine announces itself as a router.",
                ),
            };
            all.push(signal(CODE, points, (observed, at_first), both, why));
        }
        if let (Some(first), false) = (&self.first, self.in_its_name) {
            all.extend(self.against(first));
        }
        if let (Some(first), true, false) = (&self.first, self.in_its_name, self.contested.is_empty()) {
            let told = (format!("{} went on to announce itself", written(first.owner.mac)), "one machine for one router".to_owned());
            all.push(signal(CODE, 25, told, self.contested.clone(), "The router itself is still there."));
        }
        all
    }

    /// What it announces in a name of its own, beside what the first router does.
    fn against(&self, first: &Router) -> Vec<Signal> {
        let mut all = Vec::new();
        let both = vec![first.owner.frame, self.head.frame];
        let is_pinned = !self.breaches.is_empty();
        if !is_pinned && !self.said.dns.is_empty() && !first.said.dns.is_empty() && self.said.dns != first.said.dns {
            let told = (format!("DNS {}", listed(&self.said.dns)), format!("DNS {}", listed(&first.said.dns)));
            all.push(signal(CODE, 10, told, both.clone(), "It names other servers for the questions where names lead."));
        }
        if self.said.preferred && !first.said.preferred {
            let told = ("preference high".to_owned(), "no preference".to_owned());
            all.push(signal(CODE, 10, told, both, "It wants to be taken before the first router."));
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
            genuine: self.first.as_ref().map(|first| first.owner),
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
