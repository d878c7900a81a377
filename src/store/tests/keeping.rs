//! What is removed, and what never is.

use super::*;

const DAY: i64 = 86_400_000;

fn ids(store: &Store, numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    numbers.into_iter().filter(|number| !store.find(&id(*number)).unwrap().is_empty()).collect()
}

#[test]
fn what_was_delivered_everywhere_goes_when_it_is_old_and_what_waits_stays() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file"), sink("hook")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[alert(1), alert(2), alert(3)], &sinks).unwrap();
    store.pend(&[alert(4)]).unwrap();
    assert_eq!(deliver_all(&store, "file").len(), 3);
    let first = store.next("hook", 0).unwrap().unwrap();
    store.delivered(first.row, 1).unwrap();
    let second = store.next("hook", 0).unwrap().unwrap();
    store.failed(second.row, "gone", 1, None).unwrap();
    let now = crate::store::now();
    assert_eq!(store.prune(now + DAY).unwrap().removed, 0);
    assert_eq!(store.prune(now + 31 * DAY).unwrap().removed, 1);
    assert_eq!(ids(&store, 1..=4), [2, 3, 4], "given up, waiting, pending");
    store.prune(now + 121 * DAY).unwrap();
    assert_eq!(ids(&store, 1..=4), [3, 4], "what was given up stays four times as long");
    assert_eq!(deliver_all(&store, "hook"), [id(3)]);
}

#[test]
fn a_database_that_is_too_large_loses_the_oldest_delivered_and_its_room() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file")];
    let small = StoreSettings { size: 1 << 20, ..settings(folder.path()) };
    let store = Store::open(&small, &sinks).unwrap();
    let large = |number| Record { explanation: "x".repeat(2_000), ..alert(number) };
    let records: Vec<Record> = (1..=2_000).map(large).collect();
    store.commit(&records, &sinks).unwrap();
    let stuck = store.prune(crate::store::now()).unwrap();
    assert!(stuck.is_over && stuck.removed == 0, "{stuck:?}");
    let before = std::fs::metadata(folder.path().join("alerts.db")).unwrap().len();
    assert_eq!(deliver_all(&store, "file").len(), 2_000);
    let pruned = store.prune(crate::store::now()).unwrap();
    assert!(!pruned.is_over && pruned.bytes <= 1 << 20 && (1_000..2_000).contains(&pruned.removed), "{pruned:?}");
    assert!(ids(&store, [1]).is_empty() && ids(&store, [2_000]) == [2_000]);
    store.prune(crate::store::now()).unwrap();
    let after = std::fs::metadata(folder.path().join("alerts.db")).unwrap().len();
    assert!(after < before / 2, "{before} became {after}");
}

#[test]
fn what_waits_for_a_sink_that_is_no_more_goes_with_its_age() {
    let folder = tempfile::tempdir().unwrap();
    let sinks = [sink("file"), sink("gone")];
    let store = Store::open(&settings(folder.path()), &sinks).unwrap();
    store.commit(&[alert(1)], &sinks).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(1)]);
    store.commit(&[alert(2)], &sinks[..1]).unwrap();
    assert_eq!(deliver_all(&store, "file"), [id(2)]);
    let now = crate::store::now();
    store.prune(now + DAY).unwrap();
    assert_eq!(ids(&store, [1]), [1]);
    store.prune(now + 31 * DAY).unwrap();
    assert!(ids(&store, [1]).is_empty());
    assert_eq!(store.sink_states().unwrap().iter().filter(|state| state.waiting > 0).count(), 0);
}

#[test]
fn the_reserve_is_really_there_and_only_the_owner_and_group_read_alerts() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let _store = Store::open(&settings(folder.path()), &[]).unwrap();
    let reserve = std::fs::metadata(folder.path().join("alerts.reserve")).unwrap();
    assert!(reserve.len() == 1 << 20 && reserve.blocks() * 512 >= 1 << 20);
    for name in ["alerts.db", "alerts.db-wal", "alerts.db-shm"] {
        assert_eq!(std::fs::metadata(folder.path().join(name)).unwrap().mode() & 0o137, 0, "{name}");
    }
}
