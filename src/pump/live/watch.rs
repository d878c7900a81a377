//! A capture thread: frames of one socket through an engine of its own, turn by turn.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use super::board::{Board, Snapshot};
use super::numbers::Numbers;
use super::outbox::Outbox;
use super::shed::{Pressure, is_encrypted_bulk};
use super::{Message, Settings, Wall};
use crate::capture::{KernelCounters, LiveFrames};
use crate::engine::time::{Span, Timestamp};
use crate::engine::{Engine, Knowledge, ShardCounters, Shards};
use crate::pump::survive;

/// Frames of one turn: timers are looked at and observations handed on between two turns.
const TURN: usize = 512;
/// The clock was set back when it shows so much less than a turn before; turns are a tenth of a second apart.
const STEP: Span = Span::from_millis(1_000);
/// No frame is stamped so much later than it is, unless the clock was set back since.
const AHEAD: Span = Span::from_millis(2_000);
/// Counters of kernel and engine are read so often.
const READING: Span = Span::from_millis(1_000);
/// A word goes to the judging thread so often at least.
const WORD: Span = Span::from_millis(20);
/// Turns that read what is left when the thread is to end: 128 Ki frames.
const LAST_TURNS: usize = 256;

/// What a capture thread is told.
#[derive(Debug)]
pub enum Order {
    /// Go on with other knowledge.
    Exchange(Arc<Knowledge>),
    /// Read what is there, decide what is pending, and end.
    Stop,
}

/// How a capture thread ended.
#[derive(Debug)]
pub enum Ended<E> {
    /// It was told to.
    Told,
    /// Its source cannot go on.
    Source(E),
}

/// The thread's state.
#[derive(Debug)]
pub struct Watch<S, W> {
    source: S,
    wall: W,
    settings: Settings,
    engine: Engine,
    numbers: Numbers,
    outbox: Outbox,
    orders: Receiver<Order>,
    board: Arc<Board>,
    pressure: Pressure,
    shown: Snapshot,
    /// What flow state had counted that a panic or a step of the clock cost.
    lost: ShardCounters,
    kernel: KernelCounters,
    last_wall: Timestamp,
    last_reading: Timestamp,
    last_word: Timestamp,
}

impl<S: LiveFrames, W: Wall> Watch<S, W> {
    /// A thread that has seen nothing yet. `slot` is its own, and stands in the numbers of its frames; `began` is when the daemon did.
    pub fn new(
        (source, wall): (S, W),
        settings: Settings,
        (slot, began): (u8, Timestamp),
        (orders, sender): (Receiver<Order>, Sender<Message>),
        board: Arc<Board>,
    ) -> Self {
        let engine = Engine::new(settings.limits.clone(), Arc::clone(&settings.knowledge), settings.seed);
        Self {
            source,
            wall,
            engine,
            numbers: Numbers::new(slot, began),
            outbox: Outbox::new(sender, slot),
            orders,
            board,
            pressure: Pressure::default(),
            shown: Snapshot::default(),
            lost: ShardCounters::default(),
            kernel: KernelCounters::default(),
            settings,
            last_wall: Timestamp::MIN,
            last_reading: Timestamp::MIN,
            last_word: Timestamp::MIN,
        }
    }

    /// Turns until it is told to end, or the source cannot go on. What is pending then is decided on what was seen.
    pub fn run(mut self) -> Ended<S::Error> {
        let ended = loop {
            match self.orders.try_recv() {
                Ok(Order::Exchange(knowledge)) => {
                    self.attempt(|watch| watch.engine.exchange(&knowledge));
                    self.settings.knowledge = knowledge;
                }
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => break Ended::Told,
                Err(TryRecvError::Empty) => {}
            }
            let idle = match self.turn() {
                Ok(emptied) => emptied,
                Err(error) => break Ended::Source(error),
            };
            while self.board.is_frozen() {
                std::thread::park_timeout(self.settings.pace.wait);
            }
            if idle && let Err(error) = self.source.wait(self.settings.pace.wait) {
                break Ended::Source(error);
            }
        };
        if matches!(ended, Ended::Told) {
            for _ in 0..LAST_TURNS {
                if self.turn().unwrap_or(true) {
                    break;
                }
            }
        }
        self.attempt(|watch| watch.engine.finish());
        let observations = self.engine.poll_observations();
        self.outbox.send_last(observations, self.engine.now());
        self.outbox.end();
        self.show();
        ended
    }

    /// Reads what is there, up to the length of a turn; true when nothing is left.
    fn turn(&mut self) -> Result<bool, S::Error> {
        let wall = self.wall.now();
        self.mind_steps(wall);
        let emptied = match self.attempt(|watch| watch.read(wall)) {
            Some(emptied) => emptied?,
            None => false,
        };
        // While frames keep coming, their stamps are the time.
        let now = if emptied { wall - self.settings.pace.behind } else { self.engine.now() };
        self.attempt(|watch| watch.engine.handle_timeout(now));
        if wall - self.last_reading >= READING {
            self.last_reading = wall;
            self.read_counters(wall);
        }
        let observations = self.engine.poll_observations();
        if !observations.is_empty() || wall - self.last_word >= WORD {
            self.last_word = wall;
            self.outbox.send(observations, self.engine.now());
        }
        self.board.turned();
        Ok(emptied)
    }

    fn read(&mut self, wall: Timestamp) -> Result<bool, S::Error> {
        let latest = wall + AHEAD;
        let sheds = self.pressure.is_on();
        let mut first = None;
        for _ in 0..TURN {
            let Some(mut frame) = self.source.next_frame()? else { return Ok(true) };
            if frame.time > latest {
                frame.time = wall;
                self.shown.restamped += 1;
            }
            first = first.or(Some(frame.time));
            self.shown.last_frame = frame.time;
            self.shown.frames += 1;
            self.shown.bytes += u64::from(frame.wire_len);
            if sheds && is_encrypted_bulk(&frame) {
                self.shown.frames_shed += 1;
                continue;
            }
            frame.number = self.numbers.next(frame.time);
            self.engine.handle_frame(&frame);
        }
        if let Some(first) = first {
            self.pressure.full_read(wall, first);
        }
        Ok(false)
    }

    /// An engine's time never runs backwards: when the wall clock was set back, everything is decided and begun anew.
    fn mind_steps(&mut self, wall: Timestamp) {
        let was = std::mem::replace(&mut self.last_wall, wall);
        if was == Timestamp::MIN || was - wall < STEP {
            return;
        }
        self.shown.steps_back += 1;
        self.attempt(|watch| watch.engine.finish());
        let observations = self.engine.poll_observations();
        self.outbox.send_last(observations, self.engine.now());
        self.outbox.epoch += 1;
        self.lost = self.lost.plus(&self.engine.shards().counters());
        self.engine = Engine::new(self.settings.limits.clone(), Arc::clone(&self.settings.knowledge), self.settings.seed);
        (self.last_reading, self.last_word) = (Timestamp::MIN, Timestamp::MIN);
        // Frames in the ring that were stamped before are no beginning.
        self.engine.handle_timeout(wall - self.settings.pace.behind);
    }

    fn read_counters(&mut self, wall: Timestamp) {
        let kernel = self.source.kernel();
        let dropped = kernel.unseen().saturating_sub(self.kernel.unseen());
        if dropped > 0 {
            self.outbox.dropped(wall, dropped);
        }
        self.pressure.read(wall, dropped);
        self.kernel = kernel;
        self.show();
    }

    fn show(&mut self) {
        let shards = self.engine.shards();
        let (flows, cases, _) = shards.held();
        let shown = &mut self.shown;
        (shown.flows, shown.cases) = (flows as u64, cases as u64);
        shown.kernel = self.kernel;
        shown.shards = self.lost.plus(&shards.counters());
        shown.decoded = self.engine.decoder().counts();
        shown.pressed = self.pressure.is_on();
        (shown.facts_shed, shown.judged_lost) = (self.outbox.facts_shed, self.outbox.judged_lost);
        self.board.show(shown.clone());
    }

    /// Does `work`; if it panics, decides what can be decided and goes on with flows begun anew.
    fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let done = survive(|| work(self));
        if done.is_none() {
            self.shown.panics += 1;
            let fresh = Shards::new(&Arc::new(self.settings.limits.clone()), &self.settings.knowledge, self.settings.seed);
            let mut broken = self.engine.begin_anew(fresh);
            let (mut observations, now) = (self.engine.poll_observations(), self.engine.now());
            // Its second panic, if there is one, costs what was still undecided.
            survive(|| broken.finish(now, &mut observations));
            self.lost = self.lost.plus(&broken.counters());
            self.outbox.send(observations, now);
        }
        done
    }
}
