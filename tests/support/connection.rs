//! One TCP conversation: its genuine ends speak by their own stacks, and a third may speak in the server's name.

use super::host::{Host, IpId, scramble};
use super::injector::Injector;
use super::segment::{ACK, Checksum, End, FIN, Opt, PSH, RST, SYN, Segment};
use super::story::{After, Story, after_ms};

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// What one end knows.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) host: Host,
    pub(crate) end: End,
    pub(crate) isn: u32,
    /// Next sequence number to send.
    pub(crate) next: u32,
    /// Next sequence number expected from the other end; none before its SYN.
    pub(crate) heard: Option<u32>,
    heard_ts: u32,
    sent: u16,
    /// Checksums of all that it sends: partial behind an offloading card.
    pub(crate) checksum: Checksum,
}

/// A conversation under way.
#[derive(Debug)]
pub(crate) struct Connection<'s> {
    pub(crate) story: &'s mut Story,
    pub(crate) client: Peer,
    pub(crate) server: Peer,
}

impl Peer {
    fn new(host: Host, port: u16, number: u16) -> Self {
        let isn = scramble(u64::from(number) << 16 | u64::from(port)) as u32;
        let end = End { ip: host.ip, port, mac: host.mac };
        Self { host, end, isn, next: isn, heard: None, heard_ts: 0, sent: 0, checksum: Checksum::Good }
    }

    /// Identification of the next packet by the stack's rule.
    pub(crate) fn next_ip_id(&self) -> u16 {
        match self.host.ip_id {
            IpId::Sequential(first) => first.wrapping_add(self.sent),
            IpId::Zero => 0,
            IpId::Constant(value) => value,
            IpId::Random(seed) => scramble(seed.wrapping_add(u64::from(self.sent))) as u16,
        }
    }

    fn take_ip_id(&mut self, flags: u16) -> u16 {
        if self.host.syn_ack_id_zero && flags == SYN | ACK {
            return 0;
        }
        let id = self.next_ip_id();
        self.sent = self.sent.wrapping_add(1);
        id
    }

    /// Lets the identification run ahead, as when the host has talked to others meanwhile.
    pub(crate) fn skip_ip_ids(&mut self, count: u16) {
        self.sent = self.sent.wrapping_add(count);
    }

    /// Begins the conversation at another initial sequence number.
    pub(crate) fn start_at(&mut self, isn: u32) {
        self.isn = isn;
        self.next = isn;
    }
}

impl<'s> Connection<'s> {
    pub(crate) fn new(story: &'s mut Story, client: Host, server: Host, number: u16) -> Self {
        let port = 49_200 + 7 * number;
        Self { story, client: Peer::new(client, port, number), server: Peer::new(server, 80, number) }
    }

    pub(crate) fn peer(&mut self, side: Side) -> &mut Peer {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn timestamps_agreed(&self) -> bool {
        self.client.host.timestamps.is_some() && self.server.host.timestamps.is_some()
    }

    /// TSval that `side` would send at this moment.
    pub(crate) fn ts_option(&self, side: Side) -> Option<Opt> {
        let peer = if side == Side::Client { &self.client } else { &self.server };
        let clock = peer.host.timestamps?;
        let ticks = self.story.elapsed_ms() * u64::from(clock.per_second) / 1000;
        Some(Opt::Ts(clock.offset.wrapping_add(ticks as u32), peer.heard_ts))
    }

    fn options(&self, side: Side, flags: u16) -> Vec<Opt> {
        if flags & RST != 0 {
            return Vec::new();
        }
        if flags & SYN == 0 {
            return if self.timestamps_agreed() { self.ts_option(side).into_iter().collect() } else { Vec::new() };
        }
        let answer = flags & ACK != 0;
        let (own, other) =
            if side == Side::Client { (&self.client.host, &self.server.host) } else { (&self.server.host, &self.client.host) };
        let mut options = vec![Opt::Mss(own.mss)];
        if own.sack && (!answer || other.sack) {
            options.push(Opt::SackOk);
        }
        if own.timestamps.is_some() && (!answer || self.timestamps_agreed()) {
            options.extend(self.ts_option(side));
        }
        if let Some(shift) = own.wscale
            && (!answer || other.wscale.is_some())
        {
            options.push(Opt::Wscale(shift));
        }
        options
    }

    /// The next segment of `side`, by the habits of its stack. Nothing is sent before [`Self::put`].
    pub(crate) fn segment(&mut self, side: Side, flags: u16, payload: &[u8]) -> Segment {
        let options = self.options(side, flags);
        let dst = if side == Side::Client { self.server.end } else { self.client.end };
        let peer = self.peer(side);
        let segment = Segment {
            src: peer.end,
            dst,
            ttl: peer.host.seen_ttl(),
            ip_id: peer.take_ip_id(flags),
            flow_label: peer.host.flow_label,
            df: peer.host.df,
            seq: peer.next,
            ack: if flags & ACK == 0 { 0 } else { peer.heard.unwrap_or(0) },
            flags,
            window: if flags & SYN == 0 { peer.host.window } else { peer.host.syn_window },
            options,
            payload: payload.to_vec(),
            checksum: peer.checksum,
            trailer: Vec::new(),
        };
        peer.next = segment.end();
        segment
    }

    /// `segment` sent once more by its stack: same place in the stream, new identification, present clock.
    pub(crate) fn again(&mut self, segment: &Segment) -> Segment {
        let side = if segment.src == self.client.end { Side::Client } else { Side::Server };
        let options = self.options(side, segment.flags);
        Segment { ip_id: self.peer(side).take_ip_id(segment.flags), options, ..segment.clone() }
    }

    /// Sends `segment`: the sensor captures it and the other end takes note. Returns the frame number.
    pub(crate) fn put(&mut self, segment: &Segment) -> u64 {
        self.note(segment);
        let interface = u32::from(segment.src == self.server.end);
        self.story.put(segment, interface)
    }

    fn note(&mut self, segment: &Segment) {
        if segment.checksum == Checksum::Bad {
            return;
        }
        let listener = if segment.src == self.client.end { &mut self.server } else { &mut self.client };
        let old = segment.seq.wrapping_sub(listener.heard.unwrap_or(segment.seq)) as i32;
        let new = segment.end().wrapping_sub(listener.heard.unwrap_or(segment.seq)) as i32;
        if old <= 0 && new >= 0 {
            listener.heard = Some(segment.end());
            if let Some(Opt::Ts(value, _)) = segment.options.iter().find(|option| matches!(option, Opt::Ts(..))) {
                listener.heard_ts = *value;
            }
        }
    }

    pub(crate) fn wait(&mut self, after: After) {
        self.story.wait(after);
    }

    /// SYN, SYN-ACK after `rtt_ms`, ACK.
    pub(crate) fn handshake(&mut self, rtt_ms: f64) {
        let syn = self.segment(Side::Client, SYN, b"");
        self.put(&syn);
        self.wait(after_ms(rtt_ms));
        let syn_ack = self.segment(Side::Server, SYN | ACK, b"");
        self.put(&syn_ack);
        self.ack();
    }

    /// The handshake happens, but before the capture begins.
    pub(crate) fn handshake_unseen(&mut self, rtt_ms: f64) {
        self.story.seen = false;
        self.handshake(rtt_ms);
        self.story.seen = true;
    }

    /// The client asks, at once.
    pub(crate) fn request(&mut self, bytes: &[u8]) -> u64 {
        self.wait(after_ms(0.4));
        let segment = self.segment(Side::Client, PSH | ACK, bytes);
        self.put(&segment)
    }

    /// The client acknowledges what it has.
    pub(crate) fn ack(&mut self) -> u64 {
        self.wait(after_ms(0.05));
        let segment = self.segment(Side::Client, ACK, b"");
        self.put(&segment)
    }

    /// The server acknowledges what it has, without data.
    pub(crate) fn server_ack(&mut self, after: After) -> u64 {
        self.wait(after);
        let segment = self.segment(Side::Server, ACK, b"");
        self.put(&segment)
    }

    /// Segments of the server that carry `bytes`, `last_flags` on the last.
    pub(crate) fn server_segments(&mut self, bytes: &[u8], size: usize, last_flags: u16) -> Vec<Segment> {
        let count = bytes.chunks(size).count();
        let cut = |(index, part)| self.segment(Side::Server, if index + 1 == count { last_flags } else { ACK }, part);
        bytes.chunks(size).enumerate().map(cut).collect()
    }

    /// The server answers in segments of full size. Returns the frame numbers.
    pub(crate) fn reply(&mut self, after: After, bytes: &[u8]) -> Vec<u64> {
        self.wait(after);
        let size = usize::from(self.server.host.mss) - if self.timestamps_agreed() { 12 } else { 0 };
        let segments = self.server_segments(bytes, size, PSH | ACK);
        self.put_all(&segments)
    }

    pub(crate) fn put_all(&mut self, segments: &[Segment]) -> Vec<u64> {
        segments.iter().map(|segment| self.put(segment)).collect()
    }

    /// The bytes that the server would send next, sent in its name by `injector`, as many packets as it takes.
    pub(crate) fn forged(&self, injector: &Injector, bytes: &[u8]) -> Vec<Segment> {
        injector.segments(self, bytes)
    }

    /// Sends what [`Self::forged`] makes. Returns the frame numbers.
    pub(crate) fn forge(&mut self, injector: &Injector, after: After, bytes: &[u8]) -> Vec<u64> {
        self.wait(after);
        let segments = self.forged(injector, bytes);
        self.put_all(&segments)
    }

    /// A packet without payload in the server's name.
    pub(crate) fn forge_bare(&mut self, injector: &Injector, after: After, flags: u16) -> u64 {
        self.wait(after);
        let segment = injector.bare(self, flags);
        self.put(&segment)
    }

    /// The server ends it: FIN, ACK, FIN, ACK. Returns the frame of its FIN.
    pub(crate) fn close(&mut self) -> u64 {
        self.wait(after_ms(0.2));
        let fin = self.segment(Side::Server, FIN | ACK, b"");
        let frame = self.put(&fin);
        self.client_closes_too(12.0);
        frame
    }

    /// The client answers the server's FIN with its own, which the server acknowledges.
    pub(crate) fn client_closes_too(&mut self, rtt_ms: f64) {
        self.wait(after_ms(0.3));
        let fin = self.segment(Side::Client, FIN | ACK, b"");
        self.put(&fin);
        self.server_ack(after_ms(rtt_ms));
    }

    /// The client ends it first.
    pub(crate) fn client_close(&mut self, rtt_ms: f64) {
        self.wait(after_ms(0.3));
        let fin = self.segment(Side::Client, FIN | ACK, b"");
        self.put(&fin);
        self.wait(after_ms(rtt_ms));
        let answer = self.segment(Side::Server, FIN | ACK, b"");
        self.put(&answer);
        self.ack();
    }

    /// A reset by the stack of `side`.
    pub(crate) fn reset(&mut self, side: Side, after: After, flags: u16) -> u64 {
        self.wait(after);
        let segment = self.segment(side, flags, b"");
        self.put(&segment)
    }
}
