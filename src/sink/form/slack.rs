//! Slack and Mattermost: a text and a coloured attachment. Slack reads `&`, `<` and `>`; what it would link is defanged before.

use serde_json::{Value, json};

use super::{Loudness, Told};

/// The body. Formatting is off where it can be, so that marks in a text stay marks.
pub(super) fn body(told: &Told<'_>) -> Value {
    let colour = match told.loudness() {
        Loudness::High => "#c62828",
        Loudness::Medium => "#ef6c00",
        Loudness::Low => "#546e7a",
        Loudness::Silent => "#2e7d32",
    };
    let headline = escaped(&told.headline());
    let fields: Vec<Value> =
        told.facts().into_iter().map(|(name, text)| json!({"title": name, "value": escaped(&text), "short": text.len() < 40})).collect();
    json!({
        "text": headline, "mrkdwn": false, "unfurl_links": false, "unfurl_media": false,
        "attachments": [{
            "color": colour, "fallback": headline, "text": escaped(&told.explanation()), "fields": fields, "mrkdwn_in": [],
        }],
    })
}

/// As Slack prescribes: these three and no others.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
