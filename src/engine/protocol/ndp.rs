//! Neighbour discovery of IPv6 (RFC 4861) and its redirect, as far as it says who is where; options that do not matter are passed over.

use super::dhcp;
use crate::engine::decode::packet::Addr;

/// Addresses that are kept of a list; more are left out.
const MOST_ADDRESSES: usize = 8;

/// A message of neighbour discovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ndp {
    /// Somebody asks who has an address.
    Solicitation {
        /// The address asked for.
        target: Addr,
        /// The sender's link-layer address; none in a test for duplicates.
        mac: Option<[u8; 6]>,
    },
    /// Somebody says that an address is theirs.
    Advertisement {
        /// The address.
        target: Addr,
        /// Its link-layer address.
        mac: Option<[u8; 6]>,
        /// An entry that the receiver has is to be replaced.
        overrides: bool,
    },
    /// A router says that it is one, and what is on the link.
    Router(RouterAdvertisement),
    /// A router names a better first hop for a destination.
    Redirect {
        /// The better first hop.
        target: Addr,
        /// The destination.
        destination: Addr,
        /// Link-layer address of the first hop.
        mac: Option<[u8; 6]>,
    },
}

/// A router advertisement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterAdvertisement {
    /// Seconds for which it wants to be a default router; 0 when it does not.
    pub lifetime: u16,
    /// It wants to be preferred (RFC 4191).
    pub preferred: bool,
    /// Its link-layer address.
    pub mac: Option<[u8; 6]>,
    /// Prefixes of the link.
    pub prefixes: Vec<Addr>,
    /// Servers of DNS (RFC 8106).
    pub dns: Vec<Addr>,
    /// Where the network's captive portal is (RFC 8910), at most 255 bytes of it.
    pub portal: Option<String>,
}

/// Option types (IANA).
mod option {
    pub(super) const SOURCE: u8 = 1;
    pub(super) const TARGET: u8 = 2;
    pub(super) const PREFIX: u8 = 3;
    pub(super) const DNS: u8 = 25;
    /// RFC 8910, section 2.3.
    pub(super) const PORTAL: u8 = 37;
}

impl Ndp {
    /// Reads the ICMPv6 message from its type on.
    #[must_use]
    pub fn read(message: &[u8]) -> Option<Self> {
        match *message.first()? {
            134 => router(message).map(Self::Router),
            135 => Some(Self::Solicitation { target: address(message, 8)?, mac: link_layer(message.get(24..)?, option::SOURCE) }),
            136 => Some(Self::Advertisement {
                target: address(message, 8)?,
                mac: link_layer(message.get(24..)?, option::TARGET),
                overrides: message.get(4)? & 0x20 != 0,
            }),
            137 => Some(Self::Redirect {
                target: address(message, 8)?,
                destination: address(message, 24)?,
                mac: link_layer(message.get(40..)?, option::TARGET),
            }),
            _ => None,
        }
    }
}

fn router(message: &[u8]) -> Option<RouterAdvertisement> {
    let &[_, _, _, _, _, flags, life0, life1, ..] = message.first_chunk::<16>()?;
    let body = message.get(16..)?;
    let mut said = RouterAdvertisement {
        lifetime: u16::from_be_bytes([life0, life1]),
        preferred: flags & 0x18 == 0x08,
        mac: link_layer(body, option::SOURCE),
        ..RouterAdvertisement::default()
    };
    for (kind, option) in options(body) {
        match kind {
            option::PREFIX if said.prefixes.len() < MOST_ADDRESSES => said.prefixes.extend(address(option, 16)),
            option::PORTAL => said.portal = option.get(2..option.len().min(257)).and_then(dhcp::portal),
            option::DNS => {
                let room = MOST_ADDRESSES - said.dns.len();
                let list = option.get(8..).unwrap_or(&[]);
                said.dns.extend(list.as_chunks::<16>().0.iter().take(room).map(|octets| Addr::v6(*octets)));
            }
            _ => {}
        }
    }
    Some(said)
}

fn address(bytes: &[u8], at: usize) -> Option<Addr> {
    bytes.get(at..)?.first_chunk::<16>().map(|octets| Addr::v6(*octets))
}

fn link_layer(body: &[u8], wanted: u8) -> Option<[u8; 6]> {
    options(body).find(|(kind, _)| *kind == wanted).and_then(|(_, option)| option.get(2..)?.first_chunk().copied())
}

/// The options with their headers. A length of 0 is malformed and ends them (RFC 4861, section 4.6).
fn options(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let &[kind, words, ..] = rest.first_chunk::<2>()?;
        let (option, behind) = rest.split_at_checked(usize::from(words) * 8).filter(|(option, _)| !option.is_empty())?;
        rest = behind;
        Some((kind, option))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v6(last: u8) -> [u8; 16] {
        let mut octets = [0; 16];
        (octets[0], octets[15]) = (0xfe, last);
        octets
    }

    #[test]
    fn a_router_says_its_lifetime_prefix_and_dns() {
        let mut bytes = vec![134, 0, 0, 0, 64, 0x08, 0x07, 0x08];
        bytes.extend([0; 8]);
        bytes.extend([1, 1, 2, 0, 0, 0, 0, 1]);
        bytes.extend([[3, 4].as_slice(), &[0; 14], &v6(0)].concat());
        bytes.extend([[25, 5].as_slice(), &[0; 6], &v6(53), &v6(54)].concat());
        bytes.extend([[37, 4].as_slice(), b"https://portal.hotel.test/api", &[0]].concat());
        let said = RouterAdvertisement {
            lifetime: 1800,
            preferred: true,
            mac: Some([2, 0, 0, 0, 0, 1]),
            prefixes: vec![Addr::v6(v6(0))],
            dns: vec![Addr::v6(v6(53)), Addr::v6(v6(54))],
            portal: Some("https://portal.hotel.test/api".to_owned()),
        };
        assert_eq!(Ndp::read(&bytes), Some(Ndp::Router(said)));
    }

    #[test]
    fn an_advertisement_claims_an_address() {
        let bytes = [[136, 0, 0, 0, 0x60, 0, 0, 0].as_slice(), &v6(1), &[2, 1, 2, 0, 0, 0, 0, 9]].concat();
        let claim = Ndp::Advertisement { target: Addr::v6(v6(1)), mac: Some([2, 0, 0, 0, 0, 9]), overrides: true };
        assert_eq!(Ndp::read(&bytes), Some(claim));
    }

    #[test]
    fn what_is_cut_or_has_empty_options_ends_there() {
        let whole = [[135, 0, 0, 0, 0, 0, 0, 0].as_slice(), &v6(1), &[0, 0, 1, 1, 2, 2, 2, 2, 2, 2]].concat();
        assert_eq!(Ndp::read(&whole), Some(Ndp::Solicitation { target: Addr::v6(v6(1)), mac: None }));
        for len in 0..24 {
            assert_eq!(Ndp::read(&whole[..len]), None);
        }
    }
}
