//! What holds for every list: nothing panics or is lost uncounted, and look-ups say what comparing name by name would say.

use proptest::prelude::*;

use super::gather::Tally;
use super::read::read_text;
use crate::engine::decode::packet::Addr;

/// Names of few labels, so that they often lie below each other.
fn name() -> impl Strategy<Value = String> {
    proptest::collection::vec("[ab]{1,2}", 1..4).prop_map(|labels| format!("{}.example", labels.join(".")))
}

fn is_below(name: &str, listed: &str) -> bool {
    name == listed || name.strip_suffix(listed).is_some_and(|rest| rest.ends_with('.'))
}

proptest! {
    #[test]
    fn any_bytes_in_any_form_are_counted(content in proptest::collection::vec(any::<u8>(), 0..400), form in 0..5_usize) {
        let loaded = read_text(["a.stix2", "a.json", "a.csv", "a.txt", "a"][form], &content);
        let totals = Tally::totals(&loaded.tallies());
        prop_assert_eq!(loaded.indicators.len() + totals.repeated, totals.taken.iter().sum::<u64>());
        prop_assert_eq!(loaded.complaints.len() as u64, totals.unreadable.min(100));
    }

    #[test]
    fn any_pattern_is_taken_left_out_or_told(pattern in "[\\[\\]()a-z:.'=, A-Z0-9-]{0,80}") {
        let bundle = serde_json::json!({"objects": [{"type": "indicator", "pattern": pattern}]}).to_string();
        let totals = Tally::totals(&read_text("a.stix2", bundle.as_bytes()).tallies());
        prop_assert!(totals.taken.iter().sum::<u64>() + totals.skipped + totals.unreadable > 0);
    }

    #[test]
    fn any_attribute_is_taken_left_out_or_told(kind in "[a-z|-]{0,12}|domain|url|uri|ip-dst|domain\\|ip", value in ".{0,40}", to_ids: bool) {
        let event = serde_json::json!({"Event": {"Attribute": [{"type": kind, "value": value, "to_ids": to_ids}]}}).to_string();
        let totals = Tally::totals(&read_text("a.json", event.as_bytes()).tallies());
        prop_assert!(totals.taken.iter().sum::<u64>() + totals.skipped + totals.unreadable > 0);
    }

    #[test]
    fn a_name_is_found_by_the_longest_entry_that_it_lies_below(listed in proptest::collection::vec(name(), 0..40), asked in name()) {
        let found = read_text("a.txt", listed.join("\n").as_bytes()).indicators.match_host(&asked);
        let expected = listed.iter().filter(|entry| is_below(&asked, entry)).max_by_key(|entry| entry.len());
        prop_assert_eq!(found.first().map(|hit| &hit.value), expected);
    }

    #[test]
    fn an_address_is_found_in_the_smallest_network(listed in proptest::collection::vec((0..4_u8, 0..8_u8, 24..=32_u8), 0..40), asked in (0..4_u8, 0..8_u8)) {
        let text: String = listed.iter().map(|(net, host, bits)| format!("192.0.{net}.{host}/{bits}\n")).collect();
        let found = read_text("a.txt", text.as_bytes()).indicators.match_ip(Addr::v4([192, 0, asked.0, asked.1]));
        let bits_of = |net: u8, host: u8, bits: u8| u32::from_be_bytes([192, 0, net, host]) >> (32 - bits);
        let holds = |(net, host, bits): &&(u8, u8, u8)| bits_of(*net, *host, *bits) == bits_of(asked.0, asked.1, *bits);
        let expected = listed.iter().filter(holds).map(|(.., bits)| *bits).max();
        prop_assert_eq!(found.first().map(|hit| hit.value.rsplit('/').next().unwrap_or_default().to_owned()), expected.map(|bits| bits.to_string()));
    }

    #[test]
    fn any_text_as_rules_has_its_mistakes_placed(text in "(\\[\\[(suppress|device|redirect|portal|severity|other)\\]\\]\n|[a-z]{1,9} = (1|\"a.example\"|\\[\"S1\"\\]|\\{\\})\n){0,8}") {
        let (_, wrong) = crate::rules::Rules::of_text("a.toml", &text);
        for diagnostic in wrong {
            prop_assert!(diagnostic.line >= 1 && diagnostic.line <= text.lines().count() + 1 && diagnostic.column >= 1, "{}", diagnostic);
        }
    }
}
