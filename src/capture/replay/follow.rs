//! A file that is still being written: its end is waited at, until somebody says stop or the file is replaced.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How long to wait before looking again whether the file has grown.
const POLL: Duration = Duration::from_millis(100);

/// What the reader of a growing file and its owner tell each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    /// Set by the owner: the end that is there now is the end.
    pub(super) stop: Arc<AtomicBool>,
    /// Set by the reader: everything that was in the file has been read.
    pub(super) caught_up: Arc<AtomicBool>,
}

/// Reads a file as it grows.
pub(super) struct Growing {
    file: File,
    path: PathBuf,
    position: u64,
    signs: Signs,
}

impl Growing {
    pub(super) fn new(file: File, path: PathBuf, signs: Signs) -> Self {
        Self { file, path, position: 0, signs }
    }

    fn read_on(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.position = self.position.saturating_add(read as u64);
        self.signs.caught_up.store(read < into.len(), Ordering::Relaxed);
        Ok(read)
    }

    /// Whether the path leads to another file now, or to none, or the file was emptied and begun anew.
    fn is_replaced(&self) -> bool {
        let (Ok(own), Ok(there)) = (self.file.metadata(), fs::metadata(&self.path)) else { return true };
        (own.dev(), own.ino()) != (there.dev(), there.ino()) || own.len() < self.position
    }
}

impl Read for Growing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while !self.signs.stop.load(Ordering::Relaxed) {
            // Asked before reading: what was written up to the replacement is still read.
            let replaced = self.is_replaced();
            let read = self.read_on(into)?;
            if read > 0 || replaced {
                return Ok(read);
            }
            thread::sleep(POLL);
        }
        Ok(0)
    }
}
