//! The road between the router's two links, in user space: hops, a delay, and faults that are the same in each run.

use crate::lab::fence::{Fenced, open};
use crate::lab::line::{DELAY, HOPS};
use crate::lab::namespaces::Namespace;
use crate::support::host::scramble;
use pnet::packet::MutablePacket;
use pnet::packet::ipv4::{self, MutableIpv4Packet};
use pnet::packet::tcp::{self, MutableTcpPacket};
use pnet::packet::udp::{self, MutableUdpPacket};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// Frames that one direction of a span carries at most.
const MOST_FRAMES: u32 = 2_000_000;

const ETHERNET: usize = 14;

/// What a road does to frames beside carrying them, of a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) lost: u64,
    pub(crate) twice: u64,
    /// Overtaken by those behind.
    pub(crate) late: u64,
}

/// What a span has done.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    pub(crate) frames: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) twice: AtomicU64,
    pub(crate) late: AtomicU64,
}

/// A span at work; it ends with the handle.
pub(crate) struct Span {
    faults: Arc<Mutex<Faults>>,
    pub(crate) carried: Arc<Carried>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Span {
    /// Carries IPv4 frames from `near` that are sent to `far`'s Ethernet address, and the other way; both are interfaces of `home`.
    pub(crate) fn start(home: &Namespace, (near, near_mac): (&str, [u8; 6]), (far, far_mac): (&str, [u8; 6])) -> io::Result<Self> {
        let (to_near, from_near) = open(home, near)?;
        let (to_far, from_far) = open(home, far)?;
        let (faults, carried, stop) = (Arc::<Mutex<Faults>>::default(), Arc::<Carried>::default(), Arc::new(AtomicBool::new(false)));
        let mut threads = Vec::new();
        for (mut receiver, sender, to) in [(from_near, to_far, far_mac), (from_far, to_near, near_mac)] {
            let (queue, incoming) = channel();
            let told = stop.clone();
            threads.push(spawn(move || {
                while !told.load(Ordering::Relaxed) {
                    let Ok(frame) = receiver.next() else { continue };
                    // What others send in this direction at this end has come out of the road, or is forged beside it.
                    if frame.starts_with(&to) && queue.send((Instant::now(), frame.to_vec())).is_err() {
                        return;
                    }
                }
            }));
            let mut lane = Lane {
                sender: sender.for_so_many(MOST_FRAMES),
                faults: faults.clone(),
                carried: carried.clone(),
                queue: BinaryHeap::new(),
                count: u64::from(to[5]) << 40,
            };
            threads.push(spawn(move || lane.run(&incoming)));
        }
        Ok(Self { faults, carried, stop, threads })
    }

    /// Faults from now on.
    pub(crate) fn suffer(&self, faults: Faults) {
        *self.faults.lock().unwrap() = faults;
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// One direction.
struct Lane {
    sender: Fenced,
    faults: Arc<Mutex<Faults>>,
    carried: Arc<Carried>,
    queue: BinaryHeap<Reverse<(Instant, u64, Vec<u8>)>>,
    count: u64,
}

impl Lane {
    fn run(&mut self, incoming: &Receiver<(Instant, Vec<u8>)>) {
        loop {
            let wait = self.queue.peek().map_or(Duration::from_secs(1), |next| next.0.0.saturating_duration_since(Instant::now()));
            match incoming.recv_timeout(wait) {
                Ok((at, frame)) => self.take(at, frame),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            while self.queue.peek().is_some_and(|next| next.0.0 <= Instant::now()) {
                let Some(Reverse((_, _, frame))) = self.queue.pop() else { return };
                self.carried.frames.fetch_add(1, Ordering::Relaxed);
                self.sender.send_frame(&frame).ok();
            }
        }
    }

    fn take(&mut self, at: Instant, mut frame: Vec<u8>) {
        if age(&mut frame).is_none() {
            return;
        }
        self.count += 1;
        let (chance, faults) = (scramble(self.count) % 1000, *self.faults.lock().unwrap());
        let mut due = at + DELAY;
        if chance < faults.lost {
            self.carried.lost.fetch_add(1, Ordering::Relaxed);
            return;
        } else if chance < faults.lost + faults.twice {
            self.carried.twice.fetch_add(1, Ordering::Relaxed);
            self.queue.push(Reverse((due + Duration::from_micros(300), self.count, frame.clone())));
        } else if chance < faults.lost + faults.twice + faults.late {
            self.carried.late.fetch_add(1, Ordering::Relaxed);
            due += Duration::from_millis(8);
        }
        self.queue.push(Reverse((due, self.count, frame)));
    }
}

/// Takes the road's hops from a datagram, and fills in the checksums that the kernel left to the card. Anything but TCP and UDP over IPv4 is none.
fn age(frame: &mut [u8]) -> Option<()> {
    if frame.get(12..ETHERNET)? != [8, 0] {
        return None;
    }
    let mut ip = MutableIpv4Packet::new(&mut frame[ETHERNET..])?;
    let (src, dst) = (ip.get_source(), ip.get_destination());
    ip.set_ttl(ip.get_ttl().checked_sub(HOPS)?);
    ip.set_checksum(ipv4::checksum(&ip.to_immutable()));
    match ip.get_next_level_protocol().0 {
        6 => {
            let mut segment = MutableTcpPacket::new(ip.payload_mut())?;
            segment.set_checksum(tcp::ipv4_checksum(&segment.to_immutable(), &src, &dst));
        }
        17 => {
            let mut datagram = MutableUdpPacket::new(ip.payload_mut())?;
            datagram.set_checksum(udp::ipv4_checksum(&datagram.to_immutable(), &src, &dst));
        }
        _ => return None,
    }
    Some(())
}
