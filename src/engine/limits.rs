//! Every bound of the engine, in one struct.

use super::flow::Stage;
use super::time::Span;

/// What the engine may hold. Whatever reaches a bound is evicted or left out by the rule stated at the field, and counted.
#[derive(Clone, Debug)]
pub struct Limits {
    /// IP datagrams in reassembly at once; the oldest is dropped first.
    pub fragment_datagrams: usize,
    /// Bytes of all fragments in reassembly; the oldest datagram is dropped first.
    pub fragment_bytes: usize,
    /// How long a datagram may wait for its missing fragments (RFC 791 suggests 15 s, Linux waits 30 s).
    pub fragment_timeout: Span,
    /// VLAN tags that are looked through in one frame.
    pub vlan_depth: usize,
    /// Encapsulations (tunnels, label stacks, sessions) that are gone into in one frame; a deeper one is left and counted.
    pub tunnel_depth: usize,
    /// Flows of one shard (there are 64); a closing one is forgotten first, then a half-open one, then the one that was armed longest ago.
    pub flows_per_shard: usize,
    /// How long a flow of which only SYNs were seen is kept after its last packet.
    pub opening_timeout: Span,
    /// How long an idle open flow is kept (Suricata's default for established flows is 600 s, Linux's conntrack 5 days).
    pub open_timeout: Span,
    /// How long a flow is kept after its last packet once a FIN or RST was seen: a genuine answer came 1.05 s after a forged FIN (Great Cannon).
    pub closing_timeout: Span,
    /// Bytes remembered of one stream: a second version of them is found. The stream's oldest go first.
    pub remembered_bytes_per_stream: usize,
    /// Bytes remembered by one shard; the oldest of all its streams go first.
    pub remembered_bytes_per_shard: usize,
    /// Conflicts that one flow reports; further ones are counted.
    pub conflicts_per_flow: u16,
    /// Open cases of one shard; the one whose deadline comes first is decided early.
    pub open_cases_per_shard: usize,
    /// Cases that one flow can open; further suspects are counted.
    pub cases_per_flow: u32,
    /// Packets that a case keeps of either direction; further ones are counted.
    pub case_packets: usize,
    /// Conflicts that a case keeps; further ones are counted.
    pub case_conflicts: usize,
    /// Frames of judged cases that a flow remembers, so that one forgery is told of once.
    pub judged_frames: usize,
    /// QUIC handshakes of one shard that are known: the oldest whose ClientHello was read goes first, then the oldest whose ClientHello is awaited.
    pub quic_handshakes: usize,
    /// Contacts (questions, connections, requests) of one client that are remembered; its oldest goes first.
    pub contacts_per_client: usize,
    /// Bytes of all contacts that are remembered; the older half goes first.
    pub contact_bytes: usize,
    /// Alerts that wait for what the client does next; the one due first is told early.
    pub held_alerts: usize,
    /// Domains of which it is remembered that they were seen; the one seen first goes first.
    pub seen_domains: usize,
    /// Clients that meet listed indicators and are not told of yet; the one met first is told of early.
    pub listed_visits: usize,
    /// Addresses of local networks whose owners are remembered; the one heard of longest ago goes first.
    pub local_addresses: usize,
    /// Machines that are suspected in local networks, of each kind of suspicion; the one not heard for longest is decided early.
    pub local_suspects: usize,
    /// Targets of redirects that are remembered with who was sent there; the one met first goes first.
    pub notice_targets: usize,
    /// Hosts that want https, and contents of pages, that are remembered across flows; the one met first goes first.
    pub web_memory: usize,
    /// Heap bytes of all HTTP connections of one shard: heads and bodies in parts, waiting requests, last answers. The connection that began to hold
    /// some longest ago is read anew from its next message.
    pub http_bytes_per_shard: usize,
    /// Bytes of one HTTP message head (request or response); a longer one is given up and its stream no longer read as HTTP.
    pub http_head: usize,
    /// Requests of one flow that wait for their response; further ones are counted and not paired.
    pub http_pipeline: usize,
    /// Encoded bytes of one response body that are kept for the search for redirects.
    pub http_body: usize,
    /// Decoded bytes that one response body may grow to in that search.
    pub http_decoded: usize,
    /// Bytes of the datagrams that wait for the end of their batch; more are handled at once.
    pub backlog_bytes: usize,
    /// Bytes of one shard's open questions of DNS and their answers; the question that is due first is decided early.
    pub dns_bytes_per_shard: usize,
    /// Pairs of client and resolver of one shard whose answers are remembered as a measure; the one seen longest ago is forgotten.
    pub dns_pairs_per_shard: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fragment_datagrams: 1024,
            fragment_bytes: 8 << 20,
            fragment_timeout: Span::from_secs(30),
            vlan_depth: 8,
            tunnel_depth: 8,
            flows_per_shard: 768,
            opening_timeout: Span::from_secs(60),
            open_timeout: Span::from_secs(600),
            closing_timeout: Span::from_secs(30),
            remembered_bytes_per_stream: 64 << 10,
            remembered_bytes_per_shard: 816 << 10,
            conflicts_per_flow: 256,
            open_cases_per_shard: 16,
            cases_per_flow: 32,
            case_packets: 64,
            case_conflicts: 8,
            judged_frames: 32,
            quic_handshakes: 8,
            contacts_per_client: 64,
            contact_bytes: 4 << 20,
            held_alerts: 256,
            seen_domains: 32_768,
            listed_visits: 256,
            local_addresses: 16_384,
            local_suspects: 128,
            notice_targets: 4_096,
            web_memory: 16_384,
            http_bytes_per_shard: 384 << 10,
            http_head: 16 << 10,
            http_pipeline: 64,
            http_body: 8 << 10,
            http_decoded: 64 << 10,
            backlog_bytes: 64 << 10,
            dns_bytes_per_shard: 192 << 10,
            dns_pairs_per_shard: 64,
        }
    }
}

impl Limits {
    /// Bounds under which the whole program stays within `bytes` of memory: the parts that grow are scaled from the default's 256 MiB.
    #[must_use]
    pub fn within(bytes: u64) -> Self {
        let default = Self::default();
        let scale = |value: usize| usize::try_from(value as u64 * (bytes >> 20) / 256).unwrap_or(usize::MAX).max(1);
        Self {
            flows_per_shard: scale(default.flows_per_shard),
            remembered_bytes_per_shard: scale(default.remembered_bytes_per_shard),
            open_cases_per_shard: scale(default.open_cases_per_shard),
            http_bytes_per_shard: scale(default.http_bytes_per_shard),
            dns_bytes_per_shard: scale(default.dns_bytes_per_shard),
            dns_pairs_per_shard: scale(default.dns_pairs_per_shard),
            fragment_datagrams: scale(default.fragment_datagrams),
            fragment_bytes: scale(default.fragment_bytes),
            quic_handshakes: scale(default.quic_handshakes),
            contact_bytes: scale(default.contact_bytes),
            held_alerts: scale(default.held_alerts),
            seen_domains: scale(default.seen_domains),
            listed_visits: scale(default.listed_visits),
            local_addresses: scale(default.local_addresses),
            notice_targets: scale(default.notice_targets),
            web_memory: scale(default.web_memory),
            ..default
        }
    }
    /// How long an idle flow is kept.
    #[must_use]
    pub const fn flow_timeout(&self, stage: Stage) -> Span {
        match stage {
            Stage::Opening => self.opening_timeout,
            Stage::Open => self.open_timeout,
            Stage::Closing => self.closing_timeout,
        }
    }
}
