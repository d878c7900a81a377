//! The capture threads: begun when their interface is there, ended when it is gone, and begun again.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};

use super::wall::SystemWall;
use crate::capture::live::{Live, LiveError, matching, open};
use crate::config::Capture;
use crate::engine::Knowledge;
use crate::engine::limits::Limits;
use crate::engine::time::Timestamp;
use crate::pump::live::{Board, Ended, Message, Order, Pace, SLOTS, Settings, Wall, Watch};

/// Orders that may wait for a capture thread: it looks at them a tenth of a second apart.
const MOST_ORDERS: usize = 16;
/// How long it takes a thread at most to read what is left and say its last word.
const STOPS_WITHIN: Duration = Duration::from_millis(1_200);

/// All that is watched.
pub(super) struct Sensor {
    capture: Capture,
    /// Threads that memory was shared out between.
    planned: usize,
    settings: Settings,
    began: Timestamp,
    messages: Sender<Message>,
    watched: BTreeMap<String, Watched>,
    /// Why an interface is not watched, as it was told.
    refused: BTreeMap<String, String>,
    /// Whether it was told that there is none at all.
    waits: bool,
    names: u32,
}

/// An interface.
struct Watched {
    /// The slots of its threads, which are its own also while it is away.
    slots: Vec<u8>,
    threads: Vec<Thread>,
}

struct Thread {
    orders: Sender<Order>,
    board: Arc<Board>,
    handle: JoinHandle<Ended<LiveError>>,
}

impl Sensor {
    /// For the interfaces that are there, between whose threads `memory` (bytes) is shared out.
    pub(super) fn new(capture: Capture, memory: u64, knowledge: &Arc<Knowledge>, messages: Sender<Message>) -> Self {
        let planned = matching(&capture.interfaces).len().max(1) * usize::from(capture.threads.max(1));
        let settings = Settings {
            limits: Limits::within(memory / planned as u64),
            knowledge: Arc::clone(knowledge),
            seed: RandomState::new().hash_one(0),
            pace: Pace::default(),
        };
        Self {
            capture,
            planned,
            settings,
            began: SystemWall.now(),
            messages,
            watched: BTreeMap::new(),
            refused: BTreeMap::new(),
            waits: false,
            names: 0,
        }
    }

    /// Opens everything that is there before any thread begins, so that none takes a frame before every socket has joined.
    ///
    /// # Errors
    /// Of what does not pass by itself.
    pub(super) fn begin(&mut self) -> Result<(), LiveError> {
        let mut opened = Vec::new();
        for name in matching(&self.capture.interfaces) {
            match open(&name, &self.capture) {
                Ok(sockets) => opened.push((name, sockets)),
                Err(error) if error.may_pass() => self.refuse(&name, &error),
                Err(error) => return Err(error),
            }
        }
        let now = SystemWall.now();
        for (name, mut sockets) in opened {
            for socket in &mut sockets {
                socket.begin(now);
            }
            self.watch(name, sockets);
        }
        self.tell_if_nothing_is_there();
        Ok(())
    }

    /// Takes up what came, and lets go of what went; once a second.
    pub(super) fn look(&mut self) {
        self.bury();
        for name in matching(&self.capture.interfaces) {
            if self.watched.get(&name).is_some_and(|watched| !watched.threads.is_empty()) {
                continue;
            }
            match open(&name, &self.capture) {
                Ok(sockets) => self.watch(name, sockets),
                Err(error) => self.refuse(&name, &error),
            }
        }
        self.tell_if_nothing_is_there();
    }

    /// Threads that ended by themselves; those of an interface end together.
    fn bury(&mut self) {
        for (name, watched) in &mut self.watched {
            if !watched.threads.iter().any(|thread| thread.handle.is_finished()) {
                continue;
            }
            let threads = std::mem::take(&mut watched.threads);
            for thread in &threads {
                // One that is gone needs no order.
                let _ = thread.orders.try_send(Order::Stop);
            }
            let deadline = Instant::now() + STOPS_WITHIN;
            for thread in threads {
                match thread.end(deadline) {
                    Some(Ok(Ended::Source(error))) => tracing::warn!(interface = name, "{name} is watched no more: {error}"),
                    Some(Ok(Ended::Told)) => {}
                    Some(Err(_)) => tracing::error!(interface = name, "a capture thread of {name} broke; it is begun anew"),
                    None => tracing::error!(interface = name, "a capture thread of {name} does not end; it is left behind"),
                }
            }
        }
    }

    fn watch(&mut self, name: String, sockets: Vec<Live>) {
        let mut slots = self.watched.remove(&name).map(|watched| watched.slots).unwrap_or_default();
        while slots.len() < sockets.len()
            && let Some(slot) = self.free_slot(&slots)
        {
            slots.push(slot);
        }
        let threads: Vec<Thread> =
            slots.iter().copied().zip(sockets).filter_map(|(slot, socket)| self.begin_thread(&name, slot, socket)).collect();
        self.refused.remove(&name);
        self.waits = false;
        tracing::info!(interface = name, threads = threads.len(), "{name} is watched by {} threads", threads.len());
        self.watched.insert(name, Watched { slots, threads });
        let (running, planned) = (self.threads().count(), self.planned);
        if running > planned {
            tracing::warn!(
                "{running} capture threads run, and memory was shared out between {planned}: restart sidewatch to keep within `memory`"
            );
        }
    }

    /// One that nobody has, or else that of an interface that is away.
    fn free_slot(&mut self, taken: &[u8]) -> Option<u8> {
        let is_used = |slot: &u8| taken.contains(slot) || self.watched.values().any(|watched| watched.slots.contains(slot));
        if let Some(free) = (0..SLOTS).filter_map(|slot| u8::try_from(slot).ok()).find(|slot| !is_used(slot)) {
            return Some(free);
        }
        let away = self.watched.iter().find(|(_, watched)| watched.threads.is_empty()).map(|(name, _)| name.clone())?;
        self.watched.remove(&away)?.slots.pop()
    }

    fn begin_thread(&mut self, interface: &str, slot: u8, socket: Live) -> Option<Thread> {
        self.names = self.names.wrapping_add(1);
        let (orders, inbox) = bounded(MOST_ORDERS);
        let board = Arc::new(Board::default());
        // Its place in the order is taken before it begins. The queue is emptied all the time.
        self.messages.send(Message::Begins(slot, interface.into())).ok()?;
        let watch =
            Watch::new((socket, SystemWall), self.settings.clone(), (slot, self.began), (inbox, self.messages.clone()), Arc::clone(&board));
        let begun = thread::Builder::new().name(format!("capture-{slot}")).spawn(move || watch.run());
        match begun {
            Ok(handle) => Some(Thread { orders, board, handle }),
            Err(error) => {
                tracing::error!(interface, "no thread can be begun: {error}");
                None
            }
        }
    }

    fn refuse(&mut self, name: &str, error: &LiveError) {
        let words = error.to_string();
        if self.refused.get(name) != Some(&words) {
            tracing::warn!(interface = name, "{words}; it is tried again each second");
            self.refused.insert(name.to_owned(), words);
        }
    }

    fn tell_if_nothing_is_there(&mut self) {
        if !self.waits && self.is_idle() {
            self.waits = true;
            tracing::warn!(
                "nothing is watched: of {} no interface is there and up; it is looked for each second",
                self.capture.interfaces.join(", ")
            );
        }
    }

    /// Nothing is watched.
    pub(super) fn is_idle(&self) -> bool {
        self.watched.values().all(|watched| watched.threads.is_empty())
    }

    /// Goes on with other knowledge, on each thread and for those that begin later.
    pub(super) fn exchange(&mut self, knowledge: &Arc<Knowledge>) {
        self.settings.knowledge = Arc::clone(knowledge);
        for thread in self.threads() {
            if thread.orders.try_send(Order::Exchange(Arc::clone(knowledge))).is_err() {
                tracing::error!("a capture thread takes no orders: it goes on with what it knows");
            }
        }
    }

    fn threads(&self) -> impl Iterator<Item = &Thread> {
        self.watched.values().flat_map(|watched| &watched.threads)
    }

    /// The interface of each thread, and what it shows.
    pub(super) fn boards(&self) -> Vec<(String, Arc<Board>)> {
        let of = |(name, watched): (&String, &Watched)| {
            watched.threads.iter().map(|thread| (name.clone(), Arc::clone(&thread.board))).collect::<Vec<_>>()
        };
        self.watched.iter().flat_map(of).collect()
    }

    /// Ends all threads; each reads what is there first.
    pub(super) fn stop(mut self) {
        for thread in self.threads() {
            let _ = thread.orders.try_send(Order::Stop);
        }
        let deadline = Instant::now() + STOPS_WITHIN;
        for (name, watched) in std::mem::take(&mut self.watched) {
            for thread in watched.threads {
                if thread.end(deadline).is_none() {
                    tracing::error!(interface = name, "a capture thread of {name} does not end; what it had not told is lost");
                }
            }
        }
    }
}

impl Thread {
    /// How it ended; none when it has not by then.
    fn end(self, deadline: Instant) -> Option<thread::Result<Ended<LiveError>>> {
        while !self.handle.is_finished() {
            if Instant::now() >= deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(2));
        }
        Some(self.handle.join())
    }
}
