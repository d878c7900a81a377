//! Synthetic traffic, the same on every run: templates of conversations whose client addresses move on, so that every round is of new flows.

use crate::segment::{ACK, Checksum, End, FIN, Opt, PSH, RST, SYN, Segment, seal_ipv4};
use crate::wire::{self, Link};
use std::net::{IpAddr, Ipv4Addr};

/// Largest payload of a full segment with timestamps on Ethernet.
const FULL: usize = 1448;
/// Where the IPv4 source and destination addresses begin in an untagged Ethernet frame.
const ADDRESSES: (usize, usize) = (26, 30);
/// Client addresses are a fixed prefix and an offset that the rounds share between both halves.
const CLIENTS: (u16, u16) = (0x0a00, 0xf000);

/// A frame, and where the client's address stands in it.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) bytes: Vec<u8>,
    client_at: Option<usize>,
}

/// Frames of one scenario in the order in which they are seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) frames: Vec<Template>,
}

/// Deterministic noise (SplitMix64).
#[derive(Debug)]
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = std::iter::repeat_with(|| self.next().to_le_bytes()).take(len.div_ceil(8)).flatten().collect();
        bytes.truncate(len);
        bytes
    }
}

/// How often and how a bulk segment is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    Once,
    Same,
    /// The second copy has other bytes.
    Differing,
}

impl Traffic {
    /// Downloads side by side, an acknowledgment for every second segment: what TLS looks like without its keys.
    pub(crate) fn bulk(flows: u16, segments: usize, repeat: Repeat) -> Self {
        Self::interleaved(flows, |talk, noise| {
            talk.open(443);
            for index in 0..segments {
                let mut payload = noise.bytes(FULL);
                payload.splice(..5, [0x17, 3, 3, 0x05, 0xa3]);
                let before = talk.server_seq;
                talk.server(PSH, payload.clone());
                if repeat != Repeat::Once {
                    talk.server_seq = before;
                    if repeat == Repeat::Differing {
                        payload.iter_mut().skip(5).for_each(|byte| *byte = !*byte);
                    }
                    talk.server(PSH, payload);
                }
                if index % 2 == 1 {
                    talk.client(0, Vec::new());
                }
            }
        })
    }

    /// Connections with `exchanges` requests each, answered by a page of three segments, opened and closed.
    pub(crate) fn http(flows: u16, exchanges: usize) -> Self {
        Self::interleaved(flows, |talk, _| {
            talk.open(80);
            let body = "<html><head><title>A page</title></head><body><p>Nothing to see.</p></body></html>\n".repeat(48);
            for exchange in 0..exchanges {
                let request = format!("GET /page/{exchange} HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n");
                talk.client(PSH, request.into_bytes());
                let response = format!(
                    "HTTP/1.1 200 OK\r\nDate: Mon, 05 Jan 2026 09:00:00 GMT\r\nServer: bench\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                );
                for part in response.as_bytes().chunks(FULL) {
                    talk.server(PSH, part.to_vec());
                }
                talk.client(0, Vec::new());
            }
            talk.server(FIN, Vec::new());
            talk.client(FIN, Vec::new());
            talk.server(0, Vec::new());
        })
    }

    /// Single bytes back and forth, as a terminal sends them.
    pub(crate) fn small(flows: u16, keys: usize) -> Self {
        Self::interleaved(flows, |talk, noise| {
            talk.open(23);
            for _ in 0..keys {
                talk.client(PSH, noise.bytes(1));
                talk.server(PSH, noise.bytes(1));
            }
        })
    }

    /// What a sensor sees beside its business: scans, stray closes, other protocols, cut and damaged frames.
    pub(crate) fn odd(frames: u16) -> Self {
        let mut noise = Noise::new(7);
        let frames = (0..frames).map(|index| {
            let mut talk = Talk::new(index);
            match index % 8 {
                0 => talk.put(true, SYN, Vec::new()),
                1 => talk.put(false, RST | ACK, Vec::new()),
                2 => talk.put(false, 0, noise.bytes(40)),
                3 => talk.put(true, 0xfff, noise.bytes(9)),
                _ => talk.put(true, ACK, noise.bytes(400)),
            }
            let mut frame = talk.frames.pop().unwrap_or_else(|| Template { bytes: Vec::new(), client_at: None });
            match index % 8 {
                4 => frame.bytes[23] = 17,                            // UDP
                5 => frame.bytes.truncate(40),                        // cut in the TCP header
                6 => frame.bytes[20..22].copy_from_slice(&[0x20, 0]), // a first fragment, alone
                7 => frame = Template { bytes: noise.bytes(60), client_at: None },
                _ => {}
            }
            if index % 8 == 6 {
                seal_ipv4(&mut frame.bytes[14..]);
            }
            frame
        });
        Self { frames: frames.collect() }
    }

    /// Traffic of several kinds, shuffled together by proportion.
    pub(crate) fn mixed(parts: Vec<Self>) -> Self {
        let total: usize = parts.iter().map(|part| part.frames.len()).sum();
        let mut placed: Vec<(usize, Template)> = Vec::with_capacity(total);
        for part in parts {
            let len = part.frames.len().max(1);
            placed.extend(part.frames.into_iter().enumerate().map(|(index, frame)| (index * total / len, frame)));
        }
        placed.sort_by_key(|(place, _)| *place);
        Self { frames: placed.into_iter().map(|(_, frame)| frame).collect() }
    }

    fn interleaved(flows: u16, tell: impl Fn(&mut Talk, &mut Noise)) -> Self {
        let mut noise = Noise::new(1);
        let talks = (0..flows).map(|flow| {
            let mut talk = Talk::new(flow);
            tell(&mut talk, &mut noise);
            Self { frames: talk.frames }
        });
        Self::mixed(talks.collect())
    }

    /// Gives every client the address that it has in `round`. What one half of the address gains the other loses, so that checksums stay right.
    pub(crate) fn move_to(&mut self, round: u16) {
        for frame in &mut self.frames {
            let Some(at) = frame.client_at else { continue };
            let Some(address) = frame.bytes.get_mut(at..at + 4) else { continue };
            let half = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
            let moved = half(address).wrapping_sub(CLIENTS.0);
            let low = half(&address[2..]).wrapping_add(moved).wrapping_sub(round);
            address[..2].copy_from_slice(&(CLIENTS.0 + round).to_be_bytes());
            address[2..].copy_from_slice(&low.to_be_bytes());
        }
    }
}

/// One conversation.
struct Talk {
    client: End,
    server: End,
    client_seq: u32,
    server_seq: u32,
    ip_id: u16,
    frames: Vec<Template>,
}

impl Talk {
    fn new(number: u16) -> Self {
        let low = CLIENTS.1 + number % 0x0800;
        let client = Ipv4Addr::from(u32::from(CLIENTS.0) << 16 | u32::from(low));
        Self {
            client: End { ip: IpAddr::V4(client), port: 40_000 + number, mac: [2, 0, 0, 0, 0, 1] },
            server: End { ip: IpAddr::V4(Ipv4Addr::new(192, 0, 2, (number % 200) as u8 + 1)), port: 80, mac: [2, 0, 0, 0, 0, 2] },
            client_seq: 1_000 + u32::from(number),
            server_seq: 0xffff_0000_u32.wrapping_add(u32::from(number)),
            ip_id: number,
            frames: Vec::new(),
        }
    }

    fn open(&mut self, port: u16) {
        self.server.port = port;
        self.put(true, SYN, Vec::new());
        self.put(false, SYN | ACK, Vec::new());
        self.client(0, Vec::new());
    }

    fn client(&mut self, flags: u16, payload: Vec<u8>) {
        self.put(true, ACK | flags, payload);
    }

    fn server(&mut self, flags: u16, payload: Vec<u8>) {
        self.put(false, ACK | flags, payload);
    }

    fn put(&mut self, from_client: bool, flags: u16, payload: Vec<u8>) {
        let (src, dst, seq, ack, ttl) = if from_client {
            (self.client, self.server, self.client_seq, self.server_seq, 64)
        } else {
            (self.server, self.client, self.server_seq, self.client_seq, 52)
        };
        self.ip_id = self.ip_id.wrapping_add(1);
        let mut options = vec![Opt::Ts(1_000, 2_000)];
        if flags & SYN != 0 {
            options.extend([Opt::Mss(1460), Opt::SackOk, Opt::Wscale(7)]);
        }
        let ack = if flags & ACK == 0 { 0 } else { ack };
        let ip_id = self.ip_id;
        let segment = Segment {
            src,
            dst,
            ttl,
            ip_id,
            flow_label: 0,
            df: true,
            seq,
            ack,
            flags,
            window: 500,
            options,
            payload,
            checksum: Checksum::Good,
            trailer: Vec::new(),
        };
        if from_client {
            self.client_seq = segment.end();
        } else {
            self.server_seq = segment.end();
        }
        let client_at = Some(if from_client { ADDRESSES.0 } else { ADDRESSES.1 });
        self.frames.push(Template { bytes: wire::frame(Link::Ethernet, &[], &segment, &segment.datagram()), client_at });
    }
}
