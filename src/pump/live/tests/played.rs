//! Captures as live sources: their frames come when the story's clock shows their time.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use super::super::{Board, Judge, JudgeBoard, JudgeOrder, Message, Order, Pace, Settings, Told, Wall, Watch};
use crate::alert::Alert;
use crate::capture::replay::{inputs, open};
use crate::capture::{FrameSource, KernelCounters, LiveFrames};
use crate::engine::frame::{Frame, LinkType};
use crate::engine::limits::Limits;
use crate::engine::time::{Span, Timestamp};
use crate::pump::live::headers::look;
use crate::pump::sources::Sources;
use crate::pump::{Audience, Renewal};

pub(super) const fn span(seconds: i64) -> Span {
    Span::from_secs(seconds)
}

/// A frame that outlives its file.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) time: Timestamp,
    link: LinkType,
    bytes: Arc<[u8]>,
    wire_len: u32,
}

impl Cut {
    pub(super) fn later(&self, span: Span) -> Self {
        Self { time: self.time + span, ..self.clone() }
    }

    fn frame(&self) -> Frame<'_> {
        Frame { number: 0, time: self.time, link: self.link, bytes: &self.bytes, wire_len: self.wire_len }
    }

    /// The thread that both directions of a pair of addresses come to.
    fn thread(&self, threads: usize) -> usize {
        if look(&self.frame()).is_none() {
            return 0;
        }
        let bytes = &self.bytes;
        let start =
            if self.link == LinkType::ETHERNET { bytes.windows(2).position(|two| two == [8, 0] || two == [0x86, 0xdd]) } else { None };
        let Some(ip) = start.filter(|start| *start < 26).and_then(|start| bytes.get(start + 2..)) else { return 0 };
        let addresses = if ip[0] >> 4 == 4 { &ip[12..20] } else { &ip[8..40] };
        let (one, other) = addresses.split_at(addresses.len() / 2);
        let sum = |half: &[u8]| half.iter().map(|byte| usize::from(*byte)).sum::<usize>();
        (sum(one) + sum(other)) % threads
    }
}

/// Every capture in a folder, with its frames.
pub(super) fn captures(folder: &Path) -> Vec<(PathBuf, Vec<Cut>)> {
    let paths = inputs(&[folder.to_path_buf()]).unwrap();
    paths.into_iter().map(|path| (path.clone(), frames(&path))).collect()
}

fn frames(path: &Path) -> Vec<Cut> {
    let (mut file, mut frames) = (open(path).unwrap(), Vec::new());
    while let Ok(Some(frame)) = file.next_frame() {
        frames.push(Cut { time: frame.time, link: frame.link, bytes: frame.bytes.into(), wire_len: frame.wire_len });
    }
    frames
}

fn in_force() -> Renewal {
    Sources { rules: Vec::new(), indicators: Vec::new(), knows_devices: true }.read().unwrap().in_force
}

struct Ear(Vec<(u64, u8)>);

impl<S> Audience<S> for Ear {
    fn alert(&mut self, alert: &Alert) {
        self.0.push((alert.id, alert.severity));
    }
    fn progress(&mut self, _: u64, _: &S) {}
    fn panicked(&mut self, frame: u64) {
        panic!("at frame {frame}");
    }
}

/// Ids and severities that replay tells, in order of the ids.
pub(super) fn replayed(path: &Path) -> Vec<(u64, u8)> {
    let Renewal { knowledge, policy } = in_force();
    let settings = crate::pump::Settings { limits: Limits::default(), knowledge, policy, seed: 7, workers: 1 };
    let mut ear = Ear(Vec::new());
    crate::pump::run(&mut open(path).unwrap(), &settings, &mut ear).1.ok();
    ear.0.sort_unstable();
    ear.0
}

/// A moment of the story: so many frames are there, and the clock shows the time of the latest.
type Moment = (usize, Timestamp);

/// The moments of some frames: few frames each, and none of which is later than the clock.
fn moments(frames: &[Cut], at_once: usize) -> Vec<Moment> {
    let (mut moments, mut next, mut clock) = (Vec::new(), 0, frames[0].time);
    while next < frames.len() {
        let end = (next + at_once).min(frames.len());
        let end = (next + 1..end).find(|at| clock - frames[*at].time > span(1)).unwrap_or(end);
        let latest = frames[next..end].iter().map(|cut| cut.time).max().unwrap();
        clock = if clock - latest > span(1) { latest } else { clock.max(latest) };
        moments.push((end, clock));
        next = end;
    }
    moments
}

/// The clock of one thread, which is in the story's moment when it is looked at.
#[derive(Clone, Debug)]
struct Clock {
    moments: Arc<[Moment]>,
    story: Arc<AtomicUsize>,
    mine: Arc<AtomicUsize>,
}

impl Clock {
    /// Frames that are there.
    fn frames(&self) -> usize {
        self.moments[self.mine.load(Ordering::SeqCst)].0
    }
}

impl Wall for Clock {
    fn now(&self) -> Timestamp {
        let moment = self.story.load(Ordering::SeqCst);
        self.mine.store(moment, Ordering::SeqCst);
        self.moments[moment].1
    }
}

struct Played {
    /// With their places in the story.
    frames: Vec<(usize, Cut)>,
    next: usize,
    clock: Clock,
    dropped: u64,
}

impl FrameSource for Played {
    type Error = Infallible;

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Infallible> {
        let there = self.clock.frames();
        let Some((_, cut)) = self.frames.get(self.next).filter(|(at, _)| *at < there) else { return Ok(None) };
        self.next += 1;
        Ok(Some(cut.frame()))
    }
}

impl LiveFrames for Played {
    fn wait(&mut self, _: Duration) -> Result<(), Infallible> {
        thread::yield_now();
        Ok(())
    }

    fn kernel(&mut self) -> KernelCounters {
        let dropped = if self.next > 0 { self.dropped } else { 0 };
        KernelCounters { received: self.next as u64 + dropped, dropped, dropped_by_interface: 0 }
    }
}

/// How frames are played.
pub(super) struct Play<'a> {
    pub(super) frames: &'a [Cut],
    pub(super) threads: usize,
    pub(super) queue: usize,
    /// Everybody is waited for at each moment.
    pub(super) stepwise: bool,
    /// Nobody judges before everything was read.
    pub(super) judge_late: bool,
    pub(super) dropped: u64,
}

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    pub(super) complete: Vec<(u64, u8)>,
    pub(super) pending: Vec<(u64, u8)>,
    pub(super) interfaces: Vec<Option<String>>,
    pub(super) drops: Vec<u64>,
    pub(super) steps_back: u64,
    pub(super) facts_shed: u64,
    pub(super) judged_lost: u64,
}

struct Thread {
    orders: Sender<Order>,
    board: Arc<Board>,
    handle: thread::JoinHandle<()>,
}

impl<'a> Play<'a> {
    pub(super) fn new(frames: &'a [Cut]) -> Self {
        Self { frames, threads: 1, queue: 64, stepwise: false, judge_late: false, dropped: 0 }
    }

    pub(super) fn run(&self) -> Alerts {
        let mut moments = moments(self.frames, if self.stepwise { 1 } else { 16 });
        if self.stepwise {
            let (frames, end) = moments[moments.len() - 1];
            moments.extend((1..=15).map(|second| (frames, end + span(second))));
        }
        let moments: Arc<[Moment]> = moments.into();
        let story = Arc::new(AtomicUsize::new(0));
        let clock = || Clock { moments: Arc::clone(&moments), story: Arc::clone(&story), mine: Arc::default() };
        let (sender, messages) = bounded(self.queue.max(self.threads));
        let renewal = in_force();
        let threads: Vec<Thread> = (0..self.threads).map(|slot| self.begin(slot, clock(), &renewal, &sender)).collect();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (stop, orders) = bounded(1);
        let may_judge = Arc::new(AtomicBool::new(!self.judge_late));
        let judged = Arc::new(JudgeBoard::default());
        let judge = {
            let (ear, may_judge) = (Arc::clone(&told), Arc::clone(&may_judge));
            let judge = Judge::new(Limits::default(), renewal, Arc::clone(&judged), move |told: Told| ear.lock().unwrap().push(told));
            thread::spawn(move || {
                while !may_judge.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                judge.run(&messages, &orders);
            })
        };
        for moment in 0..moments.len() {
            story.store(moment, Ordering::SeqCst);
            let is_step = moment > 0 && moments[moment].1 < moments[moment - 1].1;
            if is_step || moments.get(moment + 1).is_none_or(|(_, next)| *next < moments[moment].1) {
                settle(&threads);
            }
            if self.stepwise {
                let turns = judged.turns();
                settle(&threads);
                while judged.turns() < turns + 2 {
                    thread::yield_now();
                }
            }
        }
        may_judge.store(true, Ordering::SeqCst);
        let mut alerts = Alerts::default();
        for thread in threads {
            thread.orders.send(Order::Stop).unwrap();
            thread.handle.join().unwrap();
            let shown = thread.board.snapshot();
            alerts.steps_back += shown.steps_back;
            alerts.facts_shed += shown.facts_shed;
            alerts.judged_lost += shown.judged_lost;
            assert_eq!(shown.panics, 0);
        }
        stop.send(JudgeOrder::Stop).unwrap();
        judge.join().unwrap();
        for Told { alert, interface, pending } in told.lock().unwrap().drain(..) {
            let list = if pending { &mut alerts.pending } else { &mut alerts.complete };
            list.push((alert.id, alert.severity));
            alerts.interfaces.push(interface.map(|name| name.to_string()));
            alerts.drops.push(alert.sensor.kernel_drops);
        }
        alerts.complete.sort_unstable();
        alerts
    }

    fn begin(&self, slot: usize, clock: Clock, renewal: &Renewal, sender: &Sender<Message>) -> Thread {
        let is_mine = |(_, cut): &(usize, &Cut)| !self.is_plain() && slot == 0 || self.is_plain() && cut.thread(self.threads) == slot;
        let frames = self.frames.iter().enumerate().filter(is_mine).map(|(at, cut)| (at, cut.clone())).collect();
        let source = Played { frames, next: 0, clock: clock.clone(), dropped: self.dropped };
        let pace = Pace { wait: Duration::from_millis(1), behind: Span::ZERO };
        let settings = Settings { limits: Limits::default(), knowledge: Arc::clone(&renewal.knowledge), seed: 99, pace };
        let (orders, inbox) = bounded(4);
        let board = Arc::new(Board::default());
        sender.send(Message::Begins(slot as u8, format!("if{slot}").into())).unwrap();
        let watch = Watch::new((source, clock), settings, (slot as u8, self.frames[0].time), (inbox, sender.clone()), Arc::clone(&board));
        let handle = thread::spawn(move || {
            watch.run();
        });
        Thread { orders, board, handle }
    }

    /// No frame needs to be unpacked before its flow is known. Where one does, one thread takes them all, as capture does it.
    pub(super) fn is_plain(&self) -> bool {
        let is_local = |cut: &Cut| cut.bytes.get(12..14) == Some(&[8, 6]);
        self.frames.iter().all(|cut| is_local(cut) || look(&cut.frame()).is_some())
    }
}

/// Waits until every thread has turned twice: it has then seen everything that is there.
fn settle(threads: &[Thread]) {
    for thread in threads {
        let turns = thread.board.turns();
        while thread.board.turns() < turns + 2 {
            thread::yield_now();
        }
    }
}
