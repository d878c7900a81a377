//! Stories of ClientHellos whole, in parts, and hostile; fingerprints as published.

use proptest::prelude::*;

use super::*;

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(content.len() as u16).to_be_bytes(), content].concat()
}

fn behind_u16(content: &[u8]) -> Vec<u8> {
    [&(content.len() as u16).to_be_bytes()[..], content].concat()
}

fn numbers(codes: &[u16]) -> Vec<u8> {
    codes.iter().flat_map(|code| code.to_be_bytes()).collect()
}

fn message(ciphers: &[u16], extensions: &[Vec<u8>]) -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0], &behind_u16(&numbers(ciphers)), &[1, 0], &behind_u16(&extensions.concat())].concat();
    let [_, len @ ..] = (body.len() as u32).to_be_bytes();
    [&[1][..], &len, &body].concat()
}

fn named(name: &str) -> Vec<u8> {
    extension(0, &behind_u16(&[&[0][..], &behind_u16(name.as_bytes())].concat()))
}

/// As FoxIO's description of JA4 has it, with the meaningless numbers of Chrome.
fn chrome() -> Vec<u8> {
    let ciphers =
        [0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035];
    let algorithms = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
    let plain = [0x1b, 0x33, 0x05, 0x12, 0x0a, 0x0b, 0x17, 0x23, 0x2d, 0x4469, 0xff01, 0x15];
    let mut extensions: Vec<Vec<u8>> = plain.iter().map(|kind| extension(*kind, &[])).collect();
    extensions.insert(0, extension(0xbaba, &[]));
    extensions.insert(3, extension(13, &behind_u16(&numbers(&algorithms))));
    extensions.insert(5, named("Shop.Example."));
    extensions.insert(7, extension(16, &behind_u16(b"\x02h2\x08http/1.1")));
    extensions.push(extension(43, &[&[6][..], &numbers(&[0x1a1a, 0x0304, 0x0303])].concat()));
    message(&ciphers, &extensions)
}

/// The message in records of `size` bytes.
fn records(message: &[u8], size: usize) -> Vec<u8> {
    message.chunks(size).flat_map(|part| [&[22, 3, 1][..], &behind_u16(part)].concat()).collect()
}

fn hello(stream: &[u8]) -> ClientHello {
    match Opening::of_stream(stream) {
        Opening::Hello(hello) => *hello,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_browser_says_where_it_goes_and_what_it_is() {
    let hello = hello(&records(&chrome(), 16_000));
    assert_eq!(hello.server_name.as_deref(), Some("shop.example"));
    assert_eq!((hello.version, hello.has_encrypted_hello()), (0x0304, false));
    assert_eq!(hello.protocols().collect::<Vec<_>>(), ["h2", "http/1.1"]);
    assert_eq!(hello.ja4(false), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    assert_eq!(hello.ja4(true), "q13d1516h2_8daaf6152771_e5627efa2ab1");
}

#[test]
fn it_may_come_in_many_records_and_segments() {
    for size in [1, 3, 100] {
        let stream = records(&chrome(), size);
        assert_eq!(hello(&stream), hello(&records(&chrome(), 16_000)));
        for cut in 0..stream.len() {
            assert_eq!(Opening::of_stream(&stream[..cut]), Opening::Unfinished, "{cut} bytes in records of {size}");
        }
    }
}

#[test]
fn an_old_client_without_extensions_has_a_fingerprint_too() {
    let old = message(&[0x0005], &[]);
    let stream = records(&old, 16_000);
    assert_eq!(hello(&stream).ja4(false), format!("t12i010000_{}_000000000000", &hash_of("0005")));
    let shorter = [&[1, 0, 0, old.len() as u8 - 6][..], &old[4..old.len() - 2]].concat();
    assert_eq!(hello(&records(&shorter, 100)).server_name, None);
}

fn hash_of(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn protocols_that_are_no_words_are_told_by_their_hexadecimal_form() {
    for (list, expected) in [(&b"\x01h"[..], "hh"), (b"\x02\xabx", "a8"), (b"\x03\x30\xab\xcd", "3d"), (b"\x00", "00")] {
        let stream = records(&message(&[0x1301], &[extension(16, &behind_u16(list))]), 16_000);
        assert_eq!(hello(&stream).ja4(false).get(8..10), Some(expected), "{list:?}");
    }
}

#[test]
fn an_encrypted_hello_shows_that_it_is_there() {
    let stream = records(&message(&[0x1301], &[named("front.example"), extension(0xfe0d, &[0; 200])]), 16_000);
    assert!(hello(&stream).has_encrypted_hello());
}

#[test]
fn what_is_no_hello_is_not_waited_for() {
    let endless = [&[22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff][..], &[0; 40]].concat();
    for stream in [&b"GET / HTTP/1.1\r\n"[..], b"\x16\x03\x01\x00\x00", b"\x17\x03\x03\x00\x01\x00", b"\x16\x03\x01\x00\x05\x02", &endless]
    {
        assert_eq!(Opening::of_stream(stream), Opening::Other, "{stream:?}");
    }
    let many = message(&[0x1301], &vec![extension(9, &[]); 300]);
    assert_eq!(Opening::of_message(&many), Opening::Other, "too many extensions");
}

proptest! {
    #[test]
    fn no_bytes_break_it(stream in proptest::collection::vec(any::<u8>(), 0..600), at in 0_usize..400, byte in any::<u8>()) {
        let _ = Opening::of_stream(&stream);
        let mut spoiled = records(&chrome(), 100);
        if let Some(slot) = spoiled.get_mut(at) {
            *slot = byte;
        }
        if let Opening::Hello(hello) = Opening::of_stream(&spoiled) {
            prop_assert!(hello.ja4(false).len() == 36 && hello.heap_bytes() < 4096);
        }
    }
}
