//! Settings, rules and lists read anew while the daemon runs, beside its work: everything is checked before anything takes force.

use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, bounded};

use crate::config::Config;
use crate::pump::sources::{Read, Sources, set_aside};

/// Where settings come from, and what of them the command line says otherwise.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The file of settings.
    pub config: PathBuf,
    /// Interfaces in place of those in the file; none leaves those.
    pub interfaces: Vec<String>,
}

/// Settings, and what they name.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) read: Read,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file of settings.
    #[error("{0}")]
    Config(String),
    /// Rules or lists.
    #[error("{0}")]
    Sources(String),
    /// Both lists, those in force and those to come, do not fit.
    #[error("the lists take {held} MiB of memory, and {room} were set aside for them: begin anew with more `memory`")]
    Lists {
        /// MiB that they take.
        held: u64,
        /// MiB that there are.
        room: u64,
    },
}

impl Begun {
    /// Reads and checks everything.
    ///
    /// # Errors
    /// Everything that is wrong with the settings, or the first thing that is wrong with what they name.
    pub(super) fn load(&self) -> Result<Loaded, LoadError> {
        let mut config = read_config(&self.config)?;
        if !self.interfaces.is_empty() {
            config.capture.interfaces.clone_from(&self.interfaces);
        }
        let sources = Sources { rules: config.rules.clone(), indicators: config.indicators.clone(), knows_devices: true };
        let read = sources.read().map_err(LoadError::Sources)?;
        Ok(Loaded { config, read })
    }
}

fn read_config(path: &Path) -> Result<Config, LoadError> {
    Config::read(path).map_err(|wrong| {
        let all: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        LoadError::Config(all.join("\n"))
    })
}

/// MiB to set aside for lists, those before and those after an exchange.
pub(super) fn room_for_lists(loaded: &Loaded) -> u64 {
    set_aside(loaded.read.list_bytes() >> 20, !loaded.config.indicators.is_empty())
}

/// A reading that goes on.
#[derive(Debug, Default)]
pub(super) struct Reload {
    reading: Option<Receiver<Result<Loaded, LoadError>>>,
    /// It was asked for again in the meantime.
    again: bool,
}

impl Reload {
    /// Begins to read on a thread of its own; at once after the reading that goes on, if one does.
    pub(super) fn begin(&mut self, begun: &Begun) {
        if self.reading.is_some() {
            self.again = true;
            return;
        }
        let (done, reading) = bounded(1);
        let begun = begun.clone();
        let thread = std::thread::Builder::new().name("reload".to_owned()).spawn(move || {
            // Nobody may want it any more.
            let _ = done.send(begun.load());
        });
        match thread {
            Ok(_) => self.reading = Some(reading),
            Err(error) => tracing::error!("settings cannot be read anew, no thread can be begun: {error}"),
        }
    }

    /// What was read, once, if lists fit into `room` MiB for two of them.
    pub(super) fn done(&mut self, begun: &Begun, room: u64) -> Option<Result<Loaded, LoadError>> {
        let read = self.reading.as_ref()?.try_recv().ok()?;
        self.reading = None;
        if std::mem::take(&mut self.again) {
            self.begin(begun);
            return None;
        }
        Some(read.and_then(|loaded| {
            let (held, room) = (loaded.read.list_bytes() >> 20, room / 2);
            if held > room { Err(LoadError::Lists { held, room }) } else { Ok(loaded) }
        }))
    }
}

/// Keys whose change takes a restart.
pub(super) fn needs_restart(before: &Config, after: &Config) -> Vec<&'static str> {
    let changed = [
        ("sensor", before.sensor != after.sensor),
        ("capture", before.capture != after.capture),
        ("memory", before.memory != after.memory),
        ("store", before.store != after.store),
        ("metrics", before.metrics != after.metrics),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}

/// What goes on being in force of settings that take a restart.
pub(super) fn kept(before: &Config, after: Config) -> Config {
    let Config { sensor, capture, memory, store, metrics, .. } = before.clone();
    Config { sensor, capture, memory, store, metrics, ..after }
}
