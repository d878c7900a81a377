//! Numbers of live frames: in order of time over all capture threads, each with the thread that took it.

use crate::engine::time::Timestamp;

/// Capture threads at once.
pub const SLOTS: usize = 256;
const BITS: u32 = SLOTS.trailing_zeros();

/// The thread that took a frame.
#[must_use]
pub const fn slot_of(frame: u64) -> u8 {
    (frame % SLOTS as u64) as u8
}

/// Numbers frames of one thread: microseconds since the daemon began, or one more than the number before where those do not rise, and the thread. So what one
/// client did in connections that different threads watch is in order. They fit into 53 bits, as readers of JSON need it, for a year.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    slot: u8,
    began: Timestamp,
    last: u64,
}

impl Numbers {
    pub(super) const fn new(slot: u8, began: Timestamp) -> Self {
        Self { slot, began, last: 0 }
    }

    #[inline]
    pub(super) fn next(&mut self, time: Timestamp) -> u64 {
        let micros = u64::try_from((time - self.began).as_nanos() / 1_000).unwrap_or(0);
        self.last = micros.max(self.last + 1);
        (self.last << BITS) | u64::from(self.slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_with_time_over_all_threads_and_name_their_thread() {
        let second = |seconds| Timestamp::from_parts(seconds, 0);
        let (mut one, mut other) = (Numbers::new(1, second(10)), Numbers::new(255, second(10)));
        let told = [one.next(second(11)), other.next(second(12)), one.next(second(13)), one.next(second(13)), one.next(second(5))];
        assert!(told.is_sorted_by(|a, b| a < b), "{told:?}");
        assert_eq!(told.map(slot_of), [1, 255, 1, 1, 1]);
        assert!(one.next(second(10 + 31_536_000)) < 1 << 53);
    }
}
