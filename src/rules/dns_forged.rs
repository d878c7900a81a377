//! Pools of addresses that forged answers of DNS are known to carry, as data (`rules/dns_forged.toml`).

use serde::Deserialize;
use std::collections::BTreeMap;
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

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
}
