//! What the shards count. Every bound of `Limits` shows here when it is reached.

use super::dns::DnsCounters;
use super::flow::FlowCounters;
use super::protocol::http;

/// What the shards counted, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardCounters {
    /// Datagrams of DNS, and messages of DNS over TCP.
    pub datagrams: u64,
    /// What became of them.
    pub dns: DnsCounters,
    /// First packets of QUIC connections.
    pub initials: u64,
    /// QUIC handshakes forgotten before their ClientHello was whole, because there were too many.
    pub handshakes_evicted: u64,
    /// Flows begun.
    pub flows: u64,
    /// Flows forgotten early because their shard was full.
    pub flows_evicted: u64,
    /// Cases opened.
    pub cases: u64,
    /// Cases decided early because too many were open.
    pub cases_evicted: u64,
    /// Cases decided in which too little spoke for a forgery.
    pub cases_dismissed: u64,
    /// Suspects of flows that had had their share of cases.
    pub cases_left_out: u64,
    /// HTTP connections that let go of what they held because the shard's share was used up.
    pub http_dropped: u64,
    /// Packets and conflicts that did not fit into their case.
    pub case_packets_left_out: u64,
    /// Chunks of remembered bytes that made room for younger ones of their own stream.
    pub memory_outlived: u64,
    /// Chunks of remembered bytes taken from the stream that held the oldest.
    pub memory_stolen: u64,
    /// What the flows counted.
    pub flow: FlowCounters,
}

impl ShardCounters {
    /// Both added up.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            datagrams: self.datagrams + other.datagrams,
            initials: self.initials + other.initials,
            handshakes_evicted: self.handshakes_evicted + other.handshakes_evicted,
            dns: self.dns.plus(&other.dns),
            flows: self.flows + other.flows,
            flows_evicted: self.flows_evicted + other.flows_evicted,
            cases: self.cases + other.cases,
            cases_evicted: self.cases_evicted + other.cases_evicted,
            cases_dismissed: self.cases_dismissed + other.cases_dismissed,
            cases_left_out: self.cases_left_out + other.cases_left_out,
            http_dropped: self.http_dropped + other.http_dropped,
            case_packets_left_out: self.case_packets_left_out + other.case_packets_left_out,
            memory_outlived: self.memory_outlived + other.memory_outlived,
            memory_stolen: self.memory_stolen + other.memory_stolen,
            flow: self.flow.plus(&other.flow),
        }
    }

    /// Each with its name, those of a part behind the part's name and a dot.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        // No field is left out: what is added must be named here.
        let Self {
            datagrams,
            dns,
            initials,
            handshakes_evicted,
            flows,
            flows_evicted,
            cases,
            cases_evicted,
            cases_dismissed,
            cases_left_out,
            http_dropped,
            case_packets_left_out,
            memory_outlived,
            memory_stolen,
            flow,
        } = *self;
        [
            ("flows", flows),
            ("flows_evicted", flows_evicted),
            ("cases", cases),
            ("cases_evicted", cases_evicted),
            ("cases_dismissed", cases_dismissed),
            ("cases_left_out", cases_left_out),
            ("case_packets_left_out", case_packets_left_out),
            ("memory_outlived", memory_outlived),
            ("memory_stolen", memory_stolen),
            ("http_dropped", http_dropped),
            ("datagrams", datagrams),
            ("initials", initials),
            ("handshakes_evicted", handshakes_evicted),
        ]
        .into_iter()
        .chain(of_flow(flow))
        .chain(of_dns(dns))
    }
}

fn of_flow(counters: FlowCounters) -> impl Iterator<Item = (&'static str, u64)> {
    let FlowCounters {
        syns,
        syn_acks,
        mirror_copies,
        corrupt,
        unacceptable,
        strays,
        gaps,
        small_conflicts,
        corrupt_copies,
        hellos_unread,
        conflicts_left_out,
        dns_lost,
        http: http::Counts { heads_too_long, requests_unpaired, bodies_unread },
    } = counters;
    [
        ("flow.syns", syns),
        ("flow.syn_acks", syn_acks),
        ("flow.mirror_copies", mirror_copies),
        ("flow.corrupt", corrupt),
        ("flow.unacceptable", unacceptable),
        ("flow.strays", strays),
        ("flow.gaps", gaps),
        ("flow.small_conflicts", small_conflicts),
        ("flow.corrupt_copies", corrupt_copies),
        ("flow.hellos_unread", hellos_unread),
        ("flow.conflicts_left_out", conflicts_left_out),
        ("flow.dns_lost", dns_lost),
        ("http.heads_too_long", heads_too_long),
        ("http.requests_unpaired", requests_unpaired),
        ("http.bodies_unread", bodies_unread),
    ]
    .into_iter()
}

fn of_dns(counters: DnsCounters) -> impl Iterator<Item = (&'static str, u64)> {
    let DnsCounters { unread, questions, answers, over_tcp, unasked, evicted, left_out, pairs_evicted } = counters;
    [
        ("dns.unread", unread),
        ("dns.questions", questions),
        ("dns.answers", answers),
        ("dns.over_tcp", over_tcp),
        ("dns.unasked", unasked),
        ("dns.evicted", evicted),
        ("dns.left_out", left_out),
        ("dns.pairs_evicted", pairs_evicted),
    ]
    .into_iter()
}
