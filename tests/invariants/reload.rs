//! Rules and lists that are exchanged in the middle: no connection is forgotten for it, and what is decided later is decided by the new ones.

use std::sync::Arc;

use serde_json::Value;
use sidewatch::engine::Knowledge;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::Span;
use sidewatch::pump::{Renewal, Settings};
use sidewatch::rules::indicators::read_text;
use sidewatch::rules::{Rules, shipped};

use super::tape::{Cut, cuts, pumped_as};
use crate::support::cases::all;

/// The race that ends with the forged answer's redirect, told once it is decided some seconds later.
fn race() -> Vec<Cut> {
    let case = all().into_iter().find(|case| case.name == "race-302-on-get").unwrap();
    cuts(&case.told().story, Span::ZERO)
}

/// Somebody else's packet so much later, by which time everything about the race is decided.
fn later(frames: &[Cut], seconds: i64) -> Cut {
    let cut = frames.first().unwrap();
    let mut bytes = cut.bytes.clone();
    // The last byte of the client's address, and the port.
    (bytes[29], bytes[34]) = (bytes[29].wrapping_add(1), bytes[34].wrapping_add(1));
    Cut { number: frames.len() as u64 + 1, time: frames.last().unwrap().time + Span::from_secs(seconds), bytes, ..cut.clone() }
}

fn with(rules: Rules, list: &str) -> Renewal {
    let indicators = read_text("list.txt", list.as_bytes()).indicators;
    let knowledge = Knowledge { devices: rules.devices, redirects: rules.redirects, indicators, ..Knowledge::default() };
    Renewal { knowledge: Arc::new(knowledge), policy: Arc::new(rules.policy) }
}

fn rules(text: &str) -> Renewal {
    let (rules, wrong) = Rules::of_text("mine.toml", text);
    assert_eq!(wrong, []);
    with(rules, "")
}

fn nothing() -> Renewal {
    rules("")
}

/// What is said of the frames when `before` is in force, and `after` from the frame behind so many on; the same with any number of workers.
fn told(frames: &[Cut], before: &Renewal, after: Option<(usize, &Renewal)>) -> Vec<Value> {
    let said = |workers| {
        let Renewal { knowledge, policy } = before.clone();
        let settings = Settings { limits: Limits::default(), knowledge, policy, seed: 7, workers };
        pumped_as(frames, &settings, after.map(|(place, renewal)| (place, renewal.clone())))
    };
    let one = said(1);
    for workers in [2, 4] {
        assert_eq!(said(workers), one, "{workers} workers");
    }
    one.0.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn codes(alert: &Value) -> Vec<&str> {
    let signals = alert["alert"]["context"]["injection"]["signals"].as_array().unwrap();
    signals.iter().map(|signal| signal["code"].as_str().unwrap()).collect()
}

#[test]
fn an_injection_is_found_wherever_between_its_packets_rules_are_read_anew() {
    let frames = race();
    let usual = told(&frames, &nothing(), None);
    assert_eq!(usual.len(), 1);
    for place in 1..=frames.len() {
        assert_eq!(told(&frames, &nothing(), Some((place, &nothing()))), usual, "behind frame {place}");
    }
}

#[test]
fn what_is_decided_after_the_exchange_is_told_by_the_new_rules() {
    let frames = race();
    let late = [frames.clone(), vec![later(&frames, 20)]].concat();
    let hush = rules("[[suppress]]\nname = \"lab\"\nreason = \"ours\"\nnetworks = [\"192.0.2.0/24\"]\n");
    let whole = frames.len();
    assert_eq!(told(&late, &nothing(), Some((3, &hush))).len(), 0);
    assert_eq!(told(&late, &nothing(), Some((whole, &hush))).len(), 0, "its case is open when the next packet comes");
    assert_eq!(told(&late, &nothing(), Some((whole + 1, &hush))).len(), 1, "it was decided when that packet came");
    assert_eq!(told(&late, &hush, Some((whole, &nothing()))).len(), 1);
    assert_eq!(told(&late, &hush, Some((whole + 1, &nothing()))).len(), 0);
}

#[test]
fn batches_that_are_on_their_way_are_told_by_the_rules_before() {
    let hush = rules("[[suppress]]\nname = \"lab\"\nreason = \"ours\"\nnetworks = [\"192.0.2.0/24\"]\n");
    let first = race();
    // One race is decided within the first batch, the other one begins there and ends in the second.
    let mut frames = first.clone();
    while frames.len() < 4_096 - 4 {
        frames.push(later(&frames, 0));
    }
    let after = Span::from_secs(60);
    frames.extend(first.iter().map(|cut| Cut { time: cut.time + after, ..cut.clone() }));
    for (number, cut) in (1..).zip(&mut frames) {
        cut.number = number;
    }
    while frames.len() < 20_000 {
        frames.push(later(&frames, 0));
    }
    assert_eq!(told(&frames, &nothing(), None).len(), 2);
    let alerts = told(&frames, &nothing(), Some((usize::MAX, &hush)));
    let forged = |alert: &Value| alert["alert"]["context"]["injection"]["forged"]["frame"].as_u64();
    assert_eq!(alerts.iter().map(forged).collect::<Vec<_>>(), [Some(5)]);
}

#[test]
fn a_device_that_becomes_known_while_the_case_is_open_is_named() {
    let frames = race();
    let known = with(shipped().rules, "");
    let named = |alerts: &[Value]| alerts.iter().any(|alert| codes(alert).contains(&"S8"));
    assert!(!named(&told(&frames, &nothing(), None)));
    assert!(named(&told(&frames, &known, None)));
    for place in 1..=frames.len() {
        assert!(named(&told(&frames, &nothing(), Some((place, &known)))), "behind frame {place}");
        assert!(!named(&told(&frames, &known, Some((place, &nothing())))), "behind frame {place}");
    }
}

#[test]
fn pins_that_take_force_in_the_middle_hold_for_what_is_heard_and_decided_later() {
    let story = |name: &str| cuts(&all().into_iter().find(|case| case.name == name).unwrap().told().story, Span::ZERO);
    let pins = rules(crate::support::cases::PINS);
    // The clock believes the first stamps when three agree.
    let mut frames = race()[..3].to_vec();
    let claim = story("pinned-arp-first-packet").remove(0);
    for seconds in [1, 20] {
        frames.push(Cut { number: frames.len() as u64 + 1, time: claim.time + Span::from_secs(seconds), ..claim.clone() });
        frames.push(later(&frames[..3], seconds + 12));
    }
    let forged = |alerts: &[Value]| alerts.iter().map(|alert| alert["alert"]["context"]["injection"]["forged"]["frames"].clone()).collect();
    let told_of: Vec<Value> = forged(&told(&frames, &nothing(), Some((5, &pins))));
    assert_eq!(told_of, [Value::from(vec![4, 6])], "the claim heard before is part of what is told");
    assert_eq!(told(&frames, &pins, Some((3, &nothing()))).len(), 0);
    let harmless = story("pinned-arp-first-packet-quiet");
    assert_eq!(told(&harmless, &nothing(), None).len(), 1);
    for place in 1..=harmless.len() {
        assert_eq!(told(&harmless, &nothing(), Some((place, &pins))).len(), 0, "behind frame {place}");
    }
}

#[test]
fn a_server_that_becomes_listed_in_the_middle_of_its_connections_is_looked_up_again() {
    let frames = cuts(&all().into_iter().find(|case| case.name == "local-arp-moved-quiet").unwrap().told().story, Span::ZERO);
    let listed = with(Rules::default(), "198.51.100.80\n");
    let met = |alerts: &[Value]| alerts.iter().filter(|alert| codes(alert).contains(&"S13")).count();
    assert_eq!(met(&told(&frames, &nothing(), None)), 0);
    assert_eq!(met(&told(&frames, &listed, None)), 1);
    for place in 1..frames.len() - 4 {
        assert_eq!(met(&told(&frames, &nothing(), Some((place, &listed)))), 1, "behind frame {place}");
        assert_eq!(met(&told(&frames, &listed, Some((place, &listed)))), 1, "told once, behind frame {place}");
    }
}
