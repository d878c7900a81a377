//! Where frames come from. Replay reads capture files; live capture comes with the daemon.

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
}
