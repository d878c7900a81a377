//! Who keeps logs: rsyslog that takes TLS, and journald, each with files of its own.

use super::certificates::certify;
use super::programs::{Program, until};
use crate::lab::namespaces::Namespace;
use serde_json::Value;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

pub(crate) const RSYSLOG: [(&str, &str); 3] =
    [("rsyslogd", "rsyslog"), ("openssl", "openssl"), ("/usr/lib/*/rsyslog/lmnsd_gtls.so", "rsyslog-gnutls")];
pub(crate) const JOURNALD: [(&str, &str); 3] =
    [("/usr/lib/systemd/systemd-journald", "systemd"), ("journalctl", "systemd"), ("nsenter", "util-linux")];

/// How long a program may take until it listens.
const PATIENCE: Duration = Duration::from_secs(10);

/// rsyslog at work.
pub(crate) struct Rsyslog {
    pub(crate) address: SocketAddr,
    /// The authority that it is trusted by.
    pub(crate) ca: PathBuf,
    file: PathBuf,
    _program: Program,
}

impl Rsyslog {
    /// Starts one on the loopback of `home`.
    pub(crate) fn start(home: &Namespace, scratch: &Path) -> io::Result<Self> {
        let folder = scratch.join("rsyslog");
        fs::create_dir_all(&folder)?;
        certify(&folder, "logs.example")?;
        let at = |name: &str| folder.join(name).display().to_string();
        let settings = format!(
            "global(workDirectory=\"{}\" maxMessageSize=\"64k\" DefaultNetstreamDriver=\"gtls\" DefaultNetstreamDriverCAFile=\"{}\"\n\
             DefaultNetstreamDriverCertFile=\"{}\" DefaultNetstreamDriverKeyFile=\"{}\" net.enableDNS=\"off\")\n\
             module(load=\"imtcp\" StreamDriver.Name=\"gtls\" StreamDriver.Mode=\"1\" StreamDriver.AuthMode=\"anon\")\n\
             template(name=\"whole\" type=\"string\" string=\"%rawmsg%\\n\")\n\
             input(type=\"imtcp\" address=\"127.0.0.1\" port=\"6514\")\naction(type=\"omfile\" file=\"{}\" template=\"whole\")\n",
            folder.display(),
            at("ca.pem"),
            at("certificate.pem"),
            at("key.pem"),
            at("messages"),
        );
        fs::write(folder.join("rsyslog.conf"), settings)?;
        let mut command = Command::new("rsyslogd");
        command.args(["-n", "-i", "NONE", "-f"]).arg(folder.join("rsyslog.conf"));
        let program = Program::start(home, command, &folder.join("rsyslog.log"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], 6514));
        until(PATIENCE, || home.within(|| TcpStream::connect(address)).ok()).ok_or_else(|| io::Error::other(program.said()))?;
        Ok(Self { address, ca: folder.join("ca.pem"), file: folder.join("messages"), _program: program })
    }

    /// The messages that came, as they came.
    pub(crate) fn messages(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// journald at work, in a mount namespace with a `/run` of its own.
pub(crate) struct Journald {
    program: Program,
}

impl Journald {
    pub(crate) fn start(home: &Namespace, scratch: &Path) -> io::Result<Self> {
        // It is kept from the kernel's messages and from the audit, which are the machine's.
        let script = "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal /run/systemd/journald.conf.d && \
                      printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\nForwardToSyslog=no\\nRateLimitBurst=0\\n' \
                      >/run/systemd/journald.conf.d/lab.conf && exec \"$1\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", script, "sh", JOURNALD[0].0]);
        let journald = Self { program: Program::start(home, command, &scratch.join("journald.log"))? };
        let socket = Path::new("/proc").join(journald.program.pid().to_string()).join("root").join("run/systemd/journal/socket");
        until(PATIENCE, || Path::new(&socket).exists().then_some(())).ok_or_else(|| io::Error::other(journald.program.said()))?;
        Ok(journald)
    }

    /// What lets a program send to it: its mount namespace.
    pub(crate) fn mounts(&self) -> PathBuf {
        format!("/proc/{}/ns/mnt", self.program.pid()).into()
    }

    /// What it keeps.
    pub(crate) fn entries(&self) -> io::Result<Vec<Value>> {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount={}", self.mounts().display()));
        let read = command.args(["--", "journalctl", "--directory=/run/log/journal", "--output=json", "--all", "--quiet"]).output()?;
        Ok(String::from_utf8_lossy(&read.stdout).lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

#[test]
fn rsyslog_and_journald_keep_what_they_are_sent() {
    if let Some(reason) = crate::lab::namespaces::missing() {
        return crate::lab::say(&format!("gateway: logs: skipped, {reason}\n"));
    }
    let (scratch, home) = (tempfile::tempdir().unwrap(), Namespace::make().unwrap());
    home.ip("link set lo up\n").unwrap();
    match super::programs::missing(&JOURNALD) {
        Some(reason) => crate::lab::say(&format!("gateway: journald: skipped, {reason}\n")),
        None => {
            let journald = Journald::start(&home, scratch.path()).unwrap();
            let mut logger = Command::new("nsenter");
            logger.arg(format!("--mount={}", journald.mounts().display())).args(["--", "logger", "--journald"]);
            logger.stdin(std::process::Stdio::piped());
            let mut child = logger.spawn().unwrap();
            io::Write::write_all(&mut child.stdin.take().unwrap(), b"MESSAGE=from the lab\nSIDEWATCH_WORD=here\n").unwrap();
            assert!(child.wait().unwrap().success());
            let found = until(PATIENCE, || journald.entries().unwrap().into_iter().find(|entry| entry["SIDEWATCH_WORD"] == "here"));
            assert_eq!(found.unwrap()["MESSAGE"], "from the lab");
        }
    }
    match super::programs::missing(&RSYSLOG) {
        Some(reason) => crate::lab::say(&format!("gateway: rsyslog: skipped, {reason}\n")),
        None => {
            let rsyslog = Rsyslog::start(&home, scratch.path()).unwrap();
            let mut client = Command::new("openssl");
            client.args(["s_client", "-quiet", "-verify_return_error", "-CAfile"]).arg(&rsyslog.ca);
            client.args(["-connect", &rsyslog.address.to_string()]).stdin(std::process::Stdio::piped());
            client.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
            let mut child = home.within(|| client.spawn()).unwrap();
            let message = "<134>1 2026-11-24T12:00:00Z sensor sidewatch - - - from the lab";
            io::Write::write_all(child.stdin.as_mut().unwrap(), format!("{} {message}", message.len()).as_bytes()).unwrap();
            let found = until(PATIENCE, || rsyslog.messages().first().cloned());
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(found.as_deref(), Some(message));
        }
    }
}
