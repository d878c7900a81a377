//! `sidewatch indicators`: what lists hold, and the store that is made of them.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Status, printable, say};
use crate::rules::indicators::{Loaded, Tally, load};

/// Read lists of indicators: domains, web addresses and IP addresses of known infrastructure
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch indicators list pegasus.stix2                    what is in a list, and what of it packets cannot show
  sidewatch indicators check lists/                          the same, with each line that could not be read
  sidewatch indicators import lists/ feed/ --out all.store   one compact store that loads in a moment
  sidewatch replay --indicators all.store capture.pcap       alerts say which entry of which list was met, and where

Forms: STIX 2.0 and 2.1 bundles; MISP events, and feeds (a folder with a manifest.json); CSV, the columns known by header or content;
plain lists, an entry a line, with comments (#, ;, //) and spellings as hxxp://evil[.]example. A folder is read file by file.

A domain lists every name below it, a web address what goes on behind it, an address is found in the smallest network.

Exit status:
   0  done
   2  bad usage, or a file that cannot be read to its end
   3  check found entries that cannot be read")]
pub(super) struct Indicators {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write lists to one compact, checked store
    Import {
        /// Lists, folders with lists, or MISP feeds
        #[arg(required = true, value_name = "FILE")]
        paths: Vec<PathBuf>,
        /// The store; one that is there is replaced when the new one is whole
        #[arg(long, value_name = "STORE")]
        out: PathBuf,
    },
    /// Say what lists and stores hold: entries by kind, and what was left out by kind
    List {
        /// Lists, folders or stores
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// The same, with file and line of whatever cannot be read
    Check {
        /// Lists, folders or stores
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

impl Indicators {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        let (paths, out, checks) = match &self.command {
            Command::Import { paths, out } => (paths, Some(out), true),
            Command::List { paths } => (paths, None, false),
            Command::Check { paths } => (paths, None, true),
        };
        let loaded = load(paths);
        for failure in &loaded.failures {
            say(&format!("sidewatch: {failure}"));
        }
        if checks {
            complain(&loaded);
        }
        if let Some(out) = out {
            let why = match (loaded.stores, loaded.failures.len()) {
                (0, 0) => None,
                (0, _) => Some("not all lists could be read"),
                (..) => Some("one of the files is a store already; import the lists that it was made of"),
            };
            if let Some(why) = why {
                say(&format!("sidewatch: {} was not written: {why}", out.display()));
                return Ok(Status::BadInput);
            }
            if let Err(error) = loaded.save(out) {
                say(&format!("sidewatch: {error}; give --out a path that can be written"));
                return Ok(Status::BadInput);
            }
        }
        io::stdout().write_all(summary(&loaded).as_bytes())?;
        Ok(match (loaded.failures.is_empty(), &self.command) {
            (false, _) => Status::BadInput,
            (true, Command::Check { .. }) if Tally::totals(&loaded.tallies()).unreadable > 0 => Status::Wrong,
            (true, _) => Status::Done,
        })
    }
}

/// Every complaint on standard error, and how many more there are.
fn complain(loaded: &Loaded) {
    for complaint in &loaded.complaints {
        say(&complaint.to_string());
    }
    let unreadable = Tally::totals(&loaded.tallies()).unreadable;
    let told = loaded.complaints.len() as u64;
    if unreadable > told {
        say(&format!("sidewatch: {} more entries cannot be read", unreadable - told));
    }
}

/// A paragraph for each list, and the sum.
fn summary(loaded: &Loaded) -> String {
    let mut text = String::new();
    for tally in loaded.tallies() {
        let title = tally.title.as_ref().map_or_else(String::new, |title| format!(" ({})", printable(title)));
        let date = tally.date.as_ref().map_or_else(String::new, |date| format!(", {date}"));
        text += &format!("{}{title}{date}\n", printable(&tally.list));
        let kinds: Vec<String> = tally.by_kind().map(|(kind, count)| format!("{kind} {count}")).collect();
        text += &format!("  loaded      {}\n", if kinds.is_empty() { "nothing".to_owned() } else { kinds.join(", ") });
        if tally.repeated > 0 {
            text += &format!("  repeated    {} of them\n", tally.repeated);
        }
        if !tally.skipped.is_empty() {
            let kinds: Vec<String> = tally.skipped.iter().map(|(kind, count)| format!("{} {count}", printable(kind))).collect();
            text += &format!("  left out    {}\n", kinds.join(", "));
        }
        if tally.unreadable > 0 {
            text += &format!("  unreadable  {}\n", tally.unreadable);
        }
    }
    let totals = Tally::totals(&loaded.tallies());
    text + &format!(
        "in all: {} different indicators ({} bytes held), {} left out, {} unreadable\n",
        loaded.indicators.len(),
        loaded.indicators.bytes(),
        totals.skipped,
        totals.unreadable
    )
}
