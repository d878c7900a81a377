//! The counters of the stage, by name.

use super::CorrelateCounters;

impl CorrelateCounters {
    /// Both added up.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            observations: self.observations + other.observations,
            notices: self.notices + other.notices,
            contacts: self.contacts + other.contacts,
            contacts_evicted: self.contacts_evicted + other.contacts_evicted,
            visits_told_early: self.visits_told_early + other.visits_told_early,
            told_early: self.told_early + other.told_early,
            addresses_evicted: self.addresses_evicted + other.addresses_evicted,
            suspects_evicted: self.suspects_evicted + other.suspects_evicted,
            targets_evicted: self.targets_evicted + other.targets_evicted,
            webs_evicted: self.webs_evicted + other.webs_evicted,
            below_low: self.below_low + other.below_low,
            repeated: self.repeated + other.repeated,
            suppressed: self.suppressed + other.suppressed,
            raised: std::array::from_fn(|at| self.raised.iter().chain(&other.raised).skip(at).step_by(3).sum()),
        }
    }

    /// Each with its name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        // No field is left out: what is added must be named here.
        let Self {
            observations,
            notices,
            contacts,
            contacts_evicted,
            visits_told_early,
            told_early,
            addresses_evicted,
            suspects_evicted,
            targets_evicted,
            webs_evicted,
            below_low,
            repeated,
            suppressed,
            raised: [high, medium, low],
        } = *self;
        [
            ("observations", observations),
            ("notices", notices),
            ("contacts", contacts),
            ("contacts_evicted", contacts_evicted),
            ("visits_told_early", visits_told_early),
            ("told_early", told_early),
            ("addresses_evicted", addresses_evicted),
            ("suspects_evicted", suspects_evicted),
            ("targets_evicted", targets_evicted),
            ("webs_evicted", webs_evicted),
            ("below_low", below_low),
            ("repeated", repeated),
            ("suppressed", suppressed),
            ("raised.severity_1", high),
            ("raised.severity_2", medium),
            ("raised.severity_3", low),
        ]
        .into_iter()
    }
}
