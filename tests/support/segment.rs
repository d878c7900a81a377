//! One TCP segment with every header field in reach, and its bytes from the IP header on.

use std::net::IpAddr;

pub(crate) const FIN: u16 = 0x001;
pub(crate) const SYN: u16 = 0x002;
pub(crate) const RST: u16 = 0x004;
pub(crate) const PSH: u16 = 0x008;
pub(crate) const ACK: u16 = 0x010;

/// What the checksum field of TCP holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    Good,
    /// Wrong, as after damage on the way.
    Bad,
    /// The sum of the pseudo header only: the network card was to do the rest.
    Partial,
}

/// A TCP option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opt {
    Mss(u16),
    Wscale(u8),
    SackOk,
    Ts(u32, u32),
    Sack(u32, u32),
    FastOpen(Vec<u8>),
}

/// Who sends or receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) ip: IpAddr,
    pub(crate) port: u16,
    pub(crate) mac: [u8; 6],
}

/// A segment before it is put on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) src: End,
    pub(crate) dst: End,
    pub(crate) ttl: u8,
    pub(crate) ip_id: u16,
    /// Of IPv6 only.
    pub(crate) flow_label: u32,
    pub(crate) df: bool,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u16,
    pub(crate) window: u16,
    pub(crate) options: Vec<Opt>,
    pub(crate) payload: Vec<u8>,
    pub(crate) checksum: Checksum,
    /// Bytes after the IP packet in an Ethernet frame: padding, or what a card left there.
    pub(crate) trailer: Vec<u8>,
}

impl Segment {
    pub(crate) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Sequence number after all that it carries.
    pub(crate) fn end(&self) -> u32 {
        let ghosts = u32::from(self.has(SYN)) + u32::from(self.has(FIN));
        self.seq.wrapping_add(self.payload.len() as u32).wrapping_add(ghosts)
    }

    /// The bytes from the IP header on.
    pub(crate) fn datagram(&self) -> Vec<u8> {
        let tcp = self.tcp();
        match (self.src.ip, self.dst.ip) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let mut ip = vec![0x45, 0];
                ip.extend(((20 + tcp.len()) as u16).to_be_bytes());
                ip.extend(self.ip_id.to_be_bytes());
                ip.extend((u16::from(self.df) << 14).to_be_bytes());
                ip.extend([self.ttl, 6, 0, 0]);
                ip.extend(src.octets());
                ip.extend(dst.octets());
                seal_ipv4(&mut ip);
                ip.extend(tcp);
                ip
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let mut ip = (0x6000_0000 | self.flow_label).to_be_bytes().to_vec();
                ip.extend((tcp.len() as u16).to_be_bytes());
                ip.extend([6, self.ttl]);
                ip.extend(src.octets());
                ip.extend(dst.octets());
                ip.extend(tcp);
                ip
            }
            _ => panic!("a segment between IPv4 and IPv6"),
        }
    }

    fn tcp(&self) -> Vec<u8> {
        let options = encode(&self.options);
        let words = (5 + options.len() / 4) as u16;
        let mut tcp = Vec::new();
        tcp.extend(self.src.port.to_be_bytes());
        tcp.extend(self.dst.port.to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.extend((words << 12 | self.flags).to_be_bytes());
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(options);
        tcp.extend(&self.payload);
        let pseudo = self.pseudo_header(tcp.len());
        let sum = match self.checksum {
            Checksum::Good => !fold(&[&pseudo, &tcp]),
            Checksum::Bad => !fold(&[&pseudo, &tcp]) ^ 0x5555,
            Checksum::Partial => fold(&[&pseudo]),
        };
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        tcp
    }

    fn pseudo_header(&self, len: usize) -> Vec<u8> {
        let mut pseudo = Vec::new();
        for ip in [self.src.ip, self.dst.ip] {
            match ip {
                IpAddr::V4(ip) => pseudo.extend(ip.octets()),
                IpAddr::V6(ip) => pseudo.extend(ip.octets()),
            }
        }
        pseudo.extend(6_u32.to_be_bytes());
        pseudo.extend((len as u32).to_be_bytes());
        pseudo
    }
}

fn encode(options: &[Opt]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for option in options {
        match option {
            Opt::Mss(mss) => bytes.extend([&[2, 4][..], &mss.to_be_bytes()].concat()),
            Opt::Wscale(shift) => bytes.extend([1, 3, 3, *shift]),
            Opt::SackOk => bytes.extend([1, 1, 4, 2]),
            Opt::Ts(value, echo) => bytes.extend([&[1, 1, 8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat()),
            Opt::Sack(left, right) => bytes.extend([&[1, 1, 5, 10][..], &left.to_be_bytes(), &right.to_be_bytes()].concat()),
            Opt::FastOpen(cookie) => bytes.extend([&[34, 2 + cookie.len() as u8][..], cookie].concat()),
        }
    }
    bytes.resize(bytes.len().next_multiple_of(4), 1);
    bytes
}

/// Fills in the header checksum of the IPv4 header that `ip` begins with.
pub(crate) fn seal_ipv4(ip: &mut [u8]) {
    ip[10..12].fill(0);
    let sum = !fold(&[&ip[..20]]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// One's complement sum of 16-bit words (RFC 1071), not yet complemented. All parts but the last have even lengths.
pub(crate) fn fold(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}
