//! Frames of interfaces, by libpcap: the only user of the `pcap` crate.

use std::time::Duration;

use crate::config::Capture;
use crate::engine::frame::Frame;
use crate::engine::time::Timestamp;

use super::{FrameSource, KernelCounters, LiveFrames};

/// Why an interface cannot be watched, or cannot any more.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Placeholder.
    #[error("not there yet")]
    Missing,
}

/// One capture socket.
#[derive(Debug)]
pub struct Live;

/// The sockets of one interface that share its traffic: one for each capture thread.
///
/// # Errors
/// When the interface is not there, is down, or may not be watched.
pub fn open(_interface: &str, _capture: &Capture) -> Result<Vec<Live>, LiveError> {
    Err(LiveError::Missing)
}

/// Names of interfaces that are there and match one of the names or globs.
#[must_use]
pub fn matching(_names: &[String]) -> Vec<String> {
    Vec::new()
}

impl Live {
    /// Frames of before this moment are not given: not all sockets had joined yet.
    pub fn begin(&mut self, _at: Timestamp) {}
}

impl FrameSource for Live {
    type Error = LiveError;

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, LiveError> {
        Err(LiveError::Missing)
    }
}

impl LiveFrames for Live {
    fn wait(&mut self, _at_most: Duration) -> Result<(), LiveError> {
        Err(LiveError::Missing)
    }

    fn kernel(&mut self) -> KernelCounters {
        KernelCounters::default()
    }
}
