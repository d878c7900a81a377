//! A damaged database: set aside under a name with the time, and what can still be read of it taken over into a new one.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params_from_iter};

use super::wanted::Wanted;
use super::{StoreError, commit, connections, schema};

/// Damaged databases that are kept; older ones are removed, as a disk that fails would fill with them.
const KEPT: usize = 3;
/// Rows of a table that are looked for, counted from the last.
const ROWS: i64 = 1_000_000;
/// How long a database is checked when it is opened; what that does not reach shows when it is used.
const CHECK: Duration = Duration::from_secs(10);
/// Instructions of SQLite between two looks at the time.
const STRIDE: i32 = 100_000;
/// Where outbox rows may be lost, alerts of the last day are told again rather than not at all, milliseconds.
const DOUBT: i64 = 86_400_000;

/// A damaged database that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its name since.
    pub path: PathBuf,
    /// Alerts that were taken over.
    pub alerts: u64,
    /// Of the outbox, the rows that waited or were given up.
    pub waiting: u64,
    /// Alerts of the last day that are told again, as nothing shows whether they were.
    pub doubtful: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
}

/// How many rows wait or were given up.
const WAITING: &str = "SELECT count(*) FROM outbox WHERE state IN ('waiting', 'dead')";

/// Whether SQLite finds the structure of the file sound.
///
/// # Errors
/// [`StoreError::Corrupt`] with what it found.
pub(super) fn check(connection: &mut Connection, thoroughly: bool) -> Result<(), StoreError> {
    let begun = Instant::now();
    if !thoroughly {
        connection.progress_handler(STRIDE, Some(move || begun.elapsed() > CHECK))?;
    }
    let pragma = if thoroughly { "PRAGMA integrity_check(1)" } else { "PRAGMA quick_check(1)" };
    let found = connection.query_row(pragma, [], |row| row.get::<_, String>(0));
    connection.progress_handler(0, None::<fn() -> bool>)?;
    match found {
        Ok(word) if word == "ok" => Ok(()),
        Ok(damage) => Err(StoreError::Corrupt(damage)),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {
            tracing::info!("the alert database is large: it was checked for {} s only", CHECK.as_secs());
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// Gives the database and its journal another name, and removes the oldest such ones. The name.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
    let aside = with(path, &format!(".damaged-{stamp}"));
    let failed = |source| StoreError::Folder { path: path.to_owned(), source };
    // The journal first: without its database it is nothing, but a new database must not find it.
    for part in ["-wal", "-shm", ""] {
        match fs::rename(with(path, part), with(&aside, part)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    forget_oldest(path);
    Ok(aside)
}

fn forget_oldest(path: &Path) {
    let Some((folder, name)) = path.parent().zip(path.file_name().and_then(|name| name.to_str())) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    let marks = format!("{name}.damaged-");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut damaged: Vec<String> = names.filter(|name| name.starts_with(&marks) && name.ends_with('Z')).collect();
    damaged.sort();
    for oldest in damaged.iter().take(damaged.len().saturating_sub(KEPT)) {
        for part in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(folder.join(format!("{oldest}{part}")));
        }
        tracing::warn!("{oldest} was removed: {KEPT} damaged databases are kept");
    }
}

/// Takes over what can be read of `aside` into the new database at `path`: what waits and what is pending first.
pub(super) fn take_over(aside: PathBuf, path: &Path, wanted: &Wanted<'_>, now: i64) -> Result<SetAside, StoreError> {
    let mut fresh = connections::writing(path)?;
    schema::migrate(&mut fresh, schema::STEPS)?;
    // Rows come in any order; what refers to a lost one is put right at the end.
    fresh.execute_batch("PRAGMA foreign_keys = OFF")?;
    let mut found = SetAside { path: aside, alerts: 0, waiting: 0, doubtful: 0, unreadable: 0 };
    let damaged = damaged(&found.path);
    match damaged.as_ref().map(|damaged| Pair::of(damaged, &fresh)) {
        Ok(Ok(pair)) => pair.copy(&mut found, wanted, now)?,
        Ok(Err(error)) => tracing::error!("nothing could be read of {}: {error}", found.path.display()),
        Err(error) => tracing::error!("{} could not be opened: {error}", found.path.display()),
    }
    tracing::error!(
        "the alert database was damaged and set aside as {}; taken over: {} alerts, {} of what waits for sinks, {} told again in doubt; \
         {} rows could not be read",
        found.path.display(),
        found.alerts,
        found.waiting,
        found.doubtful,
        found.unreadable
    );
    Ok(found)
}

/// A connection to the damaged file, which stays as it was found.
fn damaged(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF")?;
    Ok(connection)
}

/// The tables of a damaged database, and the new one.
struct Pair<'a> {
    fresh: &'a Connection,
    alerts: Table<'a>,
    rows: Table<'a>,
    mutes: Option<Table<'a>>,
    /// Rows of the outbox that cannot be read.
    lost: u64,
}

impl<'a> Pair<'a> {
    fn of(damaged: &'a Connection, fresh: &'a Connection) -> Result<Self, StoreError> {
        let table = |name, key| Table::of(damaged, fresh, name, key);
        Ok(Self { fresh, alerts: table("alert", "seq")?, rows: table("outbox", "row")?, mutes: table("mute", "number").ok(), lost: 0 })
    }

    fn copy(mut self, found: &mut SetAside, wanted: &Wanted<'_>, now: i64) -> Result<(), StoreError> {
        self.within(|pair| pair.what_waits(found))?;
        self.within(|pair| pair.the_rest(found, wanted, now))
    }

    fn within(&mut self, work: impl FnOnce(&mut Self) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let transaction = self.fresh.unchecked_transaction()?;
        work(self)?;
        Ok(transaction.commit()?)
    }

    fn what_waits(&mut self, found: &mut SetAside) -> Result<(), StoreError> {
        for key in self.rows.keys() {
            match self.rows.look(key, "SELECT alert FROM outbox WHERE row = ?1 AND state IN ('waiting', 'dead')") {
                Ok(None) => {}
                Ok(Some(alert)) => {
                    self.alerts.take(alert)?;
                    self.rows.take(key)?;
                }
                Err(_) => self.lost += 1,
            }
        }
        for key in self.alerts.keys() {
            match self.alerts.look(key, "SELECT seq FROM alert WHERE seq = ?1 AND state = 'pending'") {
                Ok(None) => {}
                Ok(Some(seq)) => drop(self.alerts.take(seq)?),
                Err(_) => found.unreadable += 1,
            }
        }
        Ok(())
    }

    fn the_rest(&mut self, found: &mut SetAside, wanted: &Wanted<'_>, now: i64) -> Result<(), StoreError> {
        for table in self.mutes.iter().chain([&self.alerts, &self.rows]) {
            table.keys().rev().try_for_each(|key| table.take(key).map(drop))?;
        }
        self.fresh.execute_batch(
            "UPDATE alert SET storm = NULL WHERE storm IS NOT NULL AND storm NOT IN (SELECT seq FROM alert);
             UPDATE alert SET muted = NULL WHERE muted IS NOT NULL AND muted NOT IN (SELECT number FROM mute);
             DELETE FROM outbox WHERE alert NOT IN (SELECT seq FROM alert);",
        )?;
        found.alerts = self.fresh.query_row("SELECT count(*) FROM alert", [], |row| super::rows::count(row, 0))?;
        found.waiting = self.fresh.query_row(WAITING, [], |row| super::rows::count(row, 0))?;
        found.unreadable += self.lost;
        if self.lost > 0 || !self.rows.is_whole {
            found.doubtful = tell_again(self.fresh, wanted, now)?;
        }
        Ok(())
    }
}

/// Alerts of the last day without any outbox row are told: where rows are lost, nothing shows whether they were.
fn tell_again(fresh: &Connection, wanted: &Wanted<'_>, now: i64) -> Result<u64, StoreError> {
    let mut statement = fresh.prepare(
        "SELECT * FROM alert WHERE state <> 'pending' AND storm IS NULL AND muted IS NULL AND kind <> 'heartbeat' AND committed >= ?1
         AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.alert = alert.seq) ORDER BY seq",
    )?;
    let doubtful: Vec<super::Kept> = statement.query_map([now - DOUBT], super::rows::kept)?.collect::<Result<_, _>>()?;
    for kept in &doubtful {
        commit::tell(fresh, kept.seq, 1, now, wanted.by(&kept.record))?;
    }
    Ok(doubtful.len() as u64)
}

/// A table that is read row by row, as each row is found by a way of its own through the damaged file.
struct Table<'a> {
    damaged: &'a Connection,
    fresh: &'a Connection,
    read: String,
    write: String,
    first: i64,
    last: i64,
    /// Its ends could be read.
    is_whole: bool,
}

impl<'a> Table<'a> {
    fn of(damaged: &'a Connection, fresh: &'a Connection, name: &str, key: &str) -> Result<Self, StoreError> {
        // An older schema may lack a column, which then gets its default.
        let columns = |connection: &Connection| -> rusqlite::Result<Vec<String>> {
            connection.prepare("SELECT name FROM pragma_table_info(?1)")?.query_map([name], |row| row.get(0))?.collect()
        };
        let theirs = columns(damaged)?;
        let common: Vec<String> = columns(fresh)?.into_iter().filter(|column| theirs.contains(column)).collect();
        if !common.iter().any(|column| column == key) {
            return Err(StoreError::Corrupt(format!("it has no table {name}")));
        }
        let (columns, marks) = (common.join(", "), vec!["?"; common.len()].join(", "));
        let ask = |sql: &str| damaged.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
        let last = ask(&format!("SELECT max({key}) FROM {name}")).ok();
        let first = ask(&format!("SELECT min({key}) FROM {name}")).ok();
        let counted = || ask(&format!("SELECT seq FROM sqlite_sequence WHERE name = '{name}'")).ok().flatten();
        let is_whole = last.is_some() && first.is_some();
        let last = last.unwrap_or_else(counted).unwrap_or_default();
        Ok(Self {
            damaged,
            fresh,
            read: format!("SELECT {columns} FROM {name} WHERE {key} = ?1"),
            write: format!("INSERT OR IGNORE INTO {name} ({columns}) VALUES ({marks})"),
            first: first.flatten().unwrap_or_default().max(last.saturating_sub(ROWS)),
            last,
            is_whole,
        })
    }
    fn keys(&self) -> RangeInclusive<i64> {
        self.first..=self.last
    }
    /// The value that `sql` finds for `key`.
    fn look(&self, key: i64, sql: &str) -> rusqlite::Result<Option<i64>> {
        self.damaged.prepare_cached(sql)?.query_row([key], |row| row.get(0)).optional()
    }
    /// Copies one row; false when it is there already, or cannot be read.
    ///
    /// # Errors
    /// When it cannot be written.
    fn take(&self, key: i64) -> Result<bool, StoreError> {
        let values = self.damaged.prepare_cached(&self.read).and_then(|mut statement| {
            let columns = statement.column_count();
            statement.query_row([key], |row| (0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<Vec<Value>>>())
        });
        let Ok(values) = values else { return Ok(false) };
        match self.fresh.prepare_cached(&self.write)?.execute(params_from_iter(values)) {
            Ok(rows) => Ok(rows > 0),
            // What is in it is no value of such a column.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn with(path: &Path, part: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(part);
    name.into()
}
