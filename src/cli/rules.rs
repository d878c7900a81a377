//! `sidewatch rules`: what the rules say, whether they are right, and what they would have matched.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::replay::REPLAY_SEED;
use super::{Status, printable, say};
use crate::alert::Alert;
use crate::capture::replay::{CaptureFile, Captures, inputs};
use crate::engine::Knowledge;
use crate::engine::limits::Limits;
use crate::engine::time::Timestamp;
use crate::pump::{self, Audience, Settings};
use crate::rules::policy::Policy;
use crate::rules::{LoadedRules, Rules, TABLES, load_files, load_rules};

/// List, check and try rules: fingerprints of devices, everyday redirects, portals, pins of the local network, suppressions, severities
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch rules list                          the shipped rules, and what each does
  sidewatch rules check my-rules/               file, line, column and the fix of whatever is wrong
  sidewatch rules test mine.toml capture.pcap   what the rules of a file would have matched
  sidewatch replay --rules my-rules/ capture.pcap

Rules are TOML. A fingerprint takes five lines:

  [[device]]
  name = \"Box of our operator\"
  source = \"our own captures, 2026\"
  marks = { ip_id = 0x1234, window = [8192, 4096], df = false }

What is known and harmless, and why, until when; of the keys that are given all must fit:

  [[suppress]]
  name = \"portal of the guest network\"
  reason = \"ours, ticket 17\"
  networks = [\"192.0.2.0/24\"]          # client or server
  hosts = [\"portal.example\"]           # asked for, or redirected to
  devices = [\"Box of our operator\"]    # a fingerprint, or the watched device's hardware address
  detectors = [\"S10\", \"S11\"]           # no other gave points
  expires = 2027-01-31                 # the last day, by the packets' time

  [[severity]]
  name = \"resets are blocking here\"
  reason = \"the firewall of the school\"
  mechanisms = [\"tcp_reset\"]           # or verdicts = [\"inconclusive\"]
  severity = 3

What the local network is known to be (S14): what fits is never told of, anything else at once, and nothing must be learned first. Keys that
are left out say nothing, and so does a list without an address of the same version of IP; of what several pins say all holds.

  [[pin]]
  name = \"office\"
  reason = \"the router's own pages, May 2026\"
  machines = { \"192.0.2.1\" = [\"02:00:5e:10:00:01\", \"00:00:5e:00:01:07\"], \"fe80::1\" = \"02:00:5e:10:00:01\" }
  dhcp = [\"192.0.2.1\"]                # servers of DHCP, by their identifier; of DHCPv6, by their address
  routers = [\"192.0.2.1\", \"fe80::1\"]  # whom DHCP may name, and who may announce itself or redirect
  dns = [\"192.0.2.53\"]                # whom DHCP and routers may name
  vlan = 20                            # 0: frames without a tag; everywhere, if left out

Also: [[redirect]] with habit = \"shortener\", \"single_sign_on\" or \"tracker\" and domains; [[portal]] with probes; [[operator]] with
kind, hosts, source and date; [[pool]] with the addresses that forged answers of DNS carry, source and date; [thresholds] with low, medium,
high, confirmed. The shipped files in rules/ are examples of each.

Exit status:
   0  done
   2  something is wrong with a rule, or a capture cannot be read to its end")]
pub(super) struct RulesCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say what each rule does
    List {
        /// Files or folders beside the shipped rules
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Say what is wrong with rules, where, and what would be right
    Check {
        /// Files or folders; the shipped rules are checked with them, for names that are there twice
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
    /// Say what the rules of a file would have matched in captures
    Test {
        /// The file, or a folder
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Captures
        #[arg(required = true, value_name = "PCAP")]
        captures: Vec<PathBuf>,
    },
}

impl RulesCommand {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        match self.command {
            Command::List { paths } => list(&load_rules(&paths)),
            Command::Check { paths } => check(load_rules(&paths)),
            Command::Test { file, captures } => test(file, &captures),
        }
    }
}

fn list(loaded: &LoadedRules) -> anyhow::Result<Status> {
    let mut text = String::new();
    for table in TABLES {
        for entry in loaded.rules.entries.iter().filter(|entry| entry.table == table) {
            text +=
                &format!("{table:<10}  {}\n            {}\n            {}\n", printable(&entry.name), printable(&entry.does), entry.file);
        }
    }
    io::stdout().write_all(text.as_bytes())?;
    Ok(tell(loaded))
}

fn check(mut loaded: LoadedRules) -> anyhow::Result<Status> {
    let now = jiff::Timestamp::now();
    let now = Timestamp::from_parts(now.as_second(), i64::from(now.subsec_nanosecond()));
    let expired = loaded.rules.expiries.iter().filter(|(end, _)| *end < now).map(|(_, diagnostic)| diagnostic.clone());
    loaded.wrong.extend(expired);
    let status = tell(&loaded);
    if status == Status::Done {
        writeln!(io::stdout(), "{} rules, nothing wrong", loaded.rules.entries.len())?;
    }
    Ok(status)
}

/// Everything that is wrong, on standard error.
fn tell(loaded: &LoadedRules) -> Status {
    for diagnostic in &loaded.wrong {
        say(&diagnostic.to_string());
    }
    if loaded.wrong.is_empty() { Status::Done } else { Status::BadInput }
}

/// The rules of one file, held against what captures give without them.
fn test(file: PathBuf, captures: &[PathBuf]) -> anyhow::Result<Status> {
    let paths = [file];
    let (own, all) = (load_files(&paths), load_rules(&paths));
    if tell(&all) != Status::Done {
        return Ok(Status::BadInput);
    }
    let Rules { devices, policy, forged_addresses, .. } = all.rules;
    let settings = Settings {
        limits: Limits::default(),
        // Redirects that the file explains must be seen first.
        knowledge: Arc::new(Knowledge { devices, redirects: load_rules(&[]).rules.redirects, forged_addresses, ..Knowledge::default() }),
        policy: Arc::new(Policy { thresholds: policy.thresholds, pins: policy.pins, ..Policy::default() }),
        seed: REPLAY_SEED,
        workers: 1,
    };
    let mut trial = Trial { rules: &own.rules, capture: String::new(), lines: String::new(), used: BTreeSet::new() };
    let mut whole = true;
    let files = match inputs(captures) {
        Ok(files) => files,
        Err(error) => {
            say(&format!("sidewatch: {error}"));
            return Ok(Status::BadInput);
        }
    };
    for path in files {
        let mut open = match Captures::open(&path) {
            Ok(open) => open,
            Err(error) => {
                say(&format!("sidewatch: {error}"));
                whole = false;
                continue;
            }
        };
        while let Some(capture) = open.next_capture() {
            let ended = capture.and_then(|mut capture| {
                trial.capture = capture.path().display().to_string();
                pump::run(&mut capture, &settings, &mut trial).1
            });
            if let Err(error) = ended {
                say(&format!("sidewatch: {error}"));
                whole = false;
            }
        }
    }
    let idle = own.rules.entries.iter().filter(|entry| !trial.used.contains(&(entry.table, entry.name.clone())));
    let idle: String = idle.map(|entry| format!("[[{}]] {}: matched nothing\n", entry.table, printable(&entry.name))).collect();
    io::stdout().write_all((trial.lines + &idle).as_bytes())?;
    Ok(if whole { Status::Done } else { Status::BadInput })
}

/// Alerts, each held against the rules of a file.
struct Trial<'a> {
    rules: &'a Rules,
    capture: String,
    lines: String,
    /// Rules that matched.
    used: BTreeSet<(&'static str, String)>,
}

impl Trial<'_> {
    fn matched(&mut self, alert: &Alert, table: &'static str, name: &str, deed: &str) {
        let (capture, frame, id) = (printable(&self.capture), alert.forged.frame, alert.id);
        let what = format!("{} {}, severity {}", alert.verdict.name(), alert.mechanism.name(), alert.severity);
        self.lines += &format!("[[{table}]] {}: {deed} alert {id:016x} ({what}) at frame {frame} of {capture}\n", printable(name));
        self.used.insert((table, name.to_owned()));
    }
}

impl Audience<CaptureFile> for Trial<'_> {
    fn alert(&mut self, alert: &Alert) {
        let rules = self.rules;
        let known = rules.devices.devices().iter().filter(|device| {
            alert
                .signals
                .iter()
                .any(|signal| signal.code == "S8" && signal.expected.starts_with(&format!("matches fingerprint {} (", device.name)))
        });
        for device in known {
            self.matched(alert, "device", &device.name, "is named in");
        }
        for pool in rules.forged_addresses.pools() {
            if alert.signals.iter().any(|signal| signal.observed.contains(&format!(", which matches {} (", pool.name))) {
                self.matched(alert, "pool", &pool.name, "names an address in");
            }
        }
        for pin in rules.entries.iter().filter(|entry| entry.table == "pin") {
            if alert.signals.iter().any(|signal| signal.expected.starts_with(&format!("the pin \"{}\" ", pin.name))) {
                self.matched(alert, "pin", &pin.name, "is contradicted in");
            }
        }
        for rule in rules.policy.suppressions.iter().filter(|rule| rule.fits(alert)) {
            self.matched(alert, "suppress", &rule.name, "would suppress");
        }
        for (rule, severity) in rules.policy.severities.iter().filter(|(rule, _)| rule.fits(alert)) {
            self.matched(alert, "severity", &rule.name, &format!("would give severity {severity} to"));
        }
        let http = alert.http.as_ref();
        let asked = http.and_then(|http| Some((http.hostname.as_deref()?, http.url.as_deref()?)));
        if let Some(name) = asked.and_then(|(host, path)| rules.policy.portals.probe(host, path)) {
            self.matched(alert, "portal", name, "takes for a portal's, if it redirects and nothing contradicts it, the");
        }
        let ends = alert.redirect.as_ref().and_then(|redirect| {
            let host = |address: &str| crate::engine::protocol::url::Address::parse(address).map(|address| address.host().to_owned());
            Some((host(redirect.from.as_deref()?)?, host(&redirect.to)?))
        });
        if let Some(name) = ends.and_then(|(from, to)| rules.redirects.explains(&from, &to).map(str::to_owned)) {
            self.matched(alert, "redirect", &name, "would take the points of S11 from");
        }
    }

    fn progress(&mut self, _: u64, _: &CaptureFile) {}

    fn panicked(&mut self, frame: u64) {
        say(&format!("sidewatch: internal error at or after frame {frame} of {}; please report it", printable(&self.capture)));
    }
}
