//! The real daemon on a veth pair in a namespace of its own: captures of `pcaps/` are played onto the wire.

mod wire;

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use wire::{Daemon, Wire, say};

/// A capture of one forged answer whose client goes where it was sent.
const LOUD: &str = "chain-whole-story";

#[test]
fn an_injection_on_the_wire_is_told_within_a_second_and_a_bad_reload_changes_nothing() {
    let Some(wire) = Wire::lay("an_injection_on_the_wire") else { return };
    let daemon = Daemon::begin(&wire, &[]);
    daemon.awaits("READY=1");
    fs::write(daemon.folder.path().join("sidewatch.toml"), "[capture]\nthread = 1\n").unwrap();
    daemon.signal(Signal::HUP);
    daemon.awaits("RELOADING=1");
    daemon.awaits("READY=1");
    let log = daemon.log();
    assert!(log.contains("sidewatch.toml:2:1: there is no key `thread`") && log.contains("stays in force"), "{log}");
    wire.play(LOUD);
    let (line, seen_at) = daemon.awaits_line();
    let alert: Value = serde_json::from_str(&line).unwrap();
    let injection = &alert["alert"]["context"]["injection"];
    let closed: jiff::Timestamp = injection["closed"]["at"].as_str().unwrap().parse().unwrap();
    let late = seen_at.duration_since(closed);
    say(&format!("daemon: told {late:#} after its evidence was complete"));
    assert!(late < jiff::SignedDuration::from_secs(1), "{late:#}");
    assert_eq!((alert["in_iface"].as_str(), alert["host"].as_str()), (Some("swe-in"), Some("gate")));
    let ended = daemon.end();
    assert!(ended < Duration::from_secs(2), "{ended:?}");
}

#[test]
fn an_interface_that_is_deleted_and_comes_back_is_watched_again() {
    let Some(wire) = Wire::lay("an_interface_that_is_deleted") else { return };
    let daemon = Daemon::begin(&wire, &["--interface", "swe-i*"]);
    daemon.awaits("READY=1");
    wire.cut();
    daemon.awaits("STATUS=waiting for an interface: swe-i*");
    wire.mend();
    daemon.awaits("STATUS=watching swe-in");
    wire.play(LOUD);
    daemon.awaits_line();
    daemon.end();
}

#[test]
fn the_watchdog_is_not_fed_when_a_capture_thread_stands_still() {
    let Some(wire) = Wire::lay("the_watchdog") else { return };
    let daemon = Daemon::begin(&wire, &[]);
    daemon.awaits("WATCHDOG=1");
    daemon.signal(Signal::USR2);
    let begun = Instant::now();
    while !daemon.log().contains("is frozen") {
        assert!(begun.elapsed() < wire::PATIENCE, "{}", daemon.log());
        std::thread::yield_now();
    }
    // One may have been on its way.
    while daemon.hears_within(Duration::from_millis(500)).is_some() {
        assert!(begun.elapsed() < wire::PATIENCE, "it is fed on and on");
    }
    assert_eq!(daemon.hears_within(Duration::from_secs(2)), None);
    assert!(daemon.end() < Duration::from_secs(2), "it ends all the same");
}

#[test]
fn what_is_wrong_with_settings_is_said_with_its_place_before_anything_begins() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sidewatch.toml");
    fs::write(&config, "[capture]\nthreads = 0\n").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_sidewatch")).args(["run", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("sidewatch.toml:2:11: ") && said.contains("fix: "), "{said}");
}

#[test]
fn a_selftest_tells_each_hop_and_which_one_fails() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    for (sink, status) in [(place("eve.json"), 0), (place("missing/eve.json"), 3)] {
        let config = format!("[store]\nfolder = {:?}\n[[sink]]\nname = \"eve\"\nkind = \"file\"\npath = {sink:?}\n", place("store"));
        fs::write(place("sidewatch.toml"), config).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sidewatch"));
        let output = command.args(["selftest", "--config"]).arg(place("sidewatch.toml")).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{said}");
        for hop in ["rules and lists", "engine", "judgement", "database", "sink eve"] {
            assert!(said.contains(hop), "{hop} is not in\n{said}");
        }
    }
    assert!(fs::read_to_string(place("eve.json")).unwrap().contains("on_path_injection"));
}
