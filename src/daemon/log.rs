//! Where the log goes: to the journal under systemd, else to standard error in words.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;

use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

type Level = reload::Handle<EnvFilter, Registry>;

static LEVEL: OnceLock<Level> = OnceLock::new();

/// Begins the log, or changes what it says.
///
/// # Errors
/// When the filter is none.
pub(super) fn say(filter: &str) -> Result<(), String> {
    let wanted = EnvFilter::try_new(filter).map_err(|error| format!("`{filter}` is no filter of the log: {error}"))?;
    if let Some(level) = LEVEL.get() {
        return level.reload(wanted).map_err(|error| error.to_string());
    }
    let (wanted, level) = reload::Layer::new(wanted);
    let filtered: Layered<reload::Layer<EnvFilter, Registry>, Registry> = tracing_subscriber::registry().with(wanted);
    let begun = match journal() {
        Some(journal) => filtered.with(journal).try_init(),
        None => {
            let is_terminal = io::stderr().is_terminal();
            filtered.with(fmt::layer().with_writer(io::stderr).with_ansi(is_terminal).with_target(false)).try_init()
        }
    };
    begun.map_err(|error| error.to_string())?;
    // Whoever was first has it.
    let _ = LEVEL.set(level);
    Ok(())
}

/// The journal, when standard error leads there.
fn journal() -> Option<tracing_journald::Layer> {
    std::env::var_os("JOURNAL_STREAM")?;
    tracing_journald::layer().ok()
}
