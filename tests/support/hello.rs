//! What a browser says first: ClientHellos of TLS, and the first packets of QUIC that carry them.

use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::{AeadInOut, Aes128Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;

/// The salt of QUIC version 1 (RFC 9001, section 5.2).
const SALT: [u8; 20] =
    [0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a];
/// The connection id that the client chooses for the server.
const ID: [u8; 8] = *b"story-id";
/// Bytes of a client's first datagrams, at least (RFC 9000, section 14.1).
const DATAGRAM: usize = 1200;

fn behind(len: usize, content: &[u8]) -> Vec<u8> {
    let bytes = (content.len() as u32).to_be_bytes();
    [&bytes[4 - len..], content].concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &behind(2, content)].concat()
}

/// The handshake message of a browser that goes to `name` and offers these protocols.
pub(crate) fn client_hello(name: &str, protocols: &[&str]) -> Vec<u8> {
    let offers: Vec<u8> = protocols.iter().flat_map(|protocol| behind(1, protocol.as_bytes())).collect();
    let extensions = [
        extension(0x5a5a, &[]),
        extension(0, &behind(2, &[&[0][..], &behind(2, name.as_bytes())].concat())),
        extension(10, &behind(2, &[0x11, 0xec, 0, 29, 0, 23])),
        extension(13, &behind(2, &[4, 3, 8, 4, 4, 1, 5, 3, 8, 5])),
        extension(16, &behind(2, &offers)),
        extension(43, &behind(1, &[0x3a, 0x3a, 3, 4, 3, 3])),
        extension(51, &behind(2, &[&[0x11, 0xec][..], &behind(2, &[0x6b; 1216])].concat())),
    ];
    let ciphers = [0x1a, 0x1a, 0x13, 1, 0x13, 2, 0x13, 3, 0xc0, 0x2b, 0xc0, 0x2f];
    let body =
        [&[3, 3][..], &[0x5a; 32], &behind(1, &[0x77; 32]), &behind(2, &ciphers), &[1, 0], &behind(2, &extensions.concat())].concat();
    [&[1][..], &behind(3, &body)].concat()
}

/// The same as a stream of TLS begins with it.
pub(crate) fn tls(name: &str, protocols: &[&str]) -> Vec<u8> {
    [&[22, 3, 1][..], &behind(2, &client_hello(name, protocols))].concat()
}

/// The same in the first two datagrams of a QUIC connection, the later part in the first.
pub(crate) fn quic(name: &str) -> [Vec<u8>; 2] {
    let message = client_hello(name, &["h3"]);
    let half = message.len() / 2;
    let frame = |from: usize, to: usize| {
        let number = |number: usize| (number as u16 | 0x4000).to_be_bytes();
        [&[6][..], &number(from), &number(to - from), &message[from..to]].concat()
    };
    [sealed(0, &frame(half, message.len())), sealed(1, &frame(0, half))]
}

fn sealed(number: u32, frames: &[u8]) -> Vec<u8> {
    let header_len = 1 + 4 + 1 + ID.len() + 1 + 1 + 2 + 4;
    let mut payload = frames.to_vec();
    payload.resize(DATAGRAM - header_len - 16, 0);
    let length = (4 + payload.len() + 16) as u16 | 0x4000;
    let mut header = [&[0xc3, 0, 0, 0, 1][..], &behind(1, &ID), &[0, 0], &length.to_be_bytes(), &number.to_be_bytes()].concat();
    let initial = Hkdf::<Sha256>::new(Some(&SALT), &ID);
    let secret: [u8; 32] = expand(&initial, "client in");
    let client = Hkdf::<Sha256>::from_prk(&secret).unwrap();
    let (key, mut nonce, hp): ([u8; 16], [u8; 12], [u8; 16]) =
        (expand(&client, "quic key"), expand(&client, "quic iv"), expand(&client, "quic hp"));
    nonce[11] ^= number as u8;
    let cipher = Aes128Gcm::new(&key.into());
    let tag: [u8; 16] = cipher.encrypt_inout_detached(&nonce.into(), &header, payload.as_mut_slice().into()).unwrap().into();
    let mut mask = <[u8; 16]>::try_from(&payload[..16]).unwrap().into();
    Aes128::new(&hp.into()).encrypt_block(&mut mask);
    header[0] ^= mask[0] & 0x0f;
    let place = header_len - 4;
    header[place..].iter_mut().zip(&mask[1..]).for_each(|(byte, mask)| *byte ^= mask);
    [&header[..], &payload, &tag].concat()
}

fn expand<const N: usize>(secret: &Hkdf<Sha256>, label: &str) -> [u8; N] {
    let label = behind(1, format!("tls13 {label}").as_bytes());
    let mut out = [0; N];
    secret.expand_multi_info(&[&(N as u16).to_be_bytes(), &label, &[0]], &mut out).unwrap();
    out
}
