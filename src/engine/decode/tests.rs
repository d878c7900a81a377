//! What the decoder makes of each kind of frame.

mod datagrams;
mod links;
mod tunnels;
mod wifi;
mod wraps;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::checksum::checksum_ok;
use super::packet::{Head, Vlans};
use super::samples::*;
use super::{Decoded, Decoder};
use crate::engine::frame::{Frame, LinkType};
use crate::engine::limits::Limits;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

fn counted(names: &[&str]) -> BTreeMap<String, u64> {
    names.iter().map(|name| ((*name).to_owned(), 1)).collect()
}

fn vlans(ids: &[u16]) -> Vlans {
    let mut vlans = Vlans::default();
    ids.iter().for_each(|id| vlans.push(*id));
    vlans
}

/// The frame holds "hello" whole, with the head given and a right checksum.
#[track_caller]
fn says_hello(link: LinkType, bytes: &[u8], expected: impl Fn(u32) -> Head) {
    let (head, payload) = told(&frame(link, bytes));
    assert_eq!(without_sum(head), expected(bytes.len() as u32));
    assert_eq!(payload, b"hello");
    assert_eq!(checksum_ok(&head, &payload), Some(true));
}

#[track_caller]
fn becomes(link: LinkType, bytes: &[u8], names: &[&str]) {
    assert_eq!(fate(&frame(link, bytes)), counted(names));
}

#[test]
fn each_link_type_carries_both_versions_of_ip() {
    let (v4, v6) = (ipv4(&tcp(&[], b"hello")), ipv6(TCP, &tcp6(&[], b"hello")));
    says_hello(LinkType::ETHERNET, &ethernet(IPV4, &v4), |len| on_ethernet(hello(len)));
    says_hello(LinkType::ETHERNET, &ethernet(IPV6, &v6), |len| on_ethernet(hello6(len)));
    for raw in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD] {
        says_hello(raw, &v4, hello);
        says_hello(raw, &v6, hello6);
    }
    says_hello(LinkType(228), &v4, hello);
    says_hello(LinkType(229), &v6, hello6);
    let sll = |protocol: u16| [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &protocol.to_be_bytes()].concat();
    says_hello(LinkType::LINUX_SLL, &[sll(IPV4), v4.clone()].concat(), hello);
    says_hello(LinkType::LINUX_SLL, &[sll(IPV6), v6.clone()].concat(), hello6);
    let sll2 = |protocol: u16| [&protocol.to_be_bytes()[..], &[0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0]].concat();
    says_hello(LinkType::LINUX_SLL2, &[sll2(IPV4), v4.clone()].concat(), hello);
    says_hello(LinkType::LINUX_SLL2, &[sll2(IPV6), v6.clone()].concat(), hello6);
    let tagged = [sll(0x8100), vec![0, 5, 8, 0], v4].concat();
    says_hello(LinkType::LINUX_SLL, &tagged, |len| Head { vlans: vlans(&[5]), ..hello(len) });
}

#[test]
fn a_length_instead_of_a_type_means_llc_with_or_without_snap() {
    let v4 = ipv4(&tcp(&[], b"hello"));
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &v4].concat();
    let padded = [ethernet(snap.len() as u16, &snap), vec![0xee; 9]].concat();
    says_hello(LinkType::ETHERNET, &padded, |len| on_ethernet(hello(len)));
    let plain = [&[6, 6, 3][..], &v4].concat();
    says_hello(LinkType::ETHERNET, &ethernet(plain.len() as u16, &plain), |len| on_ethernet(hello(len)));
    becomes(LinkType::ETHERNET, &ethernet(38, &[0x42, 0x42, 3, 0, 0, 0, 0]), &["llc_other"]);
    becomes(LinkType::ETHERNET, &ethernet(2, &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]), &["link_header_cut"]);
}

#[test]
fn vlan_tags_are_looked_through_and_remembered() {
    let v4 = ipv4(&tcp(&[], b"hello"));
    let behind = |tags: &[u8]| ethernet(0x88a8, &[tags, &v4].concat());
    says_hello(LinkType::ETHERNET, &behind(&[0x60, 10, 0x08, 0]), |len| on_ethernet(Head { vlans: vlans(&[10]), ..hello(len) }));
    says_hello(LinkType::ETHERNET, &behind(&[0, 10, 0x81, 0, 0x0f, 0xff, 8, 0]), |len| {
        on_ethernet(Head { vlans: vlans(&[10, 4095]), ..hello(len) })
    });
    says_hello(LinkType::ETHERNET, &behind(&[0xe0, 0, 0x91, 0, 0, 3, 0x92, 0, 0, 4, 8, 0]), |len| {
        on_ethernet(Head { vlans: vlans(&[3, 4]), ..hello(len) })
    });
}

#[test]
fn vlan_tags_are_followed_to_the_limit_and_no_further() {
    let limits = Limits { vlan_depth: 2, ..Limits::default() };
    let nested = |tags: usize| ethernet(0x8100, &[[0, 9, 0x81, 0].repeat(tags - 1), vec![0, 9, 8, 0], ipv4(&tcp(&[], b"hello"))].concat());
    assert!(decoded(&mut Decoder::new(&limits), &frame(LinkType::ETHERNET, &nested(2))).is_some());
    let mut decoder = Decoder::new(&limits);
    assert_eq!(decoded(&mut decoder, &frame(LinkType::ETHERNET, &nested(3))), None);
    assert_eq!(decoder.counts(), counted(&["vlan_too_deep"]));
}

#[test]
fn padding_and_trailers_are_no_payload() {
    let empty = [ethernet(IPV4, &ipv4(&tcp(&[], b""))), vec![0; 6]].concat();
    let (head, payload) = told(&frame(LinkType::ETHERNET, &empty));
    assert_eq!((head.payload_len, payload.len(), head.wire_len), (0, 0, 60));
    assert_eq!(checksum_ok(&head, &payload), Some(true));
    let trailed = [ethernet(IPV6, &ipv6(TCP, &tcp6(&[], b"hello"))), vec![0xcc; 4]].concat();
    says_hello(LinkType::ETHERNET, &trailed, |len| on_ethernet(hello6(len)));
}

#[test]
fn a_snap_length_shortens_the_payload_but_not_its_declared_length() {
    for (ethertype, packet) in [(IPV4, ipv4(&tcp(&[], &[7; 1000]))), (IPV6, ipv6(TCP, &tcp6(&[], &[7; 1000])))] {
        let whole = ethernet(ethertype, &packet);
        let cut = Frame { bytes: &whole[..whole.len() - 900], ..frame(LinkType::ETHERNET, &whole) };
        let (head, payload) = told(&cut);
        assert_eq!((head.payload_len, payload.len()), (1000, 100));
        assert_eq!(checksum_ok(&head, &payload), None);
    }
}

#[test]
fn a_packet_longer_than_its_frame_is_read_and_noted() {
    let long = Ipv4 { total_len: Some(500), ..Ipv4::default() }.around(&tcp(&[], b"hello"));
    let mut decoder = Decoder::new(&Limits::default());
    let (head, payload) = decoded(&mut decoder, &frame(LinkType::RAW, &long)).unwrap();
    assert_eq!((head.payload_len, payload.len()), (460, 5));
    assert_eq!(decoder.counts(), counted(&["tcp", "ip_longer_than_frame"]));
}

#[test]
fn a_zero_length_means_up_to_the_end_of_the_frame() {
    let big = vec![7; 61_000];
    let v4 = ethernet(IPV4, &Ipv4 { total_len: Some(0), ..Ipv4::default() }.around(&tcp(&[], &big)));
    let huge = vec![7; 180_000];
    let segment = [&tcp6(&[], b"")[..], &huge].concat();
    let v6 = ethernet(IPV6, &ipv6_declaring(0, TCP, &segment));
    for (whole, len) in [(v4, 61_000), (v6, 180_000)] {
        let (head, payload) = told(&frame(LinkType::ETHERNET, &whole));
        assert_eq!((head.payload_len as usize, payload.len()), (len, len));
        let cut = Frame { bytes: &whole[..whole.len() - 10], ..frame(LinkType::ETHERNET, &whole) };
        let (head, payload) = told(&cut);
        assert_eq!((head.payload_len as usize, payload.len()), (len, len - 10));
    }
}

#[test]
fn a_jumbo_option_declares_the_length() {
    let segment = [&tcp6(&[], b"")[..], &vec![7; 70_000]].concat();
    let length = (segment.len() as u32 + 8).to_be_bytes();
    let packet = ipv6_declaring(0, 0, &[&[TCP, 0, 0xc2, 4][..], &length, &segment, &[0xee; 3]].concat());
    let (head, payload) = told(&frame(LinkType::ETHERNET, &ethernet(IPV6, &packet)));
    assert_eq!((head.payload_len, payload.len()), (70_000, 70_000));
}

#[test]
fn ip_options_are_skipped_and_a_source_route_leaves_the_checksum_unknown() {
    let with = |options: &[u8]| Ipv4 { options, ..Ipv4::default() }.around(&tcp(&[], b"hello"));
    says_hello(LinkType::RAW, &with(&[1, 1, 148, 4, 0, 0, 1, 0]), hello);
    let (head, payload) = told(&frame(LinkType::RAW, &with(&[1, 131, 7, 4, 192, 0, 2, 1])));
    assert_eq!(without_sum(head), hello(head.wire_len));
    assert_eq!(checksum_ok(&head, &payload), None);
    says_hello(LinkType::RAW, &with(&[1, 131, 7, 8, 192, 0, 2, 1]), hello);
}

#[test]
fn extension_headers_are_walked_to_the_segment() {
    let segment = tcp6(&[], b"hello");
    let generic = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let authentication = |next: u8| [&[next, 4][..], &[0; 22]].concat();
    for kind in [0, 60, 135, 139, 140] {
        says_hello(LinkType::RAW, &ipv6(kind, &[&generic(TCP)[..], &segment].concat()), hello6);
    }
    says_hello(LinkType::RAW, &ipv6(51, &[authentication(TCP), segment.clone()].concat()), hello6);
    says_hello(LinkType::RAW, &ipv6_fragment(0, false, TCP, &segment), hello6);
    let chain = [&generic(60)[..], &generic(51), &authentication(TCP), &segment].concat();
    says_hello(LinkType::RAW, &ipv6(0, &chain), hello6);
    let v4 = Ipv4 { protocol: 51, ..Ipv4::default() }.around(&[authentication(TCP), tcp(&[], b"hello")].concat());
    says_hello(LinkType::RAW, &v4, hello);
}

#[test]
fn a_routing_header_with_segments_left_leaves_the_checksum_unknown() {
    let routed = |left: u8| ipv6(43, &[&[TCP, 0, 4, left, 0, 0, 0, 0][..], &tcp6(&[], b"hello")].concat());
    says_hello(LinkType::RAW, &routed(0), hello6);
    let (head, payload) = told(&frame(LinkType::RAW, &routed(1)));
    assert_eq!(checksum_ok(&head, &payload), None);
}

#[test]
fn an_endless_or_broken_chain_of_extensions_is_left() {
    becomes(LinkType::RAW, &ipv6(60, &[60, 0, 1, 4, 0, 0, 0, 0].repeat(20)), &["ip_extensions_too_many"]);
    becomes(LinkType::RAW, &ipv6(60, &[TCP, 9, 1, 4, 0, 0, 0, 0]), &["ip_extension_invalid"]);
    becomes(LinkType::RAW, &ipv6(51, &[TCP, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), &["ip_extension_invalid"]);
    let packet = ipv6(60, &[60, 0, 1, 4, 0, 0, 0, 0].repeat(3));
    let cut = Frame { bytes: &packet[..packet.len() - 4], ..frame(LinkType::RAW, &packet) };
    assert_eq!(fate(&cut), counted(&["ip_extension_cut"]));
}

#[test]
fn tcp_options_are_read() {
    let options = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 34, 4, 9, 9, 1, 3, 3, 7];
    let bytes = ipv4(&tcp(&options, b"hello"));
    says_hello(LinkType::RAW, &bytes, |len| Head {
        mss: Some(1460),
        sack_permitted: true,
        timestamps: Some((1, 2)),
        window_scale: Some(7),
        no_options: false,
        ..hello(len)
    });
    let usual = ipv4(&tcp(&[1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4], b"hello"));
    says_hello(LinkType::RAW, &usual, |len| Head { timestamps: Some((3, 4)), no_options: false, ..hello(len) });
}

#[test]
fn options_before_a_malformed_one_are_kept() {
    for broken in [[3, 9, 0, 0], [3, 0, 0, 0], [8, 4, 1, 1], [1, 1, 1, 3]] {
        let bytes = ipv4(&tcp(&[&[2, 4, 0x05, 0xb4][..], &broken].concat(), b"hello"));
        let mut decoder = Decoder::new(&Limits::default());
        let (head, payload) = decoded(&mut decoder, &frame(LinkType::RAW, &bytes)).unwrap();
        assert_eq!(without_sum(head), Head { mss: Some(1460), no_options: false, ..hello(bytes.len() as u32) });
        assert_eq!(payload, b"hello");
        assert_eq!(decoder.counts(), counted(&["tcp", "tcp_options_malformed"]));
    }
}

#[test]
fn a_cut_tcp_header_is_used_from_its_twentieth_byte_on() {
    let whole = ipv4(&tcp(&[2, 4, 0x05, 0xb4, 1, 3, 3, 7], b""));
    let cut = |missing: usize| Frame { bytes: &whole[..whole.len() - missing], ..frame(LinkType::RAW, &whole) };
    let expected = Head { payload_len: 0, no_options: false, ..hello(whole.len() as u32) };
    let mut decoder = Decoder::new(&Limits::default());
    let (head, payload) = decoded(&mut decoder, &cut(2)).unwrap();
    assert_eq!((head, payload.len()), (Head { mss: Some(1460), ..expected }, 0));
    assert_eq!(checksum_ok(&head, &payload), None);
    assert_eq!(decoder.counts(), counted(&["tcp", "tcp_options_cut"]));
    assert_eq!(told(&cut(8)).0, expected);
    assert_eq!(fate(&cut(9)), counted(&["tcp_header_cut"]));
}

#[test]
fn an_impossible_tcp_header_is_counted() {
    let mut small_offset = tcp(&[], b"hello");
    small_offset[12] = 0x40;
    becomes(LinkType::RAW, &ipv4(&small_offset), &["tcp_offset_invalid"]);
    let mut beyond = tcp(&[], b"hello");
    beyond[12] = 0xf0;
    becomes(LinkType::RAW, &ipv4(&beyond), &["tcp_offset_invalid"]);
    becomes(LinkType::RAW, &ipv4(&[1, 2, 3]), &["tcp_header_short"]);
}

#[test]
fn all_twelve_flag_bits_are_kept() {
    let mut segment = tcp(&[], b"hello");
    segment[12] = 0x5b;
    segment[13] = 0xa5;
    assert_eq!(told(&frame(LinkType::RAW, &ipv4(&segment))).0.flags.0, 0xba5);
}

#[test]
fn a_changed_byte_breaks_the_checksum() {
    let mut bytes = ipv4(&tcp(&[], b"hello"));
    *bytes.last_mut().unwrap() ^= 1;
    let (head, payload) = told(&frame(LinkType::RAW, &bytes));
    assert_eq!(checksum_ok(&head, &payload), Some(false));
}

#[test]
fn other_traffic_is_counted_by_name() {
    let protocol = |protocol: u8| Ipv4 { protocol, ..Ipv4::default() }.around(&[0; 8]);
    for (number, name) in [(1, "icmp"), (17, "udp"), (47, "gre"), (50, "esp"), (132, "sctp"), (250, "ip_protocol_other")] {
        becomes(LinkType::RAW, &protocol(number), &[name]);
    }
    becomes(LinkType::RAW, &ipv6(58, &[0; 8]), &["icmpv6"]);
    becomes(LinkType::RAW, &ipv6(59, &[]), &["ipv6_no_next_header"]);
    becomes(LinkType::ETHERNET, &ethernet(0x0806, &[0; 28]), &["arp"]);
    becomes(LinkType::ETHERNET, &ethernet(0x1234, &[0; 28]), &["ethertype_other"]);
    becomes(LinkType::ETHERNET, &[0; 13], &["link_header_cut"]);
    becomes(LinkType::RAW, &[0x45; 19], &["ipv4_header_cut"]);
    becomes(LinkType::RAW, &[0x41; 20], &["ipv4_header_invalid"]);
    becomes(LinkType::RAW, &[0x60; 39], &["ipv6_header_cut"]);
    becomes(LinkType::RAW, &[0x50; 39], &["ip_version_unknown"]);
    becomes(LinkType(147), &[0; 60], &["link_type_147_unsupported"]);
}

#[test]
fn a_capture_of_which_nothing_is_understood_can_be_told() {
    let mut decoder = Decoder::new(&Limits::default());
    decoded(&mut decoder, &frame(LinkType(147), &[0; 60]));
    decoded(&mut decoder, &frame(LinkType::ETHERNET, &[0xff; 60]));
    decoded(&mut decoder, &frame(LinkType::RAW, &[0xff; 60]));
    assert_eq!((decoder.frames(), decoder.understood()), (3, 0));
    decoded(&mut decoder, &frame(LinkType::ETHERNET, &ethernet(0x0806, &[0; 28])));
    decoded(&mut decoder, &frame(LinkType::RAW, &ipv4(&tcp(&[], b""))));
    assert_eq!((decoder.frames(), decoder.understood()), (5, 2));
}

#[test]
fn a_capture_that_names_every_link_type_grows_no_table_without_end() {
    let mut decoder = Decoder::new(&Limits::default());
    (1000..2000).for_each(|number| drop(decoded(&mut decoder, &frame(LinkType(number), &[]))));
    let counts = decoder.counts();
    assert_eq!(counts.len(), 65);
    assert_eq!(counts["link_types_others_unsupported"], 936);
}

/// Frames that are valid but for a few bytes, which reach deeper than noise does.
fn nearly_valid() -> impl Strategy<Value = Vec<u8>> {
    let extended = [&[60, 0, 1, 4, 0, 0, 0, 0][..], &[44, 0, 1, 4, 0, 0, 0, 0], &[TCP, 0, 0, 1, 0, 0, 0, 1], &tcp6(&[], b"hello")].concat();
    let wholes = vec![
        ethernet(IPV4, &ipv4(&tcp(&[2, 4, 5, 180, 1, 3, 3, 7], b"hello"))),
        ethernet(IPV6, &ipv6(TCP, &tcp6(&[1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4], b"hello"))),
        ethernet(IPV6, &ipv6(0, &extended)),
        ipv4(&tcp(&[], b"hello")),
        ipv6(0, &extended),
    ];
    let wholes: Vec<Vec<u8>> = wholes.into_iter().chain(wraps::all().into_iter().map(|wrap| wrap.bytes)).chain(wifi::examples()).collect();
    let changes = proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (prop::sample::select(wholes), changes, any::<prop::sample::Index>()).prop_map(|(mut bytes, changes, cut)| {
        let len = bytes.len();
        changes.iter().for_each(|(at, to)| bytes[at.index(len)] = *to);
        bytes.truncate(cut.index(bytes.len()) + 1);
        bytes
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        frames in proptest::collection::vec((prop_oneof![nearly_valid(), proptest::collection::vec(any::<u8>(), 0..200)], any::<u32>(), any::<i64>()), 1..8),
    ) {
        let mut decoder = Decoder::new(&Limits::default());
        for link in links::ALL.map(LinkType) {
            for (bytes, wire_len, time) in &frames {
                let time = crate::engine::time::Timestamp::from_nanos(*time);
                let frame = Frame { number: 1, time, link, bytes, wire_len: *wire_len };
                for (head, payload) in all_decoded(&mut decoder, &frame) {
                    prop_assert!(payload.len() <= head.payload_len as usize);
                    prop_assert!(checksum_ok(&head, &payload).is_none() || payload.len() == head.payload_len as usize);
                }
            }
        }
        prop_assert_eq!(decoder.frames() as usize, frames.len() * links::ALL.len());
    }

    #[test]
    fn the_short_way_and_the_long_one_end_alike(
        version in prop::sample::select(vec![4, 6]),
        options in prop::sample::select(vec![&[][..], &[1, 1, 8, 10, 0, 0, 0, 3, 0, 0, 0, 4], &[2, 4, 5, 180, 1, 3, 3, 7], &[8, 3, 0, 0]]),
        changes in proptest::collection::vec((0usize..90, any::<u8>()), 0..4),
        (cut, longer) in (0usize..120, 0u32..3),
    ) {
        let mut bytes = match version {
            4 => ethernet(IPV4, &ipv4(&tcp(options, b"hello"))),
            _ => ethernet(IPV6, &ipv6(TCP, &tcp6(options, b"hello"))),
        };
        changes.iter().for_each(|(at, to)| if let Some(byte) = bytes.get_mut(*at) { *byte = *to });
        bytes.truncate(cut);
        let given = Frame { wire_len: bytes.len() as u32 + longer, ..frame(LinkType::ETHERNET, &bytes) };
        let (mut short, mut long) = (Decoder::new(&Limits::default()), Decoder::new(&Limits::default()));
        let mut walked = Vec::new();
        long.counters.frame();
        long.walk(&given, &mut |decoded| {
            if let Decoded::Tcp(packet) = decoded {
                walked.push((packet.head, packet.payload.to_vec()));
            }
        });
        prop_assert_eq!(all_decoded(&mut short, &given), walked);
        prop_assert_eq!((short.counts(), short.understood()), (long.counts(), long.understood()));
    }

    #[test]
    fn no_payload_of_any_protocol_or_port_makes_it_panic(
        payload in proptest::collection::vec(any::<u8>(), 0..120),
        protocol: u8,
        ethertype: u16,
        snapped in 0usize..60,
    ) {
        let mut decoder = Decoder::new(&Limits::default());
        let ports = [1701, 2152, 4341, 4500, 4754, 4789, 4790, 5072, 5247, 6081, 6635, 8472, 37_008, 3544];
        let datagrams = ports.map(|port| wraps::outer(17, &wraps::udp(port, port, &payload)));
        let tunnels = [4, 41, 47, 50, 51, 97, 115, 137, 143, protocol].map(|protocol| wraps::outer(protocol, &payload));
        let types = [0x8847, 0x8864, 0x88e5, 0x88e7, 0x8926, 0x893f, 0x894f, 0x8100, 0x880b, ethertype].map(|kind| ethernet(kind, &payload));
        for whole in datagrams.iter().chain(&tunnels).chain(&types) {
            let bytes = &whole[..whole.len().saturating_sub(snapped)];
            all_decoded(&mut decoder, &Frame { bytes, ..frame(LinkType::ETHERNET, whole) });
        }
        prop_assert_eq!(decoder.frames(), 34);
    }

    #[test]
    fn padding_never_becomes_payload(payload in proptest::collection::vec(any::<u8>(), 0..100), padding in proptest::collection::vec(any::<u8>(), 0..60)) {
        for (ethertype, packet) in [(IPV4, ipv4(&tcp(&[], &payload))), (IPV6, ipv6(TCP, &tcp6(&[], &payload)))] {
            let padded = [ethernet(ethertype, &packet), padding.clone()].concat();
            let (head, found) = told(&frame(LinkType::ETHERNET, &padded));
            prop_assert_eq!(&found, &payload);
            prop_assert_eq!(checksum_ok(&head, &found), Some(true));
        }
    }
}
