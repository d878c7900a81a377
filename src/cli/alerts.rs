//! `sidewatch alerts`: what was raised, read from the database, and what is to be told no more.

mod list;
mod mute;
mod show;
mod when;

use std::fs;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Status, printable, say};
use crate::config::{StoreSettings, USUAL_PATH};
use crate::store::{Archive, Kept, StoreError};

/// Read, show and mute the alerts that the daemon keeps, while it runs or without it
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch alerts list --since 24h                   what was raised since yesterday
  sidewatch alerts list --severity 1 --client 192.168.7.23
  sidewatch alerts show 1f0c9a                        one alert: what happened, how often, who was told
  sidewatch alerts mute 1f0c9a --until 7d --why \"our own proxy, ticket 17\"
  sidewatch alerts mute --client 10.9.0.0/16 --mechanism tcp_reset --until 2026-12-31 --why \"lab\"
  sidewatch alerts mute --list                        who muted what, why, until when
  sidewatch alerts export --format eve > alerts.json  all of it for another program

Repeats of one attack are one alert whose count grows. What is muted is kept and told to nobody.
Only `mute` writes. Times are UTC. A time is given as 30m, 12h, 7d, 2026-12-31 or 2026-12-31T18:00:00Z.

Exit status:
   0  done
   2  bad usage, no such alert, or a database that cannot be read")]
pub(super) struct Alerts {
    /// The file of settings that names the folder of the database [default: /etc/sidewatch/sidewatch.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder of the database
    #[arg(long, global = true, value_name = "FOLDER", conflicts_with = "config")]
    database: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// One line for each alert, the last at the end
    List(list::List),
    /// One alert in words: what happened, how often, who was told of it
    Show {
        /// Its id, or enough of the beginning
        id: String,
    },
    /// Keep what is like this, but tell nobody of it until a time
    Mute(mute::MuteArguments),
    /// All alerts for another program, the repeats of storms too
    Export(list::Export),
}

/// How alerts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Aligned columns
    Text,
    /// One EVE JSON object a line
    Json,
}

/// Why nothing, or not all, was done. All of it is for the user to mend.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Words(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Alerts {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        let done = self.folder().and_then(|folder| match self.command {
            Command::List(list) => list.run(&Archive::open(&folder)?),
            Command::Export(export) => export.run(&Archive::open(&folder)?),
            Command::Show { id } => {
                let archive = Archive::open(&folder)?;
                print(&show::page(&archive, &one(&archive, &id)?)?)
            }
            Command::Mute(mute) => mute.run(&folder),
        });
        match done {
            Ok(()) => Ok(Status::Done),
            Err(refusal) => {
                say(&format!("sidewatch: {}", printable(&refusal.to_string())));
                Ok(Status::BadInput)
            }
        }
    }

    /// Where the database is. Of the settings only that is read: to look at alerts nobody needs the secrets that they name.
    fn folder(&self) -> Result<PathBuf, Refusal> {
        if let Some(folder) = &self.database {
            return Ok(folder.clone());
        }
        let path = self.config.clone().unwrap_or_else(|| PathBuf::from(USUAL_PATH));
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.config.is_none() => return Ok(StoreSettings::default().folder),
            Err(error) => {
                let fix = "give --config FILE or --database FOLDER";
                return Err(Refusal::Words(format!("{}: cannot be read: {error}; {fix}", path.display())));
            }
            Ok(text) => text,
        };
        let settings: toml::Table =
            text.parse().map_err(|error| Refusal::Words(format!("{}: {error}; `sidewatch check` says more", path.display())))?;
        let folder = settings.get("store").and_then(|store| store.get("folder")).and_then(toml::Value::as_str);
        Ok(folder.map_or_else(|| StoreSettings::default().folder, PathBuf::from))
    }
}

/// The one alert whose id begins so.
fn one(archive: &Archive, beginning: &str) -> Result<Kept, Refusal> {
    let beginning = beginning.to_ascii_lowercase();
    let mut found = archive.find(&beginning)?;
    // They come in the order of ids: a whole one is before those that it begins.
    if found.first().is_some_and(|kept| kept.record.id == beginning) {
        found.truncate(1);
    }
    match (found.len(), found.pop()) {
        (1, Some(kept)) => Ok(kept),
        (_, None) => {
            let words = format!("no alert has an id that begins with {beginning}; `sidewatch alerts list` shows those that are kept");
            Err(Refusal::Words(words))
        }
        (_, Some(last)) => {
            let ids: Vec<&str> = found.iter().chain([&last]).map(|kept| kept.record.id.as_str()).collect();
            Err(Refusal::Words(format!("several alerts have an id that begins with {beginning}: {}", ids.join(", "))))
        }
    }
}

/// Writes on standard output; whoever closed it wants no more, which is no failure.
fn print(text: &str) -> Result<(), Refusal> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Refusal::Words(format!("standard output: {error}"))),
        _ => Ok(()),
    }
}

/// Whether standard output may be coloured.
fn is_coloured() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
