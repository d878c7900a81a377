//! The kernel's counters of a socket, which have 32 bits and begin again, as numbers that only grow.

use pcap::Stat;

use crate::capture::KernelCounters;

/// What was read last, and all that was counted.
#[derive(Debug, Default)]
pub(super) struct Counters {
    received: Counter,
    dropped: Counter,
    dropped_by_interface: Counter,
}

#[derive(Debug, Default)]
struct Counter {
    last: u32,
    total: u64,
}

impl Counter {
    /// Right as long as it is read before the counter has gone round once: minutes, at any rate that there is.
    fn take(&mut self, read: u32) {
        self.total += u64::from(read.wrapping_sub(self.last));
        self.last = read;
    }
}

impl Counters {
    /// Takes in what was read.
    pub(super) fn take(&mut self, read: Stat) {
        self.received.take(read.received);
        self.dropped.take(read.dropped);
        self.dropped_by_interface.take(read.if_dropped);
    }

    /// All that was counted.
    pub(super) const fn total(&self) -> KernelCounters {
        KernelCounters { received: self.received.total, dropped: self.dropped.total, dropped_by_interface: self.dropped_by_interface.total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_begin_again_go_on() {
        let mut counters = Counters::default();
        for (received, dropped) in [(10, 0), (u32::MAX, 7), (5, 7)] {
            counters.take(Stat { received, dropped, if_dropped: 0 });
        }
        assert_eq!(counters.total(), KernelCounters { received: (1 << 32) + 5, dropped: 7, dropped_by_interface: 0 });
    }
}
