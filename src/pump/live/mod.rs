//! The pump of sources that have no end: one thread for each capture socket, and the one that judges what all of them saw.

mod board;
mod drops;
mod headers;
mod judge;
mod merge;
mod numbers;
mod outbox;
mod shed;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use crate::alert::Alert;
use crate::engine::Knowledge;
use crate::engine::limits::Limits;
use crate::engine::observation::Observation;
use crate::engine::time::{Span, Timestamp};

pub use board::{Board, Snapshot};
pub use judge::{Judge, JudgeBoard, JudgeOrder, JudgeSnapshot};
pub use numbers::{SLOTS, slot_of};
pub use watch::{Ended, Order, Watch};

/// Batches that may wait for the judging thread. A batch covers a turn of up to `Pace::wait`, or of 512 frames.
pub const MOST_BATCHES: usize = 1_024;

/// Tells the time of day. It may be set back or ahead at any moment.
pub trait Wall: Send {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// How a capture thread works.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bounds of its engine.
    pub limits: Limits,
    /// What detectors look things up in.
    pub knowledge: Arc<Knowledge>,
    /// Keys the flow hash; random, and the same for no two daemons.
    pub seed: u64,
    /// Its pace.
    pub pace: Pace,
}

/// The times a capture thread goes by.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How long it waits for a frame at most.
    pub wait: Duration,
    /// How far behind the wall clock its time is when nothing comes: longer than the kernel keeps a frame to itself.
    pub behind: Span,
}

impl Default for Pace {
    /// 100 ms, and as far behind: a block of the kernel's ring is given up half-filled after 10 ms.
    fn default() -> Self {
        Self { wait: Duration::from_millis(100), behind: Span::from_millis(100) }
    }
}

/// What a capture thread saw in some turns.
#[derive(Debug)]
pub struct Batch {
    /// Which thread.
    pub slot: u8,
    /// How often the wall clock was set back under it. Times of different epochs cannot be compared.
    pub epoch: u32,
    /// In no particular order.
    pub observations: Vec<Observation>,
    /// Everything that it will observe in this epoch is of this time or later.
    pub watermark: Timestamp,
    /// Frames that the kernel dropped, and when that was read.
    pub drops: Option<(Timestamp, u64)>,
}

/// What the judging thread is told.
#[derive(Debug)]
pub enum Message {
    /// A capture thread is about to begin, on an interface. Nothing is judged that it may still have to say something about.
    Begins(u8, Arc<str>),
    /// It saw something.
    Saw(Batch),
    /// It says nothing any more.
    Ended(u8),
}

/// What the judging thread tells.
#[derive(Debug)]
pub struct Told {
    /// The alert.
    pub alert: Alert,
    /// Interface of the forged packet.
    pub interface: Option<Arc<str>>,
    /// It waits for the rest of its evidence, and is told again under the same id.
    pub pending: bool,
}
