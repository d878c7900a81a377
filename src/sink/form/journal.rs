//! The fields of an entry in systemd's journal.

use super::{Loudness, Told, plain};

/// An entry: how loud, its text, and its fields.
pub(in crate::sink) struct Entry {
    /// 0 to 7, as syslog counts.
    pub(in crate::sink) priority: u8,
    /// The text, which `journalctl` shows.
    pub(in crate::sink) message: String,
    /// Fields by name.
    pub(in crate::sink) fields: Vec<(&'static str, String)>,
}

/// The entry. Texts are on one line, so that nobody's text looks like an entry of its own; the record stands in `SIDEWATCH_EVE`.
pub(in crate::sink) fn entry(told: &Told<'_>) -> Entry {
    let record = told.record;
    let priority = match told.loudness() {
        Loudness::High => 2,
        Loudness::Medium => 4,
        Loudness::Low => 5,
        Loudness::Silent => 6,
    };
    let whom = if record.client.is_empty() { String::new() } else { format!(" ({})", plain::one_line(&record.client)) };
    let fields = [
        ("SYSLOG_IDENTIFIER", "sidewatch".to_owned()),
        ("SIDEWATCH_ID", record.id.clone()),
        ("SIDEWATCH_KIND", record.kind.name().to_owned()),
        ("SIDEWATCH_SEVERITY", record.severity.to_string()),
        ("SIDEWATCH_VERDICT", record.verdict.clone()),
        ("SIDEWATCH_MECHANISM", record.mechanism.clone()),
        ("SIDEWATCH_CLIENT", plain::one_line(&record.client)),
        ("SIDEWATCH_SERVER", plain::one_line(&record.server)),
        ("SIDEWATCH_SENSOR", told.sensor()),
        ("SIDEWATCH_COUNT", told.count.to_string()),
        ("SIDEWATCH_EXPLANATION", told.explanation()),
        ("SIDEWATCH_EVE", record.eve.clone()),
    ];
    let fields = fields.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    Entry { priority, message: format!("{}{whom}", told.headline()), fields }
}
