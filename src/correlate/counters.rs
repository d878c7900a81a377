//! The counters of the stage, by name.

use super::CorrelateCounters;

impl CorrelateCounters {
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
