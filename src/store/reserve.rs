//! Room that is held on the disk, and given to the database when there is no other.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// The file in the folder of the database.
const FILE: &str = "alerts.reserve";
/// How often at most it is tried to hold room again.
const PAUSE: Duration = Duration::from_secs(5);
/// Less free room than this is none: SQLite then reports failures of many kinds.
const NO_ROOM: u64 = 64 << 10;

/// A file that holds room.
#[derive(Debug)]
pub(super) struct Reserve {
    folder: PathBuf,
    /// Bytes; none for nothing.
    size: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    is_held: bool,
    tried: Option<Instant>,
}

impl Reserve {
    /// Holds `size` bytes in `folder`; of a disk that has no such room it is only told.
    pub(super) fn hold(folder: &Path, size: u64) -> Self {
        let reserve = Self { folder: folder.to_owned(), size, state: Mutex::new(State { is_held: false, tried: None }) };
        if let Err(error) = reserve.take() {
            tracing::warn!("no reserve of {size} bytes could be held for a full disk: {error}; make room in {}", folder.display());
        }
        reserve
    }
    /// One that holds nothing and gives nothing: that of another process is not ours to give.
    pub(super) fn none(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), size: 0, state: Mutex::new(State { is_held: false, tried: None }) }
    }

    /// Gives the room back to the disk; false when none was held.
    pub(super) fn release(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.is_held {
            return false;
        }
        let released = OpenOptions::new().write(true).open(self.path()).and_then(|file| file.set_len(0));
        state.is_held = false;
        state.tried = Some(Instant::now());
        match released {
            Ok(()) => tracing::warn!("the disk is full: the reserve of {} bytes was given to the alert database; make room", self.size),
            Err(ref error) => tracing::error!("the disk is full, and the reserve could not be given to the alert database: {error}"),
        }
        released.is_ok()
    }

    /// Holds room again once there is twice as much, looking every few seconds only.
    pub(super) fn restore(&self) {
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if self.size == 0 || state.is_held || state.tried.is_some_and(|tried| tried.elapsed() < PAUSE) {
                return;
            }
            state.tried = Some(Instant::now());
        }
        let has_room = self.free().is_ok_and(|free| free / 2 >= self.size);
        if has_room && self.take().is_ok() {
            tracing::warn!("the disk has room again: a reserve of {} bytes is held for the alert database", self.size);
        }
    }

    /// Whether the disk has no room worth the name.
    pub(super) fn is_disk_full(&self) -> bool {
        self.free().is_ok_and(|free| free < NO_ROOM)
    }

    fn free(&self) -> io::Result<u64> {
        let room = statvfs(&self.folder)?;
        Ok(room.f_bavail.saturating_mul(room.f_frsize))
    }

    fn take(&self) -> io::Result<()> {
        if self.size == 0 {
            let gone = fs::remove_file(self.path());
            return gone.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) });
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(self.path())?;
        let there = file.metadata()?;
        // A file with holes holds nothing.
        if there.len() != self.size || there.blocks().saturating_mul(512) < self.size {
            file.set_len(0)?;
            if let Err(error) = allocate(&mut file, self.size) {
                file.set_len(0)?;
                return Err(error);
            }
        }
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_held = true;
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }
}

/// Some file systems cannot promise room; there it is written.
fn allocate(file: &mut File, size: u64) -> io::Result<()> {
    if let Err(error) = fallocate(&*file, FallocateFlags::empty(), 0, size) {
        if error != rustix::io::Errno::OPNOTSUPP {
            return Err(error.into());
        }
        let block = vec![0; 1 << 16];
        let mut left = size;
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            file.write_all(block.get(..piece).unwrap_or_default())?;
            left -= piece as u64;
        }
    }
    file.sync_all()
}
