//! Attacks from beside the road against curl and Chromium: what is said of them, when, and of which packets.

use super::beside::{Aim, Beside, Forged};
use super::programs::{self, until};
use super::site::{self, Site};
use super::street::{INSIDE, Street};
use super::visitors::{chromium, curl};
use crate::lab::attack::{Attack, Quality};
use crate::lab::namespaces;
use crate::lab::say;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Who is attacked: the names of its sites end with this, and their addresses begin with that.
const VISITORS: [(&str, u8); 2] = [("curl.example", 10), ("chromium.example", 20)];

/// What is done to the sites of a visitor: name, what comes after the beginning of the address, attack, what it must be called.
const ATTACKS: [(&str, u8, Attack, &str); 3] = [
    ("redirect", 1, Attack::RaceRedirect, "http_redirect"),
    ("script", 2, Attack::RaceContent, "http_content"),
    ("reset", 3, Attack::RaceRst, "tcp_reset"),
];

#[test]
fn attacks_on_browsers_behind_the_gateway_are_told_at_once_and_exactly() {
    if let Some(reason) = namespaces::missing().or_else(|| programs::missing(&site::PROGRAMS)).or_else(|| programs::missing(&[("curl", "curl")])) {
        return say(&format!("gateway: attacks: skipped, {reason}\n"));
    }
    let scratch = tempfile::tempdir().unwrap();
    let street = Street::build().unwrap();
    let (names, aims) = targets();
    let names: Vec<(&str, u8)> = names.iter().map(|(name, last)| (name.as_str(), *last)).collect();
    let site = Site::open(&street, scratch.path(), &names).unwrap();
    let beside = Beside::start(&street, aims, &["names.curl.example", "names.chromium.example"]).unwrap();
    let capture = std::env::var("CAPTURE").unwrap();
    let mut tcpdump = Command::new("tcpdump");
    tcpdump.args(["-i", INSIDE, "-U", "-w", &capture]);
    let mut dump = programs::Program::start(&street.gateway, tcpdump, &scratch.path().join("tcpdump.log")).unwrap();
    until(Duration::from_secs(3), || dump.said().contains("listening").then_some(())).unwrap();
    for (attack, ..) in ATTACKS {
        let at = |path: &str| format!("http://{attack}.curl.example/{path}");
        curl(&street, &site, &[&at("first"), &at("second")], &scratch.path().join("curl.log")).unwrap();
    }
    curl(&street, &site, &["http://names.curl.example/page"], &scratch.path().join("curl.log")).unwrap();
    for (attack, ..) in ATTACKS {
        chromium(&street, &site, &format!("http://{attack}.chromium.example/first"), scratch.path()).unwrap();
    }
    chromium(&street, &site, "http://names.chromium.example/page", scratch.path()).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    dump.signal(rustix::process::Signal::TERM).unwrap();
    dump.end_within(Duration::from_secs(3)).unwrap();
    say(&std::fs::read_to_string(scratch.path().join("chromium.log")).unwrap());
    for forged in beside.sent.packets.lock().unwrap().iter() {
        say(&format!("{} {:?}\n", forged.seq, forged.packet));
    }
    say(&format!("{} {:?}", beside.sent.answers.lock().unwrap().len(), street.road.carried));
}

/// The sites that are attacked, and how.
fn targets() -> (Vec<(String, u8)>, Vec<Aim>) {
    let (mut names, mut aims) = (Vec::new(), Vec::new());
    for (visitor, first) in VISITORS {
        for (name, last, attack, _) in ATTACKS {
            names.push((format!("{name}.{visitor}"), first + last));
            aims.push(Aim { server: first + last, attack, quality: Quality::Naive });
        }
        names.push((format!("names.{visitor}"), first + 4));
    }
    (names, aims)
}
