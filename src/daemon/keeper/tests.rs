//! Stories of a database that is locked, full or damaged for a while.

use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::store::Kind;

/// A database that does as it is told, once for each transaction; then everything works.
#[derive(Clone, Default)]
struct Moody(Rc<RefCell<Mood>>);

#[derive(Default)]
struct Mood {
    failures: VecDeque<StoreError>,
    pended: Vec<String>,
    committed: Vec<String>,
    reopened: u32,
}

impl Keeps for Moody {
    fn pend(&self, records: &[Record]) -> Result<(), StoreError> {
        let mut mood = self.0.borrow_mut();
        mood.failures.pop_front().map_or(Ok(()), Err)?;
        mood.pended.extend(records.iter().map(|record| record.id.clone()));
        Ok(())
    }
    fn commit(&self, records: &[Record], _: &[SinkSettings]) -> Result<(), StoreError> {
        let mut mood = self.0.borrow_mut();
        mood.failures.pop_front().map_or(Ok(()), Err)?;
        mood.committed.extend(records.iter().map(|record| record.id.clone()));
        Ok(())
    }
    fn reopen(&self) -> Result<(), StoreError> {
        self.0.borrow_mut().reopened += 1;
        Ok(())
    }
    fn tend(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

fn record(id: &str, severity: u8) -> Record {
    Record {
        id: id.to_owned(),
        kind: Kind::Alert,
        at: 0,
        severity,
        mechanism: String::new(),
        verdict: String::new(),
        client: String::new(),
        server: String::new(),
        headline: String::new(),
        explanation: String::new(),
        storm_key: String::new(),
        eve: String::new(),
    }
}

fn keeper(failures: impl IntoIterator<Item = StoreError>) -> (Keeper<Moody>, Moody) {
    let store = Moody::default();
    store.0.borrow_mut().failures.extend(failures);
    (Keeper::new(store.clone(), Arc::new(KeeperBoard::default())), store)
}

#[test]
fn what_is_complete_is_committed_first_and_is_pending_no_more() {
    let (mut keeper, store) = keeper([]);
    for keep in [Keep::Pending(record("a", 1)), Keep::Pending(record("b", 2)), Keep::Complete(record("a", 1))] {
        keeper.take(keep);
    }
    keeper.turn(Instant::now());
    assert_eq!((&store.0.borrow().committed[..], &store.0.borrow().pended[..]), (&["a".to_owned()][..], &["b".to_owned()][..]));
}

#[test]
fn a_locked_or_full_database_is_tried_again_after_longer_and_longer_pauses_and_nothing_is_lost() {
    let (mut keeper, store) = keeper([StoreError::Busy, StoreError::Full, StoreError::Busy]);
    keeper.take(Keep::Complete(record("a", 1)));
    let (start, mut tries) = (Instant::now(), Vec::new());
    for tenth in 0..20 {
        let before = store.0.borrow().failures.len();
        keeper.turn(start + Duration::from_millis(100) * tenth);
        if store.0.borrow().failures.len() < before {
            tries.push(tenth);
        }
    }
    assert_eq!(tries, [0, 1, 3]);
    assert_eq!((store.0.borrow().committed.len(), keeper.board.counters()[3].1), (1, 3));
}

#[test]
fn a_damaged_database_is_set_aside_at_once() {
    let (mut keeper, store) = keeper([StoreError::Corrupt("as the story wants it".to_owned())]);
    keeper.take(Keep::Complete(record("a", 1)));
    let now = Instant::now();
    keeper.turn(now);
    keeper.turn(now);
    assert_eq!((store.0.borrow().reopened, store.0.borrow().committed.len()), (1, 1));
}

#[test]
fn of_too_many_records_those_that_wake_nobody_are_given_up_first_and_counted() {
    let (mut keeper, _) = keeper([]);
    for number in 0..MOST_WAITING {
        keeper.take(Keep::Complete(record(&format!("{number}"), if number == 9 { 3 } else { 1 })));
    }
    keeper.take(Keep::Complete(record("more", 1)));
    keeper.take(Keep::Complete(record("and more", 1)));
    assert_eq!((keeper.complete.len(), keeper.board.counters()[2].1), (MOST_WAITING, 2));
    assert!(keeper.complete.iter().all(|record| record.severity == 1 && record.id != "0"));
}

#[test]
fn the_last_records_are_committed_when_nobody_sends_any_more() {
    let (keeper, store) = keeper([StoreError::Busy]);
    let (sender, inbox) = crossbeam_channel::unbounded();
    sender.send(Keep::Complete(record("a", 1))).unwrap();
    drop(sender);
    keeper.run(&inbox);
    assert_eq!(store.0.borrow().committed, ["a"]);
}
