//! Pools of addresses that forged answers of DNS are known to carry, as data (`rules/dns_forged.toml`).

use std::fmt;
use std::net::IpAddr;

use serde::Deserialize;

use crate::engine::decode::packet::Addr;

/// The pools that are shipped.
const SHIPPED: &str = include_str!("../../rules/dns_forged.toml");

/// Known pools.
#[derive(Debug, Default)]
pub struct ForgedAddresses {
    pools: Vec<Pool>,
    /// First and last address of each range, and the index of its pool.
    ranges: Vec<(Addr, Addr, usize)>,
}

/// Addresses of one forger.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// What is known by it.
    pub name: String,
    /// Who published them.
    pub source: String,
    /// When, as a year or a date.
    pub date: String,
    /// Addresses, or networks as `2001::/32`.
    pub addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pool: Vec<Pool>,
}

/// Why a file of pools was refused.
#[derive(Debug)]
pub enum PoolError {
    /// A syntax error, an unknown or a missing key, with line and column.
    Syntax(toml::de::Error),
    /// Neither an address nor a network: the pool's name, and what stands there.
    Address(String, String),
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => error.fmt(f),
            Self::Address(pool, text) => write!(f, "pool \"{pool}\": \"{text}\" is neither an address nor a network such as 192.0.2.0/24"),
        }
    }
}

impl std::error::Error for PoolError {}

impl ForgedAddresses {
    /// The shipped pools.
    ///
    /// # Errors
    /// When the shipped file does not parse; a test sees to it that it does.
    pub fn shipped() -> Result<Self, PoolError> {
        Self::parse(SHIPPED)
    }

    /// From the text of a file.
    ///
    /// # Errors
    /// See `PoolError`.
    pub fn parse(text: &str) -> Result<Self, PoolError> {
        let pools = toml::from_str::<File>(text).map_err(PoolError::Syntax)?.pool;
        let mut ranges = Vec::new();
        for (index, pool) in pools.iter().enumerate() {
            for text in &pool.addresses {
                let (first, last) = range(text).ok_or_else(|| PoolError::Address(pool.name.clone(), text.clone()))?;
                ranges.push((first, last, index));
            }
        }
        Ok(Self { pools, ranges })
    }

    /// The pools.
    #[must_use]
    pub fn pools(&self) -> &[Pool] {
        &self.pools
    }

    /// The first pool that an address is in.
    #[must_use]
    pub fn pool_of(&self, address: Addr) -> Option<&Pool> {
        let range = self.ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&address));
        range.and_then(|(_, _, index)| self.pools.get(*index))
    }
}

/// First and last address.
fn range(text: &str) -> Option<(Addr, Addr)> {
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
        let pools = ForgedAddresses::shipped().unwrap();
        assert!(pools.pools().len() >= 3);
        assert!(pools.pools().iter().all(|pool| !pool.source.is_empty() && !pool.date.is_empty() && !pool.addresses.is_empty()));
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

    #[test]
    fn a_mistake_is_named() {
        let pool = |address: &str| format!("[[pool]]\nname = \"x\"\nsource = \"y\"\ndate = \"2026\"\naddresses = [\"{address}\"]\n");
        assert!(ForgedAddresses::parse(&pool("192.0.2.1")).is_ok());
        assert!(ForgedAddresses::parse(&pool("192.0.2.300")).unwrap_err().to_string().contains("192.0.2.300"));
        assert!(ForgedAddresses::parse("[[pool]]\ncolour = 1\n").unwrap_err().to_string().contains("line 2"));
    }
}
