//! The good state of a local network as its owner pins it: which machine has an address, who serves, who routes. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use toml::Spanned;

use crate::engine::decode::packet::Addr;
use crate::engine::local::Mac;

/// A pin, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinRule {
    /// Its name.
    pub name: Spanned<String>,
    /// Where that is known from.
    pub reason: Spanned<String>,
    /// The VLAN in which it holds, 0 for frames without a tag; everywhere when it is left out.
    #[serde(default)]
    pub vlan: Option<Spanned<i64>>,
    /// Addresses, and the hardware addresses of all machines that may have each.
    #[serde(default)]
    pub machines: BTreeMap<Spanned<String>, Spanned<OneOrMore>>,
    /// Servers of DHCP and DHCPv6.
    #[serde(default)]
    pub dhcp: Vec<Spanned<String>>,
    /// Routers that DHCP may name, that may announce themselves, and that may redirect.
    #[serde(default)]
    pub routers: Vec<Spanned<String>>,
    /// Servers of DNS that DHCP and routers may name.
    #[serde(default)]
    pub dns: Vec<Spanned<String>>,
}

/// A word, or a list of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMore(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Words)
    }
}

struct Words;

impl<'de> Visitor<'de> for Words {
    type Value = OneOrMore;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a hardware address or a list of them")
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<OneOrMore, E> {
        Ok(OneOrMore(vec![value.to_owned()]))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMore, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = seq.next_element()? {
            all.push(one);
        }
        Ok(OneOrMore(all))
    }
}

/// What a machine may be pinned as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A server of DHCP or DHCPv6.
    Dhcp,
    /// A router.
    Router,
    /// A server of DNS.
    Dns,
}

/// A pin, ready to be added.
#[derive(Clone, Debug, Default)]
pub struct Pin {
    /// `PinRule::name`.
    pub name: String,
    /// `PinRule::vlan`.
    pub vlan: Option<u16>,
    /// `PinRule::machines`.
    pub machines: Vec<(Addr, Vec<Mac>)>,
    /// `PinRule::dhcp`, `PinRule::routers` and `PinRule::dns`.
    pub roles: Vec<(Role, Addr)>,
}

/// What pins say of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word<'a, T> {
    /// Nothing.
    Silent,
    /// That it is as it should be.
    Agrees,
    /// That it should be one of these.
    Contradicts(&'a Pinned<T>),
}

/// What is pinned of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned<T> {
    /// All that it may be.
    pub values: BTreeSet<T>,
    /// The pin that said so first.
    pub pin: String,
}

/// All pins: of what several say all holds. Of routers and servers those of IPv4 and of IPv6 are apart: where none of a version is named, nothing is
/// said of that version.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    places: BTreeMap<Option<u16>, Place>,
}

/// What is pinned in one VLAN, or in all.
#[derive(Clone, Debug, Default)]
struct Place {
    machines: BTreeMap<Addr, Pinned<Mac>>,
    /// By role, and whether it is of IPv4.
    roles: BTreeMap<(Role, bool), Pinned<Addr>>,
}

impl<T> Word<'_, T> {
    /// As it should be.
    #[must_use]
    pub const fn agrees(&self) -> bool {
        matches!(self, Self::Agrees)
    }
}

impl Pins {
    /// Adds a pin.
    pub fn add(&mut self, pin: Pin) {
        let Pin { name, vlan, machines, roles } = pin;
        let place = self.places.entry(vlan).or_default();
        for (address, macs) in machines {
            place.machines.entry(address).or_insert_with(|| Pinned { values: BTreeSet::new(), pin: name.clone() }).values.extend(macs);
        }
        for (role, address) in roles {
            let key = (role, address.ip().is_ipv4());
            place.roles.entry(key).or_insert_with(|| Pinned { values: BTreeSet::new(), pin: name.clone() }).values.insert(address);
        }
    }

    /// Whether a machine may have an address. `vlan` is the outermost, 0 for none.
    #[must_use]
    pub fn machine(&self, vlan: u16, address: Addr, mac: Mac) -> Word<'_, Mac> {
        self.word(vlan, &mac, |place| place.machines.get(&address))
    }

    /// Whether the machine with an address may be what it says it is, or is said to be.
    #[must_use]
    pub fn role(&self, vlan: u16, role: Role, address: Addr) -> Word<'_, Addr> {
        self.word(vlan, &address, |place| place.roles.get(&(role, address.ip().is_ipv4())))
    }

    fn word<'a, T: Ord>(&'a self, vlan: u16, value: &T, pinned: impl Fn(&'a Place) -> Option<&'a Pinned<T>>) -> Word<'a, T> {
        let places = [None, Some(vlan)].into_iter().filter_map(|key| self.places.get(&key));
        let mut word = Word::Silent;
        for pinned in places.filter_map(pinned) {
            if pinned.values.contains(value) {
                return Word::Agrees;
            }
            if word == Word::Silent {
                word = Word::Contradicts(pinned);
            }
        }
        word
    }
}
