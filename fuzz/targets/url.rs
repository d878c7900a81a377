//! Addresses: of requests, of redirects, of the sites that they belong to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::protocol::url::{Address, is_cross_site, is_ip_literal, registrable_domain};

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let (host, target, redirect) = (lines.next().unwrap_or(""), lines.next().unwrap_or("/"), lines.next().unwrap_or(""));
    let port = text.len() as u16;
    for address in [Address::of_request(host, port, target), Address::parse(redirect)].into_iter().flatten() {
        assert!(!address.host().is_empty());
        assert!(address.path().is_empty() || address.as_str().contains(address.path()));
        let _ = (address.scheme(), address.port(), address.query());
        if address.as_str().len() <= 2048 {
            let again = Address::parse(address.as_str());
            assert_eq!(again.as_ref().map(Address::as_str), Some(address.as_str()), "does not read as it was written");
            assert_eq!(again.as_ref().map(Address::host), Some(address.host()));
        }
        let itself = address.resolve("").expect("an address leads to itself");
        assert_eq!(itself.host(), address.host());
        if let Some(to) = address.resolve(redirect) {
            assert_eq!(is_cross_site(address.host(), to.host()), is_cross_site(to.host(), address.host()));
        }
        assert!(!is_cross_site(address.host(), address.host()));
        let domain = registrable_domain(address.host());
        assert_eq!(registrable_domain(&domain), domain, "the site of a site is another");
    }
    let _ = (is_ip_literal(host), registrable_domain(host), is_cross_site(host, redirect));
});
