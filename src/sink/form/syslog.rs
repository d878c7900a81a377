//! RFC 5424: one message on one line, with structured data of our own.

use super::{Loudness, Told, cef, eve, plain};
use crate::config::SyslogTarget;

/// The name of our structured data. Sidewatch has no number of its own with IANA; 32473 is the one that is reserved for such use (RFC 5612).
const ELEMENT: &str = "sidewatch@32473";

/// The message in at most `most` bytes: the EVE record is cut down to fit, a line of CEF at its end.
pub(in crate::sink) fn message(target: &SyslogTarget, told: &Told<'_>, most: usize) -> String {
    let record = told.record;
    let severity = match told.loudness() {
        Loudness::High => 2,   // critical
        Loudness::Medium => 4, // warning
        Loudness::Low => 5,    // notice
        Loudness::Silent => 6, // informational
    };
    let priority = u16::from(target.facility.min(23)) * 8 + severity;
    let data = [
        ("id", record.id.as_str()),
        ("kind", record.kind.name()),
        ("severity", &record.severity.to_string()),
        ("verdict", &record.verdict),
        ("mechanism", &record.mechanism),
        ("client", &record.client),
        ("server", &record.server),
        ("count", &told.count.to_string()),
    ];
    let data: Vec<String> =
        data.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!(" {name}=\"{}\"", value(text))).collect();
    let head = format!(
        "<{priority}>1 {} {} sidewatch {} {} [{ELEMENT}{}] ",
        plain::time(record.at),
        host(&told.sensor()),
        std::process::id(),
        record.kind.name(),
        data.concat(),
    );
    let room = most.saturating_sub(head.len());
    head + &if target.cef { plain::cut(&cef::line(told), room) } else { eve::fitted(&told.eve, room) }
}

/// A value of structured data (section 6.3.3): `"`, `\` and `]` are escaped.
fn value(text: &str) -> String {
    plain::cut(&plain::one_line(text), 100).replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]")
}

/// A host name is printable ASCII without spaces, at most 255 (section 6.2.4).
fn host(text: &str) -> String {
    let host: String = text.chars().filter(char::is_ascii_graphic).take(255).collect();
    if host.is_empty() { "-".to_owned() } else { host }
}
