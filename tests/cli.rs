//! The binary as scripts and people meet it: what it reads, where it writes, how it ends.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// A capture of one forged answer, of severity 1.
const LOUD: &str = "race-302-on-get";
/// Its quiet twin.
const QUIET: &str = "race-302-on-get-quiet";
/// How long a test waits for another program at most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

fn pcaps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps")
}

fn capture(case: &str) -> PathBuf {
    pcaps().join(case).join("capture.pcap")
}

fn sidewatch(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidewatch"));
    command.args(arguments);
    command
}

fn replay(arguments: &[&str], paths: &[&Path]) -> Output {
    sidewatch(&["replay"]).args(arguments).args(paths).stdin(Stdio::null()).output().unwrap()
}

fn piped(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = sidewatch(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn alerts(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn json_is_alert_lines_and_nothing_else_and_an_alert_is_no_failure() {
    let run = replay(&["--format", "json"], &[&capture(LOUD), &capture(QUIET)]);
    assert_eq!((status(&run), said(&run).as_str()), (Some(0), ""));
    let alerts = alerts(&run);
    assert_eq!(alerts.len(), 1);
    assert_eq!(alerts[0]["pcap_filename"], capture(LOUD).display().to_string());

    let quiet = replay(&["--format", "json"], &[&capture(QUIET)]);
    assert_eq!((status(&quiet), quiet.stdout.len(), said(&quiet).as_str()), (Some(0), 0, ""));
}

#[test]
fn text_is_the_default_and_says_so_when_there_is_nothing_to_say() {
    let loud = replay(&[], &[&capture(LOUD)]);
    let text = String::from_utf8(loud.stdout).unwrap();
    assert!(text.starts_with("HIGH: ") && text.contains("What to do next"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours where no terminal is");
    assert_eq!(replay(&[], &[&capture(QUIET)]).stdout, b"No alert.\n");
}

#[test]
fn fail_on_alert_ends_with_10_and_unreadable_input_wins_over_it() {
    assert_eq!(status(&replay(&["--fail-on-alert"], &[&capture(LOUD)])), Some(10));
    assert_eq!(status(&replay(&["--fail-on-alert"], &[&capture(QUIET)])), Some(0));
    let folder = folder();
    let letter = write(&folder, "letter.pcap", b"dear reader");
    let run = replay(&["--fail-on-alert", "--format", "json"], &[&capture(LOUD), &letter]);
    assert_eq!((status(&run), alerts(&run).len()), (Some(2), 1));
}

#[test]
fn the_eve_file_is_appended_to_whatever_standard_output_has() {
    let folder = folder();
    let eve = write(&folder, "eve.json", b"{\"before\":true}\n");
    let run = replay(&["--eve-file", eve.to_str().unwrap()], &[&capture(LOUD)]);
    assert_eq!(status(&run), Some(0));
    let json = replay(&["--format", "json"], &[&capture(LOUD)]);
    let expected = [b"{\"before\":true}\n".as_slice(), &json.stdout].concat();
    assert_eq!(fs::read(&eve).unwrap(), expected);

    let run = replay(&["--eve-file", folder.path().to_str().unwrap()], &[&capture(LOUD)]);
    assert_eq!(status(&run), Some(2));
    assert!(said(&run).contains("give --eve-file a path that can be written"), "{}", said(&run));
}

#[test]
fn usage_errors_end_with_2_and_say_what_would_be_right() {
    for (arguments, word) in [
        (vec!["replay", "--workers", "0", "x.pcap"], "1..=64"),
        (vec!["replay", "--workers", "many", "x.pcap"], "--workers"),
        (vec!["replay", "--format", "xml", "x.pcap"], "json"),
        (vec!["replay"], "PATH"),
        (vec!["replay", "--frobnicate", "x.pcap"], "--frobnicate"),
        (vec!["replay", "--follow", "-"], "--follow takes one capture file"),
        (vec!["replay", "--follow", "a.pcap", "b.pcap"], "--follow takes one capture file"),
        (vec!["replay", "--follow", "--continuous", "a.pcap"], "cannot be used with"),
        (vec!["rewind"], "rewind"),
    ] {
        let run = sidewatch(&arguments).output().unwrap();
        assert_eq!((status(&run), run.stdout.len()), (Some(2), 0), "{arguments:?}");
        assert!(said(&run).contains(word), "{arguments:?} says: {}", said(&run));
    }
    let help = sidewatch(&["replay", "--help"]).output().unwrap();
    assert_eq!(status(&help), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("Exit status:"));
}

#[test]
fn what_cannot_be_read_is_named_and_ends_with_2() {
    let folder = folder();
    let missing = folder.path().join("missing.pcap");
    let empty_folder = folder.path().join("empty");
    fs::create_dir(&empty_folder).unwrap();
    write(&folder, "notes.txt", b"x");
    let letter = write(&folder, "letter.txt", b"dear reader");
    let empty = write(&folder, "empty.pcap", b"");
    for (path, word) in [
        (&missing, "there is no such file or folder"),
        (&empty_folder, "no capture file is in this folder"),
        (&letter, "is not a capture file: it begins with 64 65 61 72"),
        (&empty, "is empty"),
    ] {
        if path == &missing {
            assert_eq!(status(&replay(&["--follow"], &[path])), Some(2));
        }
        let run = replay(&[], &[path]);
        assert_eq!(status(&run), Some(2));
        let said = said(&run);
        assert!(said.starts_with("sidewatch: ") && said.contains(path.to_str().unwrap()) && said.contains(word), "{said}");
    }
}

#[test]
fn a_cut_capture_gives_its_alerts_and_the_byte_at_which_it_breaks_off() {
    let folder = folder();
    let mut bytes = fs::read(capture(LOUD)).unwrap();
    let whole = bytes.len();
    bytes.extend([0; 7]);
    let cut = write(&folder, "cut.pcap", &bytes);
    let run = replay(&["--format", "json", "--fail-on-alert"], &[&cut]);
    assert_eq!((status(&run), alerts(&run).len()), (Some(2), 1));
    let said = said(&run).replace(',', "");
    assert!(said.contains(&format!("cut.pcap: damaged at byte {whole}: the capture ends in the middle of packet 13")), "{said}");
}

#[test]
fn standard_input_may_be_packed_in_any_way_or_an_archive() {
    let plain = fs::read(capture(LOUD)).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&plain).unwrap();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&plain).unwrap();
    let expected = piped(&["replay", "--format", "json", "-"], &plain);
    assert_eq!(alerts(&expected)[0]["pcap_filename"], "-");
    for packed in [gzip.finish().unwrap(), bzip2.finish().unwrap()] {
        assert_eq!(piped(&["replay", "--format", "json", "-"], &packed).stdout, expected.stdout);
    }
    let zip = zip_of("in/a.pcap", &plain);
    let run = piped(&["replay", "--format", "json", "-"], &zip);
    assert_eq!((status(&run), &alerts(&run)[0]["pcap_filename"]), (Some(0), &Value::from("-!in/a.pcap")));
    assert_eq!(status(&piped(&["replay", "-"], b"")), Some(2));
}

/// A zip file with one member, stored as it is.
fn zip_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let size = (bytes.len() as u32).to_le_bytes();
    let mut zip = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0".to_vec();
    zip.extend(crc.sum().to_le_bytes());
    zip.extend([size, size].concat());
    zip.extend((name.len() as u16).to_le_bytes());
    zip.extend([0, 0]);
    zip.extend([name.as_bytes(), bytes, b"PK\x05\x06"].concat());
    zip
}

#[test]
fn a_closed_standard_output_ends_the_program_quietly() {
    let folder = folder();
    for number in 0..40 {
        fs::copy(capture(LOUD), folder.path().join(format!("{number:02}.pcap"))).unwrap();
    }
    let mut child = sidewatch(&["replay"]).arg(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    // Dropped with this statement: as `| head -1` does.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let run = child.wait_with_output().unwrap();
    assert!(line.starts_with("HIGH"));
    assert_eq!((status(&run), said(&run).as_str()), (Some(0), ""));
}

#[test]
fn the_number_of_workers_changes_not_a_byte() {
    for arguments in [["--format", "json"], ["--format", "text"]] {
        let run = |workers: &str| replay(&[&arguments[..], &["--workers", workers]].concat(), &[&pcaps()]);
        let one = run("1");
        assert_eq!(status(&one), Some(0), "{}", said(&one));
        assert!(one.stdout.len() > 10_000);
        for workers in ["2", "4"] {
            assert!(run(workers).stdout == one.stdout, "{workers} workers");
        }
    }
}

#[test]
fn a_folder_is_the_same_as_its_captures_one_by_one_in_order_of_name() {
    let mut cases: Vec<PathBuf> = fs::read_dir(pcaps()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let captures: Vec<PathBuf> = cases
        .iter()
        .flat_map(|case| fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path()))
        .filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("capture."))
        .collect();
    let whole = replay(&["--format", "json"], &[&pcaps()]);
    let paths: Vec<&Path> = captures.iter().map(PathBuf::as_path).collect();
    assert!(whole.stdout == replay(&["--format", "json", "--workers", "3"], &paths).stdout);
}

/// A capture's header and its records.
fn records(bytes: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let (header, mut rest) = bytes.split_at(24);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        let (record, after) = rest.split_at(16 + length);
        records.push(record.to_vec());
        rest = after;
    }
    (header.to_vec(), records)
}

#[test]
fn rotated_files_are_one_capture_with_continuous_and_frames_are_named_by_their_file() {
    let folder = folder();
    let (header, records) = records(&fs::read(capture(LOUD)).unwrap());
    let whole = &alerts(&replay(&["--format", "json"], &[&capture(LOUD)]))[0];
    let forged = whole["pcap_cnt"].as_u64().unwrap() as usize;
    // Cut right before the forged frame, and named so that the order of names is not that of time.
    let (before, after) = records.split_at(forged - 1);
    let second = write(&folder, "a.pcap", &[header.clone(), after.concat()].concat());
    let first = write(&folder, "z.pcap", &[header, before.concat()].concat());

    for workers in ["1", "4"] {
        let run = replay(&["--continuous", "--format", "json", "--workers", workers], &[folder.path()]);
        assert_eq!(status(&run), Some(0));
        let [alert] = &alerts(&run)[..] else { panic!("one alert was expected") };
        assert_eq!((alert["pcap_filename"].as_str(), alert["pcap_cnt"].as_u64()), (second.to_str(), Some(1)));
        let (found, expected) = (&alert["alert"]["context"]["injection"], &whole["alert"]["context"]["injection"]);
        assert_eq!((&found["id"], &found["verdict"]), (&expected["id"], &expected["verdict"]));
        let genuine = expected["genuine"]["frame"].as_u64().unwrap();
        assert_eq!(found["genuine"]["frame"].as_u64(), Some(genuine - forged as u64 + 1));
        let named = first.display().to_string();
        assert!(said(&run).contains("spans files: frames ") && said(&run).contains(&named), "{}", said(&run));
    }
    assert!(
        alerts(&replay(&["--format", "json"], &[folder.path()])).iter().all(|alert| alert["alert"]["context"] != whole["alert"]["context"])
    );
}

#[test]
fn a_damaged_file_among_rotated_ones_does_not_end_the_capture() {
    let folder = folder();
    let bytes = fs::read(capture(LOUD)).unwrap();
    write(&folder, "0.pcap", b"");
    write(&folder, "1.pcap", &bytes);
    write(&folder, "2.pcap", &[&fs::read(capture(QUIET)).unwrap()[..], &[1; 5]].concat());
    let run = replay(&["--continuous", "--format", "json"], &[folder.path()]);
    assert_eq!((status(&run), alerts(&run).len()), (Some(2), 1));
    assert!(said(&run).contains("0.pcap: is empty") && said(&run).contains("2.pcap: damaged at byte"), "{}", said(&run));
}

pub(crate) struct Following {
    pub(crate) child: Child,
    pub(crate) lines: std::sync::mpsc::Receiver<String>,
}

pub(crate) fn following(path: &Path, options: &[&str]) -> Following {
    let mut child = sidewatch(&["replay", "--follow", "--format", "json"])
        .args(options)
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    Following { child, lines }
}

impl Following {
    // Not by the program `kill`, which a machine with nothing installed has not got.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Exit status and standard error, once it has ended.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let begin = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            if begin.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it does not end");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }
}

/// Waits until a program has read all of a file, as far as its position in it tells.
pub(crate) fn await_reading(child: &Child, path: &Path) {
    let length = fs::metadata(path).unwrap().len();
    let begin = Instant::now();
    let position = || {
        let open = fs::read_dir(format!("/proc/{}/fd", child.id()))
            .ok()?
            .flatten()
            .find(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == path))?;
        let facts = fs::read_to_string(format!("/proc/{}/fdinfo/{}", child.id(), open.file_name().display())).ok()?;
        facts.lines().find_map(|line| line.strip_prefix("pos:")?.trim().parse::<u64>().ok())
    };
    while position() != Some(length) {
        assert!(begin.elapsed() < PATIENCE, "it does not read on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_growing_file_is_followed_until_a_signal_says_stop() {
    for (signal, workers) in [(Signal::INT, "1"), (Signal::TERM, "2")] {
        let folder = folder();
        let bytes = fs::read(capture(LOUD)).unwrap();
        let path = write(&folder, "growing.pcap", &bytes[..10]);
        let following = following(&path, &["--workers", workers]);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        for piece in bytes[10..bytes.len() - 3].chunks(400) {
            await_reading(&following.child, &path);
            file.write_all(piece).unwrap();
        }
        await_reading(&following.child, &path);
        following.signal(signal);
        // Its last record is not whole yet, which is no damage in a file that is being written.
        let line = following.lines.recv_timeout(PATIENCE).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["pcap_filename"], path.display().to_string());
        assert_eq!(following.end(), (Some(0), String::new()));
    }
}

#[test]
fn an_alert_comes_while_the_file_still_grows_and_another_file_in_its_place_ends_it() {
    let folder = folder();
    let (header, mut all) = records(&fs::read(capture(LOUD)).unwrap());
    let mut later = all.last().unwrap().clone();
    let seconds = u32::from_le_bytes(later[..4].try_into().unwrap()) + 120;
    later[..4].copy_from_slice(&seconds.to_le_bytes());
    all.push(later);
    let path = write(&folder, "growing.pcap", &[header, all.concat()].concat());
    let following = following(&path, &[]);
    let line = following.lines.recv_timeout(PATIENCE).unwrap();
    assert!(line.contains("\"because\":\"deadline\""), "{line}");
    fs::rename(&path, folder.path().join("growing.pcap.1")).unwrap();
    File::create(&path).unwrap();
    assert_eq!(following.end(), (Some(0), String::new()));
}
