//! The store: a table with what is known of its lists, its version and its checksum, as one file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::gather::Tally;
use super::table::{Builder, Hash, Prefixes, View, may_hold, put_u32};

/// What a store begins with; the last byte is its version.
const MAGIC: [u8; 8] = *b"SWINDIC\x01";
/// Magic, six lengths and numbers, the lengths of IPv6 networks.
const HEADER: usize = 8 + 6 * 4 + 16;
const CHECKSUM: usize = 32;

/// Why a file is no store that can be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// Another program's file, or another version.
    #[error("{0}: a store of version {1}, and this program reads version 1: import the lists again")]
    Version(PathBuf, u8),
    /// Its content is not what was written.
    #[error("{0}: the store is damaged (its checksum is wrong): import the lists again")]
    Damaged(PathBuf),
}

/// A table in one piece.
#[derive(Debug)]
pub(super) struct Table {
    bytes: Vec<u8>,
    ends: [usize; 4],
    pub(super) prefixes: Prefixes,
    /// Different indicators.
    pub(super) rows: u32,
    pub(super) lists: Vec<Tally>,
    /// Web addresses are listed.
    pub(super) has_pages: bool,
}

impl Table {
    /// The table of what was gathered.
    pub(super) fn of(builder: Builder, mut lists: Vec<Tally>) -> Self {
        let parts = builder.finish();
        for list in &parts.repeated {
            if let Some(tally) = lists.get_mut(usize::from(*list)) {
                tally.repeated += 1;
            }
        }
        // Strings, numbers and maps with strings for keys: nothing in here can fail.
        let meta = serde_json::to_vec(&lists).unwrap_or_default();
        let mut bytes = Vec::with_capacity(HEADER + meta.len() + parts.index.len() + parts.filter.len() + parts.blocks.len() + CHECKSUM);
        bytes.extend(MAGIC);
        let sections = [&meta, &parts.index, &parts.filter, &parts.blocks];
        for section in sections {
            put_u32(&mut bytes, u32::try_from(section.len()).unwrap_or(u32::MAX));
        }
        put_u32(&mut bytes, parts.rows);
        put_u32(&mut bytes, parts.prefixes.v4);
        bytes.extend(parts.prefixes.v6.to_le_bytes());
        let mut ends = [0; 4];
        for (end, section) in ends.iter_mut().zip(sections) {
            bytes.extend(section);
            *end = bytes.len();
        }
        let sum = Sha256::digest(&bytes);
        bytes.extend(sum);
        let has_pages = has_pages(&lists);
        Self { bytes, ends, prefixes: parts.prefixes, rows: parts.rows, lists, has_pages }
    }

    /// The table that a store's bytes hold.
    pub(super) fn read(bytes: Vec<u8>, path: &Path) -> Result<Self, StoreError> {
        let damaged = || StoreError::Damaged(path.to_owned());
        match bytes.get(7) {
            Some(1) => {}
            Some(version) => return Err(StoreError::Version(path.to_owned(), *version)),
            None => return Err(damaged()),
        }
        let (content, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or_else(damaged)?;
        if *sum != *Sha256::digest(content) {
            return Err(damaged());
        }
        let number = |at: usize| content.get(8 + 4 * at..).and_then(|rest| rest.first_chunk::<4>()).map(|bytes| u32::from_le_bytes(*bytes));
        let v6 = content.get(8 + 6 * 4..).and_then(|rest| rest.first_chunk::<16>()).map(|bytes| u128::from_le_bytes(*bytes));
        let mut ends = [0; 4];
        let mut end = HEADER;
        for (place, slot) in ends.iter_mut().enumerate() {
            let len = number(place).and_then(|len| usize::try_from(len).ok()).ok_or_else(damaged)?;
            end = end.checked_add(len).ok_or_else(damaged)?;
            *slot = end;
        }
        let meta = content.get(HEADER..ends[0]).ok_or_else(damaged)?;
        let lists: Vec<Tally> = serde_json::from_slice(meta).map_err(|_| damaged())?;
        let (Some(rows), Some(v4), Some(v6), true) = (number(4), number(5), v6, end == content.len()) else { return Err(damaged()) };
        Ok(Self { ends, prefixes: Prefixes { v4, v6 }, rows, has_pages: has_pages(&lists), lists, bytes })
    }

    pub(super) fn view(&self) -> View<'_> {
        let [meta, index, filter, blocks] = self.ends;
        let part = |from: usize, to: usize| self.bytes.get(from..to).unwrap_or_default();
        View { index: part(meta, index), blocks: part(filter, blocks) }
    }

    /// False when no key has this hash.
    pub(super) fn may_hold(&self, hash: Hash) -> bool {
        let [_, index, filter, _] = self.ends;
        may_hold(self.bytes.get(index..filter).unwrap_or_default(), hash)
    }

    /// Bytes that it holds.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// As a store has it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn has_pages(lists: &[Tally]) -> bool {
    lists.iter().any(|Tally { taken: [_, pages, ..], .. }| *pages > 0)
}

/// True when bytes begin as a store, of whatever version.
pub(super) fn is_store(head: &[u8]) -> bool {
    head.starts_with(&MAGIC[..7])
}

/// Writes a store: whole, or not at all. Whoever reads the old one meanwhile goes on reading it.
///
/// # Errors
/// When the file cannot be written, or not put in its place.
pub(super) fn save(table: &Table, path: &Path) -> Result<(), StoreError> {
    let failed = |error| StoreError::File(path.to_owned(), error);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(table.bytes())?;
        file.sync_all()
    });
    let done = written.and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        let _ = fs::remove_file(&beside);
    }
    done.map_err(failed)
}
