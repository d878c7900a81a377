//! The EVE record as a value, and cut down where a sink has not the room.

use serde_json::{Map, Value, json};

use super::plain;
use crate::store::Record;

/// What is taken away from a record that does not fit, the first first.
const CUTS: [fn(&mut Value); 8] =
    [frames_and_ladder, dropped_explanations, packets_hashes, followed, messages, long_texts, signals_and_indicators, all_but_the_core];

/// Frame numbers that are kept of each list.
const FRAMES: usize = 4;

/// The record as a value. A line that is no object is told as fields of the record.
pub(in crate::sink) fn value(record: &Record) -> Value {
    let parsed = serde_json::from_str(&record.eve).ok().filter(Value::is_object);
    parsed.unwrap_or_else(|| from_fields(record))
}

/// The record on one line of printable ASCII in at most `most` bytes, `truncated` where something was taken away.
pub(in crate::sink) fn fitted(eve: &Value, most: usize) -> String {
    let line = plain::json(eve);
    if line.len() <= most {
        return line;
    }
    let mut less = eve.clone();
    if let Some(injection) = injection(&mut less) {
        injection.insert("truncated".to_owned(), json!(true));
    }
    let mut line = line;
    for cut in CUTS {
        cut(&mut less);
        line = plain::json(&less);
        if line.len() <= most {
            break;
        }
    }
    line
}

fn from_fields(record: &Record) -> Value {
    let signature = format!("Sidewatch {}: {}", record.kind.name(), plain::one_line(&record.headline));
    json!({
        "timestamp": plain::eve_time(record.at),
        "event_type": "alert",
        "src_ip": record.server,
        "dest_ip": record.client,
        "alert": {
            "action": "allowed", "gid": 1, "signature_id": 9_000_000, "rev": 1, "signature": plain::cut(&signature, 512),
            "category": "", "severity": record.severity,
            "context": {"injection": {
                "schema": 1, "id": record.id, "kind": record.kind.name(), "verdict": record.verdict, "mechanism": record.mechanism,
                "explanation": record.explanation,
            }},
        },
    })
}

/// Sidewatch's own part of the record; made where there is none.
fn injection(eve: &mut Value) -> Option<&mut Map<String, Value>> {
    let mut at = eve;
    for key in ["alert", "context", "injection"] {
        at = at.as_object_mut()?.entry(key).or_insert_with(|| json!({}));
    }
    at.as_object_mut()
}

fn frames_and_ladder(eve: &mut Value) {
    let Some(injection) = injection(eve) else { return };
    injection.remove("ladder");
    each(injection, &mut |key, value| {
        if let (true, Value::Array(frames)) = (key == "frames", value) {
            frames.truncate(FRAMES);
        }
    });
}

fn dropped_explanations(eve: &mut Value) {
    let Some(injection) = injection(eve) else { return };
    if let Some(Value::Array(considered)) = injection.get_mut("considered") {
        considered.retain(|one| one["kept"] == true);
    }
}

fn packets_hashes(eve: &mut Value) {
    let Some(injection) = injection(eve) else { return };
    for packet in ["forged", "genuine"] {
        if let Some(Value::Object(facts)) = injection.get_mut(packet) {
            facts.remove("payload_sha256");
        }
    }
}

fn followed(eve: &mut Value) {
    let Some(Value::Object(redirect)) = injection(eve).and_then(|injection| injection.get_mut("redirect")) else { return };
    redirect.remove("led_by");
    redirect.remove("followed");
}

fn messages(eve: &mut Value) {
    let Some(root) = eve.as_object_mut() else { return };
    for message in ["http", "tls", "quic", "dns", "dhcp", "arp", "flow", "ether", "metadata"] {
        root.remove(message);
    }
}

fn long_texts(eve: &mut Value) {
    let Some(root) = eve.as_object_mut() else { return };
    each(root, &mut |key, value| {
        if let Value::String(text) = value {
            *text = plain::cut(text, if key == "explanation" { 512 } else { 128 });
        }
    });
}

fn signals_and_indicators(eve: &mut Value) {
    let Some(injection) = injection(eve) else { return };
    injection.remove("considered");
    for list in ["signals", "indicators"] {
        if let Some(Value::Array(all)) = injection.get_mut(list) {
            all.truncate(4);
        }
    }
}

/// Who, whom, what, and its id.
fn all_but_the_core(eve: &mut Value) {
    const ROOT: [&str; 10] = ["timestamp", "event_type", "host", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "flow_id", "alert"];
    const ALERT: [&str; 8] = ["action", "gid", "signature_id", "rev", "signature", "category", "severity", "context"];
    const INJECTION: [&str; 9] = ["schema", "id", "kind", "verdict", "confidence", "mechanism", "storm", "truncated", "explanation"];
    if let Some(injection) = injection(eve) {
        injection.retain(|key, value| INJECTION.contains(&key.as_str()) && !value.is_array());
        if let Some(Value::String(text)) = injection.get_mut("explanation") {
            *text = plain::cut(text, 200);
        }
    }
    let Some(root) = eve.as_object_mut() else { return };
    root.retain(|key, _| ROOT.contains(&key.as_str()));
    if let Some(Value::Object(alert)) = root.get_mut("alert") {
        alert.retain(|key, _| ALERT.contains(&key.as_str()));
        if let Some(Value::Object(context)) = alert.get_mut("context") {
            context.retain(|key, _| key == "injection");
        }
    }
}

/// Shows `act` every value below, with its key.
fn each(map: &mut Map<String, Value>, act: &mut dyn FnMut(&str, &mut Value)) {
    for (key, value) in map.iter_mut() {
        below(key, value, act);
    }
}

fn below(key: &str, value: &mut Value, act: &mut dyn FnMut(&str, &mut Value)) {
    act(key, value);
    match value {
        Value::Object(map) => each(map, act),
        Value::Array(all) => all.iter_mut().for_each(|one| below(key, one, act)),
        _ => {}
    }
}
