//! What was counted, for people.

use std::fmt::Write as _;

use crate::pump::Report;

/// Columns of the names.
const NAMES: usize = 30;

/// One counter a line, each group under its title; all of them, for a zero says something too.
pub(super) fn statistics(name: &str, report: &Report) -> String {
    let Report { frames, understood, decoded, disbelieved, panics, shards, correlate } = report;
    let read = [("frames", *frames), ("frames_understood", *understood), ("times_disbelieved", *disbelieved), ("panics", *panics)];
    let decoded = decoded.iter().map(|(name, count)| (name.as_str(), *count));
    let mut text = format!("{name}: what was counted");
    group(&mut text, "Read", read.into_iter());
    group(&mut text, "Decoded", decoded);
    group(&mut text, "Connections and questions", shards.named());
    group(&mut text, "Judged", correlate.named());
    text
}

fn group<'a>(text: &mut String, title: &str, counters: impl Iterator<Item = (&'a str, u64)>) {
    let _ = write!(text, "\n  {title}");
    for (name, count) in counters {
        let _ = write!(text, "\n    {name:<NAMES$} {count:>12}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every counter, under the name of its field.
    #[test]
    fn every_counter_is_printed_under_its_name() {
        let report = Report::default();
        let text = statistics("x.pcap", &report);
        let printed: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().next()).collect();
        let debug = format!("{:?} {:?}", report.shards, report.correlate);
        let mut fields = 0;
        for (field, _) in debug.split([' ', '{', '}', ',']).filter_map(|word| word.split_once(':')) {
            fields += 1;
            let is_it = |name: &&str| *name == field || name.ends_with(&format!(".{field}")) || name.starts_with(&format!("{field}."));
            assert!(printed.iter().any(is_it), "{field} is not in\n{text}");
        }
        assert!(fields > 40, "{fields} fields in {debug}");
    }

    #[test]
    fn names_and_numbers_stand_in_columns() {
        let decoded = [("ipv4_fragment_that_has_a_very_long_name".to_owned(), 7), ("tcp".to_owned(), u64::MAX)].into();
        let text = statistics("x.pcap", &Report { decoded, frames: 8, ..Report::default() });
        assert!(text.starts_with("x.pcap: what was counted\n  Read\n    frames                                    8\n"), "{text}");
        assert!(text.contains("ipv4_fragment_that_has_a_very_long_name            7"), "{text}");
        assert!(!text.contains('{') && !text.ends_with('\n'));
    }
}
