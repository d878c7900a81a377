//! Writes captures by hand, field by field, in either byte order.

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    Little,
    Big,
}
use Order::{Big, Little};

pub(super) const BOTH: [Order; 2] = [Little, Big];

impl Order {
    pub(super) fn u16(self, value: u16) -> Vec<u8> {
        if self == Little { value.to_le_bytes().to_vec() } else { value.to_be_bytes().to_vec() }
    }
    pub(super) fn u32(self, value: u32) -> Vec<u8> {
        if self == Little { value.to_le_bytes().to_vec() } else { value.to_be_bytes().to_vec() }
    }
    pub(super) fn u64(self, value: u64) -> Vec<u8> {
        if self == Little { value.to_le_bytes().to_vec() } else { value.to_be_bytes().to_vec() }
    }
    fn u32s(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }
}

pub(super) const MICROS: u32 = 0xa1b2_c3d4;
pub(super) const NANOS: u32 = 0xa1b2_3c4d;

pub(super) fn pcap_header(order: Order, magic: u32, network: u32) -> Vec<u8> {
    pcap_header_of_version(order, magic, network, (2, 4))
}

pub(super) fn pcap_header_of_version(order: Order, magic: u32, network: u32, (major, minor): (u16, u16)) -> Vec<u8> {
    [order.u32(magic), order.u16(major), order.u16(minor), order.u32s(&[0, 0, 65_535, network])].concat()
}

pub(super) fn pcap_record(order: Order, seconds: u32, ticks: u32, bytes: &[u8]) -> Vec<u8> {
    pcap_record_claiming(order, [seconds, ticks, bytes.len() as u32, bytes.len() as u32], bytes)
}

pub(super) fn pcap_record_claiming(order: Order, fields: [u32; 4], bytes: &[u8]) -> Vec<u8> {
    [order.u32s(&fields), bytes.to_vec()].concat()
}

/// Three packets of 5, 0 and 70 bytes.
pub(super) fn small_pcap(order: Order) -> Vec<u8> {
    [
        pcap_header(order, MICROS, 1),
        pcap_record(order, 1_700_000_000, 1, b"first"),
        pcap_record(order, 1_700_000_000, 2, b""),
        pcap_record(order, 1_700_000_001, 3, &[7; 70]),
    ]
    .concat()
}

pub(super) fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(super) fn block(order: Order, kind: u32, body: Vec<u8>) -> Vec<u8> {
    let body = padded(body);
    let length = order.u32(12 + body.len() as u32);
    [order.u32(kind), length.clone(), body, length].concat()
}

pub(super) fn section(order: Order) -> Vec<u8> {
    section_of_version(order, 1, 0)
}

pub(super) fn section_of_version(order: Order, major: u16, minor: u16) -> Vec<u8> {
    let body = [order.u32(0x1a2b_3c4d), order.u16(major), order.u16(minor), order.u64(u64::MAX)].concat();
    block(order, 0x0a0d_0d0a, body)
}

pub(super) fn option(order: Order, code: u16, value: &[u8]) -> Vec<u8> {
    padded([order.u16(code), order.u16(value.len() as u16), value.to_vec()].concat())
}

pub(super) fn interface(order: Order, link: u16, snaplen: u32, options: Vec<u8>) -> Vec<u8> {
    block(order, 1, [order.u16(link), order.u16(0), order.u32(snaplen), options].concat())
}

pub(super) fn interface_with_tsresol(order: Order, resolution: u8) -> Vec<u8> {
    interface(order, 1, 0, [option(order, 9, &[resolution]), option(order, 0, b"")].concat())
}

pub(super) fn enhanced(order: Order, interface: u32, stamp: u64, bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u32;
    enhanced_claiming(order, [interface, (stamp >> 32) as u32, stamp as u32, len, len], bytes)
}

pub(super) fn enhanced_claiming(order: Order, fields: [u32; 5], bytes: &[u8]) -> Vec<u8> {
    block(order, 6, [order.u32s(&fields), bytes.to_vec()].concat())
}

pub(super) fn simple(order: Order, wire_len: u32, bytes: &[u8]) -> Vec<u8> {
    block(order, 3, [order.u32(wire_len), bytes.to_vec()].concat())
}

pub(super) fn obsolete(order: Order, interface: u16, stamp: u64, bytes: &[u8]) -> Vec<u8> {
    let len = bytes.len() as u32;
    let fields = order.u32s(&[(stamp >> 32) as u32, stamp as u32, len, len]);
    block(order, 2, [order.u16(interface), order.u16(9), fields, bytes.to_vec()].concat())
}

/// Two packets with an unknown block between them.
pub(super) fn small_pcapng(order: Order) -> Vec<u8> {
    [
        section(order),
        interface(order, 1, 0, Vec::new()),
        enhanced(order, 0, 1_000_000, b"first"),
        block(order, 0x77, b"skip me".to_vec()),
        enhanced(order, 0, 2_000_000, b"second"),
    ]
    .concat()
}
