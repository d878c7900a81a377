//! Which messages beside TCP are handed on, with what, and which stay a count.

use super::super::Decoded;
use super::super::datagram::{Carrier, DatagramHead};
use super::super::packet::Addr;
use super::wraps::{HERE, THERE, between, outer, udp};
use super::*;

/// Every message in the frames that is not TCP, with its payload.
fn read(frames: &[Vec<u8>]) -> Vec<(DatagramHead, Vec<u8>)> {
    let mut decoder = Decoder::new(&Limits::default());
    let mut all = Vec::new();
    for bytes in frames {
        decoder.decode(&frame(LinkType::ETHERNET, bytes), |decoded| {
            if let Decoded::Datagram(datagram) = decoded {
                all.push((datagram.head, datagram.payload.to_vec()));
            }
        });
    }
    all
}

fn one(bytes: &[u8]) -> (DatagramHead, Vec<u8>) {
    let mut all = read(&[bytes.to_vec()]);
    assert_eq!(all.len(), 1, "one message in the frame");
    all.remove(0)
}

fn arp_packet() -> Vec<u8> {
    [&[0, 1, 8, 0, 6, 4, 0, 2][..], &CLIENT_MAC, &HERE, &SERVER_MAC, &THERE].concat()
}

#[test]
fn arp_has_the_protocol_addresses_of_its_sender_and_target() {
    let padded = [ethernet(0x0806, &arp_packet()), vec![0; 18]].concat();
    let (head, payload) = one(&padded);
    assert_eq!((head.carrier, head.src, head.dst), (Carrier::Arp, Addr::v4(HERE), Addr::v4(THERE)));
    assert_eq!((head.ether, head.frame, head.wire_len), (Some((CLIENT_MAC, SERVER_MAC)), 7, 60));
    assert_eq!((payload, head.payload_len), (arp_packet(), 28));
}

#[test]
fn arp_for_something_else_than_ipv4_on_ethernet_stays_a_count() {
    let mut other = arp_packet();
    other[2..4].copy_from_slice(&[0x86, 0xdd]);
    let short = arp_packet()[..27].to_vec();
    let long_addresses = [&[0, 1, 8, 0, 8, 4, 0, 2][..], &[0; 24]].concat();
    for packet in [other, short, long_addresses] {
        let bytes = ethernet(0x0806, &packet);
        assert!(read(std::slice::from_ref(&bytes)).is_empty());
        becomes(LinkType::ETHERNET, &bytes, &["arp"]);
    }
}

#[test]
fn tags_and_tunnels_around_a_message_are_told() {
    let tagged = [&SERVER_MAC[..], &CLIENT_MAC, &[0x81, 0, 0, 42, 8, 6], &arp_packet()].concat();
    assert_eq!(one(&tagged).0.vlans.as_slice(), [42]);
    let in_vxlan = outer(17, &udp(50_000, 4789, &[&[8, 0, 0, 0, 0, 0, 1, 0][..], &ethernet(0x0806, &arp_packet())].concat()));
    let (head, _) = one(&in_vxlan);
    assert_eq!(head.carrier, Carrier::Arp);
    assert_ne!(head.tunnel, 0);
}

#[test]
fn dns_and_dhcp_are_handed_on_whichever_end_has_the_port() {
    for (from, to) in [(40_000, 53), (53, 40_000), (68, 67), (67, 68), (546, 547), (547, 546)] {
        let (head, payload) = one(&outer(17, &udp(from, to, b"message")));
        assert_eq!((head.carrier, head.src_port, head.dst_port, head.ttl), (Carrier::Udp, from, to, 250));
        assert_eq!((payload.as_slice(), head.payload_len, head.ip_id), (&b"message"[..], 7, 0x1111));
    }
    assert!(read(&[outer(17, &udp(40_000, 5353, b"message"))]).is_empty());
    assert!(read(&[outer(17, &udp(40_000, 53, b"message")[..7])]).is_empty(), "half a header");
}

#[test]
fn bytes_behind_the_datagram_are_no_part_of_it_and_a_cut_one_says_how_long_it_was() {
    let mut trailing = udp(53, 40_000, b"answer");
    trailing.extend(b"trailer");
    assert_eq!(one(&outer(17, &trailing)).1, b"answer");
    let whole = outer(17, &udp(53, 40_000, b"a long answer"));
    let cut = &whole[..whole.len() - 5];
    let mut decoder = Decoder::new(&Limits::default());
    let mut lengths = Vec::new();
    decoder.decode(&Frame { wire_len: whole.len() as u32, ..frame(LinkType::ETHERNET, cut) }, |decoded| {
        if let Decoded::Datagram(datagram) = decoded {
            lengths.push((datagram.payload.len(), datagram.head.payload_len));
        }
    });
    assert_eq!(lengths, [(8, 13)]);
}

#[test]
fn an_answer_in_fragments_comes_whole() {
    let answer = udp(53, 40_000, &[7; 40]);
    let piece = |range: std::ops::Range<usize>, more| {
        let header = Ipv4 { protocol: 17, df: false, more, offset: range.start as u16, ..Ipv4::default() };
        ethernet(IPV4, &header.around(&answer[range]))
    };
    let (head, payload) = read(&[piece(0..24, true), piece(24..48, false)]).remove(0);
    assert_eq!((payload, head.src_port), (vec![7; 40], 53));
}

#[test]
fn of_icmp_only_redirects_and_neighbour_discovery_are_handed_on() {
    let icmp = |kind: u8| ethernet(IPV4, &between(HERE, THERE, 1, &[kind, 1, 0, 0, 10, 0, 0, 9]));
    assert_eq!(one(&icmp(5)).0.carrier, Carrier::Icmp);
    assert!(read(&[icmp(0), icmp(3), icmp(8), icmp(11)]).is_empty());
    let icmpv6 = |kind: u8| ethernet(IPV6, &ipv6(58, &[kind, 0, 0, 0, 0, 0, 0, 0]));
    for kind in 133..=137 {
        assert_eq!(one(&icmpv6(kind)).0.carrier, Carrier::Icmpv6);
    }
    assert!(read(&[icmpv6(128), icmpv6(132), icmpv6(138), icmpv6(143)]).is_empty());
    becomes(LinkType::ETHERNET, &icmpv6(134), &["icmpv6"]);
}
