//! A case: what is collected of a flow from the moment in which one of the server's packets does not fit, until enough was seen to judge it.

pub mod scene;
pub mod stacks;

use super::flow::event::{CloseContradiction, Conflict};
use super::flow::record::Record;
use super::flow::side::Opening;
use super::limits::Limits;
use super::protocol::http::{Redirect, Request, Response};
use super::time::{Span, Timestamp};

/// The least time that a case stays open for the genuine answer: it was seen to come 1.05 s after a forged one (Great Cannon, 2015), and a
/// retransmission of a lost answer takes up to 3 s (RFC 6298, initial timeout doubled once).
pub const SHORTEST_WAIT: Span = Span::from_secs(3);
/// The most: ten round trips of a very slow line would hold an alert back too long.
pub const LONGEST_WAIT: Span = Span::from_secs(10);

/// Suspects of one case that are weighed against each other; an injection and its closing packets are two or three.
const MOST_SUSPECTS: usize = 8;

/// What is collected.
#[derive(Debug)]
pub struct Case {
    /// Number of the case within its flow, from 1.
    pub serial: u32,
    /// The packets that did not fit: the one that opened the case first.
    pub suspects: Vec<Record>,
    /// Engine time at which it is decided.
    pub deadline: Timestamp,
    /// Headers of the server's packets held when it was opened.
    pub before: Vec<Record>,
    /// Headers of the server's packets since.
    pub after: Vec<Record>,
    /// Headers of the client's packets, held and since.
    pub client: Vec<Record>,
    /// Two versions of the same bytes.
    pub conflicts: Vec<Conflict>,
    /// Contradictions about the end.
    pub closes: Vec<CloseContradiction>,
    /// Further SYN-ACKs.
    pub competing: Vec<Opening>,
    /// The HTTP response that the suspect carries or belongs to.
    pub response: Option<Box<Response>>,
    /// Redirects in its body.
    pub body: Vec<Redirect>,
    /// The request without an answer when the suspect came, where no response was read.
    pub request: Option<Request>,
    /// Packets that did not fit into the lists.
    pub left_out: u64,
}

impl Case {
    /// How long to wait, given the flow's round-trip time.
    #[must_use]
    pub fn wait(rtt: Option<Span>) -> Span {
        rtt.map_or(SHORTEST_WAIT, |rtt| rtt.times(10)).clamp(SHORTEST_WAIT, LONGEST_WAIT)
    }
    /// Keeps a later packet of the server.
    pub fn add_server(&mut self, record: &Record, limits: &Limits) {
        add(&mut self.after, record, limits.case_packets, &mut self.left_out);
    }
    /// Keeps a later packet of the client.
    pub fn add_client(&mut self, record: &Record, limits: &Limits) {
        add(&mut self.client, record, limits.case_packets, &mut self.left_out);
    }
    /// Keeps a conflict.
    pub fn add_conflict(&mut self, conflict: Conflict, limits: &Limits) {
        if self.conflicts.len() < limits.case_conflicts {
            self.conflicts.push(conflict);
        } else {
            self.left_out += 1;
        }
    }
    /// Keeps another packet that did not fit.
    pub fn add_suspect(&mut self, record: &Record) {
        if self.suspects.len() < MOST_SUSPECTS && self.suspects.iter().all(|other| other.frame != record.frame) {
            self.suspects.push(*record);
        }
    }
    /// The case concerns this packet already.
    #[must_use]
    pub fn concerns(&self, frame: u64) -> bool {
        self.suspects.iter().any(|suspect| suspect.frame == frame)
            || self.conflicts.iter().any(|conflict| conflict.earlier.frame == frame || conflict.later.frame == frame)
    }
}

fn add(list: &mut Vec<Record>, record: &Record, most: usize, left_out: &mut u64) {
    if list.len() < most {
        list.push(*record);
    } else {
        *left_out += 1;
    }
}
