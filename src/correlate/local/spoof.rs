//! S14: somebody claims another's address in ARP or neighbour discovery.
//!
//! ## What it sees
//! Every claim to an IP address, in ARP questions, answers and announcements and in neighbour solicitations and advertisements, beside who claimed it in
//! the last five minutes. Points are added up for one machine: an address that another machine has (15); answers that nobody had asked for, sent to
//! single machines (15, from three on 25); announcements to all that go on for eight seconds and more, twice as often as a host may defend its address,
//! while another machine contradicts (20); the other machine goes on to say that the address is its own (25); two victims at once, as gateway to client
//! and client to gateway (35).
//! Where the rules pin which machines may have an address (`[[pin]]`), a claim of another gives 60 points at once, in place of the first 15.
//! And the packets of a connection that went through one machine go through the claimer within a minute of such an answer (50).
//!
//! ## Why it matters
//! Who is believed to be the gateway sees all traffic to the outside and can answer in everybody's name: the path is bent inside the network.
//!
//! ## When it is wrong
//! Standby routers take over an address: virtual hardware addresses (VRRP, CARP, HSRP, GLBP) stay quiet, and who only announces to all, without going on
//! for long against another, stays below severity 2. So do two machines with one address by mistake, and two ports of one machine (hardware addresses that
//! follow each other). A replaced card falls silent under its old address and gives 15 points, too few for a record. What a DHCP server has given
//! to the claimer is its own. A router that answers for many addresses when asked (proxy ARP) and a proxy of neighbour discovery stay quiet.
//! A sleep proxy that answers for a sleeping machine announces its address to all; when the machine wakes and says so itself, that is severity 3.
//! A monitor that misses questions takes answers for unasked ones; alone they are no record.
//! What a pin names is not suspected: both halves of a pair of routers can be pinned. A machine that is newer than the pin, and behaves as a new machine
//! does, stays below severity 1.
//!
//! ## Reference
//! RFC 826, RFC 5227 (what a host does that finds its address in use), RFC 4861 sections 7.2 and 11.1, RFC 5798 section 7.3 (virtual addresses). Attacks as
//! ettercap, arpspoof and bettercap make them.

use super::addresses::{Addresses, Network, Owner, network};
use super::harmless::Reading;
use super::incidents::{Incidents, Suspicion};
use super::moved;
use super::pinned::{self, Breach, Local};
use super::tell::{Finding, MOST_FRAMES, signal, written};
use crate::alert::{ArpFacts, Carrier, Mechanism, Signal};
use crate::engine::decode::datagram::{self, DatagramHead};
use crate::engine::decode::packet::Addr;
use crate::engine::local::{Claim, Mac, Manner, Notice};
use crate::engine::observation::Detour;
use crate::engine::time::{Span, Timestamp};
use crate::rules::pins::Pins;

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S14";

/// Addresses that are followed of one claimer, and receivers of each.
const MOST_CLAIMED: usize = 8;
/// So many announcements are no takeover, when they last longer than its burst: keepalived sends five, and five more after five seconds.
const INSISTS: u32 = 6;
const LONGER_THAN_A_TAKEOVER: Span = Span::from_secs(8);
/// How often a host may defend its address at most (RFC 5227, section 2.4: DEFEND_INTERVAL).
const DEFENDS_EVERY: Span = Span::from_secs(10);
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
#[derive(Debug, Default)]
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
    /// Claims to all that nobody had asked for, and from when to when.
    announced: u32,
    announced_in: Option<(Timestamp, Timestamp)>,
    /// Answers to questions that replace what the asker knows.
    replacing: u32,
    /// To whom it was said: protocol and hardware address.
    told: Vec<(Addr, Option<Mac>)>,
    /// A pin gives it to others.
    breach: Option<Breach>,
}

/// Takes a claim: what was known of its address decides whether somebody is suspected.
pub(super) fn take(
    notice: &Notice,
    claim: &Claim,
    now: Timestamp,
    (addresses, incidents): (&mut Addresses, &mut Incidents<(Network, Mac), Claimer>),
    pins: &Pins,
) {
    let network = network(&notice.head);
    if let Some(asked) = claim.asks {
        addresses.ask(network, (notice.head.src, asked), now);
    }
    let Some((address, mac)) = claim.owner.filter(|(address, mac)| address.0 != 0 && mac[0] & 1 == 0) else { return };
    let owner = Owner { mac, since: now, last: now, frame: notice.head.frame, ttl: notice.head.ttl };
    let (others, before) = addresses.claim(network, address, owner);
    let here = Local { pins, network };
    let said = here.claim(address, mac, notice.head.frame);
    let mut is_answered = false;
    for other in others.iter().filter(|_| said.is_ok()) {
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
    let is_answer = matches!(claim.manner, Manner::Answering { .. }) && is_to_one(notice, claim);
    let unasked = is_answer && !addresses.answers(network, (notice.head.dst, address), now);
    let was_there_before = |other: &Owner| before.is_none_or(|before| other.since < before.since);
    let is_known = incidents.find((network, mac)).is_some_and(|claimer| claimer.claims(address));
    let is_suspect = match said {
        Ok(is_pinned) => {
            let is_odd = is_known || unasked || (others.iter().any(was_there_before) && !is_answered);
            !is_pinned && is_odd && !addresses.is_granted(network, address, mac)
        }
        Err(_) => true,
    };
    if is_suspect {
        let is_pinned = |other: &&Owner| here.claim(address, other.mac, 0) == Ok(true);
        let rival = others.iter().find(is_pinned).or_else(|| others.first()).copied();
        let begin = || Claimer::new(network, mac, notice, claim);
        incidents.add((network, mac), now, begin, |claimer| claimer.claims_again(notice, claim, (rival, unasked), said.err()));
    }
}

/// Whether only one machine hears it. Where a capture has no Ethernet header the target's address must do.
fn is_to_one(notice: &Notice, claim: &Claim) -> bool {
    let receiver = notice.head.ether.map_or(claim.target_mac, |(_, receiver)| receiver);
    notice.head.ip_version == 6 || (receiver[0] & 1 == 0 && receiver != [0; 6])
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

    /// Looks at its claims by other pins; false when it claims only what is its own by them.
    pub(super) fn is_suspect_by(&mut self, pins: &Pins) -> bool {
        let (here, mac) = (Local { pins, network: self.network }, self.mac);
        self.claimed.retain_mut(|claimed| {
            let said = here.claim(claimed.address, mac, claimed.breach.as_ref().map_or(self.head.frame, Breach::frame));
            let is_own = said == Ok(true);
            claimed.breach = said.err().filter(|_| claimed.breach.is_some());
            !is_own
        });
        !self.claimed.is_empty()
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

    fn claims_again(&mut self, notice: &Notice, claim: &Claim, (rival, unasked): (Option<Owner>, bool), breach: Option<Breach>) {
        let Some((address, _)) = claim.owner else { return };
        if self.frames.len() < MOST_FRAMES {
            self.frames.push(notice.head.frame);
        }
        if !self.claims(address) && self.claimed.len() < MOST_CLAIMED {
            self.claimed.push(Claimed { address, ..Claimed::default() });
        }
        let Some(claimed) = self.claimed.iter_mut().find(|claimed| claimed.address == address) else { return };
        claimed.rival = claimed.rival.or(rival);
        claimed.breach = claimed.breach.take().or(breach);
        match claim.manner {
            _ if unasked => claimed.unasked = claimed.unasked.saturating_add(1),
            Manner::Answering { overrides } if is_to_one(notice, claim) => {
                claimed.replacing = claimed.replacing.saturating_add(u32::from(overrides));
            }
            Manner::Asking => claimed.open = claimed.open.saturating_add(1),
            Manner::Answering { .. } | Manner::Announcing => {
                claimed.open = claimed.open.saturating_add(1);
                claimed.announced = claimed.announced.saturating_add(1);
                let first = claimed.announced_in.map_or(notice.head.time, |(first, _)| first);
                claimed.announced_in = Some((first, notice.head.time));
            }
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

    /// It goes on to announce to all what another machine goes on to contradict.
    fn insists(&self) -> Option<&Claimed> {
        self.claimed.iter().find(|claimed| {
            let lasted = claimed.announced_in.map_or(Span::ZERO, |(first, last)| last - first);
            let is_dense = lasted >= LONGER_THAN_A_TAKEOVER && lasted < DEFENDS_EVERY.times(i64::from(claimed.announced) / 2);
            claimed.announced >= INSISTS && is_dense && !claimed.contested.is_empty()
        })
    }

    fn unasked(&self) -> u32 {
        self.claimed.iter().fold(0, |sum, claimed| sum.saturating_add(claimed.unasked))
    }

    /// The address that speaks most: pinned to others, contested, then another's, then the first.
    fn main(&self) -> Option<&Claimed> {
        self.claimed
            .iter()
            .rev()
            .max_by_key(|claimed| (claimed.breach.is_some(), !claimed.contested.is_empty(), claimed.rival.is_some(), claimed.unasked > 0))
    }

    fn signals(&self) -> Vec<Signal> {
        let Some(main) = self.main() else { return Vec::new() };
        let (here, address) = (written(self.mac), main.address);
        let mut all = pinned::signals(CODE, main.breach.as_slice());
        if let (Some(rival), None) = (main.rival, &main.breach) {
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
        if let Some(claimed) = self.insists() {
            let told = (
                format!("{} announcements of {} to all", claimed.announced, claimed.address),
                "one, and silence when another objects".to_owned(),
            );
            let frames = self.frames.iter().copied().take(MOST_FRAMES).collect();
            all.push(signal(
                CODE,
                20,
                told,
                frames,
                "A machine that finds its address in use does not go on to announce it every few seconds.",
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
        all.extend(
            self.moved.as_ref().map(|detour| moved::signal_of(detour, unasked > 0 || self.insists().is_some(), !main.contested.is_empty())),
        );
        all
    }

    /// What the harmless explanations are weighed by.
    fn reading(&self) -> Reading {
        let main = self.main();
        Reading {
            two_sided: self.is_two_sided(),
            forced: self.unasked() > 0 || self.insists().is_some(),
            contested: main.is_some_and(|main| !main.contested.is_empty()),
            rivals: self.claimed.iter().filter(|claimed| claimed.rival.is_some()).count(),
            moved: self.moved.is_some(),
            shared_mac: is_virtual(self.mac),
            neighbour: main.and_then(|main| main.rival).is_some_and(|rival| are_neighbours(rival.mac, self.mac)),
            v4: self.head.ip_version == 4,
            pinned: main.is_some_and(|main| main.breach.is_some()),
        }
    }
}

impl Suspicion for Claimer {
    fn finding(&self) -> Finding {
        let reading = self.reading();
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
            considered: reading.considered(),
            ceiling: reading.ceiling(),
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

/// Ports of one machine are numbered in a row; few have more than eight.
fn are_neighbours([a @ .., x]: Mac, [b @ .., y]: Mac) -> bool {
    a == b && x.abs_diff(y) < 8
}
