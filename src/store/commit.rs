//! How records come into the database: suspicions, what is complete, repeats of a storm, and what is muted.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::mute::Mutes;
use super::wanted::Wanted;
use super::{Kind, Record, State, StoreError};

/// Repeats of one storm that are kept whole; further ones are only counted (`alert.left_out`).
pub(super) const STORM_KEPT: u64 = 1_000;

impl First {
    /// Whether a repeat of it is kept whole.
    const fn has_room(&self) -> bool {
        self.count.saturating_sub(self.left_out) <= STORM_KEPT
    }
}

/// What a commit goes by.
pub(super) struct Terms<'a> {
    pub(super) wanted: Wanted<'a>,
    pub(super) mutes: Mutes,
    /// Packet time between the first alert of a storm and its last, microseconds.
    pub(super) storm: i64,
    /// Unix milliseconds.
    pub(super) now: i64,
}

/// What became of the records of one commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Told to those who want them.
    pub(super) told: u64,
    /// Counted with the first of their storm.
    pub(super) repeats: u64,
    /// Of these, not kept.
    pub(super) left_out: u64,
    /// Kept and told to nobody.
    pub(super) muted: u64,
    /// Committed before.
    pub(super) again: u64,
}

/// The first alert of a storm.
struct First {
    seq: i64,
    count: u64,
    left_out: u64,
}

/// Writes a suspicion. One that would only be counted when it is complete is left to that.
pub(super) fn pend(transaction: &Transaction<'_>, record: &Record, terms: &Terms<'_>) -> Result<(), StoreError> {
    let first = first(transaction, record, terms, terms.mutes.of(record).is_some())?;
    if first.is_none_or(|first| first.has_room()) {
        write(transaction, record, Place { state: State::Pending, now: terms.now, storm: None, muted: None })?;
    }
    Ok(())
}

/// Commits one record, as complete or as incomplete.
pub(super) fn commit(
    transaction: &Transaction<'_>,
    record: &Record,
    state: State,
    terms: &Terms<'_>,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    let known = transaction.prepare_cached("SELECT state FROM alert WHERE id = ?1")?.query_row([&record.id], |row| row.get(0));
    let known: Option<String> = known.optional()?;
    if known.is_some_and(|known| known != State::Pending.name()) {
        tally.again += 1;
        return Ok(());
    }
    if record.kind == Kind::Heartbeat {
        return heartbeat(transaction, record, terms, tally);
    }
    let muted = terms.mutes.of(record);
    let place = Place { state, now: terms.now, storm: None, muted };
    if let Some(first) = first(transaction, record, terms, muted.is_some())? {
        let kept = first.has_room().then(|| write(transaction, record, Place { storm: Some(first.seq), ..place })).transpose()?;
        return repeat(transaction, record, &first, kept.is_some(), terms).map(|()| {
            tally.repeats += 1;
            tally.left_out += u64::from(kept.is_none());
        });
    }
    let seq = write(transaction, record, place)?;
    if muted.is_some() {
        tally.muted += 1;
        return Ok(());
    }
    tell(transaction, seq, 1, terms.now, terms.wanted.by(record))?;
    tally.told += 1;
    Ok(())
}

/// Makes outbox rows; those that are there stay as they are.
pub(super) fn tell<'a>(
    transaction: &Connection,
    seq: i64,
    told: u64,
    now: i64,
    sinks: impl Iterator<Item = &'a str>,
) -> Result<(), StoreError> {
    let row = "INSERT INTO outbox (sink, alert, told, state, made) VALUES (?1, ?2, ?3, 'waiting', ?4) ON CONFLICT DO NOTHING";
    let mut statement = transaction.prepare_cached(row)?;
    for sink in sinks {
        statement.execute(params![sink, seq, signed(told), now])?;
    }
    Ok(())
}

/// A heartbeat that nobody wants is not kept, and one that waits is overtaken by the next: an old one would say that all is well when it is not known.
fn heartbeat(transaction: &Transaction<'_>, record: &Record, terms: &Terms<'_>, tally: &mut Tally) -> Result<(), StoreError> {
    if terms.wanted.by(record).next().is_none() {
        return Ok(());
    }
    let overtaken = "DELETE FROM outbox WHERE state = 'waiting' AND alert IN (SELECT seq FROM alert WHERE kind = 'heartbeat')";
    transaction.prepare_cached(overtaken)?.execute([])?;
    let seq = write(transaction, record, Place { state: State::Complete, now: terms.now, storm: None, muted: None })?;
    tell(transaction, seq, 1, terms.now, terms.wanted.by(record))?;
    tally.told += 1;
    Ok(())
}

/// The last alert that begins a storm which this record continues: as loud at least, complete, and muted if this one is.
fn first(transaction: &Transaction<'_>, record: &Record, terms: &Terms<'_>, muted: bool) -> Result<Option<First>, StoreError> {
    if record.kind != Kind::Alert || record.storm_key.is_empty() {
        return Ok(None);
    }
    let (from, to) = (record.at.saturating_sub(terms.storm), record.at.saturating_add(terms.storm));
    let found = transaction
        .prepare_cached(
            "SELECT seq, count, left_out FROM alert WHERE storm_key = ?1 AND storm IS NULL AND storm_key <> '' AND state = 'complete'
             AND (muted IS NOT NULL) = ?2 AND severity <= ?3 AND at BETWEEN ?4 AND ?5 ORDER BY seq DESC LIMIT 1",
        )?
        .query_row(params![record.storm_key, muted, record.severity, from, to], |row| {
            Ok(First { seq: row.get(0)?, count: super::rows::count(row, 1)?, left_out: super::rows::count(row, 2)? })
        });
    Ok(found.optional()?)
}

/// Counts a repeat, and tells of the first anew when the count has grown tenfold.
fn repeat(transaction: &Transaction<'_>, record: &Record, first: &First, is_kept: bool, terms: &Terms<'_>) -> Result<(), StoreError> {
    let count = first.count.saturating_add(1);
    transaction
        .prepare_cached("UPDATE alert SET count = ?2, left_out = left_out + ?3, last_at = max(last_at, ?4) WHERE seq = ?1")?
        .execute(params![first.seq, signed(count), !is_kept, record.at])?;
    if !is_kept {
        transaction.prepare_cached("DELETE FROM alert WHERE id = ?1")?.execute([&record.id])?;
    }
    if is_milestone(count) {
        let told: Vec<String> = transaction
            .prepare_cached("SELECT sink FROM outbox WHERE alert = ?1 AND told = 1 ORDER BY row")?
            .query_map([first.seq], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let there = told.iter().map(String::as_str).filter(|sink| terms.wanted.knows(sink));
        tell(transaction, first.seq, count, terms.now, there)?;
    }
    Ok(())
}

/// 10, 100, 1,000 and so on.
fn is_milestone(count: u64) -> bool {
    count >= 10 && 10_u64.checked_pow(count.ilog10()) == Some(count)
}

/// Where a record is put.
#[derive(Clone, Copy)]
struct Place {
    state: State,
    /// Unix milliseconds.
    now: i64,
    /// The first of its storm.
    storm: Option<i64>,
    /// The mute that fits.
    muted: Option<i64>,
}

/// Writes the record in place of the one that is pending under its id, if any. Its place in the order of commits.
fn write(transaction: &Transaction<'_>, record: &Record, place: Place) -> Result<i64, StoreError> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO alert (id, kind, state, at, committed, severity, mechanism, verdict, client, server, headline, explanation,
         storm_key, eve, last_at, storm, muted) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?4, ?15, ?16)
         ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, state = excluded.state, at = excluded.at, committed = excluded.committed,
         severity = excluded.severity, mechanism = excluded.mechanism, verdict = excluded.verdict, client = excluded.client,
         server = excluded.server, headline = excluded.headline, explanation = excluded.explanation, storm_key = excluded.storm_key,
         eve = excluded.eve, last_at = excluded.last_at, storm = excluded.storm, muted = excluded.muted WHERE alert.state = 'pending'",
    )?;
    let Record { id, kind, at, severity, mechanism, verdict, client, server, headline, explanation, storm_key, eve } = record;
    let (state, Place { now, storm, muted, .. }) = (place.state.name(), place);
    let columns = params![
        id,
        kind.name(),
        state,
        at,
        now,
        severity,
        mechanism,
        verdict,
        client,
        server,
        headline,
        explanation,
        storm_key,
        eve,
        storm,
        muted
    ];
    statement.execute(columns)?;
    Ok(transaction.prepare_cached("SELECT seq FROM alert WHERE id = ?1")?.query_row([id], |row| row.get(0))?)
}

/// Counts as SQLite has them.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
