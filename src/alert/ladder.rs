//! The packets concerned, one a line, in aligned columns of at most 100 characters.

use super::plain::{cut, defanged, wire_text};
use super::text::{Paint, WIDTH};
use super::{Alert, LadderRow, Role};

/// Text columns before the note.
const COLUMNS: usize = 10;

/// Headings; those of numbers stand to the right as their numbers do.
const HEADINGS: [(&str, bool); COLUMNS] = [
    ("", false),
    ("frame", true),
    ("ms", true),
    ("way", false),
    ("TTL", true),
    ("IP ID", true),
    ("seq", true),
    ("len", true),
    ("flags", false),
    ("win", true),
];

/// The table, each line with its newline. `hosts` are defanged in the notes.
pub(super) fn table(alert: &Alert, hosts: &[String], paint: Paint) -> String {
    let start = alert.ladder.first().map_or(alert.forged.time, |row| row.packet.time);
    let rows: Vec<[String; COLUMNS]> = alert
        .ladder
        .iter()
        .map(|row| {
            let packet = &row.packet;
            [
                mark(alert, row.role).to_owned(),
                packet.frame.to_string(),
                millis((packet.time - start).as_nanos()),
                if row.to_server { "C -> S" } else { "C <- S" }.to_owned(),
                packet.ttl.map_or_else(|| "-".to_owned(), |ttl| ttl.to_string()),
                packet.ip_id.map_or_else(|| "-".to_owned(), |id| format!("0x{id:04x}")),
                packet.tcp.as_ref().map_or_else(|| "-".to_owned(), |tcp| tcp.seq.to_string()),
                packet.payload_len.to_string(),
                packet.tcp.as_ref().map_or_else(|| "-".to_owned(), |tcp| cut(&wire_text(&tcp.flags), 9).into_owned()),
                packet.tcp.as_ref().map_or_else(|| "-".to_owned(), |tcp| tcp.window.to_string()),
            ]
        })
        .collect();
    let widths: [usize; COLUMNS] =
        std::array::from_fn(|at| rows.iter().filter_map(|row| row.get(at)).map(String::len).chain([heading_width(at)]).max().unwrap_or(0));
    let mut out = line(&HEADINGS.map(|(heading, _)| heading.to_owned()), &widths, "what");
    out.push('\n');
    for (cells, row) in rows.iter().zip(&alert.ladder) {
        let text = line(cells, &widths, &defanged(&wire_text(&row.note), hosts));
        out.push_str(&paint.row(row_paint(alert, row), &text));
        out.push('\n');
    }
    out
}

/// What a row is called: `FORGED` only where the verdict says so.
pub(super) fn mark(alert: &Alert, role: Role) -> &'static str {
    match (role, alert.verdict.is_injection()) {
        (Role::Forged, true) => "FORGED",
        (Role::Forged, false) => "ANSWER",
        (Role::Genuine, true) => "GENUINE",
        (Role::Genuine, false) => "OTHER",
        (Role::Context, _) => "",
    }
}

fn row_paint(alert: &Alert, row: &LadderRow) -> Role {
    if alert.verdict.is_injection() { row.role } else { Role::Context }
}

fn heading_width(at: usize) -> usize {
    HEADINGS.get(at).map_or(0, |(heading, _)| heading.len())
}

/// One line; the note gets the room that the other columns leave.
fn line(cells: &[String; COLUMNS], widths: &[usize; COLUMNS], note: &str) -> String {
    let mut out = String::from(" ");
    for ((cell, width), (_, to_the_right)) in cells.iter().zip(widths).zip(HEADINGS) {
        out.push(' ');
        out.push_str(&if to_the_right { format!("{cell:>width$}") } else { format!("{cell:<width$}") });
    }
    out.push_str("  ");
    let room = WIDTH.saturating_sub(out.len());
    out.push_str(&cut(note, room));
    out.trim_end().chars().take(WIDTH).collect()
}

/// Milliseconds with three decimals; beyond about three hours, which only broken clocks give, whole seconds.
fn millis(nanos: i64) -> String {
    if nanos.unsigned_abs() < 10_000_000_000_000 { format!("{:.3}", nanos as f64 / 1e6) } else { format!("{} s", nanos / 1_000_000_000) }
}
