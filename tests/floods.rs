//! Hostile captures through a pipe into the real binary, whose peak memory is measured against its cap. Linux only: the peak is read from
//! `/proc`. Small by default; `SIDEWATCH_FLOODS=full cargo test --release floods -- --nocapture --test-threads=1` sends all of it.

pub(crate) mod senders;

use std::fmt::Write as _;
use std::io::BufWriter;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use senders::Pipe;

/// The default of `--memory`, in KiB.
const CAP_KIB: u64 = 256 << 10;

/// One flood: what it sends, how much of it when small and when full, and to how many workers.
struct Flood {
    name: &'static str,
    send: fn(&mut Pipe<'_>, u32) -> std::io::Result<()>,
    small: u32,
    full: u32,
    workers: u16,
}

impl Flood {
    /// Sends it; the peak of resident memory in KiB.
    fn peak(&self) -> u64 {
        let full = std::env::var_os("SIDEWATCH_FLOODS").is_some_and(|value| value == "full");
        let count = if full { self.full } else { self.small };
        let mut child = Command::new(env!("CARGO_BIN_EXE_sidewatch"))
            .args(["replay", "-", "--format", "json", "--stats", "--workers", &self.workers.to_string()])
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
        eprintln!("{}: {count} times, {} workers: peak {} MiB\n  {}", self.name, self.workers, peak >> 10, said.trim());
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

fn stays_within(name: &'static str, send: fn(&mut Pipe<'_>, u32) -> std::io::Result<()>, (small, full): (u32, u32), workers: u16) {
    let peak = Flood { name, send, small, full, workers }.peak();
    let mut message = String::new();
    write!(message, "{name}: {} MiB of {}", peak >> 10, CAP_KIB >> 10).unwrap();
    assert!(peak < CAP_KIB, "{message}");
}

#[test]
fn half_open_flows() {
    stays_within("half-open flows", senders::half_open, (20_000, 1_000_000), 1);
}

#[test]
fn heads_without_end() {
    stays_within("heads without end in both directions", senders::heads_without_end, (3_000, 200_000), 1);
}

#[test]
fn large_requests_in_a_row() {
    stays_within("64 pipelined requests of 8 KiB", senders::large_requests, (50, 2_000), 1);
}

#[test]
fn small_requests_in_a_row() {
    stays_within("64 pipelined requests of 18 bytes", senders::small_requests, (3_000, 80_000), 1);
}

#[test]
fn fragments_without_end() {
    stays_within("fragments of 8 bytes", senders::fragments, (60_000, 3_000_000), 1);
}

#[test]
fn conflicting_copies() {
    stays_within("conflicting copies", senders::conflicts, (1_500, 70_000), 1);
}

#[test]
fn redirects_with_large_heads() {
    stays_within("bare redirects with large heads, a case each", senders::redirects, (2_500, 80_000), 1);
}

#[test]
fn pages_full_of_frames() {
    stays_within("pages of thousands of frames in gzip, a case each", senders::pages_full_of_frames, (100, 10_000), 1);
}

#[test]
fn answers_with_large_heads() {
    stays_within("honest answers with large heads", senders::large_answers, (3_000, 80_000), 1);
}

#[test]
fn answers_with_many_fields() {
    stays_within("answers with 32 fields of 3 bytes", senders::many_fields, (5_000, 80_000), 1);
}

#[test]
fn connections_opened_anew_at_one_time() {
    stays_within("a suspicion a connection, on the same ports, at one time", senders::reopened, (20_000, 3_000_000), 1);
}

#[test]
fn segments_of_64_kib() {
    stays_within("segments of 64 KiB to two workers", senders::largest_segments, (2_000, 50_000), 2);
}
