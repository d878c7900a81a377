//! What is kept of an alert.

use super::*;
use crate::alert::{SourceFacts, samples};
use crate::store::mark;

fn live() -> SourceFacts {
    SourceFacts { host: Some("gateway-1".to_owned()), in_iface: Some("eth0".to_owned()), pcap_filename: None }
}

#[test]
fn a_record_says_what_the_alert_says() {
    let alert = samples::redirect_alert();
    let record = Record::of(&alert, &live());
    let eve: serde_json::Value = serde_json::from_str(&record.eve).unwrap();
    assert_eq!(record.id, eve["alert"]["context"]["injection"]["id"]);
    assert_eq!(record.mechanism, eve["alert"]["context"]["injection"]["mechanism"]);
    assert_eq!((&record.client, &record.server), (&alert.flow.client.0.to_string(), &alert.flow.server.0.to_string()));
    assert_eq!(record.at, alert.forged.time.as_nanos() / 1_000);
    assert!(!record.headline.is_empty() && !record.explanation.contains("http://"), "{}", record.explanation);
}

#[test]
fn an_attacker_is_known_by_where_he_sends_people_and_each_victim_is_apart() {
    let first = samples::redirect_alert();
    let mut other_site = first.clone();
    other_site.flow.server.0 = crate::engine::decode::packet::Addr::v4([203, 0, 113, 99]);
    let mut other_victim = first.clone();
    other_victim.flow.client.0 = crate::engine::decode::packet::Addr::v4([192, 168, 7, 24]);
    let mut harmless = first.clone();
    harmless.verdict = crate::alert::Verdict::CaptivePortal;
    let key = |alert| Record::of(alert, &live()).storm_key;
    assert_eq!(key(&first), key(&other_site));
    assert_ne!(key(&first), key(&other_victim));
    assert_ne!(key(&first), key(&harmless));
    let question = samples::dns_alert();
    assert!(key(&question).contains(&question.flow.server.0.to_string()), "of DNS only the resolver's name is known");
}

#[test]
fn what_is_added_to_a_line_later_changes_nothing_else_of_it() {
    let line = Record::of(&samples::redirect_alert(), &live()).eve;
    let parsed = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let mut counted = parsed(&mark::with_count(&line, 100, NOON));
    let storm = counted["alert"]["context"]["injection"].as_object_mut().unwrap().remove("storm").unwrap();
    assert_eq!(storm, serde_json::json!({ "count": 100, "last": "2026-11-24T12:00:01.000000+0000" }));
    assert_eq!(counted, parsed(&line));
    let mut interrupted = parsed(&mark::interrupted(&line));
    let because = &mut interrupted["alert"]["context"]["injection"]["closed"]["because"];
    assert_eq!(because, "interrupted");
    *because = parsed(&line)["alert"]["context"]["injection"]["closed"]["because"].clone();
    assert_eq!(interrupted, parsed(&line));
    for other in ["", "{}", r#"{"closed":{"#, r#"{"x":"\"closed\":{"}"#] {
        assert_eq!(mark::interrupted(other), other);
    }
}
