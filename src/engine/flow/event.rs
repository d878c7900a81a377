//! What a flow reports of a packet. Facts of TCP only; what they mean is decided elsewhere.

use super::key::Sender;
use super::record::Record;
use super::side::{Ends, Opening};
use crate::engine::protocol::http;
use crate::engine::protocol::tls::ClientHello;

/// Something out of the ordinary, or a message of the application.
#[derive(Debug)]
pub enum FlowEvent {
    /// A server's packet differs in TTL, DF or timestamps from the server's packet before it.
    StackChange(Record),
    /// Two versions of the same bytes.
    Conflict(Box<Conflict>),
    /// A second SYN-ACK with another initial sequence number.
    CompetingSynAck(Opening),
    /// Payload with FIN and without PSH, as few stacks send it.
    UnpushedFin(Record),
    /// The first payload of a server whose address is listed.
    ListedServer(Record),
    /// A RST of the server.
    Reset(Record),
    /// Something that the server's end of the connection cannot have done.
    CloseContradiction(CloseContradiction),
    /// The packets of one direction pass between other machines than before.
    LinkChange {
        /// The first packet on the new way.
        record: Record,
        /// The machines before it.
        before: Ends,
        /// The machines since.
        after: Ends,
        /// Which direction.
        from_server: bool,
    },
    /// The client began TLS; the record is of the segment that completed its ClientHello.
    Hello(Record, Box<ClientHello>),
    /// A message of DNS, without its length; the record is of the segment that completed it.
    Dns(Sender, Record, Box<[u8]>),
    /// An HTTP message of the server; the record is of the segment that completed it.
    Http(http::Event),
}

/// The same range of the stream, twice, with other bytes.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// The packet that came first.
    pub earlier: Record,
    /// The packet that came later.
    pub later: Record,
    /// First sequence number that both carry.
    pub seq: u32,
    /// Bytes that both carry and that were captured of both.
    pub overlap: u32,
    /// How many of them differ.
    pub differing: u32,
    /// The first bytes of the earlier version from `seq` on, at most `SAMPLE` of them.
    pub earlier_bytes: Vec<u8>,
    /// The first bytes of the later version.
    pub later_bytes: Vec<u8>,
    /// Whether the TCP checksum of the earlier packet is right; unknown when it was cut or is no longer held whole.
    pub earlier_checksum: Option<bool>,
    /// Whether the TCP checksum of the later packet is right.
    pub later_checksum: Option<bool>,
}

/// Bytes of each version that a conflict keeps.
pub const SAMPLE: usize = 512;

/// A contradiction about the end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseContradiction {
    /// Which.
    pub kind: CloseKind,
    /// The FIN or RST.
    pub close: Record,
    /// The packet that contradicts it.
    pub contradicted_by: Record,
}

/// The contradictions that S9 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseKind {
    /// Payload of the server after its RST.
    DataAfterReset,
    /// New payload of the server at or after the sequence number of its FIN.
    DataAfterFin,
    /// A FIN of the server before bytes that were sent in its name.
    FinBeforeData,
    /// A bare acknowledgment of the server, later than bytes sent in its name and acknowledging more, or much later and acknowledging as much, whose
    /// sequence number lies before them.
    AckBeforeData,
    /// A second RST whose sequence number is higher than the first one's and than any acknowledgment.
    ResetMoved,
}
