//! The alert database: what was raised is committed here before anything else happens to it, with one outbox row for each sink.

mod archive;
mod bell;
mod commit;
mod connections;
mod counters;
mod error;
mod mark;
mod mute;
mod outbox;
mod record;
mod recover;
mod reserve;
mod retain;
mod rows;
mod salvage;
mod schema;
#[cfg(test)]
mod tests;
mod wanted;

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::ErrorCode;

use bell::Bell;
use commit::{Tally, Terms};
use connections::{Connections, Durability, FILE};
use counters::Counting;
use reserve::Reserve;
use wanted::Wanted;

use crate::config::{SinkSettings, StoreSettings};
pub use archive::{Archive, Query, Told};
pub use counters::Counters;
pub use error::StoreError;
pub use mute::{Mute, Muted};
pub use outbox::{Delivery, SinkState};
pub use record::{Kind, Record};
pub use retain::Pruned;
pub use rows::{Kept, State};
pub use salvage::SetAside;

/// The database, shared by those who write and those who deliver. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: StoreSettings,
    connections: Connections,
    bell: Bell,
    /// The sinks of the last commit, or those that the database was opened with.
    sinks: Mutex<Vec<SinkSettings>>,
    reserve: Reserve,
    counting: Counting,
    damage: Mutex<Damage>,
    /// Held by the daemon, so that no second one takes its suspicions for those of a crash.
    lock: Option<File>,
}

/// Damaged databases of before.
#[derive(Debug, Default)]
struct Damage {
    /// One that was set aside, and of which nothing was taken over yet.
    open: Option<PathBuf>,
    /// The last one that was dealt with.
    last: Option<SetAside>,
}

impl Store {
    /// Opens or makes the database; migrates it forward. What a crash left pending becomes incomplete, with outbox rows for `sinks`.
    ///
    /// # Errors
    /// When it cannot be opened, belongs to another daemon that runs, was written by a newer build or another program, or is corrupt and
    /// could not be set aside.
    pub fn open(settings: &StoreSettings, sinks: &[SinkSettings]) -> Result<Self, StoreError> {
        connections::folder(&settings.folder)?;
        let lock = connections::lock(&settings.folder)?;
        let reserve = Reserve::hold(&settings.folder, settings.reserve);
        let store = Self::over(settings, sinks, reserve, Some(lock));
        let begin = || store.0.connections.begin().map_err(|error| store.in_short(error));
        let begun = match begin() {
            Err(StoreError::Full) if store.0.reserve.release() => begin(),
            done => done,
        };
        match begun.and_then(|()| store.0.connections.tend(|connection| salvage::check(connection, false))) {
            Err(error) if error.is_corrupt() => store.replace(error)?,
            done => done?,
        }
        let left = store.write(Durability::Power, |transaction| recover::interrupted(transaction, &store.terms(transaction, sinks)?))?;
        if left != Tally::default() {
            tracing::warn!("{} suspicions were not complete when Sidewatch ended last: they are told as they are", left.told);
        }
        store.0.counting.add(&left);
        Ok(store)
    }

    /// Opens the database beside a daemon that may work with it: nothing is taken for the remains of a crash, and a damaged one is left to
    /// that daemon.
    ///
    /// # Errors
    /// As [`Self::open`]; of another daemon that runs there is no error.
    pub fn attach(settings: &StoreSettings, sinks: &[SinkSettings]) -> Result<Self, StoreError> {
        connections::folder(&settings.folder)?;
        let store = Self::over(settings, sinks, Reserve::none(&settings.folder), None);
        store.0.connections.begin()?;
        Ok(store)
    }

    fn over(settings: &StoreSettings, sinks: &[SinkSettings], reserve: Reserve, lock: Option<File>) -> Self {
        Self(Arc::new(Inner {
            settings: settings.clone(),
            connections: Connections::new(&settings.folder.join(FILE)),
            bell: Bell::default(),
            sinks: Mutex::new(sinks.to_vec()),
            reserve,
            counting: Counting::default(),
            damage: Mutex::default(),
            lock,
        }))
    }

    /// After [`StoreError::Corrupt`]: sets the damaged database aside, begins a new one, and takes over what can be read, what waits first.
    /// A database that proves sound is kept. Suspicions stay pending.
    ///
    /// # Errors
    /// When no new database could be made; this can be called again then.
    pub fn reopen(&self) -> Result<(), StoreError> {
        let sound = self.0.connections.tend(|connection| salvage::check(connection, true));
        match sound {
            Err(error) if error.is_corrupt() => self.replace(error)?,
            done => done?,
        }
        self.0.bell.ring();
        Ok(())
    }

    /// What was set aside last since the database was opened.
    #[must_use]
    pub fn set_aside(&self) -> Option<SetAside> {
        self.damage().last.clone()
    }

    fn replace(&self, damage: StoreError) -> Result<(), StoreError> {
        if self.0.lock.is_none() {
            return Err(damage); // beside a daemon, which will do this
        }
        tracing::error!("{damage}");
        let path = self.0.settings.folder.join(FILE);
        let exchange = || {
            self.0.connections.exchange(|| {
                let mut damage = self.damage();
                let aside = damage.open.take().map_or_else(|| salvage::set_aside(&path), Ok)?;
                damage.open = Some(aside.clone());
                damage.last = Some(salvage::take_over(aside, &path, &Wanted::new(&self.sinks()), now())?);
                damage.open = None;
                Ok(())
            })
        };
        match exchange() {
            Err(StoreError::Full) if self.0.reserve.release() => exchange(),
            done => done,
        }
    }

    /// Commits suspicions whose evidence is not complete. One transaction.
    ///
    /// # Errors
    /// When nothing was committed.
    pub fn pend(&self, records: &[Record]) -> Result<(), StoreError> {
        self.write(Durability::Power, |transaction| {
            let terms = self.terms(transaction, &[])?;
            records.iter().try_for_each(|record| commit::pend(transaction, record, &terms))
        })
    }

    /// Commits records with an outbox row for each sink that wants them; those of a storm raise a count. One transaction; wakes those who deliver.
    ///
    /// # Errors
    /// When nothing was committed.
    pub fn commit(&self, records: &[Record], sinks: &[SinkSettings]) -> Result<(), StoreError> {
        let tally = self.write(Durability::Power, |transaction| {
            let (terms, mut tally) = (self.terms(transaction, sinks)?, Tally::default());
            records.iter().try_for_each(|record| commit::commit(transaction, record, State::Complete, &terms, &mut tally))?;
            Ok(tally)
        })?;
        self.0.counting.add(&tally);
        self.remember(sinks);
        self.0.bell.ring();
        Ok(())
    }

    /// What this sink is to deliver next, in order of commits, if it is due at `now` (Unix milliseconds).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn next(&self, sink: &str, now: i64) -> Result<Option<Delivery>, StoreError> {
        self.mended(|| self.0.connections.read(|connection| outbox::next(connection, sink, now)))
    }

    /// When what this sink is to deliver next is due, Unix milliseconds; none when nothing waits. The clock can be put back, and other
    /// processes can make rows wait again: who sleeps until then looks every minute all the same.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn due_at(&self, sink: &str) -> Result<Option<i64>, StoreError> {
        self.0.connections.read(|connection| outbox::due_at(connection, sink))
    }

    /// It was delivered.
    ///
    /// # Errors
    /// When that could not be noted: it will be delivered again.
    pub fn delivered(&self, row: i64, now: i64) -> Result<(), StoreError> {
        self.mended(|| self.write(Durability::Process, |transaction| outbox::delivered(transaction, row, now)))
    }

    /// It was not; due again at `retry_at` (Unix milliseconds), or with none given up until somebody retries it.
    ///
    /// # Errors
    /// When that could not be noted.
    pub fn failed(&self, row: i64, error: &str, now: i64, retry_at: Option<i64>) -> Result<(), StoreError> {
        self.mended(|| self.write(Durability::Process, |transaction| outbox::failed(transaction, row, error, now, retry_at)))
    }

    /// What this sink has given up waits again, each in its old place of the line. How many; wakes those who deliver.
    ///
    /// # Errors
    /// When that could not be noted.
    pub fn retry_dead(&self, sink: &str) -> Result<u64, StoreError> {
        let again = self.write(Durability::Power, |transaction| outbox::retry_dead(transaction, sink))?;
        self.0.bell.ring();
        Ok(again)
    }

    /// How the sinks fare: those configured, and those that have anything left in the database, by name.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn sink_states(&self) -> Result<Vec<SinkState>, StoreError> {
        let names: Vec<String> = self.sinks().iter().map(|sink| sink.name.clone()).collect();
        self.0.connections.read(|connection| outbox::states(connection, &names))
    }

    /// Keeps a mute for what is committed from then on. Its number.
    ///
    /// # Errors
    /// When it was not kept.
    pub fn mute(&self, mute: &Mute) -> Result<i64, StoreError> {
        self.write(Durability::Power, |transaction| mute::add(transaction, mute))
    }

    /// Ends a mute at `now` (Unix milliseconds); false when none of that number holds.
    ///
    /// # Errors
    /// When that could not be noted.
    pub fn unmute(&self, number: i64, now: i64) -> Result<bool, StoreError> {
        self.write(Durability::Power, |transaction| mute::end(transaction, number, now))
    }

    /// All mutes, the expired too, by number.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn mutes(&self) -> Result<Vec<Mute>, StoreError> {
        self.0.connections.read(mute::all)
    }

    /// Waits, on the calling thread, until something is committed by this process or `at_most` has passed.
    pub fn wait(&self, at_most: Duration) {
        self.wait_since(self.commits(), at_most);
    }

    /// How often something was committed by this process.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.0.bell.rings()
    }

    /// Waits until [`Self::commits`] exceeds `seen` or `at_most` has passed: with the number of before looking, no commit is slept through.
    /// The number then.
    pub fn wait_since(&self, seen: u64, at_most: Duration) -> u64 {
        self.0.bell.wait(seen, at_most)
    }

    /// Has `call` called after each commit of this process, on the thread that committed: it must not wait, nor use the store. A number
    /// for [`Self::forget`].
    pub fn on_commit(&self, call: Box<dyn Fn() + Send + Sync>) -> u64 {
        self.0.bell.call(call)
    }

    /// Calls no more what [`Self::on_commit`] gave this number.
    pub fn forget(&self, number: u64) {
        self.0.bell.forget(number);
    }

    /// What was counted since the database was opened.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.0.counting.counters()
    }

    /// Runs `work` in one transaction, with the reserve when there is no other room.
    fn write<T>(
        &self,
        durability: Durability,
        work: impl Fn(&rusqlite::Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let attempt = || self.0.connections.write(durability, &work).map_err(|error| self.in_short(error));
        let done = match attempt() {
            Err(StoreError::Full) => {
                self.0.counting.reserve_given(self.0.reserve.release());
                // What is in the journal and in the database takes its room twice.
                let _ = self.0.connections.tend(retain::cut_journal);
                attempt()
            }
            done => {
                self.0.reserve.restore();
                done
            }
        };
        if let Err(error) = &done {
            self.0.counting.failed(error);
        }
        done
    }

    /// Those who deliver go on after damage, whose rows keep their numbers; when nothing is committed, nobody else would notice it.
    fn mended<T>(&self, act: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
        match act() {
            Err(error) if error.is_corrupt() => {
                self.reopen()?;
                act()
            }
            done => done,
        }
    }

    /// On a full disk SQLite reports failures of many kinds.
    fn in_short(&self, error: StoreError) -> StoreError {
        let is_failure = matches!(&error, StoreError::Database(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure));
        if is_failure && self.0.reserve.is_disk_full() { StoreError::Full } else { error }
    }

    /// What a commit goes by at this moment.
    fn terms<'a>(&self, connection: &rusqlite::Connection, sinks: &'a [SinkSettings]) -> Result<Terms<'a>, StoreError> {
        let storm = i64::try_from(self.0.settings.storm.as_micros()).unwrap_or(i64::MAX);
        let now = now();
        Ok(Terms { wanted: Wanted::new(sinks), mutes: mute::Mutes::at(connection, now)?, storm, now })
    }

    fn remember(&self, sinks: &[SinkSettings]) {
        let mut known = self.sinks();
        if known.iter().map(|sink| &sink.name).ne(sinks.iter().map(|sink| &sink.name)) {
            *known = sinks.to_vec();
        }
    }

    fn damage(&self) -> MutexGuard<'_, Damage> {
        self.0.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sinks(&self) -> MutexGuard<'_, Vec<SinkSettings>> {
        self.0.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of day, by which rows are due: Unix milliseconds.
#[must_use]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
