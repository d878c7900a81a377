//! Files to indicators: which form a file has, and what is beside it.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::entry::{Wanted, entry};
use super::gather::{Complaint, Gathering, Tally};
use super::matching::Indicators;
use super::store::{StoreError, Table, is_store, save};
use super::{columns, json, plain};

/// The largest file that is read; larger ones are split by whoever made them.
const LARGEST_FILE: u64 = 1 << 30;
/// The most files of one call.
const MOST_LISTS: usize = 60_000;
/// Bytes in which the form of a file shows.
const HEAD: usize = 8 << 10;

/// Why a file was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be opened or read.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// It is not what it looks like.
    #[error("{0}: {1}")]
    Content(PathBuf, String),
    /// A store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was loaded.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What can be looked up.
    pub indicators: Indicators,
    /// What of the lists could not be read.
    pub complaints: Vec<Complaint>,
    /// Files that were not read to their end; what came before is loaded.
    pub failures: Vec<ReadError>,
    /// How many of the files were stores.
    pub stores: usize,
}

impl Loaded {
    /// What became of each list.
    #[must_use]
    pub fn tallies(&self) -> Vec<&Tally> {
        self.indicators.lists().collect()
    }

    /// Writes what the lists gave to one store, which takes the place of what is there only when it is whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), StoreError> {
        let empty = Table::of(super::table::Builder::default(), Vec::new());
        save(self.indicators.tables.first().filter(|_| self.stores == 0).unwrap_or(&empty), path)
    }
}

/// Loads lists and stores. A folder is a MISP feed when it holds a `manifest.json`; else every file in it is a list.
#[must_use]
pub fn load(paths: &[PathBuf]) -> Loaded {
    let mut loaded = Loaded::default();
    let mut gathering = Gathering::default();
    for path in paths {
        if let Err(error) = take(path, &mut gathering, &mut loaded) {
            loaded.failures.push(error);
        }
    }
    loaded.close(gathering);
    loaded
}

/// The same of one list that is in memory.
#[must_use]
pub fn read_text(name: &str, content: &[u8]) -> Loaded {
    let mut loaded = Loaded::default();
    let mut gathering = Gathering::default();
    gathering.begin(name, None);
    match read_list(Path::new(name), content, content, &mut gathering) {
        Ok(_) => {}
        Err(error) => loaded.failures.push(error),
    }
    loaded.close(gathering);
    loaded
}

impl Loaded {
    fn close(&mut self, gathering: Gathering) {
        if gathering.lists() == 0 {
            return;
        }
        let (builder, tallies, complaints) = gathering.finish();
        self.complaints = complaints;
        self.indicators.tables.insert(0, Table::of(builder, tallies));
    }
}

fn take(path: &Path, gathering: &mut Gathering, loaded: &mut Loaded) -> Result<(), ReadError> {
    let failed = |error| ReadError::File(path.to_owned(), error);
    if path.is_dir() {
        let manifest = path.join("manifest.json");
        if manifest.is_file() {
            return take(&manifest, gathering, loaded);
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(failed)?;
        let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        files.sort();
        files.retain(|file| !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')));
        if files.is_empty() {
            return Err(ReadError::Content(path.to_owned(), "holds no files".to_owned()));
        }
        for file in files {
            if let Err(error) = take(&file, gathering, loaded) {
                loaded.failures.push(error);
            }
        }
        return Ok(());
    }
    let mut input = File::open(path).map(|file| BufReader::with_capacity(64 << 10, file)).map_err(failed)?;
    let facts = fs::metadata(path).map_err(failed)?;
    if facts.len() > LARGEST_FILE || gathering.lists() >= MOST_LISTS {
        let why = "is larger than 1 GiB, or the 60,001st list: split it, or load fewer".to_owned();
        return Err(ReadError::Content(path.to_owned(), why));
    }
    let head = input.fill_buf().map_err(failed)?.to_vec();
    if is_store(&head) {
        let mut bytes = Vec::with_capacity(usize::try_from(facts.len()).unwrap_or(0));
        input.read_to_end(&mut bytes).map_err(failed)?;
        loaded.indicators.tables.push(Table::read(bytes, path)?);
        loaded.stores += 1;
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    gathering.begin(&name, facts.modified().ok().and_then(day));
    let events = read_list(path, &head, input.take(LARGEST_FILE), gathering)?;
    for event in events {
        let beside = path.with_file_name(format!("{event}.json"));
        if let Err(error) = take(&beside, gathering, loaded) {
            loaded.failures.push(error);
        }
    }
    Ok(())
}

fn day(time: std::time::SystemTime) -> Option<String> {
    let stamp = jiff::Timestamp::try_from(time).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(stamp).date().to_string())
}

/// Reads a list in whatever form it has; gives the events that it says lie beside it.
fn read_list(path: &Path, head: &[u8], input: impl Read, gathering: &mut Gathering) -> Result<Vec<String>, ReadError> {
    let wrong = |what: String| ReadError::Content(path.to_owned(), what);
    match form(path, head.get(..head.len().min(HEAD)).unwrap_or_default()) {
        Form::Json => json::read(BufReader::new(input), gathering).map(|outcome| outcome.events).map_err(wrong),
        Form::Columns(delimiter) => columns::read(input, delimiter, gathering).map(|()| Vec::new()).map_err(wrong),
        Form::Plain => {
            plain::read(BufReader::new(input), gathering).map(|()| Vec::new()).map_err(|error| ReadError::File(path.to_owned(), error))
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Columns(u8),
    Plain,
}

/// The form of a list by its name and its first bytes.
fn form(path: &Path, head: &[u8]) -> Form {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_json = ["json", "stix", "stix2", "misp"].iter().any(|known| extension == *known);
    let mut begins = text.chars().filter(|c| !c.is_whitespace());
    let opens = matches!((begins.next(), begins.next()), (Some('{'), _) | (Some('['), Some('{' | ']')));
    if is_json || opens {
        return Form::Json;
    }
    let lines = || text.lines().map(str::trim).filter(|line| !plain::is_comment(line));
    let count = |line: &str, delimiter: u8| line.bytes().filter(|byte| *byte == delimiter).count();
    let is_named = extension == "csv" || extension == "tsv";
    let delimiter = [b';', b'\t', b','].into_iter().max_by_key(|delimiter| lines().next().map_or(0, |line| count(line, *delimiter)));
    let delimiter = delimiter.unwrap_or(b',');
    let wide = || lines().take(5).all(|line| count(line, delimiter) > 0);
    // A web address may hold commas and semicolons.
    let whole = || lines().take(5).all(|line| entry(line, Wanted::Any).is_ok());
    let is_hosts = lines().next().is_some_and(|line| line.starts_with("0.0.0.0") || line.starts_with("127.0.0.1"));
    if is_named || (lines().next().is_some() && wide() && !is_hosts && !whole()) { Form::Columns(delimiter) } else { Form::Plain }
}

#[cfg(test)]
mod tests;
