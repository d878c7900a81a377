//! Attacks from beside the road against curl and Chromium: what is said of them, when, and of which packets.

use super::beside::{Aim, Beside, Forged};
use super::daemon::{Daemon, Home, LEAST_RESERVE};
use super::logs::{self, Journald, Rsyslog};
use super::programs::{self, until};
use super::receiver::{Mood, Receiver};
use super::site::{self, Site};
use super::street::{INSIDE, Street};
use super::visitors::{CHROMIUM, chromium, curl};
use crate::lab::attack::{Attack, Quality};
use crate::lab::namespaces;
use crate::lab::say;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Who is attacked: the names of its sites end with this, and their addresses begin with that.
const VISITORS: [(&str, u8); 2] = [("curl.example", 10), ("chromium.example", 20)];

/// What is done to the sites of a visitor: name, what comes after the beginning of the address, attack, what it must be called.
const ATTACKS: [(&str, u8, Attack, &str); 3] = [
    ("redirect", 1, Attack::RaceRedirect, "http_redirect"),
    ("script", 2, Attack::RaceContent, "http_content"),
    ("reset", 3, Attack::RaceRst, "tcp_reset"),
];

/// From complete evidence to the receiver.
const AT_ONCE: Duration = Duration::from_secs(1);

/// How long evidence may take to become complete, by the documentation of the case and the chain.
const EVIDENCE: Duration = Duration::from_secs(10);

#[test]
fn attacks_on_browsers_behind_the_gateway_are_told_at_once_and_exactly() {
    let curl_needs = [("curl", "curl"), ("nsenter", "util-linux")];
    if let Some(reason) = namespaces::missing().or_else(|| programs::missing(&[&site::PROGRAMS[..], &curl_needs].concat())) {
        return say(&format!("gateway: attacks: skipped, {reason}\n"));
    }
    let scratch = tempfile::tempdir().unwrap();
    let street = Street::build().unwrap();
    let (names, aims) = targets();
    let names: Vec<(&str, u8)> = names.iter().map(|(name, last)| (name.as_str(), *last)).collect();
    let site = Site::open(&street, scratch.path(), &names).unwrap();
    let told = Told::begin(&street, scratch.path());
    let beside = Beside::start(&street, aims, &["names.curl.example", "names.chromium.example"]).unwrap();

    let visitors = visit(&street, &site, scratch.path());
    let owed = beside.sent.packets.lock().unwrap().len() + beside.sent.answers.lock().unwrap().len();
    until(EVIDENCE, || (told.alerts().len() >= owed).then_some(()));
    let alerts = told.alerts();
    for visitor in visitors {
        for (name, _, _, mechanism) in ATTACKS.into_iter().chain([("names", 4, Attack::RaceRedirect, "dns_answer")]) {
            let last = targets().0.iter().find(|(site, _)| *site == format!("{name}.{visitor}")).unwrap().1;
            // The resolver's name is on what is forged about names.
            let server = if name == "names" { "203.0.113.53".to_owned() } else { format!("203.0.113.{last}") };
            let found = alerts.iter().any(|(_, alert)| alert["src_ip"] == *server && injection(alert)["mechanism"] == mechanism);
            assert!(found, "nothing is said of {name} against {visitor}: {}", in_short(&alerts));
        }
    }
    compare(&alerts, &beside);
    let slowest = alerts.iter().map(|(at, alert)| lateness(*at, alert)).max().unwrap_or_default();
    let logs = told.in_logs(&alerts);
    say(&format!(
        "gateway: {} forged packets and answers, {} alerts, the slowest {slowest:?} after its evidence; also {logs}\n",
        owed,
        alerts.len()
    ));
}

/// Each visitor that is here goes to each of its sites. Who went.
fn visit(street: &Street, site: &Site, scratch: &Path) -> Vec<&'static str> {
    let (log, mut visitors) = (scratch.join("curl.log"), vec![VISITORS[0].0]);
    for (name, ..) in ATTACKS {
        let at = |path: &str| format!("http://{name}.curl.example/{path}");
        curl(street, site, &[&at("first"), &at("second")], &log).unwrap();
    }
    curl(street, site, &["http://names.curl.example/page"], &log).unwrap();
    if let Some(reason) = programs::missing(&[CHROMIUM]) {
        say(&format!("gateway: attacks on Chromium: skipped, {reason}\n"));
        return visitors;
    }
    for (name, ..) in ATTACKS {
        chromium(street, site, &format!("http://{name}.chromium.example/first"), scratch).unwrap();
    }
    chromium(street, site, "http://names.chromium.example/page", scratch).unwrap();
    visitors.push(VISITORS[1].0);
    visitors
}

/// Each forged packet is in one alert, which says of it what was sent, and no other packet is blamed by an alert that wakes somebody.
fn compare(alerts: &[(SystemTime, Value)], beside: &Beside) {
    let packets: Vec<Forged> = beside.sent.packets.lock().unwrap().clone();
    let answers: Vec<Vec<u8>> = beside.sent.answers.lock().unwrap().clone();
    let mut left: Vec<&Value> = alerts.iter().map(|(_, alert)| alert).collect();
    for forged in &packets {
        let packet = &forged.packet;
        let of_it = |alert: &&Value| alert["src_ip"] == packet.src.to_string() && alert["dest_port"] == packet.dst_port;
        let about: Vec<&Value> = left.extract_if(.., |alert| of_it(alert)).collect();
        let [alert] = about[..] else { panic!("{} alerts of {packet:?}: {}", about.len(), in_short(alerts)) };
        let said = &injection(alert)["forged"];
        assert_eq!(said["seq"], forged.seq, "{alert}");
        assert_eq!(said["ip_id"], packet.ip_id, "{alert}");
        // The gateway is between the two.
        assert_eq!(said["ttl"], packet.ttl - 1, "{alert}");
        assert_eq!(said["window"], packet.window, "{alert}");
        assert_eq!(said["frames"].as_array().map(Vec::len), Some(1), "{alert}");
        is_payload(said, &packet.payload);
    }
    for answer in &answers {
        let about: Vec<&Value> = left.extract_if(.., |alert| injection(alert)["forged"]["payload_sha256"] == hash(answer)).collect();
        let [alert] = about[..] else { panic!("{} alerts of an answer: {}", about.len(), in_short(alerts)) };
        is_payload(&injection(alert)["forged"], answer);
    }
    left.retain(|alert| alert["alert"]["severity"].as_u64() < Some(3));
    assert!(left.is_empty(), "nobody forged what these say: {left:?}");
    for (at, alert) in alerts {
        assert!(lateness(*at, alert) <= AT_ONCE, "{:?} after its evidence was complete: {alert}", lateness(*at, alert));
    }
}

fn is_payload(said: &Value, payload: &[u8]) {
    assert_eq!(said["payload_len"], payload.len(), "{said}");
    assert_eq!(said["payload_sha256"], if payload.is_empty() { Value::Null } else { hash(payload) }, "{said}");
}

fn hash(bytes: &[u8]) -> Value {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn injection(alert: &Value) -> &Value {
    &alert["alert"]["context"]["injection"]
}

/// From complete evidence to the receiver.
fn lateness(at: SystemTime, alert: &Value) -> Duration {
    let closed = injection(alert)["closed"]["at"].as_str().unwrap();
    let closed: jiff::Timestamp = closed.parse().unwrap();
    at.duration_since(UNIX_EPOCH + Duration::from_micros(closed.as_microsecond().unsigned_abs())).unwrap_or_default()
}

fn in_short(alerts: &[(SystemTime, Value)]) -> String {
    let short = |alert: &Value| {
        let said = injection(alert);
        format!(
            "\n{} {} {}:{} {} {}",
            alert["timestamp"], alert["src_ip"], alert["dest_ip"], alert["dest_port"], said["mechanism"], said["forged"]
        )
    };
    alerts.iter().map(|(_, alert)| short(alert)).collect()
}

/// The daemon on the gateway's inner side, and all whom it tells.
struct Told {
    _daemon: Daemon,
    receiver: Receiver,
    rsyslog: Option<Rsyslog>,
    journald: Option<Journald>,
    eve: PathBuf,
}

impl Told {
    fn begin(street: &Street, scratch: &Path) -> Self {
        let mut place = Home::make(scratch).unwrap();
        let receiver = Receiver::start(&street.gateway, |_| Mood::Takes).unwrap();
        let eve = scratch.join("eve.json");
        let mut sinks = place.webhook(&receiver.url());
        sinks += &format!("[[sink]]\nname = \"eve\"\nkind = \"file\"\npath = \"{}\"\n", eve.display());
        let rsyslog = match programs::missing(&logs::RSYSLOG) {
            None => Some(Rsyslog::start(&street.gateway, scratch).unwrap()),
            Some(reason) => {
                say(&format!("gateway: syslog over TLS: skipped, {reason}\n"));
                None
            }
        };
        if let Some(rsyslog) = &rsyslog {
            let (address, ca) = (rsyslog.address, rsyslog.ca.display());
            sinks +=
                &format!("[[sink]]\nname = \"siem\"\nkind = \"syslog\"\naddress = \"{address}\"\ntransport = \"tls\"\nca = \"{ca}\"\n");
        }
        let journald = match programs::missing(&logs::JOURNALD) {
            None => Some(Journald::start(&street.gateway, scratch).unwrap()),
            Some(reason) => {
                say(&format!("gateway: journald: skipped, {reason}\n"));
                None
            }
        };
        if let Some(journald) = &journald {
            place.mounts = Some(journald.mounts());
            sinks += "[[sink]]\nname = \"journal\"\nkind = \"journald\"\n";
        }
        place.settle(INSIDE, &sinks, LEAST_RESERVE).unwrap();
        let mut daemon = place.start(&street.gateway).unwrap();
        daemon.wait_until_ready().unwrap();
        Self { _daemon: daemon, receiver, rsyslog, journald, eve }
    }

    /// What the receiver was told, and when.
    fn alerts(&self) -> Vec<(SystemTime, Value)> {
        self.receiver.must_be_signed();
        self.receiver.taken().into_iter().map(|message| (message.at, message.body["data"].clone())).collect()
    }

    /// Each alert is in each of the logs too, once. Which logs.
    fn in_logs(&self, alerts: &[(SystemTime, Value)]) -> String {
        let ids: Vec<String> = alerts.iter().map(|(_, alert)| injection(alert)["id"].as_str().unwrap().to_owned()).collect();
        let mut logs = vec!["file"];
        found_in("the file", &ids, || fs::read_to_string(&self.eve).unwrap_or_default().lines().map(str::to_owned).collect());
        if let Some(rsyslog) = &self.rsyslog {
            found_in("rsyslog", &ids, || rsyslog.messages());
            logs.push("rsyslog over TLS");
        }
        if let Some(journald) = &self.journald {
            let is_alert = |entry: &Value| entry["MESSAGE"].is_string() && entry.to_string().contains("SIDEWATCH_");
            found_in("the journal", &ids, || {
                journald.entries().unwrap().iter().filter(|entry| is_alert(entry)).map(Value::to_string).collect()
            });
            logs.push("journald");
        }
        logs.join(", ")
    }
}

/// Waits until each id is in one line.
fn found_in(log: &str, ids: &[String], lines: impl Fn() -> Vec<String>) {
    let counts = || ids.iter().map(|id| lines().iter().filter(|line| line.contains(id.as_str())).count()).collect::<Vec<_>>();
    let all = until(Duration::from_secs(3), || counts().iter().all(|count| *count == 1).then_some(()));
    assert!(all.is_some(), "{log} has the alerts so often: {:?}, and holds {:?}", counts(), lines().first());
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
