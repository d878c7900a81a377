//! The packets of a made-up injection: a request in plain HTTP that a stranger answers with a redirect before the server does.

use crate::engine::frame::{Frame, LinkType};
use crate::engine::time::{Span, Timestamp};

const CLIENT: [u8; 4] = [192, 0, 2, 10];
const SERVER: [u8; 4] = [198, 51, 100, 80];
const PORTS: (u16, u16) = (49_152, 80);
/// Initial sequence numbers of client and server.
const INITIAL: (u32, u32) = (1_000, 5_000);
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const PSH_ACK: u8 = 0x18;
const FIN_PSH_ACK: u8 = 0x19;
const REQUEST: &[u8] = b"GET /selftest HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: sidewatch-selftest\r\nAccept: text/html\r\n\r\n";
const FORGED: &[u8] = b"HTTP/1.1 302 Found\r\nLocation: http://selftest.example.net/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const GENUINE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 88\r\n\r\n\
    <!doctype html><html><head><title>Example</title></head><body><p>Hello</p></body></html>";

/// A packet, and when it comes.
pub(super) struct Packet {
    millis: i64,
    bytes: Vec<u8>,
}

impl Packet {
    /// As a frame of a story that began then.
    pub(super) fn at(&self, began: Timestamp, number: u64) -> Frame<'_> {
        let wire_len = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        Frame { number, time: began + Span::from_millis(self.millis), link: LinkType::RAW, bytes: &self.bytes, wire_len }
    }
}

/// All of them. The stranger is nearer than the server, numbers its packets otherwise, and is believed first.
pub(super) fn frames() -> Vec<Packet> {
    let (client, server) = (INITIAL.0 + 1, INITIAL.1 + 1);
    let asked = client + REQUEST.len() as u32;
    let (deceived, answered) = (server + FORGED.len() as u32, server + GENUINE.len() as u32);
    let to_server = |millis, id, flags, (seq, ack): (u32, u32), payload: &[u8]| packet(millis, true, (64, id), (flags, seq, ack), payload);
    let to_client = |millis, (ttl, id): (u8, u16), flags, (seq, ack): (u32, u32), payload: &[u8]| {
        packet(millis, false, (ttl, id), (flags, seq, ack), payload)
    };
    vec![
        to_server(0, 1, SYN, (INITIAL.0, 0), b""),
        to_client(40, (52, 700), SYN | ACK, (INITIAL.1, client), b""),
        to_server(41, 2, ACK, (client, server), b""),
        to_server(42, 3, PSH_ACK, (client, server), REQUEST),
        to_client(52, (61, 0), FIN_PSH_ACK, (server, asked), FORGED),
        to_server(53, 4, ACK, (asked, deceived + 1), b""),
        to_client(82, (52, 701), ACK, (server, asked), b""),
        to_client(84, (52, 702), PSH_ACK, (server, asked), GENUINE),
        to_client(5_000, (52, 703), ACK | 0x01, (answered, asked), b""),
    ]
}

fn packet(millis: i64, to_server: bool, (ttl, id): (u8, u16), (flags, seq, ack): (u8, u32, u32), payload: &[u8]) -> Packet {
    let ends = if to_server { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    let ports = if to_server { PORTS } else { (PORTS.1, PORTS.0) };
    let mut segment = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    segment.extend(payload);
    let length = u16::try_from(segment.len()).unwrap_or(u16::MAX);
    let pseudo = [&ends.0[..], &ends.1, &[0, 6], &length.to_be_bytes(), &segment].concat();
    segment.splice(16..18, checksum(&pseudo).to_be_bytes());
    let mut header = vec![0x45, 0];
    header.extend((length + 20).to_be_bytes());
    header.extend(id.to_be_bytes());
    header.extend([0x40, 0, ttl, 6, 0, 0]);
    header.extend(ends.0);
    header.extend(ends.1);
    let sum = checksum(&header).to_be_bytes();
    header.splice(10..12, sum);
    Packet { millis, bytes: [header, segment].concat() }
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|two| u32::from(u16::from_be_bytes([two.first().copied().unwrap_or(0), two.get(1).copied().unwrap_or(0)])));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checksum_is_right() {
        for packet in frames() {
            let (header, segment) = packet.bytes.split_at(20);
            assert_eq!(checksum(header), 0);
            let length = segment.len() as u16;
            assert_eq!(checksum(&[&header[12..20], &[0, 6], &length.to_be_bytes(), segment].concat()), 0);
        }
    }
}
