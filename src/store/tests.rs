//! Stories of the alert database.

mod damage;
mod delivery;
mod keeping;
mod locked;
mod order;
mod record;
mod storms;

use std::path::Path;
use std::time::Duration;

use super::{Kind, Record, Store};
use crate::config::{FileTarget, Filter, SinkSettings, StoreSettings, Target};

/// 2026-11-24 12:00:01 UTC, in microseconds.
pub(super) const NOON: i64 = 1_795_521_601_000_000;

pub(super) fn settings(folder: &Path) -> StoreSettings {
    StoreSettings {
        folder: folder.to_owned(),
        keep: Duration::from_secs(30 * 86_400),
        size: 64 << 20,
        reserve: 1 << 20,
        storm: Duration::from_secs(600),
    }
}

pub(super) fn sink(name: &str) -> SinkSettings {
    SinkSettings {
        name: name.to_owned(),
        filter: Filter::default(),
        per_minute: None,
        heartbeat: false,
        target: Target::File(FileTarget { path: "eve.json".into(), rotate_at: None, keep: 1 }),
    }
}

/// An alert of its own, no other's repeat.
pub(super) fn alert(number: u64) -> Record {
    Record {
        id: format!("{number:016x}"),
        kind: Kind::Alert,
        at: NOON + i64::try_from(number).unwrap(),
        severity: 2,
        mechanism: "http_redirect".to_owned(),
        verdict: "on_path_injection".to_owned(),
        client: "192.168.7.23".to_owned(),
        server: "203.0.113.7".to_owned(),
        headline: format!("Alert {number}"),
        explanation: "Something happened.".to_owned(),
        storm_key: String::new(),
        eve: format!(
            r#"{{"event_type":"alert","alert":{{"context":{{"injection":{{"id":"{number:016x}","closed":{{"at":"2026-11-24T12:00:04.004211+0000","because":"deadline"}},"explanation":"x"}}}}}}}}"#
        ),
    }
}

pub(super) fn event(kind: Kind, word: &str) -> Record {
    Record { kind, id: word.to_owned(), mechanism: String::new(), verdict: String::new(), client: String::new(), ..alert(0) }
}

/// One of a storm.
pub(super) fn repeat(number: u64, key: &str) -> Record {
    Record { storm_key: key.to_owned(), ..alert(number) }
}

/// The ids that a sink is given, in order, all delivered.
pub(super) fn deliver_all(store: &Store, sink: &str) -> Vec<String> {
    let mut keys = Vec::new();
    while let Some(delivery) = store.next(sink, i64::MAX).unwrap() {
        keys.push(delivery.key());
        store.delivered(delivery.row, 1).unwrap();
    }
    keys
}

pub(super) fn id(number: u64) -> String {
    format!("{number:016x}")
}
