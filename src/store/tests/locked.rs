//! Another process holds the database.

use std::time::Instant;

use rusqlite::Connection;

use super::*;

fn hold(folder: &Path) -> Connection {
    let other = Connection::open(folder.join("alerts.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

#[test]
fn a_lock_of_another_process_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    let other = hold(folder.path());
    let committing = store.clone();
    let thread = std::thread::spawn(move || committing.commit(&[alert(1)], &[sink("file")]));
    assert_eq!(store.wait_since(0, Duration::from_millis(100)), 0, "it was committed against the lock");
    other.execute_batch("COMMIT").unwrap();
    thread.join().unwrap().unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1)]);
}

#[test]
fn a_lock_that_stays_is_an_error_that_passes_and_readers_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[alert(1)], &sinks).unwrap();
    let other = hold(folder.path());
    let committing = store.clone();
    let begun = Instant::now();
    let thread = std::thread::spawn(move || committing.commit(&[alert(2)], &[sink("file")]));
    let next = store.next("file", 0).unwrap().unwrap();
    assert_eq!(next.record.id, id(1), "who reads does not wait for who writes");
    let error = thread.join().unwrap().unwrap_err();
    assert!(error.is_passing() && begun.elapsed() < Duration::from_secs(20), "{error}");
    assert_eq!(store.counters().busy, 1);
    other.execute_batch("COMMIT").unwrap();
    store.commit(&[alert(2)], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1), id(2)]);
}
