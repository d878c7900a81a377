//! The alert database: what was raised is committed here before anything else happens to it, with one outbox row for each sink.

mod record;

use std::sync::Arc;

use crate::config::{SinkSettings, StoreSettings};
pub use record::{Kind, Record};

/// The database, shared by those who write and those who deliver. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<()>);

/// Why the database did not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Placeholder.
    #[error("not there yet")]
    Missing,
}

/// What a sink is to deliver next.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The outbox row.
    pub row: i64,
    /// What is told.
    pub record: Record,
    /// Attempts that failed.
    pub attempts: u32,
    /// How many alerts this one stands for.
    pub count: u64,
}

/// How a sink fares.
#[derive(Clone, Debug, Default)]
pub struct SinkState {
    /// Its name.
    pub sink: String,
    /// Rows that wait.
    pub waiting: u64,
    /// Rows given up, that can be tried again.
    pub dead: u64,
    /// When a delivery last succeeded, Unix milliseconds.
    pub last_success: Option<i64>,
    /// When the oldest waiting row was committed, Unix milliseconds.
    pub oldest_waiting: Option<i64>,
    /// The last failure: when, and why.
    pub last_error: Option<(i64, String)>,
}

impl Store {
    /// Opens or makes the database; migrates it forward. What a crash left pending becomes complete, marked incomplete, with outbox rows for `sinks`.
    ///
    /// # Errors
    /// When it cannot be opened, was written by a newer build, or is corrupt and could not be set aside.
    pub fn open(_settings: &StoreSettings, _sinks: &[SinkSettings]) -> Result<Self, StoreError> {
        Err(StoreError::Missing)
    }

    /// Commits suspicions whose evidence is not complete. One transaction.
    ///
    /// # Errors
    /// When nothing was committed.
    pub fn pend(&self, _records: &[Record]) -> Result<(), StoreError> {
        Err(StoreError::Missing)
    }

    /// Commits records with an outbox row for each sink that wants them; those of a storm raise a count. One transaction; wakes those who deliver.
    ///
    /// # Errors
    /// When nothing was committed.
    pub fn commit(&self, _records: &[Record], _sinks: &[SinkSettings]) -> Result<(), StoreError> {
        Err(StoreError::Missing)
    }

    /// What this sink is to deliver next, in order of commits, if it is due at `now` (Unix milliseconds).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn next(&self, _sink: &str, _now: i64) -> Result<Option<Delivery>, StoreError> {
        Err(StoreError::Missing)
    }

    /// It was delivered.
    ///
    /// # Errors
    /// When that could not be noted: it will be delivered again.
    pub fn delivered(&self, _row: i64, _now: i64) -> Result<(), StoreError> {
        Err(StoreError::Missing)
    }

    /// It was not; due again at `retry_at` (Unix milliseconds), or with none given up until somebody retries it.
    ///
    /// # Errors
    /// When that could not be noted.
    pub fn failed(&self, _row: i64, _error: &str, _now: i64, _retry_at: Option<i64>) -> Result<(), StoreError> {
        Err(StoreError::Missing)
    }

    /// How the sinks fare.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sink_states(&self) -> Result<Vec<SinkState>, StoreError> {
        Err(StoreError::Missing)
    }

    /// Waits, on the calling thread, until something is committed or `at_most` has passed.
    pub fn wait(&self, _at_most: std::time::Duration) {}
}
