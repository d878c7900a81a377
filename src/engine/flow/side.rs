//! One direction of a flow: its opening packet, sequence space, and the headers that stacks are told apart by.

use super::memory::LogId;
use super::record::{Record, seq_diff};
use crate::engine::decode::packet::Head;
use crate::engine::time::Timestamp;

/// First headers kept of a direction; the base that later suspects are compared with.
const EARLY: usize = 3;
/// Changes of the Ethernet addresses that a direction tells of: a mirror that sees a packet on both sides of a router gives one a packet.
const LINK_CHANGES: u8 = 4;
/// Last headers kept of a direction.
const RECENT: usize = 5;

/// What the SYN or SYN-ACK negotiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opening {
    /// The packet; `frame == 0` when it was not seen.
    pub record: Record,
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale.
    pub window_scale: Option<u8>,
    /// SACK permitted.
    pub sack_permitted: bool,
}

impl Opening {
    /// Of a SYN or SYN-ACK.
    #[must_use]
    pub fn of(head: &Head) -> Self {
        Self { record: Record::of(head), mss: head.mss, window_scale: head.window_scale, sack_permitted: head.sack_permitted }
    }
    /// The packet, when it was seen.
    #[must_use]
    pub fn seen(&self) -> Option<&Record> {
        (self.record.frame != 0).then_some(&self.record)
    }
    /// The same options were offered.
    #[must_use]
    pub fn same_options(&self, other: &Self) -> bool {
        self.mss == other.mss
            && self.window_scale == other.window_scale
            && self.sack_permitted == other.sack_permitted
            && self.record.has_timestamps() == other.record.has_timestamps()
    }
}

/// One direction: what every packet touches, in one cache line, and behind a pointer what few do.
#[derive(Debug)]
pub struct Side {
    /// Sequence number that comes next in order; meaningful when `synced`.
    pub next: u32,
    /// The highest sequence number seen, plus one.
    pub high: u32,
    /// The highest acknowledgment sent.
    pub acked: u32,
    /// The acknowledgment of the last packet, wherever it lay; 0 before the first.
    pub heard: u32,
    /// Where the last payload ends.
    pub payload_end: u32,
    /// When payload was last sent; `Timestamp::MIN` before the first.
    pub last_payload_at: Timestamp,
    /// Packets.
    pub packets: u64,
    /// Bytes on the wire.
    pub bytes: u64,
    /// The bytes last received.
    pub log: LogId,
    /// `Record::stack_bits` of the last packet after the opening one; meaningful when `seen`.
    pub bits: u16,
    /// A packet after the opening one was seen.
    pub seen: bool,
    /// `next` and `high` are known.
    pub synced: bool,
    /// `acked` is known.
    pub has_acked: bool,
    /// A FIN was seen.
    pub closed: bool,
    /// A RST was seen.
    pub reset: bool,
    /// Packets far outside the sequence space, in a row.
    pub strays: u8,
    /// The headers.
    pub history: Box<History>,
}

/// Ethernet source and destination.
pub type Ends = ([u8; 6], [u8; 6]);

/// The headers that stacks are told apart by.
#[derive(Debug, Default)]
#[repr(C)]
pub struct History {
    noted: u32,
    link_changes: u8,
    /// Payload larger than any MTU was seen: offloads.
    pub offloaded: bool,
    link_word: u64,
    /// Holes in the sequence space that were given up.
    pub gaps: u32,
    /// SYN or SYN-ACK.
    pub opening: Opening,
    /// SYNs or SYN-ACKs after the first, mirror copies excluded.
    pub openings_repeated: u32,
    /// The FIN.
    pub fin: Record,
    /// The first RST.
    pub rst: Record,
    /// Ethernet source and destination of the direction's first packet.
    pub ether: Option<Ends>,
    /// Ethernet source and destination of the last payload noted; in one word above.
    link: Option<Ends>,
    early: [Record; EARLY],
    recent: [Record; RECENT],
}

impl History {
    /// Keeps the header of a packet after the opening one.
    pub fn note(&mut self, record: &Record) {
        let noted = self.noted as usize;
        let slot = if noted < EARLY { self.early.get_mut(noted) } else { self.recent.get_mut((noted - EARLY) % RECENT) };
        if let Some(slot) = slot {
            *slot = *record;
        }
        self.noted = self.noted.saturating_add(1);
    }

    /// Notes between which machines payload passed; those of the payload before it, when they were others.
    #[inline]
    pub fn note_link(&mut self, ends: Option<Ends>) -> Option<Ends> {
        let word = word(ends);
        if word == self.link_word {
            return None;
        }
        self.link_word = word;
        let before = std::mem::replace(&mut self.link, ends)?;
        self.link_changes = self.link_changes.saturating_add(1);
        (ends.is_some() && self.link_changes <= LINK_CHANGES).then_some(before)
    }

    /// The headers still held, in order of arrival.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        let late = (self.noted as usize).saturating_sub(EARLY);
        let start = if late > RECENT { late % RECENT } else { 0 };
        let (tail, head) = self.recent.split_at(start);
        self.early.iter().chain(head).chain(tail).filter(|record| record.frame != 0)
    }
}

/// Two addresses in one word, as every packet needs it: another source or another destination makes another word.
#[inline]
fn word(ends: Option<Ends>) -> u64 {
    ends.map_or(0, |([a, b, c, d, e, f], [g, h, i, j, k, l])| {
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) ^ u64::from_le_bytes([0, 0, g, h, i, j, k, l])
    })
}

impl Default for Side {
    fn default() -> Self {
        Self {
            next: 0,
            high: 0,
            acked: 0,
            heard: 0,
            payload_end: 0,
            last_payload_at: Timestamp::MIN,
            packets: 0,
            bytes: 0,
            log: LogId::EMPTY,
            bits: 0,
            seen: false,
            synced: false,
            has_acked: false,
            closed: false,
            reset: false,
            strays: 0,
            history: Box::default(),
        }
    }
}

impl Side {
    /// When payload was last sent.
    #[must_use]
    pub fn last_payload(&self) -> Option<Timestamp> {
        Some(self.last_payload_at).filter(|at| *at != Timestamp::MIN)
    }

    /// The SYN or SYN-ACK.
    #[must_use]
    pub fn opening(&self) -> &Opening {
        &self.history.opening
    }

    /// The headers still held, in order of arrival.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.history.records()
    }

    /// Takes `seq` as the place where the stream goes on.
    pub fn sync(&mut self, seq: u32) {
        (self.next, self.high, self.synced, self.strays) = (seq, seq, true, 0);
    }

    /// Bytes of the stream beyond a hole are waiting.
    #[must_use]
    pub fn has_hole(&self) -> bool {
        seq_diff(self.next, self.high) > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_machines_is_told_of_four_times() {
        let mut history = History::default();
        let by = |last| Some(([2, 0, 0, 0, 0, last], [2, 0, 0, 0, 0, 7]));
        assert_eq!([by(1), by(1), None, by(1)].map(|ends| history.note_link(ends)), [None; 4]);
        let told: Vec<_> = (2..9).map(|last| history.note_link(by(last))).collect();
        assert_eq!(told, [by(1), by(2), by(3), None, None, None, None], "the one that vanished counts");
    }

    #[test]
    fn the_first_and_the_last_headers_are_held_in_order() {
        let mut history = History::default();
        for frame in 1..=12 {
            history.note(&Record { frame, ..Record::default() });
        }
        let frames: Vec<u64> = history.records().map(|record| record.frame).collect();
        assert_eq!(frames, [1, 2, 3, 8, 9, 10, 11, 12]);
    }
}
