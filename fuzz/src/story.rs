//! A small byte language that tells packet stories: each byte is a verb, the next ones what it is about.

use crate::script::Script;
use crate::segment::{ACK, Checksum, End, FIN, Opt, PSH, RST, SYN, Segment, fold, seal_ipv4};
use crate::wire::{CUSTOMER, Link, fragments, frame};
use sidewatch::engine::frame::{Frame, LinkType};
use sidewatch::engine::time::Timestamp;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Frames and ticks that one story tells at most.
const MOST_STEPS: usize = 600;
/// 2026-01-05T09:00:00Z, in nanoseconds since 1970.
const START: i64 = 1_767_603_600_000_000_000;
/// The verb that `literal` writes; see `Teller::act`.
const LITERAL: u8 = 15;

const REQUESTS: [&str; 6] = [
    "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
    "GET /setup.exe HTTP/1.1\r\nHost: download.example.org\r\nUser-Agent: fuzz\r\n\r\n",
    "POST /form HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 5\r\n\r\nhello",
    "HEAD / HTTP/1.0\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\nGET /b HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "\x16\x03\x01 not http",
];

const RESPONSES: [&str; 8] = [
    "HTTP/1.1 200 OK\r\nDate: Mon, 05 Jan 2026 09:00:00 GMT\r\nServer: fuzz\r\nContent-Length: 12\r\n\r\nhello, world",
    "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.66:8080/0123456789abcdef0123456789\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://www.example.com/\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<meta http-equiv=refresh content='0;url=http://evil.example/x.exe'>",
    "HTTP/1.1 200 OK\nContent-Type: text/html\n\n<script>location='http://evil.example/'</script><iframe src=//evil.example>",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "\x17\x03\x03 not http at all, but as long as a record might be",
];

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// A frame is captured.
    Frame { time: Timestamp, link: LinkType, bytes: Vec<u8>, wire_len: u32 },
    /// Nothing is captured for a while, and the clock goes on.
    Tick(Timestamp),
}

impl Step {
    /// When it happens.
    pub const fn time(&self) -> Timestamp {
        match self {
            Self::Frame { time, .. } | Self::Tick(time) => *time,
        }
    }

    /// As the engine takes it; none for a tick.
    pub fn frame(&self, number: u64) -> Option<Frame<'_>> {
        match self {
            Self::Frame { time, link, bytes, wire_len } => Some(Frame { number, time: *time, link: *link, bytes, wire_len: *wire_len }),
            Self::Tick(_) => None,
        }
    }
}

/// Tells the story that `script` holds.
pub fn tell(mut script: Script<'_>) -> Vec<Step> {
    let mut teller = Teller::new();
    while !script.is_over() && teller.steps.len() < MOST_STEPS {
        let verb = script.byte();
        teller.act(verb, &mut script);
    }
    teller.release();
    teller.steps
}

/// Writes the verb for a frame as it was captured, `after` nanoseconds after the one before.
pub fn literal(script: &mut Vec<u8>, frame: &Frame<'_>, after: i64) {
    let bytes = frame.bytes.get(..frame.bytes.len().min(2047)).unwrap_or_default();
    let exponent = 64 - after.clamp(0, 1 << 62).leading_zeros() as u8;
    script.extend([14, exponent, LITERAL | 0x80]); // wait, then a sealed literal
    script.extend(frame.link.0.to_be_bytes());
    script.extend((bytes.len() as u16).to_be_bytes());
    script.extend(bytes);
}

#[derive(Clone, Copy)]
struct Side {
    end: End,
    next: u32,
    ttl: u8,
    ip_id: u16,
    step: u16,
    df: bool,
    window: u16,
    clock: Option<u32>,
}

struct Teller {
    /// Client and server of each flow.
    flows: [[Side; 2]; 4],
    now: i64,
    link: Link,
    tags: Vec<(u16, u16)>,
    /// Frames that others overtake.
    held: Vec<Step>,
    overtaken: bool,
    cut: Option<usize>,
    flip: Option<(usize, u8)>,
    pieces: Option<usize>,
    checksum: Checksum,
    steps: Vec<Step>,
}

impl Teller {
    fn new() -> Self {
        let v4 = |last: u8| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        let v6 = |last: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
        let flow = |client, server, port| [side(client, 40_000, 64, 0xffff_ff00), side(server, port, 52, 0x7fff_ff00)];
        Self {
            flows: [flow(v4(1), v4(2), 80), flow(v4(1), v4(3), 443), flow(v6(1), v6(2), 80), flow(v4(4), v4(2), 80)],
            now: START,
            link: Link::Ethernet,
            tags: Vec::new(),
            held: Vec::new(),
            overtaken: false,
            cut: None,
            flip: None,
            pieces: None,
            checksum: Checksum::Good,
            steps: Vec::new(),
        }
    }

    /// The low four bits are the verb, the next two the flow, then who acts, then a shade of meaning.
    fn act(&mut self, verb: u8, script: &mut Script<'_>) {
        let (flow, actor, shade) = (usize::from(verb >> 4 & 3), usize::from(verb >> 6 & 1), verb & 0x80 != 0);
        match verb & 15 {
            0 => self.open(flow, shade, script.byte()),
            1 => self.send(flow, 0, PSH, REQUESTS[usize::from(script.byte()) % REQUESTS.len()].as_bytes()),
            2 => self.send(flow, 1, PSH, RESPONSES[usize::from(script.byte()) % RESPONSES.len()].as_bytes()),
            3 => {
                let bytes = script.byte();
                self.send(flow, actor, PSH, script.take(usize::from(bytes)));
            }
            4 => self.again(flow, actor, shade, script),
            5 => self.send(flow, actor, FIN, &[]),
            6 => self.reset(flow, actor, shade, script.short()),
            7 => self.send(flow, actor, 0, &[]),
            8 => self.raw(flow, actor, script),
            9 => self.change_stack(flow, actor, script),
            10 => self.second_syn_ack(flow, script.short()),
            11 if shade => self.release(),
            11 => self.overtaken = true,
            12 => self.damage(script),
            13 => self.rewire(script.byte()),
            14 => self.wait(shade, script.byte()),
            _ => self.literal(shade, script),
        }
    }

    fn open(&mut self, flow: usize, partly: bool, options: u8) {
        let syn = |clock: Option<u32>| {
            let stamps = (options & 1 != 0).then_some(Opt::Ts(clock.unwrap_or(1), 0));
            let others = [Opt::Mss(1460), Opt::SackOk, Opt::Wscale(options >> 4)];
            stamps.into_iter().chain(others.into_iter().take(usize::from(options >> 1 & 3))).collect::<Vec<_>>()
        };
        for side in &mut self.flows[flow] {
            side.clock = (options & 1 != 0).then_some(1_000);
            side.next = side.next.wrapping_add(u32::from(options) << 20);
        }
        for (actor, flags) in [(0, SYN), (1, SYN | ACK)] {
            let mut segment = self.segment(flow, actor, flags, &[]);
            segment.options = syn(self.flows[flow][actor].clock);
            self.advance(flow, actor, &segment);
            self.put(&segment);
        }
        if !partly {
            self.send(flow, 0, 0, &[]);
        }
    }

    fn send(&mut self, flow: usize, actor: usize, flags: u16, payload: &[u8]) {
        let segment = self.segment(flow, actor, ACK | flags, payload);
        self.advance(flow, actor, &segment);
        self.put(&segment);
    }

    /// Bytes that were sent before: a canned answer or any bytes, by the sender's stack or another one.
    fn again(&mut self, flow: usize, actor: usize, forged: bool, script: &mut Script<'_>) {
        let (back, what) = (script.short(), script.byte());
        let canned = RESPONSES[usize::from(what & 7)].as_bytes();
        let payload = if what & 0x80 == 0 { canned } else { script.take(usize::from(what & 0x7f) * 12) };
        let mut segment = self.segment(flow, actor, ACK | PSH | u16::from(what >> 6 & 1), payload);
        segment.seq = segment.seq.wrapping_sub(u32::from(back));
        if forged {
            let stack = script.byte();
            segment.ttl = segment.ttl.wrapping_add(stack & 15);
            segment.ip_id ^= u16::from(stack >> 4) << 8;
            segment.flow_label ^= u32::from(stack >> 4);
            segment.df ^= stack & 0x10 != 0;
            segment.window = segment.window.rotate_left(u32::from(stack >> 5));
            if stack & 0x20 != 0 {
                segment.options.clear();
            }
        }
        self.put(&segment);
    }

    fn reset(&mut self, flow: usize, actor: usize, off: bool, by: u16) {
        let mut segment = self.segment(flow, actor, RST | if by & 1 == 0 { ACK } else { 0 }, &[]);
        if off {
            segment.seq = segment.seq.wrapping_add_signed(i32::from(by as i16));
        }
        self.put(&segment);
    }

    fn raw(&mut self, flow: usize, actor: usize, script: &mut Script<'_>) {
        let flags = script.short() & 0xfff;
        let len = usize::from(script.byte()) * 6;
        let mut segment = self.segment(flow, actor, flags, script.take(len));
        segment.seq = segment.seq.wrapping_add_signed(i32::from(script.short() as i16) << 4);
        segment.ack = segment.ack.wrapping_add_signed(i32::from(script.short() as i16) << 4);
        let trailer = script.byte();
        segment.trailer = vec![0x20; usize::from(trailer & 7)];
        segment.options.extend((trailer & 8 != 0).then_some(Opt::Sack(segment.seq, segment.ack)));
        if trailer & 16 != 0 {
            self.advance(flow, actor, &segment);
        }
        self.put(&segment);
    }

    fn change_stack(&mut self, flow: usize, actor: usize, script: &mut Script<'_>) {
        let side = &mut self.flows[flow][actor];
        let what = script.byte();
        match what & 7 {
            0 => side.ttl = script.byte(),
            1 => side.ip_id = script.short(),
            2 => side.step = script.short(),
            3 => side.df = !side.df,
            4 => side.window = script.short(),
            5 => side.clock = (what & 8 != 0).then(|| script.long()),
            6 => side.end.port = script.short(),
            _ => side.next = script.long(),
        }
    }

    fn second_syn_ack(&mut self, flow: usize, by: u16) {
        let mut segment = self.segment(flow, 1, SYN | ACK, &[]);
        segment.seq = segment.seq.wrapping_add(u32::from(by));
        segment.ttl = segment.ttl.wrapping_add(by as u8 & 3);
        self.put(&segment);
    }

    fn damage(&mut self, script: &mut Script<'_>) {
        let (how, at) = (script.byte(), usize::from(script.byte()));
        match how & 3 {
            0 => self.cut = Some(at),
            1 => self.flip = Some((at, 1 << (how >> 5))),
            2 => self.pieces = Some((at % 32 + 1) * 8),
            _ => self.checksum = [Checksum::Good, Checksum::Bad, Checksum::Partial][at % 3],
        }
    }

    fn rewire(&mut self, how: u8) {
        self.link = [Link::Ethernet, Link::RawIp, Link::Sll, Link::Sll2][usize::from(how & 3)];
        self.tags = (0..how >> 2 & 3).map(|tag| (CUSTOMER, u16::from(tag + (how >> 4)))).collect();
    }

    /// Up to 2^44 ns (five hours) pass, or the stamps jump back by as much.
    fn wait(&mut self, odd: bool, exponent: u8) {
        let span = 1_i64 << (exponent % 45);
        match (odd, exponent & 0x80 != 0) {
            (true, true) => self.now -= span,
            (true, false) => {
                self.now += span;
                self.steps.push(Step::Tick(Timestamp::from_nanos(self.now)));
            }
            _ => self.now += span,
        }
    }

    fn literal(&mut self, sealed: bool, script: &mut Script<'_>) {
        let link = LinkType(script.short());
        let len = usize::from(script.short() & 0x7ff);
        let mut bytes = script.take(len).to_vec();
        if sealed && link == LinkType::ETHERNET {
            seal(&mut bytes);
        }
        let wire_len = bytes.len() as u32;
        self.keep(link, bytes, wire_len);
    }

    fn segment(&mut self, flow: usize, actor: usize, flags: u16, payload: &[u8]) -> Segment {
        let sides = &mut self.flows[flow];
        let (peer, side) = (sides[1 - actor], &mut sides[actor]);
        side.ip_id = side.ip_id.wrapping_add(side.step);
        Segment {
            src: side.end,
            dst: peer.end,
            ttl: side.ttl,
            ip_id: side.ip_id,
            flow_label: 0,
            df: side.df,
            seq: side.next,
            ack: if flags & ACK == 0 { 0 } else { peer.next },
            flags,
            window: side.window,
            options: side.clock.map(|clock| Opt::Ts(clock, peer.clock.unwrap_or(0))).into_iter().collect(),
            payload: payload.to_vec(),
            checksum: self.checksum,
            trailer: Vec::new(),
        }
    }

    fn advance(&mut self, flow: usize, actor: usize, segment: &Segment) {
        let side = &mut self.flows[flow][actor];
        side.next = segment.end();
        side.clock = side.clock.map(|clock| clock.wrapping_add(1));
    }

    fn put(&mut self, segment: &Segment) {
        let datagram = segment.datagram();
        let parts = match self.pieces.take() {
            Some(size) if segment.src.ip.is_ipv4() => fragments(&datagram, size),
            _ => vec![datagram],
        };
        for part in parts {
            let mut bytes = frame(self.link, &self.tags, segment, &part);
            let wire_len = bytes.len() as u32;
            if let Some((at, bit)) = self.flip.take() {
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit);
            }
            bytes.truncate(self.cut.take().unwrap_or(usize::MAX));
            self.keep(LinkType(self.link as u16), bytes, wire_len);
        }
    }

    fn keep(&mut self, link: LinkType, bytes: Vec<u8>, wire_len: u32) {
        self.now += 10_000;
        let step = Step::Frame { time: Timestamp::from_nanos(self.now), link, bytes, wire_len };
        if std::mem::take(&mut self.overtaken) {
            self.held.push(step);
        } else {
            self.steps.push(step);
        }
    }

    /// What was overtaken arrives, the last first.
    fn release(&mut self) {
        while let Some(mut step) = self.held.pop() {
            if let Step::Frame { time, .. } = &mut step {
                self.now += 10_000;
                *time = Timestamp::from_nanos(self.now);
            }
            self.steps.push(step);
        }
    }
}

fn side(ip: IpAddr, port: u16, ttl: u8, next: u32) -> Side {
    let mac = [2, 0, 0, 0, 0, ttl];
    Side { end: End { ip, port, mac }, next, ttl, ip_id: 100, step: 1, df: true, window: 500, clock: Some(1_000) }
}

/// Puts the checksums of an untagged IPv4 packet with TCP right, where it has them.
fn seal(frame: &mut [u8]) {
    let Some(ip) = frame.get_mut(14..).filter(|ip| ip.len() >= 40 && ip[0] == 0x45 && ip[9] == 6) else { return };
    seal_ipv4(ip);
    let len = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
    if !(40..=ip.len()).contains(&len) {
        return;
    }
    ip[36..38].fill(0);
    let pseudo = [&ip[12..20], &[0, 6], &((len - 20) as u16).to_be_bytes()].concat();
    let sum = !fold(&[&pseudo, &ip[20..len]]);
    ip[36..38].copy_from_slice(&sum.to_be_bytes());
}
