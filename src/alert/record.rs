//! The alert record: what was found, in values. Nothing here renders.

pub use redirect::{Followed, How, Lead, Led, RedirectFacts, Step, TlsFacts};

use super::class::{ClosedBecause, Grade, Mechanism, Verdict};
use super::listed::IndicatorFacts;
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::protocol::dhcp::Lease;
use crate::engine::protocol::dns::Flags;
use crate::engine::time::{Span, Timestamp};

mod redirect;

/// Version of the record under `alert.context.injection`.
pub const SCHEMA: u32 = 1;

/// One injection, or one thing worth a record.
#[derive(Clone, Debug)]
pub struct Alert {
    /// Derived from flow, forged packet and mechanism: the same capture always gives the same id.
    pub id: u64,
    /// Which class it is.
    pub verdict: Verdict,
    /// How it was done.
    pub mechanism: Mechanism,
    /// 1 high, 2 medium, 3 low.
    pub severity: u8,
    /// 0 to 1.
    pub confidence: f64,
    /// Points of all groups, 0 to 100, and their name in words.
    pub score: u8,
    /// confirmed, high, medium or low.
    pub grade: Grade,
    /// The flow, or the two ends of a message without one.
    pub flow: FlowFacts,
    /// The HTTP exchange concerned.
    pub http: Option<HttpFacts>,
    /// The question of DNS concerned, and the forged answer to it.
    pub dns: Option<DnsFacts>,
    /// What a server of DHCP or DHCPv6 gave that is held to be a rogue.
    pub dhcp: Option<Lease>,
    /// What spoke for it.
    pub signals: Vec<Signal>,
    /// Harmless explanations that were weighed.
    pub considered: Vec<Considered>,
    /// The first forged packet.
    pub forged: PacketFacts,
    /// All that this sender forged in the flow, ascending.
    pub forged_frames: Vec<u64>,
    /// The first genuine packet of the same place in the stream; none when it never arrived.
    pub genuine: Option<PacketFacts>,
    /// All frames of the genuine answer that were compared, ascending.
    pub genuine_frames: Vec<u64>,
    /// Where the client was sent.
    pub redirect: Option<RedirectFacts>,
    /// Listed indicators that it touches: those that the client was sent to first.
    pub indicators: Vec<IndicatorFacts>,
    /// Health of the sensor while it watched.
    pub sensor: SensorHealth,
    /// When and why the case was closed.
    pub closed_at: Timestamp,
    /// See `closed_at`.
    pub closed_because: ClosedBecause,
    /// Packets worth showing, in order of time: the ladder.
    pub ladder: Vec<LadderRow>,
    /// How long the base stack had been silent when the case was closed.
    pub silence: Option<Span>,
}

/// The flow as EVE describes it. Of a message without a flow: the ends, and one packet to the client.
#[derive(Clone, Debug)]
pub struct FlowFacts {
    /// Stable id below 2^51.
    pub id: u64,
    /// What carries it.
    pub carrier: Carrier,
    /// The side that was answered: the victim. Port 0 where there are none.
    pub client: (Addr, u16),
    /// The side that the forged packet claims to be from.
    pub server: (Addr, u16),
    /// 4 or 6.
    pub ip_version: u8,
    /// VLAN ids from the outside in.
    pub vlans: Vlans,
    /// Ethernet source and destination of the forged packet.
    pub ether: Option<([u8; 6], [u8; 6])>,
    /// Time of the first packet.
    pub start: Timestamp,
    /// Packets to the server.
    pub pkts_toserver: u64,
    /// Packets to the client.
    pub pkts_toclient: u64,
    /// Bytes to the server, as on the wire.
    pub bytes_toserver: u64,
    /// Bytes to the client, as on the wire.
    pub bytes_toclient: u64,
}

/// What carries the forged packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A TCP connection.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, with type and code.
    Icmp(u8, u8),
    /// ICMPv6, with type and code.
    Icmpv6(u8, u8),
    /// ARP.
    Arp(ArpFacts),
}

/// An ARP packet beside the addresses of its ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArpFacts {
    /// 1 asks, 2 answers.
    pub operation: u16,
    /// Hardware address that the sender gave as its own.
    pub sender_mac: [u8; 6],
    /// Hardware address of the target; nothing in a question.
    pub target_mac: [u8; 6],
}

/// The HTTP exchange.
#[derive(Clone, Debug, Default)]
pub struct HttpFacts {
    /// Host.
    pub hostname: Option<String>,
    /// Request target.
    pub url: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// User-Agent.
    pub user_agent: Option<String>,
    /// Referer.
    pub referer: Option<String>,
    /// `HTTP/1.0` or `HTTP/1.1`.
    pub protocol: Option<String>,
    /// Status of the suspected answer.
    pub status: Option<u16>,
    /// Content-Type of the suspected answer.
    pub content_type: Option<String>,
    /// Content-Length of the suspected answer.
    pub length: Option<u64>,
}

/// A question of DNS, and the answer that is held to be forged.
#[derive(Clone, Debug)]
pub struct DnsFacts {
    /// Identification.
    pub id: u16,
    /// The name that was asked for.
    pub name: String,
    /// Name of the type.
    pub qtype: String,
    /// Flags of the answer.
    pub flags: Flags,
    /// Its addresses.
    pub addresses: Vec<Addr>,
    /// The last name that its aliases lead to.
    pub alias: Option<String>,
    /// The least time to live in it, in seconds.
    pub ttl: Option<u32>,
    /// What each forged answer says, in a few words.
    pub forged: Vec<String>,
    /// What each genuine one says.
    pub genuine: Vec<String>,
}

/// One piece of evidence.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Stable code of the detector: S1 to S11, H for the sum of the header votes.
    pub code: &'static str,
    /// Version of the detector.
    pub version: u32,
    /// proof, strong, weak or class.
    pub weight: &'static str,
    /// Points it gave to the score.
    pub points: u8,
    /// What was seen.
    pub observed: String,
    /// What it was compared with.
    pub expected: String,
    /// Frames that show it.
    pub frames: Vec<u64>,
    /// One sentence.
    pub why: String,
}

/// A harmless explanation that was weighed.
#[derive(Clone, Debug)]
pub struct Considered {
    /// The explanation.
    pub explanation: &'static str,
    /// True when it still stands.
    pub kept: bool,
    /// Why kept or dropped.
    pub why: String,
}

/// One packet, as evidence.
#[derive(Clone, Debug)]
pub struct PacketFacts {
    /// Frame number.
    pub frame: u64,
    /// Capture time.
    pub time: Timestamp,
    /// TTL or hop limit; none for ARP.
    pub ttl: Option<u8>,
    /// IPv4 identification; none for IPv6 and ARP.
    pub ip_id: Option<u16>,
    /// What only TCP has.
    pub tcp: Option<TcpFacts>,
    /// Payload bytes.
    pub payload_len: u32,
    /// SHA-256 of the captured payload where it was still held, lower-case hex.
    pub payload_sha256: Option<String>,
}

/// What only TCP has of a packet.
#[derive(Clone, Debug)]
pub struct TcpFacts {
    /// Flags in letters, as in `PA`.
    pub flags: String,
    /// Window field.
    pub window: u16,
    /// Sequence number relative to the sender's initial one where the handshake was seen, else absolute.
    pub seq: u32,
}

/// What may have impaired the sensor.
#[derive(Clone, Copy, Debug, Default)]
pub struct SensorHealth {
    /// Packets that the kernel dropped (live only).
    pub kernel_drops: u64,
    /// Holes in the flow's sequence space.
    pub gaps: u64,
    /// Only one direction was seen.
    pub one_sided: bool,
    /// Both SYN and SYN-ACK were seen.
    pub handshake_seen: bool,
    /// Segments larger than any MTU: offloads were on.
    pub offload_frames: bool,
}

/// One packet of the ladder that the text form draws.
#[derive(Clone, Debug)]
pub struct LadderRow {
    /// The packet. Its `seq` is relative like everywhere.
    pub packet: PacketFacts,
    /// True from client to server.
    pub to_server: bool,
    /// What part it plays.
    pub role: Role,
    /// First line of an HTTP head, or a few words (`SYN`, `bare ACK`), printable.
    pub note: String,
}

/// A packet's part in the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One of the forged packets.
    Forged,
    /// The genuine answer that was compared.
    Genuine,
    /// What leads up to it or follows.
    Context,
}

impl Carrier {
    /// EVE's name of the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Icmp(..) => "ICMP",
            Self::Icmpv6(..) => "IPv6-ICMP",
            Self::Arp(_) => "ARP",
        }
    }
    /// Its number in the IP header, where it has ports.
    #[must_use]
    pub const fn with_ports(self) -> Option<u8> {
        match self {
            Self::Tcp => Some(6),
            Self::Udp => Some(17),
            Self::Icmp(..) | Self::Icmpv6(..) | Self::Arp(_) => None,
        }
    }
}

impl SensorHealth {
    /// True when a packet may have been missed or misread, so that the verdict rests on less than it could.
    #[must_use]
    pub const fn is_impaired(&self) -> bool {
        self.kernel_drops > 0 || self.gaps > 0 || self.one_sided || !self.handshake_seen || self.offload_frames
    }
}
