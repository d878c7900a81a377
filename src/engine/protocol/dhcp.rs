//! Answers of DHCP (RFC 2131) and DHCPv6 (RFC 8415) servers, as far as they say which way a client's traffic will go.

use crate::engine::decode::packet::Addr;

/// Addresses that are kept of a list; more are left out.
const MOST_ADDRESSES: usize = 8;
/// Bytes of the longest identifier of a DHCPv6 server (RFC 8415, section 11.1).
const LONGEST_IDENTIFIER: usize = 130;

/// What a server offers or grants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Granted; otherwise only offered.
    pub granted: bool,
    /// Number of the exchange, chosen by the client.
    pub transaction: u32,
    /// Who the server says it is: of DHCP its address, of DHCPv6 its unique identifier.
    pub server: Vec<u8>,
    /// The client's hardware address; none in DHCPv6.
    pub client: Option<[u8; 6]>,
    /// The address given.
    pub address: Option<Addr>,
    /// Default routers.
    pub routers: Vec<Addr>,
    /// Servers of DNS.
    pub dns: Vec<Addr>,
    /// Where the network's captive portal is (RFC 8910), at most 255 bytes of it.
    pub portal: Option<String>,
    /// It came by way of a relay.
    pub relayed: bool,
}

/// Option codes of DHCP (RFC 2132).
mod option {
    pub(super) const ROUTERS: u8 = 3;
    pub(super) const DNS: u8 = 6;
    pub(super) const KIND: u8 = 53;
    pub(super) const SERVER: u8 = 54;
    /// RFC 8910, section 2.1.
    pub(super) const PORTAL: u8 = 114;
    pub(super) const END: u8 = 255;
}

/// Reads what a DHCP server says; none of what clients say, and of refusals.
#[must_use]
pub fn read_v4(message: &[u8]) -> Option<Lease> {
    const COOKIE: [u8; 4] = [99, 130, 83, 99];
    let (fixed, rest) = message.split_first_chunk::<236>()?;
    let (cookie, rest) = rest.split_first_chunk::<4>()?;
    let &[2, _, hardware_len, _, x0, x1, x2, x3, ..] = fixed else { return None };
    if *cookie != COOKIE {
        return None;
    }
    let address = |at: usize| fixed.get(at..)?.first_chunk::<4>().copied().filter(|octets| *octets != [0; 4]).map(Addr::v4);
    let mut lease = Lease {
        granted: false,
        transaction: u32::from_be_bytes([x0, x1, x2, x3]),
        server: Vec::new(),
        client: fixed.get(28..).and_then(|bytes| bytes.first_chunk().copied()).filter(|_| hardware_len == 6),
        address: address(16),
        routers: Vec::new(),
        dns: Vec::new(),
        portal: None,
        relayed: address(24).is_some(),
    };
    let mut kind = 0;
    for (code, value) in options(rest) {
        match code {
            option::KIND => kind = value.first().copied().unwrap_or(0),
            option::SERVER => lease.server = value.get(..4)?.to_vec(),
            option::ROUTERS => lease.routers = v4_list(value),
            option::DNS => lease.dns = v4_list(value),
            option::PORTAL => lease.portal = portal(value),
            _ => {}
        }
    }
    lease.granted = kind == 5;
    (matches!(kind, 2 | 5) && !lease.server.is_empty()).then_some(lease)
}

/// An address of a portal; a name that says that there is none (RFC 8910, section 2) is no web address.
pub(super) fn portal(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.trim_end_matches('\0');
    text.starts_with("http").then(|| text.to_owned())
}

fn v4_list(value: &[u8]) -> Vec<Addr> {
    value.as_chunks::<4>().0.iter().take(MOST_ADDRESSES).map(|octets| Addr::v4(*octets)).collect()
}

fn options(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        while let [0, behind @ ..] = rest {
            rest = behind;
        }
        let (&[code, len], behind) = rest.split_first_chunk::<2>().filter(|(head, _)| head.first() != Some(&option::END))?;
        let (value, behind) = behind.split_at_checked(usize::from(len))?;
        rest = behind;
        Some((code, value))
    })
}

/// Reads what a DHCPv6 server says to a client itself; none of what clients and relays say.
#[must_use]
pub fn read_v6(message: &[u8]) -> Option<Lease> {
    const ADVERTISE: u8 = 2;
    const REPLY: u8 = 7;
    let (&[kind, x0, x1, x2], mut rest) = message.split_first_chunk::<4>()?;
    if !matches!(kind, ADVERTISE | REPLY) {
        return None;
    }
    let mut lease = Lease {
        granted: kind == REPLY,
        transaction: u32::from_be_bytes([0, x0, x1, x2]),
        server: Vec::new(),
        client: None,
        address: None,
        routers: Vec::new(),
        dns: Vec::new(),
        portal: None,
        relayed: false,
    };
    while let Some((&[c0, c1, l0, l1], behind)) = rest.split_first_chunk::<4>() {
        let (value, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
        match u16::from_be_bytes([c0, c1]) {
            2 => lease.server = value.get(..value.len().min(LONGEST_IDENTIFIER))?.to_vec(),
            23 => lease.dns = value.as_chunks::<16>().0.iter().take(MOST_ADDRESSES).map(|octets| Addr::v6(*octets)).collect(),
            // RFC 8910, section 2.2.
            103 => lease.portal = portal(value.get(..value.len().min(255))?),
            _ => {}
        }
        rest = behind;
    }
    (!lease.server.is_empty()).then_some(lease)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(options: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 236];
        bytes[..8].copy_from_slice(&[2, 1, 6, 0, 1, 2, 3, 4]);
        bytes[16..20].copy_from_slice(&[192, 0, 2, 7]);
        bytes[28..34].copy_from_slice(&[2, 0, 0, 0, 0, 7]);
        bytes.extend([99, 130, 83, 99]);
        bytes.extend(options);
        bytes
    }

    #[test]
    fn an_offer_says_who_offers_what_to_whom() {
        let lease =
            read_v4(&answer(&[53, 1, 2, 0, 54, 4, 192, 0, 2, 1, 3, 4, 192, 0, 2, 1, 6, 8, 192, 0, 2, 53, 192, 0, 2, 54, 255])).unwrap();
        assert_eq!((lease.granted, lease.transaction, lease.relayed), (false, 0x0102_0304, false));
        assert_eq!((lease.server, lease.client), (vec![192, 0, 2, 1], Some([2, 0, 0, 0, 0, 7])));
        assert_eq!((lease.address, lease.routers), (Some(Addr::v4([192, 0, 2, 7])), vec![Addr::v4([192, 0, 2, 1])]));
        assert_eq!(lease.dns, [Addr::v4([192, 0, 2, 53]), Addr::v4([192, 0, 2, 54])]);
    }

    #[test]
    fn a_lease_may_say_where_the_portal_is() {
        let uri = b"https://portal.hotel.test/api";
        let with = |uri: &[u8]| {
            read_v4(&answer(&[&[53, 1, 5, 54, 4, 192, 0, 2, 1, 114, uri.len() as u8][..], uri, &[255]].concat())).unwrap().portal
        };
        assert_eq!(with(uri).as_deref(), Some("https://portal.hotel.test/api"));
        assert_eq!(with(b"urn:ietf:params:capport:unrestricted"), None);
    }

    #[test]
    fn refusals_questions_and_halves_say_nothing() {
        assert_eq!(read_v4(&answer(&[53, 1, 6, 54, 4, 192, 0, 2, 1, 255])), None, "a refusal");
        assert_eq!(read_v4(&answer(&[53, 1, 5, 255])), None, "a server without a name");
        let mut question = answer(&[53, 1, 1, 255]);
        question[0] = 1;
        assert_eq!(read_v4(&question), None);
        let whole = answer(&[53, 1, 5, 54, 4, 192, 0, 2, 1]);
        assert!(read_v4(&whole).is_some_and(|lease| lease.granted), "without the end mark");
        for len in 0..whole.len() {
            assert_eq!(read_v4(&whole[..len]), None);
        }
    }

    #[test]
    fn a_reply_of_version_six_names_its_dns() {
        let dns = [[0x20, 1, 0x0d, 0xb8].as_slice(), &[0; 11], &[53]].concat();
        let bytes = [[7, 0, 0, 9, 0, 2, 0, 4, 0, 3, 0, 1, 0, 23, 0, 16].as_slice(), &dns].concat();
        let lease = read_v6(&bytes).unwrap();
        assert_eq!((lease.granted, lease.transaction, lease.server.as_slice()), (true, 9, &[0, 3, 0, 1][..]));
        assert_eq!(lease.dns.len(), 1);
        assert_eq!(read_v6(&[1, 0, 0, 9]), None, "a question");
    }
}
