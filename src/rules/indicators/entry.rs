//! One indicator: from a spelling to the key that it is found by. What is looked up goes through the same rules.

use std::borrow::Cow;
use std::net::IpAddr;

use super::defang::refanged;
use crate::engine::decode::packet::Addr;
use crate::engine::protocol::url::Address;

/// Longest spelling that is taken.
pub(super) const LONGEST: usize = 2 << 10;
/// A network larger than this is no indicator: every eighth of a percent of the Internet would be listed.
const WIDEST_V4: u8 = 8;
/// The same for IPv6: one regional registry's block has twelve bits and more.
const WIDEST_V6: u8 = 16;

/// What an indicator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A domain, and every name below it.
    Domain,
    /// A web address, and what lies below it.
    Url,
    /// An IPv4 address or network.
    Ipv4,
    /// An IPv6 address or network.
    Ipv6,
}

/// All kinds, in the order of their numbers.
pub(super) const KINDS: [Kind; 4] = [Kind::Domain, Kind::Url, Kind::Ipv4, Kind::Ipv6];

impl Kind {
    /// The name, as STIX has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Domain => "domain-name",
            Self::Url => "url",
            Self::Ipv4 => "ipv4-addr",
            Self::Ipv6 => "ipv6-addr",
        }
    }
    /// The first byte of its keys.
    pub(super) const fn mark(self) -> u8 {
        match self {
            Self::Domain => b'd',
            Self::Url => b'u',
            Self::Ipv4 => b'4',
            Self::Ipv6 => b'6',
        }
    }
    pub(super) fn of_mark(mark: u8) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.mark() == mark)
    }
}

/// What the text of an indicator may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whatever it looks like.
    Any,
    /// A name; an address is taken too, for lists put them there.
    Host,
    /// A web address, with its scheme or without.
    Url,
    /// An address or a network.
    Address,
}

/// An indicator as it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Kind,
    pub(super) key: Vec<u8>,
    /// Length of the network in bits.
    pub(super) prefix: Option<u8>,
}

/// Why a text is no indicator, and what would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("is neither a domain, an address, a network nor a web address")]
    Unknown,
    #[error("is a whole top-level domain or public suffix: name a domain below it")]
    Suffix,
    #[error("is too large a network: /{WIDEST_V4} (IPv4) and /{WIDEST_V6} (IPv6) are the largest")]
    TooWide,
    #[error("is longer than {LONGEST} bytes")]
    TooLong,
    #[error("names no host: a path alone matches everywhere")]
    NoHost,
}

/// What a text names.
pub(super) fn entry(text: &str, wanted: Wanted) -> Result<Entry, Refusal> {
    if text.len() > LONGEST {
        return Err(Refusal::TooLong);
    }
    let text = refanged(text);
    let text = text.trim_end_matches(',');
    if wanted == Wanted::Url || (wanted != Wanted::Address && text.contains("://")) {
        return url(text);
    }
    if let Some(found) = address(text) {
        return found;
    }
    match text.split_once('/') {
        Some((host, _)) if wanted == Wanted::Any && host.contains('.') => url(text),
        Some(_) => Err(Refusal::Unknown),
        None if wanted == Wanted::Address => Err(Refusal::Unknown),
        None => domain(text),
    }
}

fn url(text: &str) -> Result<Entry, Refusal> {
    let address = if text.contains("://") {
        Address::parse(text)
    } else if text.starts_with('/') {
        return Err(Refusal::NoHost);
    } else {
        Address::parse(&format!("http://{text}"))
    };
    let address = address.filter(|address| matches!(address.scheme(), "http" | "https" | "ws" | "wss" | "ftp")).ok_or(Refusal::Unknown)?;
    if address.host().parse::<IpAddr>().is_err() {
        domain(address.host())?;
    }
    Ok(Entry { kind: Kind::Url, key: url_key(&address), prefix: None })
}

/// Host, port where it is not the scheme's, path and query: the scheme and the fragment tell nothing of who is there.
pub(super) fn url_key(address: &Address) -> Vec<u8> {
    let mut key = vec![Kind::Url.mark()];
    key.extend(address.host().as_bytes());
    let usual = match address.scheme() {
        "https" | "wss" => 443,
        "ftp" => 21,
        _ => 80,
    };
    if let Some(port) = address.port().filter(|port| *port != usual) {
        key.extend(format!(":{port}").as_bytes());
    }
    key.extend(address.path().as_bytes());
    if let Some(query) = address.query() {
        key.push(b'?');
        key.extend(query.as_bytes());
    }
    key
}

/// An address, with a port that is left out or a prefix length; none when it is neither.
fn address(text: &str) -> Option<Result<Entry, Refusal>> {
    if let Some((network, length)) = text.split_once('/') {
        let ip: IpAddr = network.trim_matches(['[', ']']).parse().ok()?;
        let length: u8 = length.parse().ok()?;
        return Some(of_network(ip, length));
    }
    let bare = text.trim_matches(['[', ']']).parse().ok();
    let ip: IpAddr = bare.or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|with_port| with_port.ip())).or_else(|| {
        // MISP writes `address|port`.
        let (ip, port) = text.split_once('|')?;
        port.parse::<u16>().ok()?;
        ip.parse().ok()
    })?;
    let whole = if ip.is_ipv4() { 32 } else { 128 };
    Some(of_network(ip, whole))
}

fn of_network(ip: IpAddr, length: u8) -> Result<Entry, Refusal> {
    let (whole, widest) = if ip.is_ipv4() { (32, WIDEST_V4) } else { (128, WIDEST_V6) };
    if length > whole {
        return Err(Refusal::Unknown);
    }
    if length < widest {
        return Err(Refusal::TooWide);
    }
    let (kind, key) = address_key(Addr::from(ip), length);
    Ok(Entry { kind, key: key.as_slice().to_vec(), prefix: Some(length) })
}

/// The key of the network of so many bits that an address lies in, without a look into the heap.
#[derive(Clone, Copy, Debug)]
pub(super) struct NetworkKey {
    bytes: [u8; 18],
    len: usize,
}

impl NetworkKey {
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// See `NetworkKey`.
pub(super) fn address_key(addr: Addr, length: u8) -> (Kind, NetworkKey) {
    let mut bytes = [0; 18];
    let (kind, count, whole) = match addr.ip() {
        IpAddr::V4(v4) => (Kind::Ipv4, 4, u128::from(u32::from(v4)) << 96),
        IpAddr::V6(v6) => (Kind::Ipv6, 16, u128::from(v6)),
    };
    let host_bits = 128 - u32::from(length.min(128));
    let network = whole & u128::MAX.checked_shl(host_bits).unwrap_or(0);
    let head = std::iter::once(kind.mark()).chain(network.to_be_bytes().into_iter().take(count)).chain([length]);
    for (slot, byte) in bytes.iter_mut().zip(head) {
        *slot = byte;
    }
    (kind, NetworkKey { bytes, len: count + 2 })
}

fn domain(text: &str) -> Result<Entry, Refusal> {
    let text = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    let text = match text.split_once([':', '|']) {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        _ => text,
    };
    let host = normal_host(text).filter(|host| is_name(host)).ok_or(Refusal::Unknown)?;
    // Lists of the private section, as `blogspot.com`, are names that somebody registered.
    let is_suffix = psl::suffix(host.as_bytes())
        .is_some_and(|suffix| suffix.as_bytes() == host.as_bytes() && (suffix.typ() != Some(psl::Type::Private)));
    if is_suffix || !host.contains('.') {
        return Err(Refusal::Suffix);
    }
    Ok(Entry { kind: Kind::Domain, key: domain_key(&host), prefix: None })
}

/// The name from its end: what lies below a domain then begins with it.
pub(super) fn domain_key(host: &str) -> Vec<u8> {
    std::iter::once(Kind::Domain.mark()).chain(host.bytes().rev()).collect()
}

/// Lower case, in its ASCII form (IDNA, RFC 5890), without trailing dots; none when it is no name.
pub(super) fn normal_host(text: &str) -> Option<Cow<'_, str>> {
    // As nearly all names are written.
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() | byte.is_ascii_digit() | matches!(byte, b'.' | b'-');
    if text.as_bytes().iter().fold(true, |is_normal, byte| is_normal & is_plain(byte)) && !text.ends_with('.') {
        return Some(Cow::Borrowed(text));
    }
    let text = text.trim().trim_end_matches('.');
    if text.is_ascii() {
        let lower = if text.bytes().any(|byte| byte.is_ascii_uppercase()) { text.to_ascii_lowercase().into() } else { Cow::Borrowed(text) };
        return Some(lower);
    }
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) => Some(name.trim_end_matches('.').to_owned().into()),
        _ => None,
    }
}

/// Labels of letters, digits, hyphens and, as names in use have them, underscores (RFC 1035, section 2.3.4).
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253 && host.split('.').all(label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<(Kind, String), Refusal> {
        let entry = entry(text, Wanted::Any)?;
        Ok((entry.kind, String::from_utf8_lossy(&entry.key).into_owned()))
    }

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for name in ["evil.example", "EVIL.Example.", "*.evil.example", ".evil.example", "evil[.]example", "evil.example:8443"] {
            assert_eq!(shown(name), Ok((Kind::Domain, "delpmaxe.live".to_owned())), "{name}");
        }
        assert_eq!(shown("b\u{fc}cher.example"), shown("xn--bcher-kva.example"));
    }

    #[test]
    fn a_web_address_loses_scheme_port_and_fragment() {
        for url in ["http://evil.example/a?b", "hxxps://EVIL[.]example/a?b#c", "https://evil.example:443/a?b", "evil.example/a?b"] {
            assert_eq!(shown(url), Ok((Kind::Url, "uevil.example/a?b".to_owned())), "{url}");
        }
        assert_eq!(shown("http://evil.example:8080"), Ok((Kind::Url, "uevil.example:8080/".to_owned())));
    }

    #[test]
    fn addresses_and_networks_are_told_from_paths() {
        for (text, kind, prefix) in [
            ("198.51.100.7", Kind::Ipv4, 32),
            ("198.51.100.7:8080", Kind::Ipv4, 32),
            ("198.51.100.7|8080", Kind::Ipv4, 32),
            ("198.51.100.0/24", Kind::Ipv4, 24),
            ("2001:db8::1", Kind::Ipv6, 128),
            ("[2001:db8::1]:443", Kind::Ipv6, 128),
            ("2001:db8::/32", Kind::Ipv6, 32),
        ] {
            let entry = entry(text, Wanted::Any).expect(text);
            assert_eq!((entry.kind, entry.prefix), (kind, Some(prefix)), "{text}");
        }
        assert_eq!(shown("198.51.100.7/a").map(|(kind, _)| kind), Ok(Kind::Url));
        assert_eq!(shown("198.51.100.77/25"), shown("198.51.100.0/25"), "host bits count nothing");
    }

    #[test]
    fn what_would_match_half_the_internet_is_refused() {
        assert_eq!(shown("com"), Err(Refusal::Suffix));
        assert_eq!(shown("co.uk"), Err(Refusal::Suffix));
        assert_eq!(shown("0.0.0.0/0"), Err(Refusal::TooWide));
        assert_eq!(shown("2000::/3"), Err(Refusal::TooWide));
        assert_eq!(shown("not a name"), Err(Refusal::Unknown));
        assert_eq!(shown("1.2.3"), Err(Refusal::Unknown));
        assert_eq!(entry("/gate.php", Wanted::Url), Err(Refusal::NoHost));
    }
}
