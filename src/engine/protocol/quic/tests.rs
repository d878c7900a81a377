//! Stories of first packets: as the standards show them, in parts and out of order, and hostile.

use aes_gcm::{Aes128Gcm, KeyInit};
use proptest::prelude::*;

use super::super::tls::ClientHello;
use super::*;

const ID: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

/// The CRYPTO frame of RFC 9001, appendix A.2, which RFC 9369 uses too.
const CRYPTO: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c00000413011302010000c000000010\
    000e00000b6578616d706c652e636f6dff01000100000a00080006001d0017001800100007000504616c706e000500050100000000003300260024001d00209370\
    b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003020304000d0010000e0403050306030203080408050806002d00020101001c\
    00024001003900320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e51570806048000ffff";

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn keys(version: Version) -> Keys {
    Keys::of_client(version, &ConnectionId::new(&ID).unwrap())
}

/// What a client sends: a packet with this number and these frames.
fn sealed(version: Version, number: u32, frames: &[u8]) -> Vec<u8> {
    let (first, wire_version) = match version {
        Version::V1 => (0xc3, 1_u32),
        Version::V2 => (0xd3, 0x6b33_43cf),
    };
    let length = (4 + frames.len() + 16) as u16 | 0x4000;
    let header = [&[first][..], &wire_version.to_be_bytes(), &[8], &ID, &[0, 0], &length.to_be_bytes(), &number.to_be_bytes()].concat();
    let mut payload = frames.to_vec();
    let tag = keys(version).seal(u64::from(number), &header, &mut payload);
    let mut packet = [&header[..], &payload, &tag].concat();
    let mask = keys(version).mask(packet[22..38].first_chunk().unwrap());
    packet[0] ^= mask[0] & 0x0f;
    packet[18..22].iter_mut().zip(&mask[1..]).for_each(|(byte, mask)| *byte ^= mask);
    packet
}

impl Keys {
    fn seal(&self, number: u64, header: &[u8], payload: &mut [u8]) -> [u8; 16] {
        use aes_gcm::AeadInOut;
        let cipher = Aes128Gcm::new(&self.key().into());
        cipher.encrypt_inout_detached(&self.nonce(number).into(), header, payload.into()).unwrap().into()
    }
}

fn padded(frames: &[u8]) -> Vec<u8> {
    let mut payload = frames.to_vec();
    payload.resize(1162, 0);
    payload
}

fn read(datagrams: &[Vec<u8>]) -> Opening {
    let mut handshake = Handshake::default();
    for packet in datagrams.iter().flat_map(|datagram| initials(datagram)) {
        handshake.take(&packet, &Keys::of_client(packet.version, &packet.destination));
    }
    handshake.opening()
}

fn hello(datagrams: &[Vec<u8>]) -> ClientHello {
    match read(datagrams) {
        Opening::Hello(hello) => *hello,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_packets_of_rfc_9001_and_rfc_9369_are_sealed_and_opened() {
    let cases = [
        (Version::V1, "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11", "e221af44860018ab0856972e194cd934"),
        (Version::V2, "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485", "a18b2faa745b6fe189cf772a9f84cbfc"),
    ];
    for (version, begins, tag) in cases {
        let packet = sealed(version, 2, &padded(&unhex(CRYPTO)));
        assert_eq!(packet.len(), 1200);
        assert!(packet.starts_with(&unhex(begins)) && packet.ends_with(&unhex(tag)), "{version:?}");
        let hello = hello(&[packet]);
        assert_eq!((hello.server_name.as_deref(), hello.version), (Some("example.com"), 0x0304));
        assert_eq!(hello.protocols().collect::<Vec<_>>(), ["alpn"]);
        assert!(hello.ja4(true).starts_with("q13d0211an_"), "{}", hello.ja4(true));
    }
}

/// The hello in frames of these ranges.
fn frames(ranges: &[(usize, usize)]) -> Vec<u8> {
    let hello = &unhex(CRYPTO)[4..];
    let frame = |(from, to): &(usize, usize)| {
        let number = |number: usize| (number as u16 | 0x4000).to_be_bytes();
        [&[6][..], &number(*from), &number(to - from), &hello[*from..*to]].concat()
    };
    ranges.iter().flat_map(frame).collect()
}

#[test]
fn the_parts_may_come_in_any_order_and_over_several_packets() {
    let whole = hello(&[sealed(Version::V1, 0, &padded(&unhex(CRYPTO)))]);
    let first = sealed(Version::V1, 0, &padded(&frames(&[(200, 241), (10, 60)])));
    let second = sealed(Version::V1, 1, &padded(&[&[1, 0, 2, 5, 0, 0, 0][..], &frames(&[(60, 205), (0, 10)])].concat()));
    assert_eq!(read(std::slice::from_ref(&first)), Opening::Unfinished);
    assert_eq!(hello(&[first.clone(), second.clone()]), whole);
    assert_eq!(hello(&[second.clone(), first.clone(), second.clone()]), whole);
    assert_eq!(hello(&[[first, second].concat()]), whole, "in one datagram");
}

#[test]
fn what_is_not_closed_with_these_keys_says_nothing() {
    let mut packet = sealed(Version::V1, 0, &padded(&unhex(CRYPTO)));
    *packet.last_mut().unwrap() ^= 1;
    assert_eq!(read(std::slice::from_ref(&packet)), Opening::Unfinished);
    packet.truncate(600);
    assert_eq!(initials(&packet).count(), 0, "cut by the snap length");
    assert_eq!(initials(&[0x40; 1200]).count(), 0, "a short header");
}

#[test]
fn pieces_with_holes_are_bounded() {
    let mut handshake = Handshake::default();
    for at in (0..200_000).step_by(3) {
        handshake.put(at, &[1]);
    }
    assert!(handshake.pieces.len() <= MOST_PIECES && handshake.heap_bytes() < 4 * LONGEST_HELLO);
}

proptest! {
    #[test]
    fn no_bytes_break_it(datagram in proptest::collection::vec(any::<u8>(), 0..300), frames in proptest::collection::vec(any::<u8>(), 20..200)) {
        let _ = read(&[datagram]);
        let _ = read(&[sealed(Version::V2, 7, &frames)]);
    }

    #[test]
    fn the_order_of_parts_changes_nothing(mut cuts in proptest::collection::vec(0_usize..=241, 0..12), turn in 0_usize..12) {
        cuts.extend([0, 241]);
        cuts.sort_unstable();
        let mut ranges: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let places = ranges.len();
        ranges.rotate_left(turn % places);
        let whole = hello(&[sealed(Version::V1, 0, &padded(&unhex(CRYPTO)))]);
        prop_assert_eq!(hello(&[sealed(Version::V1, 0, &padded(&frames(&ranges)))]), whole);
    }
}
