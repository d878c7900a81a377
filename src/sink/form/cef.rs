//! The Common Event Format, version 0: a header between pipes, then pairs of keys and values.

use std::net::IpAddr;

use super::{Told, plain};

/// Bytes of each value.
const VALUE: usize = 1000;

/// One line.
pub(in crate::sink) fn line(told: &Told<'_>) -> String {
    let record = told.record;
    let class = if record.mechanism.is_empty() { record.kind.name() } else { &record.mechanism };
    let severity = match record.severity {
        0 | 1 => 9,
        2 => 6,
        _ => 3,
    };
    let version = env!("CARGO_PKG_VERSION");
    let head = format!("CEF:0|Sidewatch|Sidewatch|{version}|{}|{}|{severity}|", header(class), header(&told.headline()));
    let mut pairs = vec![
        ("rt", record.at.div_euclid(1000).to_string()),
        ("externalId", told.record.id.clone()),
        ("cat", record.kind.name().to_owned()),
        ("dvchost", told.sensor()),
        ("cnt", told.count.to_string()),
    ];
    pairs.extend(address(&record.server, "src", ["c6a2Label", "c6a2"], "Source IPv6 Address"));
    pairs.extend(address(&record.client, "dst", ["c6a3Label", "c6a3"], "Destination IPv6 Address"));
    if !record.verdict.is_empty() {
        pairs.extend([("cs1Label", "verdict".to_owned()), ("cs1", record.verdict.clone())]);
    }
    pairs.push(("msg", told.explanation()));
    let pairs: Vec<String> = pairs.into_iter().map(|(key, text)| format!("{key}={}", value(&text))).collect();
    head + &pairs.join(" ")
}

/// CEF has one key for addresses of IPv4, and labelled ones for those of IPv6.
fn address(text: &str, v4: &'static str, [label, v6]: [&'static str; 2], name: &str) -> Vec<(&'static str, String)> {
    match text.parse() {
        Ok(IpAddr::V4(_)) => vec![(v4, text.to_owned())],
        Ok(IpAddr::V6(_)) => vec![(label, name.to_owned()), (v6, text.to_owned())],
        Err(_) => Vec::new(),
    }
}

fn header(text: &str) -> String {
    plain::cut(&plain::one_line(text), VALUE).replace('\\', "\\\\").replace('|', "\\|")
}

fn value(text: &str) -> String {
    plain::cut(&plain::one_line(text), VALUE).replace('\\', "\\\\").replace('=', "\\=")
}
