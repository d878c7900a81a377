//! `sidewatch pages DIR`: manual pages and shell completions, written when a package is made.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Arguments, Status};

/// Write the manual pages and shell completions of this build
#[derive(Args)]
pub(super) struct Pages {
    /// The folder; `man` and `completions` are made in it
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Pages {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        let (man, completions) = (self.folder.join("man"), self.folder.join("completions"));
        for folder in [&man, &completions] {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        clap_mangen::generate_to(Arguments::command(), &man).context("a manual page cannot be written")?;
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            clap_complete::generate_to(shell, &mut Arguments::command(), "sidewatch", &completions)
                .context("completions cannot be written")?;
        }
        Ok(Status::Done)
    }
}
