//! The alert database under kills, full disks and other processes, and the commands that read it.

mod alerts;
mod full;
mod kill;
mod speed;

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use sidewatch::config::{FileTarget, Filter, SinkSettings, StoreSettings, Target};
use sidewatch::store::{Kind, Record, Store};

/// Names the folder to a child that is this test binary again.
const FOLDER: &str = "SIDEWATCH_TEST_STORE";
/// The number that the child begins with.
const FIRST: &str = "SIDEWATCH_TEST_FIRST";
/// What a child says begins so, as the test harness talks in between.
const MARK: &str = "child: ";
/// 2026-11-24 12:00:01 UTC, in microseconds.
const NOON: i64 = 1_795_521_601_000_000;

fn settings(folder: &Path) -> StoreSettings {
    StoreSettings {
        folder: folder.to_owned(),
        keep: Duration::from_secs(30 * 86_400),
        size: 64 << 20,
        reserve: 1 << 20,
        storm: Duration::from_secs(600),
    }
}

fn sink(name: &str, severity: u8) -> SinkSettings {
    SinkSettings {
        name: name.to_owned(),
        filter: Filter { severity, ..Filter::default() },
        per_minute: None,
        heartbeat: false,
        target: Target::File(FileTarget { path: "eve.json".into(), rotate_at: None, keep: 1 }),
    }
}

fn sinks() -> [SinkSettings; 2] {
    [sink("all", 3), sink("loud", 1)]
}

/// Every third is of severity 1.
fn alert(number: u64) -> Record {
    Record {
        id: id(number),
        kind: Kind::Alert,
        at: NOON + i64::try_from(number).unwrap() * 1_000_000,
        severity: if number.is_multiple_of(3) { 1 } else { 2 },
        mechanism: "http_redirect".to_owned(),
        verdict: "on_path_injection".to_owned(),
        client: "192.168.7.23".to_owned(),
        server: "203.0.113.7".to_owned(),
        headline: format!("A forged answer, number {number}"),
        explanation: "This device asked, and something on the way answered.".to_owned(),
        storm_key: String::new(),
        eve: format!(
            r#"{{"event_type":"alert","alert":{{"context":{{"injection":{{"id":"{}","closed":{{"at":"x","because":"deadline"}}}}}}}}}}"#,
            id(number)
        ),
    }
}

fn id(number: u64) -> String {
    format!("{number:016x}")
}

/// The ids that wait for a sink, all delivered, in order.
fn deliver_all(store: &Store, sink: &str) -> Vec<String> {
    let mut ids = Vec::new();
    while let Some(delivery) = store.next(sink, i64::MAX).unwrap() {
        ids.push(delivery.record.id);
        store.delivered(delivery.row, 1).unwrap();
    }
    ids
}

/// This test binary again, running one test of it as a child that knows what it is.
fn again(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads", "1"]).env(FOLDER, folder);
    command
}

fn begin(command: &mut Command) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// Past the harness, which keeps what `println!` writes.
fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{MARK}{line}").unwrap();
    out.flush().unwrap();
}

/// For who reads the test's output.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}
