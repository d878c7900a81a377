//! Stories of datagrams in pieces.

use proptest::prelude::*;

use super::super::Decoder;
use super::super::checksum::checksum_ok;
use super::super::packet::Head;
use super::super::samples::*;
use crate::engine::frame::{Frame, LinkType};
use crate::engine::limits::Limits;
use crate::engine::time::{Span, Timestamp};

/// The header of an IPv4 fragment.
fn piece(offset: usize, more: bool) -> Ipv4<'static> {
    Ipv4 { df: false, more, offset: offset as u16, ..Ipv4::default() }
}

/// `whole` cut at the multiples of `size`, as raw IPv4.
fn pieces4(whole: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = whole.len().div_ceil(size) - 1;
    whole.chunks(size).enumerate().map(|(n, bytes)| piece(n * size, n < last).around(bytes)).collect()
}

/// `whole` cut at the multiples of `size`, as raw IPv6.
fn pieces6(whole: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = whole.len().div_ceil(size) - 1;
    whole.chunks(size).enumerate().map(|(n, bytes)| ipv6_fragment((n * size) as u16, n < last, TCP, bytes)).collect()
}

fn at(seconds: i64, bytes: &[u8]) -> Frame<'_> {
    Frame { time: Timestamp::from_parts(seconds, 0), ..frame(LinkType::RAW, bytes) }
}

/// The segments that frames one second apart come to.
fn story(decoder: &mut Decoder, frames: &[Vec<u8>]) -> Vec<(Head, Vec<u8>)> {
    frames.iter().enumerate().filter_map(|(n, bytes)| decoded(decoder, &at(n as i64, bytes))).collect()
}

fn count(decoder: &Decoder, name: &str) -> u64 {
    decoder.counts().get(name).copied().unwrap_or(0)
}

#[test]
fn the_last_piece_brings_the_segment_and_the_first_speaks_for_it() {
    let segment = tcp(&[], &[7; 100]);
    let first = Ipv4 { ttl: 64, ..piece(0, true) }.around(&segment[..64]);
    let second = Ipv4 { ttl: 3, ..piece(64, false) }.around(&segment[64..]);
    for order in [[&first, &second], [&second, &first]] {
        let mut decoder = Decoder::new(&Limits::default());
        assert_eq!(decoded(&mut decoder, &Frame { number: 1, ..at(1, order[0]) }), None);
        let (head, payload) = decoded(&mut decoder, &Frame { number: 2, ..at(2, order[1]) }).unwrap();
        assert_eq!((head.ttl, head.ip_id, head.df, head.frame, head.time), (64, 0xbeef, false, 2, Timestamp::from_parts(2, 0)));
        assert_eq!((head.wire_len as usize, head.payload_len), (first.len() + second.len(), 100));
        assert_eq!(payload, [7; 100]);
        assert_eq!(checksum_ok(&head, &payload), Some(true));
        assert_eq!(decoder.fragments.held, 0, "the state is freed");
        assert_eq!((count(&decoder, "fragment"), count(&decoder, "tcp"), count(&decoder, "fragment_reassembled")), (1, 1, 1));
    }
}

#[test]
fn ipv6_pieces_may_hold_further_extension_headers() {
    let segment = tcp6(&[], &[7; 100]);
    let behind = [&[TCP, 0, 1, 4, 0, 0, 0, 0][..], &segment].concat();
    let mut decoder = Decoder::new(&Limits::default());
    let frames = [ipv6_fragment(64, false, 0, &behind[64..]), ipv6_fragment(0, true, 60, &behind[..64])];
    let [(head, payload)] = story(&mut decoder, &frames).try_into().unwrap();
    assert_eq!(payload, [7; 100]);
    assert_eq!(checksum_ok(&head, &payload), Some(true));
}

#[test]
fn equal_ids_of_other_protocols_and_vlans_do_not_mix() {
    let segment = tcp(&[], &[7; 100]);
    let mut decoder = Decoder::new(&Limits::default());
    let udp = Ipv4 { protocol: 17, ..piece(64, false) }.around(&segment[64..]);
    let tagged = ethernet(0x8100, &[vec![0, 5, 8, 0], piece(64, false).around(&segment[64..])].concat());
    assert_eq!(decoded(&mut decoder, &at(1, &piece(0, true).around(&segment[..64]))), None);
    assert_eq!(decoded(&mut decoder, &at(1, &udp)), None);
    assert_eq!(decoded(&mut decoder, &Frame { link: LinkType::ETHERNET, ..at(1, &tagged) }), None);
    assert_eq!(decoder.fragments.datagrams.len(), 3);
}

#[test]
fn of_conflicting_ipv4_copies_the_first_wins() {
    let segment = tcp(&[], &[7; 100]);
    let forged = piece(48, true).around(&[9; 32]);
    let mut frames = pieces4(&segment, 64);
    frames.insert(1, forged);
    let mut decoder = Decoder::new(&Limits::default());
    let [(_, payload)] = story(&mut decoder, &frames).try_into().unwrap();
    let expected = [&segment[20..64], &[9; 16], &segment[80..]].concat();
    assert_eq!(payload, expected);
    assert_eq!(count(&decoder, "fragment_overlap_conflict"), 2);
}

#[test]
fn equal_copies_are_no_conflict() {
    for pieces in [pieces4(&tcp(&[], &[7; 100]), 64), pieces6(&tcp6(&[], &[7; 100]), 64)] {
        let mut decoder = Decoder::new(&Limits::default());
        let frames = [pieces[0].clone(), pieces[0].clone(), pieces[1].clone()];
        let [(head, payload)] = story(&mut decoder, &frames).try_into().unwrap();
        assert_eq!(checksum_ok(&head, &payload), Some(true));
        assert_eq!(head.wire_len as usize, pieces[0].len() + pieces[1].len());
        assert_eq!(count(&decoder, "fragment_overlap_conflict"), 0);
    }
}

#[test]
fn an_overlap_makes_an_ipv6_datagram_void_with_all_that_follows() {
    let segment = tcp6(&[], &[7; 100]);
    let mut frames = pieces6(&segment, 64);
    frames.insert(1, ipv6_fragment(48, true, TCP, &[9; 32]));
    frames.extend(pieces6(&segment, 64));
    let mut decoder = Decoder::new(&Limits::default());
    assert_eq!(story(&mut decoder, &frames), []);
    assert_eq!((count(&decoder, "fragment_overlap_conflict"), count(&decoder, "fragment_overlap_dropped")), (1, 1));
    assert_eq!(decoder.fragments.held, super::DATAGRAM_COST);
}

#[test]
fn pieces_that_come_too_late_meet_nobody() {
    let pieces = pieces4(&tcp(&[], &[7; 100]), 64);
    let mut decoder = Decoder::new(&Limits::default());
    assert_eq!(decoded(&mut decoder, &at(100, &pieces[0])), None);
    assert_eq!(decoded(&mut decoder, &at(131, &pieces[1])), None);
    assert_eq!(count(&decoder, "fragment_timeout"), 1);
    assert!(decoded(&mut decoder, &at(132, &pieces[0])).is_some());
    assert_eq!(decoder.fragments.held, 0);
}

#[test]
fn stamps_that_run_backwards_hide_no_stale_datagram() {
    let pieces = pieces4(&tcp(&[], &[7; 100]), 64);
    let other = Ipv4 { id: 1, ..piece(0, true) }.around(&[0; 64]);
    let mut decoder = Decoder::new(&Limits::default());
    assert_eq!(decoded(&mut decoder, &at(500, &other)), None);
    assert_eq!(decoded(&mut decoder, &at(100, &pieces[0])), None);
    assert_eq!(decoded(&mut decoder, &at(200, &pieces[1])), None);
    assert_eq!(count(&decoder, "fragment_timeout"), 1);
}

#[test]
fn impossible_and_cut_pieces_are_left() {
    let mut decoder = Decoder::new(&Limits::default());
    let beyond = piece(65_528, false).around(&[0; 16]);
    let empty = piece(64, false).around(&[]);
    let odd6 = ipv6_fragment(0, true, TCP, &[0; 13]);
    assert_eq!(story(&mut decoder, &[beyond, empty, odd6]), []);
    assert_eq!(count(&decoder, "fragment_invalid"), 3);
    let whole = piece(0, true).around(&[0; 64]);
    assert_eq!(decoded(&mut decoder, &Frame { bytes: &whole[..60], ..at(1, &whole) }), None);
    assert_eq!(count(&decoder, "fragment_cut"), 1);
    assert_eq!(decoder.fragments.held, 0);
}

#[test]
fn pieces_that_contradict_the_known_end_are_left() {
    let segment = tcp(&[], &[7; 100]);
    let mut frames = pieces4(&segment, 64);
    frames.reverse();
    frames.insert(1, piece(120, true).around(&[9; 64]));
    frames.insert(1, piece(64, false).around(&[9; 32]));
    let mut decoder = Decoder::new(&Limits::default());
    let [(head, payload)] = story(&mut decoder, &frames).try_into().unwrap();
    assert_eq!(checksum_ok(&head, &payload), Some(true));
    assert_eq!(count(&decoder, "fragment_invalid"), 2);
}

#[test]
fn a_flood_of_first_pieces_stays_within_the_limits_and_drops_the_oldest() {
    let limits = Limits { fragment_datagrams: 16, fragment_bytes: 20_000, ..Limits::default() };
    for (size, kept) in [(64, 16), (4_000, 4)] {
        let mut decoder = Decoder::new(&limits);
        for id in 0..1000 {
            let flood = Ipv4 { id, ..piece(0, true) }.around(&vec![0; size]);
            assert_eq!(decoded(&mut decoder, &at(1, &flood)), None);
            assert!(decoder.heap_bytes() <= limits.fragment_bytes);
        }
        let ids: Vec<_> = decoder.fragments.datagrams.keys().map(|key| key.id).collect();
        assert_eq!(ids, (1000 - kept..1000).collect::<Vec<_>>());
        assert_eq!(decoder.fragments.by_age.len(), ids.len());
        assert_eq!(count(&decoder, "fragment_evicted"), u64::from(1000 - kept));
    }
}

#[test]
fn a_flood_of_tiny_pieces_is_charged_for_more_than_its_bytes() {
    let limits = Limits { fragment_bytes: 20_000, ..Limits::default() };
    let mut decoder = Decoder::new(&limits);
    for n in 1..8000 {
        assert_eq!(decoded(&mut decoder, &at(1, &piece(n * 8, true).around(&[0; 8]))), None);
        assert!(decoder.heap_bytes() <= limits.fragment_bytes);
    }
    assert!(count(&decoder, "fragment_evicted") > 0);
}

#[test]
fn time_without_end_is_no_trouble() {
    let limits = Limits { fragment_timeout: Span::from_nanos(i64::MAX), ..Limits::default() };
    let mut decoder = Decoder::new(&limits);
    let bytes = piece(0, true).around(&[0; 8]);
    for time in [Timestamp::MAX, Timestamp::MIN, Timestamp::MAX] {
        assert_eq!(decoded(&mut decoder, &Frame { time, ..at(0, &bytes) }), None);
    }
}

proptest! {
    #[test]
    fn any_order_gives_the_same_segment(
        payload in proptest::collection::vec(any::<u8>(), 1..2000),
        units in 1usize..60,
        shuffle in any::<u64>(),
    ) {
        for pieces in [pieces4(&tcp(&[], &payload), units * 8), pieces6(&tcp6(&[], &payload), units * 8)] {
            let mut shuffled = pieces.clone();
            // Sorting by a seeded mix of the place is shuffle enough.
            shuffled.sort_by_key(|bytes| bytes.iter().fold(shuffle, |mix, byte| (mix ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)));
            let mut decoder = Decoder::new(&Limits::default());
            let found: Vec<_> = shuffled.iter().filter_map(|bytes| decoded(&mut decoder, &at(1, bytes))).collect();
            prop_assert_eq!(found.len(), 1);
            let (head, found) = &found[0];
            prop_assert_eq!(found, &payload);
            prop_assert_eq!(checksum_ok(head, found), Some(true));
            prop_assert_eq!(head.wire_len as usize, pieces.iter().map(Vec::len).sum::<usize>());
            prop_assert_eq!(decoder.fragments.held, 0);
        }
    }

    #[test]
    fn accounts_and_limits_hold_whatever_comes(
        frames in proptest::collection::vec((0u16..4, 0u16..12, 1usize..80, any::<bool>(), any::<u8>(), any::<bool>(), 0i64..100), 1..200),
    ) {
        let limits = Limits { fragment_datagrams: 3, fragment_bytes: 4_000, ..Limits::default() };
        let mut decoder = Decoder::new(&limits);
        for (id, unit, len, more, fill, v6, seconds) in frames {
            let bytes = if v6 {
                ipv6_fragment(unit * 8, more, TCP, &vec![fill; len])
            } else {
                Ipv4 { id, ..piece(usize::from(unit) * 8, more) }.around(&vec![fill; len])
            };
            decoded(&mut decoder, &at(seconds, &bytes));
            let fragments = &decoder.fragments;
            let cost: usize = fragments.datagrams.values().map(|datagram| datagram.cost() + super::DATAGRAM_COST).sum();
            prop_assert_eq!(fragments.held, cost);
            prop_assert!(fragments.held <= 4_000 && fragments.datagrams.len() <= 3);
            prop_assert_eq!(fragments.by_age.len(), fragments.datagrams.len());
        }
    }
}
