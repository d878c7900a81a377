//! Connections to the file: how they are opened, the one that writes and those that read.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{StoreError, schema};

/// The database in its folder.
pub(super) const FILE: &str = "alerts.db";
/// Held locked by the daemon as long as it runs.
const LOCK: &str = "alerts.lock";
/// How long a lock of another process is waited for, SQLite's own short waits in between.
const BUSY: Duration = Duration::from_secs(5);
/// Connections for reading that are kept open while nobody uses them.
const IDLE_READERS: usize = 8;
/// Pages in the journal after which it is copied into the database and begun anew: a mebibyte, so that even a small reserve lasts.
const JOURNAL_PAGES: u32 = 256;
/// Bytes that the journal keeps on the disk after it was copied into the database.
pub(super) const JOURNAL: u64 = 4 << 20;

/// All connections of this process.
#[derive(Debug)]
pub(super) struct Connections {
    path: PathBuf,
    // Closed before those that write: of the last one SQLite wants that it takes the journal into the database, which one that reads cannot.
    readers: Mutex<Readers>,
    writers: Mutex<Option<Writers>>,
}

/// Both write to one file, and never at the same time.
#[derive(Debug)]
struct Writers {
    /// What it committed survives the loss of power.
    durable: Connection,
    /// What it committed survives the end of this process only: after a loss of power something is delivered twice.
    quick: Connection,
}

#[derive(Debug, Default)]
struct Readers {
    idle: Vec<Connection>,
    /// Grows when the file is exchanged: connections of before are not kept.
    generation: u64,
}

/// How much of a commit must survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The loss of power.
    Power,
    /// The end of this process.
    Process,
}

impl Connections {
    /// None is open yet.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), writers: Mutex::default(), readers: Mutex::default() }
    }

    /// Opens the file, made where it is missing, and brings it to this build's schema.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        let mut writers = self.writers();
        *writers = Some(Writers::open(&self.path)?);
        Ok(())
    }

    /// Runs `work` in one transaction; nothing of it stays when it fails.
    pub(super) fn write<T>(
        &self,
        durability: Durability,
        work: impl Fn(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut writers = self.writers();
        let Writers { durable, quick } = writers.as_mut().ok_or_else(exchanged)?;
        let connection = if durability == Durability::Power { durable } else { quick };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    /// Runs `work` outside of a transaction, on the connection that writes.
    pub(super) fn tend<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&mut self.writers().as_mut().ok_or_else(exchanged)?.durable)
    }

    /// Runs `work` on a connection that reads, beside those that write.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (idle, generation) = {
            let mut readers = self.readers();
            (readers.idle.pop(), readers.generation)
        };
        let connection = idle.map_or_else(|| read_only(&self.path), Ok)?;
        let done = work(&connection)?;
        let mut readers = self.readers();
        if readers.generation == generation && readers.idle.len() < IDLE_READERS {
            readers.idle.push(connection);
        }
        Ok(done)
    }

    /// Closes all, lets `exchange` put another file in place, and opens that.
    pub(super) fn exchange<T>(&self, exchange: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut writers = self.writers();
        *writers = None;
        let mut readers = self.readers();
        readers.idle.clear();
        readers.generation += 1;
        let done = exchange()?;
        *writers = Some(Writers::open(&self.path)?);
        Ok(done)
    }

    fn writers(&self) -> MutexGuard<'_, Option<Writers>> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writers {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let mut durable = writing(path)?;
        schema::migrate(&mut durable, schema::STEPS)?;
        let quick = writing(path)?;
        quick.execute_batch("PRAGMA synchronous = NORMAL")?;
        Ok(Self { durable, quick })
    }
}

/// An exchange that failed left no file to work with; the next one may put that right.
fn exchanged() -> StoreError {
    StoreError::Corrupt("it was set aside, and a new one could not be made yet".to_owned())
}

/// A connection that writes to a file of ours or an empty one, which is told by its header before anything is changed.
pub(super) fn writing(path: &Path) -> Result<Connection, StoreError> {
    make(path)?;
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    schema::check(&connection, path)?;
    // The first of these only counts in an empty file.
    connection.execute_batch(&format!(
        "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA journal_size_limit = {JOURNAL}; PRAGMA wal_autocheckpoint = {JOURNAL_PAGES}; PRAGMA trusted_schema = OFF;"
    ))?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch("PRAGMA trusted_schema = OFF")?;
    Ok(connection)
}

/// Alerts tell who visited what: they are for their owner and group. SQLite gives its other files the same mode.
fn make(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o640).open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(StoreError::Folder { path: path.to_owned(), source: error }),
        _ => Ok(()),
    }
}

/// Makes the folder if it is missing.
pub(super) fn folder(path: &Path) -> Result<(), StoreError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o750).create(path);
    made.map_err(|source| StoreError::Folder { path: path.to_owned(), source })
}

/// The lock that says that a daemon works with this folder. It ends with the process, however that ends.
pub(super) fn lock(folder: &Path) -> Result<File, StoreError> {
    let path = folder.join(LOCK);
    let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o640).open(&path);
    let file = opened.map_err(|source| StoreError::Folder { path: path.clone(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::InUse { path }),
        Err(fs::TryLockError::Error(source)) => Err(StoreError::Folder { path, source }),
    }
}
