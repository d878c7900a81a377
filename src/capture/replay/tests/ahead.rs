//! Large files, which a thread of their own reads: the same frames and the same errors as of a stream, wherever blocks end.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::write::GzEncoder;

use super::writing::*;
use super::*;
use crate::capture::replay::{WORTH_READING_AHEAD, open};

/// Packets from none to the most bytes, of some megabytes in all, which no packing makes small.
fn large() -> Vec<u8> {
    let mut capture = pcap_header(Order::Little, MICROS, 1);
    let mut noise = 1_u32;
    for number in 0..2_000_u32 {
        let len = match number % 97 {
            0 => 262_144,
            1 => 0,
            2 => 20_000,
            rest => rest * 15,
        };
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            })
            .collect();
        capture.extend(pcap_record(Order::Little, number, 0, &bytes));
    }
    capture
}

fn from_file(folder: &Path, bytes: &[u8]) -> (Vec<Seen>, Option<ReadError>) {
    let path = folder.join("large.pcap");
    fs::write(&path, bytes).unwrap();
    assert!(bytes.len() as u64 >= WORTH_READING_AHEAD, "{} bytes are read as small files are", bytes.len());
    frames_of(open(&path))
}

#[test]
fn a_large_file_gives_the_frames_of_a_stream_plain_and_packed() {
    let (folder, capture) = (tempfile::tempdir().unwrap(), large());
    let expected = read_whole(&capture);
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&capture).unwrap();
    for bytes in [&capture, &encoder.finish().unwrap()] {
        let (seen, error) = from_file(folder.path(), bytes);
        assert!(error.is_none(), "{error:?}");
        assert!(seen == expected, "{} frames of {}", seen.len(), expected.len());
    }
}

#[test]
fn the_damage_of_a_large_file_is_told_where_it_is() {
    let (folder, mut capture) = (tempfile::tempdir().unwrap(), large());
    capture.truncate(capture.len() - 7);
    let (expected, offset, _) = read_damaged(&capture);
    let (seen, error) = from_file(folder.path(), &capture);
    assert!(seen == expected);
    assert!(matches!(error, Some(ReadError::Damaged { offset: at, damage: Damage::Cut { .. }, .. }) if at == offset), "{error:?}");
}
