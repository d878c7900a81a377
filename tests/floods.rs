//! Hostile captures through a pipe into the real binary, whose peak of resident memory is compared with what `--memory` allows.
//!
//! Small by default. `SIDEWATCH_FLOODS=tight` sends the same under the least `--memory`, where a part without a bound shows soonest;
//! `SIDEWATCH_FLOODS=full cargo test --release floods -- --nocapture --test-threads=1` sends all of it.
//! Linux only: the peak is read from `/proc`.
#![cfg(target_os = "linux")]

pub(crate) mod senders;

use std::io::{self, BufWriter};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use senders::Pipe;

/// The default of `--memory`, in MiB, and the least that it takes.
const MEMORY: (u64, u64) = (256, 64);

/// One flood.
struct Flood {
    name: &'static str,
    send: fn(&mut Pipe<'_>, u32) -> io::Result<()>,
    /// How often when small, and when full.
    counts: (u32, u32),
    workers: u16,
}

impl Flood {
    fn stays_within_its_cap(&self) {
        let mode = std::env::var("SIDEWATCH_FLOODS").unwrap_or_default();
        let count = if mode == "full" { self.counts.1 } else { self.counts.0 };
        let memory = if mode == "tight" { MEMORY.1 } else { MEMORY.0 };
        let peak = self.peak(count, memory);
        assert!(peak < memory << 10, "{}, {count} times: a peak of {} MiB where {memory} are allowed", self.name, peak >> 10);
    }

    /// Sends it; the peak of resident memory in KiB.
    fn peak(&self, count: u32, memory: u64) -> u64 {
        let (workers, memory) = (self.workers.to_string(), memory.to_string());
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidewatch"))
            .args(["replay", "-", "--format", "json", "--stats", "--workers", &workers, "--memory", &memory])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let send = self.send;
        let sender = thread::spawn(move || {
            let mut pipe = Pipe::new(Box::new(BufWriter::with_capacity(1 << 16, stdin)))?;
            send(&mut pipe, count)?;
            pipe.finish()
        });
        let peak = watch(&mut child);
        let sent = sender.join().unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && sent.is_ok(), "{}: {:?}, {sent:?}: {said}", self.name, output.status);
        eprintln!("{}, {count} times: a peak of {} MiB of {memory}\n  {}", self.name, peak >> 10, said.trim());
        peak
    }
}

/// The largest resident size until the process ends, in KiB. The mark only rises, so that just the last milliseconds can be missed.
fn watch(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = mark.and_then(|value| value.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        thread::sleep(Duration::from_millis(1));
    }
    peak
}

#[test]
fn half_open_flows() {
    Flood { name: "half-open flows", send: senders::half_open, counts: (10_000, 1_000_000), workers: 1 }.stays_within_its_cap();
}

#[test]
fn heads_without_end() {
    Flood { name: "heads without end in both directions", send: senders::heads_without_end, counts: (2_000, 200_000), workers: 1 }
        .stays_within_its_cap();
}

#[test]
fn large_requests_in_a_row() {
    Flood { name: "64 pipelined requests of 8 KiB", send: senders::large_requests, counts: (60, 2_000), workers: 1 }.stays_within_its_cap();
}

#[test]
fn small_requests_in_a_row() {
    Flood { name: "64 pipelined requests of 18 bytes", send: senders::small_requests, counts: (2_000, 80_000), workers: 1 }
        .stays_within_its_cap();
}

#[test]
fn fragments_without_end() {
    Flood { name: "fragments of 8 bytes", send: senders::fragments, counts: (30_000, 3_000_000), workers: 1 }.stays_within_its_cap();
}

#[test]
fn conflicting_copies() {
    Flood { name: "conflicting copies", send: senders::conflicts, counts: (250, 70_000), workers: 1 }.stays_within_its_cap();
}

#[test]
fn redirects_with_large_heads() {
    Flood { name: "bare redirects with large heads, a case each", send: senders::redirects, counts: (2_000, 80_000), workers: 1 }
        .stays_within_its_cap();
}

#[test]
fn pages_full_of_frames() {
    Flood {
        name: "pages of frames with long addresses in gzip, a case each",
        send: senders::pages_full_of_frames,
        counts: (100, 6_000),
        workers: 1,
    }
    .stays_within_its_cap();
}

#[test]
fn answers_with_large_heads() {
    Flood { name: "honest answers with large heads", send: senders::large_answers, counts: (2_000, 80_000), workers: 1 }
        .stays_within_its_cap();
}

#[test]
fn answers_with_many_fields() {
    Flood { name: "answers with 32 fields of 3 bytes", send: senders::many_fields, counts: (3_000, 80_000), workers: 1 }
        .stays_within_its_cap();
}

#[test]
fn connections_opened_anew_at_one_time() {
    Flood {
        name: "a suspicion a connection, on the same ports, at one time",
        send: senders::reopened,
        counts: (8_000, 3_000_000),
        workers: 1,
    }
    .stays_within_its_cap();
}

#[test]
fn segments_of_64_kib() {
    Flood { name: "segments of 64 KiB to two workers", send: senders::largest_segments, counts: (600, 50_000), workers: 2 }
        .stays_within_its_cap();
}

#[test]
fn races_of_64_kib() {
    Flood { name: "races of two segments of 60 KiB", send: senders::largest_races, counts: (150, 12_000), workers: 1 }
        .stays_within_its_cap();
}

#[test]
fn questions_of_dns_with_contradicting_answers() {
    Flood { name: "questions of DNS with eight answers each", send: senders::names, counts: (6_000, 300_000), workers: 1 }
        .stays_within_its_cap();
}

#[test]
fn claims_to_addresses() {
    Flood { name: "claims to addresses, each by another machine", send: senders::claims, counts: (60_000, 3_000_000), workers: 2 }
        .stays_within_its_cap();
}
