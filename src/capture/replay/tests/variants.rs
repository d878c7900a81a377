//! Variants of pcap by other writers: other magic numbers, longer record headers, other clocks and orders.

use super::writing::*;
use super::*;

const KUZNETZOV: u32 = 0xa1b2_cd34;
const NAVTEL: u32 = 0xa12b_3c4d;
const IXIA: [u32; 2] = [0x1c00_01ac, 0x1c00_01ab];

/// Records whose header is so many bytes longer than libpcap's.
fn records(order: Order, longer: usize, packets: &[&[u8]]) -> Vec<u8> {
    let record = |(seconds, bytes): (u32, &&[u8])| {
        let len = bytes.len() as u32;
        [pcap_record_claiming(order, [seconds, 7, len, len], &[]), vec![3; longer], bytes.to_vec()].concat()
    };
    (1_700_000_000..).zip(packets).flat_map(record).collect()
}

fn bytes(seen: &[Seen]) -> Vec<&[u8]> {
    seen.iter().map(|frame| frame.bytes.as_slice()).collect()
}

#[test]
fn record_headers_of_every_known_length_are_told_by_the_records_that_follow() {
    let packets: [&[u8]; 4] = [b"the first packet", b"the second, which is longer", b"three", b"four"];
    for order in BOTH {
        for (magic, longer) in [(MICROS, 0), (MICROS, 4), (MICROS, 8), (KUZNETZOV, 0), (KUZNETZOV, 8), (KUZNETZOV, 12)] {
            let seen = read_whole(&[pcap_header(order, magic, 1), records(order, longer, &packets)].concat());
            assert_eq!(bytes(&seen), packets, "{magic:#x} with {longer} bytes more, {order:?}");
            assert_eq!(seen[1].nanos, 1_700_000_001_000_007_000);
        }
    }
}

#[test]
fn the_usual_record_header_is_taken_when_nothing_fits_better() {
    let order = Order::Little;
    for (magic, longer) in [(MICROS, 0), (KUZNETZOV, 8)] {
        let one = [pcap_header(order, magic, 1), records(order, longer, &[b"alone"])].concat();
        assert_eq!(bytes(&read_whole(&one)), [b"alone"]);
        let (seen, _, damage) = read_damaged(&[one, vec![0xff; 9]].concat());
        assert_eq!(bytes(&seen), [b"alone"]);
        assert!(matches!(damage, Damage::Cut { .. }), "{damage}");
    }
    // Written with a captured length that is more than the length on the wire, and with microseconds beyond a second.
    let odd = [pcap_header(order, MICROS, 1), pcap_record_claiming(order, [1, 2_000_000, 5, 3], b"first"), records(order, 0, &[b"second"])];
    let seen = read_whole(&odd.concat());
    assert_eq!(bytes(&seen), [b"first".as_slice(), b"second"]);
    assert_eq!((seen[0].nanos, seen[0].wire_len), (3_000_000_000, 5));
}

#[test]
fn ixia_counts_all_records_behind_the_header_and_navtel_counts_nanoseconds() {
    for order in BOTH {
        for magic in IXIA {
            let body = records(order, 0, &[b"one", b"two"]);
            let seen = read_whole(&[pcap_header(order, magic, 1), order.u32(body.len() as u32), body].concat());
            assert_eq!((bytes(&seen), seen[0].nanos % 1_000_000_000), (vec![b"one".as_slice(), b"two"], 7_000));
        }
        let seen = read_whole(&[pcap_header(order, NAVTEL, 1), records(order, 0, &[b"one"])].concat());
        assert_eq!(seen[0].nanos % 1_000_000_000, 7);
    }
}

#[test]
fn aix_has_nanoseconds_and_names_its_interfaces_by_type() {
    for order in BOTH {
        for (kind, link) in [(6, LinkType::ETHERNET), (9, LinkType(6)), (15, LinkType(10)), (24, LinkType(0))] {
            let record = pcap_record_claiming(order, [5, 123_456_789, 90, 4], b"four");
            let seen = read_whole(&[pcap_header_of_version(order, MICROS, kind, (2, 2)), record].concat());
            assert_eq!((seen[0].link, seen[0].nanos, seen[0].wire_len), (link, 5_123_456_789, 90));
        }
        let record = pcap_record_claiming(order, [5, 7, 90, 4], b"four");
        let seen = read_whole(&[pcap_header_of_version(order, MICROS, 1, (2, 2)), record].concat());
        assert_eq!((seen[0].link, seen[0].nanos), (LinkType::ETHERNET, 5_000_007_000), "an old libpcap");
    }
}

#[test]
fn the_tcpdump_of_dg_ux_has_a_version_of_its_own_and_the_old_order_of_lengths() {
    let record = pcap_record_claiming(Order::Big, [0, 0, 90, 4], b"four");
    let seen = read_whole(&[pcap_header_of_version(Order::Big, MICROS, 1, (543, 0)), record].concat());
    assert_eq!((seen[0].bytes.as_slice(), seen[0].wire_len), (b"four".as_slice(), 90));
}
