//! Those who are told: one file per kind of sink. Each works from its outbox rows, in order, at least once.

use crate::config::SinkSettings;
use crate::store::Store;

/// All sinks of a configuration at work, each at its own pace.
#[derive(Debug)]
pub struct Sinks;

/// Why one attempt failed.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// Placeholder.
    #[error("not there yet")]
    Missing,
}

impl Sinks {
    /// Starts a task for each sink on the tokio runtime that is entered.
    #[must_use]
    pub fn begin(_store: &Store, _sinks: &[SinkSettings]) -> Self {
        Self
    }

    /// Goes on with other settings: those unchanged keep running, the others end after their present attempt and begin anew.
    pub fn exchange(&mut self, _sinks: &[SinkSettings]) {}

    /// Files are opened anew (SIGUSR1).
    pub fn reopen(&self) {}

    /// Ends all after what is due now was tried, or at `at_most`.
    pub async fn end(self, _at_most: std::time::Duration) {}
}
