//! Harmless things on the road that look like forgery: each is a box on one flow's road, or a server elsewhere.

use super::line::{Middlebox, Nothing, Road};
use super::packet::{ACK, Packet, SYN};
use std::collections::HashMap;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Twin {
    Direct,
    TransparentProxy,
    SynProxy,
    LoadBalancer,
    CaptivePortal,
    PathChange,
    Loss,
    Reordering,
    MirrorTwice,
    MirrorAroundRouter,
}

/// The servers' links, in the order in which the line knows them.
pub(crate) const SITE: usize = 0;
pub(crate) const SECOND_SITE: usize = 1;
pub(crate) const PROXY: usize = 2;
pub(crate) const PORTAL: usize = 3;
/// The site without timestamps.
pub(crate) const PLAIN_SITE: usize = 4;

impl Twin {
    pub(crate) const ALL: [Self; 10] = [
        Self::Direct,
        Self::TransparentProxy,
        Self::SynProxy,
        Self::LoadBalancer,
        Self::CaptivePortal,
        Self::PathChange,
        Self::Loss,
        Self::Reordering,
        Self::MirrorTwice,
        Self::MirrorAroundRouter,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "twin-direct",
            Self::TransparentProxy => "twin-transparent-proxy",
            Self::SynProxy => "twin-syn-proxy",
            Self::LoadBalancer => "twin-load-balancer",
            Self::CaptivePortal => "twin-captive-portal",
            Self::PathChange => "twin-path-change",
            Self::Loss => "twin-loss",
            Self::Reordering => "twin-reordering",
            Self::MirrorTwice => "twin-mirror-twice",
            Self::MirrorAroundRouter => "twin-mirror-around-router",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Direct => "two requests, and nothing on the road",
            Self::TransparentProxy => "a proxy answers in the server's name, after asking the server by another way",
            Self::SynProxy => "a SYN proxy makes the handshake with its own headers and then passes the server's packets, renumbered",
            Self::LoadBalancer => "one address is two servers, of which one starts from TTL 128: two connections",
            Self::CaptivePortal => "a portal answers everything with a redirect to its login page",
            Self::PathChange => "the road grows by three hops between the first answer and the second",
            Self::Loss => "the first segment of the answer is lost; the server sends it again",
            Self::Reordering => "the second half of the answer overtakes the first",
            Self::MirrorTwice => "the mirror port shows each packet twice",
            Self::MirrorAroundRouter => "the mirror port shows each packet before and after the gateway",
        }
    }

    pub(crate) fn on_the_road(self) -> Box<dyn Middlebox> {
        match self {
            Self::TransparentProxy => Box::new(Elsewhere(PROXY)),
            Self::CaptivePortal => Box::new(Elsewhere(PORTAL)),
            Self::LoadBalancer => Box::new(Balancer::default()),
            Self::SynProxy => Box::new(SynProxy::default()),
            Self::PathChange => Box::new(Counting { count: 0, act: further_away }),
            Self::Loss => Box::new(Counting { count: 0, act: lose_first }),
            Self::Reordering => Box::new(Counting { count: 0, act: delay_first }),
            Self::Direct | Self::MirrorTwice | Self::MirrorAroundRouter => Box::new(Nothing),
        }
    }

    /// What is asked for, one list a connection.
    pub(crate) fn visits(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::LoadBalancer => &[&["/first", "/second"], &["/first", "/second"]],
            Self::Loss => &[&["/first"]],
            Self::Reordering => &[&["/in-two-parts"]],
            _ => &[&["/first", "/second"]],
        }
    }
}

/// The flow's server is on another link.
struct Elsewhere(usize);

impl Middlebox for Elsewhere {
    fn client_sent(&mut self, packet: Packet, road: &mut Road) {
        road.pass_on_by(self.0, packet);
    }
}

/// Connections go to two servers in turn.
#[derive(Default)]
struct Balancer {
    places: HashMap<u16, usize>,
}

impl Middlebox for Balancer {
    fn client_sent(&mut self, packet: Packet, road: &mut Road) {
        let next = [SITE, SECOND_SITE][self.places.len() % 2];
        road.pass_on_by(*self.places.entry(packet.src_port).or_insert(next), packet);
    }
}

/// Acts on the server's packets with payload by their number.
struct Counting {
    count: u32,
    act: fn(u32, Packet, &mut Road),
}

impl Middlebox for Counting {
    fn server_sent(&mut self, packet: Packet, road: &mut Road) {
        self.count += u32::from(!packet.payload.is_empty());
        (self.act)(self.count, packet, road);
    }
}

fn further_away(answers: u32, mut packet: Packet, road: &mut Road) {
    packet.ttl -= if answers >= 2 { 3 } else { 0 };
    road.deliver(packet);
}

fn lose_first(answers: u32, packet: Packet, road: &mut Road) {
    if answers != 1 || packet.payload.is_empty() {
        road.deliver(packet);
    }
}

fn delay_first(answers: u32, packet: Packet, road: &mut Road) {
    let late = answers == 1 && !packet.payload.is_empty();
    road.deliver_after(Duration::from_millis(if late { 8 } else { 0 }), packet);
}

/// Proves that the client is there before the server hears of it, and renumbers the server's sequence from then on.
#[derive(Default)]
struct SynProxy {
    syn: Option<Packet>,
    own_start: u32,
    /// What the server's sequence numbers must be raised by, once it has answered.
    shift: Option<u32>,
    waiting: Vec<Packet>,
}

impl Middlebox for SynProxy {
    fn client_sent(&mut self, mut packet: Packet, road: &mut Road) {
        if packet.has(SYN) {
            self.own_start = packet.seq.rotate_left(13) ^ 0x1db7_0c4d;
            road.deliver_after(Duration::from_millis(1), self.challenge(&packet));
            packet.options = vec![2, 4, 5, 0xb4];
            self.syn = Some(packet);
        } else if let Some(shift) = self.shift {
            packet.ack = packet.ack.wrapping_sub(shift);
            road.pass_on(packet);
        } else {
            if packet.payload.is_empty() && packet.ack == self.own_start.wrapping_add(1) {
                self.syn.clone().into_iter().for_each(|syn| road.pass_on(syn));
            }
            self.waiting.push(packet);
        }
    }

    fn server_sent(&mut self, mut packet: Packet, road: &mut Road) {
        if packet.has(SYN) {
            let shift = self.own_start.wrapping_sub(packet.seq);
            self.shift = Some(shift);
            for mut kept in self.waiting.drain(..) {
                kept.ack = kept.ack.wrapping_sub(shift);
                road.pass_on(kept);
            }
            return;
        }
        packet.seq = packet.seq.wrapping_add(self.shift.unwrap_or(0));
        road.deliver(packet);
    }
}

impl SynProxy {
    /// The SYN-ACK of a box that keeps no state: its own TTL, the client's IP-ID, the smallest of options.
    fn challenge(&self, syn: &Packet) -> Packet {
        Packet {
            from: syn.to,
            to: syn.from,
            src: syn.dst,
            dst: syn.src,
            src_port: syn.dst_port,
            dst_port: syn.src_port,
            ttl: 62,
            seq: self.own_start,
            ack: syn.end(),
            flags: SYN | ACK,
            window: 29200,
            options: vec![2, 4, 5, 0xb4],
            payload: Vec::new(),
            ..syn.clone()
        }
    }
}

/// The proxy fetches what it is asked for from the site and gives it out as its own.
pub(crate) fn proxied(path: &str) -> Vec<Vec<u8>> {
    super::web::fetch(super::topology::SITE_BEHIND_PROXY, path).map_or_else(|_| super::web::page(path), |answer| vec![answer])
}
