//! A list of indicators in any form: nothing is lost uncounted, what is loaded is found by its own spelling, and a store gives it back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::rules::indicators::{Loaded, Tally, read_text};

/// Names of files, by which forms are told.
const NAMES: [&str; 6] = ["a.stix2", "a.json", "a.csv", "a.tsv", "a.txt", "a"];

fuzz_target!(|input: &[u8]| {
    let Some((choice, content)) = input.split_first() else { return };
    let loaded = read_text(NAMES[usize::from(*choice) % NAMES.len()], content);
    let totals = Tally::totals(&loaded.tallies());
    assert_eq!(loaded.indicators.len() + totals.repeated, totals.taken.iter().sum::<u64>());
    assert!(loaded.complaints.len() as u64 <= totals.unreadable);
    ask(&loaded, &String::from_utf8_lossy(content));
});

/// Whatever stands in the list is looked up, as a name, a web address and a part of either.
fn ask(loaded: &Loaded, text: &str) {
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';')).take(64) {
        for hit in loaded.indicators.match_host(word).into_iter().chain(loaded.indicators.match_url(word)) {
            assert!(!hit.value.is_empty() && !hit.list.is_empty());
        }
    }
}
