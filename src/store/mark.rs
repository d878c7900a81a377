//! What the database adds to an EVE line that was rendered before it happened. The line stays what it is otherwise, to the byte.

use serde_json::json;

/// In a line of ours this stands once: inside a string its quotes would be escaped.
const CLOSED: &str = "\"closed\":{";
/// What ends the reason, which is a plain word.
const BECAUSE: &str = "\"because\":\"";
/// Why the case was closed when nobody closed it.
const INTERRUPTED: &str = "interrupted";

/// The line of an alert that stands for `count`, the last of them at `last_at` (Unix microseconds): with `storm` beside `closed`.
pub(super) fn with_count(eve: &str, count: u64, last_at: i64) -> String {
    let Some(place) = eve.find(CLOSED) else { return eve.to_owned() };
    let (before, after) = eve.split_at(place);
    let storm = json!({ "count": count, "last": written(last_at) });
    format!("{before}\"storm\":{storm},{after}")
}

/// The line of an alert whose evidence was not complete when Sidewatch ended: closed because of that.
pub(super) fn interrupted(eve: &str) -> String {
    let because = eve.find(CLOSED).and_then(|closed| Some(closed + eve.get(closed..)?.find(BECAUSE)? + BECAUSE.len()));
    let parts = because.and_then(|start| eve.split_at_checked(start)).and_then(|(before, after)| Some((before, after.split_once('"')?.1)));
    parts.map_or_else(|| eve.to_owned(), |(before, after)| format!("{before}{INTERRUPTED}\"{after}"))
}

/// EVE's form, UTC with microseconds.
fn written(micros: i64) -> String {
    jiff::Timestamp::from_microsecond(micros).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S%.6f+0000").to_string()
}
