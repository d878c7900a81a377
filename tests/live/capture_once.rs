//! Each frame is given exactly once, whatever the number of threads, and what two hosts send each other is on one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use sidewatch::capture::LiveFrames;
use sidewatch::capture::live::{Live, Sharing};
use sidewatch::config::Capture;

use super::cable;
use super::wire::{Given, LAST, SHAPES, Shape, frame, read_while, send, settings, watch};
use crate::lab::namespaces::Namespace;

/// Frames of each direction.
const FRAMES: u32 = 10_500;
const PAIRS: u32 = 50;

/// Which pair of hosts a frame is of, and what it looks like. `BACK` marks the numbers of answers.
fn of(number: u32) -> (u8, Shape) {
    let number = number & !BACK;
    (u8::try_from(number / 7 % PAIRS).unwrap(), SHAPES[number as usize % SHAPES.len()])
}

const BACK: u32 = 1 << 31;

/// What goes to a server comes in at the watched end, and what comes back goes out there.
fn both_directions(home: &Namespace) {
    let made = |number: u32| {
        let (pair, shape) = of(number);
        frame(number, pair, number & BACK != 0, shape)
    };
    std::thread::scope(|scope| {
        scope.spawn(|| send(home, "swlab-a", (0..FRAMES).map(made)));
        scope.spawn(|| send(home, "swlab-b", (0..FRAMES).map(|number| made(number | BACK))));
    });
}

/// How often each number was given, by whichever socket.
fn times(given: &Given) -> BTreeMap<u32, usize> {
    let mut times = BTreeMap::new();
    given.iter().flatten().for_each(|(number, count)| *times.entry(*number).or_default() += count);
    times
}

#[test]
fn each_frame_is_given_once_with_one_thread_two_and_four() {
    for threads in [1, 2, 4] {
        let Some(home) = cable() else { return };
        let mut sockets = watch(&home, "swlab-b", &settings(threads)).unwrap();
        let sharing = if threads == 1 { Sharing::Alone } else { Sharing::ByAddresses };
        assert!(sockets.len() == usize::from(threads) && sockets.iter().all(|socket| socket.sharing() == sharing));
        let given = read_while(&mut sockets, 2 * FRAMES as usize, || both_directions(&home));
        let times = times(&given);
        let twice = times.values().filter(|count| **count > 1).count();
        let drops: u64 = sockets.iter_mut().map(|socket| socket.kernel().dropped).sum();
        assert_eq!((times.len(), twice, drops), (2 * FRAMES as usize, 0, 0), "with {threads} threads");
        assert!(given.iter().all(|numbers| numbers.len() > 1000), "{threads} threads share the work");

        let mut homes: BTreeMap<(u8, bool), BTreeSet<usize>> = BTreeMap::new();
        for (socket, number) in given.iter().enumerate().flat_map(|(socket, numbers)| numbers.keys().map(move |number| (socket, *number))) {
            let (pair, shape) = of(number);
            homes.entry((pair, matches!(shape, Shape::Udp6 | Shape::Fragment6))).or_default().insert(socket);
        }
        assert_eq!(homes.len(), 2 * PAIRS as usize);
        let torn: Vec<_> = homes.iter().filter(|(_, sockets)| sockets.len() > 1).collect();
        assert!(torn.is_empty(), "with {threads} threads these pairs are torn apart: {torn:?}");
    }
}

#[test]
fn frames_of_before_all_sockets_had_joined_are_left_out_and_counted() {
    const BATCH: u32 = 500;
    let Some(home) = cable() else { return };
    let (opened, sent) = (AtomicBool::new(false), AtomicU32::new(0));
    let batch = || {
        let from = sent.load(Ordering::Relaxed);
        send(&home, "swlab-a", (from..from + BATCH).map(|number| frame(number, 1, false, Shape::Udp4)));
        sent.store(from + BATCH, Ordering::Relaxed);
    };
    let mut sockets = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !opened.load(Ordering::Relaxed) {
                batch();
            }
            batch();
        });
        let sockets = watch(&home, "swlab-b", &settings(4)).unwrap();
        opened.store(true, Ordering::Relaxed);
        sockets
    });
    let given = read_while(&mut sockets, usize::MAX, || send(&home, "swlab-a", [frame(LAST, 1, false, Shape::Udp4)]));
    let early: u64 = sockets.iter().map(Live::early_frames).sum();
    let mut times = times(&given);
    assert_eq!(times.remove(&LAST), Some(1));
    let (first, sent) = (*times.keys().next().unwrap(), sent.load(Ordering::Relaxed));
    assert!(early > 0 && first > 0, "the first given was {first}, {early} were left out");
    assert!(times.values().all(|count| *count == 1));
    assert_eq!(times.len(), (sent - first) as usize, "none is missing of {first} to {sent}");
}

#[test]
fn a_ring_that_nobody_reads_loses_frames_and_the_counters_say_so() {
    let Some(home) = cable() else { return };
    let small = Capture { ring: 512 << 10, ..settings(1) };
    let mut sockets = watch(&home, "swlab-b", &small).unwrap();
    assert_eq!(sockets[0].kernel().dropped, 0);
    send(&home, "swlab-a", (0..20_000).map(|number| frame(number, 1, false, Shape::Udp4)));
    let stalled = sockets[0].kernel();
    assert!(stalled.dropped > 0 && stalled.received >= 20_000, "{stalled:?}");
    let given = read_while(&mut sockets, (20_000 - stalled.dropped) as usize, || {});
    let after = sockets[0].kernel();
    assert_eq!(after.dropped, stalled.dropped, "it recovers as soon as it is read");
    let lost = 20_000 - given[0].len() as u64;
    assert!((lost..lost + 40).contains(&after.dropped), "{lost} of ours are missing, {after:?}: a new link has few messages of its own");
}
