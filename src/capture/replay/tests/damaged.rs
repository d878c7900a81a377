//! Cut, overwritten, empty and mistaken files: what stood before is given, and the place is told.

use super::writing::*;
use super::*;

/// Cuts `whole` at every byte. `bounds` are the offsets where it may end cleanly; the first is behind all headers.
fn cut_everywhere(whole: &[u8], bounds: &[usize], packets_at: impl Fn(usize) -> usize) {
    let all = read_whole(whole);
    for cut in 0..whole.len() {
        let (seen, error) = read(&whole[..cut]);
        assert_eq!(seen, all[..packets_at(cut)], "cut at {cut}: what stands before it is given");
        match error {
            None => assert!(bounds.contains(&cut), "cut at {cut} is no clean end"),
            Some(ReadError::Empty { .. }) => assert_eq!(cut, 0),
            Some(ReadError::NotACapture { first, .. }) => assert!(cut < 4 && first.len() == cut),
            Some(ReadError::Damaged { offset, packets, damage: Damage::Cut { end, .. }, .. }) => {
                let begin = bounds.iter().filter(|bound| **bound <= cut).max().copied().unwrap_or(0);
                assert_eq!((offset, end, packets), (begin as u64, cut as u64, seen.len() as u64));
                assert!(!bounds.contains(&cut));
            }
            other => panic!("cut at {cut}: {other:?}"),
        }
    }
}

#[test]
fn a_pcap_cut_at_any_byte_gives_what_stands_before_and_tells_where_it_was_cut() {
    for order in BOTH {
        let bounds = [24, 45, 61, 147];
        cut_everywhere(&small_pcap(order), &bounds, |cut| bounds.iter().skip(1).filter(|bound| **bound <= cut).count());
    }
}

#[test]
fn a_pcapng_cut_at_any_byte_gives_what_stands_before_and_tells_where_it_was_cut() {
    for order in BOTH {
        let bounds = [28, 48, 88, 108, 148];
        cut_everywhere(&small_pcapng(order), &bounds, |cut| [88, 148].iter().filter(|bound| **bound <= cut).count());
    }
}

#[test]
fn a_cut_is_told_in_plain_words_with_the_place() {
    let whole = [pcap_header(Order::Little, MICROS, 1), pcap_record(Order::Little, 0, 0, &[0; 1200]).repeat(2)].concat();
    let (_, error) = read(&whole[..2000]);
    assert_eq!(
        error.unwrap().to_string(),
        "story.pcap: damaged at byte 1,240: the capture ends in the middle of packet 2, after byte 2,000: it was cut while \
         being written or copied, so copy it again if the original is longer; the one packet before it was analysed"
    );
}

#[test]
fn an_empty_file_is_no_quiet_success() {
    let (_, error) = read(b"");
    assert!(error.unwrap().to_string().starts_with("story.pcap: is empty"));
}

#[test]
fn a_file_that_is_no_capture_is_named_by_its_first_bytes() {
    let (_, error) = read(b"<html>\x1b[2J and more");
    assert_eq!(
        error.unwrap().to_string(),
        "story.pcap: is not a capture file: it begins with 3c 68 74 6d 6c 3e 1b 5b \"<html>.[\"; pcap and pcapng are read, \
         plain, packed with gzip, zstd, xz, bzip2 or lz4, and inside tar and zip archives"
    );
    let (_, error) = read(b"\n\r\r\n1234not a section");
    assert!(matches!(error, Some(ReadError::NotACapture { .. })));
}

#[test]
fn exotic_variants_are_refused_by_name() {
    for order in BOTH {
        let (_, error) = read(&pcap_header(order, 0xa1b2_34cd, 1));
        let Some(ReadError::Unsupported { kind, .. }) = error else { panic!("{error:?}") };
        assert!(kind.contains("Mesquita"));
    }
    let (_, error) = read(b"snoop\0\0\0........");
    assert!(error.unwrap().to_string().contains("is a Solaris snoop file"));
}

#[test]
fn names_of_files_cannot_write_to_the_terminal() {
    let error = CaptureFile::from_reader("evil\x1b[31m\n.pcap", Cursor::new(Vec::new())).err().unwrap();
    assert!(error.to_string().starts_with("evil\\u{1b}[31m\\n.pcap: "));
}

#[test]
fn garbage_behind_the_last_packet_costs_no_packet() {
    let (seen, offset, damage) = read_damaged(&[small_pcap(Order::Little), vec![0; 5]].concat());
    assert_eq!((seen.len(), offset), (3, 147));
    assert!(matches!(damage, Damage::Cut { part: Part::Packet { number: 4 }, end: 152 }));

    let (seen, offset, damage) = read_damaged(&[small_pcapng(Order::Little), vec![0; 16]].concat());
    assert_eq!((seen.len(), offset), (2, 148));
    assert!(matches!(damage, Damage::BlockLength { length: 0 }));
}

#[test]
fn block_lengths_that_cannot_be_are_told_and_never_believed() {
    let order = Order::Little;
    let start = [section(order), interface(order, 1, 0, Vec::new())].concat();
    let claiming = |kind: u32, length: u32| [start.clone(), order.u32(kind), order.u32(length), vec![0; 64]].concat();
    for (kind, length) in [(6, 0), (6, 11), (0x77, 8), (6, u32::MAX), (1, 17 << 20), (2, u32::MAX - 3)] {
        let (_, offset, damage) = read_damaged(&claiming(kind, length));
        assert!(matches!(damage, Damage::BlockLength { length: told } if told == length), "{kind} {length} {damage:?}");
        assert_eq!(offset, 48);
    }
    let (_, offset, damage) = read_damaged(&claiming(0x77, u32::MAX));
    assert!(matches!(damage, Damage::Cut { part: Part::Block, end: 120 }), "an unknown block may be large, but not that large");
    assert_eq!(offset, 48);
    let (_, _, damage) = read_damaged(&claiming(6, 16));
    assert!(matches!(damage, Damage::BlockTrailer { head: 16, trailer: 0 }));
}

#[test]
fn blocks_shorter_than_their_content_are_told() {
    let order = Order::Big;
    let start = [section(order), interface(order, 1, 0, Vec::new())].concat();
    let cases = [
        (block(order, 6, vec![0; 16]), 6),
        (block(order, 3, Vec::new()), 3),
        (block(order, 2, vec![0; 8]), 2),
        (block(order, 1, vec![0; 4]), 1),
        (simple(order, 100, b"too few"), 3),
        (enhanced_claiming(order, [0, 0, 0, 9, 9], b"12345678"), 6),
    ];
    for (bad, expected) in cases {
        let (_, offset, damage) = read_damaged(&[start.clone(), bad].concat());
        assert!(matches!(damage, Damage::BlockContent { kind } if kind == expected), "{damage:?}");
        assert_eq!(offset, 48);
    }
    let absurd = enhanced_claiming(order, [0, 0, 0, 262_145, 262_145], &vec![0; 262_145]);
    let (_, _, damage) = read_damaged(&[start, absurd].concat());
    assert!(matches!(damage, Damage::CapturedLength { packet: 1, length: 262_145 }));
}

#[test]
fn sections_of_unknown_version_or_byte_order_are_told() {
    let start = small_pcapng(Order::Little);
    let (seen, offset, damage) = read_damaged(&[start.clone(), section_of_version(Order::Big, 2, 0)].concat());
    assert_eq!((seen.len(), offset), (2, 148));
    assert!(matches!(damage, Damage::Version { major: 2, minor: 0 }));
    let mut strange = section(Order::Little);
    strange[8] = 0;
    let (_, _, damage) = read_damaged(&[start, strange].concat());
    assert!(matches!(damage, Damage::ByteOrder { .. }));
    assert!(read_whole(&section_of_version(Order::Big, 1, 2)).is_empty());
}

#[test]
fn interfaces_without_end_do_not_eat_the_memory() {
    let order = Order::Little;
    let capture = [section(order), interface(order, 1, 0, Vec::new()).repeat(65_537)].concat();
    let (_, offset, damage) = read_damaged(&capture);
    assert!(matches!(damage, Damage::TooManyInterfaces { limit: 65_536 }));
    assert_eq!(offset, 28 + 20 * 65_536);
}

#[test]
fn a_disk_that_fails_is_told_after_what_it_gave() {
    struct Failing(Cursor<Vec<u8>>);
    impl std::io::Read for Failing {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(into) {
                Ok(0) => Err(std::io::Error::other("the disk is gone")),
                given => given,
            }
        }
    }
    let mut capture = CaptureFile::from_reader("disk", Failing(Cursor::new(small_pcap(Order::Little)))).unwrap();
    for _ in 0..3 {
        assert!(capture.next_frame().unwrap().is_some());
    }
    let error = capture.next_frame().unwrap_err();
    assert!(matches!(error, ReadError::Damaged { offset: 147, packets: 3, damage: Damage::Unreadable { .. }, .. }));
    assert!(capture.next_frame().unwrap().is_none());
}
