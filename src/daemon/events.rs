//! What the sensor says of itself, as records for the sinks.

use serde_json::json;

use crate::engine::time::Timestamp;
use crate::store::{Kind, Record};

/// An event of this sensor. `what` is unique among events of one kind and moment.
pub(super) fn event(kind: Kind, sensor: &str, (what, at): (&str, Timestamp), headline: String, facts: serde_json::Value) -> Record {
    let micros = at.as_nanos().div_euclid(1_000);
    let severity = match kind {
        // Whoever is told that it is blind is to know when it is over.
        Kind::Blind | Kind::Seeing => 1,
        Kind::Alert | Kind::Heartbeat | Kind::Test => 3,
    };
    let line = json!({
        "timestamp": written(micros),
        "event_type": "sensor",
        "host": sensor,
        "sensor": { "event": kind.name(), "what": what, "headline": headline, "facts": facts },
    });
    Record {
        id: format!("{}-{sensor}-{what}-{micros}", kind.name()),
        kind,
        at: micros,
        severity,
        mechanism: String::new(),
        verdict: String::new(),
        client: String::new(),
        server: String::new(),
        explanation: headline.clone(),
        headline,
        storm_key: format!("{}|{sensor}|{what}|{micros}", kind.name()),
        eve: line.to_string(),
    }
}

/// In EVE's form.
fn written(micros: i64) -> String {
    let time = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f+0000").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_with_the_sensor_s_name_and_a_time_as_eve_has_it() {
        let at = Timestamp::from_parts(1_700_000_000, 4_211_000);
        let record = event(Kind::Blind, "gw", ("traffic eth0", at), "nothing comes".to_owned(), json!({ "seconds": 300 }));
        assert!(record.eve.contains(r#""timestamp":"2023-11-14T22:13:20.004211+0000""#), "{}", record.eve);
        assert!(record.eve.contains(r#""host":"gw""#) && !record.eve.contains('\n'));
        assert_eq!((record.severity, record.id.as_str()), (1, "blind-gw-traffic eth0-1700000000004211"));
    }
}
