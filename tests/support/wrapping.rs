//! What a story's datagrams can be wrapped in: outer headers of the usual kinds, their ends turned round with the direction.

use super::segment::{Segment, fold, seal_ipv4};

/// The ends of the tunnels in the stories: beside the client and beside the site.
const NEAR: [u8; 4] = [203, 0, 113, 1];
const FAR: [u8; 4] = [203, 0, 113, 2];

/// A way to put datagrams into frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrapping {
    pub(crate) name: &'static str,
    /// In words, to go on after "The race of `race-302-on-get` ".
    pub(crate) about: &'static str,
    /// Link type of the capture.
    pub(crate) link: u16,
    /// Whether the story is told over IPv6.
    pub(crate) six: bool,
    /// The frame of a datagram.
    pub(crate) frame: fn(&Wrapped<'_>) -> Vec<u8>,
}

/// A datagram to be put into a frame.
pub(crate) struct Wrapped<'s> {
    pub(crate) segment: &'s Segment,
    pub(crate) datagram: &'s [u8],
}

impl Wrapped<'_> {
    pub(crate) fn to_site(&self) -> bool {
        [53, 80].contains(&self.segment.dst.port)
    }

    /// One value for each direction.
    pub(crate) fn by_way<T>(&self, to_site: T, to_client: T) -> T {
        if self.to_site() { to_site } else { to_client }
    }

    pub(crate) fn ethertype(&self) -> u16 {
        if self.segment.src.ip.is_ipv4() { 0x0800 } else { 0x86dd }
    }

    /// The datagram behind `header`.
    pub(crate) fn behind(&self, header: &[u8]) -> Vec<u8> {
        [header, self.datagram].concat()
    }

    /// An Ethernet frame between the ends.
    pub(crate) fn ethernet(&self, ethertype: u16, payload: &[u8]) -> Vec<u8> {
        [&self.segment.dst.mac[..], &self.segment.src.mac, &ethertype.to_be_bytes(), payload].concat()
    }

    /// The datagram in an Ethernet frame.
    pub(crate) fn framed(&self) -> Vec<u8> {
        self.ethernet(self.ethertype(), self.datagram)
    }

    /// `payload` in IPv4 between the ends of the tunnel, in Ethernet.
    pub(crate) fn in_ipv4(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut ip = vec![0x45, 0];
        ip.extend(((20 + payload.len()) as u16).to_be_bytes());
        ip.extend([0x77, 0x01, 0, 0, 250, protocol, 0, 0]);
        ip.extend(self.by_way(NEAR, FAR));
        ip.extend(self.by_way(FAR, NEAR));
        seal_ipv4(&mut ip);
        ip.extend(payload);
        self.ethernet(0x0800, &ip)
    }

    /// `payload` in IPv6 between the ends of the tunnel, in Ethernet.
    pub(crate) fn in_ipv6(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let end = |last: u8| [&[0x20, 1, 0x0d, 0xb8, 0xff][..], &[0; 10], &[last]].concat();
        let mut ip = vec![0x60, 0, 0, 0];
        ip.extend((payload.len() as u16).to_be_bytes());
        ip.extend([protocol, 250]);
        ip.extend(end(self.by_way(1, 2)));
        ip.extend(end(self.by_way(2, 1)));
        ip.extend(payload);
        self.ethernet(0x86dd, &ip)
    }

    /// `payload` in UDP between two ports, whichever way; the checksum is left out.
    pub(crate) fn in_udp(&self, (from, to): (u16, u16), payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u16 + 8).to_be_bytes();
        self.in_ipv4(17, &[&from.to_be_bytes()[..], &to.to_be_bytes(), &length, &[0, 0], payload].concat())
    }

    /// GRE with its header's checksum when `header` asks for one.
    pub(crate) fn in_gre(&self, header: &[u8], payload: &[u8]) -> Vec<u8> {
        let mut gre = [header, payload].concat();
        if header[0] & 0x80 != 0 {
            let sum = !fold(&[&gre]);
            gre[4..6].copy_from_slice(&sum.to_be_bytes());
        }
        self.in_ipv4(47, &gre)
    }

    /// An 802.11 data frame by way of an access point, which passes on what goes to the client. `control` is the field for quality
    /// of service, if there is one.
    pub(crate) fn in_air(&self, control: Option<u8>, payload: &[u8]) -> Vec<u8> {
        const ACCESS_POINT: [u8; 6] = [2, 0, 0, 0, 0, 0xaa];
        let (src, dst) = (self.segment.src.mac, self.segment.dst.mac);
        let mut frame = vec![if control.is_some() { 0x88 } else { 0x08 }, self.by_way(1, 2), 0, 0];
        frame.extend(self.by_way([ACCESS_POINT, src, dst], [dst, ACCESS_POINT, src]).concat());
        frame.extend([0x10, 0]);
        frame.extend(control.map(|control| [control, 0]).into_iter().flatten());
        frame.extend(payload);
        frame
    }

    /// The datagram behind an LLC header.
    pub(crate) fn in_llc(&self) -> Vec<u8> {
        self.behind(&[&[0xaa, 0xaa, 3, 0, 0, 0][..], &self.ethertype().to_be_bytes()].concat())
    }

    /// The datagram behind the protocol field of PPP.
    pub(crate) fn in_ppp(&self) -> Vec<u8> {
        self.behind(&[0, if self.segment.src.ip.is_ipv4() { 0x21 } else { 0x57 }])
    }
}
