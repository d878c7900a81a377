//! The sample conversation inside each encapsulation.

use super::super::checksum::add_to_sum;
use super::super::samples::*;

pub(super) const HERE: [u8; 4] = [10, 0, 0, 1];
pub(super) const THERE: [u8; 4] = [10, 9, 9, 9];

/// A frame and what it is an example of.
pub(super) struct Wrap {
    /// The note that is counted.
    pub(super) name: &'static str,
    /// An Ethernet frame.
    pub(super) bytes: Vec<u8>,
    /// Whether the inner packet is IPv6.
    pub(super) six: bool,
}

/// The sample segment in IPv4, the header checksum right.
pub(super) fn inner() -> Vec<u8> {
    sealed(ipv4(&tcp(&[], b"hello")))
}

pub(super) fn inner6() -> Vec<u8> {
    ipv6(TCP, &tcp6(&[], b"hello"))
}

/// Fills in the checksum of an IPv4 header without options.
pub(super) fn sealed(mut packet: Vec<u8>) -> Vec<u8> {
    packet[10..12].fill(0);
    let sum = !add_to_sum(0, &packet[..20]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet
}

/// An outer IPv4 header between two given addresses.
pub(super) fn between(src: [u8; 4], dst: [u8; 4], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = Ipv4 { protocol, id: 0x1111, df: false, ttl: 250, ..Ipv4::default() }.around(payload);
    packet[12..16].copy_from_slice(&src);
    packet[16..20].copy_from_slice(&dst);
    sealed(packet)
}

pub(super) fn outer(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &between(HERE, THERE, protocol, payload))
}

pub(super) fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 8).to_be_bytes();
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &length, &[0, 0], payload].concat()
}

fn in_udp(to: u16, header: &[u8], payload: &[u8]) -> Vec<u8> {
    outer(17, &udp(50_123, to, &[header, payload].concat()))
}

/// ESP without encryption: the payload, its padding, a check value.
pub(super) fn esp(next: u8, payload: &[u8], check_value: usize) -> Vec<u8> {
    let padding = (4 - (payload.len() + 2) % 4) % 4;
    let counted: Vec<u8> = (1..=padding as u8).collect();
    [&[0, 0, 1, 1, 0, 0, 0, 7][..], payload, &counted, &[padding as u8, next], &vec![0xa5; check_value]].concat()
}

fn wrap(name: &'static str, bytes: Vec<u8>) -> Wrap {
    Wrap { name, bytes, six: false }
}

fn six(name: &'static str, bytes: Vec<u8>) -> Wrap {
    Wrap { six: true, ..wrap(name, bytes) }
}

/// Each encapsulation at least once.
pub(super) fn all() -> Vec<Wrap> {
    [below_ip(), gre(), in_ip(), overlays(), access()].into_iter().flatten().collect()
}

fn below_ip() -> Vec<Wrap> {
    let frame = ethernet(0x0800, &inner());
    let labels = [0, 1, 0x20, 64, 0, 1, 0x31, 64];
    let macsec = [&[0x20, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1, 8, 0][..], &inner(), &[0x5a; 16]].concat();
    vec![
        wrap("in_mpls", ethernet(0x8847, &[&labels[..], &inner()].concat())),
        six("in_mpls", ethernet(0x8848, &[&labels[4..], &inner6()].concat())),
        wrap("in_mpls", ethernet(0x8847, &[&labels[..], &[0; 4], &frame].concat())),
        wrap("in_mpls", ethernet(0x8847, &[&labels[..], &frame].concat())),
        wrap("in_pppoe", ethernet(0x8864, &[&[0x11, 0, 0, 9, 0, 47, 0, 0x21][..], &inner()].concat())),
        six("in_pppoe", ethernet(0x8864, &[&[0x11, 0, 0, 9, 0, 66, 0x57][..], &inner6()].concat())),
        wrap("in_provider_backbone", ethernet(0x88e7, &[&[0, 0, 7, 7][..], &frame].concat())),
        wrap("in_fabric_path", ethernet(0x8903, &[&[0, 0x60][..], &frame].concat())),
        wrap("in_vn_tag", ethernet(0x8926, &[&[0x80, 1, 0, 2, 8, 0][..], &inner()].concat())),
        wrap("in_e_tag", ethernet(0x893f, &[&[0, 1, 0, 2, 0, 0, 8, 0][..], &inner()].concat())),
        wrap("in_macsec_unencrypted", ethernet(0x88e5, &macsec)),
        wrap("in_nsh", ethernet(0x894f, &[&[0x0f, 0xc2, 1, 3, 0, 0, 1, 255][..], &frame].concat())),
    ]
}

fn gre() -> Vec<Wrap> {
    let frame = ethernet(0x0800, &inner());
    let with = |header: &[u8], payload: &[u8]| outer(47, &[header, payload].concat());
    let pptp = [0x30, 0x81, 0x88, 0x0b, 0, 49, 0, 7, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 3, 0, 0x21];
    let three = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 9, 0, 0, 0, 1, 0, 0, 0];
    vec![
        wrap("in_gre", with(&[0, 0, 8, 0], &inner())),
        six("in_gre", with(&[0, 0, 0x86, 0xdd], &inner6())),
        wrap("in_gre", with(&[0xb0, 0, 8, 0, 1, 2, 0, 0, 0, 0, 0, 42, 0, 0, 0, 9], &inner())),
        wrap("in_gre", with(&[0x20, 0, 0x65, 0x58, 0, 0, 9, 0], &frame)),
        wrap("in_pptp", with(&pptp, &inner())),
        wrap("in_erspan", with(&[0, 0, 0x88, 0xbe], &frame)),
        wrap("in_erspan", with(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 9, 0, 0, 0, 3], &frame)),
        wrap("in_erspan", with(&[&three[..], &[0]].concat(), &frame)),
        wrap("in_erspan", with(&[&three[..], &[1, 0, 0, 0, 0, 0, 0, 0, 0]].concat(), &frame)),
    ]
}

fn in_ip() -> Vec<Wrap> {
    let frame = ethernet(0x0800, &inner());
    let authenticated = [&[4, 4][..], &[0; 22], &inner()].concat();
    let (four_in_six, six_in_six) = (ethernet(0x86dd, &ipv6(4, &inner())), ethernet(0x86dd, &ipv6(41, &inner6())));
    vec![
        wrap("in_ipv4_in_ip", outer(4, &inner())),
        six("in_ipv6_in_ip", outer(41, &inner6())),
        wrap("in_ipv4_in_ip", four_in_six),
        six("in_ipv6_in_ip", six_in_six),
        wrap("in_ipv4_in_ip", outer(51, &authenticated)),
        wrap("in_ether_ip", outer(97, &[&[0x30, 0][..], &frame].concat())),
        wrap("in_mpls", outer(137, &[&[0, 1, 0x31, 64][..], &inner()].concat())),
        wrap("in_esp_unencrypted", outer(50, &esp(4, &inner(), 12))),
        six("in_esp_unencrypted", outer(50, &esp(41, &inner6(), 16))),
        wrap("in_l2tp", outer(115, &[&[0, 0, 0, 9][..], &[7; 8], &[0; 4], &frame].concat())),
    ]
}

fn overlays() -> Vec<Wrap> {
    let frame = ethernet(0x0800, &inner());
    vec![
        wrap("in_vxlan", in_udp(4789, &[8, 0, 0, 0, 0, 0, 42, 0], &frame)),
        wrap("in_vxlan", in_udp(8472, &[0x88, 1, 2, 3, 0, 0, 42, 9], &frame)),
        six("in_vxlan", in_udp(4790, &[0x0c, 0, 0, 2, 0, 0, 42, 0], &inner6())),
        wrap("in_geneve", in_udp(6081, &[2, 0, 0x65, 0x58, 0, 0, 42, 0, 1, 2, 3, 1, 9, 9, 9, 9], &frame)),
        wrap("in_gre", in_udp(4754, &[0, 0, 8, 0], &inner())),
        wrap("in_mpls", in_udp(6635, &[0, 1, 0x31, 64], &inner())),
        wrap("in_lisp", in_udp(4341, &[0; 8], &inner())),
        wrap("in_esp_unencrypted", in_udp(4500, &[], &esp(4, &inner(), 12))),
    ]
}

fn access() -> Vec<Wrap> {
    let frame = ethernet(0x0800, &inner());
    let length = inner().len() as u16;
    let gtp = |flags: u8, more: &[u8]| [&[flags, 255][..], &(length + more.len() as u16).to_be_bytes(), &[0, 0, 0, 1], more].concat();
    let mut teredo = ipv6(TCP, &tcp6(&[], b"hello"));
    teredo[8..12].copy_from_slice(&[0x20, 0x01, 0, 0]);
    let ayiya = [&[0x44, 0x52, 0x11, 41, 0, 0, 0, 0][..], &[1; 16], &[2; 20]].concat();
    vec![
        wrap("in_gtp", in_udp(2152, &gtp(0x30, &[]), &inner())),
        wrap("in_gtp", in_udp(2152, &gtp(0x36, &[0, 1, 0, 0x85, 1, 0, 1, 0]), &inner())),
        wrap("in_gtp", in_udp(3386, &[&[0x1e, 255, 0, length as u8][..], &[0; 16]].concat(), &inner())),
        wrap("in_l2tp", in_udp(1701, &[0, 2, 0, 1, 0, 1, 0, 0x21], &inner())),
        wrap("in_l2tp", in_udp(1701, &[0x4a, 2, 0, 65, 0, 1, 0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0xff, 3, 0, 0x21], &inner())),
        wrap("in_l2tp", in_udp(1701, &[0, 3, 0, 0, 0, 0, 0, 9], &frame)),
        six("in_ayiya", in_udp(5072, &ayiya, &inner6())),
        wrap("in_capwap", in_udp(5247, &[0, 0x10, 0, 0, 0, 0, 0, 0], &frame)),
        wrap("in_tzsp", in_udp(37_008, &[1, 0, 0, 1, 10, 1, 200, 1], &frame)),
    ]
}
