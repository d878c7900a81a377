//! The fingerprint JA4 of a ClientHello, as FoxIO specifies it (JA4 alone, not its relatives, is under the BSD licence).

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::{ALPN, ClientHello, SERVER_NAME, is_grease};

/// What stands for the hash of an empty list.
const NOTHING: &str = "000000000000";

/// Transport, version, whether a name is given, how many ciphers and extensions, the protocol; then hashes of the sorted ciphers, and of the
/// sorted extensions with the signature algorithms in their order.
pub(super) fn of(hello: &ClientHello, over_quic: bool) -> String {
    let (mut ciphers, mut extensions) = (told(&hello.ciphers), told(&hello.extensions));
    let named = if extensions.contains(&SERVER_NAME) { 'd' } else { 'i' };
    let counts = [ciphers.len().min(99), extensions.len().min(99)];
    ciphers.sort_unstable();
    extensions.retain(|kind| !matches!(*kind, SERVER_NAME | ALPN));
    extensions.sort_unstable();
    let algorithms = told(&hello.signature_algorithms);
    let mut said = list(&extensions);
    if !said.is_empty() && !algorithms.is_empty() {
        said.push('_');
        said.push_str(&list(&algorithms));
    }
    format!(
        "{}{}{named}{:02}{:02}{}_{}_{}",
        if over_quic { 'q' } else { 't' },
        version(hello.version),
        counts[0],
        counts[1],
        protocol(hello.first_protocol().unwrap_or_default()),
        hash(&list(&ciphers)),
        hash(&said),
    )
}

/// Without those that mean nothing.
fn told(codes: &[u16]) -> Vec<u16> {
    codes.iter().copied().filter(|code| !is_grease(*code)).collect()
}

const fn version(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// First and last character of the protocol's name, or of its hexadecimal form where one of them is neither letter nor digit.
fn protocol(name: &[u8]) -> String {
    match (name.first(), name.last()) {
        (Some(first), Some(last)) if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() => {
            [char::from(*first), char::from(*last)].iter().collect()
        }
        (Some(first), Some(last)) => format!("{:x}{:x}", first >> 4, last & 0x0f),
        _ => "00".to_owned(),
    }
}

fn list(codes: &[u16]) -> String {
    codes.iter().fold(String::new(), |mut text, code| {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{code:04x}");
        text
    })
}

fn hash(text: &str) -> String {
    if text.is_empty() {
        return NOTHING.to_owned();
    }
    Sha256::digest(text).iter().take(NOTHING.len() / 2).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
