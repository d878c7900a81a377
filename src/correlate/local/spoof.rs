//! S14: somebody claims another's address in ARP or neighbour discovery.
//!
//! ## What it sees
//! Every claim to an IP address, in ARP questions, answers and announcements and in neighbour solicitations and advertisements, beside who claimed it in
//! the last five minutes. Points are added up for one machine: an address that another machine has (15); answers that nobody had asked for, sent to
//! single machines (15, from three on 25); the other machine goes on to say that the address is its own (25); two victims at once, as gateway to client
//! and client to gateway (35).
//! And the packets of a connection that went through one machine go through the claimer within a minute of such an answer (50).
//!
//! ## Why it matters
//! Who is believed to be the gateway sees all traffic to the outside and can answer in everybody's name: the path is bent inside the network.
//!
//! ## When it is wrong
//! Standby routers take over an address: virtual hardware addresses (VRRP, CARP, HSRP, GLBP) stay quiet, and who announces to all, unasked answers to single
//! machines left out, stays below severity 2. So do two machines with one address by mistake, and two ports of one machine (hardware addresses that
//! differ in their last byte). A replaced card falls silent under its old address and gives 15 points, too few for a record. What a DHCP server has given
//! to the claimer is its own. A router that answers for many addresses when asked (proxy ARP) and a proxy of neighbour discovery stay quiet.
//! A monitor that misses questions takes answers for unasked ones; alone they are no record.
//!
//! ## Reference
//! RFC 826, RFC 5227 (what a host does that finds its address in use), RFC 4861 sections 7.2 and 11.1, RFC 5798 section 7.3 (virtual addresses). Attacks as
//! ettercap, arpspoof and bettercap make them.

use super::addresses::{Addresses, Network, Owner, network};
use super::incidents::{Incidents, Suspicion};
use super::moved;
use super::tell::{Finding, MOST_FRAMES, signal, written};
use crate::alert::{ArpFacts, Carrier, Considered, Mechanism, Signal};
use crate::engine::decode::datagram::{self, DatagramHead};
use crate::engine::decode::packet::Addr;
use crate::engine::local::{Claim, Mac, Manner, Notice};
use crate::engine::observation::Detour;
use crate::engine::time::Timestamp;

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S14";

/// Addresses that are followed of one claimer, and receivers of each.
const MOST_CLAIMED: usize = 8;
/// From so many addresses of others on, a machine that only answers when asked is a proxy.
const PROXY: usize = 3;

/// One machine that claims what may be another's.
#[derive(Debug)]
pub(super) struct Claimer {
    network: Network,
    mac: Mac,
    head: DatagramHead,
    carrier: Carrier,
    frames: Vec<u64>,
    claimed: Vec<Claimed>,
    pub(super) moved: Option<Detour>,
}

/// One address that it claims.
#[derive(Debug)]
struct Claimed {
    address: Addr,
    /// The machine that has it.
    rival: Option<Owner>,
    /// Where that one said so afterwards.
    contested: Vec<u64>,
    /// Answers to single machines that nobody had asked for.
    unasked: u32,
    /// Claims that reach all, or stand beside a question.
    open: u32,
    /// Answers to questions that replace what the asker knows.
    replacing: u32,
    /// To whom it was said: protocol and hardware address.
    told: Vec<(Addr, Option<Mac>)>,
}

/// Takes a claim: what was known of its address decides whether somebody is suspected.
pub(super) fn take(
    notice: &Notice,
    claim: &Claim,
    now: Timestamp,
    (addresses, incidents): (&mut Addresses, &mut Incidents<(Network, Mac), Claimer>),
) {
    let network = network(&notice.head);
    if let Some(asked) = claim.asks {
        addresses.ask(network, (notice.head.src, asked), now);
    }
    let Some((address, mac)) = claim.owner.filter(|(address, mac)| address.0 != 0 && mac[0] & 1 == 0) else { return };
    let owner = Owner { mac, since: now, last: now, frame: notice.head.frame, ttl: notice.head.ttl };
    let (others, before) = addresses.claim(network, address, owner);
    let mut is_answered = false;
    for other in &others {
        let suspected = incidents.find((network, other.mac)).is_some_and(|claimer| claimer.claims(address));
        if suspected {
            is_answered = true;
            incidents.add(
                (network, other.mac),
                now,
                || Claimer::new(network, other.mac, notice, claim),
                |claimer| claimer.answered(address, owner),
            );
        }
    }
    let is_answer = matches!(claim.manner, Manner::Answering { .. }) && notice.receiver().is_some();
    let unasked = is_answer && !addresses.answers(network, (notice.head.dst, address), mac, now);
    let was_there_before = |other: &Owner| before.is_none_or(|before| other.since < before.since);
    let is_known = incidents.find((network, mac)).is_some_and(|claimer| claimer.claims(address));
    let is_suspect = is_known || unasked || (others.iter().any(was_there_before) && !is_answered);
    if is_suspect && !addresses.is_granted(network, address, mac) {
        let rival = others.first().copied();
        let begin = || Claimer::new(network, mac, notice, claim);
        incidents.add((network, mac), now, begin, |claimer| claimer.claims_again(notice, claim, (rival, unasked)));
    }
}

impl Claimer {
    fn new(network: Network, mac: Mac, notice: &Notice, claim: &Claim) -> Self {
        let carrier = match notice.head.carrier {
            datagram::Carrier::Arp => Carrier::Arp(ArpFacts {
                operation: claim.operation,
                sender_mac: claim.owner.map_or(mac, |(_, mac)| mac),
                target_mac: claim.target_mac,
            }),
            _ => Carrier::Icmpv6(if matches!(claim.manner, Manner::Asking) { 135 } else { 136 }, 0),
        };
        Self { network, mac, head: notice.head, carrier, frames: Vec::new(), claimed: Vec::new(), moved: None }
    }

    /// What it is kept under.
    pub(super) const fn key(&self) -> (Network, Mac) {
        (self.network, self.mac)
    }

    /// Whether it is in the network with these VLANs.
    pub(super) fn concerns_network(&self, vlans: (u16, u16)) -> bool {
        (self.network.0, self.network.1) == vlans
    }

    fn claims(&self, address: Addr) -> bool {
        self.claimed.iter().any(|claimed| claimed.address == address)
    }

    /// The machine whose address it is spoke up.
    fn answered(&mut self, address: Addr, rival: Owner) {
        if let Some(claimed) = self.claimed.iter_mut().find(|claimed| claimed.address == address) {
            claimed.rival.get_or_insert(rival);
            if claimed.contested.len() < MOST_FRAMES {
                claimed.contested.push(rival.frame);
            }
        }
    }

    fn claims_again(&mut self, notice: &Notice, claim: &Claim, (rival, unasked): (Option<Owner>, bool)) {
        let Some((address, _)) = claim.owner else { return };
        if self.frames.len() < MOST_FRAMES {
            self.frames.push(notice.head.frame);
        }
        if !self.claims(address) && self.claimed.len() < MOST_CLAIMED {
            let new = Claimed { address, rival: None, contested: Vec::new(), unasked: 0, open: 0, replacing: 0, told: Vec::new() };
            self.claimed.push(new);
        }
        let Some(claimed) = self.claimed.iter_mut().find(|claimed| claimed.address == address) else { return };
        claimed.rival = claimed.rival.or(rival);
        match claim.manner {
            _ if unasked => claimed.unasked = claimed.unasked.saturating_add(1),
            Manner::Answering { overrides } => claimed.replacing = claimed.replacing.saturating_add(u32::from(overrides)),
            Manner::Asking | Manner::Announcing => claimed.open = claimed.open.saturating_add(1),
        }
        let told = (notice.head.dst, notice.receiver());
        if unasked && claimed.told.len() < MOST_CLAIMED && !claimed.told.contains(&told) {
            claimed.told.push(told);
        }
    }

    /// Whether what it claimed may have drawn this host's traffic.
    pub(super) fn may_have_moved(&self, detour: &Detour) -> bool {
        let told = |(address, mac): &(Addr, Option<Mac>)| *address == detour.host.0 || *mac == Some(detour.host.1);
        self.mac == detour.hops.1
            && self.claimed.iter().any(|claimed| {
                let fits = claimed.rival.is_none_or(|rival| rival.mac == detour.hops.0);
                fits && claimed.address != detour.peer && (claimed.open > 0 || claimed.told.iter().any(told))
            })
    }

    /// Whether the traffic of a client may be led through it: it was told so, or is itself claimed, or all were.
    pub(super) fn concerns(&self, vlans: (u16, u16), client: Addr) -> bool {
        let is_named = |claimed: &Claimed| claimed.address == client || claimed.told.iter().any(|(address, _)| *address == client);
        let reaches_all = self.claimed.iter().any(|claimed| claimed.open > 0);
        self.concerns_network(vlans) && (reaches_all || self.claimed.iter().any(is_named))
    }

    /// Two machines at once: each is told that the other is here, or two addresses that others have are claimed with force.
    fn is_two_sided(&self) -> bool {
        let told = |one: &Claimed, other: &Claimed| one.told.iter().any(|(address, _)| *address == other.address);
        let forced = |claimed: &&Claimed| {
            claimed.unasked > 0 || (self.head.ip_version == 6 && claimed.replacing > 0 && !claimed.contested.is_empty())
        };
        let mut rivals: Vec<Mac> = self.claimed.iter().filter(forced).filter_map(|claimed| claimed.rival).map(|rival| rival.mac).collect();
        rivals.sort_unstable();
        rivals.dedup();
        rivals.len() >= 2
            || self
                .claimed
                .iter()
                .any(|one| self.claimed.iter().any(|other| one.address != other.address && told(one, other) && told(other, one)))
    }

    fn unasked(&self) -> u32 {
        self.claimed.iter().fold(0, |sum, claimed| sum.saturating_add(claimed.unasked))
    }

    /// The address that speaks most: contested, then another's, then the first.
    fn main(&self) -> Option<&Claimed> {
        self.claimed.iter().rev().max_by_key(|claimed| (!claimed.contested.is_empty(), claimed.rival.is_some(), claimed.unasked > 0))
    }

    fn signals(&self) -> Vec<Signal> {
        let Some(main) = self.main() else { return Vec::new() };
        let (here, address) = (written(self.mac), main.address);
        let mut all = Vec::new();
        if let Some(rival) = main.rival {
            let told = (format!("{address} is at {here}"), format!("{address} is at {}", written(rival.mac)));
            all.push(signal(CODE, 15, told, vec![rival.frame, self.head.frame], "Two machines say that the same address is theirs."));
        }
        let unasked = self.unasked();
        if unasked > 0 {
            let told =
                (format!("{unasked} answers of {here} to single machines that had asked nothing"), "an answer after a question".to_owned());
            let points = if unasked >= 3 { 25 } else { 15 };
            let frames = self.frames.iter().copied().take(MOST_FRAMES).collect();
            all.push(signal(
                CODE,
                points,
                told,
                frames,
                "Whoever is asked nothing has no reason to tell a single machine where an address is.",
            ));
        }
        if let (Some(rival), false) = (main.rival, main.contested.is_empty()) {
            let told = (format!("{} went on to say so, after {here} had", written(rival.mac)), "one machine for one address".to_owned());
            all.push(signal(
                CODE,
                25,
                told,
                main.contested.clone(),
                "The machine that had the address is still there and says that it is its own.",
            ));
        }
        if self.is_two_sided() {
            let names: Vec<String> = self.claimed.iter().map(|claimed| claimed.address.to_string()).collect();
            let told = (format!("{here} claims {}", names.join(" and ")), "one machine, its own addresses".to_owned());
            all.push(signal(CODE, 35, told, self.frames.clone(), "Who poses as both ends of a conversation stands in its middle."));
        }
        all.extend(self.moved.as_ref().map(|detour| moved::signal_of(detour, unasked > 0, !main.contested.is_empty())));
        all
    }

    /// The harmless explanations, and to how many points they hold the finding down.
    fn considered(&self) -> (Vec<Considered>, u8) {
        let main = self.main();
        let (two_sided, unasked) = (self.is_two_sided(), self.unasked() > 0);
        let is_contested = main.is_some_and(|main| !main.contested.is_empty());
        let rivals = self.claimed.iter().filter(|claimed| claimed.rival.is_some()).count();
        let is_virtual = is_virtual(self.mac) && !two_sided;
        let is_proxy = rivals >= PROXY && !unasked && self.head.ip_version == 4;
        let one_machine = main.and_then(|main| main.rival).is_some_and(|rival| are_neighbours(rival.mac, self.mac)) && !two_sided;
        let by_mistake = !unasked && !two_sided;
        let mut all = Vec::new();
        let mut weigh = |explanation, kept, why: &str| all.push(Considered { explanation, kept, why: why.to_owned() });
        weigh(
            "standby router that took over",
            is_virtual || (by_mistake && !is_contested),
            match () {
                () if is_virtual => "the hardware address is one of those that standby routers share",
                () if unasked => "a standby router announces to all, and this was sent to single machines that had asked nothing",
                () if is_contested => "the machine that had the address goes on to use it",
                () => "it was said to all, and the machine that had the address did not object",
            },
        );
        weigh(
            "replaced machine or card",
            by_mistake && !is_contested,
            if is_contested {
                "the machine that had the address is still there"
            } else {
                "the machine that had the address was not heard afterwards"
            },
        );
        weigh(
            "two machines with the same address by mistake",
            by_mistake,
            if by_mistake { "both say so only as every machine does" } else { "such machines do not send answers that nobody asked for" },
        );
        if rivals >= PROXY {
            weigh(
                "router that answers for others (proxy)",
                is_proxy,
                if is_proxy { "it answers only when asked" } else { "it also speaks unasked" },
            );
        }
        if one_machine {
            weigh("two ports of one machine", true, "the hardware addresses differ in their last byte only");
        }
        let is_moved_on = self.moved.is_some() && is_contested;
        // Where questions are not seen, every answer is unasked.
        let is_alone = rivals == 0 && !two_sided && self.moved.is_none();
        let cap = match () {
            () if is_virtual || is_proxy || is_alone => 24,
            () if one_machine => 39,
            () if by_mistake && is_moved_on => 64,
            () if by_mistake => 39,
            () => 100,
        };
        (all, cap)
    }
}

impl Suspicion for Claimer {
    fn finding(&self) -> Finding {
        let (considered, cap) = self.considered();
        let main = self.main();
        let claimed = main.map_or(self.head.src, |main| main.address);
        Finding {
            mechanism: if self.head.ip_version == 4 { Mechanism::ArpSpoof } else { Mechanism::NdpSpoof },
            network: self.network,
            head: self.head,
            carrier: self.carrier,
            mac: Some(self.mac),
            ends: (claimed, main.and_then(|main| main.told.first()).map_or(self.head.dst, |(address, _)| *address)),
            frames: self.frames.clone(),
            genuine: main.and_then(|main| main.rival),
            signals: self.signals(),
            considered,
            cap,
        }
    }
}

/// Hardware addresses that several routers share: VRRP and CARP (RFC 5798, section 7.3, for both versions of IP), HSRP (both versions), GLBP.
pub(super) fn is_virtual(mac: Mac) -> bool {
    matches!(
        mac,
        [0, 0, 0x5e, 0, 1 | 2, _]
            | [0, 0, 0x0c, 7, 0xac, _]
            | [0, 0, 0x0c, 0x9f, 0xf0..=0xff, _]
            | [0, 5, 0x73, 0xa0, 0..=0x0f, _]
            | [0, 7, 0xb4, _, _, _]
    )
}

fn are_neighbours([a @ .., _]: Mac, [b @ .., _]: Mac) -> bool {
    a == b
}
