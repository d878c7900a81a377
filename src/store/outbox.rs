//! What waits for each sink, and how its deliveries went.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Record, StoreError, rows};

/// Characters kept of what a receiver said.
const ERROR_LIMIT: usize = 500;

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
    /// 1 when it is told for the first time; else the count (10, 100, ...) at which it is told again.
    pub told: u64,
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

impl Delivery {
    /// The key by which a receiver knows that it has this message already: the alert's id, and behind it the count when it is told again
    /// because its storm grew (`1f0c9ab2c4d7e610-100`). The alert itself keeps its one id.
    #[must_use]
    pub fn key(&self) -> String {
        if self.told > 1 { format!("{}-{}", self.record.id, self.told) } else { self.record.id.clone() }
    }
}

/// The oldest that waits, if it is due. What failed at a later time than now waits no longer: the clock was put back.
pub(super) fn next(connection: &Connection, sink: &str, now: i64) -> Result<Option<Delivery>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT outbox.row, outbox.due <= ?2 OR coalesce(outbox.last_error_at, 0) > ?2 AS is_due, outbox.attempts, outbox.told, alert.* FROM outbox JOIN alert ON alert.seq = outbox.alert
         WHERE outbox.sink = ?1 AND outbox.state = 'waiting' ORDER BY outbox.row LIMIT 1",
    )?;
    let head = statement.query_row(params![sink, now], |row| {
        let kept = rows::kept(row)?;
        let eve = kept.eve().into_owned();
        let delivery = Delivery {
            row: row.get("row")?,
            attempts: row.get("attempts")?,
            count: kept.count,
            told: rows::count(row, "told")?,
            record: Record { eve, ..kept.record },
        };
        Ok(row.get::<_, bool>("is_due")?.then_some(delivery))
    });
    Ok(head.optional()?.flatten())
}

/// When the oldest that waits is due, Unix milliseconds.
pub(super) fn due_at(connection: &Connection, sink: &str) -> Result<Option<i64>, StoreError> {
    let head = "SELECT due FROM outbox WHERE sink = ?1 AND state = 'waiting' ORDER BY row LIMIT 1";
    Ok(connection.prepare_cached(head)?.query_row([sink], |row| row.get(0)).optional()?)
}

pub(super) fn delivered(transaction: &Transaction<'_>, row: i64, now: i64) -> Result<(), StoreError> {
    transaction.execute("UPDATE outbox SET state = 'delivered', ended = ?2 WHERE row = ?1", params![row, now])?;
    transaction.execute(
        "INSERT INTO sink (name, last_success) SELECT sink, ?2 FROM outbox WHERE row = ?1
         ON CONFLICT (name) DO UPDATE SET last_success = excluded.last_success",
        params![row, now],
    )?;
    Ok(())
}

pub(super) fn failed(transaction: &Transaction<'_>, row: i64, error: &str, now: i64, retry_at: Option<i64>) -> Result<(), StoreError> {
    let error: String = error.chars().take(ERROR_LIMIT).collect();
    transaction.execute(
        "UPDATE outbox SET attempts = min(attempts + 1, 4294967295), last_error = ?2, last_error_at = ?3, due = coalesce(?4, due),
         state = iif(?4 IS NULL, 'dead', 'waiting'), ended = iif(?4 IS NULL, ?3, NULL) WHERE row = ?1 AND state <> 'delivered'",
        params![row, error, now, retry_at],
    )?;
    transaction.execute(
        "INSERT INTO sink (name, last_error, last_error_at) SELECT sink, ?2, ?3 FROM outbox WHERE row = ?1
         ON CONFLICT (name) DO UPDATE SET last_error = excluded.last_error, last_error_at = excluded.last_error_at",
        params![row, error, now],
    )?;
    Ok(())
}

/// What was given up waits again, in its old place of the line. How many.
pub(super) fn retry_dead(transaction: &Transaction<'_>, sink: &str) -> Result<u64, StoreError> {
    let again = "UPDATE outbox SET state = 'waiting', attempts = 0, due = 0, ended = NULL WHERE sink = ?1 AND state = 'dead'";
    Ok(transaction.execute(again, [sink])? as u64)
}

/// All sinks that are configured or have anything in the database, by name.
pub(super) fn states(connection: &Connection, configured: &[String]) -> Result<Vec<SinkState>, StoreError> {
    let mut names: Vec<String> = connection
        .prepare("SELECT name FROM sink UNION SELECT DISTINCT sink FROM outbox WHERE state IN ('waiting', 'dead')")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    names.extend(configured.iter().cloned());
    names.sort();
    names.dedup();
    names.into_iter().map(|name| state(connection, name)).collect()
}

fn state(connection: &Connection, sink: String) -> Result<SinkState, StoreError> {
    let (waiting, oldest_waiting) =
        connection.query_row("SELECT count(*), min(made) FROM outbox WHERE sink = ?1 AND state = 'waiting'", [&sink], |row| {
            Ok((rows::count(row, 0)?, row.get(1)?))
        })?;
    let dead =
        connection.query_row("SELECT count(*) FROM outbox WHERE sink = ?1 AND state = 'dead'", [&sink], |row| rows::count(row, 0))?;
    let told = connection.query_row("SELECT last_success, last_error_at, last_error FROM sink WHERE name = ?1", [&sink], |row| {
        let error: (Option<i64>, Option<String>) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, error.0.zip(error.1)))
    });
    let (last_success, last_error) = told.optional()?.unwrap_or_default();
    Ok(SinkState { sink, waiting, dead, last_success, oldest_waiting, last_error })
}
