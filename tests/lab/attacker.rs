//! The test-only attacker at work on one flow.

use super::attack::{Attack, Quality};
use super::line::{DELAY, HOPS, Middlebox, Road};
use super::packet::{ACK, FIN, PSH, Packet, RST, SYN, timestamps};
use super::twins::{PLAIN_SITE, SITE};
use super::web;
use std::time::{Duration, Instant};

/// The attacker on the road of one flow.
pub(crate) struct Attacker {
    attack: Attack,
    quality: Quality,
    requests: usize,
    request_end: Option<u32>,
    /// The server's last packet, and when it passed.
    server: Option<(Packet, Instant)>,
    shift: u8,
    struck: bool,
    /// IP-ID of the last forged packet.
    last_id: Option<u16>,
    /// Sequence number after all that was forged.
    forged_end: u32,
    /// Sequence number that the forged SYN-ACK gave.
    own_start: u32,
}

impl Attacker {
    pub(crate) fn new(attack: Attack, quality: Quality) -> Self {
        Self {
            attack,
            quality,
            requests: 0,
            request_end: None,
            server: None,
            shift: 0,
            struck: false,
            last_id: None,
            forged_end: 0,
            own_start: 0,
        }
    }

    /// A packet to the client in the server's name, in answer to `cause`.
    fn imitate(&mut self, cause: &Packet, now: Instant, flags: u8) -> Packet {
        let at_least = |step| self.quality >= step;
        let model = self.server.clone();
        let mut packet = Packet {
            from: cause.to,
            to: cause.from,
            src: cause.dst,
            dst: cause.src,
            src_port: cause.dst_port,
            dst_port: cause.src_port,
            ttl: if at_least(Quality::Ttl) { 64 - HOPS } else { 64 - 3 },
            ip_id: 1,
            df: at_least(Quality::Window),
            flow_label: 0,
            seq: cause.ack,
            ack: cause.end(),
            flags,
            window: 8192,
            options: Vec::new(),
            payload: Vec::new(),
        };
        if let Some((server, at)) = &model {
            if at_least(Quality::Window) {
                packet.window = server.window;
                packet.flow_label = server.flow_label;
            }
            if at_least(Quality::IpId) {
                packet.ip_id = self.last_id.unwrap_or(server.ip_id).wrapping_add(1);
            }
            if at_least(Quality::Perfect) {
                if server.has(SYN) {
                    packet.window >>= self.shift;
                }
                if let (Some(clock), Some(echo)) = (server.timestamp(), cause.timestamp()) {
                    let passed = now.saturating_duration_since(*at).as_millis() as u32;
                    packet.options = timestamps(clock.wrapping_add(passed), echo);
                }
            }
        }
        self.last_id = Some(packet.ip_id);
        packet
    }

    fn wait(&self) -> Duration {
        match (self.quality >= Quality::IpId, self.attack.in_path()) {
            (false, _) => Duration::from_millis(2),
            (true, false) => DELAY * 2 * 85 / 100,
            (true, true) => DELAY * 2 + Duration::from_millis(7),
        }
    }

    fn strike(&mut self, cause: &Packet, wait: Duration, road: &mut Road) {
        self.struck = true;
        let (flags, payload) = match self.attack {
            Attack::RaceRst | Attack::InPathRst => (RST | ACK, Vec::new()),
            Attack::RaceFin => (FIN | ACK, Vec::new()),
            Attack::RaceContent | Attack::InPathContent => (PSH | ACK | FIN, web::changed_page("/second")),
            _ => (PSH | ACK | FIN, web::redirect()),
        };
        let mut packet = self.imitate(cause, road.now + wait, flags);
        packet.payload = payload;
        self.forged_end = packet.end();
        road.forge(wait, packet);
    }

    /// A SYN-ACK ahead of the server's. Its options are the client's own, with another clock.
    fn greet(&mut self, syn: &Packet, road: &mut Road) {
        let wait = DELAY * 2 * 85 / 100;
        let mut packet = self.imitate(syn, road.now, SYN | ACK);
        self.own_start = syn.seq ^ 0x5a5a_5a5a;
        packet.seq = self.own_start;
        if self.quality >= Quality::Window {
            packet.window = 65160;
        }
        if self.quality >= Quality::IpId {
            packet.ip_id = 0;
            self.last_id = Some(0x3a51);
        }
        packet.options = vec![2, 4, 5, 0xb4];
        if self.quality >= Quality::Perfect {
            let clock = timestamps(self.own_start.rotate_left(9), syn.timestamp().unwrap_or(0));
            packet.options.extend([4, 2]);
            packet.options.extend(&clock[2..]);
            packet.options.extend([1, 3, 3, 7]);
        }
        road.forge(wait, packet.clone());
        self.shift = 7;
        self.server = Some((packet, road.now + wait));
    }

    fn pass_on(&self, packet: Packet, road: &mut Road) {
        road.pass_on_by(if self.attack == Attack::InPathPlain { PLAIN_SITE } else { SITE }, packet);
    }

    fn hold_back(&mut self, packet: Packet, road: &mut Road) {
        let closing = packet.has(FIN) && !packet.has(RST);
        if packet.end() == self.request_end.unwrap_or(0) && !packet.payload.is_empty() {
            self.pass_on(packet, road);
        } else if closing && packet.ack == self.forged_end {
            let reply = self.imitate(&packet, road.now, ACK);
            road.forge(Duration::from_millis(2), reply);
        }
    }
}

impl Middlebox for Attacker {
    fn client_sent(&mut self, packet: Packet, road: &mut Road) {
        if self.attack == Attack::RaceSynAck && packet.has(SYN) && !self.struck {
            self.greet(&packet, road);
        }
        let is_new = self.request_end.is_none_or(|end| packet.end().wrapping_sub(end).cast_signed() > 0);
        if !packet.payload.is_empty() && is_new {
            self.requests += 1;
            self.request_end = Some(packet.end());
        }
        let due = self.requests == self.attack.requests() && self.attack.on_greeting().is_none();
        let taken_in = self.attack != Attack::RaceSynAck || packet.ack == self.own_start.wrapping_add(1);
        if due && taken_in && !self.struck {
            self.strike(&packet, self.wait(), road);
        }
        if self.struck && self.attack.in_path() {
            self.hold_back(packet, road);
        } else {
            self.pass_on(packet, road);
        }
    }

    fn server_sent(&mut self, packet: Packet, road: &mut Road) {
        let greeting = packet.has(SYN);
        if greeting && self.attack != Attack::RaceSynAck {
            self.shift = packet.window_shift().unwrap_or(0);
        }
        let own_model = self.attack == Attack::RaceSynAck && self.server.is_some();
        if !own_model && !self.struck && !packet.has(RST) {
            self.server = Some((packet.clone(), road.now));
        }
        let says_more = !packet.payload.is_empty() || packet.has(FIN | RST) || self.attack == Attack::InPathMute;
        let suppressed = self.struck && self.attack.in_path() && says_more;
        if !suppressed {
            road.deliver(packet.clone());
        }
        if let Some(wait) = self.attack.on_greeting().filter(|_| greeting && !self.struck) {
            self.strike(&acknowledgement(&packet), wait, road);
        }
    }
}

/// What the client will say to the server's SYN-ACK.
fn acknowledgement(greeting: &Packet) -> Packet {
    Packet {
        from: greeting.to,
        to: greeting.from,
        src: greeting.dst,
        dst: greeting.src,
        src_port: greeting.dst_port,
        dst_port: greeting.src_port,
        seq: greeting.ack,
        ack: greeting.end(),
        flags: ACK,
        options: greeting.echo().map(|echo| timestamps(echo, 0)).unwrap_or_default(),
        ..greeting.clone()
    }
}
