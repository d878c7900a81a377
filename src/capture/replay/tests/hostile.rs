//! Any bytes at all: no panic, an end, and at most one error.

use proptest::prelude::*;

use super::writing::*;
use super::*;

fn valid_captures() -> Vec<Vec<u8>> {
    let order = Order::Little;
    let mixed = [
        small_pcapng(order),
        section(Order::Big),
        interface_with_tsresol(Order::Big, 0xa0),
        simple(Order::Big, 3, b"abc"),
        obsolete(Order::Big, 0, 9, b"old"),
        block(Order::Big, 9, vec![0; 20]),
    ];
    let mut captures = vec![small_pcap(order), small_pcap(Order::Big), small_pcapng(order), mixed.concat()];
    for plain in [small_pcap(order), mixed.concat()] {
        captures.push(ruzstd::encoding::compress_to_vec(plain.as_slice(), ruzstd::encoding::CompressionLevel::Fastest));
        let mut encoder = flate2::read::GzEncoder::new(plain.as_slice(), flate2::Compression::fast());
        let mut packed = Vec::new();
        std::io::Read::read_to_end(&mut encoder, &mut packed).unwrap();
        captures.push(packed);
    }
    captures
}

fn beginnings() -> impl Strategy<Value = Vec<u8>> {
    let beginnings = [
        Vec::new(),
        pcap_header(Order::Little, MICROS, 1),
        pcap_header(Order::Big, NANOS, 1),
        section(Order::Little),
        [section(Order::Big), interface(Order::Big, 1, 0, Vec::new())].concat(),
        vec![0x1f, 0x8b, 8, 0],
        vec![0x28, 0xb5, 0x2f, 0xfd],
        vec![0xfd, b'7', b'z', b'X', b'Z', 0, 0, 4, 0xe6, 0xd6, 0xb4, 0x46],
        b"BZh91AY&SY".to_vec(),
        vec![0x04, 0x22, 0x4d, 0x18, 0x64, 0x40, 0xa7],
        vec![0x02, 0x21, 0x4c, 0x18],
        pcap_header(Order::Little, 0xa1b2_cd34, 1),
    ];
    prop::sample::select(beginnings.to_vec())
}

proptest! {
    #[test]
    fn any_bytes_behind_any_beginning_are_read_without_a_panic(
        begin in beginnings(),
        rest in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        read(&[begin, rest].concat());
    }

    #[test]
    fn any_small_fields_behind_any_beginning_are_read_without_a_panic(
        begin in beginnings(),
        fields in prop::collection::vec(prop_oneof![0_u32..80, any::<u32>()], 0..60),
        order in prop::sample::select(BOTH.to_vec()),
    ) {
        let rest: Vec<u8> = fields.iter().flat_map(|field| order.u32(*field)).collect();
        read(&[begin, rest].concat());
    }

    #[test]
    fn a_valid_capture_with_some_bytes_altered_is_read_without_a_panic(
        mut capture in prop::sample::select(valid_captures()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        for (place, value) in changes {
            let place = place.index(capture.len());
            capture[place] = value;
        }
        read(&capture);
    }

    #[test]
    fn the_pieces_in_which_a_stream_arrives_change_nothing(
        capture in prop::sample::select(valid_captures()),
        piece in 1_usize..40,
    ) {
        struct Pieces(Cursor<Vec<u8>>, usize);
        impl std::io::Read for Pieces {
            fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
                let most = self.1.min(into.len());
                self.0.read(&mut into[..most])
            }
        }
        let whole = read_whole(&capture);
        let mut in_pieces = CaptureFile::from_reader("pieces", Pieces(Cursor::new(capture), piece)).unwrap();
        for expected in whole {
            let frame = in_pieces.next_frame().unwrap().unwrap();
            prop_assert_eq!((frame.number, frame.bytes), (expected.number, expected.bytes.as_slice()));
        }
        prop_assert!(in_pieces.next_frame().unwrap().is_none());
    }
}
