//! Stories of packets inside packets.

use super::wraps::*;
use super::*;

fn through(bytes: &[u8]) -> Head {
    told(&frame(LinkType::ETHERNET, bytes)).0
}

#[test]
fn each_encapsulation_gives_the_segment_inside_with_the_fields_of_its_own_header() {
    for wrap in all() {
        let mut decoder = Decoder::new(&Limits::default());
        let Some((head, payload)) = decoded(&mut decoder, &frame(LinkType::ETHERNET, &wrap.bytes)) else {
            panic!("{} of {} bytes: {:?}", wrap.name, wrap.bytes.len(), decoder.counts());
        };
        let expected = if wrap.six { hello6(head.wire_len) } else { hello(head.wire_len) };
        assert_eq!(without_sum(head), Head { tunnel: head.tunnel, ..on_ethernet(expected) }, "{}", wrap.name);
        assert_eq!((payload.as_slice(), checksum_ok(&head, &payload)), (&b"hello"[..], Some(true)), "{}", wrap.name);
        let counts = decoder.counts();
        assert_eq!((counts.get(wrap.name), counts.get("tcp"), decoder.understood()), (Some(&1), Some(&1), 1), "{counts:?}");
    }
}

#[test]
fn each_encapsulation_holds_another_in_it() {
    for wrap in all().into_iter().filter(|wrap| wrap.bytes.len() > 60) {
        let around = outer(17, &udp(50_000, 4789, &[&[8, 0, 0, 0, 0, 0, 1, 0][..], &wrap.bytes].concat()));
        let mut decoder = Decoder::new(&Limits::default());
        let found = decoded(&mut decoder, &frame(LinkType::ETHERNET, &around)).map(|(_, payload)| payload);
        assert_eq!(found.as_deref(), Some(&b"hello"[..]), "{}: {:?}", wrap.name, decoder.counts());
    }
}

#[test]
fn both_directions_of_a_tunnel_are_one_and_other_tunnels_are_others() {
    let [a, b, c] = [HERE, THERE, [10, 7, 7, 7]];
    let gre = |src, dst, key: u8| between(src, dst, 47, &[&[0x20, 0, 8, 0, 0, 0, 0, key][..], &inner()].concat());
    let ip = |src, dst| between(src, dst, 4, &inner());
    let vxlan = |src, dst, network: u8| {
        between(src, dst, 17, &udp(1, 4789, &[&[8, 0, 0, 0, 0, 0, network, 0][..], &ethernet(IPV4, &inner())].concat()))
    };
    let gtp =
        |src, dst, tunnel: u8| between(src, dst, 17, &udp(2152, 2152, &[&[0x30, 255, 0, 45, 0, 0, 0, tunnel][..], &inner()].concat()));
    let of = |packet: Vec<u8>| through(&ethernet(IPV4, &packet)).tunnel;
    assert_eq!(of(inner()), 0);
    assert_eq!(of(gre(a, b, 1)), of(gre(b, a, 1)));
    assert_ne!(of(gre(a, b, 1)), of(gre(a, b, 2)));
    assert_ne!(of(gre(a, b, 1)), of(gre(a, c, 1)));
    assert_eq!(of(ip(a, b)), of(ip(b, a)));
    assert_ne!(of(ip(a, b)), of(ip(c, b)));
    assert_eq!(of(vxlan(a, b, 1)), of(vxlan(b, c, 1)), "another end of the same network");
    assert_ne!(of(vxlan(a, b, 1)), of(vxlan(a, b, 2)));
    assert_eq!(of(gtp(a, b, 1)), of(gtp(c, a, 2)), "after a handover");
    assert_ne!(of(gtp(a, b, 1)), 0);
}

#[test]
fn labels_and_mirrors_leave_the_flow_what_it_is() {
    let labelled = ethernet(0x8847, &[&[0, 1, 0x31, 64][..], &inner()].concat());
    assert_eq!(through(&labelled).tunnel, 0, "the last router takes the label off, so one direction may have none");
    let mirrored = outer(47, &[&[0, 0, 0x88, 0xbe][..], &ethernet(IPV4, &inner())].concat());
    assert_eq!(through(&mirrored).tunnel, 0);
}

#[test]
fn tunnels_are_followed_to_the_limit_and_no_further() {
    let nested = |depth: usize| ethernet(IPV4, &(0..depth).fold(inner(), |packet, _| between(HERE, THERE, 4, &packet)));
    let limits = Limits { tunnel_depth: 3, ..Limits::default() };
    assert!(decoded(&mut Decoder::new(&limits), &frame(LinkType::ETHERNET, &nested(3))).is_some());
    let mut decoder = Decoder::new(&limits);
    assert_eq!(decoded(&mut decoder, &frame(LinkType::ETHERNET, &nested(4))), None);
    assert_eq!((decoder.counts()["tunnel_too_deep"], decoder.understood()), (1, 1));
}

#[test]
fn fragments_are_put_together_at_each_level() {
    let segment = tcp(&[], &[7; 100]);
    let piece = |at: usize, more| Ipv4 { df: false, more, offset: at as u16, ..Ipv4::default() };
    let inside = [piece(0, true).around(&segment[..64]), piece(64, false).around(&segment[64..])];
    let mut decoder = Decoder::new(&Limits::default());
    let mut segments = Vec::new();
    for (number, packet) in inside.iter().enumerate() {
        let gre = [&[0, 0, 8, 0][..], packet].concat();
        for (at, more) in [(0, true), (48, false)] {
            let part = if more { &gre[..48] } else { &gre[48..] };
            let around = Ipv4 { protocol: 47, id: number as u16, ttl: 200, ..piece(at, more) }.around(part);
            segments.extend(decoded(&mut decoder, &frame(LinkType::RAW, &around)));
        }
    }
    let [(head, payload)] = segments.try_into().unwrap();
    assert_eq!((payload, head.ttl, head.ip_id), (vec![7; 100], 57, 0xbeef));
    assert_eq!(decoder.counts()["fragment_reassembled"], 3);
    assert!(decoder.heap_bytes() < 10_000);
}

#[test]
fn fragments_of_other_tunnels_do_not_mix() {
    let segment = tcp(&[], &[7; 100]);
    let piece = |at: usize, more| Ipv4 { df: false, more, offset: at as u16, ..Ipv4::default() };
    let in_key = |key: u8, packet: Vec<u8>| outer(47, &[&[0x20, 0, 8, 0, 0, 0, 0, key][..], &packet].concat());
    let mut decoder = Decoder::new(&Limits::default());
    for bytes in [in_key(1, piece(0, true).around(&segment[..64])), in_key(2, piece(64, false).around(&segment[64..]))] {
        assert_eq!(decoded(&mut decoder, &frame(LinkType::ETHERNET, &bytes)), None);
    }
    let last = in_key(1, piece(64, false).around(&segment[64..]));
    assert!(decoded(&mut decoder, &frame(LinkType::ETHERNET, &last)).is_some());
}

#[test]
fn ordinary_datagrams_are_not_taken_for_tunnels() {
    let frame_inside = ethernet(IPV4, &inner());
    let vxlan = [&[8, 0, 0, 0, 0, 0, 1, 0][..], &frame_inside].concat();
    let gtp = [&[0x30, 255, 0, 45, 0, 0, 0, 1][..], &inner()].concat();
    let cut_short = [&[0x30, 255, 9, 45, 0, 0, 0, 1][..], &inner()].concat();
    for datagram in [
        udp(53, 40_000, &vxlan),
        udp(4789, 53, &vxlan),
        udp(40_000, 53, &gtp),
        udp(2152, 2152, &cut_short),
        udp(40_000, 3544, &inner()),
        udp(40_000, 3544, &inner6()),
        udp(1701, 1701, &[0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0]),
        udp(4500, 4500, &[&[0; 4][..], &esp(4, &inner(), 12)].concat()),
        udp(4789, 4789, &[0; 40]),
        udp(53, 4789, &[0x5e, 0x21, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 3, b'w', b'w', b'w', 0, 0, 1, 0, 1, 0, 0, 1, 0]),
        udp(53, 6081, &[0x1e, 0x21, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 3, b'w', b'w', b'w', 0, 0, 1, 0, 1, 0, 0, 1, 0]),
        udp(53, 1701, &[0x5e, 0x22, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 3, b'w', b'w', b'w', 0, 0, 1, 0, 1, 0, 0, 1, 0]),
        udp(53, 6635, &[0x5e, 0x22, 0x81, 0x80, 0x40, 1, 0, 1, 0, 0, 0, 0, 3, b'w', b'w', b'w', 0, 0, 1, 0, 1, 0, 0, 1, 0]),
        udp(53, 5247, &[0, 0x10, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 3, b'w', b'w', b'w', 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1]),
    ] {
        becomes(LinkType::ETHERNET, &outer(17, &datagram), &["udp"]);
    }
}

#[test]
fn teredo_is_known_by_its_addresses_on_any_port() {
    let mut packet = inner6();
    packet[8..12].copy_from_slice(&[0x20, 0x01, 0, 0]);
    let origin = [&[0, 0, 0x12, 0x34, 10, 0, 0, 1][..], &packet].concat();
    let authenticated = [&[0, 1, 2, 1, 7, 7, 7][..], &[9; 9], &origin].concat();
    for payload in [packet, origin, authenticated] {
        let mut decoder = Decoder::new(&Limits::default());
        let (head, _) = decoded(&mut decoder, &frame(LinkType::ETHERNET, &outer(17, &udp(40_001, 40_002, &payload)))).unwrap();
        assert_eq!((head.payload_len, head.ip_version, head.tunnel, decoder.counts()["in_teredo"]), (5, 6, 0, 1));
    }
}

#[test]
fn esp_is_opened_only_when_it_does_not_encrypt() {
    let mut transport = between(CLIENT, SERVER, 50, &esp(TCP, &tcp(&[], b"hello"), 12));
    transport[8] = 57;
    let head = told(&frame(LinkType::RAW, &transport)).0;
    assert_eq!((head.payload_len, head.ttl), (5, 57));
    let mut damaged = tcp(&[], b"hello");
    damaged[24] ^= 1;
    becomes(LinkType::RAW, &between(CLIENT, SERVER, 50, &esp(TCP, &damaged, 12)), &["esp"]);
    becomes(LinkType::RAW, &between(CLIENT, SERVER, 50, &[0x5a; 80]), &["esp"]);
    let macsec = ethernet(0x88e5, &[&[0x2c, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1][..], &[0x77; 60]].concat());
    becomes(LinkType::ETHERNET, &macsec, &["macsec"]);
}

#[test]
fn frames_from_access_points_may_have_their_first_bytes_swapped() {
    let snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    let air = |first: u8, second: u8| {
        let sequence = if second == 0x08 { [0x84, 0x80] } else { [0x80, 0x84] };
        let header = [&[first, second, 0, 0][..], &[2; 6], &CLIENT_MAC, &SERVER_MAC, &sequence].concat();
        [header, snap.to_vec(), inner()].concat()
    };
    for (first, second) in [(0x08, 0x01), (0x11, 0x08)] {
        let capwap = udp(40_000, 5247, &[&[0, 0x10, 3, 0, 0, 0, 0, 0][..], &air(first, second)].concat());
        let gre = [&[0, 0, 0x82, 0x40][..], &air(first, second)].concat();
        for packet in [outer(17, &capwap), outer(47, &gre)] {
            let head = through(&packet);
            assert_eq!((head.payload_len, head.ether), (5, Some((CLIENT_MAC, SERVER_MAC))));
        }
    }
}

#[test]
fn what_a_tunnel_holds_beside_ip_is_counted() {
    let arp = outer(17, &udp(1, 4789, &[&[8, 0, 0, 0, 0, 0, 1, 0][..], &ethernet(0x0806, &[0; 28])].concat()));
    becomes(LinkType::ETHERNET, &arp, &["arp", "in_vxlan"]);
    becomes(LinkType::ETHERNET, &ethernet(0x8864, &[0x11, 0, 0, 9, 0, 6, 0xc0, 0x21, 1, 1, 0, 4]), &["ppp_other", "in_pppoe"]);
    becomes(LinkType::ETHERNET, &ethernet(0x8863, &[0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0]), &["pppoe"]);
    becomes(LinkType::ETHERNET, &ethernet(0x8847, &[0, 0, 0xd1, 1, 0x10, 0, 0, 7]), &["mpls"]);
    becomes(LinkType::ETHERNET, &outer(47, &[0, 0, 0, 0]), &["gre"]);
}
