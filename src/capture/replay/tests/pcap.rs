//! The classic format, in each of its dresses.

use super::writing::*;
use super::*;

#[test]
fn a_microsecond_pcap_of_either_byte_order_gives_its_packets_numbered_from_one() {
    for order in BOTH {
        let seen = read_whole(&small_pcap(order));
        assert_eq!(seen.iter().map(|frame| frame.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(seen[0].bytes, b"first");
        assert_eq!(seen[0].nanos, 1_700_000_000_000_001_000);
        assert_eq!((seen[1].bytes.len(), seen[1].wire_len), (0, 0));
        assert_eq!(seen[2].bytes, [7; 70]);
        assert!(seen.iter().all(|frame| frame.link == LinkType::ETHERNET));
    }
}

#[test]
fn a_nanosecond_pcap_of_either_byte_order_keeps_every_nanosecond() {
    for order in BOTH {
        let capture = [pcap_header(order, NANOS, 1), pcap_record(order, 5, 123_456_789, b"x")].concat();
        assert_eq!(read_whole(&capture)[0].nanos, 5_123_456_789);
    }
}

#[test]
fn times_at_the_edge_of_their_fields_do_not_overflow() {
    let capture = [pcap_header(Order::Little, MICROS, 1), pcap_record(Order::Little, u32::MAX, u32::MAX, b"x")].concat();
    assert_eq!(read_whole(&capture)[0].nanos, i64::from(u32::MAX) * 1_000_001_000);
}

#[test]
fn the_link_type_is_the_low_half_of_its_field_and_the_rest_tells_of_checksums() {
    for order in BOTH {
        let capture = [pcap_header(order, MICROS, 0x2400_0114), pcap_record(order, 0, 0, b"x")].concat();
        assert_eq!(read_whole(&capture)[0].link, LinkType::LINUX_SLL2);
    }
}

#[test]
fn a_packet_cut_by_the_snap_length_still_tells_its_length_on_the_wire() {
    let record = pcap_record_claiming(Order::Little, [0, 0, 4, 1500], b"head");
    let seen = read_whole(&[pcap_header(Order::Little, MICROS, 1), record].concat());
    assert_eq!((seen[0].bytes.as_slice(), seen[0].wire_len), (b"head".as_slice(), 1500));
}

#[test]
fn more_captured_than_was_on_the_wire_is_taken_whole_and_the_wire_length_mended() {
    let record = pcap_record_claiming(Order::Little, [0, 0, 4, 2], b"four");
    let seen = read_whole(&[pcap_header(Order::Little, MICROS, 1), record].concat());
    assert_eq!((seen[0].bytes.as_slice(), seen[0].wire_len), (b"four".as_slice(), 4));
}

#[test]
fn the_oldest_versions_give_the_two_lengths_the_other_way_round() {
    let swapped = pcap_record_claiming(Order::Big, [0, 0, 90, 4], b"four");
    for version in [(2, 0), (2, 2), (2, 3)] {
        let seen = read_whole(&[pcap_header_of_version(Order::Big, MICROS, 1, version), swapped.clone()].concat());
        assert_eq!((seen[0].bytes.as_slice(), seen[0].wire_len), (b"four".as_slice(), 90));
    }
    let straight = pcap_record_claiming(Order::Big, [0, 0, 4, 90], b"four");
    let seen = read_whole(&[pcap_header_of_version(Order::Big, MICROS, 1, (2, 3)), straight].concat());
    assert_eq!(seen[0].wire_len, 90, "2.3 was written in both orders");
}

#[test]
fn the_largest_packet_that_libpcap_takes_is_taken_and_one_byte_more_is_a_damage() {
    let header = pcap_header(Order::Little, MICROS, 1);
    let small = pcap_record(Order::Little, 0, 0, b"small");
    let large = pcap_record(Order::Little, 0, 0, &vec![1; 262_144]);
    let seen = read_whole(&[header.clone(), small.clone(), large, small.clone()].concat());
    assert_eq!((seen[1].bytes.len(), seen[2].bytes.as_slice()), (262_144, b"small".as_slice()));

    let absurd = pcap_record_claiming(Order::Little, [0, 0, 262_145, 262_145], &vec![1; 262_145]);
    let (seen, offset, damage) = read_damaged(&[header, small, absurd].concat());
    assert_eq!((seen.len(), offset), (1, 24 + 21));
    assert!(matches!(damage, Damage::CapturedLength { packet: 2, length: 262_145 }));
}

#[test]
fn a_capture_far_larger_than_the_buffer_loses_no_byte() {
    let mut capture = pcap_header(Order::Little, MICROS, 1);
    let packets: Vec<Vec<u8>> = (0..4_000_u32).map(|n| n.to_le_bytes().repeat(1 + n as usize % 300)).collect();
    for packet in &packets {
        capture.extend(pcap_record(Order::Little, 0, 0, packet));
    }
    assert!(capture.len() > 2 << 20);
    let seen = read_whole(&capture);
    assert!(seen.iter().map(|frame| &frame.bytes).eq(&packets));
    assert_eq!(seen.last().map(|frame| frame.number), Some(4_000));
}

#[test]
fn an_unknown_major_version_is_named() {
    let (_, offset, damage) = read_damaged(&pcap_header_of_version(Order::Big, MICROS, 1, (3, 1)));
    assert_eq!(offset, 0);
    assert!(matches!(damage, Damage::Version { major: 3, minor: 1 }));
}

#[test]
fn progress_is_told_in_bytes_of_the_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), small_pcap(Order::Little)).unwrap();
    let mut capture = crate::capture::replay::open(file.path()).unwrap();
    let size = small_pcap(Order::Little).len() as u64;
    assert_eq!(capture.size_on_disk(), Some(size));
    while capture.next_frame().unwrap().is_some() {}
    assert_eq!(capture.bytes_read(), size);
    assert_eq!(capture.path(), file.path());
}
