//! `sidewatch sinks`: whether those who are to be told can be, and how deliveries to them went.

mod status;
mod trial;

use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{Status, printable, say, settings};
use crate::config::{Config, SinkSettings};

/// Try the sinks, and see how deliveries to them went
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch sinks test                       tell each sink of the configuration a test, and say what happened
  sidewatch sinks test soc-webhook pager     those two only
  sidewatch sinks status                     last success, lag, waiting, given up, last error
  sidewatch sinks status --retry-dead        what was given up waits again
  sudo -u sidewatch sidewatch sinks test     with the rights that the daemon has

`test` does not go through the database, and needs no daemon; `status` reads the database while the daemon runs, or without it.
Secrets are read and used, and never shown.

Exit status:
   0  done, all sinks took it
   2  bad usage, configuration, or a database that cannot be read
   3  `test`: a sink did not take it")]
pub(super) struct SinksCommand {
    /// The file of settings [default: /etc/sidewatch/sidewatch.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How results are written
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tell each sink a test message, at once and past the database
    Test {
        /// Names of sinks; all when none is given
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Say of each sink when it last took something, what waits, what was given up, and why
    Status {
        /// Names of sinks; all when none is given
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Let what was given up wait again, in its old place
        #[arg(long)]
        retry_dead: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A paragraph for each sink
    Text,
    /// A JSON object a line for each sink
    Json,
}

impl SinksCommand {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        let config = match settings::read_or_usual(self.config.as_deref()) {
            Ok(config) => config,
            Err(status) => return Ok(status),
        };
        match self.command {
            Command::Test { names } => {
                let Some(sinks) = chosen(&config, &names) else { return Ok(Status::BadInput) };
                trial::run(&config.sensor, &sinks, self.format)
            }
            Command::Status { names, retry_dead } => status::run(&config, &names, retry_dead, self.format),
        }
    }
}

/// The sinks of these names.
fn chosen(config: &Config, names: &[String]) -> Option<Vec<SinkSettings>> {
    let known = |name: &String| config.sinks.iter().any(|sink| sink.name == *name);
    if let Some(name) = names.iter().find(|name| !known(name)) {
        let all: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
        say(&format!("sidewatch: no sink is named {}; the configuration has: {}", printable(name), all.join(", ")));
        return None;
    }
    if config.sinks.is_empty() {
        say("sidewatch: the configuration has no sink: add [[sink]] with name and kind");
    }
    Some(config.sinks.iter().filter(|sink| names.is_empty() || names.contains(&sink.name)).cloned().collect())
}

/// Writes on standard output; whoever closed it wants no more, which is no failure.
fn print(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
