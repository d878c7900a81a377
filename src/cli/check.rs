//! `sidewatch check`: everything that `sidewatch run` needs, looked at without starting it.

mod places;
mod sinks;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, socket};

use super::{Status, printable, settings};
use crate::capture::live::{check_filter, interfaces, is_up, matching};
use crate::config::{Config, USUAL_PATH};
use crate::pump::sources::{LEAST_MEMORY, Sources, set_aside};
use crate::rules::load_rules;
use crate::store::{Archive, StoreError};

/// Look at settings, rules, indicators, secrets, interfaces, folders and disk without starting
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch check                            what /etc/sidewatch/sidewatch.toml says
  sidewatch check --config new.toml          another file, before it takes the place of the first
  sidewatch check && systemctl reload sidewatch

Run it as root or as the user of the service: others may not look into the folders.
One line for each thing that was looked at; what is wrong comes with its fix.

Exit status:
   0  nothing is wrong
   2  the settings, the rules or the lists are wrong: the daemon would not start
   3  something else is wrong")]
pub(super) struct Check {
    /// The file of settings
    #[arg(long, value_name = "FILE", default_value = USUAL_PATH)]
    config: PathBuf,
}

impl Check {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        let config = match settings::read(&self.config) {
            Ok(config) => config,
            Err(status) => return Ok(status),
        };
        let mut report = Report::default();
        let interfaces = config.capture.interfaces.join(", ");
        report.fine("settings", format!("{}: watches {interfaces}, tells {} sinks", self.config.display(), config.sinks.len()));
        rules(&mut report, &config);
        indicators(&mut report, &config);
        watched(&mut report, &config);
        places::look(&mut report, &config);
        database(&mut report, &config.store.folder);
        sinks::look(&mut report, &config);
        report.close()
    }
}

/// What was looked at so far.
#[derive(Default)]
struct Report {
    text: String,
    wrong: u32,
    refuses: bool,
}

impl Report {
    fn fine(&mut self, what: &str, words: impl AsRef<str>) {
        self.text += &format!("ok     {what:<11} {}\n", printable(words.as_ref()));
    }

    fn wrong(&mut self, what: &str, words: impl AsRef<str>, fix: impl AsRef<str>) {
        self.wrong += 1;
        self.text += &format!("WRONG  {what:<11} {}\n                   fix: {}\n", printable(words.as_ref()), printable(fix.as_ref()));
    }

    /// Wrong, and the daemon would not start with it.
    fn refused(&mut self, what: &str, words: impl AsRef<str>, fix: impl AsRef<str>) {
        self.refuses = true;
        self.wrong(what, words, fix);
    }

    fn close(self) -> anyhow::Result<Status> {
        let mut out = std::io::stdout().lock();
        out.write_all(self.text.as_bytes())?;
        match self.wrong {
            0 => writeln!(out, "nothing is wrong")?,
            wrong => writeln!(out, "{wrong} of these are wrong")?,
        }
        Ok(match self {
            Self { refuses: true, .. } => Status::BadInput,
            Self { wrong: 0, .. } => Status::Done,
            _ => Status::Wrong,
        })
    }
}

fn rules(report: &mut Report, config: &Config) {
    let loaded = load_rules(&config.rules);
    for diagnostic in &loaded.wrong {
        let place = format!("{}:{}:{}: {}", diagnostic.file, diagnostic.line, diagnostic.column, diagnostic.what);
        report.refused("rules", place, &diagnostic.fix);
    }
    if loaded.wrong.is_empty() {
        report.fine("rules", format!("{} rules, the shipped ones among them", loaded.rules.entries.len()));
    }
}

fn indicators(report: &mut Report, config: &Config) {
    let sources = Sources { rules: Vec::new(), indicators: config.indicators.clone(), knows_devices: true };
    let read = match sources.read() {
        Ok(read) => read,
        Err(complaint) => return report.refused("indicators", complaint, "correct the list, or remove it from `indicators`"),
    };
    let held = read.list_bytes() >> 20;
    let needed = LEAST_MEMORY + set_aside(held, !config.indicators.is_empty());
    if u64::from(config.memory) < needed {
        let words = format!("the lists take {held} MiB, twice while they are exchanged, and `memory` is {} MiB", config.memory);
        return report.refused("indicators", words, format!("set memory = \"{needed} MiB\" or more"));
    }
    let unreadable = if read.unreadable == 0 { String::new() } else { format!(", {} entries cannot be read", read.unreadable) };
    report.fine("indicators", format!("{} in force{unreadable}", read.in_force.knowledge.indicators.len()));
}

fn watched(report: &mut Report, config: &Config) {
    if let Some(Err(error)) = config.capture.filter.as_deref().map(check_filter) {
        report.refused("filter", error, "write it as tcpdump takes it");
    }
    for name in &config.capture.interfaces {
        if matching(std::slice::from_ref(name)).is_empty() {
            let there: Vec<String> = interfaces().into_iter().map(|interface| interface.name).collect();
            report.wrong("interfaces", format!("nothing is there that {name} means"), format!("name one of {}", there.join(", ")));
        }
    }
    let chosen = matching(&config.capture.interfaces);
    for name in &chosen {
        if is_up(name) {
            report.fine("interfaces", format!("{name} is there and up"));
        } else {
            report.wrong("interfaces", format!("{name} is down"), format!("ip link set {name} up"));
        }
    }
    // A socket without a protocol takes no frame.
    match socket(AddressFamily::PACKET, SocketType::RAW, None) {
        Ok(_) => report.fine("privileges", "frames may be read"),
        Err(Errno::PERM | Errno::ACCESS) => {
            report.wrong(
                "privileges",
                "this user may not read frames (CAP_NET_RAW)",
                "run this as root; the shipped unit gives the service that right",
            );
        }
        Err(error) => report.wrong("privileges", format!("frames cannot be read: {error}"), "a kernel with CONFIG_PACKET is needed"),
    }
    memory(report, config, chosen.len() as u64);
}

/// Kernel rings are taken from the machine's memory, and are not part of `memory`.
fn memory(report: &mut Report, config: &Config, interfaces: u64) {
    let rings = config.capture.ring.saturating_mul(u64::from(config.capture.threads)).saturating_mul(interfaces.max(1)) >> 20;
    let needed = rings + u64::from(config.memory);
    let Some(machine) = places::machine_memory() else { return };
    if needed > machine / 4 * 3 {
        let words = format!("{needed} MiB ({rings} of rings) are more than three quarters of this machine's {machine} MiB");
        return report.wrong("memory", words, "lower `memory`, `ring` or `threads`");
    }
    report.fine("memory", format!("{} MiB and {rings} MiB of rings, of the machine's {machine} MiB", config.memory));
}

fn database(report: &mut Report, folder: &Path) {
    match Archive::open(folder) {
        Ok(_) => report.fine("database", format!("{} can be read by this build", folder.display())),
        Err(StoreError::Absent { .. }) => report.fine("database", "none yet: it is made at the first start"),
        Err(error @ StoreError::Older { .. }) => report.fine("database", error.to_string()),
        Err(error) => {
            report.wrong("database", error.to_string(), "as it says; a damaged one is set aside by the daemon, and its alerts saved")
        }
    }
}
