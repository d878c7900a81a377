//! What the owner's pins say of a message of the local network, as evidence.

use super::addresses::Network;
use super::tell::{signal, written};
use crate::alert::Signal;
use crate::engine::decode::packet::Addr;
use crate::engine::local::Mac;
use crate::rules::pins::{Pinned, Pins, Role, Word};

/// A pinned address is said to be, or speaks, from another machine. More than what is learned gives: who pinned it knows. By itself severity 2, as a
/// machine may be replaced and the pin forgotten.
const OTHER_MACHINE: u8 = 60;
/// Somebody serves or routes whom no pin names.
const OTHER_SERVER: u8 = 50;
/// Settings name routers or servers of DNS that no pin names.
const OTHER_SETTINGS: u8 = 45;
/// Whatever else of the same message contradicts a pin.
const MORE: u8 = 10;

/// A contradiction to a pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    points: u8,
    frame: u64,
    observed: String,
    expected: String,
    why: &'static str,
}

impl Breach {
    pub(super) const fn frame(&self) -> u64 {
        self.frame
    }
}

/// What pins say of who sent a message, and of what it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// What contradicts, at most one of a kind.
    pub(super) breaches: Vec<Breach>,
    /// A pin names the sender for what it does.
    pub(super) is_named: bool,
    /// A pin names the machine that the sender's address is at.
    pub(super) is_at_home: bool,
    /// A pinned address speaks from another machine.
    pub(super) is_elsewhere: bool,
}

/// What pins say in one network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local<'a> {
    pub(super) pins: &'a Pins,
    pub(super) network: Network,
}

impl Local<'_> {
    fn machine(&self, address: Addr, mac: Mac) -> Word<'_, Mac> {
        self.pins.machine(self.network.0, address, mac)
    }

    /// Whether all of these are pinned as what they are said to be; not when there are none.
    pub(super) fn knows(&self, role: Role, addresses: &[Addr]) -> bool {
        !addresses.is_empty() && addresses.iter().all(|address| self.pins.role(self.network.0, role, *address).agrees())
    }

    /// Whether a machine may have an address: what contradicts, or that it may.
    pub(super) fn claim(&self, address: Addr, mac: Mac, frame: u64) -> Result<bool, Breach> {
        match self.machine(address, mac) {
            Word::Silent => Ok(false),
            Word::Agrees => Ok(true),
            Word::Contradicts(pinned) => Err(Breach {
                points: OTHER_MACHINE,
                frame,
                observed: format!("{address} is at {}", written(mac)),
                expected: pinned_at(pinned),
                why: "The owner of this sensor has pinned which machines may have this address.",
            }),
        }
    }

    /// Whether an address speaks from a machine that may have it.
    pub(super) fn machine_of(&self, address: Addr, mac: Mac, frame: u64) -> Standing {
        match self.claim(address, mac, frame) {
            Ok(is_at_home) => Standing { is_at_home, ..Standing::default() },
            Err(breach) => Standing { is_elsewhere: true, breaches: vec![breach], ..Standing::default() },
        }
    }

    /// Who sends: its address and hardware address, where that is its own, and as what it speaks.
    pub(super) fn sender(&self, (role, address): (Role, Addr), mac: Option<Mac>, frame: u64) -> Standing {
        let mut standing = mac.map_or_else(Standing::default, |mac| self.machine_of(address, mac, frame));
        match self.pins.role(self.network.0, role, address) {
            Word::Silent => {}
            Word::Agrees => standing.is_named = true,
            Word::Contradicts(pinned) => standing.breaches.push(Breach {
                points: OTHER_SERVER,
                frame,
                observed: format!("{address} speaks as {}", name(role)),
                expected: pinned_as(pinned, role),
                why: "The owner of this sensor has pinned who may do so here.",
            }),
        }
        standing
    }

    /// Adds what is wrong with the machines that a message names.
    pub(super) fn settings(&self, standing: &mut Standing, (role, named): (Role, &[Addr]), frame: u64) {
        let strange = named.iter().find_map(|address| match self.pins.role(self.network.0, role, *address) {
            Word::Contradicts(pinned) => Some((address, pinned)),
            Word::Silent | Word::Agrees => None,
        });
        if let Some((address, pinned)) = strange {
            standing.breaches.push(Breach {
                points: OTHER_SETTINGS,
                frame,
                observed: format!("{address} is named as {}", name(role)),
                expected: pinned_as(pinned, role),
                why: "The owner of this sensor has pinned what devices may be told here.",
            });
        }
    }
}

/// Adds breaches to those known, of each kind the first.
pub(super) fn merge(known: &mut Vec<Breach>, more: Vec<Breach>) {
    for breach in more {
        if known.iter().all(|other| other.why != breach.why || other.observed != breach.observed) && known.len() < MOST {
            known.push(breach);
        }
    }
}

/// Breaches that are kept of one suspect.
const MOST: usize = 4;

/// The evidence: the gravest counts, each other adds a little.
pub(super) fn signals(code: &'static str, breaches: &[Breach]) -> Vec<Signal> {
    let gravest = breaches.iter().map(|breach| breach.points).max();
    let mut counted = false;
    let weigh = |breach: &Breach| {
        let is_gravest = !counted && Some(breach.points) == gravest;
        counted |= is_gravest;
        let points = if is_gravest { breach.points } else { MORE };
        signal(code, points, (breach.observed.clone(), breach.expected.clone()), vec![breach.frame], breach.why)
    };
    breaches.iter().map(weigh).collect()
}

fn pinned_at(pinned: &Pinned<Mac>) -> String {
    let values: Vec<String> = pinned.values.iter().map(|mac| written(*mac)).collect();
    format!("the pin \"{}\" has it at {}", pinned.pin, values.join(" or "))
}

fn pinned_as(pinned: &Pinned<Addr>, role: Role) -> String {
    let values: Vec<String> = pinned.values.iter().map(ToString::to_string).collect();
    format!("the pin \"{}\" names {} as {}", pinned.pin, values.join(" and "), name(role))
}

const fn name(role: Role) -> &'static str {
    match role {
        Role::Dhcp => "server of DHCP",
        Role::Router => "router",
        Role::Dns => "server of DNS",
    }
}
