//! PagerDuty: events of its API, version 2.

use serde_json::{Value, json};

use super::{Loudness, Told, plain};
use crate::store::Kind;

/// Bytes of a summary: PagerDuty takes 1,024 characters.
const SUMMARY: usize = 1000;

/// Bytes of a key by which events are known as one.
const KEY: usize = 255;

/// The body. An alert is one incident, however often it is told; that a sensor sees again resolves that it was blind.
pub(super) fn body(told: &Told<'_>, routing_key: &str) -> Value {
    let record = told.record;
    let (action, key) = match record.kind {
        Kind::Alert | Kind::Test => ("trigger", record.id.clone()),
        Kind::Heartbeat => ("trigger", format!("{}-heartbeat", told.sensor())),
        Kind::Blind => ("trigger", format!("{}-blind", told.sensor())),
        Kind::Seeing => ("resolve", format!("{}-blind", told.sensor())),
    };
    let severity = match (record.kind, told.loudness()) {
        (Kind::Blind, _) => "error",
        (_, Loudness::High) => "critical",
        (_, Loudness::Medium) => "warning",
        (_, Loudness::Low | Loudness::Silent) => "info",
    };
    let mut details: serde_json::Map<String, Value> =
        told.facts().into_iter().map(|(name, text)| (name.to_lowercase().replace(' ', "_"), json!(text))).collect();
    details.insert("explanation".to_owned(), json!(told.explanation()));
    details.insert("count".to_owned(), json!(told.count));
    json!({
        "routing_key": routing_key, "event_action": action, "dedup_key": plain::cut(&key, KEY), "client": "Sidewatch",
        "payload": {
            "summary": plain::cut(&told.headline(), SUMMARY), "source": told.sensor(), "severity": severity,
            "timestamp": plain::time(record.at), "component": "network", "class": record.mechanism, "custom_details": details,
        },
    })
}
