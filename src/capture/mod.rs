//! Where frames come from: replay reads capture files, live watches interfaces.

#[cfg(feature = "daemon")]
pub mod live;
pub mod replay;

use std::time::Duration;

use crate::engine::frame::Frame;

/// A source of frames, pulled by the pump.
pub trait FrameSource {
    /// What can go wrong; the frames given before it stand.
    type Error: std::error::Error;
    /// The next frame, or `None` at the end. The frame borrows the source's buffer until the next call.
    ///
    /// # Errors
    /// When the source cannot go on; a later call gives `None`.
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Self::Error>;
    /// Whether the next frame must be waited for, so that what was seen so far is better judged first.
    fn is_waiting(&self) -> bool {
        false
    }
}

/// A source that has no end: `next_frame` gives `None` when nothing is there at the moment.
pub trait LiveFrames: FrameSource {
    /// Waits until a frame is there or the time has passed.
    ///
    /// # Errors
    /// When the source cannot go on: its interface is gone.
    fn wait(&mut self, at_most: Duration) -> Result<(), Self::Error>;
    /// What the kernel counted since the source was opened.
    fn kernel(&mut self) -> KernelCounters;
}

/// What the kernel counted of one capture socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelCounters {
    /// Frames that passed the filter, those dropped included.
    pub received: u64,
    /// Frames for which the ring had no room.
    pub dropped: u64,
    /// Frames that the interface dropped; of sockets that share an interface the first tells it, and the others zero.
    pub dropped_by_interface: u64,
}

impl KernelCounters {
    /// Those of two sockets, added up.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            received: self.received.saturating_add(other.received),
            dropped: self.dropped.saturating_add(other.dropped),
            dropped_by_interface: self.dropped_by_interface.saturating_add(other.dropped_by_interface),
        }
    }

    /// Frames that were not seen, whoever dropped them.
    #[must_use]
    pub const fn unseen(&self) -> u64 {
        self.dropped.saturating_add(self.dropped_by_interface)
    }
}
