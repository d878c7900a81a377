//! The units and settings files of the package, as systemd judges them.

use std::fs;

use super::{is_there, root, run, words};

/// The exposure that the service may have, in tenths (of 100).
const TIGHT: &str = "--threshold=20";

#[test]
fn the_service_is_as_tight_as_it_says() {
    if !is_there("systemd-analyze") {
        return eprintln!("units: skipped, there is no systemd-analyze");
    }
    let unit = root().join("systemd/sidewatch.service");
    let output = run("systemd-analyze", &["security", "--offline=true", TIGHT, unit.to_str().unwrap()]);
    assert!(output.status.success(), "{}", words(&output));
    let loose = tempfile::tempdir().unwrap();
    let path = loose.path().join("sidewatch.service");
    fs::write(&path, fs::read_to_string(&unit).unwrap().replace("ProtectSystem=strict", "").replace("PrivateDevices=yes", "")).unwrap();
    let output = run("systemd-analyze", &["security", "--offline=true", TIGHT, path.to_str().unwrap()]);
    assert!(!output.status.success(), "a looser unit passes too");
}

#[test]
fn systemd_understands_every_line_of_the_units() {
    if !is_there("systemd-analyze") {
        return eprintln!("units: skipped, there is no systemd-analyze");
    }
    for name in ["sidewatch.service", "sidewatch-offload@.service"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name.replace('@', "@lan0"));
        // The program is where the package puts it, not here.
        let text = fs::read_to_string(root().join("systemd").join(name)).unwrap().replace("/usr/bin/sidewatch", "/bin/true");
        fs::write(&path, text.replace("/usr/sbin/ethtool", "/bin/true")).unwrap();
        let output = run("systemd-analyze", &["verify", path.to_str().unwrap()]);
        let said = words(&output);
        let about_it: Vec<&str> = said.lines().filter(|line| line.contains("sidewatch")).collect();
        assert!(output.status.success() && about_it.is_empty(), "{name}: {said}");
    }
}

#[test]
fn the_unit_lets_threads_be_pinned_and_the_clock_be_read_and_nothing_be_set() {
    let unit = fs::read_to_string(root().join("systemd/sidewatch.service")).unwrap();
    let values = |key: &str| -> Vec<String> {
        unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned).collect()
    };
    let calls = values("SystemCallFilter").join(" ");
    for call in ["sched_setaffinity", "adjtimex", "landlock_restrict_self", "~@privileged"] {
        assert!(calls.contains(call), "{call} is not in {calls}");
    }
    assert_eq!(values("CapabilityBoundingSet"), ["CAP_NET_RAW"]);
    assert_eq!(values("AmbientCapabilities"), ["CAP_NET_RAW"]);
    assert_eq!(values("User"), ["sidewatch"]);
    assert_eq!(values("Type"), ["notify"]);
    for folder in ["sysusers.d/sidewatch.conf", "tmpfiles.d/sidewatch.conf", "logrotate.d/sidewatch"] {
        assert!(fs::read_to_string(root().join("systemd").join(folder)).unwrap().contains("sidewatch"), "{folder}");
    }
}
