//! What a capture thread shows of itself while it runs: that it turns, and what it counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::capture::KernelCounters;
use crate::engine::ShardCounters;
use crate::engine::time::Timestamp;

/// Shared between a capture thread and those who look after it.
#[derive(Debug, Default)]
pub struct Board {
    turns: AtomicU64,
    frozen: AtomicBool,
    snapshot: Mutex<Snapshot>,
}

/// What a capture thread counted since it began; a second old at most.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Frames read.
    pub frames: u64,
    /// Bytes of them on the wire.
    pub bytes: u64,
    /// What the kernel counted.
    pub kernel: KernelCounters,
    /// Flows held.
    pub flows: u64,
    /// Cases open.
    pub cases: u64,
    /// What the flow state counted.
    pub shards: ShardCounters,
    /// Frames by what became of them.
    pub decoded: BTreeMap<String, u64>,
    /// Stamp of the last frame; the epoch when there was none.
    pub last_frame: Timestamp,
    /// Frames of encrypted bulk that were passed over because the ring was full.
    pub frames_shed: u64,
    /// The ring is full, or was a moment ago.
    pub pressed: bool,
    /// Facts that did not fit into the queue to the judging thread.
    pub facts_shed: u64,
    /// Judged cases and messages of the local network that did not fit for so long that they were given up.
    pub judged_lost: u64,
    /// Frames stamped later than it is, after the clock was set back.
    pub restamped: u64,
    /// Times the wall clock was set back.
    pub steps_back: u64,
    /// Panics that were survived.
    pub panics: u64,
}

impl Snapshot {
    /// Those of two threads of one interface, added up.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.kernel = self.kernel.plus(other.kernel);
        self.flows += other.flows;
        self.cases += other.cases;
        self.shards = self.shards.plus(&other.shards);
        for (name, count) in &other.decoded {
            *self.decoded.entry(name.clone()).or_default() += count;
        }
        self.last_frame = self.last_frame.max(other.last_frame);
        self.frames_shed += other.frames_shed;
        self.pressed |= other.pressed;
        self.facts_shed += other.facts_shed;
        self.judged_lost += other.judged_lost;
        self.restamped += other.restamped;
        self.steps_back += other.steps_back;
        self.panics += other.panics;
        self
    }
}

impl Board {
    /// How often the loop has turned.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    pub(super) fn turned(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// Stops the loop, as a fault would; for tests of what notices that.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Relaxed)
    }

    /// What was counted.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn show(&self, snapshot: Snapshot) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }
}
