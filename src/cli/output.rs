//! Where alerts, progress and complaints of a replay go.

use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::rc::Rc;

use anyhow::Context;
use clap::ValueEnum;

use super::files::{Files, Placed};
use super::progress::Progress;
use super::reload::Renewals;
use super::say;
use super::sequence::{Inputs, Sequence};
use crate::alert::{Alert, SourceFacts, Style, eve, text};
use crate::capture::replay::CaptureFile;
use crate::pump::{Audience, Renewal};

/// How alerts are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Plain words, with a ladder of the packets
    Text,
    /// One EVE JSON object a line, and nothing else
    Json,
}

/// Where everything goes.
pub(super) struct Output {
    format: Format,
    /// None once whoever read it has gone away.
    standard: Option<BufWriter<io::Stdout>>,
    eve_file: Option<BufWriter<File>>,
    files: Rc<RefCell<Files>>,
    /// Set when nobody is left to be told anything.
    enough: Rc<Cell<bool>>,
    style: Style,
    progress: Progress,
    renewals: Option<Renewals>,
    failed: Option<io::Error>,
    loud: bool,
    panicked: bool,
    alerts: u64,
    /// Failures of the source that were told.
    told: usize,
}

impl Output {
    pub(super) fn new(format: Format, eve_file: Option<&Path>, progress: Progress) -> Result<Self, String> {
        let open = |path: &Path| OpenOptions::new().create(true).append(true).open(path);
        let eve_file = match eve_file.map(|path| (path, open(path))) {
            None => None,
            Some((_, Ok(file))) => Some(BufWriter::new(file)),
            Some((path, Err(error))) => {
                return Err(format!("cannot append to {}: {error}; give --eve-file a path that can be written", path.display()));
            }
        };
        Ok(Self {
            format,
            standard: Some(BufWriter::new(io::stdout())),
            eve_file,
            files: Rc::default(),
            enough: Rc::default(),
            style: Style { colour: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() },
            progress,
            renewals: None,
            failed: None,
            loud: false,
            panicked: false,
            alerts: 0,
            told: 0,
        })
    }

    /// Takes over what is read anew.
    pub(super) fn renews_from(&mut self, renewals: Renewals) {
        self.renewals = Some(renewals);
    }

    /// A source of one capture whose alerts come here.
    pub(super) fn one(&self, capture: CaptureFile, bytes_before: u64) -> Sequence {
        Sequence::one(capture, bytes_before, &self.files, &self.enough)
    }

    /// A source of all captures as one, whose alerts come here.
    pub(super) fn sequence(&self, inputs: Inputs) -> Sequence {
        Sequence::over(inputs, &self.files, &self.enough)
    }

    /// Another source begins.
    pub(super) fn begin(&mut self) {
        self.told = 0;
        self.progress.begin();
    }

    /// The file that is read.
    pub(super) fn file_name(&self) -> String {
        self.files.borrow().last().1.to_owned()
    }

    /// Whether nobody is left to be told anything.
    pub(super) fn is_closed(&self) -> bool {
        self.enough.get()
    }

    /// Whether an alert of severity 1 or 2 was raised.
    pub(super) fn is_loud(&self) -> bool {
        self.loud
    }

    /// Whether the engine panicked, so that something may be missing.
    pub(super) fn has_panicked(&self) -> bool {
        self.panicked
    }

    /// A line on standard error that the progress bar does not overwrite.
    pub(super) fn tell(&self, line: &str) {
        self.progress.suspend(|| say(line));
    }

    fn write(&mut self, alert: &Alert) -> io::Result<()> {
        let Placed { alert, file, elsewhere } = self.files.borrow().place(alert);
        let source = SourceFacts { pcap_filename: file, ..SourceFacts::default() };
        let line = eve::to_line(&alert, &source);
        if let Some(file) = &mut self.eve_file {
            writeln!(file, "{line}")?;
            file.flush()?;
        }
        match self.format {
            Format::Json => self.print(&line)?,
            Format::Text => self.print(&text::render(&alert, &source, self.style))?,
        }
        if let Some(sentence) = elsewhere {
            say(&format!("sidewatch: {sentence}"));
        }
        Ok(())
    }

    /// A line on standard output; whoever closed it wants no more, which is no failure.
    fn print(&mut self, line: &str) -> io::Result<()> {
        let Some(standard) = &mut self.standard else { return Ok(()) };
        match writeln!(standard, "{line}").and_then(|()| standard.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                // What is still buffered would be tried again when it is dropped.
                let _ = self.standard.take().map(BufWriter::into_parts);
                self.enough.set(self.eve_file.is_none());
                Ok(())
            }
            done => done,
        }
    }

    /// Says the last word.
    pub(super) fn close(&mut self) -> anyhow::Result<()> {
        self.progress.finish();
        if let Some(error) = self.failed.take() {
            return Err(error).context("alerts could not be written");
        }
        if self.format == Format::Text && self.alerts == 0 {
            self.print("No alert.").context("standard output")?;
        }
        Ok(())
    }
}

impl Audience<Sequence> for Output {
    fn alert(&mut self, alert: &Alert) {
        self.loud |= alert.severity <= 2;
        self.alerts += 1;
        self.progress.alert();
        if self.failed.is_none() && !self.is_closed() {
            let bar = self.progress.bar();
            self.failed = bar.suspend(|| self.write(alert)).err();
        }
    }

    fn progress(&mut self, frames: u64, source: &Sequence) {
        for failure in source.failures().iter().skip(self.told) {
            self.tell(&format!("sidewatch: {failure}"));
        }
        self.told = source.failures().len();
        self.progress.advance(frames, source.bytes_read(), self.files.borrow().last());
    }

    fn renewal(&mut self) -> Option<Renewal> {
        self.renewals.as_ref().and_then(Renewals::take)
    }

    fn panicked(&mut self, frame: u64) {
        self.panicked = true;
        let place = self.files.borrow().words(frame);
        self.tell(&format!(
            "sidewatch: internal error at or after {place}: what was suspected so far is judged, connections are forgotten, and \
             the replay goes on; please report it"
        ));
    }
}
