//! Nothing is lost: a stream of alerts, a receiver in bad moods, a daemon that is killed again and again, and a disk that is full for a while.

use super::daemon::{Daemon, Home, Kept, kept};
use super::disk::Disk;
use super::programs::{self, until};
use super::receiver::{Mood, Receiver};
use super::stream::{Injection, Stream, WATCHED, address, link, number};
use crate::lab::namespaces;
use crate::lab::say;
use crate::support::host::scramble;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// How often the daemon is killed.
const KILLS: usize = 50;

/// Every so many lives one is long enough for evidence to become complete in it.
const LONG_LIVES: usize = 6;

/// Alerts that must have been committed for the test to say something.
const ENOUGH: usize = 1000;

/// Injections that are told, and the time between two. Those of short lives are cut off before there is anything to commit.
const INJECTIONS: u16 = 3300;
const PACE: Duration = Duration::from_millis(24);

/// From the first frame of an injection to the forged one.
const FORGED_AFTER: Duration = Duration::from_millis(33);

/// From the forged packet to the judgement of its case. A redirect is complete two seconds later, and is committed as pending until then.
const EVIDENCE: Duration = Duration::from_secs(3);

/// What may pass between complete evidence and its commit.
const GRACE: Duration = Duration::from_secs(1);

/// The lives in which the disk is full.
const FULL: std::ops::Range<usize> = 22..31;

/// Size of the disk, MiB.
const DISK: u32 = 96;

/// What stands in while it is full: some ten kilobytes for each alert of these lives, and the journal.
const RESERVE: &str = "16 MiB";

/// One life of the daemon.
#[derive(Clone, Copy, Debug)]
struct Life {
    /// None if it was killed before it watched.
    ready: Option<SystemTime>,
    killed: SystemTime,
    full: bool,
}

/// What was seen of all lives.
#[derive(Default)]
struct Seen {
    lives: Vec<Life>,
    /// Ids that were found in the database after a kill, with client and the states that they were found in.
    committed: BTreeMap<String, (String, BTreeSet<String>)>,
    /// Clients that had been committed when a life ended.
    by_life: Vec<BTreeSet<String>>,
    ended_by_itself: Vec<String>,
}

#[test]
fn no_committed_alert_is_lost_or_told_under_two_ids() {
    if let Some(reason) = namespaces::missing().or_else(|| programs::missing(&[("unshare", "util-linux"), ("nsenter", "util-linux")])) {
        return say(&format!("gateway: nothing lost: skipped, {reason}\n"));
    }
    let (scratch, home) = (tempfile::tempdir().unwrap(), link().unwrap());
    let mut place = Home::make(scratch.path()).unwrap();
    let disk = Disk::lay(&home, &place.store, DISK).unwrap();
    place.mounts = Some(disk.mounts());
    let receiver = Receiver::start(&home, moody).unwrap();
    place.settle(WATCHED, &place.webhook(&receiver.url()), RESERVE).unwrap();

    let started = Instant::now();
    let mut seen = Seen::default();
    let mut daemon = place.start(&home).unwrap();
    daemon.wait_until_ready().unwrap();
    let stream = Stream::begin(&home, 0..INJECTIONS, PACE).unwrap();
    for life in 0..KILLS {
        if life == FULL.start {
            disk.fill().unwrap();
        } else if life == FULL.end {
            disk.empty().unwrap();
        }
        live(&mut daemon, life, &mut seen);
        note(&kept(&disk.inside(), scratch.path()).unwrap(), &mut seen);
        daemon = place.start(&home).unwrap();
    }
    receiver.change(|_| Mood::Takes);
    let lived = started.elapsed();
    let told = stream.end().unwrap();
    let last = settle(&mut daemon, &disk.inside(), scratch.path());
    note(&last, &mut seen);
    report(&seen, &receiver, &told, (lived, started.elapsed()));
    assert!(daemon.program.said().contains("the disk is full"), "the disk was never full");
    check(&seen, &last, &receiver, &told);
}

/// Lets the daemon live for a time that chance gives, and kills it.
fn live(daemon: &mut Daemon, life: usize, seen: &mut Seen) {
    let chance = scramble(0x11fe ^ life as u64) % 1000;
    let span = Duration::from_millis(if life % LONG_LIVES == LONG_LIVES - 1 { 6300 + chance * 2 } else { 10 + chance * 6 / 10 });
    let end = Instant::now() + span;
    while Instant::now() < end {
        daemon.ready();
        if let Some(status) = daemon.program.ended() {
            let said = daemon.program.said();
            seen.ended_by_itself.push(format!("life {life}: {status}: {}", said.lines().last().unwrap_or_default()));
            break;
        }
        sleep(Duration::from_millis(5));
    }
    let ready = daemon.ready();
    let killed = SystemTime::now();
    daemon.program.signal(rustix::process::Signal::KILL).ok();
    daemon.program.end_within(Duration::from_secs(5)).unwrap();
    seen.lives.push(Life { ready, killed, full: FULL.contains(&life) });
}

fn note(kept: &Kept, seen: &mut Seen) {
    for row in kept.rows.iter().filter(|row| row.kind == "alert") {
        let entry = seen.committed.entry(row.id.clone()).or_insert_with(|| (row.client.clone(), BTreeSet::new()));
        entry.1.insert(row.state.clone());
    }
    seen.by_life.push(kept.rows.iter().map(|row| row.client.clone()).collect());
}

/// Waits until nothing is pending and all is delivered.
fn settle(daemon: &mut Daemon, folder: &Path, scratch: &Path) -> Kept {
    daemon.wait_until_ready().unwrap();
    let is_settled = |kept: &Kept| kept.waiting == 0 && kept.rows.iter().all(|row| row.state != "pending");
    // What waits for its evidence, then what waits for the receiver.
    sleep(Duration::from_secs(6));
    let settled = until(Duration::from_secs(90), || {
        sleep(Duration::from_millis(200));
        kept(folder, scratch).ok().filter(is_settled)
    });
    let kept = settled.or_else(|| kept(folder, scratch).ok()).unwrap();
    assert!(is_settled(&kept), "{} rows wait: {}", kept.waiting, daemon.program.said());
    kept
}

/// The receiver's mood, by chance.
fn moody(request: u64) -> Mood {
    match scramble(0xbad ^ request) % 100 {
        0..10 => Mood::Fails,
        10..16 => Mood::Closes,
        16..19 => Mood::Busy,
        19..22 => Mood::Hangs(Duration::from_millis(1500)),
        22..25 => Mood::Refuses(Duration::from_millis(400)),
        25..30 => Mood::TakesMutely,
        _ => Mood::Takes,
    }
}

/// Whether evidence about it was complete, and a second had passed, before the life that saw all of it ended.
fn must_be_committed(injection: &Injection, life: &Life) -> bool {
    let complete = injection.began + FORGED_AFTER + EVIDENCE;
    life.ready.is_some_and(|ready| ready < injection.began) && complete + GRACE < life.killed
}

fn owed<'a>(seen: &'a Seen, told: &'a [Injection]) -> impl Iterator<Item = (usize, &'a Injection)> {
    let lives = seen.lives.iter().enumerate();
    lives.flat_map(move |(life, span)| told.iter().filter(move |injection| must_be_committed(injection, span)).map(move |one| (life, one)))
}

fn report(seen: &Seen, receiver: &Receiver, told: &[Injection], (lived, all): (Duration, Duration)) {
    let book = receiver.book.lock().unwrap();
    let taken = book.messages.iter().filter(|message| message.taken).count();
    let ids: BTreeSet<&String> = book.messages.iter().filter(|message| message.taken).map(|message| &message.id).collect();
    let once_pending = seen.committed.values().filter(|(_, states)| states.contains("pending") || states.contains("incomplete")).count();
    let mut text = String::new();
    writeln!(
        text,
        "nothing lost: {} injections told, {} alerts committed ({once_pending} of them pending when the daemon was killed)",
        told.len(),
        seen.committed.len()
    )
    .unwrap();
    writeln!(
        text,
        "  {} kills, {} of them before it watched, {} while the disk was full; it ended by itself {} times",
        seen.lives.len(),
        seen.lives.iter().filter(|life| life.ready.is_none()).count(),
        seen.lives.iter().filter(|life| life.full).count(),
        seen.ended_by_itself.len(),
    )
    .unwrap();
    writeln!(text, "  {} requests, {taken} taken, {} ids, {} told more than once", book.messages.len(), ids.len(), taken - ids.len())
        .unwrap();
    writeln!(
        text,
        "  {} had to be committed before a kill; {:.0} s of kills, {:.0} s in all",
        owed(seen, told).count(),
        lived.as_secs_f64(),
        all.as_secs_f64()
    )
    .unwrap();
    for why in &seen.ended_by_itself {
        writeln!(text, "  {why}").unwrap();
    }
    say(&text);
}

fn check(seen: &Seen, last: &Kept, receiver: &Receiver, told: &[Injection]) {
    receiver.must_be_signed();
    let taken = receiver.taken();
    let ids: BTreeSet<&str> = taken.iter().map(|message| message.id.as_str()).collect();
    let never_told: Vec<&String> = seen.committed.keys().filter(|id| !ids.contains(id.as_str())).collect();
    assert!(never_told.is_empty(), "{} of {} committed alerts never arrived: {never_told:?}", never_told.len(), seen.committed.len());

    let now: BTreeSet<&str> = last.rows.iter().map(|row| row.id.as_str()).collect();
    let gone: Vec<&String> = seen.committed.keys().filter(|id| !now.contains(id.as_str())).collect();
    assert!(gone.is_empty(), "were committed, and are no longer there: {gone:?}");
    assert_eq!(last.dead, 0, "given up");

    let mut by_client: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let of_rows = seen.committed.iter().map(|(id, (client, _))| (client.as_str(), id.as_str()));
    for (client, id) in
        of_rows.chain(taken.iter().filter_map(|message| Some((message.body["data"]["dest_ip"].as_str()?, message.id.as_str()))))
    {
        assert!(number(client).is_some(), "{client} is nobody's client");
        by_client.entry(client).or_default().insert(id);
    }
    let under_two: Vec<_> = by_client.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(under_two.is_empty(), "told under two ids: {under_two:?}");

    let missed: Vec<(usize, &Injection)> =
        owed(seen, told).filter(|(life, one)| !seen.by_life[*life].contains(&address(one.number))).collect();
    assert!(missed.is_empty(), "{} alerts were not committed a second after their evidence was complete: {missed:?}", missed.len());
    assert!(seen.committed.len() >= ENOUGH, "only {} alerts were committed", seen.committed.len());
}
