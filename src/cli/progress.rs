//! Progress of a replay on a terminal: files, bytes, packets, alerts, time left. Nothing where standard error is no terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Tells how far a replay is.
pub(super) struct Progress {
    bar: ProgressBar,
    alerts: u64,
    /// Frames of the runs before this one, and of this one.
    frames: (u64, u64),
}

impl Progress {
    /// For these captures; silent where standard error is no terminal.
    pub(super) fn new(files: &[PathBuf]) -> Self {
        let total = files.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|metadata| metadata.len()).sum();
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        if std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        }
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {bytes}/{total_bytes}, {eta} left, {wide_msg}") {
            bar.set_style(style);
        }
        Self { bar, alerts: 0, frames: (0, 0) }
    }

    /// Another run begins, whose frames are counted from 0.
    pub(super) fn begin(&mut self) {
        self.frames = (self.frames.0 + self.frames.1, 0);
    }

    /// So much of all is done: frames of this run, bytes of all files, the count and name of the file that is read.
    pub(super) fn advance(&mut self, frames: u64, bytes: u64, (file, name): (usize, &str)) {
        self.frames.1 = frames;
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(bytes);
        let name = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
        let all = self.frames.0 + frames;
        self.bar.set_message(format!("file {file}, {all} packets, {} alerts, {}", self.alerts, name.escape_debug()));
    }

    /// One alert more.
    pub(super) fn alert(&mut self) {
        self.alerts += 1;
    }

    /// Runs `write` while the bar is out of the way.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// The bar itself, to be moved out of the way of what is written.
    pub(super) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
