//! The file of settings as subcommands read it: what is wrong with it is told, and ends them.

use std::path::Path;

use super::{Status, printable, say};
use crate::config::{Config, USUAL_PATH};

/// The settings of a file, or the status to end with once everything that is wrong was told.
pub(super) fn read(path: &Path) -> Result<Config, Status> {
    Config::read(path).map_err(|wrong| {
        for diagnostic in wrong {
            // A diagnosis has lines of its own.
            say(&diagnostic.to_string().lines().map(printable).collect::<Vec<_>>().join("\n"));
        }
        Status::BadInput
    })
}

/// Those of the file that was named, of the usual one if it is there, or what holds without any.
pub(super) fn read_or_usual(path: Option<&Path>) -> Result<Config, Status> {
    let usual = Path::new(USUAL_PATH);
    match path.or_else(|| usual.exists().then_some(usual)) {
        Some(path) => read(path),
        None => Ok(Config::default()),
    }
}
