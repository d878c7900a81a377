//! A stream that another thread reads and unpacks ahead of whoever takes it apart.

use std::io::{self, ErrorKind, Read};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::buffer::guarded;

/// Bytes of one block. Large enough that handing it over costs nothing beside its reading, small enough that all stay in the cache.
const BLOCK: usize = 256 << 10;
/// Room before each block for what was left of the one before: nearly always a part of one packet.
pub(super) const HEADROOM: usize = 16 << 10;
/// Blocks that are read ahead.
const BLOCKS: usize = 3;

/// A block: from `HEADROOM` on, `len` bytes of the stream. One of no bytes is the end.
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) len: usize,
}

/// The receiving end.
pub(super) struct Ahead {
    full: Receiver<io::Result<Block>>,
    empty: Sender<Vec<u8>>,
}

impl Ahead {
    /// Begins to read. The thread ends with the stream, at its first error, or when this is dropped.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn of(source: Box<dyn Read + Send>) -> io::Result<Self> {
        let (outbox, full) = bounded(BLOCKS);
        let (empty, inbox) = bounded(BLOCKS);
        thread::Builder::new().name("reader".to_owned()).spawn(move || read_on(source, &inbox, &outbox))?;
        Ok(Self { full, empty })
    }

    /// The next block. Not to be asked for behind the end or an error.
    pub(super) fn next(&self) -> io::Result<Block> {
        self.full.recv().unwrap_or_else(|_| Err(io::Error::other("the thread that reads it came to an end before it did")))
    }

    /// Lets a block be filled again.
    pub(super) fn give_back(&self, bytes: Vec<u8>) {
        if bytes.len() == HEADROOM + BLOCK {
            // A reader that has ended needs none.
            self.empty.try_send(bytes).ok();
        }
    }
}

fn read_on(mut source: Box<dyn Read + Send>, inbox: &Receiver<Vec<u8>>, outbox: &Sender<io::Result<Block>>) {
    let mut fresh = (0..BLOCKS).map(|_| vec![0; HEADROOM + BLOCK]);
    while let Some(mut bytes) = fresh.next().or_else(|| inbox.recv().ok()) {
        let read = some(&mut *source, bytes.get_mut(HEADROOM..).unwrap_or_default());
        let is_last = !matches!(read, Ok(len) if len > 0);
        if outbox.send(read.map(|len| Block { bytes, len })).is_err() || is_last {
            return;
        }
    }
}

/// Some bytes, as many as come at once.
fn some(source: &mut (dyn Read + Send), into: &mut [u8]) -> io::Result<usize> {
    loop {
        match guarded(|| source.read(into)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}
