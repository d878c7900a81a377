//! `sidewatch run`: the daemon.

use std::path::PathBuf;

use clap::Args;

use super::{Status, say};
use crate::config::USUAL_PATH;
use crate::daemon::{Begun, RunError, run};

/// Watch interfaces and raise alerts until told to end: what the service does
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch run                                   as the service does it, by /etc/sidewatch/sidewatch.toml
  sidewatch run --config lab.toml                 by other settings
  sidewatch run --interface eth0 --interface wg0  other interfaces than the settings name
  sidewatch check                                 is everything right, before it is started?
  systemctl reload sidewatch                      rules, lists, mutes, sinks and log level are read anew; with a mistake, nothing changes

Signals:
  SIGHUP   settings, rules and lists are read anew
  SIGUSR1  files that alerts are written to are opened anew, for logrotate
  SIGTERM  everything is decided, committed and, as far as a moment allows, told; it ends within two seconds

Exit status:
  0  it was told to end
  1  internal error
  2  bad usage or settings, or an interface or folder that it may not use")]
pub(super) struct Run {
    /// The file of settings
    #[arg(long, value_name = "FILE", default_value = USUAL_PATH)]
    config: PathBuf,
    /// An interface to watch in place of those in the settings, or a glob; may be given several times
    #[arg(long, value_name = "NAME")]
    interface: Vec<String>,
}

impl Run {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        match run(&Begun { config: self.config, interfaces: self.interface }) {
            Ok(()) => Ok(Status::Done),
            Err(error @ (RunError::Broke(_) | RunError::System(_))) => Err(error.into()),
            Err(error) => {
                say(&format!("sidewatch: {error}"));
                Ok(Status::BadInput)
            }
        }
    }
}
