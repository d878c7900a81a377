//! Hosts: the habits of one TCP/IP stack, as seen from the sensor.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How a stack chooses the IPv4 identification.
#[derive(Clone, Copy, Debug)]
pub(crate) enum IpId {
    /// One more with each packet, from this value.
    Sequential(u16),
    /// Always zero.
    Zero,
    /// Always this value.
    Constant(u16),
    /// Unpredictable, but the same in each run: from this seed.
    Random(u64),
}

/// The clock behind the timestamp option.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TsClock {
    /// Value at the beginning of the story.
    pub(crate) offset: u32,
    /// Ticks in a second.
    pub(crate) per_second: u32,
}

/// One stack profile.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) ip: IpAddr,
    pub(crate) mac: [u8; 6],
    /// TTL that it sends with; the sensor sees it lowered by `hops`.
    pub(crate) ttl: u8,
    pub(crate) hops: u8,
    pub(crate) ip_id: IpId,
    /// Linux sends its SYN-ACK with identification 0.
    pub(crate) syn_ack_id_zero: bool,
    /// Over IPv6.
    pub(crate) flow_label: u32,
    pub(crate) df: bool,
    /// Window field of SYN and SYN-ACK, which are never scaled.
    pub(crate) syn_window: u16,
    /// Window field of all later packets.
    pub(crate) window: u16,
    pub(crate) wscale: Option<u8>,
    pub(crate) mss: u16,
    pub(crate) sack: bool,
    pub(crate) timestamps: Option<TsClock>,
}

impl Host {
    /// TTL as the sensor sees it.
    pub(crate) fn seen_ttl(&self) -> u8 {
        self.ttl - self.hops
    }

    /// The same stack, `hops` routers away from the sensor.
    pub(crate) fn away(self, hops: u8) -> Self {
        Self { hops, ..self }
    }

    /// The same stack without the timestamp option.
    pub(crate) fn without_timestamps(self) -> Self {
        Self { timestamps: None, ..self }
    }

    /// The same stack with another rule for the identification.
    pub(crate) fn with_ip_id(self, ip_id: IpId) -> Self {
        Self { ip_id, syn_ack_id_zero: false, ..self }
    }
}

/// The watched device: a Linux laptop beside the sensor.
pub(crate) fn client() -> Host {
    let habits = linux(v4(192, 0, 2, 23)).with_ip_id(IpId::Sequential(0x9a31));
    Host { mac: [0x02, 0, 0, 0, 0, 0x17], timestamps: Some(TsClock { offset: 2_920_991_787, per_second: 1000 }), ..habits }
}

/// Linux, eleven hops away unless told otherwise.
pub(crate) fn linux(ip: IpAddr) -> Host {
    Host {
        ip,
        mac: [0x02, 0, 0, 0, 0, 0x01],
        ttl: 64,
        hops: 0,
        ip_id: IpId::Sequential(0x4bc6),
        syn_ack_id_zero: true,
        flow_label: 0,
        df: true,
        syn_window: 64_240,
        window: 502,
        wscale: Some(7),
        mss: 1460,
        sack: true,
        timestamps: Some(TsClock { offset: 379_703_485, per_second: 1000 }),
    }
}

/// Windows: TTL 128, no timestamps, one counter for all packets.
pub(crate) fn windows(ip: IpAddr) -> Host {
    Host { ttl: 128, ip_id: IpId::Sequential(0x1d02), syn_ack_id_zero: false, window: 1026, wscale: Some(8), timestamps: None, ..linux(ip) }
}

/// macOS: identification always zero with DF, timestamps.
pub(crate) fn macos(ip: IpAddr) -> Host {
    Host { ip_id: IpId::Zero, syn_window: 65_535, window: 2058, wscale: Some(6), ..linux(ip) }
}

/// An old appliance: TTL 255, no DF, no option but the MSS, small windows.
pub(crate) fn appliance(ip: IpAddr) -> Host {
    Host {
        ttl: 255,
        ip_id: IpId::Sequential(0xa7c8),
        syn_ack_id_zero: false,
        df: false,
        syn_window: 4128,
        window: 4065,
        wscale: None,
        mss: 1460,
        sack: false,
        timestamps: None,
        ..linux(ip)
    }
}

/// The usual site of the stories: Linux, eleven hops away.
pub(crate) fn site() -> Host {
    linux(v4(198, 51, 100, 80)).away(11)
}

/// An IPv4 address.
pub(crate) fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// An address of the documentation prefix 2001:db8::/32.
pub(crate) fn v6(last: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last))
}

/// SplitMix64: unpredictable to the eye, equal in each run.
pub(crate) fn scramble(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
