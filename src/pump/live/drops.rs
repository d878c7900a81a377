//! When the kernel dropped frames of which interface, so that alerts say what was not seen while their flow lived.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::engine::time::Timestamp;

/// Readings with drops that are remembered of an interface, one a second and thread at most; an idle flow lives ten minutes.
const MOST_READINGS: usize = 4_096;
/// Interfaces that are remembered.
const MOST_INTERFACES: usize = 256;

/// Drops by interface, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Drops(BTreeMap<Arc<str>, VecDeque<(Timestamp, u64)>>);

impl Drops {
    pub(super) fn add(&mut self, interface: &Arc<str>, at: Timestamp, dropped: u64) {
        if self.0.len() >= MOST_INTERFACES && !self.0.contains_key(interface) {
            self.0.pop_first();
        }
        let readings = self.0.entry(Arc::clone(interface)).or_default();
        readings.push_back((at, dropped));
        if readings.len() > MOST_READINGS {
            readings.pop_front();
        }
    }

    /// Frames dropped between two moments, both included.
    pub(super) fn between(&self, interface: &str, from: Timestamp, to: Timestamp) -> u64 {
        let readings = self.0.get(interface).into_iter().flatten();
        readings.filter(|(at, _)| (from..=to).contains(at)).map(|(_, dropped)| dropped).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_drops_on_the_same_interface_in_the_same_time_count() {
        let second = |seconds| Timestamp::from_parts(seconds, 0);
        let (wan, lan): (Arc<str>, Arc<str>) = ("wan".into(), "lan".into());
        let mut drops = Drops::default();
        for at in 0..10_000 {
            drops.add(&wan, second(at), 2);
        }
        drops.add(&lan, second(9_000), 7);
        assert_eq!(drops.between("wan", second(9_000), second(9_009)), 20);
        assert_eq!(drops.between("lan", second(8_000), second(9_009)), 7);
        assert_eq!(drops.between("dmz", second(0), second(9_009)), 0);
        assert_eq!(drops.between("wan", second(0), second(9_999)), 2 * MOST_READINGS as u64, "what is too old is forgotten");
    }
}
