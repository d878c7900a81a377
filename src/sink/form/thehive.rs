//! TheHive: an alert whose reference is ours, so that a second delivery makes no second one. Its description is Markdown.

use serde_json::{Value, json};

use super::{Loudness, Told, plain};

/// Bytes of a title: TheHive takes 512.
const TITLE: usize = 500;

/// The body.
pub(super) fn body(told: &Told<'_>) -> Value {
    let record = told.record;
    let severity = match told.loudness() {
        Loudness::High => 3,
        Loudness::Medium => 2,
        Loudness::Low | Loudness::Silent => 1,
    };
    let facts: Vec<String> = told.facts().into_iter().map(|(name, text)| format!("* {name}: {}", plain::markdown(&text))).collect();
    let addresses = [("device", &record.client), ("claimed sender", &record.server)];
    let observables: Vec<Value> = addresses
        .into_iter()
        .filter(|(_, address)| address.parse::<std::net::IpAddr>().is_ok())
        .map(|(what, address)| json!({"dataType": "ip", "data": address, "message": what}))
        .collect();
    let tags: Vec<&str> = ["sidewatch", &record.mechanism, &record.verdict].into_iter().filter(|tag| !tag.is_empty()).collect();
    json!({
        "type": format!("sidewatch-{}", record.kind.name()), "source": told.sensor(), "sourceRef": told.key,
        "title": plain::cut(&told.headline(), TITLE),
        "description": format!("{}\n\n{}", plain::markdown(&told.explanation()), facts.join("\n")),
        "severity": severity, "date": record.at.div_euclid(1000), "tags": tags, "observables": observables,
    })
}
