//! `sidewatch run` as a test starts, asks and kills it.

use super::programs::{Program, until};
use crate::lab::namespaces::Namespace;
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

/// How long it may take until it watches.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a service manager would give it between two signs of life.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(3);

/// The least that can be set aside for a full disk.
pub(crate) const LEAST_RESERVE: &str = "1 MiB";

/// Where a daemon lives: settings, secrets, its database's folder, its log.
pub(crate) struct Home {
    scratch: PathBuf,
    /// The folder of the database as the daemon names it.
    pub(crate) store: PathBuf,
    /// A mount namespace that it enters.
    pub(crate) mounts: Option<PathBuf>,
    pub(crate) log: PathBuf,
}

impl Home {
    pub(crate) fn make(scratch: &Path) -> io::Result<Self> {
        let scratch = scratch.join("daemon");
        fs::create_dir_all(scratch.join("store"))?;
        let secret = scratch.join("secret");
        fs::write(&secret, super::receiver::SECRET)?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
        Ok(Self { store: scratch.join("store"), mounts: None, log: scratch.join("log"), scratch })
    }

    /// Writes its settings: `interface` is watched, `sinks` are told, and `reserve` stands in when the disk is full.
    pub(crate) fn settle(&self, interface: &str, sinks: &str, reserve: &str) -> io::Result<()> {
        let text = format!(
            "sensor = \"lab\"\nmetrics = \"off\"\n[capture]\ninterfaces = [\"{interface}\"]\n\
             [store]\nfolder = \"{}\"\nreserve = \"{reserve}\"\nstorm = \"0 s\"\n[watch]\nheartbeat = \"0 s\"\n{sinks}",
            self.store.display()
        );
        fs::write(self.settings(), text)
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.scratch.join("sidewatch.toml")
    }

    /// The sink that tells a receiver of webhooks at `url`.
    pub(crate) fn webhook(&self, url: &str) -> String {
        let secret = self.scratch.join("secret");
        format!(
            "[[sink]]\nname = \"soc\"\nkind = \"webhook\"\ntemplate = \"standard\"\nurl = \"{url}\"\ntimeout = \"1 s\"\nsecrets = [{{ file = \"{}\" }}]\n",
            secret.display()
        )
    }

    /// Starts the daemon in the namespace `home`.
    pub(crate) fn start(&self, home: &Namespace) -> io::Result<Daemon> {
        let socket = self.scratch.join("notify");
        fs::remove_file(&socket).ok();
        let notified = UnixDatagram::bind(&socket)?;
        notified.set_nonblocking(true)?;
        let mut command = match &self.mounts {
            None => Command::new(env!("CARGO_BIN_EXE_sidewatch")),
            Some(mounts) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--mount={}", mounts.display())).arg("--").arg(env!("CARGO_BIN_EXE_sidewatch"));
                command
            }
        };
        command.arg("run").arg("--config").arg(self.settings());
        command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string()).env_remove("WATCHDOG_PID").env("SIDEWATCH_FREEZE", "0");
        command.env("NOTIFY_SOCKET", &socket).env("STATE_DIRECTORY", &self.store).env_remove("JOURNAL_STREAM");
        Ok(Daemon { program: Program::start(home, command, &self.log)?, notified, ready: None, fed: None })
    }
}

/// The daemon at work; it ends, by force, with the handle.
pub(crate) struct Daemon {
    pub(crate) program: Program,
    notified: UnixDatagram,
    ready: Option<SystemTime>,
    fed: Option<SystemTime>,
}

impl Daemon {
    /// When it said that it watches; none if it has not yet.
    pub(crate) fn ready(&mut self) -> Option<SystemTime> {
        let mut message = [0; 4096];
        while let Ok(length) = self.notified.recv(&mut message) {
            let text = String::from_utf8_lossy(&message[..length]).into_owned();
            if text.lines().any(|line| line == "READY=1") {
                self.ready.get_or_insert_with(SystemTime::now);
            }
            if text.lines().any(|line| line == "WATCHDOG=1") {
                self.fed = Some(SystemTime::now());
            }
        }
        self.ready
    }

    /// How long ago it fed the watchdog; none if it never did.
    pub(crate) fn fed(&mut self) -> Option<Duration> {
        self.ready();
        self.fed.and_then(|fed| fed.elapsed().ok())
    }

    /// Waits until it watches.
    pub(crate) fn wait_until_ready(&mut self) -> io::Result<SystemTime> {
        until(PATIENCE, || self.ready().or_else(|| self.program.ended().map(|_| SystemTime::UNIX_EPOCH)))
            .filter(|at| *at > SystemTime::UNIX_EPOCH)
            .ok_or_else(|| io::Error::other(format!("it does not watch: {}", self.program.said())))
    }
}

/// An alert or event as the database has it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) kind: String,
    /// `pending`, `complete`, `incomplete`.
    pub(crate) state: String,
    pub(crate) client: String,
}

/// What a database holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) rows: Vec<Row>,
    /// Clients of the outbox's rows, in its order.
    pub(crate) outbox: Vec<String>,
    /// Outbox rows that wait, and that were given up.
    pub(crate) waiting: u64,
    pub(crate) dead: u64,
}

/// Opens a database beside its daemon.
pub(crate) fn database(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Reads a copy of the database in `folder`, made in `scratch`, so that it is in nobody's way. That of a daemon at work may be torn.
pub(crate) fn kept(folder: &Path, scratch: &Path) -> Result<Kept, Box<dyn std::error::Error>> {
    let copy = tempfile::tempdir_in(scratch)?;
    for name in ["alerts.db", "alerts.db-wal"] {
        if folder.join(name).exists() {
            fs::copy(folder.join(name), copy.path().join(name))?;
        }
    }
    if !copy.path().join("alerts.db").exists() {
        return Ok(Kept::default());
    }
    let database = database(&copy.path().join("alerts.db"))?;
    if !database.table_exists(None, "alert")? {
        return Ok(Kept::default());
    }
    let mut statement = database.prepare("SELECT id, kind, state, client FROM alert ORDER BY seq")?;
    let read = |row: &rusqlite::Row<'_>| Ok(Row { id: row.get(0)?, kind: row.get(1)?, state: row.get(2)?, client: row.get(3)? });
    let rows = statement.query_map([], read)?.collect::<Result<_, _>>()?;
    let mut statement = database.prepare("SELECT client FROM outbox JOIN alert ON seq = alert ORDER BY row")?;
    let outbox = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let count = |state: &str| database.query_row("SELECT count(*) FROM outbox WHERE state = ?1", [state], |row| row.get::<_, i64>(0));
    Ok(Kept { rows, outbox, waiting: count("waiting")?.unsigned_abs(), dead: count("dead")?.unsigned_abs() })
}
