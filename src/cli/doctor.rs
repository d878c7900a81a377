//! `sidewatch doctor`: what on this machine would blind the sensor, and the command that mends it.

mod finding;
mod judge;
mod listen;
mod machine;
pub(super) mod offloads;

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{Status, settings};
use crate::capture::live::{self, ANY, Interface};
use crate::config::Config;
use finding::Finding;
use listen::Heard;

/// Find what would blind the sensor on this machine, and the command that mends it
#[derive(Args)]
#[command(after_help = "\
Examples:
  sudo sidewatch doctor                        with the settings of /etc/sidewatch, if they are there
  sudo sidewatch doctor --interface eth0       one interface, whatever the settings say
  sudo sidewatch doctor --seconds 30           listen longer, on a quiet network

It looks at the interfaces that would be watched, listens on each, and says of each thing that is wrong what it is, why it matters, and
how it is mended. Use the network meanwhile: open a web page or two. It changes nothing.

It looks for: interfaces that are missing, down or silent; a mirror that shows one direction; cards that merge packets (GRO, LRO); frames
that get lost; a clock that nobody holds right; too little memory or disk; missing privileges.

Exit status:
   0  nothing is wrong
   2  bad usage, or settings that cannot be used
   3  something is wrong")]
pub(super) struct Doctor {
    /// The file of settings
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Look at this interface in place of those in the settings; a glob as `eth*`; can be given again
    #[arg(long, value_name = "NAME")]
    interface: Vec<String>,
    /// How long to listen, in seconds
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
}

impl Doctor {
    pub(super) fn run(&self) -> anyhow::Result<Status> {
        let mut config = match settings::read_or_usual(self.config.as_deref()) {
            Ok(config) => config,
            Err(status) => return Ok(status),
        };
        if !self.interface.is_empty() {
            config.capture.interfaces.clone_from(&self.interface);
        }
        let names = live::matching(&config.capture.interfaces);
        let mut findings = missing(&config.capture.interfaces, &names);
        tell(&match names.as_slice() {
            [] => "No interface to look at.\n".to_owned(),
            names => format!("Listening on {} for {} s.\n", names.join(", "), self.seconds),
        });
        findings.extend(self.interfaces(&names, &config));
        findings.extend(judge::clock(machine::clock()));
        findings.extend(judge::memory(&config, names.len(), machine::memory_available()));
        findings.extend(judge::disk(&config, machine::disk_free(&config.store.folder)));
        tell(&finding::told(&findings));
        Ok(if findings.iter().any(|finding| finding.wrong) { Status::Wrong } else { Status::Done })
    }

    /// Looks at all of them at once, so that it takes no longer than one.
    fn interfaces(&self, names: &[String], config: &Config) -> Vec<Finding> {
        let known = live::interfaces();
        std::thread::scope(|scope| {
            let known = &known;
            let looks: Vec<_> = names.iter().map(|name| scope.spawn(move || self.look_at(name, known, config))).collect();
            looks.into_iter().flat_map(|look| look.join().unwrap_or_default()).collect()
        })
    }

    fn look_at(&self, name: &str, known: &[Interface], config: &Config) -> Vec<Finding> {
        let mut findings = Vec::new();
        for below in below(name, known) {
            findings.extend(judge::link(below));
            // Loopback says that it merges, and nothing goes that way.
            if below.kind != "loopback" {
                findings.extend(judge::offloads(&below.name, &offloads::of(&below.name)));
            }
        }
        if findings.iter().any(|finding| finding.what == format!("{name} is down")) {
            return findings;
        }
        let before = machine::lost_by_card(name);
        match listen::listen(name, &config.capture, Duration::from_secs(self.seconds)) {
            Ok(heard) => {
                let lost = machine::lost_by_card(name).saturating_sub(before);
                tell(&summary(name, &heard));
                findings.extend(judge::heard(name, &heard, lost, self.seconds));
            }
            Err(error) => findings.push(judge::refused(&error)),
        }
        findings
    }
}

/// An interface and those that carry what it carries: a bridge's ports, the card below a VLAN. All of them, where all are watched, loopback excepted.
fn below<'a>(name: &str, known: &'a [Interface]) -> Vec<&'a Interface> {
    if name == ANY {
        return known.iter().filter(|found| found.up && found.kind != "loopback").collect();
    }
    let lower: &[String] = known.iter().find(|found| found.name == name).map_or(&[], |found| &found.lower);
    known.iter().filter(|found| found.name == name || lower.contains(&found.name)).collect()
}

/// Names and globs that nothing there fits.
fn missing(wanted: &[String], found: &[String]) -> Vec<Finding> {
    let fits = |name: &&String| live::matching(std::slice::from_ref(*name)).iter().any(|fit| found.contains(fit));
    let gone = wanted.iter().filter(|name| !fits(name));
    gone.map(|name| {
        let what = format!("there is no interface that fits {name:?}");
        Finding::wrong(
            what,
            "the sensor sees nothing until there is one",
            "`sidewatch interfaces` lists what is there; correct `interfaces` in the settings",
        )
    })
    .collect()
}

fn summary(name: &str, heard: &Heard) -> String {
    let Heard { frames, flows, judged, one_sided, kernel, .. } = heard;
    format!(
        "{name}: {frames} frames, {flows} TCP connections ({} of {judged} heard both ways), {} dropped\n",
        judged - one_sided,
        kernel.dropped
    )
}

/// A reader that has seen enough is no failure.
fn tell(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}
