//! Teams: an Adaptive Card for a workflow that waits for webhook requests. Texts are runs (`TextRun`), in which no Markdown is read.

use serde_json::{Value, json};

use super::{Loudness, Told};

/// The body.
pub(super) fn body(told: &Told<'_>) -> Value {
    let colour = match told.loudness() {
        Loudness::High => "Attention",
        Loudness::Medium => "Warning",
        Loudness::Low => "Default",
        Loudness::Silent => "Good",
    };
    let title = json!({"type": "TextRun", "text": told.headline(), "weight": "Bolder", "size": "Medium", "color": colour});
    let text = json!({"type": "TextRun", "text": told.explanation()});
    let facts = told.facts().into_iter().map(|(name, text)| {
        paragraph(&json!([{"type": "TextRun", "text": format!("{name}: "), "weight": "Bolder"}, {"type": "TextRun", "text": text}]))
    });
    let blocks: Vec<Value> = [paragraph(&json!([title])), paragraph(&json!([text]))].into_iter().chain(facts).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
                "fallbackText": told.headline(), "body": blocks,
            },
        }],
    })
}

fn paragraph(runs: &Value) -> Value {
    json!({"type": "RichTextBlock", "spacing": "Small", "inlines": runs})
}
