//! The command line: one file per subcommand.

#[cfg(feature = "daemon")]
mod alerts;
#[cfg(feature = "daemon")]
mod check;
#[cfg(feature = "daemon")]
mod doctor;
mod files;
mod indicators;
#[cfg(feature = "daemon")]
mod interfaces;
mod output;
#[cfg(feature = "daemon")]
mod pages;
mod progress;
mod reload;
mod replay;
mod rules;
#[cfg(feature = "daemon")]
mod run;
#[cfg(feature = "daemon")]
mod selftest;
mod sequence;
#[cfg(feature = "daemon")]
mod settings;
#[cfg(feature = "daemon")]
mod sinks;
mod statistics;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit statuses that scripts can rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    /// All input was read.
    Done = 0,
    /// Something broke inside.
    Internal = 1,
    /// Bad usage, or input that cannot be read to its end.
    BadInput = 2,
    /// A check found something wrong.
    Wrong = 3,
    /// With `--fail-on-alert`: an alert of severity 1 or 2 was raised.
    Alerted = 10,
}

/// Says when the network has forged what a device received.
#[derive(Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "Start here:\n  sidewatch replay capture.pcap          what did the network forge in this capture?\n  sidewatch replay --help                more about it, with examples\n  sidewatch indicators --help            lists of known bad hosts\n  sidewatch rules --help                 fingerprints, suppressions, severities"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Replay(replay::Replay),
    #[cfg(feature = "daemon")]
    Run(run::Run),
    #[cfg(feature = "daemon")]
    #[command(name = "selftest")]
    SelfTest(selftest::SelfTest),
    Indicators(indicators::Indicators),
    Rules(rules::RulesCommand),
    #[cfg(feature = "daemon")]
    Interfaces(interfaces::Interfaces),
    #[cfg(feature = "daemon")]
    Doctor(doctor::Doctor),
    #[cfg(feature = "daemon")]
    Alerts(alerts::Alerts),
    #[cfg(feature = "daemon")]
    Sinks(sinks::SinksCommand),
    #[cfg(feature = "daemon")]
    Check(check::Check),
    #[cfg(feature = "daemon")]
    #[command(hide = true)]
    Pages(pages::Pages),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Status::BadInput as u8 } else { Status::Done as u8 });
        }
    };
    let outcome = match arguments.command {
        Command::Replay(replay) => replay.run(),
        #[cfg(feature = "daemon")]
        Command::Run(run) => run.run(),
        #[cfg(feature = "daemon")]
        Command::SelfTest(test) => test.run(),
        Command::Indicators(indicators) => indicators.run(),
        Command::Rules(rules) => rules.run(),
        #[cfg(feature = "daemon")]
        Command::Interfaces(interfaces) => interfaces.run(),
        #[cfg(feature = "daemon")]
        Command::Doctor(doctor) => doctor.run(),
        #[cfg(feature = "daemon")]
        Command::Alerts(alerts) => alerts.run(),
        #[cfg(feature = "daemon")]
        Command::Sinks(sinks) => sinks.run(),
        #[cfg(feature = "daemon")]
        Command::Check(check) => check.run(),
        #[cfg(feature = "daemon")]
        Command::Pages(pages) => pages.run(),
    };
    ExitCode::from(match outcome {
        Ok(status) => status as u8,
        Err(error) => {
            say(&format!("sidewatch: {error:#}"));
            Status::Internal as u8
        }
    })
}

/// Text of files and rules, with marks on the screen written as their codes.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

/// A line on standard error. A closed standard error is no reason to stop.
fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
