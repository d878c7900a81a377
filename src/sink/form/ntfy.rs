//! ntfy: JSON to the server's root, the topic taken from the address.

use serde_json::{Value, json};
use url::Url;

use super::{Loudness, Told, plain};
use crate::store::Kind;

/// Bytes of a message: ntfy makes an attachment of what is longer than 4,096.
const MESSAGE: usize = 3500;

/// Where JSON is taken: the address without its topic.
pub(in crate::sink) fn root(url: &Url) -> Url {
    let mut root = url.clone();
    if let Ok(mut parts) = root.path_segments_mut() {
        parts.pop_if_empty().pop();
    }
    root
}

/// The body. Plain text, as nothing says that it is Markdown.
pub(super) fn body(url: &str, told: &Told<'_>) -> Value {
    let (priority, tag) = match (told.record.kind, told.loudness()) {
        (Kind::Blind, _) => (5, "see_no_evil"),
        (_, Loudness::High) => (5, "rotating_light"),
        (_, Loudness::Medium) => (4, "warning"),
        (_, Loudness::Low) => (3, "information_source"),
        (_, Loudness::Silent) => (1, "green_heart"),
    };
    let facts: Vec<String> = told.facts().into_iter().map(|(name, text)| format!("{name}: {text}")).collect();
    let message = plain::cut(&format!("{}\n\n{}", told.explanation(), facts.join("\n")), MESSAGE);
    json!({"topic": topic(url), "title": told.headline(), "message": message, "tags": [tag], "priority": priority})
}

fn topic(url: &str) -> String {
    let url = Url::parse(url).ok();
    let last = url.as_ref().and_then(Url::path_segments).and_then(|mut parts| parts.rfind(|part| !part.is_empty()));
    last.unwrap_or("sidewatch").to_owned()
}
