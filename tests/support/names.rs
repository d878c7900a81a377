//! Looking names up: the question, the resolver's answers, and those of others in its name, over UDP.

use std::net::IpAddr;

use super::host::{Host, IpId, scramble};
use super::segment::{Checksum, End, Segment, fold, seal_ipv4};
use super::story::{After, Story};

pub(crate) const A: u16 = 1;
pub(crate) const TXT: u16 = 16;
pub(crate) const AAAA: u16 = 28;
pub(crate) const ANY: u16 = 255;

/// QR, RD and RA: the flags of an ordinary answer.
pub(crate) const ANSWER: u16 = 0x8180;
/// AA.
pub(crate) const AUTHORITATIVE: u16 = 0x0400;
/// TC.
pub(crate) const TRUNCATED: u16 = 0x0200;
const RECURSE: u16 = 0x0100;

/// A UDP datagram before it is put on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Udp {
    pub(crate) src: End,
    pub(crate) dst: End,
    pub(crate) ttl: u8,
    pub(crate) ip_id: u16,
    pub(crate) df: bool,
    pub(crate) payload: Vec<u8>,
}

impl Udp {
    /// The bytes from the IP header on.
    pub(crate) fn datagram(&self) -> Vec<u8> {
        let length = (self.payload.len() + 8) as u16;
        let mut udp: Vec<u8> = [self.src.port, self.dst.port, length, 0].iter().flat_map(|field| field.to_be_bytes()).collect();
        udp.extend(&self.payload);
        let octets = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let (src, dst) = (octets(self.src.ip), octets(self.dst.ip));
        let pseudo = [&src[..], &dst, &17_u32.to_be_bytes(), &u32::from(length).to_be_bytes()].concat();
        let sum = !fold(&[&pseudo, &udp]);
        udp[6..8].copy_from_slice(&sum.to_be_bytes());
        let mut ip;
        if src.len() == 4 {
            ip = vec![0x45, 0];
            ip.extend((20 + length).to_be_bytes());
            ip.extend(self.ip_id.to_be_bytes());
            ip.extend((u16::from(self.df) << 14).to_be_bytes());
            ip.extend([self.ttl, 17, 0, 0]);
            ip.extend([src, dst].concat());
            seal_ipv4(&mut ip);
        } else {
            ip = vec![0x60, 0, 0, 0];
            ip.extend(length.to_be_bytes());
            ip.extend([17, self.ttl]);
            ip.extend([src, dst].concat());
        }
        ip.extend(udp);
        ip
    }

    /// A segment between the same ends, by which the link layer is chosen.
    pub(crate) fn ends(&self) -> Segment {
        Segment {
            src: self.src,
            dst: self.dst,
            ttl: self.ttl,
            ip_id: self.ip_id,
            df: self.df,
            flow_label: 0,
            seq: 0,
            ack: 0,
            flags: 0,
            window: 0,
            options: Vec::new(),
            payload: Vec::new(),
            checksum: Checksum::Good,
            trailer: Vec::new(),
        }
    }
}

/// What a message says beside the question.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) flags: u16,
    pub(crate) addresses: Vec<IpAddr>,
    /// An alias that leads to the addresses.
    pub(crate) alias: Option<&'static str>,
    /// Time to live of all records.
    pub(crate) ttl: u32,
    pub(crate) edns: bool,
    /// A record of the zone's name server in the authority section.
    pub(crate) authority: bool,
    /// A text record.
    pub(crate) text: bool,
    /// The letters of the question, all small.
    pub(crate) small_letters: bool,
}

/// An ordinary answer with these addresses.
pub(crate) fn reply<const N: usize>(addresses: [IpAddr; N]) -> Reply {
    Reply {
        flags: ANSWER,
        addresses: addresses.into(),
        alias: None,
        ttl: 300,
        edns: true,
        authority: false,
        text: false,
        small_letters: false,
    }
}

/// An answer with this response code and no record.
pub(crate) fn refusal(rcode: u16) -> Reply {
    Reply { flags: ANSWER | rcode, ..reply([]) }
}

/// How a forger makes its packets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forger {
    pub(crate) ttl: u8,
    pub(crate) ip_id: u16,
    pub(crate) df: bool,
}

/// Questions of one client to one resolver.
pub(crate) struct Lookups<'s> {
    pub(crate) story: &'s mut Story,
    pub(crate) client: Host,
    pub(crate) resolver: Host,
    pub(crate) port: u16,
    pub(crate) id: u16,
    name: String,
    qtype: u16,
    chosen: u16,
    asked: u16,
    answered: u16,
}

impl<'s> Lookups<'s> {
    pub(crate) fn new(story: &'s mut Story, client: Host, resolver: Host) -> Self {
        Self { story, client, resolver, port: 0, id: 0, name: String::new(), qtype: A, chosen: 0, asked: 0, answered: 0 }
    }

    /// Asks for a name, with EDNS, from a port and with an identification of its own.
    pub(crate) fn ask(&mut self, name: &str, qtype: u16) -> u64 {
        self.choose(name, qtype);
        self.ask_again()
    }

    /// The name that is asked for next, from a port and with an identification of its own; nothing is sent.
    pub(crate) fn choose(&mut self, name: &str, qtype: u16) {
        self.chosen += 1;
        let number = u64::from(self.chosen);
        self.port = 32_768 + (scramble(number) % 28_000) as u16;
        self.id = scramble(number << 8) as u16;
        (self.name, self.qtype) = (name.to_owned(), qtype);
    }

    /// The same question from the same port.
    pub(crate) fn ask_again(&mut self) -> u64 {
        let udp = self.question();
        self.asked += 1;
        self.story.put_udp(&udp)
    }

    /// The question as it would be sent next.
    pub(crate) fn question(&self) -> Udp {
        let payload = [&self.head(RECURSE, [1, 0, 0, 1])[..], &opt()].concat();
        let ends = (self.end(&self.client, self.port), self.end(&self.resolver, 53));
        sent(&self.client, self.asked, ends, payload)
    }

    /// The resolver answers.
    pub(crate) fn answer(&mut self, after: After, reply: &Reply) -> u64 {
        let udp = self.genuine(reply);
        self.story.wait(after);
        self.answered += 1;
        self.story.put_udp(&udp)
    }

    /// The resolver's answer as it would be sent next.
    pub(crate) fn genuine(&self, reply: &Reply) -> Udp {
        let ends = (self.end(&self.resolver, 53), self.end(&self.client, self.port));
        sent(&self.resolver, self.answered, ends, self.message(reply))
    }

    /// Somebody answers in the resolver's name.
    pub(crate) fn forge(&mut self, forger: Forger, after: After, reply: &Reply) -> u64 {
        let Forger { ttl, ip_id, df } = forger;
        let udp = Udp { ttl, ip_id, df, ..self.genuine(reply) };
        self.story.wait(after);
        self.story.put_udp(&udp)
    }

    /// Ordinary questions, each answered once after so many milliseconds.
    pub(crate) fn ordinary(&mut self, rtt_ms: f64) {
        for (number, name) in ["mail.example", "www.example.org", "static.example.net"].into_iter().enumerate() {
            self.ask(name, A);
            let address = IpAddr::from([198, 51, 100, 10 + number as u8]);
            self.answer(super::story::after_ms(rtt_ms + number as f64), &reply([address]));
            self.story.wait(super::story::after_ms(180.0));
        }
    }

    fn end(&self, host: &Host, port: u16) -> End {
        End { ip: host.ip, port, mac: host.mac }
    }

    /// A question or, with a reply, an answer as it stands in a stream of TCP.
    pub(crate) fn framed(&self, reply: Option<&Reply>) -> Vec<u8> {
        let message = reply.map_or_else(|| self.question().payload, |reply| self.message(reply));
        [&(message.len() as u16).to_be_bytes()[..], &message].concat()
    }

    fn message(&self, reply: &Reply) -> Vec<u8> {
        let answers = reply.addresses.len() as u16 + u16::from(reply.alias.is_some()) + u16::from(reply.text);
        let counts = [1, answers, u16::from(reply.authority), u16::from(reply.edns)];
        let mut bytes = self.head(reply.flags, counts);
        if reply.small_letters {
            bytes[12..].make_ascii_lowercase();
        }
        if let Some(alias) = reply.alias {
            bytes.extend(record(&[0xc0, 12], 5, reply.ttl, &labels(alias)));
        }
        let owner = reply.alias.map_or_else(|| vec![0xc0, 12], labels);
        for address in &reply.addresses {
            let (rtype, data) = match address {
                IpAddr::V4(ip) => (A, ip.octets().to_vec()),
                IpAddr::V6(ip) => (AAAA, ip.octets().to_vec()),
            };
            bytes.extend(record(&owner, rtype, reply.ttl, &data));
        }
        if reply.text {
            bytes.extend(record(&owner, TXT, reply.ttl, b"\x07v=spf1 "));
        }
        if reply.authority {
            bytes.extend(record(&[0xc0, 12], 2, reply.ttl, &labels("ns1.example")));
        }
        if reply.edns {
            bytes.extend(opt());
        }
        bytes
    }

    fn head(&self, flags: u16, counts: [u16; 4]) -> Vec<u8> {
        let numbers = [self.id, flags].into_iter().chain(counts);
        let header: Vec<u8> = numbers.flat_map(u16::to_be_bytes).collect();
        [&header[..], &labels(&self.name), &self.qtype.to_be_bytes(), &[0, 1]].concat()
    }
}

fn sent(host: &Host, number: u16, (src, dst): (End, End), payload: Vec<u8>) -> Udp {
    let ip_id = match host.ip_id {
        IpId::Sequential(first) => first.wrapping_add(number.wrapping_mul(37)),
        IpId::Zero => 0,
        IpId::Constant(value) => value,
        IpId::Random(seed) => scramble(seed.wrapping_add(u64::from(number))) as u16,
    };
    Udp { src, dst, ttl: host.seen_ttl(), ip_id, df: host.df, payload }
}

fn labels(name: &str) -> Vec<u8> {
    name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).chain([0]).collect()
}

fn record(owner: &[u8], rtype: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    [owner, &rtype.to_be_bytes(), &[0, 1], &ttl.to_be_bytes(), &(data.len() as u16).to_be_bytes(), data].concat()
}

fn opt() -> Vec<u8> {
    vec![0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]
}
