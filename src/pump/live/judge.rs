//! The thread that judges what all capture threads saw, in one order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::drops::Drops;
use super::merge::{Merge, Silence};
use super::numbers::slot_of;
use super::{Message, Told};
use crate::alert::Alert;
use crate::correlate::{CorrelateCounters, Correlator};
use crate::engine::limits::Limits;
use crate::engine::observation::Observation;
use crate::engine::time::Timestamp;
use crate::pump::{Renewal, survive};

/// How long it waits for a message at most.
const WAIT: Duration = Duration::from_millis(100);
/// Messages that are taken before what is ready is judged.
const AT_ONCE: usize = 256;

/// What the judging thread is told beside the messages.
#[derive(Debug)]
pub enum JudgeOrder {
    /// Go on by these.
    Exchange(Renewal),
    /// Take what is in the queue, decide what is pending, and end.
    Stop,
}

/// Shared between the judging thread and those who look after it.
#[derive(Debug, Default)]
pub struct JudgeBoard {
    turns: AtomicU64,
    snapshot: Mutex<JudgeSnapshot>,
}

/// What the judging thread counted.
#[derive(Clone, Debug, Default)]
pub struct JudgeSnapshot {
    /// What the correlating stage counted.
    pub correlate: CorrelateCounters,
    /// Observations that wait for slower threads.
    pub waiting: u64,
    /// Times at which slower threads were not waited for because too much waited.
    pub hurried: u64,
    /// Panics that were survived.
    pub panics: u64,
    /// Times at which everything was decided because the clock was set back.
    pub steps_back: u64,
    /// Interfaces of threads that say nothing.
    pub silent: Vec<String>,
}

impl JudgeBoard {
    /// How often the loop has turned.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// What was counted.
    #[must_use]
    pub fn snapshot(&self) -> JudgeSnapshot {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The judging thread's state. `tell` takes alerts, and may wait for those who keep them.
pub struct Judge<T> {
    correlator: Correlator,
    limits: Limits,
    in_force: Renewal,
    merge: Merge,
    drops: Drops,
    /// Interfaces by slot: of threads that ended as well, as alerts about their frames come later.
    interfaces: Vec<(u8, Arc<str>)>,
    board: Arc<JudgeBoard>,
    shown: JudgeSnapshot,
    /// What correlating stages had counted that are no more.
    lost: CorrelateCounters,
    tell: T,
}

impl<T: FnMut(Told)> Judge<T> {
    /// A thread that has judged nothing yet.
    pub fn new(limits: Limits, in_force: Renewal, board: Arc<JudgeBoard>, tell: T) -> Self {
        Self {
            correlator: correlator(&limits, &in_force),
            limits,
            in_force,
            merge: Merge::default(),
            drops: Drops::default(),
            interfaces: Vec::new(),
            board,
            shown: JudgeSnapshot::default(),
            lost: CorrelateCounters::default(),
            tell,
        }
    }

    /// Judges until it is told to stop.
    pub fn run(mut self, messages: &Receiver<Message>, orders: &Receiver<JudgeOrder>) {
        loop {
            match orders.try_recv() {
                Ok(JudgeOrder::Exchange(renewal)) => self.exchange(renewal),
                Ok(JudgeOrder::Stop) => break,
                Err(_) => {}
            }
            match messages.recv_timeout(WAIT) {
                Ok(message) => {
                    self.take(message, Instant::now());
                    for message in messages.try_iter().take(AT_ONCE) {
                        self.take(message, Instant::now());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.turn(Instant::now());
        }
        for message in messages.try_iter() {
            self.take(message, Instant::now());
        }
        self.turn(Instant::now());
        let (rest, now) = self.merge.rest();
        self.attempt(rest, now, true);
        self.show();
    }

    fn take(&mut self, message: Message, now: Instant) {
        match message {
            Message::Begins(slot, interface) => {
                self.interfaces.retain(|(taken, _)| *taken != slot);
                self.interfaces.push((slot, Arc::clone(&interface)));
                self.merge.begin(slot, interface, now);
            }
            Message::Saw(batch) => {
                if let (Some((at, dropped)), Some(interface)) = (batch.drops, self.interface(batch.slot)) {
                    self.drops.add(&interface, at, dropped);
                }
                self.merge.take(batch, now);
            }
            Message::Ended(slot) => self.merge.end(slot),
        }
    }

    fn turn(&mut self, now: Instant) {
        if self.merge.is_over(now) {
            let (rest, until) = self.merge.step(now);
            self.attempt(rest, until, true);
            self.begin_anew();
            self.shown.steps_back += 1;
        }
        if let Some((observations, until)) = self.merge.ready(now) {
            self.attempt(observations, until, false);
        }
        for Silence { interface, fell } in self.merge.silences(now) {
            self.shown.silent.retain(|name| **name != *interface);
            if fell {
                self.shown.silent.push(interface.to_string());
            }
        }
        self.show();
        self.board.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Judges; a panic costs what the stage remembered, and is counted.
    fn attempt(&mut self, observations: Vec<Observation>, now: Timestamp, last: bool) {
        let correlator = &mut self.correlator;
        let judged = survive(|| {
            let alerts = if last { correlator.finish(observations, now) } else { correlator.judge(observations, now) };
            (correlator.pending(), alerts)
        });
        let Some((pending, alerts)) = judged else {
            self.shown.panics += 1;
            return self.begin_anew();
        };
        for alert in if last { Vec::new() } else { pending } {
            self.tell(alert, true);
        }
        for alert in alerts {
            self.tell(alert, false);
        }
    }

    fn tell(&mut self, mut alert: Alert, pending: bool) {
        let interface = self.interface(slot_of(alert.forged.frame));
        if let Some(interface) = &interface {
            alert.sensor.kernel_drops = self.drops.between(interface, alert.flow.start, alert.closed_at);
        }
        (self.tell)(Told { alert, interface, pending });
    }

    /// Interface of a thread.
    fn interface(&self, slot: u8) -> Option<Arc<str>> {
        self.interfaces.iter().find(|(known, _)| *known == slot).map(|(_, interface)| Arc::clone(interface))
    }

    fn exchange(&mut self, renewal: Renewal) {
        self.correlator.exchange(Arc::clone(&renewal.policy));
        self.correlator.know(Arc::clone(&renewal.knowledge));
        self.in_force = renewal;
    }

    fn begin_anew(&mut self) {
        self.lost = self.lost.plus(self.correlator.counters());
        self.correlator = correlator(&self.limits, &self.in_force);
    }

    fn show(&mut self) {
        self.shown.correlate = self.lost.plus(self.correlator.counters());
        (self.shown.waiting, self.shown.hurried) = (self.merge.held() as u64, self.merge.hurried);
        self.board.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&self.shown);
    }
}

fn correlator(limits: &Limits, in_force: &Renewal) -> Correlator {
    Correlator::new(limits).with_policy(Arc::clone(&in_force.policy)).with_knowledge(Arc::clone(&in_force.knowledge)).with_pending()
}
