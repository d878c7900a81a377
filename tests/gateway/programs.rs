//! Programs of Debian that a test starts in a namespace and ends: nobody else's are touched.

use crate::lab::namespaces::Namespace;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A program that runs until the handle goes.
pub(crate) struct Program {
    child: Child,
    /// What it writes to standard output and error.
    pub(crate) log: PathBuf,
}

impl Program {
    /// Starts `command` in `home`; what it says is added to `log`.
    pub(crate) fn start(home: &Namespace, mut command: Command, log: &Path) -> io::Result<Self> {
        let said = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(said.try_clone()?).stderr(said);
        let child = home.within(|| command.spawn())?;
        Ok(Self { child, log: log.to_owned() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits for its end.
    pub(crate) fn end_within(&mut self, at_most: Duration) -> io::Result<ExitStatus> {
        until(at_most, || self.child.try_wait().ok().flatten()).ok_or_else(|| io::Error::other(format!("it goes on: {}", self.said())))
    }

    /// All that it has said.
    pub(crate) fn said(&self) -> String {
        fs::read(&self.log).map(|said| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Asks again and again, at most for so long.
pub(crate) fn until<T>(at_most: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + at_most;
    loop {
        match ask() {
            None if Instant::now() < deadline => sleep(Duration::from_millis(10)),
            answer => return answer,
        }
    }
}

/// A command for which `settings` lie over `/etc/resolv.conf`, in a mount namespace that ends with it.
pub(crate) fn with_resolver(settings: &Path, program: impl AsRef<OsStr>) -> Command {
    let script = "mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(settings).arg(program);
    command
}

/// The programs of a test that are not here, each with its Debian package; none if all are. What begins with a slash is a file, or a pattern of one.
pub(crate) fn missing(programs: &[(&str, &str)]) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")]).collect();
    let is_file = |pattern: &str| glob::glob(pattern).is_ok_and(|mut files| files.next().is_some());
    let is_there = |name: &str| is_file(name) && name.starts_with('/') || folders.iter().any(|folder| folder.join(name).is_file());
    let names: Vec<String> =
        programs.iter().filter(|(name, _)| !is_there(name)).map(|(name, package)| format!("`{name}` (package {package})")).collect();
    (!names.is_empty()).then(|| format!("without {}", names.join(", ")))
}
