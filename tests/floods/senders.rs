//! What each flood sends. Time passes by a microsecond a frame, so that no timer helps.

use std::io::{self, Write};

use crate::support::connection::Side;
use crate::support::host::v4;
use crate::support::names::Udp;
use crate::support::segment::{ACK, Checksum, End, FIN, PSH, SYN, Segment};
use crate::support::wire::fragments as cut;

/// A capture file of raw IP packets on its way.
pub(crate) struct Pipe<'a> {
    out: Box<dyn Write + 'a>,
    micros: u32,
    step: u32,
}

impl<'a> Pipe<'a> {
    pub(crate) fn new(mut out: Box<dyn Write + 'a>) -> io::Result<Self> {
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, 101] {
            out.write_all(&word.to_le_bytes())?;
        }
        Ok(Self { out, micros: 0, step: 1 })
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn packet(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.micros += self.step;
        let len = bytes.len() as u32;
        for word in [1_767_603_600 + self.micros / 1_000_000, self.micros % 1_000_000, len, len] {
            self.out.write_all(&word.to_le_bytes())?;
        }
        self.out.write_all(bytes)
    }
}

/// A connection that is reduced to its sequence numbers.
struct Line {
    ends: [End; 2],
    next: [u32; 2],
    sent: u16,
}

impl Line {
    fn number(n: u32) -> Self {
        let [_, b, c, d] = n.to_be_bytes();
        let client = End { ip: v4(10, b, c, d), port: 49_200, mac: [2; 6] };
        let server = End { ip: v4(198, 51, 100, 80), port: 80, mac: [4; 6] };
        Self { ends: [client, server], next: [n, n ^ 0x5555_5555], sent: 0 }
    }

    fn at(&self, side: Side, flags: u16, payload: &[u8]) -> Segment {
        let (own, other) = if side == Side::Client { (0, 1) } else { (1, 0) };
        Segment {
            src: self.ends[own],
            dst: self.ends[other],
            ttl: if side == Side::Client { 64 } else { 53 },
            ip_id: self.sent,
            flow_label: 0,
            df: true,
            seq: self.next[own],
            ack: if flags & ACK == 0 { 0 } else { self.next[other] },
            flags,
            window: 502,
            options: Vec::new(),
            payload: payload.to_vec(),
            checksum: Checksum::Partial,
            trailer: Vec::new(),
        }
    }

    fn say(&mut self, pipe: &mut Pipe<'_>, side: Side, flags: u16, payload: &[u8]) -> io::Result<()> {
        let segment = self.at(side, flags, payload);
        self.sent = self.sent.wrapping_add(1);
        self.next[usize::from(side == Side::Server)] = segment.end();
        pipe.packet(&segment.datagram())
    }

    fn client(&mut self, pipe: &mut Pipe<'_>, payload: &[u8]) -> io::Result<()> {
        self.say(pipe, Side::Client, PSH | ACK, payload)
    }

    fn server(&mut self, pipe: &mut Pipe<'_>, payload: &[u8]) -> io::Result<()> {
        self.say(pipe, Side::Server, PSH | ACK, payload)
    }

    fn open(pipe: &mut Pipe<'_>, n: u32) -> io::Result<Self> {
        let mut line = Self::number(n);
        line.say(pipe, Side::Client, SYN, b"")?;
        line.say(pipe, Side::Server, SYN | ACK, b"")?;
        line.say(pipe, Side::Client, ACK, b"")?;
        Ok(line)
    }

    fn asked(pipe: &mut Pipe<'_>, n: u32) -> io::Result<Self> {
        let mut line = Self::open(pipe, n)?;
        line.client(pipe, b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n")?;
        Ok(line)
    }
}

pub(crate) fn half_open(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    (0..count).try_for_each(|n| Line::number(n).say(pipe, Side::Client, SYN, b""))
}

/// One byte more than half of the largest head, then another: a buffer that doubles is twice as large as what it holds.
pub(crate) fn heads_without_end(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    let request = padded("GET / HTTP/1.1\r\nX: ", 8193);
    let response = padded("HTTP/1.1 200 OK\r\nX: ", 8193);
    for n in 0..count {
        let mut line = Line::open(pipe, n)?;
        line.client(pipe, &request)?;
        line.client(pipe, b"a")?;
        line.server(pipe, &response)?;
        line.server(pipe, b"a")?;
    }
    Ok(())
}

fn padded(start: &str, len: usize) -> Vec<u8> {
    let mut bytes = start.as_bytes().to_vec();
    bytes.resize(len, b'a');
    bytes
}

/// A request whose every kept field is as long as what is kept of it.
fn large_request() -> Vec<u8> {
    let long = "a".repeat(2040);
    format!("GET /{long} HTTP/1.1\r\nHost: {long}\r\nUser-Agent: {long}\r\nReferer: {long}\r\n\r\n").into_bytes()
}

pub(crate) fn large_requests(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    requests(pipe, count, &large_request())
}

pub(crate) fn small_requests(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    requests(pipe, count, b"GET / HTTP/1.1\r\n\r\n")
}

fn requests(pipe: &mut Pipe<'_>, count: u32, one: &[u8]) -> io::Result<()> {
    let all = one.repeat(64);
    for n in 0..count {
        let mut line = Line::open(pipe, n)?;
        for part in all.chunks(32 << 10) {
            line.client(pipe, part)?;
        }
    }
    Ok(())
}

/// Every second piece of datagrams that are never complete.
pub(crate) fn fragments(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    let line = Line::number(1);
    let whole = line.at(Side::Server, ACK, &[b'a'; 60_000]).datagram();
    let pieces = cut(&whole, 8);
    for n in 0..count {
        let (datagram, piece) = (n / 2_000, n % 2_000);
        let mut bytes = pieces[piece as usize * 2].clone();
        bytes[4..6].copy_from_slice(&(datagram as u16).to_be_bytes());
        pipe.packet(&bytes)?;
    }
    Ok(())
}

/// Sixty small segments, each followed by another version of its bytes by another stack.
pub(crate) fn conflicts(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    for n in 0..count {
        let mut line = Line::asked(pipe, n)?;
        for _ in 0..60 {
            let mut forged = line.at(Side::Server, PSH | ACK, &[b'f'; 600]);
            (forged.ttl, forged.df, forged.ip_id) = (64, false, 1);
            pipe.packet(&forged.datagram())?;
            line.server(pipe, &[b'g'; 600])?;
        }
    }
    Ok(())
}

/// Two versions of 60 KiB in a segment each, and nothing else but the request.
pub(crate) fn largest_races(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    let (head, bytes) = (b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", vec![b'g'; 60_000]);
    for n in 0..count {
        let mut line = Line::asked(pipe, n)?;
        let mut forged = line.at(Side::Server, PSH | ACK, &[&head[..], &vec![b'f'; 60_000]].concat());
        (forged.ttl, forged.df, forged.ip_id) = (64, false, 1);
        pipe.packet(&forged.datagram())?;
        line.server(pipe, &[&head[..], &bytes].concat())?;
    }
    Ok(())
}

/// Fields of which everything is kept.
fn large_fields() -> String {
    let long = "a".repeat(2040);
    let names: String = (0..4).map(|n| format!("{n}{long}: \r\n")).collect();
    format!("Location: http://{long}.test/\r\nServer: {long}\r\nContent-Type: {long}\r\n{names}Content-Length: 0\r\n\r\n")
}

pub(crate) fn redirects(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    let fields = large_fields().replace("Server: ", "Refresh: 0; url=http://");
    answers(pipe, count, &[large_request()], format!("HTTP/1.1 302 Found\r\n{fields}").as_bytes())
}

pub(crate) fn large_answers(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    answers(pipe, count, &[large_request()], format!("HTTP/1.1 200 OK\r\nDate: today\r\n{}", large_fields()).as_bytes())
}

pub(crate) fn many_fields(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    let fields = "a:\n".repeat(31);
    answers(
        pipe,
        count,
        &[b"GET / HTTP/1.1\r\n\r\n".to_vec()],
        format!("HTTP/1.1 200 OK\nServer:\n{fields}Content-Length: 0\n\n").as_bytes(),
    )
}

/// A few hundred bytes of gzip that become more frames than are kept, each with the longest address that is.
pub(crate) fn pages_full_of_frames(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(format!("<frame src=http://{}>", "a".repeat(2_020)).repeat(30).as_bytes())?;
    let body = encoder.finish()?;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", body.len());
    answers(pipe, count, &[b"GET / HTTP/1.1\r\nHost: news.example\r\n\r\n".to_vec()], &[head.as_bytes(), &body].concat())
}

fn answers(pipe: &mut Pipe<'_>, count: u32, requests: &[Vec<u8>], response: &[u8]) -> io::Result<()> {
    for n in 0..count {
        let mut line = Line::open(pipe, n)?;
        for request in requests {
            line.client(pipe, request)?;
            line.server(pipe, response)?;
        }
    }
    Ok(())
}

/// A FIN of another stack in place of an answer, then a new connection on the same ports.
pub(crate) fn reopened(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    pipe.step = 0;
    for n in 0..count {
        let mut line = Line::number(n % 64);
        line.next[0] = n.wrapping_mul(0x10_0001);
        line.say(pipe, Side::Client, SYN, b"")?;
        line.say(pipe, Side::Server, SYN | ACK, b"")?;
        line.client(pipe, b"GET / HTTP/1.1\r\n\r\n")?;
        let mut fin = line.at(Side::Server, FIN | ACK, b"");
        (fin.ttl, fin.df) = (64, false);
        pipe.packet(&fin.datagram())?;
    }
    Ok(())
}

/// As cards join them before the capture.
pub(crate) fn largest_segments(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    let mut line = Line::asked(pipe, 1)?;
    let bytes = vec![b'a'; 65_000];
    (0..count).try_for_each(|_| line.server(pipe, &bytes))
}

/// Questions for the longest names, each with eight answers of sixteen addresses that contradict each other; and as many answers to nothing.
pub(crate) fn names(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    let label = |n: u32| [&[63_u8][..], format!("{n:063}").as_bytes()].concat();
    for n in 0..count {
        let [a, b, c, d] = n.to_be_bytes();
        let question = [label(n), label(1), label(2), [&[61_u8][..], &[b'a'; 61]].concat(), vec![0, 0, 1, 0, 1]].concat();
        let client = End { ip: v4(10, 0, 0, d % 200), port: 1024 + (n >> 8) as u16 % 60_000, mac: [2; 6] };
        let resolver = End { ip: v4(198, 51, 100, c), port: 53, mac: [4; 6] };
        let message = |flags: u16, addresses: &[u8]| {
            let records = addresses.chunks(4).flat_map(|address| [&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4][..], address].concat());
            let count = (addresses.len() / 4) as u16;
            let header = [(n % 0xffff) as u16, flags, 1, count, 0, 0].into_iter().flat_map(u16::to_be_bytes);
            header.chain(question.iter().copied()).chain(records).collect::<Vec<u8>>()
        };
        let send = |src, dst, payload| Udp { src, dst, ttl: 64, ip_id: n as u16, df: false, payload }.datagram();
        pipe.packet(&send(client, resolver, message(0x0100, &[])))?;
        for version in 0..8_u8 {
            let addresses: Vec<u8> = (0..16_u8).flat_map(|last| [b ^ a, version, last, last]).collect();
            pipe.packet(&send(resolver, client, message(0x8180, &addresses)))?;
            pipe.packet(&send(resolver, End { port: client.port ^ 1, ..client }, message(0x8180, &addresses)))?;
        }
    }
    Ok(())
}

/// Claims to addresses, each by another machine that nobody asked, inside of a tunnel as the capture has no Ethernet.
pub(crate) fn claims(pipe: &mut Pipe<'_>, count: u32) -> io::Result<()> {
    for n in 0..count {
        let [a, b, c, d] = n.to_be_bytes();
        let arp = [&[0, 1, 8, 0, 6, 4, 0, 2, 2, 0, a, b, c, d, 10][..], &[b, c, d], &[2, 0, 0, 0, 0, 7, 10, 0, 0, 7]].concat();
        let frame = [&[2, 0, 0, 0, 0, 7, 2, 0, a, b, c, d, 8, 6][..], &arp].concat();
        let udp = [&[0x9c, 0x40, 0x12, 0xb5, 0, 16 + frame.len() as u8, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0][..], &frame].concat();
        let header = [0x45, 0, 0, 20 + udp.len() as u8, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
        pipe.packet(&[&header[..], &udp].concat())?;
    }
    Ok(())
}
