//! `sidewatch replay`: captures in, alerts out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::Args;
use indicatif::ProgressBar;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::output::{Format, Output};
use super::progress::Progress;
use super::reload::Reloader;
use super::sequence::{Inputs, Sequence, in_order_of_time};
use super::statistics::statistics;
use super::{Status, say};
use crate::capture::replay::{follow, inputs};
use crate::engine::limits::Limits;
use crate::pump::sources::{LEAST_MEMORY, Sources, set_aside};
use crate::pump::{self, Renewal, Report, Settings};

/// The seed of the flow hash in replay: fixed, so that the same capture always gives the same output.
pub(super) const REPLAY_SEED: u64 = 0x51de_0a7c;

/// Say which answers in a capture the network forged, which frame is the forgery, and why
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch replay capture.pcap                       alerts in plain words
  sidewatch replay --format json day1/ day2.pcapng.gz one EVE JSON line an alert
  sidewatch replay --eve-file alerts.json captures/   words on the screen, JSON in a file
  sidewatch replay --fail-on-alert ci.pcap || ...     for scripts
  sidewatch replay --indicators lists/ capture.pcap   also say who met a listed indicator, and where
  sidewatch replay evidence.zip                       each capture in the archive, named evidence.zip!NAME
  sidewatch replay --continuous ring.pcap*            a rotated capture: connections go on from file to file
  sidewatch replay --follow growing.pcap              alerts while tcpdump still writes; Ctrl-C ends it
  kill -HUP PID                                       it reads --rules and --indicators anew; with a mistake, nothing changes
  tcpdump -U -w - | sidewatch replay --follow -       the same from a pipe

pcap and pcapng are read, plain, packed (gzip, zstd, xz, bzip2, lz4), and inside tar and zip archives. From a folder, and the
folders in it, the files are taken whose names end in .pcap, .pcapng, .cap, .trace, .tcpdump, .dump or .ntar, numbered or packed
too, in order of name. Every capture is looked at by itself unless --continuous is given.

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
    /// Lists of indicators: files, folders, MISP feeds, or a store that `sidewatch indicators import` made; may be given several times
    #[arg(long, value_name = "PATH")]
    indicators: Vec<PathBuf>,
    /// Rules beside those that are shipped: files, or folders of *.toml; may be given several times (see `sidewatch rules --help`)
    #[arg(long, value_name = "PATH")]
    rules: Vec<PathBuf>,
    /// Exit with status 10 when an alert of severity 1 or 2 was raised
    #[arg(long)]
    fail_on_alert: bool,
    /// Take all captures as one, in the order of their first frames: connections may span files
    #[arg(long, conflicts_with = "follow")]
    continuous: bool,
    /// Go on reading as the file grows, until Ctrl-C or SIGTERM or until another file takes its place; SIGHUP reads rules and lists anew
    #[arg(long)]
    follow: bool,
    /// Print what was counted to standard error
    #[arg(long)]
    stats: bool,
    /// Judge without the library of known devices, as if none of them were known
    #[arg(long, hide = true)]
    no_device_library: bool,
}

impl Replay {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        let files = match self.files() {
            Ok(files) => files,
            Err(complaint) => {
                say(&format!("sidewatch: {complaint}"));
                return Ok(Status::BadInput);
            }
        };
        let progress = Progress::new(&files);
        let (settings, reloader) = match self.settings(progress.bar()) {
            Ok(settings) => settings,
            Err(complaint) => {
                say(&format!("sidewatch: {complaint}"));
                return Ok(Status::BadInput);
            }
        };
        let mut output = match Output::new(self.format, self.eve_file.as_deref(), progress) {
            Ok(output) => output,
            Err(complaint) => {
                say(&format!("sidewatch: {complaint}"));
                return Ok(Status::BadInput);
            }
        };
        let stop = Arc::new(AtomicBool::new(false));
        if let Some(reloader) = reloader {
            output.renews_from(reloader.begin(Arc::clone(&stop)).context("signals")?);
        }
        let whole =
            if self.follow { self.follow(&files, stop, &settings, &mut output)? } else { self.replay(files, &settings, &mut output) };
        output.close()?;
        if output.has_panicked() {
            return Ok(Status::Internal);
        }
        Ok(match (whole, self.fail_on_alert && output.is_loud()) {
            (false, _) => Status::BadInput,
            (true, true) => Status::Alerted,
            (true, false) => Status::Done,
        })
    }

    /// What the engine works with, or what of it cannot be read; with `--follow` what reads it anew, too.
    fn settings(&self, bar: ProgressBar) -> Result<(Settings, Option<Reloader>), String> {
        let knows_devices = !self.no_device_library;
        let sources = Sources { rules: self.rules.clone(), indicators: self.indicators.clone(), knows_devices };
        let read = sources.read()?;
        if let Some(complaint) = read.complaint() {
            say(&format!("sidewatch: {complaint}"));
        }
        let memory = u64::from(self.memory);
        let held = read.list_bytes() >> 20;
        // What lists take, the tables of connections cannot have.
        let set_aside = if self.follow { set_aside(held, !self.indicators.is_empty()) } else { held };
        let Some(rest) = memory.checked_sub(set_aside).filter(|rest| *rest >= LEAST_MEMORY) else {
            let why = if set_aside > held { ", and are held twice while they are read anew" } else { "" };
            return Err(format!("the lists take {held} MiB of memory{why}: give --memory {} or more", set_aside + LEAST_MEMORY));
        };
        let reloader = self.follow.then(|| Reloader::new(sources, set_aside, bar));
        let Renewal { knowledge, policy } = read.in_force;
        let settings =
            Settings { limits: Limits::within(rest << 20), knowledge, policy, seed: REPLAY_SEED, workers: usize::from(self.workers) };
        Ok((settings, reloader))
    }

    /// The files meant, or what is wrong with them.
    fn files(&self) -> Result<Vec<PathBuf>, String> {
        if self.follow {
            return match self.paths.as_slice() {
                [path] if path != Path::new("-") && !path.is_dir() => Ok(vec![path.clone()]),
                _ => Err("--follow takes one capture file; a pipe (`-`) is read as it comes without it".to_owned()),
            };
        }
        let mut files = Vec::new();
        for path in &self.paths {
            if path == Path::new("-") {
                files.push(path.clone());
            } else {
                files.extend(inputs(std::slice::from_ref(path)).map_err(|error| error.to_string())?);
            }
        }
        if self.continuous {
            in_order_of_time(&mut files);
        }
        Ok(files)
    }

    /// All captures; false when something could not be read to its end.
    fn replay(&self, files: Vec<PathBuf>, settings: &Settings, output: &mut Output) -> bool {
        let mut captures = Inputs::new(files);
        if self.continuous {
            return self.pump(output.sequence(captures), settings, output);
        }
        let mut whole = true;
        while let Some(capture) = captures.next() {
            if output.is_closed() {
                break;
            }
            match capture {
                Ok(capture) => {
                    let sequence = output.one(capture, captures.bytes_done());
                    whole &= self.pump(sequence, settings, output);
                }
                Err(error) => {
                    output.tell(&format!("sidewatch: {error}"));
                    whole = false;
                }
            }
        }
        whole
    }

    fn follow(&self, files: &[PathBuf], stop: Arc<AtomicBool>, settings: &Settings, output: &mut Output) -> anyhow::Result<bool> {
        for signal in [SIGINT, SIGTERM] {
            // Whoever asks twice does not want to wait.
            flag::register_conditional_shutdown(signal, Status::Internal as i32, Arc::clone(&stop)).context("signals")?;
            flag::register(signal, Arc::clone(&stop)).context("signals")?;
        }
        let mut whole = true;
        for path in files {
            match follow(path, Arc::clone(&stop)) {
                Ok(capture) => whole &= self.pump(output.one(capture, 0), settings, output),
                Err(_) if stop.load(Ordering::Relaxed) => {}
                Err(error) => {
                    output.tell(&format!("sidewatch: {error}"));
                    whole = false;
                }
            }
        }
        Ok(whole)
    }

    /// One run of the engine; false when something could not be read to its end.
    fn pump(&self, mut source: Sequence, settings: &Settings, output: &mut Output) -> bool {
        output.begin();
        let (report, _) = pump::run(&mut source, settings, output);
        let name = if self.continuous { "all captures".to_owned() } else { output.file_name() };
        if report.frames > 0 && report.understood == 0 {
            output.tell(&format!("sidewatch: {name}: none of its {} frames could be decoded ({})", report.frames, named(&report)));
        }
        if self.stats {
            output.tell(&statistics(&name, &report));
        }
        source.failures().is_empty()
    }
}

fn named(report: &Report) -> String {
    report.decoded.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}
