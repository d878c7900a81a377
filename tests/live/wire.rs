//! Numbered frames: made, sent at either end of a cable, and recognised when a socket gives them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sidewatch::capture::live::{Live, LiveError, open};
use sidewatch::capture::{FrameSource, LiveFrames};
use sidewatch::config::Capture;

use crate::lab::fence;
use crate::lab::namespaces::Namespace;

/// What every frame of ours ends with, before its number.
const MARK: &[u8; 8] = b"numbered";

/// A number after which no other is waited for.
pub(super) const LAST: u32 = u32::MAX;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How an interface is watched, unless a test wants it otherwise.
pub(super) fn settings(threads: u16) -> Capture {
    Capture { interfaces: Vec::new(), threads, snap_length: 65_535, ring: 8 << 20, promiscuous: true, filter: None }
}

/// Opens an interface of the namespace.
pub(super) fn watch(home: &Namespace, interface: &str, settings: &Capture) -> Result<Vec<Live>, LiveError> {
    home.within(|| open(interface, settings))
}

/// What is in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    Udp4,
    Udp6,
    /// A fragment that is not the first: no ports in it.
    Fragment4,
    Fragment6,
    Tagged,
    TwiceTagged,
    Session,
}

pub(super) const SHAPES: [Shape; 7] =
    [Shape::Udp4, Shape::Udp6, Shape::Fragment4, Shape::Fragment6, Shape::Tagged, Shape::TwiceTagged, Shape::Session];

/// A frame between client `pair` and the server, or back.
pub(super) fn frame(number: u32, pair: u8, back: bool, shape: Shape) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1 + u8::from(back), 2, 0, 0, 0, 0, 2 - u8::from(back)];
    let payload = [&MARK[..], &number.to_be_bytes()].concat();
    match shape {
        Shape::Udp4 | Shape::Fragment4 => frame.extend([0x08, 0x00]),
        Shape::Udp6 | Shape::Fragment6 => frame.extend([0x86, 0xdd]),
        Shape::Tagged => frame.extend([0x81, 0x00, 0x00, 0x05, 0x08, 0x00]),
        Shape::TwiceTagged => frame.extend([0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x05, 0x08, 0x00]),
        Shape::Session => frame.extend([0x88, 0x64, 0x11, 0x00, 0x00, 0x01, 0x00, 42, 0x00, 0x21]),
    }
    match shape {
        Shape::Udp6 => frame.extend(v6(pair, back, 17, &udp(number, back, &payload))),
        Shape::Fragment6 => frame.extend(v6(pair, back, 44, &[&[17, 0, 0x05, 0x00, 0, 0, 0, 9], &payload[..]].concat())),
        Shape::Fragment4 => frame.extend(v4(pair, back, [0x00, 0x40], &payload)),
        _ => frame.extend(v4(pair, back, [0x00, 0x00], &udp(number, back, &payload))),
    }
    frame
}

/// Ports are another pair for each number, so that what goes by ports would spread one pair of hosts.
fn udp(number: u32, back: bool, payload: &[u8]) -> Vec<u8> {
    let (client, server) = (10_000 + u16::try_from(number % 20_000).unwrap(), 53_u16);
    let (from, to) = if back { (server, client) } else { (client, server) };
    let length = u16::try_from(8 + payload.len()).unwrap();
    [&from.to_be_bytes()[..], &to.to_be_bytes(), &length.to_be_bytes(), &[0, 0], payload].concat()
}

fn v4(pair: u8, back: bool, fragment: [u8; 2], rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + rest.len()).unwrap().to_be_bytes();
    let (client, server) = ([192, 0, 2, pair], [203, 0, 113, 80]);
    let (from, to) = if back { (server, client) } else { (client, server) };
    [&[0x45, 0], &length[..], &[0, 1], &fragment, &[64, 17, 0, 0], &from, &to, rest].concat()
}

fn v6(pair: u8, back: bool, protocol: u8, rest: &[u8]) -> Vec<u8> {
    let address = |host: u8| [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host];
    let (from, to) = if back { (address(255), address(pair)) } else { (address(pair), address(255)) };
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [&[0x60, 0, 0, 0], &length[..], &[protocol, 64], &from, &to, rest].concat()
}

/// The number of a frame of ours.
pub(super) fn number(bytes: &[u8]) -> Option<u32> {
    let (rest, number) = bytes.split_last_chunk::<4>()?;
    rest.ends_with(MARK).then(|| u32::from_be_bytes(*number))
}

/// Sends frames at one end of the cable, as many as one fence lets through.
pub(super) fn send(home: &Namespace, interface: &str, frames: impl IntoIterator<Item = Vec<u8>>) {
    let (mut sender, _) = fence::open(home, interface).unwrap();
    frames.into_iter().for_each(|frame| sender.send_frame(&frame).unwrap());
}

/// The numbers that each socket gave, with how often.
pub(super) type Given = Vec<BTreeMap<u32, usize>>;

/// Reads all sockets, each on a thread of its own as the daemon does, while `work` is done and until `wanted` numbers or `LAST` came or patience is at its
/// end; then a little longer, for what should not come.
pub(super) fn read_while(sockets: &mut [Live], wanted: usize, work: impl FnOnce()) -> Given {
    let came = Mutex::new(BTreeSet::new());
    let deadline = Instant::now() + PATIENCE;
    std::thread::scope(|scope| {
        let readers: Vec<_> = sockets.iter_mut().map(|socket| scope.spawn(|| read(socket, &came, wanted, deadline))).collect();
        work();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    })
}

fn read(socket: &mut Live, came: &Mutex<BTreeSet<u32>>, wanted: usize, deadline: Instant) -> BTreeMap<u32, usize> {
    const LONGER: Duration = Duration::from_millis(100);
    let (mut given, mut end) = (BTreeMap::new(), deadline);
    while Instant::now() < end {
        let mut fresh = Vec::new();
        while let Some(frame) = socket.next_frame().unwrap() {
            fresh.extend(number(frame.bytes));
        }
        assert!(socket.is_waiting());
        for number in &fresh {
            *given.entry(*number).or_default() += 1;
        }
        let mut came = came.lock().unwrap();
        came.extend(fresh);
        if came.len() >= wanted || came.contains(&LAST) {
            end = end.min(Instant::now() + LONGER);
        }
        drop(came);
        socket.wait(Duration::from_millis(20)).unwrap();
    }
    given
}
