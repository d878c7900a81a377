//! Stories of live capture, played from captures over a clock that the story sets.

mod played;

use std::path::{Path, PathBuf};

use played::{Alerts, Play, captures, replayed, span};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps")
}

fn same_as_replay(threads: usize) {
    let captures = captures(&folder());
    assert!(captures.len() > 100, "{} captures", captures.len());
    let (mut alerts, mut split, mut others) = (0, 0, Vec::new());
    for (path, frames) in &captures {
        let expected = replayed(path);
        let play = Play { threads, ..Play::new(frames) };
        split += usize::from(play.is_plain());
        let told = play.run();
        if told.complete != expected {
            others.push(format!("{}: {:?} in place of {expected:?}", path.display(), told.complete));
        }
        alerts += expected.len();
    }
    assert!(others.is_empty(), "on {threads} threads\n{}", others.join("\n"));
    assert!(alerts > 100 && split > 50, "{alerts} alerts, {split} captures that were split");
}

#[test]
fn one_thread_tells_what_replay_tells() {
    same_as_replay(1);
}

#[test]
fn two_threads_tell_what_replay_tells() {
    same_as_replay(2);
}

#[test]
fn four_threads_tell_what_replay_tells() {
    same_as_replay(4);
}

#[test]
fn each_alert_names_the_interface_that_its_frame_came_from() {
    let frames = captures(&folder().join("chain-whole-story"));
    let told = Play { threads: 4, ..Play::new(&frames[0].1) }.run();
    assert!(!told.interfaces.is_empty());
    assert!(told.interfaces.iter().all(|name| name.as_deref().is_some_and(|name| name.starts_with("if"))), "{:?}", told.interfaces);
}

#[test]
fn what_waits_for_the_client_is_told_as_pending_first_and_under_the_same_id() {
    let frames = captures(&folder().join("chain-whole-story"));
    let Alerts { pending, complete, .. } = Play { stepwise: true, ..Play::new(&frames[0].1) }.run();
    assert!(!pending.is_empty());
    assert!(pending.iter().all(|(id, _)| complete.iter().any(|(told, _)| told == id)), "{pending:?} {complete:?}");
}

/// A capture that is played again after the clock was moved by so much.
fn played_twice(step: i64) -> (Alerts, usize) {
    let frames = captures(&folder().join("chain-whole-story")).remove(0).1;
    let once = Play::new(&frames).run().complete.len();
    let last = frames.last().unwrap().time;
    let shift = last + span(step) - frames[0].time;
    let again = frames.iter().map(|cut| cut.later(shift));
    let both: Vec<_> = frames.iter().cloned().chain(again).collect();
    (Play { threads: 2, ..Play::new(&both) }.run(), once)
}

#[test]
fn after_the_clock_was_set_back_by_a_day_what_comes_is_judged_as_before() {
    let (told, once) = played_twice(-86_400);
    assert_eq!(told.complete.len(), 2 * once, "{:?}", told.complete);
    assert_eq!(told.steps_back, 2, "each thread saw it");
}

#[test]
fn after_the_clock_was_set_ahead_by_a_day_what_comes_is_judged_as_before() {
    let (told, once) = played_twice(86_400);
    assert_eq!((told.complete.len(), told.steps_back), (2 * once, 0));
}

#[test]
fn a_queue_that_nobody_empties_costs_facts_and_no_judged_case() {
    let frames = captures(&folder().join("chain-whole-story")).remove(0).1;
    let expected = Play::new(&frames).run().complete.len();
    let told = Play { queue: 1, judge_late: true, ..Play::new(&frames) }.run();
    assert_eq!(told.complete.len(), expected);
    assert!(told.facts_shed > 0 && told.judged_lost == 0, "{} {}", told.facts_shed, told.judged_lost);
}

#[test]
fn drops_of_the_kernel_stand_in_the_alerts_of_flows_that_lived_then() {
    let frames = captures(&folder().join("chain-whole-story")).remove(0).1;
    let told = Play { dropped: 9, ..Play::new(&frames) }.run();
    assert!(told.drops.iter().any(|drops| *drops > 0), "{:?}", told.drops);
}
