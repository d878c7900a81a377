//! Pools of addresses that forged answers of DNS are known to carry, as data (`rules/dns_forged.toml`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;
use toml::Spanned;

use crate::engine::decode::packet::Addr;

/// A pool, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolRule {
    /// What is known by it.
    pub name: Spanned<String>,
    /// Who published them.
    pub source: String,
    /// When, as a year or a date.
    pub date: String,
    /// Addresses, or networks as `2001::/32`.
    pub addresses: Vec<Spanned<String>>,
}

/// Addresses of one forger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// `PoolRule::name`.
    pub name: String,
    /// `PoolRule::source`.
    pub source: String,
    /// `PoolRule::date`.
    pub date: String,
}

/// Known pools.
#[derive(Debug, Default)]
pub struct ForgedAddresses {
    pools: Vec<Pool>,
    /// Single addresses, and the index of the pool of each.
    single: BTreeMap<Addr, usize>,
    /// First and last address of each network, and the index of its pool.
    networks: Vec<(Addr, Addr, usize)>,
}

impl ForgedAddresses {
    /// Adds a pool with the first and last address of each of its ranges.
    pub fn add(&mut self, pool: Pool, ranges: &[(Addr, Addr)]) {
        let index = self.pools.len();
        self.pools.push(pool);
        for (first, last) in ranges {
            if first == last {
                self.single.entry(*first).or_insert(index);
            } else {
                self.networks.push((*first, *last, index));
            }
        }
    }

    /// The pools.
    #[must_use]
    pub fn pools(&self) -> &[Pool] {
        &self.pools
    }

    /// The first pool that an address is in; where one names it alone, that one.
    #[must_use]
    pub fn pool_of(&self, address: Addr) -> Option<&Pool> {
        let network = || self.networks.iter().find(|(first, last, _)| (*first..=*last).contains(&address)).map(|(_, _, index)| *index);
        self.pools.get(self.single.get(&address).copied().or_else(network)?)
    }
}

/// First and last address.
pub(super) fn range(text: &str) -> Option<(Addr, Addr)> {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address: IpAddr = address.parse().ok()?;
    let whole = if address.is_ipv4() { 32 } else { 128 };
    let length: u32 = length.map_or(Some(whole), |length| length.parse().ok())?;
    let host_bits = whole.checked_sub(length)?;
    let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
    let Addr(bits) = Addr::from(address);
    Some((Addr(bits & mask), Addr(bits | !mask)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> Addr {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn every_shipped_pool_has_a_source_and_a_date() {
        let pools = super::super::shipped().rules.forged_addresses;
        assert!(pools.pools().len() >= 3);
        assert!(pools.pools().iter().all(|pool| !pool.source.is_empty() && !pool.date.is_empty()));
        assert_eq!(pools.pool_of(addr("10.10.34.35")).map(|pool| pool.date.as_str()), Some("2018-01-14"));
        assert!(pools.pool_of(addr("2001:0:1:2::3")).is_some());
        assert!(pools.pool_of(addr("2001:db8::1")).is_none());
        assert!(pools.pool_of(addr("192.0.2.1")).is_none());
    }

    #[test]
    fn a_network_reaches_from_its_first_to_its_last_address() {
        assert_eq!(range("192.0.2.77/24"), Some((addr("192.0.2.0"), addr("192.0.2.255"))));
        assert_eq!(range("::/0"), Some((Addr(0), Addr(u128::MAX))));
        assert_eq!(range("192.0.2.1"), Some((addr("192.0.2.1"), addr("192.0.2.1"))));
        for bad in ["", "192.0.2.0/33", "2001::/129", "192.0.2.0/", "a.example"] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }
}
