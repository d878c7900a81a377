//! `sidewatch replay`: captures in, alerts out.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::progress::Progress;
use super::{Status, say};
use crate::alert::{Alert, SourceFacts, Style, eve, text};
use crate::capture::replay::{CaptureFile, InputError, inputs, open};
use crate::engine::Knowledge;
use crate::engine::limits::Limits;
use crate::pump::{self, Audience, Report, Settings};
use crate::rules::device::DeviceLibrary;

/// The seed of the flow hash in replay: fixed, so that the same capture always gives the same output.
const REPLAY_SEED: u64 = 0x51de_0a7c;

/// Say which answers in a capture the network forged, which frame is the forgery, and why
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch replay capture.pcap                       alerts in plain words
  sidewatch replay --format json day1/ day2.pcapng.gz one EVE JSON line an alert
  sidewatch replay --eve-file alerts.json captures/   words on the screen, JSON in a file
  sidewatch replay --fail-on-alert ci.pcap || ...     for scripts

A folder is searched for captures (.pcap, .pcapng, .cap, .trace, .tcpdump, .dump, .ntar, each also .gz or .zst), in order of name.
Every capture is looked at by itself.

Exit status:
   0  all input was read
   1  internal error
   2  bad usage, or input that cannot be read to its end (what could be read was analysed all the same)
  10  with --fail-on-alert, an alert of severity 1 or 2 was raised")]
pub(super) struct Replay {
    /// Captures, or folders with captures; `-` is standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How alerts are written to standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Append every alert to this file as well, as EVE JSON lines
    #[arg(long, value_name = "PATH")]
    eve_file: Option<PathBuf>,
    /// Worker threads; the output is the same with any number
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    /// Memory that the program may use, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(64..=65536))]
    memory: u32,
    /// Exit with status 10 when an alert of severity 1 or 2 was raised
    #[arg(long)]
    fail_on_alert: bool,
    /// Print what was counted to standard error
    #[arg(long)]
    stats: bool,
    /// Judge without the library of known devices, as if none of them were known
    #[arg(long, hide = true)]
    no_device_library: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Plain words, with a ladder of the packets
    Text,
    /// One EVE JSON object a line, and nothing else
    Json,
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        let files = match self.files() {
            Ok(files) => files,
            Err(error) => {
                say(&format!("sidewatch: {error}"));
                return Ok(Status::BadInput);
            }
        };
        let devices = if self.no_device_library {
            DeviceLibrary::default()
        } else {
            DeviceLibrary::shipped().context("the shipped device library")?
        };
        let settings = Settings {
            limits: Limits::within(u64::from(self.memory) << 20),
            knowledge: Arc::new(Knowledge { devices }),
            seed: REPLAY_SEED,
            workers: usize::from(self.workers),
        };
        let mut output = Output::new(self.format, self.eve_file.as_deref(), Progress::new(&files))?;
        let mut damaged = false;
        for path in &files {
            damaged |= !self.one(path, &settings, &mut output);
        }
        output.close()?;
        Ok(match (damaged, self.fail_on_alert && output.loud) {
            (true, _) => Status::BadInput,
            (false, true) => Status::Alerted,
            (false, false) => Status::Done,
        })
    }

    fn files(&self) -> Result<Vec<PathBuf>, InputError> {
        let standard_input = Path::new("-");
        let mut files = Vec::new();
        for path in &self.paths {
            if path == standard_input { files.push(path.clone()) } else { files.extend(inputs(std::slice::from_ref(path))?) }
        }
        Ok(files)
    }

    /// One capture; false when it could not be read to its end.
    fn one(&self, path: &Path, settings: &Settings, output: &mut Output) -> bool {
        let opened = if path == Path::new("-") { CaptureFile::from_reader("-", io::stdin()) } else { open(path) };
        let mut source = match opened {
            Ok(source) => source,
            Err(error) => {
                output.tell(&format!("sidewatch: {error}"));
                return false;
            }
        };
        output.begin(path);
        let (report, ended) = pump::run(&mut source, settings, output);
        if report.frames > 0 && report.understood == 0 {
            output.tell(&format!(
                "sidewatch: {}: none of its {} frames could be decoded ({})",
                path.display(),
                report.frames,
                named(&report)
            ));
        }
        if self.stats {
            output.tell(&statistics(path, &report));
        }
        match ended {
            Ok(()) => true,
            Err(error) => {
                output.tell(&format!("sidewatch: {error}"));
                false
            }
        }
    }
}

fn named(report: &Report) -> String {
    report.decoded.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

fn statistics(path: &Path, report: &Report) -> String {
    format!("{}: frames {}; {}\n  {:?}\n  {:?}", path.display(), report.frames, named(report), report.shards, report.correlate)
}

/// Where alerts and progress go.
struct Output {
    format: Format,
    standard: BufWriter<io::Stdout>,
    eve_file: Option<BufWriter<File>>,
    source: SourceFacts,
    style: Style,
    progress: Progress,
    failed: Option<io::Error>,
    loud: bool,
    alerts: u64,
}

impl Output {
    fn new(format: Format, eve_file: Option<&Path>, progress: Progress) -> anyhow::Result<Self> {
        let eve_file = match eve_file {
            Some(path) => {
                let file = OpenOptions::new().create(true).append(true).open(path);
                Some(BufWriter::new(
                    file.with_context(|| format!("cannot append to {}; give --eve-file a path that can be written", path.display()))?,
                ))
            }
            None => None,
        };
        Ok(Self {
            format,
            standard: BufWriter::new(io::stdout()),
            eve_file,
            source: SourceFacts::default(),
            style: Style { colour: io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() },
            progress,
            failed: None,
            loud: false,
            alerts: 0,
        })
    }

    fn begin(&mut self, path: &Path) {
        self.source = SourceFacts { pcap_filename: Some(path.display().to_string()), ..SourceFacts::default() };
        self.progress.begin(path);
    }

    /// A line on standard error that the progress bar does not overwrite.
    fn tell(&self, line: &str) {
        self.progress.suspend(|| say(line));
    }

    fn write(&mut self, alert: &Alert) -> io::Result<()> {
        let line = eve::to_line(alert, &self.source);
        if let Some(file) = &mut self.eve_file {
            writeln!(file, "{line}")?;
        }
        match self.format {
            Format::Json => writeln!(self.standard, "{line}")?,
            Format::Text => writeln!(self.standard, "{}", text::render(alert, &self.source, self.style))?,
        }
        self.standard.flush()
    }

    fn close(&mut self) -> anyhow::Result<()> {
        self.progress.finish();
        if let Some(error) = self.failed.take() {
            return Err(error).context("alerts could not be written");
        }
        if self.format == Format::Text && self.alerts == 0 {
            writeln!(self.standard, "No alert.")?;
        }
        self.standard.flush().context("standard output")?;
        if let Some(file) = &mut self.eve_file {
            file.flush().context("the EVE file")?;
        }
        Ok(())
    }
}

impl Audience<CaptureFile> for Output {
    fn alert(&mut self, alert: &Alert) {
        self.loud |= alert.severity <= 2;
        self.alerts += 1;
        self.progress.alert();
        if self.failed.is_none() {
            let progress = self.progress.clone();
            self.failed = progress.suspend(|| self.write(alert)).err();
        }
    }
    fn progress(&mut self, frames: u64, source: &CaptureFile) {
        self.progress.advance(frames, source.bytes_read());
    }
}
