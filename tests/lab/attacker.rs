//! The test-only attacker: what it does to a flow, and how well it imitates the server's headers.

use super::line::{DELAY, HOPS, Middlebox, Road};
use super::packet::{ACK, FIN, PSH, Packet, RST, SYN, timestamps};
use super::web;
use std::time::{Duration, Instant};

/// What the attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Attack {
    /// Beside the road: answers the first request before the server does.
    RaceRedirect,
    /// Beside the road: answers the second request of a connection.
    RaceLater,
    /// Beside the road: fires when the SYN-ACK passes; the request crosses the answer.
    RaceOnSynAck,
    /// Beside the road: fires when the SYN-ACK passes, and the client has the answer before it asks.
    RaceBeforeRequest,
    /// Beside the road: a page of the same length with another script, to the second request.
    RaceContent,
    /// Beside the road: a reset upon the request.
    RaceRst,
    /// Beside the road: a FIN upon the request.
    RaceFin,
    /// Beside the road: a SYN-ACK with a sequence number of its own, and the answer in that sequence.
    RaceSynAck,
    /// On the road: a redirect instead of the first answer.
    InPathRedirect,
    /// On the road: a redirect instead of the first answer, and nothing of the server passes from then on.
    InPathMute,
    /// On the road: a redirect instead of the second answer.
    InPathLater,
    /// On the road: the page with another script instead of the second answer.
    InPathContent,
    /// On the road: a reset instead of the first answer.
    InPathRst,
}

/// How well the headers are imitated; each step keeps those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quality {
    /// A packet library's defaults: TTL of its own place, IP-ID 1, window 8192, no DF, no options.
    Naive,
    /// The server's TTL as it arrives at the sensor.
    Ttl,
    /// DF, the window field and the flow label of the server's last packet.
    Window,
    /// IP-ID one after the server's last; timed like a server's answer.
    IpId,
    /// Timestamps continue the server's clock; the window is scaled as after a handshake.
    Perfect,
}

impl Attack {
    pub(crate) const ALL: [Self; 13] = [
        Self::RaceRedirect,
        Self::RaceLater,
        Self::RaceOnSynAck,
        Self::RaceBeforeRequest,
        Self::RaceContent,
        Self::RaceRst,
        Self::RaceFin,
        Self::RaceSynAck,
        Self::InPathRedirect,
        Self::InPathMute,
        Self::InPathLater,
        Self::InPathContent,
        Self::InPathRst,
    ];

    /// The name in folders and tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RaceRedirect => "race-redirect",
            Self::RaceLater => "race-later",
            Self::RaceOnSynAck => "race-on-syn-ack",
            Self::RaceBeforeRequest => "race-before-request",
            Self::RaceContent => "race-content",
            Self::RaceRst => "race-rst",
            Self::RaceFin => "race-fin",
            Self::RaceSynAck => "race-syn-ack",
            Self::InPathRedirect => "in-path-redirect",
            Self::InPathMute => "in-path-mute",
            Self::InPathLater => "in-path-later",
            Self::InPathContent => "in-path-content",
            Self::InPathRst => "in-path-rst",
        }
    }

    /// In words, for a reader of a capture's README.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::RaceRedirect => "a bare 302 upon the first request; the genuine page follows at the same sequence number",
            Self::RaceLater => "a bare 302 upon the second request of a connection; the genuine page follows",
            Self::RaceOnSynAck => "a bare 302 shot when the SYN-ACK passes, which the request crosses; the genuine page follows",
            Self::RaceBeforeRequest => {
                "a bare 302 shot when the SYN-ACK passes; the client has it before it asks, and its request then acknowledges \
                 what the server never sent, so that the server ignores it"
            }
            Self::RaceContent => "the page with another script, of the same length, upon the second request; the genuine page follows",
            Self::RaceRst => "a reset upon the first request; the genuine page follows",
            Self::RaceFin => "a FIN upon the first request; the genuine page follows at the same sequence number",
            Self::RaceSynAck => "a SYN-ACK with another sequence number ahead of the server's, and a bare 302 in that sequence",
            Self::InPathRedirect => {
                "a bare 302 instead of the first answer, which is suppressed; the server's bare ACK of the request passes"
            }
            Self::InPathMute => "a bare 302 instead of the first answer; nothing that the server sends passes from then on",
            Self::InPathLater => "a bare 302 instead of the second answer of a connection, which is suppressed",
            Self::InPathContent => "the page with another script instead of the second answer, which is suppressed",
            Self::InPathRst => "a reset instead of the first answer, which is suppressed",
        }
    }

    /// Whether the genuine answer is kept from the client.
    pub(crate) fn in_path(self) -> bool {
        matches!(self, Self::InPathRedirect | Self::InPathMute | Self::InPathLater | Self::InPathContent | Self::InPathRst)
    }

    /// Whether it fires on the SYN-ACK.
    fn on_greeting(self) -> Option<Duration> {
        match self {
            Self::RaceOnSynAck => Some(Duration::from_millis(8)),
            Self::RaceBeforeRequest => Some(Duration::ZERO),
            _ => None,
        }
    }

    /// How long the client waits between the handshake and the request.
    pub(crate) fn hesitation(self) -> Duration {
        Duration::from_millis(if self == Self::RaceBeforeRequest { 12 } else { 0 })
    }

    /// Why no detector that sees one point of the road can be expected to find it; none if it should be found.
    pub(crate) fn limit(self, quality: Quality, version: u8) -> Option<&'static str> {
        match (self, quality) {
            (Self::InPathRst, _) if version == 6 => Some(
                "A reset carries no timestamps when honest stacks send it, IPv6 has neither IP-ID nor DF, and a hop limit alone is one vote.",
            ),
            (Self::InPathRst, Quality::Window | Quality::IpId | Quality::Perfect) => Some(
                "A reset carries no timestamps when honest stacks send it; with TTL and DF copied its header has nothing left to tell.",
            ),
            (_, Quality::Perfect) if self.in_path() => Some(
                "All headers are the server's and the genuine answer is suppressed: at this point of the road only the content is left.",
            ),
            _ => None,
        }
    }

    /// Whether something genuine comes that contradicts the forgery. A client that has taken in bytes that the server never sent is not answered.
    pub(crate) fn lets_genuine_through(self) -> bool {
        !self.in_path() && self != Self::RaceBeforeRequest
    }

    /// The verdicts that are right. Whether a server that gives no answer was kept from it, or refused a request that acknowledges what it never
    /// sent, need not be told apart.
    pub(crate) fn verdicts(self) -> &'static [&'static str] {
        match self {
            Self::RaceBeforeRequest => &["on_path_injection", "in_path_injection"],
            _ if self.in_path() => &["in_path_injection"],
            _ => &["on_path_injection"],
        }
    }

    /// Requests on the connection, the last of which is the one attacked.
    pub(crate) fn requests(self) -> usize {
        if matches!(self, Self::RaceLater | Self::RaceContent | Self::InPathLater | Self::InPathContent) { 2 } else { 1 }
    }
}

impl Quality {
    pub(crate) const ALL: [Self; 5] = [Self::Naive, Self::Ttl, Self::Window, Self::IpId, Self::Perfect];

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Naive => "none: TTL of the attacker's own place, IP-ID 1, window 8192, no DF, no options",
            Self::Ttl => "the server's TTL",
            Self::Window => "the server's TTL, DF, flow label and window field",
            Self::IpId => "the server's TTL, DF, window field and next IP-ID, sent when a server's answer could come",
            Self::Perfect => {
                "the server's TTL, DF, flow label, scaled window, next IP-ID and running clock, sent when a server's answer could come"
            }
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Naive => "q0",
            Self::Ttl => "q1",
            Self::Window => "q2",
            Self::IpId => "q3",
            Self::Perfect => "q4",
        }
    }
}

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

    fn hold_back(&mut self, packet: Packet, road: &mut Road) {
        let closing = packet.has(FIN) && !packet.has(RST);
        if packet.end() == self.request_end.unwrap_or(0) && !packet.payload.is_empty() {
            road.pass_on(packet);
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
            road.pass_on(packet);
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
