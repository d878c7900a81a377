//! Reading what is kept, for people: with the daemon at work or without it, and with no right to write.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params_from_iter, types::Value};

use super::connections::{self, FILE};
use super::{Kept, Mute, Store, StoreError, mute, rows, schema};

/// Alerts that a beginning of an id can name before it says too little.
const NAMED: u32 = 20;

/// The database, opened to be read only.
#[derive(Debug)]
pub struct Archive(Connection);

/// Which alerts are asked for. What is not given does not matter.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Packet time of the first, or for a storm of the last, from then on; Unix microseconds.
    pub since: Option<i64>,
    /// The least loud severity, 1 to 3.
    pub severity: Option<u8>,
    /// EVE name of the mechanism.
    pub mechanism: Option<String>,
    /// Address of the victim.
    pub client: Option<String>,
    /// Only those whose evidence is awaited.
    pub is_pending: bool,
    /// Repeats of storms too, which their first alert counts.
    pub with_repeats: bool,
    /// The last so many.
    pub limit: Option<u32>,
}

/// How one delivery went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The sink.
    pub sink: String,
    /// `waiting`, `delivered` or `dead`.
    pub state: String,
    /// 1 for the first telling, else the count at which it was told again.
    pub told: u64,
    /// Attempts that failed.
    pub attempts: u64,
    /// When it is due, Unix milliseconds; 0 at once.
    pub due: i64,
    /// When it was delivered or given up, Unix milliseconds.
    pub ended: Option<i64>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

impl Archive {
    /// Opens the database in `folder`. Nothing is written, not even by a user who could.
    ///
    /// # Errors
    /// When none is there, it cannot be read, or is not ours or of this build's schema.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(FILE);
        fs::File::open(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => StoreError::Absent { path: path.clone() },
            _ => StoreError::Folder { path: path.clone(), source },
        })?;
        let connection = connect(&path)?;
        let found = schema::check(&connection, &path)?;
        if found < schema::newest() {
            return Err(StoreError::Older { path, found, known: schema::newest() });
        }
        Ok(Self(connection))
    }

    /// Gives each alert asked for to `take`, oldest first, until that says no.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn each(&self, query: &Query, take: impl FnMut(Kept) -> bool) -> Result<(), StoreError> {
        each(&self.0, query, take)
    }

    /// Alerts and events whose id begins so; at most twenty.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find(&self, beginning: &str) -> Result<Vec<Kept>, StoreError> {
        find(&self.0, beginning)
    }

    /// How its deliveries went, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn told(&self, kept: &Kept) -> Result<Vec<Told>, StoreError> {
        let mut statement = self.0.prepare_cached("SELECT * FROM outbox WHERE alert = ?1 ORDER BY row")?;
        let told = statement.query_map([kept.seq], |row| {
            Ok(Told {
                sink: row.get("sink")?,
                state: row.get("state")?,
                told: rows::count(row, "told")?,
                attempts: rows::count(row, "attempts")?,
                due: row.get("due")?,
                ended: row.get("ended")?,
                last_error: row.get("last_error")?,
            })
        })?;
        Ok(told.collect::<Result<_, _>>()?)
    }

    /// The alert that it repeats.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn first_of(&self, kept: &Kept) -> Result<Option<Kept>, StoreError> {
        let first = "SELECT * FROM alert WHERE seq = (SELECT storm FROM alert WHERE seq = ?1)";
        let mut statement = self.0.prepare_cached(first)?;
        let mut found = statement.query_map([kept.seq], rows::kept)?;
        Ok(found.next().transpose()?)
    }

    /// All mutes, the expired too, by number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn mutes(&self) -> Result<Vec<Mute>, StoreError> {
        mute::all(&self.0)
    }
}

impl Store {
    /// Alerts and events whose id begins so; at most twenty.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn find(&self, beginning: &str) -> Result<Vec<Kept>, StoreError> {
        self.0.connections.read(|connection| find(connection, beginning))
    }
}

/// Ids are of letters and figures, which all sort before `~`.
fn find(connection: &Connection, beginning: &str) -> Result<Vec<Kept>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT * FROM alert WHERE id BETWEEN ?1 AND ?1 || '~' ORDER BY id LIMIT ?2")?;
    Ok(statement.query_map(rusqlite::params![beginning, NAMED], rows::kept)?.collect::<Result<_, _>>()?)
}

fn each(connection: &Connection, query: &Query, mut take: impl FnMut(Kept) -> bool) -> Result<(), StoreError> {
    let mut wanted = vec!["kind = 'alert'"];
    let mut values: Vec<Value> = Vec::new();
    let mut ask = |condition: &'static str, value: Option<Value>| {
        if let Some(value) = value {
            wanted.push(condition);
            values.push(value);
        }
    };
    ask("last_at >= ?", query.since.map(Value::Integer));
    ask("severity <= ?", query.severity.map(|severity| Value::Integer(severity.into())));
    ask("mechanism = ?", query.mechanism.clone().map(Value::Text));
    ask("client = ?", query.client.clone().map(Value::Text));
    ask("state = ?", query.is_pending.then(|| Value::Text("pending".to_owned())));
    if !query.with_repeats {
        wanted.push("storm IS NULL");
    }
    values.push(Value::Integer(query.limit.map_or(-1, i64::from)));
    let last = format!("SELECT seq FROM alert WHERE {} ORDER BY seq DESC LIMIT ?", wanted.join(" AND "));
    let mut statement = connection.prepare(&format!("SELECT * FROM alert WHERE seq IN ({last}) ORDER BY seq"))?;
    let mut found = statement.query_map(params_from_iter(values), rows::kept)?;
    while let Some(kept) = found.next().transpose()? {
        if !take(kept) {
            break;
        }
    }
    Ok(())
}

/// Whoever may not write in the folder cannot take part in the journal's locks. Without a journal there is nothing to lock: nobody writes.
fn connect(path: &Path) -> Result<Connection, StoreError> {
    let asked = connections::read_only(path).and_then(|connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    match asked {
        Err(StoreError::Database(error)) if !has_journal(path) => {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
            let uri = immutable(path).ok_or(StoreError::Database(error))?;
            Ok(Connection::open_with_flags(uri, flags)?)
        }
        Err(StoreError::Database(error)) => Err(StoreError::Unreadable { path: path.to_owned(), source: error }),
        asked => asked,
    }
}

fn has_journal(path: &Path) -> bool {
    let journal = PathBuf::from(format!("{}-wal", path.display()));
    fs::metadata(journal).is_ok_and(|journal| journal.len() > 0)
}

/// The path as SQLite's URI of a file that nobody changes.
fn immutable(path: &Path) -> Option<String> {
    let mut url = url::Url::from_file_path(path.canonicalize().ok()?).ok()?;
    url.set_query(Some("immutable=1"));
    Some(url.into())
}
