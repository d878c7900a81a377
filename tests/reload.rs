//! The real binary, told by SIGHUP to read its rules and lists anew while a capture grows.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::cli::{Following, PATIENCE, await_reading, following};

const HUSH: &str = "[[suppress]]\nname = \"lab\"\nreason = \"ours\"\nnetworks = [\"192.0.2.0/24\"]\n";
const BROKEN: &str = "[[suppress]]\nname = \"lab\"\nreson = \"ours\"\nnetworks = [\"192.0.2.0/24\"]\n";

/// A capture of a race of which the first half is written, and a folder of rules beside it.
struct Watch {
    folder: TempDir,
    capture: PathBuf,
    rest: Vec<u8>,
    following: Following,
    said: Receiver<String>,
}

impl Watch {
    fn begin(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let race = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps/race-302-on-get/capture.pcap");
        let mut bytes = fs::read(race).unwrap();
        let rest = bytes.split_off(bytes.len() / 2);
        let capture = folder.path().join("growing.pcap");
        fs::write(&capture, bytes).unwrap();
        fs::create_dir(folder.path().join("rules")).unwrap();
        fs::write(folder.path().join("rules/first.toml"), "").unwrap();
        let rules = folder.path().join("rules");
        fs::write(folder.path().join("list.txt"), "elsewhere.example\n").unwrap();
        let list = folder.path().join("list.txt");
        let options = [options, &["--rules", rules.to_str().unwrap(), "--indicators", list.to_str().unwrap()]].concat();
        let mut following = following(&capture, &options);
        let (sender, said) = channel();
        let stderr = BufReader::new(following.child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        await_reading(&following.child, &capture);
        Self { folder, capture, rest, following, said }
    }

    /// A file of rules is put into the folder, and the program is told; what it says to that, in so many lines.
    fn puts(&self, rules: &str, lines: usize) -> String {
        self.changes("rules/mine.toml", rules, lines)
    }

    fn changes(&self, file: &str, content: &str, lines: usize) -> String {
        fs::write(self.folder.path().join(file), content).unwrap();
        self.following.signal(Signal::HUP);
        let said: Vec<String> = (0..lines).map(|_| self.said.recv_timeout(PATIENCE).unwrap()).collect();
        said.join("\n").replace(self.folder.path().to_str().unwrap(), "")
    }

    /// The rest of the capture is written, and the watch ended; its alerts.
    fn end(self) -> Vec<String> {
        let Self { capture, rest, mut following, said, folder: _folder } = self;
        OpenOptions::new().append(true).open(&capture).unwrap().write_all(&rest).unwrap();
        await_reading(&following.child, &capture);
        following.signal(Signal::TERM);
        assert_eq!(following.child.wait().unwrap().code(), Some(0));
        assert_eq!(said.iter().collect::<Vec<_>>(), [""; 0]);
        following.lines.iter().collect()
    }
}

#[test]
fn rules_are_read_anew_on_a_signal_while_a_connection_is_under_way() {
    for workers in ["1", "3"] {
        let watch = Watch::begin(&["--workers", workers]);
        let said = watch.puts(HUSH, 1);
        assert!(said.starts_with("sidewatch: read anew: ") && said.ends_with(" rules, 1 indicators"), "{said}");
        assert_eq!(watch.end().len(), 0, "the case was open, and its alert is suppressed");
    }
}

#[test]
fn rules_that_are_wrong_change_nothing_and_are_told_where() {
    for workers in ["1", "2"] {
        let watch = Watch::begin(&["--workers", workers]);
        let said = watch.puts(BROKEN, 3);
        let expected = "sidewatch: /rules/mine.toml:3:1: there is no key `reson` here\n  fix: did you mean `reason`?\n  what was read before stays in force";
        assert_eq!(said, expected);
        assert_eq!(watch.end().len(), 1);
    }
    let watch = Watch::begin(&["--workers", "2"]);
    watch.puts(HUSH, 1);
    watch.puts(BROKEN, 3);
    assert_eq!(watch.end().len(), 0, "those read last that were right");
}

#[test]
fn lists_are_read_anew_too_unless_one_cannot_be_read() {
    let lure = "x9q2.updates.test\n";
    let is_listed = |alerts: &[String]| alerts.iter().any(|alert| alert.contains("\"S13\""));
    let watch = Watch::begin(&[]);
    assert!(watch.changes("list.txt", lure, 1).ends_with(" rules, 1 indicators"));
    assert!(is_listed(&watch.end()));

    let watch = Watch::begin(&[]);
    watch.changes("list.txt", lure, 1);
    fs::remove_file(watch.folder.path().join("list.txt")).unwrap();
    let said = watch.puts("", 2);
    assert!(said.contains("list.txt") && said.ends_with("\n  what was read before stays in force"), "{said}");
    assert!(is_listed(&watch.end()));
}
