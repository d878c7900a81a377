//! What is looked up in lists of indicators: names by their last labels, web addresses by their beginning, addresses by the longest network.
//! Pure.

use super::entry::{self, Kind, address_key, domain_key, url_key};
use super::gather::Tally;
use super::store::Table;
use super::table::{Hash, page_mark};
use crate::engine::decode::packet::Addr;
use crate::engine::protocol::url::Address;
use std::net::IpAddr;

/// All lists that are loaded.
#[derive(Debug, Default)]
pub struct Indicators {
    pub(super) tables: Vec<Table>,
}

/// An indicator that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The entry, as its list writes it.
    pub value: String,
    /// What it is.
    pub kind: Kind,
    /// Name of its list, with what the list calls itself where it does.
    pub list: String,
    /// Date of its list.
    pub list_date: Option<String>,
}

impl Indicators {
    /// True when nothing is listed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }
    /// Different indicators.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.tables.iter().map(|table| u64::from(table.rows)).sum()
    }
    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tables.iter().map(Table::len).sum()
    }
    /// What became of each list.
    pub fn lists(&self) -> impl Iterator<Item = &Tally> {
        self.tables.iter().flat_map(|table| &table.lists)
    }

    /// The narrowest entries that a name is or lies below; of an address in a name's place, those of the address. A port is left out.
    #[must_use]
    pub fn match_host(&self, host: &str) -> Vec<Hit> {
        if self.is_empty() || host.len() > entry::LONGEST {
            return Vec::new();
        }
        let host = without_port(host);
        // The last label of a name is no number.
        let may_be_address = host.ends_with(|last: char| last.is_ascii_digit()) || memchr::memchr(b':', host.as_bytes()).is_some();
        if may_be_address && let Ok(ip) = host.parse::<IpAddr>() {
            return self.match_ip(Addr::from(ip));
        }
        let Some(host) = entry::normal_host(host) else { return Vec::new() };
        if self.may_list(&host) {
            let key = domain_key(&host);
            let found = self.longest(&key, |at| key.get(at).is_none_or(|next| *next == b'.'));
            if !found.is_empty() {
                return found;
            }
        }
        // `http://name/` lists the whole host and no name below it.
        if !self.may_list_pages(&host) {
            return Vec::new();
        }
        let whole: Vec<u8> = std::iter::once(Kind::Url.mark()).chain(host.bytes()).chain([b'/']).collect();
        self.longest(&whole, |at| at == whole.len())
    }

    /// False when neither the name nor one that it lies below is listed as a domain. Hardly any name that is not listed passes, and none needs memory.
    fn may_list(&self, host: &str) -> bool {
        let mut hash = Hash::new().and(Kind::Domain.mark());
        let mut is_top = true;
        for byte in host.bytes().rev() {
            // Whole top-level domains are never listed.
            if byte == b'.' && !std::mem::take(&mut is_top) && self.may_hold(hash) {
                return true;
            }
            hash = hash.and(byte);
        }
        !is_top && self.may_hold(hash)
    }

    /// False when no web address of this host is listed.
    fn may_list_pages(&self, host: &str) -> bool {
        self.tables.iter().any(|table| table.has_pages) && self.may_hold(page_mark(host.as_bytes()))
    }

    /// What `match_host` gives, of a name as DNS and TLS have it: in lower case, no address and no port. One that is not listed is read once, and needs no
    /// memory.
    #[must_use]
    pub fn match_name(&self, name: &str) -> Vec<Hit> {
        let name = name.trim_end_matches('.');
        if self.is_empty() || !(self.may_list(name) || self.may_list_pages(name)) {
            return Vec::new();
        }
        self.match_host(name)
    }

    fn may_hold(&self, hash: Hash) -> bool {
        self.tables.iter().any(|table| table.may_hold(hash))
    }

    /// True when a web address of this host is listed, as far as can be told without reading one: most requests need not be taken apart.
    #[must_use]
    pub fn lists_pages_of(&self, host: &str) -> bool {
        let host = without_port(host);
        // In a key, an IPv6 address and a port cannot be told apart.
        let Some(host) = entry::normal_host(host).filter(|host| !host.contains(':')) else { return true };
        self.may_list_pages(&host)
    }

    /// The entries of the smallest network that holds an address.
    #[must_use]
    pub fn match_ip(&self, addr: Addr) -> Vec<Hit> {
        let is_v4 = addr.ip().is_ipv4();
        let listed = |table: &Table| if is_v4 { u128::from(table.prefixes.v4) } else { table.prefixes.v6 };
        let mut lengths = self.tables.iter().map(listed).fold(0, |all, lengths| all | lengths);
        while let Some(highest) = lengths.checked_ilog2() {
            lengths &= !(1 << highest);
            let (_, key) = address_key(addr, u8::try_from(highest + 1).unwrap_or(u8::MAX));
            let key = key.as_slice();
            if self.may_hold(key.iter().copied().fold(Hash::new(), Hash::and)) {
                let found = self.longest(key, |at| at == key.len());
                if !found.is_empty() {
                    return found;
                }
            }
        }
        Vec::new()
    }

    /// The longest entries that a web address begins with; where there is none, those of its host.
    #[must_use]
    pub fn match_url(&self, url: &str) -> Vec<Hit> {
        if self.is_empty() {
            return Vec::new();
        }
        Address::parse(url).map_or_else(Vec::new, |address| self.match_address(&address))
    }

    /// The same of an address that was taken apart already.
    #[must_use]
    pub fn match_address(&self, address: &Address) -> Vec<Hit> {
        if self.is_empty() {
            return Vec::new();
        }
        let key = url_key(address);
        let path = key.iter().position(|byte| *byte == b'/').unwrap_or(key.len());
        let parts = |byte: Option<&u8>| matches!(byte, None | Some(b'/' | b'?' | b'&' | b'=' | b';' | b'.'));
        // A path is left only between its parts: `/land` lists `/land/1` and `/land?id=1`, and not `/landscape`.
        let ends = |at: usize| at > path && (parts(key.get(at)) || parts(at.checked_sub(1).and_then(|last| key.get(last))));
        let found = self.longest(&key, ends);
        if found.is_empty() { self.match_host(address.host()) } else { found }
    }

    /// The rows of the longest beginning of `key` that ends where `ends` says it may.
    fn longest(&self, key: &[u8], ends: impl Fn(usize) -> bool) -> Vec<Hit> {
        let mut candidates: Vec<(usize, usize)> = Vec::new();
        let mut hash = Hash::new();
        for (before, byte) in key.iter().enumerate() {
            hash = hash.and(*byte);
            let at = before + 1;
            if at >= 2 && ends(at) {
                let tables = self.tables.iter().enumerate().filter(|(_, table)| table.may_hold(hash));
                candidates.extend(tables.map(|(table, _)| (at, table)));
            }
        }
        let mut hits = Vec::new();
        let mut reached = 0;
        for (at, table) in candidates.into_iter().rev() {
            if !hits.is_empty() && at < reached {
                break;
            }
            let Some((part, table)) = key.get(..at).zip(self.tables.get(table)) else { continue };
            let kind = part.first().and_then(|mark| Kind::of_mark(*mark)).unwrap_or(Kind::Domain);
            let found = table.view().find(part);
            hits.extend(found.into_iter().map(|found| {
                let tally = table.lists.get(usize::from(found.list));
                Hit {
                    value: found.written,
                    kind,
                    list: tally.map_or_else(String::new, |tally| tally.list.clone()),
                    list_date: tally.and_then(|tally| tally.date.clone()),
                }
            }));
            reached = at;
        }
        hits
    }
}

/// A host without brackets and port.
fn without_port(host: &str) -> &str {
    let host = host.trim();
    if let Some((inner, _)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inner;
    }
    match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::read_text;
    use super::*;

    fn listed(text: &str) -> Indicators {
        let loaded = read_text("list.txt", text.as_bytes());
        assert!(loaded.complaints.is_empty(), "{:?}", loaded.complaints);
        loaded.indicators
    }

    fn values(hits: Vec<Hit>) -> Vec<String> {
        hits.into_iter().map(|hit| hit.value).collect()
    }

    #[test]
    fn a_domain_lists_what_lies_below_it_and_no_look_alike() {
        let lists = listed("evil.example\ndeep.down.evil.example\n");
        for name in ["evil.example", "EVIL.example.", "www.evil.example", "a.b.evil.example:8443"] {
            assert_eq!(values(lists.match_host(name)), ["evil.example"], "{name}");
        }
        assert_eq!(values(lists.match_host("x.deep.down.evil.example")), ["deep.down.evil.example"], "the narrowest");
        for name in ["notevil.example", "evil.example.com", "example", "evil-example", "", ".", "evil.exampl"] {
            assert_eq!(lists.match_host(name), [], "{name}");
        }
    }

    #[test]
    fn an_address_is_found_in_the_smallest_network() {
        let lists = listed("198.51.100.0/24\n198.51.100.64/26\n198.51.100.7\n2001:db8:7::/48\n");
        let found = |ip: &str| values(lists.match_ip(Addr::from(ip.parse::<IpAddr>().expect("an address"))));
        assert_eq!(found("198.51.100.7"), ["198.51.100.7"]);
        assert_eq!(found("198.51.100.70"), ["198.51.100.64/26"]);
        assert_eq!(found("198.51.100.200"), ["198.51.100.0/24"]);
        assert_eq!(found("198.51.101.1"), [] as [&str; 0]);
        assert_eq!(found("2001:db8:7:1::9"), ["2001:db8:7::/48"]);
        assert_eq!(found("2001:db8:8::9"), [] as [&str; 0]);
        assert_eq!(values(lists.match_host("198.51.100.7:80")), ["198.51.100.7"]);
        assert_eq!(values(lists.match_host("[2001:db8:7::1]:80")), ["2001:db8:7::/48"]);
    }

    #[test]
    fn a_web_address_lists_what_goes_on_behind_it() {
        let lists = listed("hxxp://evil[.]example/land\nhttp://shop.example/a?id=\nhttp://whole.example/\n");
        for url in ["http://evil.example/land", "https://evil.example/land/1", "http://evil.example/land?x=1", "http://EVIL.example/land#x"]
        {
            assert_eq!(values(lists.match_url(url)), ["hxxp://evil[.]example/land"], "{url}");
        }
        assert_eq!(values(lists.match_url("http://shop.example/a?id=77")), ["http://shop.example/a?id="]);
        for url in ["http://evil.example/landscape", "http://evil.example/", "http://www.evil.example/land", "http://evil.example:81/land"]
        {
            assert_eq!(lists.match_url(url), [], "{url}");
        }
        assert_eq!(lists.match_host("evil.example"), [], "one page is not the host");
        assert_eq!(values(lists.match_host("whole.example")), ["http://whole.example/"]);
        assert_eq!(lists.match_host("sub.whole.example"), []);
    }

    #[test]
    fn a_name_as_dns_has_it_is_found_as_any_host_is() {
        let lists = listed("evil.example\nhttp://whole.example/\nhttp://shop.example/a\n");
        for name in
            ["evil.example", "a.evil.example", "notevil.example", "example", "", "evil.example.org", "whole.example", "shop.example"]
        {
            assert_eq!(lists.match_name(name), lists.match_host(name), "{name}");
        }
        assert_eq!(values(lists.match_name("a.b.evil.example")), ["evil.example"]);
        assert_eq!(values(lists.match_name("whole.example")), ["http://whole.example/"]);
        assert_eq!(listed("evil.example\n").match_name("whole.example"), []);
    }

    #[test]
    fn a_web_address_is_found_by_its_host_too() {
        let lists = listed("evil.example\n198.51.100.7\n");
        assert_eq!(values(lists.match_url("http://a.evil.example:30000/x")), ["evil.example"]);
        assert_eq!(values(lists.match_url("http://198.51.100.7/x")), ["198.51.100.7"]);
        assert_eq!(lists.match_url("javascript:alert(1)"), []);
    }
}
