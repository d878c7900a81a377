//! The short way of nearly every packet: a whole TCP segment over plain IPv4 or IPv6 on untagged Ethernet. Everything else is left to the walk.

use super::checksum::header_sum;
use super::count::{Count, Counters};
use super::packet::{Addr, Head, Packet, TcpFlags, Vlans};
use super::tcp;
use crate::engine::frame::{Frame, LinkType};

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;
const TCP: usize = 20;

/// What differs between the two versions of IP.
struct Network {
    src: Addr,
    dst: Addr,
    version: u8,
    ttl: u8,
    id: u16,
    flow_label: u32,
    df: bool,
    /// Bytes of the frame up to the end of the IP packet.
    end: usize,
}

/// The segment, exactly as the walk would give it; none, and nothing counted, when the frame is anything but what this file is for.
#[inline]
pub(super) fn segment<'a>(frame: &Frame<'a>, counters: &mut Counters) -> Option<Packet<'a>> {
    if frame.link != LinkType::ETHERNET {
        return None;
    }
    let (link, _) = frame.bytes.split_first_chunk::<ETHERNET>()?;
    match [link[12], link[13]] {
        [0x08, 0x00] => over_v4(frame, counters),
        [0x86, 0xdd] => over_v6(frame, counters),
        _ => None,
    }
}

#[inline]
fn over_v4<'a>(frame: &Frame<'a>, counters: &mut Counters) -> Option<Packet<'a>> {
    let bytes = frame.bytes;
    let (h, _) = bytes.split_first_chunk::<{ ETHERNET + IPV4 + TCP }>()?;
    let end = ETHERNET + usize::from(u16::from_be_bytes([h[16], h[17]]));
    let [fragment_high, fragment_low] = [h[20], h[21]];
    // No options, no fragment, TCP, and the packet wholly captured.
    if h[14] != 0x45 || (fragment_high & 0x3f) | fragment_low != 0 || h[23] != super::TCP || end > bytes.len() {
        return None;
    }
    let network = Network {
        src: Addr::v4([h[26], h[27], h[28], h[29]]),
        dst: Addr::v4([h[30], h[31], h[32], h[33]]),
        version: 4,
        ttl: h[22],
        id: u16::from_be_bytes([h[18], h[19]]),
        flow_label: 0,
        df: fragment_high & 0x40 != 0,
        end,
    };
    above::<{ ETHERNET + IPV4 }>(&network, frame, counters)
}

#[inline]
fn over_v6<'a>(frame: &Frame<'a>, counters: &mut Counters) -> Option<Packet<'a>> {
    let bytes = frame.bytes;
    let (h, rest) = bytes.split_first_chunk::<{ ETHERNET + 8 }>()?;
    let (src, rest) = rest.split_first_chunk::<16>()?;
    let (dst, _) = rest.split_first_chunk::<16>()?;
    let length = usize::from(u16::from_be_bytes([h[18], h[19]]));
    let end = ETHERNET + IPV6 + length;
    if h[14] >> 4 != 6 || h[20] != super::TCP || end > bytes.len() {
        return None;
    }
    let flow_label = u32::from_be_bytes([0, h[15] & 0x0f, h[16], h[17]]);
    let network = Network { src: Addr::v6(*src), dst: Addr::v6(*dst), version: 6, ttl: h[21], id: 0, flow_label, df: false, end };
    above::<{ ETHERNET + IPV6 }>(&network, frame, counters)
}

#[inline]
fn above<'a, const AT: usize>(ip: &Network, frame: &Frame<'a>, counters: &mut Counters) -> Option<Packet<'a>> {
    let Frame { bytes, number, time, wire_len, .. } = *frame;
    let segment = bytes.get(AT..ip.end)?;
    let (h, _) = segment.split_first_chunk::<TCP>()?;
    let header_len = usize::from(h[12] >> 4) * 4;
    let (header, payload) = segment.split_at_checked(header_len)?;
    let options = header.get(TCP..)?;
    let (destination, rest) = bytes.split_first_chunk::<6>()?;
    let (source, _) = rest.split_first_chunk::<6>()?;
    counters.understood();
    counters.add(Count::Tcp);
    let read = tcp::options(options, counters);
    let head = Head {
        frame: number,
        time,
        src: ip.src,
        dst: ip.dst,
        src_port: u16::from_be_bytes([h[0], h[1]]),
        dst_port: u16::from_be_bytes([h[2], h[3]]),
        seq: u32::from_be_bytes([h[4], h[5], h[6], h[7]]),
        ack: u32::from_be_bytes([h[8], h[9], h[10], h[11]]),
        timestamps: read.timestamps,
        payload_len: payload.len() as u32,
        window: u16::from_be_bytes([h[14], h[15]]),
        mss: read.mss,
        window_scale: read.window_scale,
        sack_permitted: read.sack_permitted,
        no_options: options.is_empty(),
        flags: TcpFlags(u16::from_be_bytes([h[12] & 0x0f, h[13]])),
        ttl: ip.ttl,
        ip_id: ip.id,
        flow_label: ip.flow_label,
        df: ip.df,
        ip_version: ip.version,
        header_sum: header_sum(ip.src, ip.dst, header, segment.len() as u32),
        ether: Some((*source, *destination)),
        vlans: Vlans::default(),
        tunnel: 0,
        wire_len,
    };
    Some(Packet { head, payload })
}
