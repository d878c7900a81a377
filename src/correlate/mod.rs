//! Across flows, pure: observations in, alerts out.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::indexing_slicing)]

mod considered;
mod story;
mod verdict;

use std::collections::{BTreeSet, VecDeque};

use crate::alert::Alert;
use crate::engine::observation::Observation;

/// Ids remembered so that one injection gives one alert; the oldest goes first.
const REMEMBERED_IDS: usize = 65_536;

/// The one ordered stage that sees all flows.
#[derive(Debug, Default)]
pub struct Correlator {
    raised: BTreeSet<u64>,
    order: VecDeque<u64>,
    counters: CorrelateCounters,
}

/// What became of the observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorrelateCounters {
    /// Observations that came in.
    pub observations: u64,
    /// Observations below the 25 points of the lowest grade: counted only.
    pub below_low: u64,
    /// Alerts with an id that was raised before.
    pub repeated: u64,
    /// Alerts by severity 1, 2, 3.
    pub raised: [u64; 3],
}

impl Correlator {
    /// Judges observations that are complete up to some time. They are put in order first, so that the order in which workers finish changes nothing.
    pub fn judge(&mut self, mut observations: Vec<Observation>) -> Vec<Alert> {
        observations.sort_by_key(|observation| {
            (observation.at, observation.assessment.scene.suspect.frame, observation.serial, observation.flow.client)
        });
        let mut alerts: Vec<Alert> = observations.iter().filter_map(|observation| self.take(observation)).collect();
        alerts.sort_by_key(|alert| (alert.closed_at, alert.id));
        alerts
    }

    /// What was counted.
    #[must_use]
    pub const fn counters(&self) -> CorrelateCounters {
        self.counters
    }

    fn take(&mut self, observation: &Observation) -> Option<Alert> {
        self.counters.observations += 1;
        let Some(ruling) = verdict::rule(&observation.assessment) else {
            self.counters.below_low += 1;
            return None;
        };
        let alert = story::tell(observation, &ruling);
        if !self.raised.insert(alert.id) {
            self.counters.repeated += 1;
            return None;
        }
        self.order.push_back(alert.id);
        if self.order.len() > REMEMBERED_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.raised.remove(&oldest);
        }
        if let Some(count) = self.counters.raised.get_mut(usize::from(alert.severity.saturating_sub(1))) {
            *count += 1;
        }
        Some(alert)
    }
}
