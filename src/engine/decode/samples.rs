//! Builders of frames for the decoder's tests: one conversation, in many wrappings.

use std::collections::BTreeMap;

use etherparse::TcpHeader;

use super::packet::{Addr, Head, TcpFlags, Vlans};
use super::{Decoded, Decoder};
use crate::engine::frame::{Frame, LinkType};
use crate::engine::limits::Limits;
use crate::engine::time::Timestamp;

pub(super) const CLIENT: [u8; 4] = [192, 0, 2, 7];
pub(super) const SERVER: [u8; 4] = [198, 51, 100, 9];
pub(super) const CLIENT_MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
pub(super) const SERVER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
pub(super) const TCP: u8 = 6;

pub(super) fn client6() -> [u8; 16] {
    "2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap().octets()
}

pub(super) fn server6() -> [u8; 16] {
    "2001:db8:1::9".parse::<std::net::Ipv6Addr>().unwrap().octets()
}

fn header(options: &[u8]) -> TcpHeader {
    let mut header = TcpHeader::new(40_000, 80, 0x0102_0304, 0x1234);
    header.acknowledgment_number = 0x0506_0708;
    header.ack = true;
    header.psh = true;
    header.set_options_raw(options).unwrap();
    header
}

/// A segment with a right checksum over IPv4.
pub(super) fn tcp(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut header = header(options);
    header.checksum = header.calc_checksum_ipv4_raw(CLIENT, SERVER, payload).unwrap();
    [header.to_bytes().as_slice(), payload].concat()
}

/// A segment with a right checksum over IPv6.
pub(super) fn tcp6(options: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut header = header(options);
    header.checksum = header.calc_checksum_ipv6_raw(client6(), server6(), payload).unwrap();
    [header.to_bytes().as_slice(), payload].concat()
}

/// An IPv4 header.
#[derive(Clone, Copy)]
pub(super) struct Ipv4<'a> {
    pub(super) protocol: u8,
    pub(super) id: u16,
    pub(super) df: bool,
    pub(super) more: bool,
    pub(super) offset: u16,
    pub(super) ttl: u8,
    pub(super) options: &'a [u8],
    pub(super) total_len: Option<u16>,
}

impl Default for Ipv4<'_> {
    fn default() -> Self {
        Self { protocol: TCP, id: 0xbeef, df: true, more: false, offset: 0, ttl: 57, options: &[], total_len: None }
    }
}

impl Ipv4<'_> {
    pub(super) fn around(&self, payload: &[u8]) -> Vec<u8> {
        let header_len = 20 + self.options.len();
        let total = self.total_len.unwrap_or((header_len + payload.len()) as u16);
        let place = (self.offset / 8) | (u16::from(self.df) << 14) | (u16::from(self.more) << 13);
        let mut bytes = vec![0x40 | (header_len / 4) as u8, 0];
        bytes.extend(total.to_be_bytes());
        bytes.extend(self.id.to_be_bytes());
        bytes.extend(place.to_be_bytes());
        bytes.extend([self.ttl, self.protocol, 0, 0]);
        bytes.extend(CLIENT);
        bytes.extend(SERVER);
        bytes.extend(self.options);
        bytes.extend(payload);
        bytes
    }
}

pub(super) fn ipv4(payload: &[u8]) -> Vec<u8> {
    Ipv4::default().around(payload)
}

/// An IPv6 header with a payload length of its own.
pub(super) fn ipv6_declaring(length: u16, next: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x6e, 0xdb, 0xee, 0xf5];
    bytes.extend(length.to_be_bytes());
    bytes.extend([next, 57]);
    bytes.extend(client6());
    bytes.extend(server6());
    bytes.extend(payload);
    bytes
}

pub(super) fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    ipv6_declaring(payload.len() as u16, next, payload)
}

/// An IPv6 fragment of `payload`.
pub(super) fn ipv6_fragment(offset: u16, more: bool, next: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![next, 0];
    bytes.extend((offset | u16::from(more)).to_be_bytes());
    bytes.extend([0, 0, 0xbe, 0xef]);
    bytes.extend(payload);
    ipv6(44, &bytes)
}

pub(super) fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&SERVER_MAC[..], &CLIENT_MAC, &ethertype.to_be_bytes(), payload].concat()
}

pub(super) fn frame(link: LinkType, bytes: &[u8]) -> Frame<'_> {
    Frame { number: 7, time: Timestamp::from_parts(1_000, 0), link, bytes, wire_len: bytes.len() as u32 }
}

/// What `tcp(&[], b"hello")` over IPv4 comes to on a link without addresses. The sum is the caller's to judge.
pub(super) fn hello(wire_len: u32) -> Head {
    Head {
        frame: 7,
        time: Timestamp::from_parts(1_000, 0),
        src: Addr::v4(CLIENT),
        dst: Addr::v4(SERVER),
        src_port: 40_000,
        dst_port: 80,
        seq: 0x0102_0304,
        ack: 0x0506_0708,
        timestamps: None,
        payload_len: 5,
        window: 0x1234,
        mss: None,
        window_scale: None,
        sack_permitted: false,
        no_options: true,
        flags: TcpFlags(TcpFlags::ACK | TcpFlags::PSH),
        ttl: 57,
        ip_id: 0xbeef,
        flow_label: 0,
        df: true,
        ip_version: 4,
        header_sum: 0,
        ether: None,
        vlans: Vlans::default(),
        tunnel: 0,
        wire_len,
    }
}

/// `hello` over IPv6.
pub(super) fn hello6(wire_len: u32) -> Head {
    Head { src: Addr::v6(client6()), dst: Addr::v6(server6()), ip_id: 0, flow_label: 0xb_eef5, df: false, ip_version: 6, ..hello(wire_len) }
}

/// `hello` on Ethernet.
pub(super) fn on_ethernet(head: Head) -> Head {
    Head { ether: Some((CLIENT_MAC, SERVER_MAC)), ..head }
}

/// Decodes one frame, and copies the segments in it.
pub(super) fn all_decoded(decoder: &mut Decoder, frame: &Frame<'_>) -> Vec<(Head, Vec<u8>)> {
    let mut all = Vec::new();
    decoder.decode(frame, |decoded| {
        if let Decoded::Tcp(packet) = decoded {
            all.push((packet.head, packet.payload.to_vec()));
        }
    });
    all
}

/// Decodes one frame with at most one segment, and copies it.
pub(super) fn decoded(decoder: &mut Decoder, frame: &Frame<'_>) -> Option<(Head, Vec<u8>)> {
    let mut all = all_decoded(decoder, frame);
    assert!(all.len() < 2, "one segment in a frame");
    all.pop()
}

/// The segment in one frame.
pub(super) fn told(frame: &Frame<'_>) -> (Head, Vec<u8>) {
    decoded(&mut Decoder::new(&Limits::default()), frame).expect("a TCP segment")
}

/// The counters after one frame without a segment.
pub(super) fn fate(frame: &Frame<'_>) -> BTreeMap<String, u64> {
    let mut decoder = Decoder::new(&Limits::default());
    assert_eq!(decoded(&mut decoder, frame), None);
    decoder.counts()
}

/// The head without its sum, for comparison with what a test writes out.
pub(super) fn without_sum(head: Head) -> Head {
    Head { header_sum: 0, ..head }
}
