//! Storms and mutes: everything is kept, and little of it is told.

use super::*;
use crate::store::commit::STORM_KEPT;
use crate::store::{Mute, Muted};

fn count_of(store: &Store, id: &str) -> (u64, u64) {
    let kept = store.find(id).unwrap();
    (kept[0].count, kept[0].left_out)
}

#[test]
fn a_repeat_raises_the_count_of_the_first_and_is_told_at_each_power_of_ten() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let storm: Vec<Record> = (1..=105).map(|number| repeat(number, "one attacker")).collect();
    store.commit(&storm[..1], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1)]);
    store.commit(&storm[1..30], &sinks).unwrap();
    let again = store.next("file", 0).unwrap().unwrap();
    assert_eq!((again.record.id.clone(), again.count, again.told), (id(1), 30, 10), "the count is that of the moment");
    assert!(
        again.record.eve.contains(r#""storm":{"count":30,"last":"2026-11-24T12:00:01.000030+0000"},"closed":{"at""#),
        "{}",
        again.record.eve
    );
    serde_json::from_str::<serde_json::Value>(&again.record.eve).unwrap();
    store.commit(&storm[30..], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [format!("{}-10", id(1)), format!("{}-100", id(1))]);
    assert_eq!(count_of(&store, &id(1)), (105, 0));
    assert!(store.find(&id(77)).unwrap()[0].is_repeat, "the repeats are kept");
    assert_eq!((store.counters().told, store.counters().repeats), (1, 104));
}

#[test]
fn what_is_louder_or_of_another_time_or_muted_otherwise_is_told_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let late = Record { at: NOON + 601_000_000, ..repeat(3, "key") };
    let louder = Record { severity: 1, ..repeat(4, "key") };
    let quieter = Record { severity: 3, ..repeat(5, "key") };
    store.commit(&[repeat(1, "key"), repeat(2, "other key"), late, louder, quieter, alert(6), alert(7)], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [1, 2, 3, 4, 6, 7].map(id));
    assert_eq!(count_of(&store, &id(4)), (2, 0), "the last that began the storm counts on");
}

#[test]
fn an_attack_that_went_out_incomplete_is_told_when_it_is_seen_whole() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.pend(&[repeat(1, "key")]).unwrap();
    drop(store);
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[repeat(2, "key")], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1), id(2)]);
}

#[test]
fn suspicions_of_a_storm_that_was_told_are_counted_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[repeat(1, "key")], &sinks).unwrap();
    store.pend(&[repeat(2, "key"), repeat(3, "another key"), repeat(4, "another key")]).unwrap();
    drop(store);
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1), id(3), id(4)]);
    assert_eq!(count_of(&store, &id(1)), (2, 0));
}

#[test]
fn a_storm_fills_no_disk() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let storm: Vec<Record> = (1..=STORM_KEPT + 11).map(|number| repeat(number, "key")).collect();
    store.commit(&storm, &sinks).unwrap();
    assert_eq!(count_of(&store, &id(1)), (STORM_KEPT + 11, 10));
    assert_eq!(store.counters().left_out, 10);
    assert_eq!(store.find(&id(STORM_KEPT + 1)).unwrap().len(), 1);
    assert!(store.find(&id(STORM_KEPT + 2)).unwrap().is_empty());
    store.commit(&[repeat(9_999, "key")], &sinks).unwrap();
    store.pend(&[repeat(9_999, "key")]).unwrap();
    assert!(store.find(&id(9_999)).unwrap().is_empty(), "nor does a suspicion of it stay");
}

#[test]
fn an_old_heartbeat_is_overtaken_and_one_that_nobody_wants_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [SinkSettings { heartbeat: true, ..sink("alive") }, sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[event(Kind::Heartbeat, "alive-1"), alert(1), event(Kind::Heartbeat, "alive-2")], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "alive"), [id(1), "alive-2".to_owned()]);
    store.commit(&[event(Kind::Heartbeat, "alive-3")], &sinks[1..]).unwrap();
    assert!(store.find("alive-3").unwrap().is_empty());
}

#[test]
fn what_is_muted_is_kept_and_told_to_nobody_until_the_mute_ends() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let mute = |until, muted| Mute { number: 0, who: "ayse".to_owned(), why: "known proxy".to_owned(), made: 1, until, muted };
    let branch = Muted { mechanism: Some("http_redirect".to_owned()), client: Some("192.168.7.0/24".to_owned()), ..Muted::default() };
    store.mute(&mute(5, branch.clone())).unwrap();
    store.commit(&[repeat(1, "key")], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1)], "a mute that has ended does nothing");
    let number = store.mute(&mute(i64::MAX, branch.clone())).unwrap();
    let elsewhere = Record { client: "10.0.0.1".to_owned(), ..alert(3) };
    let blind = Record { client: "192.168.7.23".to_owned(), ..event(Kind::Blind, "blind-1") };
    store.commit(&[repeat(2, "key"), elsewhere, blind], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(3), "blind-1".to_owned()]);
    assert_eq!(store.find(&id(2)).unwrap()[0].muted, Some(number));
    assert!(store.unmute(number, 10).unwrap());
    assert!(!store.unmute(number, 10).unwrap(), "it has ended already");
    store.commit(&[repeat(4, "key")], &sinks).unwrap();
    assert_eq!(count_of(&store, &id(1)), (2, 0), "what was muted begins no storm for what is not");
    let mutes = store.mutes().unwrap();
    assert_eq!((mutes.len(), &mutes[1].who, mutes[1].until, &mutes[1].muted), (2, &"ayse".to_owned(), 10, &branch));
}
