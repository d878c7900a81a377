//! A life of the package: installed, alerting, killed, frozen, reloaded, stopped, upgraded, removed, purged.

use std::fs;
use std::time::{Duration, Instant};

use super::machine::{self, Machine};
use super::{package, root};

/// Ends of the wire that forged frames are played onto; the daemon watches the second.
const WIRE: [&str; 2] = ["sw-d-play", "sw-d-watch"];
/// A short watchdog, for a test that waits for it, and the capture thread that SIGUSR2 freezes.
const WATCHDOG: &str = "[Service]\nWatchdogSec=3s\nRestartSec=200ms\nEnvironment=SIDEWATCH_FREEZE=0\n";
/// Where the lab puts what it is given.
const INSIDE: &str = "/etc/systemd/system";
const CONFIG: &str = "/etc/sidewatch/sidewatch.toml";

#[test]
fn the_installed_package_watches_survives_and_leaves_as_debian_users_expect() {
    let lab = match machine::lab() {
        Ok(lab) => lab,
        Err(reason) => return eprintln!("package under systemd: skipped, {reason}"),
    };
    let folder = tempfile::tempdir_in(root().join("target")).unwrap();
    let units = folder.path().join("units");
    fs::create_dir(&units).unwrap();
    // What lies beside the units is carried inside; of this checkout that is not sure, for other folders are mounted over some there.
    for revision in ["1", "2"] {
        package(&units, revision);
    }
    fs::copy(root().join("pcaps/race-302-on-get/capture.pcap"), units.join("capture.pcap")).unwrap();
    let machine = Machine::boot(&lab, &units);
    machine.shell(&format!("ip link set lo up; ip link add {} type veth peer name {}", WIRE[0], WIRE[1]));
    machine.shell(&format!("ip link set {} up; ip link set {} up", WIRE[0], WIRE[1]));

    // A machine that builds forbids packages to start services; this one is a user's.
    machine.shell("rm -f /usr/sbin/policy-rc.d");
    machine.shell(&format!("dpkg -i {INSIDE}/sidewatch-1.deb"));
    machine.until_state("active");
    assert_eq!(machine.shell("systemctl is-enabled sidewatch.service"), "enabled");
    configure(&machine);
    alerts(&machine);
    survives(&machine);
    reloads(&machine);
    stops(&machine);
    upgrades(&machine);
    leaves(&machine);
}

/// Watches the wire alone, with a watchdog that does not try the test's patience.
fn configure(machine: &Machine) {
    machine.shell(&format!("sed -i 's/^#\\[capture\\]/[capture]/; s/^#interfaces = .*/interfaces = [\"{}\"]/' {CONFIG}", WIRE[1]));
    machine.shell("mkdir -p /etc/systemd/system/sidewatch.service.d");
    machine.shell(&format!("printf '{}' > /etc/systemd/system/sidewatch.service.d/test.conf", WATCHDOG.replace('\n', "\\n")));
    machine.shell("systemctl daemon-reload && systemctl restart sidewatch.service");
    machine.until_state("active");
    machine.shell("sidewatch check >/tmp/check.txt; test $? -ne 2");
    let status = machine.shell(&format!("cat /proc/{}/status", machine.property("MainPID")));
    for line in ["CapEff:\t0000000000002000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(status.contains(line), "{line} is not in\n{status}");
    }
}

/// Plays a forged answer onto the wire, and waits until it is told of.
fn alerts(machine: &Machine) {
    machine.shell(&format!("tcpreplay --quiet -i {} {INSIDE}/capture.pcap", WIRE[0]));
    machine.until("sidewatch alerts list | grep -q http_redirect");
    machine.until("grep -q on_path_injection /var/log/sidewatch/eve.json");
    machine.until("journalctl --no-pager -o json | grep -q '\"MESSAGE\".*forged'");
}

/// Killed, or standing still: systemd begins it anew, and what was committed is still there.
fn survives(machine: &Machine) {
    let before = machine.until_state("active");
    // Killed; with one capture thread frozen and all others alive, which the watchdog must find out; stopped as a whole.
    for (signal, restarts) in [("KILL", "1"), ("USR2", "2"), ("STOP", "3")] {
        machine.shell(&format!("kill -{signal} {}", machine.property("MainPID")));
        machine.until(&format!("test \"$(systemctl show --property=NRestarts --value sidewatch.service)\" = {restarts}"));
        assert_ne!(machine.until_state("active"), before);
        machine.shell("sidewatch alerts list | grep -q http_redirect");
    }
}

/// A reload keeps the process; a bad file is refused, and the old one stays.
fn reloads(machine: &Machine) {
    let before = machine.until_state("active");
    machine.shell("systemctl reload sidewatch.service");
    machine.shell(&format!("cp {CONFIG} /tmp/good.toml; echo 'memroy = 1' >> {CONFIG}; systemctl reload sidewatch.service"));
    machine.until("journalctl --no-pager -u sidewatch.service | grep -q 'memroy'");
    machine.shell(&format!("cp /tmp/good.toml {CONFIG}; systemctl reload sidewatch.service"));
    assert_eq!(machine.until_state("active"), before);
}

fn stops(machine: &Machine) {
    let begun = Instant::now();
    machine.shell("systemctl stop sidewatch.service");
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(4), "it took {took:?} to stop");
    assert_eq!(machine.property("Result"), "success", "{}", machine.journal());
    machine.shell("systemctl start sidewatch.service");
    machine.until_state("active");
}

/// An upgrade begins the new build, and keeps what the admin changed.
fn upgrades(machine: &Machine) {
    let before = machine.until_state("active");
    machine.shell(&format!("dpkg -i {INSIDE}/sidewatch-2.deb"));
    assert_ne!(machine.until_state("active"), before, "it was not begun anew");
    machine.shell(&format!("grep -q {} {CONFIG}", WIRE[1]));
    machine.shell("sidewatch alerts list | grep -q http_redirect");
}

/// What is removed leaves settings and alerts; what is purged leaves nothing.
fn leaves(machine: &Machine) {
    machine.shell("dpkg -r sidewatch");
    machine.until_state("inactive");
    machine.shell(&format!("test -e {CONFIG} && test -d /var/lib/sidewatch && test ! -e /usr/bin/sidewatch"));
    machine.shell("dpkg -P sidewatch");
    machine.shell(&format!("test ! -e {CONFIG} && test ! -e /var/lib/sidewatch && test ! -e /var/log/sidewatch"));
    machine.shell("! getent passwd sidewatch");
}
