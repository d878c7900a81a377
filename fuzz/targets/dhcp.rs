//! Any bytes as an answer of DHCP and of DHCPv6: nothing panics, and what is kept is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::protocol::dhcp::{read_v4, read_v6};

fuzz_target!(|data: &[u8]| {
    for lease in [read_v4(data), read_v6(data)].into_iter().flatten() {
        assert!(lease.routers.len() <= 8 && lease.dns.len() <= 8, "{lease:?}");
        assert!(lease.server.len() <= 130 && lease.portal.as_deref().is_none_or(|portal| portal.len() <= 3 * 255), "{lease:?}");
    }
});
