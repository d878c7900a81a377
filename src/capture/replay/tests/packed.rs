//! Every packing, told by their first bytes, whole and damaged.

use std::io::Write;

use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::writing::*;
use super::*;
use crate::capture::replay::Compression;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

type Packer = fn(&[u8]) -> Vec<u8>;
const PACKERS: [Packer; 4] = [gzip, zstd, bzip2, lz4];

/// A pcap that does not pack to nothing.
fn long_pcap(packets: u32) -> Vec<u8> {
    let mut capture = pcap_header(Order::Little, MICROS, 1);
    for n in 0..packets {
        let bytes: Vec<u8> = (0..200_u32).map(|at| (n.wrapping_mul(2_654_435_761).wrapping_add(at * at * n) >> 13) as u8).collect();
        capture.extend(pcap_record(Order::Little, n, 0, &bytes));
    }
    capture
}

#[test]
fn packed_captures_give_the_same_frames_as_plain_ones() {
    for plain in [small_pcap(Order::Big), small_pcapng(Order::Little), long_pcap(3_000)] {
        for pack in PACKERS {
            assert_eq!(read_whole(&pack(&plain)), read_whole(&plain));
        }
    }
}

#[test]
fn a_frame_as_the_zstd_command_writes_it_is_read_with_its_checksum() {
    // `zstd -19` of a pcap with one 40-byte packet of zeros.
    let packed = ZSTD_BY_THE_COMMAND;
    let seen = read_whole(packed);
    assert_eq!((seen.len(), seen[0].bytes.as_slice()), (1, [0; 40].as_slice()));
    let mut altered = packed.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let (seen, offset, damage) = read_damaged(&altered);
    assert_eq!((seen.len(), offset), (1, 80));
    assert!(damage.to_string().contains("checksum"), "{damage}");
    let (_, error) = read(&altered);
    assert!(error.unwrap().to_string().ends_with("packed data may be wrong even before the place where that shows"));
}

#[test]
fn xz_data_as_the_command_writes_it_is_read_with_its_checksum_and_streams_may_follow_each_other() {
    // `xz` of a pcap with one 40-byte packet of zeros.
    assert_eq!(read_whole(XZ_BY_THE_COMMAND)[0].bytes, [0; 40]);
    let twice = read(&[XZ_BY_THE_COMMAND, XZ_BY_THE_COMMAND].concat()).0;
    assert!(twice.len() > 1, "the header of the second pcap is taken for records");
    for place in 0..XZ_BY_THE_COMMAND.len() {
        let mut altered = XZ_BY_THE_COMMAND.to_vec();
        altered[place] ^= 0x10;
        assert!(read(&altered).1.is_some(), "byte {place} was altered");
        assert!(read(&XZ_BY_THE_COMMAND[..place]).1.is_some(), "cut to {place} bytes");
    }
}

#[test]
fn xz_data_that_demands_too_much_memory_is_refused() {
    // The block header says a dictionary of 4 GiB less one byte; its checksum is made to fit.
    let mut block = vec![2, 0, 0x21, 1, 40, 0, 0, 0];
    let mut crc = flate2::Crc::new();
    crc.update(&block);
    block.extend(crc.sum().to_le_bytes());
    let (_, error) = read(&[&XZ_BY_THE_COMMAND[..12], &block, &[0; 64]].concat());
    let text = error.unwrap().to_string();
    assert!(text.contains("memory"), "{text}");
}

#[test]
fn members_and_frames_may_follow_each_other_and_skippable_frames_be_among_them() {
    let plain = long_pcap(50);
    let (one, two) = plain.split_at(1_234);
    for pack in PACKERS {
        assert_eq!(read_whole(&[pack(one), pack(two)].concat()), read_whole(&plain));
    }
    let skippable = [0x184d_2a53_u32.to_le_bytes().to_vec(), 5_u32.to_le_bytes().to_vec(), b"hello".to_vec()].concat();
    let frames = [skippable.clone(), zstd(one), skippable, zstd(two)].concat();
    assert_eq!(read_whole(&frames), read_whole(&plain));
}

#[test]
fn a_packed_capture_that_was_cut_gives_what_can_still_be_unpacked() {
    let plain = long_pcap(10_000);
    let all = read_whole(&plain);
    for packed in [gzip(&plain), zstd(&plain)] {
        for tenth in 1..10 {
            let (seen, offset, damage) = read_damaged(&packed[..packed.len() * tenth / 10]);
            assert_eq!(seen, all[..seen.len()]);
            assert!(seen.len() * 10 > all.len() * (tenth - 1) / 2, "{} of {} packets from {tenth} tenths", seen.len(), all.len());
            assert_eq!(offset, 24 + 216 * seen.len() as u64, "the offset counts unpacked bytes");
            assert!(matches!(damage, Damage::Unreadable { .. }));
        }
    }
}

#[test]
fn the_error_says_that_its_offset_counts_unpacked_bytes() {
    let mut capture = long_pcap(5);
    capture.truncate(1_000);
    let (_, error) = read(&gzip(&capture));
    let text = error.unwrap().to_string();
    assert!(text.contains("damaged at byte 888 (once unpacked from gzip): the capture ends in the middle of packet 5"), "{text}");
}

#[test]
fn a_packed_file_of_nothing_is_empty_and_a_packed_letter_is_no_capture() {
    for pack in PACKERS {
        assert!(matches!(read(&pack(b"")).1, Some(ReadError::Empty { .. })));
        assert!(matches!(read(&pack(b"dear reader")).1, Some(ReadError::NotACapture { .. })));
        let (_, error) = read(&pack(&pack(&small_pcap(Order::Little))));
        assert!(matches!(error, Some(ReadError::Unsupported { kind, .. }) if kind.contains("twice")));
    }
    assert!(matches!(read(b"\x1f\x8b").1, Some(ReadError::Damaged { damage: Damage::Unreadable { .. }, .. })));
}

#[test]
fn a_zstd_frame_that_demands_too_much_memory_is_refused_with_the_figure() {
    // A frame header with a window of 2 GiB, as `zstd --long=31` writes.
    let (_, error) = read(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0]);
    let text = error.unwrap().to_string();
    assert!(text.contains("a window of 2048 MiB where 128 MiB are allowed"), "{text}");
}

#[test]
fn zstd_damage_is_told_in_plain_words() {
    let packed = zstd(&long_pcap(2_000));
    let told = |bytes: &[u8]| read_damaged(bytes).2.to_string();
    assert!(told(&packed[..packed.len() - 9]).contains("it ends too early: it was cut"));
    assert!(told(&packed[..6]).contains("it ends too early: it was cut"));
    assert!(told(&[packed.clone(), b"tail".to_vec()].concat()).contains("something else follows that is not zstd data"));
}

#[test]
fn garbage_behind_packed_data_costs_no_packet() {
    for pack in [gzip, zstd] {
        let (seen, offset, damage) = read_damaged(&[pack(&small_pcap(Order::Little)), b"garbage".to_vec()].concat());
        assert_eq!((seen.len(), offset), (3, 147));
        assert!(matches!(damage, Damage::Unreadable { .. }));
    }
}

#[test]
fn the_packing_is_told_and_progress_counts_packed_bytes() {
    let packed = gzip(&long_pcap(100));
    let size = packed.len() as u64;
    let mut capture = CaptureFile::from_reader("-", Cursor::new(packed)).unwrap();
    assert_eq!((capture.compression(), capture.size_on_disk()), (Compression::Gzip, None));
    while capture.next_frame().unwrap().is_some() {}
    assert_eq!(capture.bytes_read(), size);
}

#[rustfmt::skip]
const ZSTD_BY_THE_COMMAND: &[u8] = &[
    0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x68, 0xfd, 0x00, 0x00, 0x98, 0xd4, 0xc3, 0xb2, 0xa1, 0x02, 0x00, 0x04, 0x00, 0xff, 0xff,
    0x00, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x28, 0x04, 0x00, 0x00, 0x04, 0x60, 0x68, 0x77, 0x14, 0x02, 0x70, 0x01,
    0x8c, 0x16, 0xa0, 0xf3,
];

#[rustfmt::skip]
const XZ_BY_THE_COMMAND: &[u8] = &[
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x16, 0x00, 0x00, 0x00,
    0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x00, 0x4f, 0x00, 0x18, 0x5d, 0x00, 0x6a, 0x30, 0xd1, 0xc8, 0x7d, 0x8b, 0xf8, 0x09, 0x9b,
    0xad, 0x94, 0x4b, 0x8a, 0xf3, 0x00, 0x05, 0xcd, 0x67, 0xd5, 0x5c, 0xd2, 0x40, 0x00, 0x00, 0x00, 0x9c, 0x51, 0x81, 0x85,
    0x56, 0x3b, 0x7a, 0x1b, 0x00, 0x01, 0x34, 0x50, 0x28, 0x17, 0xc7, 0xf0, 0x1f, 0xb6, 0xf3, 0x7d, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x04, 0x59, 0x5a,
];
