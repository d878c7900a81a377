//! The time of day, which somebody may set while the daemon runs.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::engine::time::Timestamp;
use crate::pump::live::Wall;

/// The system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemWall;

impl Wall for SystemWall {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
    }
}
