//! The bytes last received, kept so that a second version of them can be compared: one bounded pool of chunks per shard, one log per stream.

use super::record::{RECORD_BYTES, Record, seq_diff};
use crate::engine::limits::Limits;

/// Bytes of one chunk.
const CHUNK_BYTES: usize = 4096;
/// A piece's header: the packet's record, then offset in the packet's payload and length, 4 bytes each.
const PIECE_HEADER: usize = RECORD_BYTES + 8;
/// A rest of a chunk that is smaller than this is left empty rather than filled with a splinter.
const SMALLEST_SPLIT: usize = 64;
/// No chunk, or no log.
const NONE: u32 = u32::MAX;

/// The remembered bytes of one stream, in order of arrival; an index into the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogId(u32);

impl LogId {
    /// Nothing remembered yet.
    pub const EMPTY: Self = Self(NONE);
}

impl Default for LogId {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// A part of one packet's payload.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The packet's header.
    pub record: Record,
    /// Sequence number of the first of `bytes`.
    pub seq: u32,
    /// What was captured of it.
    pub bytes: &'a [u8],
}

/// Each in a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Chunk {
    /// As long as it is used; of `CHUNK_BYTES` capacity from the start.
    bytes: Vec<u8>,
    payload: usize,
    low: u32,
    high: u32,
    /// Neighbours in order of age over the whole pool; the oldest is taken when the pool is full.
    older: u32,
    newer: u32,
    /// The next younger chunk of the same log.
    next: u32,
    log: u32,
}

#[derive(Debug, Clone, Copy)]
struct Log {
    first: u32,
    last: u32,
    payload: usize,
}

/// The pool of one shard.
#[derive(Debug)]
pub struct Pool {
    chunks: Vec<Chunk>,
    free: Vec<u32>,
    logs: Vec<Log>,
    free_logs: Vec<u32>,
    oldest: u32,
    newest: u32,
    capacity: usize,
    per_stream: usize,
    /// Chunks taken from the stream that held the pool's oldest bytes, because the pool was full.
    pub stolen: u64,
    /// Chunks that went because their stream held its share in younger ones.
    pub outlived: u64,
}

impl Pool {
    /// A pool within `limits`.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            logs: Vec::new(),
            free_logs: Vec::new(),
            oldest: NONE,
            newest: NONE,
            capacity: (limits.remembered_bytes_per_shard / CHUNK_BYTES).max(1),
            per_stream: limits.remembered_bytes_per_stream,
            stolen: 0,
            outlived: 0,
        }
    }

    /// Remembers the captured payload of a packet. Older bytes of the stream go when it holds more than its share, the pool's oldest when the
    /// pool is full.
    pub fn append(&mut self, log: &mut LogId, record: &Record, seq: u32, payload: &[u8]) {
        let mut rest = payload;
        let mut offset = 0_usize;
        while !rest.is_empty() {
            let Some(room) = self.room(log, rest.len()) else { return };
            // Pieces begin at even offsets, so that their checksums add up.
            let take = if room >= rest.len() { rest.len() } else { room & !1 };
            let Some((bytes, later)) = rest.split_at_checked(take) else { return };
            self.write(*log, record, (seq.wrapping_add(offset as u32), offset as u32), bytes);
            offset += take;
            rest = later;
        }
        self.shorten(*log);
    }

    /// All pieces of a stream that touch `seq..seq + len`, in order of arrival.
    pub fn overlapping(&self, log: LogId, seq: u32, len: u32) -> impl Iterator<Item = Piece<'_>> {
        let end = seq.wrapping_add(len);
        self.chunk_indices(log)
            .filter_map(|index| self.chunks.get(index as usize))
            .filter(move |chunk| seq_diff(chunk.low, end) > 0 && seq_diff(seq, chunk.high) > 0)
            .flat_map(pieces)
            .filter(move |piece| seq_diff(piece.seq, end) > 0 && seq_diff(seq, piece.seq.wrapping_add(piece.bytes.len() as u32)) > 0)
    }

    /// Every piece of a stream, in order of arrival.
    pub fn pieces(&self, log: LogId) -> impl Iterator<Item = Piece<'_>> {
        self.chunk_indices(log).filter_map(|index| self.chunks.get(index as usize)).flat_map(pieces)
    }

    /// What is held of the payload of one packet, joined; empty when it was not kept.
    #[must_use]
    pub fn payload_of(&self, log: LogId, frame: u64) -> Vec<u8> {
        let mut payload = Vec::new();
        for piece in self.pieces(log).filter(|piece| piece.record.frame == frame) {
            payload.extend_from_slice(piece.bytes);
        }
        payload
    }

    /// Bytes of payload held for a stream.
    #[must_use]
    pub fn held(&self, log: LogId) -> usize {
        self.logs.get(log.0 as usize).map_or(0, |log| log.payload)
    }

    /// Forgets a stream.
    pub fn release(&mut self, log: &mut LogId) {
        while self.first_chunk(*log) != NONE {
            let first = self.first_chunk(*log);
            self.detach(first);
            self.free.push(first);
        }
        if log.0 != NONE {
            self.free_logs.push(log.0);
        }
        *log = LogId::EMPTY;
    }

    /// Chunks in use.
    #[must_use]
    pub fn chunks_in_use(&self) -> usize {
        self.chunks.len() - self.free.len()
    }

    fn first_chunk(&self, log: LogId) -> u32 {
        self.logs.get(log.0 as usize).map_or(NONE, |log| log.first)
    }

    fn chunk_indices(&self, log: LogId) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(self.first_chunk(log)), |&index| self.chunks.get(index as usize).map(|chunk| chunk.next))
            .take_while(|&index| index != NONE)
    }

    /// Makes room in the stream's youngest chunk, or gives it another; how many payload bytes fit.
    fn room(&mut self, log: &mut LogId, wanted: usize) -> Option<usize> {
        if log.0 == NONE {
            let fresh = Log { first: NONE, last: NONE, payload: 0 };
            *log = LogId(match self.free_logs.pop() {
                Some(index) => {
                    *self.logs.get_mut(index as usize)? = fresh;
                    index
                }
                None => {
                    self.logs.push(fresh);
                    u32::try_from(self.logs.len() - 1).ok()?
                }
            });
        }
        let last = self.logs.get(log.0 as usize)?.last;
        if let Some(chunk) = self.chunks.get(last as usize) {
            let left = CHUNK_BYTES.saturating_sub(chunk.bytes.len() + PIECE_HEADER);
            if left >= wanted || left >= SMALLEST_SPLIT {
                return Some(left);
            }
        }
        self.extend(*log)?;
        Some(CHUNK_BYTES - PIECE_HEADER)
    }

    fn extend(&mut self, log: LogId) -> Option<()> {
        let index = self.take_chunk()?;
        let newest = self.newest;
        let chunk = self.chunks.get_mut(index as usize)?;
        chunk.bytes.clear();
        (chunk.payload, chunk.next, chunk.log) = (0, NONE, log.0);
        (chunk.older, chunk.newer) = (newest, NONE);
        match self.chunks.get_mut(newest as usize) {
            Some(neighbour) => neighbour.newer = index,
            None => self.oldest = index,
        }
        self.newest = index;
        let entry = self.logs.get_mut(log.0 as usize)?;
        let last = std::mem::replace(&mut entry.last, index);
        if last == NONE {
            entry.first = index;
        } else {
            self.chunks.get_mut(last as usize)?.next = index;
        }
        Some(())
    }

    fn take_chunk(&mut self) -> Option<u32> {
        if let Some(index) = self.free.pop() {
            return Some(index);
        }
        if self.chunks.len() < self.capacity {
            let bytes = Vec::with_capacity(CHUNK_BYTES);
            self.chunks.push(Chunk { bytes, payload: 0, low: 0, high: 0, older: NONE, newer: NONE, next: NONE, log: NONE });
            return u32::try_from(self.chunks.len() - 1).ok();
        }
        let index = self.oldest;
        self.detach(index);
        self.stolen += 1;
        (index != NONE).then_some(index)
    }

    /// Takes a chunk out of the order of age and out of its log, whose oldest chunk it is: both orders are those of allocation.
    fn detach(&mut self, index: u32) {
        let Some(chunk) = self.chunks.get(index as usize) else { return };
        let (older, newer, next, log, payload) = (chunk.older, chunk.newer, chunk.next, chunk.log, chunk.payload);
        match self.chunks.get_mut(older as usize) {
            Some(neighbour) => neighbour.newer = newer,
            None => self.oldest = newer,
        }
        match self.chunks.get_mut(newer as usize) {
            Some(neighbour) => neighbour.older = older,
            None => self.newest = older,
        }
        if let Some(entry) = self.logs.get_mut(log as usize) {
            entry.first = next;
            entry.payload -= payload;
            if next == NONE {
                entry.last = NONE;
            }
        }
    }

    fn write(&mut self, log: LogId, record: &Record, (seq, offset): (u32, u32), bytes: &[u8]) {
        let Some(entry) = self.logs.get_mut(log.0 as usize) else { return };
        let Some(chunk) = self.chunks.get_mut(entry.last as usize) else { return };
        let end = seq.wrapping_add(bytes.len() as u32);
        if chunk.bytes.is_empty() {
            (chunk.low, chunk.high) = (seq, end);
        } else {
            chunk.low = if seq_diff(chunk.low, seq) < 0 { seq } else { chunk.low };
            chunk.high = if seq_diff(chunk.high, end) > 0 { end } else { chunk.high };
        }
        chunk.bytes.extend_from_slice(&record.to_bytes());
        chunk.bytes.extend_from_slice(&(u64::from(offset) | (bytes.len() as u64) << 32).to_le_bytes());
        chunk.bytes.extend_from_slice(bytes);
        chunk.payload += bytes.len();
        entry.payload += bytes.len();
    }

    fn shorten(&mut self, log: LogId) {
        while let Some(entry) = self.logs.get(log.0 as usize) {
            let first = entry.first;
            let Some(chunk) = self.chunks.get(first as usize) else { return };
            if entry.payload - chunk.payload < self.per_stream {
                return;
            }
            self.detach(first);
            self.free.push(first);
            self.outlived += 1;
        }
    }
}

fn pieces(chunk: &Chunk) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = chunk.bytes.as_slice();
    std::iter::from_fn(move || {
        let (header, after) = rest.split_first_chunk::<RECORD_BYTES>()?;
        let (place, after) = after.split_first_chunk::<8>()?;
        let place = u64::from_le_bytes(*place);
        let (bytes, after) = after.split_at_checked((place >> 32) as usize)?;
        rest = after;
        let record = Record::from_bytes(header);
        Some(Piece { record, seq: record.payload_seq().wrapping_add(place as u32), bytes })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(chunks_in_pool: usize, per_stream: usize) -> Limits {
        Limits { remembered_bytes_per_shard: chunks_in_pool * CHUNK_BYTES, remembered_bytes_per_stream: per_stream, ..Limits::default() }
    }

    fn record(frame: u64, seq: u32, len: u32) -> Record {
        Record { frame, seq, len, ..Record::default() }
    }

    fn remember(pool: &mut Pool, log: &mut LogId, frame: u64, seq: u32, payload: &[u8]) {
        pool.append(log, &record(frame, seq, payload.len() as u32), seq, payload);
    }

    #[test]
    fn a_large_segment_is_kept_in_pieces_and_given_back_whole() {
        let mut pool = Pool::new(&limits(32, 64 << 10));
        let mut log = LogId::EMPTY;
        let payload: Vec<u8> = (0..20_001_u32).map(|n| n as u8).collect();
        remember(&mut pool, &mut log, 7, u32::MAX - 3, &payload);
        assert_eq!(pool.payload_of(log, 7), payload);
        let found: usize = pool.overlapping(log, 5_000, 10).map(|piece| piece.bytes.len()).sum();
        assert!(found > 0 && found < payload.len());
        assert_eq!(pool.overlapping(log, 20_001, 10).count(), 0);
    }

    #[test]
    fn a_stream_keeps_its_last_bytes_within_its_share() {
        let mut pool = Pool::new(&limits(1000, 64 << 10));
        let mut log = LogId::EMPTY;
        for n in 0..200_u32 {
            remember(&mut pool, &mut log, u64::from(n) + 1, n * 1448, &[n as u8; 1448]);
        }
        assert!(pool.held(log) >= 64 << 10 && pool.held(log) < (64 << 10) + 2 * CHUNK_BYTES);
        assert_eq!(pool.payload_of(log, 200), [199; 1448]);
        assert!(pool.payload_of(log, 1).is_empty());
    }

    #[test]
    fn a_full_pool_takes_the_oldest_bytes_of_all_and_a_released_stream_leaves_nothing() {
        let mut pool = Pool::new(&limits(4, 64 << 10));
        let (mut early, mut late) = (LogId::EMPTY, LogId::EMPTY);
        remember(&mut pool, &mut early, 1, 0, &[1; 8000]);
        remember(&mut pool, &mut late, 2, 0, &[2; 12_000]);
        assert_eq!(pool.stolen, 1);
        assert!(pool.held(early) < 8000);
        assert_eq!(pool.payload_of(late, 2).len(), 12_000);
        pool.release(&mut early);
        pool.release(&mut late);
        assert_eq!(pool.chunks_in_use(), 0);
        remember(&mut pool, &mut late, 3, 9, &[3; 10]);
        assert_eq!(pool.payload_of(late, 3), [3; 10]);
    }

    #[test]
    fn a_stream_larger_than_the_whole_pool_does_not_trip_over_itself() {
        let mut pool = Pool::new(&limits(2, 64 << 10));
        let mut log = LogId::EMPTY;
        remember(&mut pool, &mut log, 1, 0, &[5; 60_000]);
        assert!(pool.chunks_in_use() <= 2);
        assert!(pool.held(log) > 0);
    }
}
