//! Thousands of recorded redirects of real sites, operators and AdHose, each replayed as one exchange, where the shared corpus is at hand.

use crate::support::host::{Host, client, site, v4};
use crate::support::injector::Injector;
use crate::support::story::{Story, after_ms};
use sidewatch::alert::{Alert, Verdict};
use sidewatch::correlate::Correlator;
use sidewatch::engine::decode::packet::Addr;
use sidewatch::engine::frame::{Frame, LinkType};
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::{Span, Timestamp};
use sidewatch::engine::{Engine, Knowledge};
use sidewatch::rules::policy::Policy;
use sidewatch::rules::shipped;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One recorded answer.
struct Row {
    url: String,
    when: String,
    fields: String,
}

/// How an answer comes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    /// By the server's own stack, which acknowledged the request.
    Server,
    /// By a device in the path, whose packets have its marks; the server is not heard again.
    Device,
}

#[test]
fn recorded_redirects_are_classed_as_what_they_are() {
    let Some(rows) = rows() else {
        return eprintln!("skipped: recorded redirects: set SIDEWATCH_SHARED to the folder that holds corpus/redirects");
    };
    let rules = shipped().rules;
    let policy = Arc::new(rules.policy);
    let knowledge = Arc::new(Knowledge { devices: rules.devices, redirects: rules.redirects, ..Knowledge::default() });
    let unlisted = Arc::new(Policy { operators: Default::default(), ..Policy::clone(&policy) });

    let by_server = classes(&rows, By::Server, &knowledge, &policy);
    print("by the server's own stack", &by_server);
    print("the same without the list of operators", &classes(&rows, By::Server, &knowledge, &unlisted));
    let by_device = classes(&rows, By::Device, &knowledge, &policy);
    print("by a device in the path", &by_device);

    for (target, found) in &by_server {
        for ((class, severity), count) in found {
            assert_eq!(is_notice(target), *class == "operator_notice", "{count} redirects to {target} are {class}");
            assert!(["nothing", "3"].contains(&severity.as_str()), "{count} redirects to {target} are of severity {severity}");
        }
    }
    for (target, found) in &by_device {
        let expected = if is_notice(target) { "operator_notice" } else { "in_path_injection" };
        let wrong: Vec<_> = found.keys().filter(|(class, _)| *class != expected).collect();
        assert!(wrong.is_empty() || !(is_notice(target) || is_adhose(target)), "redirects to {target} are {wrong:?}");
    }
}

fn is_notice(target: &str) -> bool {
    ["notification.etisalat.com.eg", "activation.etisalat.com.eg", "notify.orange.eg"].contains(&target)
}

fn is_adhose(target: &str) -> bool {
    ["static.dbmads.com", "go.pub2srv.com", "ads.vidz4fun.com", "go.ad2upapp.com"].contains(&target)
}

/// By target host: class and severity, and how many redirects have them.
type Classes = BTreeMap<String, BTreeMap<(&'static str, String), usize>>;

fn classes(rows: &[Row], by: By, knowledge: &Arc<Knowledge>, policy: &Arc<Policy>) -> Classes {
    let mut engine = Engine::new(Limits::default(), Arc::clone(knowledge), 7);
    let mut correlator = Correlator::new(&Limits::default()).with_policy(Arc::clone(policy));
    let mut alerts: Vec<Alert> = Vec::new();
    let mut number = 0;
    for (index, row) in (0_u32..).zip(rows) {
        let late = Span::from_millis(100 * i64::from(index));
        for frame in exchange(row, index, by).frames() {
            number += 1;
            engine.handle_frame(&Frame {
                number,
                time: Timestamp::from_nanos(frame.time as i64) + late,
                link: LinkType::ETHERNET,
                bytes: &frame.bytes,
                wire_len: frame.original_len,
            });
        }
        alerts.extend(correlator.judge(engine.poll_observations(), engine.now()));
    }
    engine.finish();
    alerts.extend(correlator.finish(engine.poll_observations(), engine.now()));
    let mut told: BTreeMap<Addr, (&'static str, String)> = BTreeMap::new();
    for alert in &alerts {
        let known = told.insert(alert.flow.client.0, (alert.verdict.name(), alert.severity.to_string()));
        assert!(known.is_none(), "two alerts on one exchange");
        assert!(alert.verdict != Verdict::LocalMitm);
    }
    let mut classes = Classes::new();
    for (index, row) in (0_u32..).zip(rows) {
        let class = told.remove(&Addr::from(device(index).ip)).unwrap_or_else(|| ("nothing", "nothing".to_owned()));
        *classes.entry(row.target()).or_default().entry(class).or_default() += 1;
    }
    classes
}

/// A device of its own for each exchange, of the range for benchmarks (RFC 2544).
fn device(index: u32) -> Host {
    let [_, _, c, d] = index.to_be_bytes();
    Host { ip: v4(198, 18, c, d), ..client() }
}

fn exchange(row: &Row, index: u32, by: By) -> Story {
    let (host, path) = row.asked();
    let mut story = Story::new();
    let mut tcp = story.connection(device(index), site().without_timestamps());
    tcp.handshake(80.0);
    tcp.request(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: probe\r\n\r\n").as_bytes());
    tcp.server_ack(after_ms(80.0));
    let answer = format!("HTTP/1.1 307 Temporary Redirect\r\n{}\r\n\r\n", row.fields.trim_end());
    match by {
        By::Server => {
            tcp.reply(after_ms(2.0), answer.as_bytes());
            tcp.ack();
            tcp.close();
        }
        By::Device => {
            tcp.forge(&Injector::packetlogic(2), after_ms(2.0), answer.as_bytes());
            tcp.ack();
        }
    }
    story
}

impl Row {
    /// Host and path that were asked for.
    fn asked(&self) -> (&str, &str) {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let end = rest.find('/').unwrap_or(rest.len());
        let (host, path) = rest.split_at(end);
        (host, if path.is_empty() { "/" } else { path })
    }

    /// The host of the Location field.
    fn target(&self) -> String {
        let location = self.fields.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("location").then(|| value.trim())
        });
        let location = location.unwrap_or_default();
        let host = location.split_once("://").map_or("the same site", |(_, rest)| rest.split(['/', '?']).next().unwrap_or_default());
        // An answer in a program's place is no notice, whoever made it.
        let instead = if self.url.ends_with(".zip") { ", in place of a program" } else { "" };
        format!("{}{instead}", host.to_ascii_lowercase())
    }
}

fn rows() -> Option<Vec<Row>> {
    let shared =
        std::env::var_os("SIDEWATCH_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let text = std::fs::read_to_string(shared.join("corpus/redirects/egypt-307.csv")).ok()?;
    let mut records = records(&text);
    let heading = records.remove(0);
    assert_eq!(heading, ["URL", "DATETIME", "OONI_URL", "FIRST307HEADERS"]);
    let mut rows: Vec<Row> = records
        .into_iter()
        .map(|record| {
            let [url, when, _, fields] = record.try_into().unwrap();
            Row { url, when, fields: fields.replace('\r', "").replace('\n', "\r\n") }
        })
        .collect();
    rows.sort_by(|a, b| a.when.cmp(&b.when));
    Some(rows)
}

/// Comma-separated values in quotes; a quote within is doubled.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut value) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => value.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut value)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut value));
                all.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            _ => value.push(letter),
        }
    }
    all
}

fn print(what: &str, classes: &Classes) {
    let mut total: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for (target, found) in classes {
        for ((class, severity), count) in found {
            *total.entry(class).or_default() += count;
            lines.insert(format!("  {count:>5} {target}: {class} ({severity})"));
        }
    }
    eprintln!("{what}: {total:?}");
    lines.iter().rev().for_each(|line| eprintln!("{line}"));
}
