//! Progress of a replay on a terminal: files, bytes, packets, alerts, time left. Nothing where standard error is no terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Tells how far a replay is.
#[derive(Clone)]
pub(super) struct Progress {
    bar: ProgressBar,
    files: usize,
    file: usize,
    bytes_before: u64,
    bytes_of_file: u64,
    frames_before: u64,
    frames_of_file: u64,
    alerts: u64,
    name: String,
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
        Self {
            bar,
            files: files.len(),
            file: 0,
            bytes_before: 0,
            bytes_of_file: 0,
            frames_before: 0,
            frames_of_file: 0,
            alerts: 0,
            name: String::new(),
        }
    }

    /// The next capture.
    pub(super) fn begin(&mut self, path: &Path) {
        self.file += 1;
        self.bytes_before += self.bytes_of_file;
        self.frames_before += self.frames_of_file;
        (self.bytes_of_file, self.frames_of_file) = (0, 0);
        self.name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        self.show();
    }

    /// So much of the capture is done.
    pub(super) fn advance(&mut self, frames: u64, bytes: u64) {
        (self.frames_of_file, self.bytes_of_file) = (frames, bytes);
        self.show();
    }

    /// One alert more.
    pub(super) fn alert(&mut self) {
        self.alerts += 1;
    }

    fn show(&self) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(self.bytes_before + self.bytes_of_file);
        let frames = self.frames_before + self.frames_of_file;
        self.bar.set_message(format!("file {} of {}, {frames} packets, {} alerts, {}", self.file, self.files, self.alerts, self.name));
    }

    /// Runs `write` while the bar is out of the way.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
