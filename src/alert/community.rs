//! Community ID version 1: one name for a flow that other tools compute alike.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use crate::engine::decode::packet::Addr;

/// The Community ID of a flow of TCP (6) or UDP (17) with seed 0; the order of the two ends does not matter.
///
/// Reference: the Community ID specification, version 1 (github.com/corelight/community-id-spec).
pub(super) fn community_id(protocol: u8, one: (Addr, u16), other: (Addr, u16)) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    let mut hash = Sha1::new();
    hash.update(0_u16.to_be_bytes());
    for (addr, _) in [first, second] {
        match addr.ip() {
            IpAddr::V4(v4) => hash.update(v4.octets()),
            IpAddr::V6(v6) => hash.update(v6.octets()),
        }
    }
    hash.update([protocol, 0]);
    hash.update(first.1.to_be_bytes());
    hash.update(second.1.to_be_bytes());
    format!("1:{}", STANDARD.encode(hash.finalize()))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn end(addr: &str, port: u16) -> (Addr, u16) {
        (addr.parse::<IpAddr>().unwrap().into(), port)
    }

    #[test]
    fn the_published_vector_comes_out() {
        let id = community_id(6, end("128.232.110.120", 34855), end("66.35.250.204", 80));
        assert_eq!(id, "1:LQU9qZlK+B5F3KDmev6m5PMibrg=");
    }

    #[test]
    fn both_directions_of_a_flow_have_one_id() {
        let (a, b) = (end("2001:db8::7", 50812), end("2001:db8:1::80", 80));
        assert_eq!(community_id(6, a, b), community_id(6, b, a));
        assert_eq!(community_id(6, a, b), "1:ZkGhcvRfyE6JX/Np1j6++SkkRBI=", "as computed from the specification without this code");
        let (low, high) = (end("192.0.2.1", 80), end("192.0.2.1", 50812));
        assert_eq!(community_id(6, low, high), community_id(6, high, low), "one address, two ports");
    }
}
