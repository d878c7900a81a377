//! A story: virtual time, a sensor with its faults, and the frames that it has captured.

use super::connection::Connection;
use super::host::Host;
use super::names::Udp;
use super::segment::Segment;
use super::wire::{Link, fragments, frame};
use super::wrapping::{Wrapped, Wrapping};

/// 2026-01-05T09:00:00Z, in nanoseconds since 1970.
pub(crate) const START: u64 = 1_767_603_600_000_000_000;

/// A delay since the packet before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct After(u64);

/// `ms` milliseconds after the packet before.
pub(crate) fn after_ms(ms: f64) -> After {
    After((ms * 1e6) as u64)
}

/// A frame as it stands in the capture.
#[derive(Clone, Debug)]
pub(crate) struct Captured {
    /// Nanoseconds since 1970.
    pub(crate) time: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) original_len: u32,
    /// Index into the interfaces of its section.
    pub(crate) interface: u32,
    /// Section of the pcapng file.
    pub(crate) section: u32,
}

/// What a mirror port does beside its duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mirror {
    /// Each frame once.
    Once,
    /// Each frame twice, bit for bit.
    Twice,
    /// Each frame before and after a router: the second copy has a TTL one lower.
    AroundRouter,
}

/// A capture in the making.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    now: u64,
    pub(crate) link: Link,
    /// What stands in place of link type and tags.
    pub(crate) wrapping: Option<Wrapping>,
    /// VLAN tags from the outside in: type and id.
    pub(crate) tags: Vec<(u16, u16)>,
    /// Bytes kept of each frame.
    pub(crate) snap: usize,
    pub(crate) mirror: Mirror,
    /// False while the sensor misses what passes.
    pub(crate) seen: bool,
    /// True when each direction comes in by an interface of its own.
    pub(crate) split_tap: bool,
    pub(crate) section: u32,
    frames: Vec<Captured>,
    connections: u16,
}

impl Story {
    pub(crate) fn new() -> Self {
        Self {
            now: START,
            link: Link::Ethernet,
            wrapping: None,
            tags: Vec::new(),
            snap: 262_144,
            mirror: Mirror::Once,
            seen: true,
            split_tap: false,
            section: 0,
            frames: Vec::new(),
            connections: 0,
        }
    }

    /// Opens a connection to port 80; nothing is sent yet.
    pub(crate) fn connection(&mut self, client: Host, server: Host) -> Connection<'_> {
        self.connections += 1;
        let number = self.connections;
        Connection::new(self, client, server, number)
    }

    /// Milliseconds since the beginning.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        (self.now - START) / 1_000_000
    }

    pub(crate) fn wait(&mut self, after: After) {
        self.now += after.0;
    }

    /// Captures `segment` at the present time. Returns its frame number, or 0 when the sensor missed it.
    pub(crate) fn put(&mut self, segment: &Segment, interface: u32) -> u64 {
        let number = self.capture(segment, &segment.datagram(), interface);
        self.now += 10_000;
        if self.mirror != Mirror::Once {
            let mut copy = segment.clone();
            copy.ttl -= u8::from(self.mirror == Mirror::AroundRouter);
            self.capture(&copy, &copy.datagram(), interface);
            self.now += 10_000;
        }
        number
    }

    /// Captures an Ethernet frame as it is, at the present time. Returns its number.
    pub(crate) fn put_frame(&mut self, mut bytes: Vec<u8>) -> u64 {
        let original_len = bytes.len() as u32;
        bytes.truncate(self.snap);
        self.frames.push(Captured { time: self.now, bytes, original_len, interface: 0, section: self.section });
        self.now += 10_000;
        self.frames.len() as u64
    }

    /// Captures `segment` in fragments with `size` bytes of data each. Returns the frame number of the last.
    pub(crate) fn put_fragments(&mut self, segment: &Segment, size: usize) -> u64 {
        let mut number = 0;
        for fragment in fragments(&segment.datagram(), size) {
            number = self.capture(segment, &fragment, 0);
            self.now += 10_000;
        }
        number
    }

    /// Captures a UDP datagram at the present time. Returns its frame number, or 0 when the sensor missed it.
    pub(crate) fn put_udp(&mut self, udp: &Udp) -> u64 {
        let number = self.capture(&udp.ends(), &udp.datagram(), 0);
        self.now += 10_000;
        if self.mirror != Mirror::Once {
            let mut copy = udp.clone();
            copy.ttl -= u8::from(self.mirror == Mirror::AroundRouter);
            self.capture(&copy.ends(), &copy.datagram(), 0);
            self.now += 10_000;
        }
        number
    }

    fn capture(&mut self, segment: &Segment, datagram: &[u8], interface: u32) -> u64 {
        if !self.seen {
            return 0;
        }
        let mut bytes = match &self.wrapping {
            Some(wrapping) => (wrapping.frame)(&Wrapped { segment, datagram }),
            None => frame(self.link, &self.tags, segment, datagram),
        };
        let original_len = bytes.len() as u32;
        bytes.truncate(self.snap);
        let interface = if self.split_tap { interface } else { 0 };
        self.frames.push(Captured { time: self.now, bytes, original_len, interface, section: self.section });
        self.frames.len() as u64
    }

    /// Number of the link type.
    pub(crate) fn link_type(&self) -> u16 {
        self.wrapping.map_or(self.link as u16, |wrapping| wrapping.link)
    }

    pub(crate) fn frames(&self) -> &[Captured] {
        &self.frames
    }
}
