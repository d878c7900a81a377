//! Sections, interfaces, clocks and the three kinds of packet block.

use super::writing::*;
use super::*;

fn only_time(order: Order, interface: Vec<u8>, stamp: u64) -> i64 {
    read_whole(&[section(order), interface, enhanced(order, 0, stamp, b"x")].concat())[0].nanos
}

#[test]
fn enhanced_packets_of_either_byte_order_are_read_and_unknown_blocks_passed_over() {
    for order in BOTH {
        let seen = read_whole(&small_pcapng(order));
        assert_eq!(seen.iter().map(|frame| frame.bytes.as_slice()).collect::<Vec<_>>(), [b"first".as_slice(), b"second"]);
        assert_eq!(seen.iter().map(|frame| frame.nanos).collect::<Vec<_>>(), [1_000_000_000, 2_000_000_000]);
        assert_eq!(seen.iter().map(|frame| frame.number).collect::<Vec<_>>(), [1, 2]);
    }
}

#[test]
fn each_interface_has_its_own_link_type_and_clock() {
    for order in BOTH {
        let capture = [
            section(order),
            interface_with_tsresol(order, 9),
            interface(order, 113, 0, option(order, 9, &[3])),
            enhanced(order, 1, 5, b"cooked"),
            enhanced(order, 0, 5, b"ether"),
        ];
        let seen = read_whole(&capture.concat());
        assert_eq!((seen[0].link, seen[0].nanos), (LinkType::LINUX_SLL, 5_000_000));
        assert_eq!((seen[1].link, seen[1].nanos), (LinkType::ETHERNET, 5));
    }
}

#[test]
fn a_new_section_may_turn_the_byte_order_and_forgets_the_interfaces() {
    let little = small_pcapng(Order::Little);
    let big = [section(Order::Big), interface(Order::Big, 101, 0, Vec::new()), enhanced(Order::Big, 0, 7, b"third")].concat();
    let seen = read_whole(&[little.clone(), big, little.clone()].concat());
    assert_eq!(seen.iter().map(|frame| frame.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!((seen[2].link, seen[2].nanos), (LinkType::RAW, 7_000));

    let orphan = [section(Order::Little), enhanced(Order::Little, 0, 7, b"orphan")].concat();
    let (seen, offset, damage) = read_damaged(&[little.clone(), orphan].concat());
    assert_eq!((seen.len(), offset), (2, little.len() as u64 + 28));
    assert!(matches!(damage, Damage::UnknownInterface { packet: 3, interface: 0, known: 0 }));
}

#[test]
fn a_clock_may_tick_in_powers_of_ten() {
    for order in BOTH {
        let time = |resolution, stamp| only_time(order, interface_with_tsresol(order, resolution), stamp);
        assert_eq!(time(0, 3), 3_000_000_000, "seconds");
        assert_eq!(time(3, 3), 3_000_000, "milliseconds");
        assert_eq!(time(9, 3), 3, "nanoseconds");
        assert_eq!(time(12, 3_999), 3, "picoseconds");
        assert_eq!(time(28, u64::MAX), 1, "the finest that still adds up to a nanosecond");
        assert_eq!(time(127, u64::MAX), 0);
        assert_eq!(time(0, u64::MAX), i64::MAX, "beyond the year 2262");
    }
}

#[test]
fn a_clock_may_tick_in_powers_of_two() {
    let order = Order::Big;
    let time = |exponent: u8, stamp| only_time(order, interface_with_tsresol(order, 0x80 | exponent), stamp);
    assert_eq!(time(0, 3), 3_000_000_000);
    assert_eq!(time(1, 3), 1_500_000_000);
    assert_eq!(time(20, 1 << 20 | 1 << 19), 1_500_000_000);
    assert_eq!(time(63, u64::MAX), 1_999_999_999);
    assert_eq!(time(64, u64::MAX), 999_999_999);
    assert_eq!(time(127, u64::MAX), 0);
    assert_eq!(time(0, u64::MAX), i64::MAX);
}

#[test]
fn no_clock_at_all_overflows() {
    for resolution in 0..=u8::MAX {
        for stamp in [0, 1, u64::from(u32::MAX), u64::MAX] {
            assert!(only_time(Order::Little, interface_with_tsresol(Order::Little, resolution), stamp) >= 0);
        }
    }
}

#[test]
fn a_clock_may_be_set_forth_or_back_by_whole_seconds_in_the_byte_order_of_its_section() {
    for order in BOTH {
        let time = |offset: i64| only_time(order, interface(order, 1, 0, option(order, 14, &order.u64(offset as u64))), 2_000_000);
        assert_eq!(time(1_700_000_000), 1_700_000_002_000_000_000);
        assert_eq!(time(-3), -1_000_000_000);
        assert_eq!(time(i64::MIN), i64::MIN);
        assert_eq!(time(i64::MAX), i64::MAX);
    }
}

#[test]
fn options_end_where_they_say_and_the_last_of_two_counts() {
    let order = Order::Little;
    let twice = [option(order, 9, &[3]), option(order, 9, &[9])].concat();
    assert_eq!(only_time(order, interface(order, 1, 0, twice), 5), 5);
    let after_the_end = [option(order, 0, b""), option(order, 9, &[9])].concat();
    assert_eq!(only_time(order, interface(order, 1, 0, after_the_end), 5), 5_000);
    let wrong_lengths = [option(order, 9, &[9, 9]), option(order, 14, &[1, 2, 3])].concat();
    assert_eq!(only_time(order, interface(order, 1, 0, wrong_lengths), 5), 5_000);
    let cut_option = [order.u16(9), order.u16(60_000)].concat();
    assert_eq!(only_time(order, interface(order, 1, 0, cut_option), 5), 5_000);
}

#[test]
fn a_simple_packet_has_the_time_of_the_packet_before_and_the_length_that_its_interface_allows() {
    for order in BOTH {
        let capture = [
            section(order),
            interface(order, 1, 6, Vec::new()),
            simple(order, 5, b"early"),
            enhanced(order, 0, 8, b"timed"),
            simple(order, 1500, b"cut it"),
        ];
        let seen = read_whole(&capture.concat());
        assert_eq!((seen[0].nanos, seen[0].bytes.as_slice(), seen[0].wire_len), (0, b"early".as_slice(), 5));
        assert_eq!((seen[2].nanos, seen[2].bytes.as_slice(), seen[2].wire_len), (8_000, b"cut it".as_slice(), 1500));
    }
}

#[test]
fn the_obsolete_packet_block_is_read_with_its_short_interface_number() {
    for order in BOTH {
        let two = [interface(order, 1, 0, Vec::new()), interface(order, 276, 0, Vec::new())].concat();
        let seen = read_whole(&[section(order), two, obsolete(order, 1, 1 << 32, b"old")].concat());
        assert_eq!((seen[0].link, seen[0].nanos), (LinkType::LINUX_SLL2, (1 << 32) * 1_000));
        assert_eq!(seen[0].bytes, b"old");
    }
}

#[test]
fn options_behind_a_packet_are_no_part_of_it() {
    let order = Order::Little;
    let comment = [padded(b"bytes".to_vec()), option(order, 1, b"a comment"), option(order, 0, b"")].concat();
    let capture = [section(order), interface(order, 1, 0, Vec::new()), enhanced_claiming(order, [0, 0, 0, 5, 5], &comment)];
    assert_eq!(read_whole(&capture.concat())[0].bytes, b"bytes");
}

#[test]
fn records_that_wireshark_numbers_but_that_hold_no_packet_leave_a_gap() {
    let order = Order::Little;
    for (kind, expected) in [(9, 3), (0xbad, 3), (0x4000_0bad, 3), (0x204, 3), (4, 2), (5, 2), (10, 2), (0x8000_0001, 2)] {
        let capture = [
            section(order),
            interface(order, 1, 0, Vec::new()),
            enhanced(order, 0, 0, b"one"),
            block(order, kind, vec![0; 40]),
            enhanced(order, 0, 0, b"two"),
        ];
        let seen = read_whole(&capture.concat());
        assert_eq!((seen[0].number, seen[1].number), (1, expected), "block type {kind:#x}");
    }
}

#[test]
fn a_block_length_off_the_grid_is_rounded_up_as_the_block_itself_is() {
    let order = Order::Little;
    let fields: Vec<u8> = [0, 0, 3, 5, 5].iter().flat_map(|field| order.u32(*field)).collect();
    let odd = [order.u32(6), order.u32(37), fields, b"bytes\0\0\0".to_vec(), order.u32(37)].concat();
    let seen = read_whole(&[section(order), interface(order, 1, 0, Vec::new()), odd.clone(), odd].concat());
    assert_eq!(seen.iter().filter(|frame| frame.bytes == b"bytes").count(), 2);
}

#[test]
fn an_unknown_block_of_any_size_is_passed_over() {
    let order = Order::Little;
    let large = block(order, 0x77, vec![1; 17 << 20]);
    let (begin, end) = (small_pcapng(order), enhanced(order, 0, 0, b"behind"));
    assert_eq!(read_whole(&[begin, large, end].concat())[2].bytes, b"behind");
}
