//! The time of day, which somebody may set while the daemon runs.

use crate::capture::live::wall_time;
use crate::engine::time::Timestamp;
use crate::pump::live::Wall;

/// The system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemWall;

impl Wall for SystemWall {
    fn now(&self) -> Timestamp {
        wall_time()
    }
}
