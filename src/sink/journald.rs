//! The journal as a sink: entries with structured fields.

use libsystemd::logging::{Priority, journal_send};

use super::error::SinkError;
use super::form::journal::Entry;

/// Hands an entry to the journal. Blocks while its socket is full.
///
/// # Errors
/// When there is no journal, or it does not take the entry.
pub(super) fn tell(entry: &Entry) -> Result<(), SinkError> {
    let priority = match entry.priority {
        0..=2 => Priority::Critical,
        3 => Priority::Error,
        4 => Priority::Warning,
        5 => Priority::Notice,
        _ => Priority::Info,
    };
    let fields = entry.fields.iter().map(|(name, text)| (name, text));
    journal_send(priority, &entry.message, fields).map_err(|error| SinkError::Journal(error.to_string()))
}
