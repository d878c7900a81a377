//! Captures inside tar and zip archives, as the tests write them: whole, packed, cut, hostile.

use std::io::Write;

use flate2::write::{DeflateEncoder, GzEncoder};
use proptest::prelude::*;

use super::writing::*;
use super::*;
use crate::capture::replay::Captures;

type Found = Vec<(String, Vec<Vec<u8>>)>;

/// The names of the captures and the packets in them; then the errors.
fn read_archive(bytes: &[u8]) -> (Found, Vec<ReadError>) {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    let mut captures = match Captures::from_reader("a", Cursor::new(bytes.to_vec())) {
        Ok(captures) => captures,
        Err(error) => return (found, vec![error]),
    };
    while let Some(capture) = captures.next_capture() {
        let mut capture = match capture {
            Ok(capture) => capture,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let mut packets = Vec::new();
        loop {
            match capture.next_frame() {
                Ok(Some(frame)) => packets.push(frame.bytes.to_vec()),
                Ok(None) => break,
                Err(error) => {
                    errors.push(error);
                    break;
                }
            }
        }
        found.push((capture.path().display().to_string(), packets));
    }
    assert!(captures.next_capture().is_none(), "an archive that is over stays so");
    (found, errors)
}

fn names(bytes: &[u8]) -> Vec<String> {
    let (found, errors) = read_archive(bytes);
    assert!(errors.is_empty(), "{errors:?}");
    found.into_iter().map(|(name, _)| name).collect()
}

fn tar_header(name: &[u8], size: u64, kind: u8) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name);
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    checksummed(header)
}

fn checksummed(mut header: Vec<u8>) -> Vec<u8> {
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

fn tar_member(name: &[u8], kind: u8, bytes: &[u8]) -> Vec<u8> {
    let mut member = [tar_header(name, bytes.len() as u64, kind), bytes.to_vec()].concat();
    member.resize(member.len().next_multiple_of(512), 0);
    member
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let members: Vec<u8> = members.iter().flat_map(|(name, bytes)| tar_member(name.as_bytes(), b'0', bytes)).collect();
    [members, vec![0; 1024]].concat()
}

#[derive(Clone, Copy, PartialEq)]
enum Sizes {
    Before,
    Behind,
    BehindUnmarked,
}

fn zip_member(name: &str, bytes: &[u8], method: u16, sizes: Sizes) -> Vec<u8> {
    let order = Order::Little;
    let packed = if method == 8 { deflated(bytes) } else { bytes.to_vec() };
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let facts = [order.u32(crc.sum()), order.u32(packed.len() as u32), order.u32(bytes.len() as u32)].concat();
    let (flags, before, behind) = match sizes {
        Sizes::Before => (0, facts, Vec::new()),
        Sizes::Behind => (8, vec![0; 12], [b"PK\x07\x08".to_vec(), facts].concat()),
        Sizes::BehindUnmarked => (8, vec![0; 12], facts),
    };
    let head = [b"PK\x03\x04".to_vec(), order.u16(20), order.u16(flags), order.u16(method), vec![0; 4]].concat();
    [head, before, order.u16(name.len() as u16), order.u16(0), name.as_bytes().to_vec(), packed, behind].concat()
}

fn zip(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), b"PK\x01\x02 the directory".to_vec()].concat()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn small() -> Vec<u8> {
    small_pcap(Order::Little)
}

fn archives() -> Vec<Vec<u8>> {
    let (one, two) = (small(), small_pcapng(Order::Big));
    vec![
        tar(&[("one.pcap", &one), ("notes.txt", b"hello"), ("in/two.pcapng", &two)]),
        gzip(&tar(&[("one.pcap", &one), ("notes.txt", b"hello"), ("in/two.pcapng", &two)])),
        zip(&[
            zip_member("one.pcap", &one, 8, Sizes::Before),
            zip_member("notes.txt", b"hello", 0, Sizes::Before),
            zip_member("in/two.pcapng", &two, 0, Sizes::Before),
        ]),
        zip(&[
            zip_member("one.pcap", &one, 8, Sizes::Behind),
            zip_member("notes.txt", b"hello", 8, Sizes::BehindUnmarked),
            zip_member("in/two.pcapng", &two, 8, Sizes::BehindUnmarked),
        ]),
    ]
}

#[test]
fn each_capture_in_an_archive_is_one_of_its_own_named_behind_an_exclamation_mark() {
    for archive in archives() {
        let (found, errors) = read_archive(&archive);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(
            found.iter().map(|(name, packets)| (name.as_str(), packets.len())).collect::<Vec<_>>(),
            [("a!one.pcap", 3), ("a!in/two.pcapng", 2)]
        );
        assert_eq!(found[1].1, [b"first".to_vec(), b"second".to_vec()]);
    }
}

#[test]
fn a_member_may_be_packed_itself_and_names_of_macos_companions_are_passed_over() {
    let packed = gzip(&small());
    let archive = tar(&[("./one.pcap.gz", &packed), ("__MACOSX/._one.pcap", b"not a capture"), ("empty.pcap.d/x", b"")]);
    assert_eq!(names(&archive), ["a!one.pcap.gz"]);
}

#[test]
fn long_names_are_taken_from_gnu_pax_and_posix_headers() {
    let long = format!("{}/x.pcap", "d".repeat(150));
    let gnu = [tar_member(b"././@LongLink", b'L', format!("{long}\0").as_bytes()), tar_member(b"ddd", b'0', &small())].concat();
    assert_eq!(names(&gnu), [format!("a!{long}")]);

    let size = small().len();
    let record = |key: &str, value: &str| {
        let rest = format!(" {key}={value}\n");
        let length = (1..1_000).find(|length| length.to_string().len() + rest.len() == *length).unwrap();
        format!("{length}{rest}")
    };
    let records = [record("mtime", "1.5"), record("path", &long), record("size", &size.to_string())].concat();
    let mut untold = tar_member(b"ddd", b'0', &small());
    let header = checksummed([&untold[..124], b"00000000000\0", &untold[136..512]].concat());
    untold[..512].copy_from_slice(&header);
    assert_eq!(names(&[tar_member(b"pax", b'x', records.as_bytes()), untold].concat()), [format!("a!{long}")]);

    let mut split = tar_member(b"x.pcap", b'0', &small());
    split[345..348].copy_from_slice(b"dir");
    let header = checksummed(split[..512].to_vec());
    split[..512].copy_from_slice(&header);
    assert_eq!(names(&split), ["a!dir/x.pcap"]);
}

#[test]
fn an_archive_without_captures_says_what_is_taken() {
    for archive in [tar(&[("notes.txt", b"hello")]), zip(&[zip_member("a.txt", b"x", 0, Sizes::Before)]), b"PK\x05\x06".to_vec()] {
        let (_, errors) = read_archive(&archive);
        assert!(matches!(errors.as_slice(), [ReadError::NothingInside { .. }]), "{errors:?}");
    }
}

#[test]
fn a_member_that_is_no_capture_or_damaged_does_not_hide_the_next() {
    let good = small();
    let cut = good[..100].to_vec();
    for archive in [
        tar(&[("bad.pcap", b"letters"), ("cut.pcap", &cut), ("good.pcap", &good)]),
        zip(&[
            zip_member("bad.pcap", b"letters", 8, Sizes::Behind),
            zip_member("cut.pcap", &cut, 8, Sizes::Before),
            zip_member("good.pcap", &good, 8, Sizes::Behind),
        ]),
    ] {
        let (found, errors) = read_archive(&archive);
        assert_eq!(found.last().map(|(name, packets)| (name.as_str(), packets.len())), Some(("a!good.pcap", 3)));
        assert!(matches!(errors.as_slice(), [ReadError::NotACapture { .. }, ReadError::Damaged { .. }]), "{errors:?}");
    }
}

#[test]
fn encrypted_members_other_methods_and_unknown_ends_are_named() {
    let mut encrypted = zip_member("a.pcap", &small(), 8, Sizes::Before);
    encrypted[6] = 1;
    let other = zip_member("b.pcap", &small(), 12, Sizes::Before);
    let endless = zip_member("c.pcap", &small(), 0, Sizes::Behind);
    let (found, errors) = read_archive(&zip(&[encrypted, other, zip_member("good.pcap", &small(), 0, Sizes::Before), endless]));
    assert_eq!(found.len(), 1);
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert!(told[0].starts_with("a!a.pcap: cannot be read: it is encrypted"), "{told:?}");
    assert!(told[1].starts_with("a!b.pcap: cannot be read: it is packed with a method other than deflate"), "{told:?}");
    assert!(told[2].contains("is told behind it"), "{told:?}");
}

#[test]
fn an_altered_byte_shows_in_the_checksum_of_a_zip() {
    let mut archive = zip(&[zip_member("a.pcap", &small(), 0, Sizes::Before)]);
    archive[30 + 6 + 24 + 16] ^= 1;
    let (found, errors) = read_archive(&archive);
    assert_eq!(found[0].1.len(), 3);
    assert!(errors[0].to_string().contains("its checksum in the archive does not fit"), "{errors:?}");
}

#[test]
fn an_archive_that_was_cut_gives_what_it_held_and_one_complaint() {
    for archive in archives() {
        for tenth in 1..10 {
            let (_, errors) = read_archive(&archive[..archive.len() * tenth / 10]);
            assert!(errors.len() <= 2, "{errors:?}");
        }
    }
    let (found, errors) = read_archive(&tar(&[("a.pcap", &small())])[..600]);
    assert_eq!(found[0].1.len(), 2);
    assert!(errors[0].to_string().contains("the archive ends in the middle of this file"), "{errors:?}");
    assert_eq!(errors.len(), 1);
}

#[test]
fn a_bomb_is_passed_over_in_little_memory() {
    let bomb = vec![0; 64 << 20];
    let archive = zip(&[zip_member("zeros.bin", &bomb, 8, Sizes::Behind), zip_member("a.pcap", &small(), 8, Sizes::Before)]);
    assert_eq!(names(&archive), ["a!a.pcap"]);
}

proptest! {
    #[test]
    fn an_archive_with_some_bytes_altered_is_read_without_a_panic(
        mut archive in prop::sample::select(archives()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        for (place, value) in changes {
            let place = place.index(archive.len());
            archive[place] = value;
        }
        read_archive(&archive);
    }

    #[test]
    fn any_bytes_behind_the_beginning_of_an_archive_are_read_without_a_panic(
        tar_size in any::<u64>(),
        rest in prop::collection::vec(any::<u8>(), 0..900),
    ) {
        read_archive(&[tar_header(b"a.pcap", tar_size >> 31, b'0'), rest.clone()].concat());
        read_archive(&[tar_header(b"a.pcap", tar_size >> 54, b'x'), rest.clone()].concat());
        read_archive(&[b"PK\x03\x04".to_vec(), rest].concat());
    }
}
