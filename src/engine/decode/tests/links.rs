//! The sample conversation on each link type.

use super::*;

/// Every link type that is decoded, and two that are not.
pub(super) const ALL: [u16; 29] = [
    0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 117, 119, 127, 143, 163, 166, 192, 204, 226, 228, 229, 239, 274, 276, 147, 220,
    65_535,
];

fn behind(header: &[u8], packet: &[u8]) -> Vec<u8> {
    [header, packet].concat()
}

#[test]
fn loopback_headers_name_the_family_in_either_byte_order() {
    let (v4, v6) = (ipv4(&tcp(&[], b"hello")), ipv6(TCP, &tcp6(&[], b"hello")));
    for link in [0, 108].map(LinkType) {
        says_hello(link, &behind(&[2, 0, 0, 0], &v4), hello);
        says_hello(link, &behind(&[0, 0, 0, 2], &v4), hello);
        for family in [10, 23, 24, 28, 30] {
            says_hello(link, &behind(&[family, 0, 0, 0], &v6), hello6);
            says_hello(link, &behind(&[0, 0, 0, family], &v6), hello6);
        }
        becomes(link, &behind(&[7, 0, 0, 0], &v4), &["loopback_family_other"]);
        becomes(link, &[2, 0, 0], &["link_header_cut"]);
    }
}

#[test]
fn ppp_has_many_framings() {
    let (v4, v6) = (ipv4(&tcp(&[], b"hello")), ipv6(TCP, &tcp6(&[], b"hello")));
    for link in [9, 50].map(LinkType) {
        for header in [&[0xff, 3, 0, 0x21][..], &[0, 0x21], &[0x21], &[0x0f, 0, 8, 0], &[0x8f, 0, 8, 0], &[0, 0x3d, 0xc0, 0, 0, 1, 0x21]] {
            says_hello(link, &behind(header, &v4), hello);
        }
        says_hello(link, &behind(&[0xff, 3, 0, 0x57], &v6), hello6);
        becomes(link, &[0xff, 3, 0xc0, 0x21, 1, 1, 0, 4], &["ppp_other"]);
        becomes(link, &behind(&[0, 0x3d, 0x80, 0, 0, 1, 0x21], &v4), &["ppp_other"]);
    }
    says_hello(LinkType(104), &behind(&[0x0f, 0, 8, 0], &v4), hello);
    says_hello(LinkType(104), &behind(&[0x0f, 0, 0x86, 0xdd], &v6), hello6);
    says_hello(LinkType(166), &behind(&[1, 3, 0, 0x21], &v4), hello);
    says_hello(LinkType(204), &behind(&[0, 0, 0x21], &v4), hello);
    let (head, _) = told(&frame(LinkType(51), &behind(&[0x11, 0, 0, 9, 0, 47, 0, 0x21], &v4)));
    assert_eq!(without_sum(head), Head { tunnel: head.tunnel, ..hello(head.wire_len) });
}

#[test]
fn logs_of_packet_filters_are_read() {
    let (v4, v6) = (ipv4(&tcp(&[], b"hello")), ipv6(TCP, &tcp6(&[], b"hello")));
    let pflog = |length: u8, filled: usize| [&[length, 2][..], &vec![0; filled - 2]].concat();
    says_hello(LinkType(117), &behind(&pflog(61, 64), &v4), hello);
    says_hello(LinkType(117), &behind(&pflog(100, 100), &v6), hello6);
    let ipnet = |family: u8| [&[1, family][..], &[0; 22]].concat();
    says_hello(LinkType(226), &behind(&ipnet(2), &v4), hello);
    says_hello(LinkType(226), &behind(&ipnet(26), &v6), hello6);
    let length = (v4.len() + 4) as u16;
    let little = [&[2, 0, 0, 1, 8, 0, 1, 0, 0, 0, 1, 0, 5, 0, 10, 0, 0, 0, 0, 0][..], &length.to_le_bytes(), &[9, 0]].concat();
    let big = [&[2, 0, 0, 1, 0, 8, 0, 1, 0, 0, 1, 0][..], &length.to_be_bytes(), &[0, 9]].concat();
    says_hello(LinkType(239), &behind(&little, &v4), hello);
    says_hello(LinkType(239), &[big, v4, vec![0; 3]].concat(), hello);
    becomes(LinkType(239), &[2, 0, 0, 1, 8, 0, 1, 0, 0, 0, 1, 0], &["link_without_packet"]);
    becomes(LinkType(239), &[2, 0, 0, 1, 0, 0, 1, 0], &["link_header_invalid"]);
}

#[test]
fn ethernet_behind_the_headers_of_instruments_is_read() {
    let bytes = ethernet(IPV4, &ipv4(&tcp(&[], b"hello")));
    says_hello(LinkType(274), &[&[0x55; 7][..], &[0xd5], &bytes, &[1; 4]].concat(), |len| on_ethernet(hello(len)));
    becomes(LinkType(274), &[&[0x55; 7][..], &[0x61], &bytes].concat(), &["mpacket_fragment"]);
    says_hello(LinkType(143), &behind(&[0, 0, 0, 80, 1, 2], &bytes), |len| on_ethernet(hello(len)));
    says_hello(LinkType(143), &behind(&[1, 3, 0, 83, 7, 7, 7, 1, 2], &bytes), |len| on_ethernet(hello(len)));
    becomes(LinkType(143), &behind(&[0xc2, 0, 0, 80, 1, 2], &bytes), &["link_without_packet"]);
}
