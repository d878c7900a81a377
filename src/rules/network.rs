//! Networks of either family, as rules, settings and mutes name them.

use std::net::IpAddr;

use crate::engine::decode::packet::Addr;

/// A network, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: u128,
    last: u128,
}

impl Network {
    /// `192.0.2.0/24`, `2001:db8::/32`, or an address alone. Bits behind the length say nothing.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length: u32 = length.map_or(Some(whole), |length| length.parse().ok())?;
        let mask = u128::MAX.checked_shl(whole.checked_sub(length)?).unwrap_or(0);
        let Addr(bits) = Addr::from(address);
        Some(Self { first: bits & mask, last: bits | !mask })
    }

    /// Whether the address lies in it.
    #[must_use]
    pub fn holds(self, Addr(address): Addr) -> bool {
        (self.first..=self.last).contains(&address)
    }

    /// Its first address and its last.
    #[must_use]
    pub const fn ends(self) -> (Addr, Addr) {
        (Addr(self.first), Addr(self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addr(text: &str) -> Addr {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn networks_reach_from_their_first_address_to_their_last() {
        let ends = |text: &str| Network::parse(text).map(Network::ends);
        assert_eq!(ends("192.0.2.77/24"), Some((addr("192.0.2.0"), addr("192.0.2.255"))));
        assert_eq!(ends("::/0"), Some((Addr(0), Addr(u128::MAX))));
        assert_eq!(ends("192.0.2.1"), Some((addr("192.0.2.1"), addr("192.0.2.1"))));
        for bad in ["", "192.0.2.0/33", "2001::/129", "192.0.2.0/", "a.example"] {
            assert_eq!(ends(bad), None, "{bad}");
        }
    }

    #[test]
    fn addresses_lie_in_networks_of_their_family() {
        let holds = |network: &str, address: &str| Network::parse(network).is_some_and(|network| network.holds(addr(address)));
        assert!(holds("10.0.0.0/8", "10.200.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("2001:db8::/32", "2001:db8:9::1") && !holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
    }
}
