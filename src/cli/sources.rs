//! Rules and lists of indicators from the paths that were given, for the beginning of a run and for every exchange in it.

use std::path::PathBuf;
use std::sync::Arc;

use super::say;
use crate::engine::Knowledge;
use crate::pump::Renewal;
use crate::rules::device::DeviceLibrary;
use crate::rules::indicators::{Indicators, Tally, load};
use crate::rules::{LoadedRules, load_rules};

/// Where rules and lists lie.
pub(super) struct Sources {
    /// Files of rules, and folders of them.
    pub(super) rules: Vec<PathBuf>,
    /// Lists of indicators, folders of them, stores.
    pub(super) indicators: Vec<PathBuf>,
    /// Without it no device is known.
    pub(super) knows_devices: bool,
}

/// What was read.
pub(super) struct Read {
    pub(super) in_force: Renewal,
    /// Rules, the shipped ones among them.
    pub(super) rules: usize,
}

impl Sources {
    /// Reads everything, or says what of it cannot be read.
    pub(super) fn read(&self) -> Result<Read, String> {
        let LoadedRules { rules, wrong } = load_rules(&self.rules);
        if let Some(first) = wrong.first() {
            let more = if wrong.len() == 1 {
                String::new()
            } else {
                format!("\n  and {} more: `sidewatch rules check` tells all", wrong.len() - 1)
            };
            return Err(format!("{first}{more}"));
        }
        let devices = if self.knows_devices { rules.devices } else { DeviceLibrary::default() };
        let knowledge =
            Knowledge { devices, indicators: self.lists()?, redirects: rules.redirects, forged_addresses: rules.forged_addresses };
        let in_force = Renewal { knowledge: Arc::new(knowledge), policy: Arc::new(rules.policy) };
        Ok(Read { in_force, rules: rules.entries.len() })
    }

    /// The lists; what of them cannot be read is told, and only a file that cannot be read to its end is an error.
    fn lists(&self) -> Result<Indicators, String> {
        if self.indicators.is_empty() {
            return Ok(Indicators::default());
        }
        let loaded = load(&self.indicators);
        if let Some(failure) = loaded.failures.first() {
            return Err(format!("{failure}; `sidewatch indicators check` tells more"));
        }
        let unreadable = Tally::totals(&loaded.tallies()).unreadable;
        if unreadable > 0 {
            say(&format!("sidewatch: {unreadable} entries of the lists cannot be read; `sidewatch indicators check` tells which"));
        }
        Ok(loaded.indicators)
    }
}

impl Read {
    /// Bytes that the lists take.
    pub(super) fn list_bytes(&self) -> u64 {
        self.in_force.knowledge.indicators.bytes() as u64
    }
}
