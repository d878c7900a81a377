//! Rows of the database as values.

use std::borrow::Cow;

use rusqlite::types::Type;
use rusqlite::{Row, RowIndex};

use super::{Kind, Record, mark};

/// What the database keeps of an alert beside its record.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Place in the order of commits.
    pub(super) seq: i64,
    /// What was committed.
    pub record: Record,
    /// Whether its evidence is complete.
    pub state: State,
    /// When it was committed, Unix milliseconds.
    pub committed: i64,
    /// Alerts that it stands for, itself included.
    pub count: u64,
    /// Of these, those that are counted and not kept.
    pub left_out: u64,
    /// Packet time of the last of them, Unix microseconds.
    pub last_at: i64,
    /// It repeats another, and is not told by itself.
    pub is_repeat: bool,
    /// Number of the mute that keeps it from being told.
    pub muted: Option<i64>,
}

impl Kept {
    /// Its EVE line as it is told: with the count of its storm, if it has one.
    #[must_use]
    pub fn eve(&self) -> Cow<'_, str> {
        if self.count > 1 { mark::with_count(&self.record.eve, self.count, self.last_at).into() } else { (&*self.record.eve).into() }
    }
}

/// Whether an alert's evidence is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is still awaited.
    Pending,
    /// It is.
    Complete,
    /// Sidewatch ended before it was.
    Incomplete,
}

impl State {
    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Complete => "complete",
            Self::Incomplete => "incomplete",
        }
    }
    fn named(name: &str) -> Option<Self> {
        [Self::Pending, Self::Complete, Self::Incomplete].into_iter().find(|state| state.name() == name)
    }
}

/// A row that has all columns of `alert`.
pub(super) fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let word = |column: &str| -> rusqlite::Result<String> { row.get(column) };
    let unknown = |column: &str, found: &str| {
        rusqlite::Error::FromSqlConversionFailure(0, Type::Text, format!("{column} is {found:?}, which this build does not know").into())
    };
    let (kind, state) = (word("kind")?, word("state")?);
    Ok(Kept {
        seq: row.get("seq")?,
        record: Record {
            id: word("id")?,
            kind: Kind::named(&kind).ok_or_else(|| unknown("kind", &kind))?,
            at: row.get("at")?,
            severity: row.get("severity")?,
            mechanism: word("mechanism")?,
            verdict: word("verdict")?,
            client: word("client")?,
            server: word("server")?,
            headline: word("headline")?,
            explanation: word("explanation")?,
            storm_key: word("storm_key")?,
            eve: word("eve")?,
        },
        state: State::named(&state).ok_or_else(|| unknown("state", &state))?,
        committed: row.get("committed")?,
        count: count(row, "count")?,
        left_out: count(row, "left_out")?,
        last_at: row.get("last_at")?,
        is_repeat: row.get::<_, Option<i64>>("storm")?.is_some(),
        muted: row.get("muted")?,
    })
}

/// A number that is not negative.
pub(super) fn count(row: &Row<'_>, column: impl RowIndex) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default())
}
