//! Messages of the local network as Ethernet frames: ARP, neighbour discovery, DHCP, redirects.

use super::segment::{fold, seal_ipv4};

pub(crate) type Mac = [u8; 6];

/// A machine of the local network with its addresses of both versions; the one of IPv6 is link-local.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Station {
    pub(crate) mac: Mac,
    pub(crate) ip: [u8; 4],
    pub(crate) ip6: [u8; 16],
}

pub(crate) const EVERYBODY: Mac = [0xff; 6];
/// All nodes of the link, and the hardware address that it is sent to (RFC 2464, section 7).
pub(crate) const ALL_NODES: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const TO_ALL_NODES: Mac = [0x33, 0x33, 0, 0, 0, 1];

/// The machine with this last byte in all its addresses.
pub(crate) const fn station(last: u8) -> Station {
    Station { mac: [2, 0, 0, 0, 0, last], ip: [192, 0, 2, last], ip6: link_local(last) }
}

/// A link-local address.
pub(crate) const fn link_local(last: u8) -> [u8; 16] {
    [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
}

impl Station {
    /// The same addresses at another machine: what a spoofer says, or a standby router.
    pub(crate) const fn at(self, mac: Mac) -> Self {
        Self { mac, ..self }
    }
}

fn ethernet(to: Mac, from: Mac, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&to[..], &from, &ethertype.to_be_bytes(), payload].concat()
}

fn arp(to: Mac, operation: u16, (sender, sender_ip): (Mac, [u8; 4]), (target, target_ip): (Mac, [u8; 4])) -> Vec<u8> {
    let body = [&[0, 1, 8, 0, 6, 4][..], &operation.to_be_bytes(), &sender, &sender_ip, &target, &target_ip].concat();
    ethernet(to, sender, 0x0806, &body)
}

/// `who` asks all for `wanted`.
pub(crate) fn asks(who: Station, wanted: [u8; 4]) -> Vec<u8> {
    arp(EVERYBODY, 1, (who.mac, who.ip), ([0; 6], wanted))
}

/// `who` asks, before it has an address, whether anybody has this one.
pub(crate) fn probes(who: Station) -> Vec<u8> {
    arp(EVERYBODY, 1, (who.mac, [0; 4]), ([0; 6], who.ip))
}

/// `who` says to `to` where it is.
pub(crate) fn answers(who: Station, to: Station) -> Vec<u8> {
    arp(to.mac, 2, (who.mac, who.ip), (to.mac, to.ip))
}

/// `who` says to all where it is, as an answer to nobody.
pub(crate) fn answers_all(who: Station) -> Vec<u8> {
    arp(EVERYBODY, 2, (who.mac, who.ip), (EVERYBODY, [0; 4]))
}

/// `who` says to all where it is.
pub(crate) fn announces(who: Station) -> Vec<u8> {
    arp(EVERYBODY, 1, (who.mac, who.ip), ([0; 6], who.ip))
}

fn icmpv6((to, dst): (Mac, [u8; 16]), from: Station, body: &[u8]) -> Vec<u8> {
    let mut message = body.to_vec();
    let pseudo = [&from.ip6[..], &dst, &(message.len() as u32).to_be_bytes(), &[0, 0, 0, 58]].concat();
    let sum = !fold(&[&pseudo, &message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let header = [&[0x60, 0, 0, 0][..], &(message.len() as u16).to_be_bytes(), &[58, 255], &from.ip6, &dst].concat();
    ethernet(to, from.mac, 0x86dd, &[header, message].concat())
}

/// `who` asks all for the machine with the address `wanted`.
pub(crate) fn solicits(who: Station, wanted: [u8; 16]) -> Vec<u8> {
    let [.., a, b, c] = wanted;
    let group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c];
    let body = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &wanted, &[1, 1], &who.mac].concat();
    icmpv6(([0x33, 0x33, 0xff, a, b, c], group), who, &body)
}

/// `who` says that its address is at `mac`, with these flags (router 0x80, solicited 0x40, override 0x20), to one or to all.
pub(crate) fn advertises(who: Station, to: Option<Station>, flags: u8) -> Vec<u8> {
    let body = [&[136, 0, 0, 0, flags, 0, 0, 0][..], &who.ip6, &[2, 1], &who.mac].concat();
    icmpv6(to.map_or((TO_ALL_NODES, ALL_NODES), |to| (to.mac, to.ip6)), who, &body)
}

/// What a router says of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Router {
    pub(crate) station: Station,
    pub(crate) lifetime: u16,
    pub(crate) preferred: bool,
    /// Third and fourth byte of the prefix 2001:db8::/64 that it announces.
    pub(crate) prefix: u16,
    pub(crate) dns: Option<[u8; 16]>,
}

impl Router {
    pub(crate) fn announces(self) -> Vec<u8> {
        let mut body = vec![134, 0, 0, 0, 64, if self.preferred { 0x08 } else { 0 }];
        body.extend(self.lifetime.to_be_bytes());
        body.extend([0; 8]);
        body.extend([[1, 1].as_slice(), &self.station.mac].concat());
        let [high, low] = self.prefix.to_be_bytes();
        body.extend(
            [[3, 4, 64, 0xc0, 0, 1, 0x51, 0x80, 0, 0, 0x38, 0x40, 0, 0, 0, 0].as_slice(), &[0x20, 1, 0x0d, 0xb8, high, low], &[0; 10]]
                .concat(),
        );
        if let Some(dns) = self.dns {
            body.extend([[25, 3, 0, 0, 0, 0, 7, 8].as_slice(), &dns].concat());
        }
        icmpv6((TO_ALL_NODES, ALL_NODES), self.station, &body)
    }
}

/// `from` tells `to` that the way to `destination` is by `hop`, in ICMPv6.
pub(crate) fn redirects6(from: Station, to: Station, hop: Station, destination: [u8; 16]) -> Vec<u8> {
    let body = [&[137, 0, 0, 0, 0, 0, 0, 0][..], &hop.ip6, &destination, &[2, 1], &hop.mac].concat();
    icmpv6((to.mac, to.ip6), from, &body)
}

fn ipv4((to, dst): (Mac, [u8; 4]), from: Station, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut ip = vec![0x45, 0];
    ip.extend((20 + payload.len() as u16).to_be_bytes());
    ip.extend([0x31, 0x07, 0, 0, 64, protocol, 0, 0]);
    ip.extend(from.ip);
    ip.extend(dst);
    seal_ipv4(&mut ip);
    ip.extend(payload);
    ethernet(to, from.mac, 0x0800, &ip)
}

/// `from` tells `to` that the way to `destination` is by `hop`, in ICMP.
pub(crate) fn redirects(from: Station, to: Station, hop: [u8; 4], destination: [u8; 4]) -> Vec<u8> {
    let mut inner = vec![0x45, 0, 0, 40, 0x9a, 0x31, 0x40, 0, 63, 6, 0, 0];
    inner.extend([to.ip, destination].concat());
    seal_ipv4(&mut inner);
    inner.extend([0xc0, 0x37, 0, 80, 1, 2, 3, 4]);
    redirects_quoting(from, to, hop, &inner)
}

/// The same about the packet that begins like this.
pub(crate) fn redirects_quoting(from: Station, to: Station, hop: [u8; 4], quoted: &[u8]) -> Vec<u8> {
    let mut message = [&[5, 1, 0, 0][..], &hop, quoted].concat();
    let sum = !fold(&[&message]);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ipv4((to.mac, to.ip), from, 1, &message)
}

/// What a DHCP server gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) server: Station,
    /// Whose identifier it bears.
    pub(crate) named: [u8; 4],
    pub(crate) router: [u8; 4],
    pub(crate) dns: [u8; 4],
}

impl Settings {
    /// An offer of an address, or with `granted` the grant.
    pub(crate) fn gives(self, transaction: u32, to: Station, granted: bool) -> Vec<u8> {
        let mut body = vec![2, 1, 6, 0];
        body.extend(transaction.to_be_bytes());
        body.extend([0; 8]);
        body.extend([to.ip, self.server.ip, [0; 4]].concat());
        body.extend(to.mac);
        body.resize(236, 0);
        body.extend([99, 130, 83, 99, 53, 1, if granted { 5 } else { 2 }, 54, 4]);
        body.extend(self.named);
        body.extend([&[1, 4, 255, 255, 255, 0, 3, 4][..], &self.router, &[6, 4], &self.dns, &[51, 4, 0, 0, 14, 16, 255]].concat());
        let udp = [&[0, 67, 0, 68][..], &(body.len() as u16 + 8).to_be_bytes(), &[0, 0], &body].concat();
        ipv4((to.mac, to.ip), self.server, 17, &udp)
    }
}

/// A DHCPv6 server's reply: the server's identifier is made of its hardware address.
pub(crate) fn gives6(server: Station, to: Station, transaction: u8, dns: [u8; 16]) -> Vec<u8> {
    let body = [&[7, 0, 0, transaction, 0, 2, 0, 10, 0, 3, 0, 1][..], &server.mac, &[0, 23, 0, 16], &dns].concat();
    let length = (body.len() as u16 + 8).to_be_bytes();
    let mut udp = [&[0x02, 0x23, 0x02, 0x22][..], &length, &[0, 0], &body].concat();
    let pseudo = [&server.ip6[..], &to.ip6, &[0, 0], &length, &[0, 0, 0, 17]].concat();
    let sum = !fold(&[&pseudo, &udp]);
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    let header = [&[0x60, 0, 0, 0][..], &length, &[17, 64], &server.ip6, &to.ip6].concat();
    ethernet(to.mac, server.mac, 0x86dd, &[header, udp].concat())
}
