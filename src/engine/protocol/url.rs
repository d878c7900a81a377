//! Web addresses, understood as browsers understand them: a thin layer over the `url` crate (the WHATWG URL standard) and the public suffix
//! list.

use std::net::IpAddr;

use url::{Host, Url};

/// Longest address that is read, in bytes; of a longer one the beginning counts.
const ADDRESS_MAX: usize = 2 << 10;

/// An absolute address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    url: Url,
    host: String,
}

impl Address {
    /// The address that a request asks for: `host` and `target` as in the request, the scheme is http. `host` may name a port, else `port` is
    /// the connection's. None when they make no address.
    #[must_use]
    pub fn of_request(host: &str, port: u16, target: &str) -> Option<Self> {
        let (host, target) = (cut(host), cut(target));
        let mut base = Url::parse(&format!("http://{host}/")).ok()?;
        if base.port().is_none() && !names_port(host) {
            base.set_port(Some(port)).ok()?;
        }
        let is_absolute = target.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let url = if is_absolute {
            Url::parse(target).ok()?
        } else {
            // A target that begins with two slashes is a path here, not an authority.
            let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
            base.set_path(path);
            base.set_query(query);
            base
        };
        Self::of_url(url)
    }

    /// Where a redirect to `target` leads from here (RFC 3986, section 5, with what browsers forgive). None for what is no web address, such as
    /// `javascript:`.
    #[must_use]
    pub fn resolve(&self, target: &str) -> Option<Self> {
        let target: String = cut(target).trim_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
        let after_slashes = target.trim_start_matches(['/', '\\']);
        // Browsers take any number of slashes from two on for the start of an authority; the crate refuses three.
        let url = match target.len().saturating_sub(after_slashes.len()) {
            0 | 1 => self.url.join(&target),
            _ => Url::parse(&format!("{}://{after_slashes}", self.scheme())),
        };
        Self::of_url(url.ok()?)
    }

    /// An absolute address by itself.
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        Self::of_url(Url::parse(cut(address)).ok()?)
    }

    fn of_url(url: Url) -> Option<Self> {
        let host = match url.host()? {
            Host::Domain(name) => normal_host(name),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        (!host.is_empty()).then_some(Self { url, host })
    }

    /// Scheme, lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// Host, lower case, without trailing dot, brackets or user information.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Port, else the default of the scheme; None when the scheme has none.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        self.url.port_or_known_default()
    }

    /// Path, from its slash on, without query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// Query, without the question mark.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.url.query()
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }
}

/// The site that `host` belongs to: the name under its public suffix. An IP literal, and a name without such a suffix, is a site of its own.
#[must_use]
pub fn registrable_domain(host: &str) -> String {
    let host = normal_host(host);
    if is_ip_literal(&host) {
        return host;
    }
    psl::domain_str(&host).map(str::to_owned).unwrap_or(host)
}

/// True when the two hosts belong to different sites.
#[must_use]
pub fn is_cross_site(host_a: &str, host_b: &str) -> bool {
    registrable_domain(host_a) != registrable_domain(host_b)
}

/// True when `host` is an IP address, with or without brackets.
#[must_use]
pub fn is_ip_literal(host: &str) -> bool {
    normal_host(host).parse::<IpAddr>().is_ok()
}

/// Lower case, without brackets and trailing dots.
fn normal_host(host: &str) -> String {
    let host = cut(host).trim();
    let host = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// True when `host` ends in a port of its own, be it the default one.
fn names_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
        && !host.ends_with(']')
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(ADDRESS_MAX)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{Address, is_cross_site, is_ip_literal, registrable_domain};

    fn page() -> Address {
        Address::of_request("Shop.Example.com", 80, "/a/b?c=d").unwrap()
    }

    fn led_to(target: &str) -> String {
        page().resolve(target).unwrap().as_str().to_owned()
    }

    #[test]
    fn every_form_of_target_is_resolved() {
        for (target, expected) in [
            ("https://other.example/x", "https://other.example/x"),
            ("//other.example/x", "http://other.example/x"),
            ("/x", "http://shop.example.com/x"),
            ("x", "http://shop.example.com/a/x"),
            ("../x", "http://shop.example.com/x"),
            ("?x", "http://shop.example.com/a/b?x"),
            ("#x", "http://shop.example.com/a/b?c=d#x"),
            ("", "http://shop.example.com/a/b?c=d"),
        ] {
            assert_eq!(led_to(target), expected, "{target}");
        }
    }

    #[test]
    fn hostile_spellings_lead_where_a_browser_goes() {
        for target in [
            "\\\\other.example\\x",
            "/\\other.example/x",
            "///other.example/x",
            "/\t/\\/other.example/x",
            "http:///other.example/x",
            "  http://other.example/x\t",
            "ht\ntp://oth\ter.example/x",
            "HTTP://OTHER.EXAMPLE/x",
            "http://user:pass@other.example/x",
            "http://%6fther.example/x",
        ] {
            assert_eq!(page().resolve(target).as_ref().map(Address::host), Some("other.example"), "{target}");
        }
        assert_eq!(Address::parse("http:/other.example/x").unwrap().host(), "other.example");
        assert_eq!(Address::parse("https:other.example/x").unwrap().host(), "other.example");
        assert_eq!(page().resolve("https:other.example/x").unwrap().host(), "other.example");
        assert_eq!(page().resolve("http://0x7f.1/").unwrap().host(), "127.0.0.1");
    }

    #[test]
    fn what_is_no_web_address_leads_nowhere() {
        for target in ["javascript:alert(1)", "mailto:a@b.example", "http://", "http://[::1", "http://a b/", "data:text/html,x"] {
            assert_eq!(page().resolve(target), None, "{target}");
        }
    }

    #[test]
    fn host_and_port_are_taken_apart() {
        let address = Address::parse("https://user@Other.Example.:8443/p?q#f").unwrap();
        assert_eq!((address.scheme(), address.host(), address.port()), ("https", "other.example", Some(8443)));
        assert_eq!((address.path(), address.query()), ("/p", Some("q")));
        assert_eq!(Address::parse("https://a.example").unwrap().port(), Some(443));
        let v6 = Address::parse("http://[2001:DB8::1]:81/").unwrap();
        assert_eq!((v6.host(), v6.port()), ("2001:db8::1", Some(81)));
    }

    #[test]
    fn the_request_says_where_it_is() {
        assert_eq!(Address::of_request("a.example:8080", 80, "/").unwrap().port(), Some(8080));
        assert_eq!(Address::of_request("a.example", 8080, "/").unwrap().port(), Some(8080));
        assert_eq!(Address::of_request("a.example:80", 8080, "/").unwrap().port(), Some(80));
        assert_eq!(Address::of_request("[2001:db8::1]", 80, "/").unwrap().host(), "2001:db8::1");
        assert_eq!(Address::of_request("a.example", 80, "http://b.example/x").unwrap().host(), "b.example");
        assert_eq!(Address::of_request("a.example", 80, "//b.example/x").unwrap().as_str(), "http://a.example//b.example/x");
        assert_eq!(Address::of_request("", 80, "/"), None);
        assert_eq!(Address::of_request("a b", 80, "/"), None);
    }

    #[test]
    fn sites_are_told_apart_by_the_public_suffix_list() {
        assert_eq!(registrable_domain("www.shop.co.uk"), "shop.co.uk");
        assert_eq!(registrable_domain("WWW.Example.COM."), "example.com");
        assert_eq!(registrable_domain("www.example.com.."), "example.com", "an empty label is nobody's site");
        assert_eq!(registrable_domain("192.0.2.1"), "192.0.2.1");
        assert_eq!(registrable_domain("[2001:db8::1]"), "2001:db8::1");
        assert_eq!(registrable_domain("localhost"), "localhost");
        assert!(!is_cross_site("m.example.com", "www.example.com"));
        assert!(is_cross_site("a.co.uk", "b.co.uk"));
        assert!(is_cross_site("192.0.2.1", "192.0.3.1"));
        assert!(is_ip_literal("192.0.2.1") && is_ip_literal("[::1]") && !is_ip_literal("a.example"));
    }

    #[test]
    fn an_endless_address_is_cut() {
        let target = format!("http://a.example/{}", "ü".repeat(100_000));
        let address = page().resolve(&target).unwrap();
        assert!(address.as_str().len() < 8 << 10);
        assert_eq!(address.host(), "a.example");
    }
}
