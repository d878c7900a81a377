//! One alert in words, from what the database keeps.

use super::{Refusal, is_coloured, printable, when};
use crate::store::{Archive, Kept, Mute, State, Told};

/// Columns that no line exceeds.
const WIDTH: usize = 100;

/// The whole page.
pub(super) fn page(archive: &Archive, kept: &Kept) -> Result<String, Refusal> {
    let record = &kept.record;
    let severity = match record.severity {
        0 | 1 => "HIGH",
        2 => "MEDIUM",
        _ => "LOW",
    };
    let head = format!("{severity}: {}", printable(&record.headline));
    let mut page = if is_coloured() { format!("\u{1b}[1m{head}\u{1b}[0m\n\n") } else { format!("{head}\n\n") };
    let named = [record.verdict.as_str(), &record.mechanism].into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", ");
    let mut say = |name: &str, text: &str| page += &wrapped(&format!("  {name:<10}"), &printable(text));
    say("alert", &if named.is_empty() { record.id.clone() } else { format!("{} ({named})", record.id) });
    say("time", &format!("{} UTC", when::plain(record.at)));
    if !record.client.is_empty() {
        say("device", &record.client);
    }
    if !record.server.is_empty() {
        say("server", &format!("{} (whose name the packet bears)", record.server));
    }
    say("severity", &format!("{} of 3 (1 is the highest)", record.severity));
    say("evidence", &format!("{}; kept since {} UTC", evidence(kept.state), when::plain_millis(kept.committed)));
    if kept.count > 1 {
        say("count", &count(kept));
    }
    if let Some(first) = archive.first_of(kept)? {
        say("repeats", &format!("{}, which counts it and is told in its place", first.record.id));
    }
    if let Some(number) = kept.muted {
        let mute = archive.mutes()?.into_iter().find(|mute| mute.number == number);
        say("muted", &mute.map_or_else(|| format!("by mute {number}"), |mute| muted(&mute)));
    }
    page += "\nWhat happened\n";
    page += &wrapped("  ", &printable(&record.explanation));
    page += "\nWho was told\n";
    let told = archive.told(kept)?;
    if told.is_empty() {
        page += "  nobody\n";
    }
    let width = told.iter().map(|told| told.sink.chars().count()).max().unwrap_or_default();
    for told in &told {
        page += &wrapped(&format!("  {:<width$}  ", printable(&told.sink)), &printable(&delivery(told)));
    }
    page += "\nThe packets are in its EVE line: sidewatch alerts export\n";
    Ok(page)
}

/// A mute in a line.
pub(super) fn muted(mute: &Mute) -> String {
    format!("by {} until {} UTC: {} (mute {})", mute.who, when::plain_millis(mute.until), mute.why, mute.number)
}

const fn evidence(state: State) -> &'static str {
    match state {
        State::Pending => "still awaited",
        State::Complete => "complete",
        State::Incomplete => "not complete, as Sidewatch ended before it was",
    }
}

fn count(kept: &Kept) -> String {
    let last = when::plain(kept.last_at);
    match kept.left_out {
        0 => format!("{}, the last at {last} UTC", kept.count),
        left_out => format!("{}, the last at {last} UTC; {left_out} of them were counted and not kept", kept.count),
    }
}

fn delivery(told: &Told) -> String {
    let attempts = match told.attempts {
        0 => String::new(),
        1 => ", one attempt failed".to_owned(),
        attempts => format!(", {attempts} attempts failed"),
    };
    let error = told.last_error.as_ref().map_or_else(String::new, |error| format!(": {error}"));
    let again = if told.told > 1 { format!(" (when the count was {})", told.told) } else { String::new() };
    let ended = told.ended.map_or_else(String::new, |ended| format!(" {} UTC", when::plain_millis(ended)));
    match told.state.as_str() {
        "waiting" if told.due > 0 => format!("waiting{again}, next at {} UTC{attempts}{error}", when::plain_millis(told.due)),
        "dead" => format!("given up{ended}{again}{attempts}{error}; `sidewatch sinks status` says how to try again"),
        "delivered" => format!("delivered{ended}{again}{attempts}"),
        state => format!("{state}{again}{attempts}{error}"),
    }
}

/// `text` in lines of at most `WIDTH` columns, the first behind `first`, the others behind as many spaces.
fn wrapped(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let mut out = first.to_owned();
    let mut column = indent;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            out += &format!("\n{:indent$}", "");
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out += word;
        column += length;
    }
    out + "\n"
}
