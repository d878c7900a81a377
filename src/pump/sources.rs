//! Rules and lists of indicators from the paths that were given, for the beginning of a run and for every exchange in it.

use std::path::PathBuf;
use std::sync::Arc;

use super::Renewal;
use crate::engine::Knowledge;
use crate::rules::device::DeviceLibrary;
use crate::rules::indicators::{Indicators, Tally, load};
use crate::rules::{LoadedRules, load_rules};

/// MiB that the program needs beside lists of indicators.
pub const LEAST_MEMORY: u64 = 64;

/// Where rules and lists lie.
#[derive(Clone, Debug)]
pub struct Sources {
    /// Files of rules, and folders of them.
    pub rules: Vec<PathBuf>,
    /// Lists of indicators, folders of them, stores.
    pub indicators: Vec<PathBuf>,
    /// Without it no device is known.
    pub knows_devices: bool,
}

/// What was read.
#[derive(Debug)]
pub struct Read {
    /// What to go by.
    pub in_force: Renewal,
    /// Rules, the shipped ones among them.
    pub rules: usize,
    /// Entries of the lists that cannot be read.
    pub unreadable: u64,
}

impl Sources {
    /// Reads everything.
    ///
    /// # Errors
    /// What of it cannot be read, in words.
    pub fn read(&self) -> Result<Read, String> {
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
        let (indicators, unreadable) = self.lists()?;
        let knowledge = Knowledge { devices, indicators, redirects: rules.redirects, forged_addresses: rules.forged_addresses };
        let in_force = Renewal { knowledge: Arc::new(knowledge), policy: Arc::new(rules.policy) };
        Ok(Read { in_force, rules: rules.entries.len(), unreadable })
    }

    /// The lists, and how many of their entries cannot be read; only a file that cannot be read to its end is an error.
    fn lists(&self) -> Result<(Indicators, u64), String> {
        if self.indicators.is_empty() {
            return Ok((Indicators::default(), 0));
        }
        let loaded = load(&self.indicators);
        if let Some(failure) = loaded.failures.first() {
            return Err(format!("{failure}; `sidewatch indicators check` tells more"));
        }
        let unreadable = Tally::totals(&loaded.tallies()).unreadable;
        Ok((loaded.indicators, unreadable))
    }
}

impl Read {
    /// What of the lists cannot be read, in words.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        let unreadable = self.unreadable;
        (unreadable > 0).then(|| format!("{unreadable} entries of the lists cannot be read; `sidewatch indicators check` tells which"))
    }

    /// Bytes that the lists take.
    #[must_use]
    pub fn list_bytes(&self) -> u64 {
        self.in_force.knowledge.indicators.bytes() as u64
    }
}

/// MiB to set aside for lists that take `held` of them now: they are held twice while they are exchanged, and may by then have grown by a quarter.
#[must_use]
pub const fn set_aside(held: u64, are_given: bool) -> u64 {
    if are_given { 2 * (held + held / 4 + 1) } else { 0 }
}
