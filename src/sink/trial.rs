//! A record to try a sink with, and one attempt outside of its outbox.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::error::SinkError;
use super::form::plain;
use super::outlet::Outlet;
use crate::config::SinkSettings;
use crate::store::{Delivery, Kind, Record};

/// Number of EVE's signature of tests; those of alerts begin at 9000101.
const SIGNATURE: u32 = 9_000_099;

/// What `sinks test` tells: it says of itself that it is a test, and each is another.
#[must_use]
pub fn test_record(sensor: &str) -> Record {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = i64::try_from(since.as_micros()).unwrap_or_default();
    let id = format!("test-{:x}", since.as_nanos());
    let headline = "A test of this sink by its operator".to_owned();
    let explanation = "Nothing happened in the network. Who reads this gets the alerts of this sensor.".to_owned();
    let eve = json!({
        "timestamp": plain::eve_time(at), "event_type": "alert", "host": sensor,
        "alert": {
            "action": "allowed", "gid": 1, "signature_id": SIGNATURE, "rev": 1, "signature": "Sidewatch test of a sink",
            "category": "Test", "severity": 3, "context": {"injection": {"schema": 1, "id": id, "kind": "test", "explanation": explanation}},
        },
    });
    Record {
        id,
        kind: Kind::Test,
        at,
        severity: 3,
        mechanism: String::new(),
        verdict: String::new(),
        client: String::new(),
        server: String::new(),
        headline,
        explanation,
        storm_key: String::new(),
        eve: plain::json(&eve),
    }
}

/// Tells a sink once, past its outbox. On a tokio runtime.
///
/// # Errors
/// When it was not told.
pub async fn try_once(sink: &SinkSettings, record: &Record) -> Result<(), SinkError> {
    let delivery = Delivery { row: 0, record: record.clone(), attempts: 0, count: 1, told: 1 };
    Outlet::new(sink.target.clone()).tell(&delivery).await
}
