//! Commit and delivery: in order, at least once, to those who want it.

use super::*;
use crate::store::{State, StoreError};

#[test]
fn what_is_committed_reaches_each_sink_in_order_and_only_once_noted() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file"), sink("hook")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[alert(1), alert(2)], &sinks).unwrap();
    store.commit(&[alert(3)], &sinks).unwrap();
    let first = store.next("hook", 5).unwrap().unwrap();
    assert_eq!((first.record.clone(), first.attempts, first.count), (alert(1), 0, 1));
    assert_eq!(store.next("hook", 5).unwrap().unwrap().row, first.row, "it is given until it is noted as delivered");
    assert_eq!(deliver_all(&store, "hook"), [id(1), id(2), id(3)]);
    assert_eq!(deliver_all(&store, "file"), [id(1), id(2), id(3)]);
    drop(store);
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    assert!(store.next("hook", i64::MAX).unwrap().is_none());
}

#[test]
fn the_same_id_is_told_once_however_often_it_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[alert(1), alert(1)], &sinks).unwrap();
    store.commit(&[Record { headline: "Other words".to_owned(), ..alert(1) }], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1)]);
}

#[test]
fn a_failure_holds_the_line_until_it_is_due_and_what_is_given_up_lets_it_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("hook")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[alert(1), alert(2)], &sinks).unwrap();
    let first = store.next("hook", 100).unwrap().unwrap();
    store.failed(first.row, "status 500", 100, Some(5_000)).unwrap();
    assert!(store.next("hook", 4_999).unwrap().is_none(), "the second does not overtake the first");
    assert_eq!(store.due_at("hook").unwrap(), Some(5_000));
    let again = store.next("hook", 5_000).unwrap().unwrap();
    assert_eq!((again.row, again.attempts), (first.row, 1));
    store.failed(again.row, "status 410", 5_001, None).unwrap();
    let states = store.sink_states().unwrap();
    assert_eq!((states[0].waiting, states[0].dead, states[0].last_success), (1, 1, None));
    assert_eq!(states[0].last_error, Some((5_001, "status 410".to_owned())));
    assert_eq!(store.retry_dead("hook").unwrap(), 1);
    assert_eq!(deliver_all(&store, "hook"), [id(1), id(2)]);
    assert_eq!(store.sink_states().unwrap()[0].last_success, Some(1));
}

#[test]
fn a_clock_that_is_put_back_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("hook")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[alert(1)], &sinks).unwrap();
    let row = store.next("hook", 3_600_000).unwrap().unwrap().row;
    store.failed(row, "status 500", 3_600_000, Some(3_605_000)).unwrap();
    assert!(store.next("hook", 3_604_999).unwrap().is_none());
    assert_eq!(store.next("hook", 1_000).unwrap().unwrap().row, row, "an hour before it failed");
}

#[test]
fn a_suspicion_goes_out_when_it_is_complete_and_after_a_crash_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.pend(&[alert(1), alert(2)]).unwrap();
    assert!(store.next("file", i64::MAX).unwrap().is_none(), "nothing pending is told");
    let complete = Record { headline: "More is known".to_owned(), ..alert(2) };
    store.commit(std::slice::from_ref(&complete), &sinks).unwrap();
    assert_eq!(store.next("file", 0).unwrap().unwrap().record, complete);
    assert_eq!(deliver_all(&store, "file"), [id(2)]);
    drop(store);
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let left = store.next("file", 0).unwrap().unwrap();
    assert_eq!(left.record.id, id(1));
    assert!(left.record.eve.contains(r#""because":"interrupted"}"#), "{}", left.record.eve);
    assert!(left.record.explanation.starts_with("Something happened. Sidewatch ended before"), "{}", left.record.explanation);
    assert_eq!(deliver_all(&store, "file"), [id(1)]);
    assert_eq!(State::Incomplete.name(), "incomplete");
}

#[test]
fn beside_a_daemon_nothing_is_taken_for_the_remains_of_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.pend(&[alert(1)]).unwrap();
    assert!(matches!(Store::open(&settings(folder.path()), &sinks), Err(StoreError::InUse { .. })));
    let beside = Store::attach(&settings(folder.path()), &sinks).unwrap();
    assert!(beside.next("file", i64::MAX).unwrap().is_none());
    store.commit(&[alert(1)], &sinks).unwrap();
    assert_eq!(deliver_all(&beside, "file"), [id(1)]);
}

#[test]
fn a_sink_gets_what_its_filter_takes() {
    let folder = tempfile::tempdir().unwrap();
    let with = |name: &str, filter: Filter| SinkSettings { filter, ..sink(name) };
    let sinks = [
        sink("all"),
        with("loud", Filter { severity: 1, ..Filter::default() }),
        with("dns", Filter { severity: 3, mechanisms: vec!["dns_answer".to_owned()], ..Filter::default() }),
        with("branch", Filter { severity: 3, networks: vec!["10.1.0.0/16".to_owned(), "2001:db8::/32".to_owned()], ..Filter::default() }),
        SinkSettings { heartbeat: true, ..sink("alive") },
    ];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let records = [
        alert(1),
        Record { severity: 1, ..alert(2) },
        Record { mechanism: "dns_answer".to_owned(), client: "10.1.2.3".to_owned(), ..alert(3) },
        Record { client: "2001:db8::7".to_owned(), ..alert(4) },
        event(Kind::Heartbeat, "alive-1"),
        Record { severity: 1, ..event(Kind::Blind, "blind-1") },
        Record { severity: 3, ..event(Kind::Test, "test-1") },
    ];
    store.commit(&records, &sinks).unwrap();
    let (one, two, three, four) = (id(1), id(2), id(3), id(4));
    assert_eq!(deliver_all(&store, "all"), [&one, &two, &three, &four, "blind-1", "test-1"]);
    assert_eq!(deliver_all(&store, "loud"), [&two, "blind-1", "test-1"]);
    assert_eq!(deliver_all(&store, "dns"), [&three, "blind-1", "test-1"]);
    assert_eq!(deliver_all(&store, "branch"), [&three, &four, "blind-1", "test-1"]);
    assert_eq!(deliver_all(&store, "alive"), [&one, &two, &three, &four, "alive-1", "blind-1", "test-1"]);
}

#[test]
fn who_waits_is_woken_by_a_commit() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let (told, heard) = std::sync::mpsc::channel();
    let number = store.on_commit(Box::new(move || told.send(()).unwrap()));
    let seen = store.commits();
    let committing = store.clone();
    let thread = std::thread::spawn(move || committing.commit(&[alert(1)], &[sink("file")]).unwrap());
    assert!(store.wait_since(seen, Duration::from_secs(20)) > seen);
    thread.join().unwrap();
    heard.try_recv().unwrap();
    store.forget(number);
    store.commit(&[alert(2)], &sinks).unwrap();
    assert!(heard.try_recv().is_err(), "nobody is called any more");
}
