//! The buffer between a stream and a format: large reads, exact offsets, no copy per packet.

use std::io::{self, ErrorKind, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::ahead::{Ahead, Block, HEADROOM};
use super::error::{Damage, Part};

/// Large enough that the cost of a read call vanishes, small enough to stay in the cache; a memory map costs more than
/// this copy, in page faults.
const CAPACITY: usize = 131072;

/// Bytes read ahead of the format that takes them apart.
pub(super) struct Buffer {
    source: Source,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Of `bytes[start]`, within the unpacked stream.
    offset: u64,
    ended: bool,
    failure: Option<io::Error>,
}

/// Where the bytes come from.
enum Source {
    /// Read when they are wanted.
    Stream(Box<dyn Read + Send>),
    /// Read before they are wanted.
    Ahead(Ahead),
}

impl Buffer {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self::of(Source::Stream(source), vec![0; CAPACITY])
    }

    /// Of a stream that another thread reads.
    pub(super) fn ahead(source: Ahead) -> Self {
        Self::of(Source::Ahead(source), Vec::new())
    }

    fn of(source: Source, bytes: Vec<u8>) -> Self {
        Self { source, bytes, start: 0, end: 0, offset: 0, ended: false, failure: None }
    }

    /// Offset of the next byte within the unpacked stream.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// What is buffered and not yet taken.
    #[inline]
    pub(super) fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The first bytes of whatever may be an archive; fewer when the stream is shorter, or begins unlike one.
    pub(super) fn first_block(&mut self) -> &[u8] {
        // Not more than a capture's own header is waited for where the stream cannot be an archive.
        let first = self.first();
        if first.len() == 16 && !super::is_capture(&first) {
            self.has(512);
        }
        self.rest().get(..512).unwrap_or_else(|| self.rest())
    }

    /// The next 16 bytes, which tell every format from the others; fewer when the stream is shorter.
    pub(super) fn first(&mut self) -> Vec<u8> {
        self.has(16);
        self.rest().iter().take(16).copied().collect()
    }

    /// Whether the stream holds `want` more bytes; if so they are in [`Buffer::rest`]. The caller bounds `want`: the buffer
    /// grows to it.
    #[inline]
    pub(super) fn has(&mut self, want: usize) -> bool {
        self.end - self.start >= want || self.fill(want)
    }

    #[cold]
    fn fill(&mut self, want: usize) -> bool {
        if matches!(self.source, Source::Stream(_)) {
            self.make_room(want);
        }
        while self.end - self.start < want && !self.ended {
            let read = match &mut self.source {
                Source::Ahead(ahead) => ahead.next().map(|block| self.exchange(block)),
                Source::Stream(source) => guarded(|| source.read(self.bytes.get_mut(self.end..).unwrap_or_default())).inspect(|read| {
                    self.end = self.end.saturating_add(*read).min(self.bytes.len());
                }),
            };
            match read {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.failure = Some(error);
                }
            }
        }
        self.end - self.start >= want
    }

    fn make_room(&mut self, want: usize) {
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if want > self.bytes.len() {
            self.bytes.resize(want, 0);
        }
    }

    /// Goes on in a block, with what is left of the one before put in front of it; how many bytes it brings.
    fn exchange(&mut self, mut block: Block) -> usize {
        let left = self.end - self.start;
        let len = block.len;
        let (start, end, bytes) = match HEADROOM.checked_sub(left) {
            Some(start) => {
                if let Some(room) = block.bytes.get_mut(start..HEADROOM) {
                    room.copy_from_slice(self.rest());
                }
                (start, HEADROOM + len, block.bytes)
            }
            None => {
                let mut joined = self.rest().to_vec();
                joined.extend_from_slice(block.bytes.get(HEADROOM..HEADROOM + len).unwrap_or_default());
                self.give_back(block.bytes);
                (0, joined.len(), joined)
            }
        };
        let done = std::mem::replace(&mut self.bytes, bytes);
        (self.start, self.end) = (start, end);
        self.give_back(done);
        len
    }

    fn give_back(&self, done: Vec<u8>) {
        if let Source::Ahead(ahead) = &self.source {
            ahead.give_back(done);
        }
    }

    /// Goes past `whole` buffered bytes and gives the `len` of them that begin after `skip`.
    #[inline]
    pub(super) fn take(&mut self, whole: usize, skip: usize, len: usize) -> &[u8] {
        let from = self.start + skip;
        self.start = self.end.min(self.start + whole);
        self.offset += whole as u64;
        self.bytes.get(from..from + len).unwrap_or_default()
    }

    /// Whether the stream ended cleanly where the format may end: nothing is left, and nothing failed.
    pub(super) fn at_clean_end(&mut self) -> bool {
        !self.has(1) && self.failure.is_none()
    }

    /// Why the stream stopped, if it did not simply end.
    pub(super) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// The damage of a stream that stopped inside `part`.
    pub(super) fn cut(&mut self, part: Part) -> Damage {
        match self.failure.take() {
            Some(source) => Damage::Unreadable { source },
            None => Damage::Cut { part, end: self.offset.saturating_add((self.end - self.start) as u64) },
        }
    }

    /// Goes past `len` bytes, however many those are; false when the stream stops before.
    pub(super) fn skip(&mut self, mut len: u64) -> bool {
        while len > 0 {
            if !self.has(1) {
                return false;
            }
            let step = len.min(self.rest().len() as u64);
            self.take(step as usize, 0, 0);
            len -= step;
        }
        true
    }
}

/// What reading gives; a decoder that panics at hostile data is a source that failed. It is not asked again.
pub(super) fn guarded(read: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err(io::Error::other("its decoder gave up, which is a fault of the decoder")))
}
