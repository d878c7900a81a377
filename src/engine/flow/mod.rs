//! Packets to flows: one TCP connection in two directions, what it remembers, and when it is forgotten. Knows no attack.

pub mod event;
pub mod key;
pub mod memory;
pub mod record;
pub mod side;
pub mod stream;
pub mod table;
mod tcp;

use event::FlowEvent;
use key::{FlowKey, Sender};
use memory::Pool;
use record::Record;
use side::Side;

use super::case::Case;
use super::decode::datagram::{Carrier, DatagramHead};
use super::decode::packet::{Addr, Head, Packet, TcpFlags, Vlans};
use super::dns::stream::Framing;
use super::limits::Limits;
use super::protocol::http;
use super::time::{Span, Timestamp};

/// What the payload turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// No payload yet.
    Unknown,
    /// HTTP/1.x; both directions are parsed.
    Http,
    /// TLS: bytes that differ would be discarded by the client, so only the first are remembered.
    Tls,
    /// DNS (RFC 7766); its messages are put together out of what is remembered.
    Dns,
    /// Anything else.
    Other,
}

/// How far the connection is; decides how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Only SYNs so far.
    Opening,
    /// Anything after that.
    Open,
    /// A FIN or RST was seen.
    Closing,
}

/// What one packet needs of its shard.
pub struct Context<'a> {
    /// Remembered bytes.
    pub pool: &'a mut Pool,
    /// Bounds.
    pub limits: &'a Limits,
    /// Where events go.
    pub events: &'a mut Vec<FlowEvent>,
    /// Counters.
    pub counters: &'a mut FlowCounters,
    /// Scratch space for HTTP events.
    pub http: &'a mut Vec<http::Event>,
}

/// What the flows of a shard counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowCounters {
    /// SYNs without ACK.
    pub syns: u64,
    /// SYNs with ACK: where only one of both is seen, one direction is missing.
    pub syn_acks: u64,
    /// Packets that the mirror delivered twice.
    pub mirror_copies: u64,
    /// Packets with a wrong checksum in a direction whose checksums are filled in: the receiver discards them.
    pub corrupt: u64,
    /// Packets after the handshake with neither ACK nor RST: the receiver drops them.
    pub unacceptable: u64,
    /// Packets far outside the sequence space of their flow.
    pub strays: u64,
    /// Holes in a stream that were given up.
    pub gaps: u64,
    /// Differing overlaps below the eight bytes that count.
    pub small_conflicts: u64,
    /// Differing overlaps in which one packet was corrupt and the other whole.
    pub corrupt_copies: u64,
    /// Streams of TLS whose ClientHello did not come to an end in the segments that are looked at.
    pub hellos_unread: u64,
    /// Conflicts of one flow beyond the bound.
    pub conflicts_left_out: u64,
    /// Directions of DNS over TCP in which it was no longer known where messages begin.
    pub dns_lost: u64,
    /// HTTP bounds that were hit.
    pub http: http::Counts,
}

impl FlowCounters {
    pub(super) fn plus(self, other: &Self) -> Self {
        Self {
            syns: self.syns + other.syns,
            syn_acks: self.syn_acks + other.syn_acks,
            mirror_copies: self.mirror_copies + other.mirror_copies,
            corrupt: self.corrupt + other.corrupt,
            unacceptable: self.unacceptable + other.unacceptable,
            strays: self.strays + other.strays,
            gaps: self.gaps + other.gaps,
            small_conflicts: self.small_conflicts + other.small_conflicts,
            corrupt_copies: self.corrupt_copies + other.corrupt_copies,
            hellos_unread: self.hellos_unread + other.hellos_unread,
            conflicts_left_out: self.conflicts_left_out + other.conflicts_left_out,
            dns_lost: self.dns_lost + other.dns_lost,
            http: self.http.plus(&other.http),
        }
    }
}

/// One TCP connection. What every packet touches comes first: a cache line of its own, and one of each side's.
#[derive(Debug)]
#[repr(C)]
pub struct Flow {
    /// Its key.
    pub key: FlowKey,
    /// Engine time of the last packet.
    pub last_seen: Timestamp,
    /// Which endpoint is the server.
    pub server: Sender,
    /// The roles are known from a SYN, a SYN-ACK or the content; otherwise the lower port was taken for the server.
    pub roles_known: bool,
    /// How far it is.
    pub stage: Stage,
    /// What it carries.
    pub content: Content,
    /// Segments of the client in which its ClientHello may still come to an end; counts down.
    pub hello_segments: u8,
    /// The server has sent payload, upon which its address was looked up in the lists of indicators.
    pub looked_up: bool,
    /// A page by http was reported to those who see across flows; one is enough.
    pub page_told: bool,
    sides: [Side; 2],
    /// Time between SYN and SYN-ACK, or the shortest between data and its acknowledgment; none when neither was seen.
    pub rtt: Option<Span>,
    /// DNS: how far the messages of each direction are told apart.
    dns: Option<Box<[Framing; 2]>>,
    /// HTTP, while it is read.
    pub http: Option<Box<http::Connection>>,
    /// What is being watched.
    pub cases: Vec<Box<Case>>,
    /// Cases opened so far.
    pub cases_opened: u32,
    /// Conflicts reported so far.
    pub conflicts: u16,
    /// Heap bytes of its HTTP state when they were last counted.
    pub http_bytes: usize,
    /// VLAN ids of the first packet.
    pub vlans: Vlans,
    /// First packet.
    pub started: Timestamp,
    /// Frame of the first packet.
    pub first_frame: u64,
    /// The head of the last response.
    pub last_answer: Option<Box<http::Response>>,
    /// Frames that a judged case named; the same forgery is not told of twice.
    pub judged: Vec<u64>,
}

impl Flow {
    /// A flow that begins with `head`.
    #[must_use]
    pub fn new(key: FlowKey, sender: Sender, head: &Head, now: Timestamp) -> Self {
        let (server, roles_known) = roles(sender, head);
        Self {
            key,
            server,
            roles_known,
            stage: Stage::Opening,
            content: Content::Unknown,
            started: head.time,
            first_frame: head.frame,
            last_seen: now,
            rtt: None,
            dns: None,
            http: None,
            last_answer: None,
            cases: Vec::new(),
            cases_opened: 0,
            judged: Vec::new(),
            hello_segments: 0,
            http_bytes: 0,
            looked_up: false,
            page_told: false,
            conflicts: 0,
            sides: [Side::default(), Side::default()],
            vlans: head.vlans,
        }
    }

    /// One direction.
    #[must_use]
    pub fn side(&self, sender: Sender) -> &Side {
        let [low, high] = &self.sides;
        match sender {
            Sender::Low => low,
            Sender::High => high,
        }
    }
    fn side_mut(&mut self, sender: Sender) -> &mut Side {
        let [low, high] = &mut self.sides;
        match sender {
            Sender::Low => low,
            Sender::High => high,
        }
    }
    /// Address and port of one endpoint.
    #[must_use]
    pub const fn endpoint(&self, sender: Sender) -> (Addr, u16) {
        self.key.endpoint(sender)
    }
    /// The server's direction.
    #[must_use]
    pub fn server_side(&self) -> &Side {
        self.side(self.server)
    }
    /// The client's direction.
    #[must_use]
    pub fn client_side(&self) -> &Side {
        self.side(self.server.other())
    }
    /// Takes a packet; what is worth telling goes to `context.events`.
    /// False when it was a second delivery of a packet and nothing was taken.
    pub fn handle(&mut self, packet: &Packet<'_>, sender: Sender, now: Timestamp, context: &mut Context<'_>) -> bool {
        self.last_seen = now;
        tcp::handle(self, packet, sender, context)
    }
    /// The header of a message of DNS that the packet of this record completed.
    #[must_use]
    pub fn head_of_message(&self, sender: Sender, record: &Record, len: u32) -> DatagramHead {
        let ((src, src_port), (dst, dst_port)) = (self.endpoint(sender), self.endpoint(sender.other()));
        DatagramHead {
            carrier: Carrier::Tcp,
            frame: record.frame,
            time: record.time,
            src,
            dst,
            src_port,
            dst_port,
            ttl: record.ttl,
            ip_id: record.ip_id,
            df: record.df(),
            ip_version: if record.is_v6() { 6 } else { 4 },
            ether: self.side(sender).history.ether,
            vlans: self.vlans,
            tunnel: self.key.tunnel(),
            payload_len: len,
            wire_len: record.len,
        }
    }
    /// Heap bytes that its HTTP state holds.
    #[must_use]
    pub fn count_http_bytes(&self) -> usize {
        let reading = self.http.as_ref().map_or(0, |http| http.heap_bytes());
        reading + self.last_answer.as_ref().map_or(0, |answer| answer.heap_bytes())
    }
    /// What `count_http_bytes` gives may be another number than when this was asked before.
    pub fn http_has_changed(&mut self) -> bool {
        self.http.as_mut().map_or(self.http_bytes > 0, |http| http.take_changed())
    }
    /// Lets go of what HTTP holds; reading goes on at the next message.
    pub fn drop_http(&mut self, counters: &mut FlowCounters) {
        self.last_answer = None;
        if let Some(http) = &mut self.http {
            counters.http = counters.http.plus(&std::mem::take(&mut **http).counts());
        }
    }
    /// Stops reading HTTP.
    pub fn end_http(&mut self, counters: &mut FlowCounters) {
        if let Some(http) = self.http.take() {
            counters.http = counters.http.plus(&http.counts());
        }
    }
    /// The packet opens a new connection on the same ports. A SYN of the server in a connection that the client opened is ignored, as the client does
    /// (RFC 5961, section 4.2): who forges one would have the sensor forget what it has seen.
    #[must_use]
    pub fn is_reopened_by(&self, head: &Head, sender: Sender) -> bool {
        let fresh_syn = head.flags.any(TcpFlags::SYN) && !head.flags.any(TcpFlags::ACK);
        let may_open = !self.roles_known || sender != self.server;
        if !fresh_syn || !may_open {
            return false;
        }
        let side = self.side(sender);
        let known = side.opening().seen().map(|record: &Record| record.seq);
        known != Some(head.seq) && (known.is_some() || side.packets > 0)
    }
    /// Gives back what the flow holds in the pool.
    pub fn release(&mut self, pool: &mut Pool) {
        for side in &mut self.sides {
            pool.release(&mut side.log);
        }
    }
}

/// Who is the server, judged by the first packet: the receiver of a SYN, the sender of a SYN-ACK, else the lower port.
fn roles(sender: Sender, head: &Head) -> (Sender, bool) {
    match (head.flags.any(TcpFlags::SYN), head.flags.any(TcpFlags::ACK)) {
        (true, false) => (sender.other(), true),
        (true, true) => (sender, true),
        (false, _) if head.src_port < head.dst_port => (sender, false),
        (false, _) => (sender.other(), false),
    }
}
