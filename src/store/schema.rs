//! Whose file it is and which schema it has: each step forward is one file and one transaction.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// `Sidw`, in the file's header: the file is ours.
const APPLICATION: i64 = 0x5369_6477;

/// What brings a database from each schema to the next; the first makes it.
pub(super) const STEPS: &[&str] = &[include_str!("steps/1.sql")];

/// The schema of this build.
pub(super) const fn newest() -> i64 {
    STEPS.len() as i64
}

/// The schema that the file has; 0 for an empty file.
///
/// # Errors
/// When it is not ours, or of a newer build.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let is_empty: bool = connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?;
    match application {
        APPLICATION if found > newest() => Err(StoreError::Newer { path: path.to_owned(), found, known: newest() }),
        APPLICATION => Ok(found),
        0 if found == 0 && is_empty => Ok(0),
        _ => Err(StoreError::Foreign { path: path.to_owned() }),
    }
}

/// Brings the database to the last of `steps`. A step that fails leaves it at the one before.
///
/// # Errors
/// When a step fails.
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), StoreError> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Read under the lock: two processes may open a new file at the same time.
        let found: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let Some(step) = usize::try_from(found).ok().and_then(|found| steps.get(found)) else { return Ok(()) };
        transaction.execute_batch(step)?;
        transaction.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {}", found + 1))?;
        transaction.commit()?;
    }
}
