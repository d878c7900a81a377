//! Where frames come from. Replay reads capture files.

pub mod replay;

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
