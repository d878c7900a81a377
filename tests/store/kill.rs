//! A process that is killed while it commits, and processes that read meanwhile.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::*;
use sidewatch::store::{Archive, Query};

/// Alerts that are committed in all.
const ALERTS: u64 = 1_000;
/// Records of one commit.
const GROUP: u64 = 4;
const CHILD: &str = "store::kill::the_child_commits_until_it_is_killed";

/// Commits groups, each pending before, and says what was acknowledged: `p` for pending, `c` for committed, then the first number of the group.
#[test]
fn the_child_commits_until_it_is_killed() {
    let (Some(folder), Ok(first)) = (std::env::var_os(FOLDER).map(PathBuf::from), std::env::var(FIRST)) else { return };
    let store = Store::open(&settings(&folder), &sinks()).unwrap();
    let mut number: u64 = first.parse().unwrap();
    while number < ALERTS {
        let records: Vec<Record> = (number..number + GROUP).map(alert).collect();
        store.pend(&records[..2]).unwrap();
        tell(&format!("p {number}"));
        store.commit(&records, &sinks()).unwrap();
        tell(&format!("c {number}"));
        number += GROUP;
    }
}

/// What the child acknowledged.
#[derive(Default)]
struct Acknowledged {
    pending: BTreeSet<u64>,
    committed: BTreeSet<u64>,
}

impl Acknowledged {
    fn note(&mut self, line: &str) -> bool {
        let Some((word, number)) = line.strip_prefix(MARK).and_then(|line| line.split_once(' ')) else { return false };
        let first: u64 = number.parse().unwrap();
        match word {
            "p" => self.pending.extend(first..first + 2),
            "c" => self.committed.extend(first..first + GROUP),
            _ => return false,
        }
        true
    }
}

#[test]
fn what_was_acknowledged_survives_every_kill_and_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let seed = u64::from(std::process::id());
    let mut chance = seed;
    let mut random = |below: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) % below
    };
    let (mut acknowledged, mut first, mut kills) = (Acknowledged::default(), 0, 0);
    let mut told: [Vec<String>; 2] = Default::default();
    while first < ALERTS {
        let (mut child, mut lines) = begin(again(CHILD, folder.path()).env(FIRST, first.to_string()));
        let stop_after = 5 + random(50);
        let mut noted = 0;
        while noted < stop_after {
            let Some(line) = lines.next() else { break };
            noted += u64::from(acknowledged.note(&line.unwrap()));
        }
        let pause = Duration::from_micros(random(3_000));
        std::thread::sleep(pause);
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines {
            acknowledged.note(&line.unwrap());
        }
        kills += 1;
        first = acknowledged.pending.last().map_or(0, |last| last - 1 + GROUP);
        if kills % 5 == 0 {
            let store = Store::open(&settings(folder.path()), &sinks()).unwrap();
            told[0].extend(deliver_all(&store, "all"));
        }
    }
    let store = Store::open(&settings(folder.path()), &sinks()).unwrap();
    told[0].extend(deliver_all(&store, "all"));
    told[1].extend(deliver_all(&store, "loud"));
    let wanted: BTreeSet<u64> = acknowledged.committed.union(&acknowledged.pending).copied().collect();
    for (ids, wants) in told.iter().zip([(|_| true) as fn(u64) -> bool, |number| number.is_multiple_of(3)]) {
        let once: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(once.len(), ids.len(), "something was told twice (seed {seed})");
        let lost: Vec<u64> = wanted.iter().copied().filter(|number| wants(*number) && !once.contains(&id(*number))).collect();
        assert!(lost.is_empty(), "{lost:?} were acknowledged and not told (seed {seed})");
        assert!(ids.is_sorted(), "out of order (seed {seed})");
    }
    let incomplete = acknowledged.pending.difference(&acknowledged.committed).count();
    say(&format!(
        "store: {kills} kills, {} committed and {incomplete} more pending ones acknowledged, {} told, none lost, none twice",
        acknowledged.committed.len(),
        told[0].len()
    ));
    assert!(kills >= 5 && wanted.len() > 900, "{kills} kills, {} alerts", wanted.len());
}

#[test]
fn two_processes_read_while_one_writes() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, lines) = begin(again(CHILD, folder.path()).env(FIRST, "0"));
    let mut acknowledged = Acknowledged::default();
    let (mut looked, mut beside) = (0, None);
    for line in lines {
        if !acknowledged.note(&line.unwrap()) || acknowledged.committed.is_empty() {
            continue;
        }
        let archive = Archive::open(folder.path()).unwrap();
        let mut seen = 0;
        archive
            .each(&Query::default(), |kept| {
                seen += u64::from(!kept.record.id.is_empty());
                true
            })
            .unwrap();
        assert!(seen >= acknowledged.committed.len() as u64, "a reader saw {seen} of {}", acknowledged.committed.len());
        let beside = beside.get_or_insert_with(|| Store::attach(&settings(folder.path()), &sinks()).unwrap());
        assert_eq!(beside.next("all", 0).unwrap().unwrap().record.id, id(0));
        looked += 1;
    }
    assert!(child.wait().unwrap().success() && looked > 100, "looked {looked} times");
    assert_eq!(acknowledged.committed.len() as u64, ALERTS);
    assert_eq!(deliver_all(&beside.unwrap(), "all").len() as u64, ALERTS);
}
