//! What a reader of lists collects: entries on their way to a table, and an honest count of everything else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, KINDS, Kind, Wanted, entry};
use super::table::Builder;

/// Kinds of left-out things that are told apart; the rest is `other`.
const MOST_KINDS: usize = 64;
/// Complaints that are kept of one list; the rest is counted.
const MOST_COMPLAINTS: usize = 100;
/// Characters of a text that a complaint repeats.
const QUOTED: usize = 80;

/// What became of one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Name of the list: its file.
    pub list: String,
    /// What it says of itself.
    pub title: Option<String>,
    /// Its date, as it says or as its file has it.
    pub date: Option<String>,
    /// Indicators by kind: domains, web addresses, IPv4, IPv6; those that it names twice count twice.
    pub taken: [u64; 4],
    /// Indicators that it names again.
    pub repeated: u64,
    /// What cannot be seen in packets, or is not meant for detection, by kind.
    pub skipped: BTreeMap<String, u64>,
    /// What could not be read.
    pub unreadable: u64,
}

/// Something in a list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Name of the list's file.
    pub file: String,
    /// Line, from 1.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Sums over all lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// See `Tally::taken`.
    pub taken: [u64; 4],
    /// See `Tally::repeated`.
    pub repeated: u64,
    /// All that was left out by kind.
    pub skipped: u64,
    /// See `Tally::unreadable`.
    pub unreadable: u64,
}

impl Tally {
    /// Adds up.
    #[must_use]
    pub fn totals(tallies: &[&Self]) -> Totals {
        tallies.iter().fold(Totals::default(), |mut sum, tally| {
            for (total, taken) in sum.taken.iter_mut().zip(tally.taken) {
                *total += taken;
            }
            sum.repeated += tally.repeated;
            sum.skipped += tally.skipped.values().sum::<u64>();
            sum.unreadable += tally.unreadable;
            sum
        })
    }
    /// Counts with the names of their kinds, those that are zero left out.
    pub fn by_kind(&self) -> impl Iterator<Item = (&'static str, u64)> {
        KINDS.into_iter().map(Kind::name).zip(self.taken).filter(|(_, count)| *count > 0)
    }
}

/// Lists being read.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    builder: Builder,
    tallies: Vec<Tally>,
    complaints: Vec<Complaint>,
    /// Complaints about the present list.
    complained: usize,
    /// The present list has said what day it is of.
    is_dated: bool,
}

impl Gathering {
    /// Another list begins.
    pub(super) fn begin(&mut self, list: &str, date: Option<String>) {
        (self.complained, self.is_dated) = (0, false);
        self.tallies.push(Tally { list: list.to_owned(), date, ..Tally::default() });
    }

    /// What the list says of itself: the first title, and the latest day.
    pub(super) fn describe(&mut self, title: Option<&str>, date: Option<&str>) {
        let is_dated = self.is_dated;
        let tally = self.tally();
        if let Some(title) = title.filter(|title| !title.is_empty() && tally.title.is_none()) {
            tally.title = Some(title.chars().take(QUOTED).collect());
        }
        if let Some(date) = date.filter(|date| date.len() == 10 && date.parse::<jiff::civil::Date>().is_ok())
            && (!is_dated || tally.date.as_deref().is_none_or(|known| known < date))
        {
            tally.date = Some(date.to_owned());
            self.is_dated = true;
        }
    }

    /// Takes what the text names.
    pub(super) fn take(&mut self, text: &str, wanted: Wanted, line: u64) {
        match entry(text, wanted) {
            Ok(Entry { kind, key, prefix }) => {
                let list = u16::try_from(self.tallies.len().saturating_sub(1)).unwrap_or(u16::MAX);
                if let Err(full) = self.builder.add(&key, text.trim(), list, prefix) {
                    self.complain(line, full.to_string());
                } else if let Some(count) = self.tally().taken.get_mut(kind as usize) {
                    *count += 1;
                }
            }
            Err(refusal) => self.complain(line, format!("{} {refusal}", quoted(text))),
        }
    }

    /// Counts what is left out for what it is.
    pub(super) fn skip(&mut self, kind: &str) {
        let skipped = &mut self.tally().skipped;
        let name: String = kind.chars().filter(|c| !c.is_control()).take(48).collect();
        let name = if skipped.len() < MOST_KINDS || skipped.contains_key(&name) { name } else { "other".to_owned() };
        *skipped.entry(name).or_default() += 1;
    }

    /// Counts what could not be read, and says where.
    pub(super) fn complain(&mut self, line: u64, what: String) {
        self.complained += 1;
        let tally = self.tally();
        tally.unreadable += 1;
        let file = tally.list.clone();
        if self.complained <= MOST_COMPLAINTS {
            self.complaints.push(Complaint { file, line, what });
        }
    }

    /// The list that is read.
    pub(super) fn tally(&mut self) -> &mut Tally {
        if self.tallies.is_empty() {
            self.tallies.push(Tally::default());
        }
        let last = self.tallies.len() - 1;
        &mut self.tallies[last]
    }

    /// Lists begun.
    pub(super) const fn lists(&self) -> usize {
        self.tallies.len()
    }

    /// What is left of all lists: entries, counts, complaints.
    pub(super) fn finish(self) -> (Builder, Vec<Tally>, Vec<Complaint>) {
        (self.builder, self.tallies, self.complaints)
    }
}

/// The beginning of a text in quotes, fit for a terminal.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(QUOTED).collect();
    let more = if short.len() < text.len() { "..." } else { "" };
    format!("\"{}{more}\"", short.escape_debug())
}
