//! What is removed again: what was delivered and is old, or too much.

use std::fs;

use rusqlite::{Connection, Transaction, params};

use super::connections::{Durability, FILE, JOURNAL};
use super::{Store, StoreError};

/// Alerts that one transaction removes, so that commits in between wait for short times only.
const PIECE: u32 = 100;
/// What sinks gave up is kept so many times as long as what they delivered.
const DEAD_KEEP: i64 = 4;
/// Delivered heartbeats say nothing after a day, milliseconds.
const HEARTBEAT_KEEP: i64 = 86_400_000;
/// Rows of one sink above which it is told that they only wait. None is dropped.
const WAITING_MANY: u64 = 100_000;
/// Pages given back to the disk at once.
const PAGES: u32 = 10_000;

/// What was removed, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Alerts and events that were removed.
    pub removed: u64,
    /// Bytes in use in the database.
    pub bytes: u64,
    /// It is larger than it should be, as all that is left waits to be delivered.
    pub is_over: bool,
}

impl Store {
    /// Removes what was delivered and is older than it is kept, and of what was delivered the oldest as long as the database is too large.
    /// What waits stays, but for what waits for a sink that is configured no more. To be called every few minutes.
    ///
    /// # Errors
    /// When the database cannot be written; what was removed until then is.
    pub fn prune(&self, now: i64) -> Result<Pruned, StoreError> {
        let settings = &self.0.settings;
        let keep = i64::try_from(settings.keep.as_millis()).unwrap_or(i64::MAX);
        let names: Vec<String> = self.sinks().iter().map(|sink| sink.name.clone()).collect();
        let old = Old {
            sinks: serde_json::Value::from(names).to_string(),
            before: now.saturating_sub(keep),
            dead_before: now.saturating_sub(keep.saturating_mul(DEAD_KEEP)),
        };
        let mut pruned = Pruned::default();
        for (filter, before) in [("", old.before), ("kind = 'heartbeat' AND", now.saturating_sub(HEARTBEAT_KEEP))] {
            while let Some(removed) = self.remove(&old, filter, before)? {
                pruned.removed += removed;
            }
        }
        pruned.bytes = self.0.connections.tend(used)?;
        while pruned.bytes > settings.size {
            let Some(removed) = self.remove(&old, "", i64::MAX)? else { break };
            pruned.removed += removed;
            pruned.bytes = self.0.connections.tend(used)?;
        }
        pruned.is_over = pruned.bytes > settings.size;
        self.shrink()?;
        self.tell(&pruned)?;
        self.0.reserve.restore();
        Ok(pruned)
    }

    /// A piece of what may go, the oldest first; none when there was nothing.
    fn remove(&self, old: &Old, filter: &str, before: i64) -> Result<Option<u64>, StoreError> {
        let removed = self.write(Durability::Process, |transaction| old.remove(transaction, filter, before))?;
        Ok((removed > 0).then_some(removed))
    }

    /// Gives room back to the disk: free pages of the database, and its journal.
    fn shrink(&self) -> Result<(), StoreError> {
        let journal = fs::metadata(self.0.settings.folder.join(format!("{FILE}-wal"))).map_or(0, |journal| journal.len());
        self.0.connections.tend(|connection| {
            let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
            let mut pages = vacuum.query([])?;
            while pages.next()?.is_some() {}
            drop(pages);
            drop(vacuum);
            if journal > JOURNAL { cut_journal(connection) } else { Ok(()) }
        })
    }

    fn tell(&self, pruned: &Pruned) -> Result<(), StoreError> {
        if pruned.is_over {
            let size = self.0.settings.size;
            tracing::warn!(
                "the alert database has {} bytes, {size} are allowed: what is left waits for its sinks and stays, see `sidewatch sinks status`",
                pruned.bytes
            );
        }
        for state in self.sink_states()?.into_iter().filter(|state| state.waiting > WAITING_MANY) {
            let why = state.last_error.map_or_else(String::new, |(_, error)| format!(", its last error: {error}"));
            tracing::warn!("{} alerts wait for the sink {}{why}", state.waiting, state.sink);
        }
        Ok(())
    }
}

/// What may go.
struct Old {
    /// Names of the sinks that are configured, as JSON.
    sinks: String,
    before: i64,
    dead_before: i64,
}

impl Old {
    fn remove(&self, transaction: &Transaction<'_>, filter: &str, before: i64) -> Result<u64, StoreError> {
        let sql = format!(
            "DELETE FROM alert WHERE seq IN (
               SELECT seq FROM alert WHERE {filter} committed < ?1 AND state <> 'pending' AND NOT EXISTS (
                 SELECT 1 FROM outbox WHERE outbox.alert = alert.seq AND (
                   outbox.state = 'waiting' AND (outbox.made >= ?2 OR outbox.sink IN (SELECT value FROM json_each(?3)))
                   OR outbox.state = 'dead' AND outbox.made >= ?4))
               ORDER BY committed, seq LIMIT ?5)"
        );
        let removed = transaction.prepare_cached(&sql)?.execute(params![before, self.before, self.sinks, self.dead_before, PIECE])?;
        Ok(removed as u64)
    }
}

/// Writes what the journal holds into the database, and gives its room back. Readers that are at work are waited for.
pub(super) fn cut_journal(connection: &mut Connection) -> Result<(), StoreError> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Bytes of pages in use.
fn used(connection: &mut Connection) -> Result<u64, StoreError> {
    let ask = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| super::rows::count(row, 0));
    Ok((ask("page_count")?.saturating_sub(ask("freelist_count")?)).saturating_mul(ask("page_size")?))
}
