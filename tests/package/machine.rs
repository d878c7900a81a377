//! A real systemd in namespaces of its own, over a view of this machine that is thrown away.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{is_there, words};

/// How long the machine may take for one thing.
const PATIENCE: Duration = Duration::from_secs(60);

/// The machine, which ends with the value.
pub(super) struct Machine {
    outside: Child,
    /// The process id of its systemd, seen from here.
    pid: i32,
    /// Where its files are.
    base: Option<PathBuf>,
}

/// The program that boots one, or why there is none.
pub(super) fn lab() -> Result<PathBuf, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("it needs root".to_owned());
    }
    if let Some(missing) = ["unshare", "nsenter", "dpkg", "ip", "tcpreplay"].iter().find(|program| !is_there(program)) {
        return Err(format!("there is no {missing}"));
    }
    if !Path::new("/lib/systemd/systemd").exists() {
        return Err("there is no systemd".to_owned());
    }
    let made = Command::new(env!("CARGO")).args(["deb", "--version"]).output();
    if !made.is_ok_and(|output| output.status.success()) {
        return Err("there is no cargo-deb (cargo install --locked cargo-deb)".to_owned());
    }
    let shared = std::env::var_os("SIDEWATCH_SHARED").ok_or("SIDEWATCH_SHARED names no folder with tools/systemd-lab")?;
    let lab = Path::new(&shared).join("tools/systemd-lab");
    if lab.exists() { Ok(lab) } else { Err(format!("{} is not there", lab.display())) }
}

impl Machine {
    /// Boots it with the units of a folder beside those of the system.
    pub(super) fn boot(lab: &Path, units: &Path) -> Self {
        let log = fs::File::create(units.join("console.log")).unwrap();
        let outside = Command::new(lab).arg(units).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let children = format!("/proc/{0}/task/{0}/children", outside.id());
        let mut machine = Self { outside, pid: 0, base: None };
        machine.pid = until("the machine begins", || fs::read_to_string(&children).ok()?.split_whitespace().next()?.parse().ok());
        until("systemd runs", || {
            let state = words(&machine.within(&["systemctl", "is-system-running"]));
            matches!(state.trim(), "running" | "degraded").then_some(())
        });
        let root = fs::read_link(format!("/proc/{}/root", machine.pid)).ok();
        machine.base = root.and_then(|root| Some(root.parent()?.to_owned())).filter(|base| base.to_string_lossy().contains("systemd-lab."));
        machine
    }

    /// Runs a program inside.
    pub(super) fn within(&self, command: &[&str]) -> Output {
        let pid = self.pid.to_string();
        Command::new("nsenter")
            .args(["-t", &pid, "-m", "-p", "-u", "-i", "-n", "-C", "-r", "-w"])
            .args(command)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs a line of shell inside, which must succeed. Gives what it said.
    pub(super) fn shell(&self, line: &str) -> String {
        let output = self.within(&["/bin/sh", "-c", line]);
        assert!(output.status.success(), "{line}\n{}\n{}", words(&output), self.journal());
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A property of the service.
    pub(super) fn property(&self, name: &str) -> String {
        self.shell(&format!("systemctl show --property={name} --value sidewatch.service"))
    }

    /// Waits until the service is in a state, and gives its main process.
    pub(super) fn until_state(&self, state: &str) -> String {
        until(&format!("the service is {state}\n{}", self.journal()), || {
            let there = self.within(&["systemctl", "is-active", "sidewatch.service"]);
            (words(&there).trim() == state).then_some(())
        });
        self.property("MainPID")
    }

    /// Waits until a line of shell succeeds.
    pub(super) fn until(&self, line: &str) {
        let done = wait(|| self.within(&["/bin/sh", "-c", line]).status.success().then_some(()));
        assert!(done.is_some(), "waited in vain: {line}\n{}\n{}", words(&self.within(&["/bin/sh", "-c", line])), self.journal());
    }

    pub(super) fn journal(&self) -> String {
        words(&self.within(&["journalctl", "--no-pager", "-n", "60", "-u", "sidewatch.service"]))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = kill_process(pid, Signal::KILL);
        } else {
            let _ = self.outside.kill();
        }
        let _ = self.outside.wait();
        // Its mounts went with it; what is left are empty folders.
        if let Some(base) = &self.base {
            let _ = fs::remove_dir_all(base);
        }
    }
}

fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait(look).unwrap_or_else(|| panic!("waited in vain until {what}"))
}

fn wait<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(found) = look() {
            return Some(found);
        }
        thread::sleep(Duration::from_millis(100));
    }
    None
}
