//! The alert record: what was found, in values. Nothing here renders.

use super::listed::IndicatorFacts;
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::protocol::http::RedirectKind;
use crate::engine::time::{Span, Timestamp};

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

/// What is held to have happened: the first class that fits, in the order of `correlate/verdict.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Man on the side: the genuine answer came too.
    OnPathInjection,
    /// The genuine answer was suppressed.
    InPathInjection,
    /// The path was bent inside this network.
    LocalMitm,
    /// The site, or an ad in it, made the redirect.
    EndpointRedirect,
    /// A portal of the network asks for a log-in.
    CaptivePortal,
    /// The network's operator tells its customers something.
    OperatorNotice,
    /// The shape alone.
    SuspiciousRedirect,
    /// A listed indicator, and nothing else.
    ListedContact,
    /// Something does not fit, and too little was seen to say what.
    Inconclusive,
}

/// How an injection was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// An HTTP answer that sends the client elsewhere.
    HttpRedirect,
    /// Another HTTP answer.
    HttpContent,
    /// Bytes of another or unknown protocol.
    TcpContent,
    /// A reset.
    TcpReset,
    /// A FIN without payload.
    TcpFin,
    /// A SYN-ACK.
    SynAck,
    /// An answer of DNS.
    DnsAnswer,
    /// A claim in ARP to another's address.
    ArpSpoof,
    /// The same in IPv6 neighbour discovery.
    NdpSpoof,
    /// A server of DHCP or DHCPv6 that is not the network's.
    DhcpRogue,
    /// A router advertisement that is not the network's.
    RaRogue,
    /// An ICMP or ICMPv6 redirect.
    IcmpRedirect,
    /// An answer by http where https was to be expected.
    TlsDowngrade,
    /// Nothing was forged: a listed indicator was met.
    Indicator,
}

/// Grade of the score. Groups: A contradiction, B header vote, C known device, G listed indicator, L local network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// 25 to 39.
    Low,
    /// 40 to 64.
    Medium,
    /// 65 and more with a signal of group A, B, C, G or L.
    High,
    /// 90 and more with two of the groups A, B, C, G, L.
    Confirmed,
}

/// Why a case was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBecause {
    /// The flow was over: its ports were used anew, or it was idle for its whole timeout.
    FlowOver,
    /// The deadline passed.
    Deadline,
    /// The capture ended.
    EndOfCapture,
    /// Room was needed.
    Evicted,
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

/// A redirect, resolved.
#[derive(Clone, Debug)]
pub struct RedirectFacts {
    /// The address that was asked for, as far as it is known.
    pub from: Option<String>,
    /// Where the client was sent.
    pub to: String,
    /// Status code of the answer.
    pub status: u16,
    /// How.
    pub kind: RedirectKind,
    /// To another registrable domain; none when the asked-for host is unknown.
    pub cross_site: Option<bool>,
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

impl Verdict {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnPathInjection => "on_path_injection",
            Self::InPathInjection => "in_path_injection",
            Self::LocalMitm => "local_mitm",
            Self::EndpointRedirect => "endpoint_redirect",
            Self::CaptivePortal => "captive_portal",
            Self::OperatorNotice => "operator_notice",
            Self::SuspiciousRedirect => "suspicious_redirect",
            Self::ListedContact => "listed_contact",
            Self::Inconclusive => "inconclusive",
        }
    }
    /// True when it says that somebody other than the server sent the packet.
    #[must_use]
    pub const fn is_injection(self) -> bool {
        matches!(self, Self::OnPathInjection | Self::InPathInjection | Self::LocalMitm)
    }
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

impl Mechanism {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HttpRedirect => "http_redirect",
            Self::HttpContent => "http_content",
            Self::TcpContent => "tcp_content",
            Self::TcpReset => "tcp_reset",
            Self::TcpFin => "tcp_fin",
            Self::SynAck => "syn_ack",
            Self::DnsAnswer => "dns_answer",
            Self::ArpSpoof => "arp_spoof",
            Self::NdpSpoof => "ndp_spoof",
            Self::DhcpRogue => "dhcp_rogue",
            Self::RaRogue => "ra_rogue",
            Self::IcmpRedirect => "icmp_redirect",
            Self::TlsDowngrade => "tls_downgrade",
            Self::Indicator => "indicator",
        }
    }
}

impl Grade {
    /// The grade in words, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Confirmed => "confirmed",
        }
    }
}

impl ClosedBecause {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlowOver => "flow_over",
            Self::Deadline => "deadline",
            Self::EndOfCapture => "end_of_capture",
            Self::Evicted => "evicted",
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
