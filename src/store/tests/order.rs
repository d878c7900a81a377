//! Whatever happens in between, each sink gets all that it wants, in order.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Deed {
    /// So many alerts of this severity, one of them pending before.
    Commit(u64, u8),
    /// Delivered by this sink, and noted.
    Deliver(usize),
    /// Delivered, and the daemon crashes before that is noted.
    Crash(usize),
    Fail(usize),
    GiveUp(usize),
    Reopen,
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => (1_u64..4, 1_u8..=3).prop_map(|(number, severity)| Deed::Commit(number, severity)),
        4 => (0_usize..2).prop_map(Deed::Deliver),
        1 => (0_usize..2).prop_map(Deed::Crash),
        2 => (0_usize..2).prop_map(Deed::Fail),
        1 => (0_usize..2).prop_map(Deed::GiveUp),
        1 => Just(Deed::Reopen),
    ];
    prop::collection::vec(deed, 1..40)
}

/// What the receivers got, and what they were to get.
#[derive(Default)]
struct Story {
    now: i64,
    last: u64,
    wanted: [Vec<String>; 2],
    got: [Vec<String>; 2],
    given_up: [Vec<String>; 2],
}

impl Story {
    fn does(&mut self, store: &mut Option<Store>, folder: &Path, sinks: &[SinkSettings; 2], deed: Deed) {
        self.now += 10;
        match deed {
            Deed::Commit(number, severity) => {
                let records: Vec<Record> = (1..=number).map(|next| Record { severity, ..alert(self.last + next) }).collect();
                self.last += number;
                let store = store.as_ref().unwrap();
                store.pend(&records[..1]).unwrap();
                store.commit(&records, sinks).unwrap();
                self.wanted[0].extend(records.iter().map(|record| record.id.clone()));
                self.wanted[1].extend(records.iter().filter(|record| record.severity == 1).map(|record| record.id.clone()));
            }
            Deed::Deliver(who) | Deed::Crash(who) | Deed::Fail(who) | Deed::GiveUp(who) => {
                let Some(next) = store.as_ref().unwrap().next(&sinks[who].name, self.now).unwrap() else { return };
                let failed = |retry| store.as_ref().unwrap().failed(next.row, "status 500", self.now, retry).unwrap();
                match deed {
                    Deed::Fail(_) => failed(Some(self.now + 25)),
                    Deed::GiveUp(_) => {
                        failed(None);
                        self.given_up[who].push(next.record.id);
                    }
                    _ => {
                        self.got[who].push(next.record.id);
                        if matches!(deed, Deed::Deliver(_)) {
                            store.as_ref().unwrap().delivered(next.row, self.now).unwrap();
                        }
                    }
                }
            }
            Deed::Reopen => {
                drop(store.take());
                *store = Some(Store::open(&settings(folder), sinks).unwrap());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn nothing_is_lost_and_the_line_is_kept(deeds in deeds()) {
        let folder = tempfile::tempdir().unwrap();
        let sinks = [sink("all"), SinkSettings { filter: Filter { severity: 1, ..Filter::default() }, ..sink("loud") }];
        let mut store = Some(Store::open(&settings(folder.path()), &sinks).unwrap());
        let mut story = Story::default();
        for deed in deeds {
            story.does(&mut store, folder.path(), &sinks, deed);
        }
        let store = store.unwrap();
        for (who, sink) in sinks.iter().enumerate() {
            store.retry_dead(&sink.name).unwrap();
            story.got[who].extend(deliver_all(&store, &sink.name));
            let mut first = Vec::new();
            for id in &story.got[who] {
                if !first.contains(id) {
                    first.push(id.clone());
                }
            }
            let mut sorted = first.clone();
            sorted.sort();
            prop_assert_eq!(&sorted, &story.wanted[who], "each one, and no other");
            first.retain(|id| !story.given_up[who].contains(id));
            prop_assert!(first.is_sorted(), "{:?}", first);
            let state = &store.sink_states().unwrap()[who];
            prop_assert_eq!((state.waiting, state.dead), (0, 0));
        }
    }
}
