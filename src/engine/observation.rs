//! What leaves the engine: judged cases, and facts that must be seen across flows. Rare and small.

use super::contact::Contact;
use super::decode::packet::{Addr, Vlans};
use super::detect::Assessment;
use super::detect::dns_conflict::DnsAssessment;
use super::flow::Flow;
use super::flow::record::Record;
use super::flow::side::Ends;
use super::local::{Mac, Notice};
use super::time::Timestamp;
use super::web::{Fact, Web};

/// Something that was observed.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Engine time at which it was: a case was closed, a message came. Observations are merged in this order.
    pub at: Timestamp,
    /// What it is.
    pub what: What,
}

/// What was observed. Few words each, as a batch may hold many.
#[derive(Clone, Debug)]
pub enum What {
    /// A case was judged.
    Case(Box<Judged>),
    /// A message of the local network.
    Local(Box<Notice>),
    /// A fact about a web answer.
    Web(Box<Web>),
    /// A question of DNS was judged.
    Dns(Box<JudgedDns>),
    /// A connection goes on by way of another machine of the local network.
    Detour(Box<Detour>),
    /// A client did something that may be part of a chain.
    Contact(Box<Contact>),
}

/// A connection goes on by way of another machine of the local network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detour {
    /// The first packet on the new way.
    pub frame: u64,
    /// Its time.
    pub time: Timestamp,
    /// The end of the connection that this link belongs to, and its hardware address.
    pub host: (Addr, Mac),
    /// The other end.
    pub peer: Addr,
    /// Who passed the packets on before, and who does now.
    pub hops: (Mac, Mac),
    /// VLAN ids of the connection's first packet.
    pub vlans: Vlans,
}

impl Detour {
    /// Of the packets of one direction, from `src` to `dst`, with the Ethernet addresses before and since; none when both machines changed, or none.
    pub(super) fn of((src, dst): (Addr, Addr), before: Ends, after: Ends, record: &Record, vlans: Vlans) -> Option<Self> {
        let (host, peer, hops) = match (before.0 == after.0, before.1 == after.1) {
            (true, false) => ((src, after.0), dst, (before.1, after.1)),
            (false, true) => ((dst, after.1), src, (before.0, after.0)),
            _ => return None,
        };
        Some(Self { frame: record.frame, time: record.time, host, peer, hops, vlans })
    }
}

impl Observation {
    /// Puts observations in one order, whoever made them: time, frame, kind, number within the flow, client. What is equal in all comes from one
    /// frame of the local network, and keeps the order in which it was read.
    #[must_use]
    pub fn order(&self) -> (Timestamp, u64, u8, u32, (Addr, u16)) {
        match &self.what {
            What::Contact(contact) => (self.at, contact.frame, 4, 0, (contact.client, contact.server.1)),
            What::Local(notice) => (self.at, notice.head.frame, 0, 0, (Addr(0), 0)),
            What::Web(web) => (self.at, web.record.frame, 4, u32::from(web.fact != Fact::WantsTls), web.flow.client),
            What::Detour(detour) => (self.at, detour.frame, 2, 0, (detour.host.0, 0)),
            What::Case(case) => (self.at, case.assessment.scene.suspect.frame, 1, case.serial, case.flow.client),
            What::Dns(dns) => {
                let exchange = &dns.assessment.scene.exchange;
                let frame = exchange.answers.first().map_or(0, |answer| answer.mark.frame);
                (self.at, frame, 3, 0, exchange.client)
            }
        }
    }
}

/// A judged case.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Number of the case within its flow.
    pub serial: u32,
    /// Why it was closed.
    pub because: ClosedBecause,
    /// The scene that explains most, and what speaks for it.
    pub assessment: Assessment,
    /// SHA-256 of the captured payload of the suspect; none when it has none or it is no longer held.
    pub forged_sha256: Option<[u8; 32]>,
    /// SHA-256 of the captured payload of the first genuine packet that was compared.
    pub genuine_sha256: Option<[u8; 32]>,
    /// The flow.
    pub flow: FlowFacts,
}

/// A judged question of DNS.
#[derive(Clone, Debug)]
pub struct JudgedDns {
    /// Why it was closed.
    pub because: ClosedBecause,
    /// The question, its answers, and what speaks against which.
    pub assessment: DnsAssessment,
}

/// Why a case was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosedBecause {
    /// The deadline passed.
    Deadline,
    /// The flow was over: idle for its whole timeout, or its ports were used for a new connection.
    FlowOver,
    /// The capture ended.
    EndOfCapture,
    /// Room was needed.
    Evicted,
}

/// The flow as far as an alert tells of it.
#[derive(Clone, Copy, Debug)]
pub struct FlowFacts {
    /// The side that was answered.
    pub client: (Addr, u16),
    /// The side that the suspect claims to be from.
    pub server: (Addr, u16),
    /// VLAN ids of its first packet.
    pub vlans: Vlans,
    /// Ethernet source and destination of the server's first packet.
    pub ether: Option<([u8; 6], [u8; 6])>,
    /// Time of its first packet.
    pub start: Timestamp,
    /// Frame of its first packet.
    pub first_frame: u64,
    /// Packets and bytes to the server.
    pub to_server: (u64, u64),
    /// Packets and bytes to the client.
    pub to_client: (u64, u64),
    /// Holes in the sequence space of both directions.
    pub gaps: u64,
    /// Only one direction was seen.
    pub one_sided: bool,
    /// SYN and SYN-ACK were both seen.
    pub handshake_seen: bool,
    /// Segments larger than any MTU were seen.
    pub offloaded: bool,
}

impl FlowFacts {
    pub(super) fn of(flow: &Flow) -> Self {
        let (client, server) = (flow.client_side(), flow.server_side());
        Self {
            client: flow.endpoint(flow.server.other()),
            server: flow.endpoint(flow.server),
            vlans: flow.vlans,
            ether: server.history.ether,
            start: flow.started,
            first_frame: flow.first_frame,
            to_server: (client.packets, client.bytes),
            to_client: (server.packets, server.bytes),
            gaps: u64::from(client.history.gaps) + u64::from(server.history.gaps),
            one_sided: client.packets == 0 || server.packets == 0,
            handshake_seen: client.opening().seen().is_some() && server.opening().seen().is_some(),
            offloaded: client.history.offloaded || server.history.offloaded,
        }
    }
}
