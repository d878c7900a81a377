//! The engine's only input: the bytes of one captured frame and the time at which it was seen.

use super::time::Timestamp;

/// A link-layer type, by its number in capture files (`LINKTYPE_`, the tcpdump.org registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// Ethernet II or 802.3.
    pub const ETHERNET: Self = Self(1);
    /// Raw IPv4 or IPv6, as some systems number it in files (the value of DLT_RAW on most BSDs).
    pub const RAW_BSD: Self = Self(12);
    /// Raw IPv4 or IPv6, as OpenBSD numbers it.
    pub const RAW_OPENBSD: Self = Self(14);
    /// Raw IPv4 or IPv6.
    pub const RAW: Self = Self(101);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// One captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// 1-based number in its capture.
    pub number: u64,
    /// When it was seen.
    pub time: Timestamp,
    /// How its first bytes are laid out.
    pub link: LinkType,
    /// What was captured of it.
    pub bytes: &'a [u8],
    /// Its length on the wire, in bytes; more than `bytes.len()` when the snap length cut it.
    pub wire_len: u32,
}
