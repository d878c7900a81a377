//! What can go wrong with the database, and what to do then.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the database did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or a file in it cannot be made or used.
    #[error("{path}: {source}; the folder of the database must exist or be makeable, and be writable for this user")]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another build wrote it.
    #[error("{path}: written by a newer Sidewatch (schema {found}, this build knows {known}): install that version or move the file away")]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this build knows.
        known: i64,
    },
    /// An older build wrote it, and only reading was asked for.
    #[error(
        "{path}: written by an older Sidewatch (schema {found}, this build knows {known}): start `sidewatch run` once, which brings it forward"
    )]
    Older {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The schema of this build.
        known: i64,
    },
    /// It lies there, and cannot be read by this user.
    #[error("{path}: {source}; run this as root, or as a user who may write in that folder: reading takes part in the database's locks")]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Some other program's.
    #[error("{path}: this is another program's database and stays as it is: give Sidewatch a folder of its own, or move the file away")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There is none.
    #[error("{path}: no alert database is there; it is made by `sidewatch run`")]
    Absent {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// Another daemon works with it.
    #[error("{path}: another `sidewatch run` works with this database; end that one, or give this one a folder of its own")]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// Another process holds it locked; nothing was written, and it can be tried again.
    #[error("the alert database is locked by another process; nothing was written, and it is tried again")]
    Busy,
    /// No room, not even with the reserve; nothing was written, and it can be tried again.
    #[error("no room is left for the alert database; nothing was written, and it is tried again: make room on that file system")]
    Full,
    /// It is damaged: [`super::Store::reopen`] sets it aside and begins a new one.
    #[error("the alert database is damaged: {0}")]
    Corrupt(String),
    /// Anything else that SQLite says.
    #[error("the alert database: {0}")]
    Database(rusqlite::Error),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody doing anything to the database itself.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Full)
    }
    /// Whether the database is damaged, so that [`super::Store::reopen`] is what helps.
    #[must_use]
    pub const fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error.to_string()),
            _ => Self::Database(error),
        }
    }
}
