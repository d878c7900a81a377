//! What the decoder makes of a frame: the header fields that a verdict may rest on, and the payload.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::engine::time::Timestamp;

/// A decoded TCP segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// The header fields.
    pub head: Head,
    /// The captured part of the TCP payload (link-layer padding excluded); `head.payload_len` is its length on the wire.
    pub payload: &'a [u8],
}

/// An IP address; IPv4 is kept as `::ffff:a.b.c.d`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Addr(pub u128);

/// The header fields of a TCP segment, host byte order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Frame number, 1-based.
    pub frame: u64,
    /// Capture time.
    pub time: Timestamp,
    /// Source address.
    pub src: Addr,
    /// Destination address.
    pub dst: Addr,
    /// Source port.
    pub src_port: u16,
    /// Destination port.
    pub dst_port: u16,
    /// Sequence number.
    pub seq: u32,
    /// Acknowledgment number; meaningless without ACK.
    pub ack: u32,
    /// The timestamps option, TSval and TSecr.
    pub timestamps: Option<(u32, u32)>,
    /// Payload bytes on the wire, as the IP header declares them (not reduced by a snap length).
    pub payload_len: u32,
    /// Window field, unscaled.
    pub window: u16,
    /// Maximum segment size option.
    pub mss: Option<u16>,
    /// Window scale option.
    pub window_scale: Option<u8>,
    /// SACK-permitted option.
    pub sack_permitted: bool,
    /// True when the options area was empty.
    pub no_options: bool,
    /// The twelve bits after the data offset: reserved, NS (AE), CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.
    pub flags: TcpFlags,
    /// TTL or hop limit of the innermost IP header.
    pub ttl: u8,
    /// IPv4 identification; 0 for IPv6.
    pub ip_id: u16,
    /// IPv6 flow label, 20 bits; 0 for IPv4.
    pub flow_label: u32,
    /// IPv4 "don't fragment"; false for IPv6.
    pub df: bool,
    /// 4 or 6.
    pub ip_version: u8,
    /// One's complement sum over pseudo header and TCP header (checksum field included), folded to 16 bits and not inverted:
    /// adding the payload's sum gives 0xffff when the checksum is right. 0, which no such sum is, when it cannot be known: the
    /// snap length cut the header, or a source route hides the address that the checksum covers.
    pub header_sum: u16,
    /// Source and destination of the innermost Ethernet or 802.11 header, where there is one.
    pub ether: Option<([u8; 6], [u8; 6])>,
    /// VLAN ids from the outside in.
    pub vlans: Vlans,
    /// The tunnels that the packet was in, as one number: 0 for none, equal for both directions of the same tunnels. It tells equal
    /// addresses of different networks apart, where the encapsulation names its network in the same way in both directions.
    pub tunnel: u32,
    /// Bytes of the whole frame on the wire.
    pub wire_len: u32,
}

/// Up to two VLAN ids, from the outside in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Vlans {
    ids: [u16; 2],
    count: u8,
}

/// TCP flags with the bits' positions in the header's 13th and 14th byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// FIN.
    pub const FIN: u16 = 0x001;
    /// SYN.
    pub const SYN: u16 = 0x002;
    /// RST.
    pub const RST: u16 = 0x004;
    /// PSH.
    pub const PSH: u16 = 0x008;
    /// ACK.
    pub const ACK: u16 = 0x010;
    /// URG.
    pub const URG: u16 = 0x020;
    /// ECE.
    pub const ECE: u16 = 0x040;
    /// CWR.
    pub const CWR: u16 = 0x080;
    /// AE, formerly NS, and the three reserved bits.
    pub const RESERVED: u16 = 0xf00;

    /// Any of `bits` set.
    #[must_use]
    pub const fn any(self, bits: u16) -> bool {
        self.0 & bits != 0
    }
    /// All of `bits` set.
    #[must_use]
    pub const fn all(self, bits: u16) -> bool {
        self.0 & bits == bits
    }
}

impl std::fmt::Display for TcpFlags {
    /// Wireshark's letters without the dots, from FIN up: `FA`, `PA`, `S`; `.` for none.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letters = [
            (Self::FIN, 'F'),
            (Self::SYN, 'S'),
            (Self::RST, 'R'),
            (Self::PSH, 'P'),
            (Self::ACK, 'A'),
            (Self::URG, 'U'),
            (Self::ECE, 'E'),
            (Self::CWR, 'C'),
            (0x100, 'N'),
        ];
        let mut any = false;
        for (bit, letter) in letters {
            if self.any(bit) {
                any = true;
                write!(f, "{letter}")?;
            }
        }
        if any { Ok(()) } else { write!(f, ".") }
    }
}

impl Vlans {
    /// Adds an inner id; beyond two the innermost replaces the second.
    pub fn push(&mut self, id: u16) {
        let at = usize::from(self.count.min(1));
        if let Some(slot) = self.ids.get_mut(at) {
            *slot = id;
        }
        self.count = (self.count + 1).min(2);
    }
    /// The ids, from the outside in.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        self.ids.get(..usize::from(self.count)).unwrap_or(&[])
    }
}

impl Addr {
    /// From an IPv4 address.
    #[must_use]
    pub fn v4(octets: [u8; 4]) -> Self {
        Self(0xffff_0000_0000 | u128::from(u32::from_be_bytes(octets)))
    }
    /// From an IPv6 address.
    #[must_use]
    pub fn v6(octets: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(octets))
    }
    /// As the standard library has it.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        if self.0 >> 32 == 0xffff { IpAddr::V4(Ipv4Addr::from((self.0 & 0xffff_ffff) as u32)) } else { IpAddr::V6(Ipv6Addr::from(self.0)) }
    }
}

impl From<IpAddr> for Addr {
    fn from(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(v4) => Self::v4(v4.octets()),
            IpAddr::V6(v6) => Self::v6(v6.octets()),
        }
    }
}

impl std::fmt::Display for Addr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.ip().fmt(f)
    }
}
