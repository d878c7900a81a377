//! One TCP packet in an Ethernet frame, read and built with pnet: every field that a forger may choose.

use pnet::datalink::MacAddr;
use pnet::packet::Packet as _;
use pnet::packet::ethernet::{EtherTypes, EthernetPacket, MutableEthernetPacket};
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::{self, Ipv4Packet, MutableIpv4Packet};
use pnet::packet::ipv6::{Ipv6Packet, MutableIpv6Packet};
use pnet::packet::tcp::{self, MutableTcpPacket, TcpFlags, TcpOptionNumbers, TcpPacket};
use std::net::IpAddr;

pub(crate) const FIN: u8 = TcpFlags::FIN;
pub(crate) const SYN: u8 = TcpFlags::SYN;
pub(crate) const RST: u8 = TcpFlags::RST;
pub(crate) const PSH: u8 = TcpFlags::PSH;
pub(crate) const ACK: u8 = TcpFlags::ACK;

const ETHERNET: usize = 14;

#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) from: MacAddr,
    pub(crate) to: MacAddr,
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    /// TTL, or hop limit.
    pub(crate) ttl: u8,
    pub(crate) ip_id: u16,
    pub(crate) df: bool,
    pub(crate) flow_label: u32,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    /// As on the wire, padding included.
    pub(crate) options: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

impl Packet {
    /// Reads a frame; none if it is no whole TCP packet.
    pub(crate) fn read(frame: &[u8]) -> Option<Self> {
        let ethernet = EthernetPacket::new(frame)?;
        let (from, to) = (ethernet.get_source(), ethernet.get_destination());
        let mut packet = match ethernet.get_ethertype() {
            EtherTypes::Ipv4 => {
                let ip = Ipv4Packet::new(ethernet.payload()).filter(|ip| ip.get_next_level_protocol() == IpNextHeaderProtocols::Tcp)?;
                let mut packet = Self::segment(from, to, (ip.get_source().into(), ip.get_destination().into()), ip.payload())?;
                packet.ttl = ip.get_ttl();
                packet.ip_id = ip.get_identification();
                packet.df = ip.get_flags() & ipv4::Ipv4Flags::DontFragment != 0;
                packet
            }
            EtherTypes::Ipv6 => {
                let ip = Ipv6Packet::new(ethernet.payload()).filter(|ip| ip.get_next_header() == IpNextHeaderProtocols::Tcp)?;
                let mut packet = Self::segment(from, to, (ip.get_source().into(), ip.get_destination().into()), ip.payload())?;
                packet.ttl = ip.get_hop_limit();
                packet.flow_label = ip.get_flow_label();
                packet
            }
            _ => return None,
        };
        packet.options.truncate(40);
        Some(packet)
    }

    fn segment(from: MacAddr, to: MacAddr, (src, dst): (IpAddr, IpAddr), bytes: &[u8]) -> Option<Self> {
        let tcp = TcpPacket::new(bytes)?;
        Some(Self {
            from,
            to,
            src,
            dst,
            src_port: tcp.get_source(),
            dst_port: tcp.get_destination(),
            ttl: 0,
            ip_id: 0,
            df: false,
            flow_label: 0,
            seq: tcp.get_sequence(),
            ack: tcp.get_acknowledgement(),
            flags: tcp.get_flags(),
            window: tcp.get_window(),
            options: tcp.get_options_raw().to_vec(),
            payload: tcp.payload().to_vec(),
        })
    }

    /// The frame, its checksums right.
    pub(crate) fn frame(&self) -> Vec<u8> {
        let segment = self.tcp();
        let header = if self.src.is_ipv4() { Ipv4Packet::minimum_packet_size() } else { Ipv6Packet::minimum_packet_size() };
        let mut frame = vec![0; ETHERNET + header + segment.len()];
        let mut ethernet = MutableEthernetPacket::new(&mut frame).unwrap();
        ethernet.set_source(self.from);
        ethernet.set_destination(self.to);
        ethernet.set_ethertype(if self.src.is_ipv4() { EtherTypes::Ipv4 } else { EtherTypes::Ipv6 });
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let mut ip = MutableIpv4Packet::new(&mut frame[ETHERNET..]).unwrap();
                ip.set_version(4);
                ip.set_header_length(5);
                ip.set_total_length((header + segment.len()) as u16);
                ip.set_identification(self.ip_id);
                ip.set_flags(if self.df { ipv4::Ipv4Flags::DontFragment } else { 0 });
                ip.set_ttl(self.ttl);
                ip.set_next_level_protocol(IpNextHeaderProtocols::Tcp);
                ip.set_source(src);
                ip.set_destination(dst);
                ip.set_checksum(ipv4::checksum(&ip.to_immutable()));
                ip.set_payload(&segment);
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                let mut ip = MutableIpv6Packet::new(&mut frame[ETHERNET..]).unwrap();
                ip.set_version(6);
                ip.set_flow_label(self.flow_label);
                ip.set_payload_length(segment.len() as u16);
                ip.set_next_header(IpNextHeaderProtocols::Tcp);
                ip.set_hop_limit(self.ttl);
                ip.set_source(src);
                ip.set_destination(dst);
                ip.set_payload(&segment);
            }
            _ => panic!("a packet between IPv4 and IPv6"),
        }
        frame
    }

    fn tcp(&self) -> Vec<u8> {
        let header = TcpPacket::minimum_packet_size() + self.options.len();
        let mut segment = vec![0; header];
        segment[TcpPacket::minimum_packet_size()..].copy_from_slice(&self.options);
        segment.extend(&self.payload);
        let mut tcp = MutableTcpPacket::new(&mut segment).unwrap();
        tcp.set_source(self.src_port);
        tcp.set_destination(self.dst_port);
        tcp.set_sequence(self.seq);
        tcp.set_acknowledgement(self.ack);
        tcp.set_data_offset((header / 4) as u8);
        tcp.set_flags(self.flags);
        tcp.set_window(self.window);
        let sum = match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => tcp::ipv4_checksum(&tcp.to_immutable(), &src, &dst),
            (IpAddr::V6(src), IpAddr::V6(dst)) => tcp::ipv6_checksum(&tcp.to_immutable(), &src, &dst),
            _ => panic!("a packet between IPv4 and IPv6"),
        };
        tcp.set_checksum(sum);
        segment
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Sequence number after all that it carries.
    pub(crate) fn end(&self) -> u32 {
        let ghosts = u32::from(self.has(SYN)) + u32::from(self.has(FIN));
        self.seq.wrapping_add(self.payload.len() as u32).wrapping_add(ghosts)
    }

    /// TSval of the timestamps option.
    pub(crate) fn timestamp(&self) -> Option<u32> {
        self.option(TcpOptionNumbers::TIMESTAMPS.0).and_then(|value| value.first_chunk().copied()).map(u32::from_be_bytes)
    }

    /// TSecr of the timestamps option.
    pub(crate) fn echo(&self) -> Option<u32> {
        self.option(TcpOptionNumbers::TIMESTAMPS.0).and_then(|value| value.last_chunk().copied()).map(u32::from_be_bytes)
    }

    /// Shift of the window scale option.
    pub(crate) fn window_shift(&self) -> Option<u8> {
        self.option(TcpOptionNumbers::WSCALE.0).and_then(|value| value.first().copied())
    }

    fn option(&self, kind: u8) -> Option<&[u8]> {
        let mut rest = self.options.as_slice();
        loop {
            match *rest.first()? {
                0 => return None,
                1 => rest = &rest[1..],
                found => {
                    let length = usize::from(*rest.get(1)?);
                    let value = rest.get(2..length)?;
                    if found == kind {
                        return Some(value);
                    }
                    rest = &rest[length..];
                }
            }
        }
    }

    /// Which flow it is of, whichever way it goes.
    pub(crate) fn server(&self) -> IpAddr {
        if self.dst_port == super::web::PORT { self.dst } else { self.src }
    }
}

/// The timestamps option as Linux writes it.
pub(crate) fn timestamps(value: u32, echo: u32) -> Vec<u8> {
    [&[1, 1, 8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat()
}
