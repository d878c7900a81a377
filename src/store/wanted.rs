//! Which sink wants which record.

use std::net::IpAddr;

use super::{Kind, Record};
use crate::config::SinkSettings;
use crate::rules::network::Network;

/// Sinks with their filters ready to be asked.
pub(super) struct Wanted<'a>(Vec<Wish<'a>>);

struct Wish<'a> {
    sink: &'a SinkSettings,
    networks: Vec<Network>,
}

impl<'a> Wanted<'a> {
    /// A network that cannot be read is left out: rather a record too many than one too few.
    pub(super) fn new(sinks: &'a [SinkSettings]) -> Self {
        let networks = |sink: &SinkSettings| sink.filter.networks.iter().filter_map(|text| Network::parse(text.trim())).collect();
        Self(sinks.iter().map(|sink| Wish { networks: networks(sink), sink }).collect())
    }
    /// The names of sinks that want it.
    pub(super) fn by<'b>(&'b self, record: &'b Record) -> impl Iterator<Item = &'a str> + 'b {
        self.0.iter().filter(|wish| wish.wants(record)).map(|wish| wish.sink.name.as_str())
    }
    /// Whether the sink is still there.
    pub(super) fn knows(&self, sink: &str) -> bool {
        self.0.iter().any(|wish| wish.sink.name == sink)
    }
}

impl Wish<'_> {
    /// What an event lacks (a mechanism, a victim) no filter can ask for: that a sensor is blind is told to those who want only some alerts too.
    fn wants(&self, record: &Record) -> bool {
        let filter = &self.sink.filter;
        let is_loud = filter.severity == 0 || record.severity <= filter.severity;
        match record.kind {
            Kind::Test => true,
            Kind::Heartbeat => self.sink.heartbeat,
            Kind::Blind | Kind::Seeing => is_loud,
            Kind::Alert => {
                is_loud
                    && (filter.mechanisms.is_empty() || filter.mechanisms.contains(&record.mechanism))
                    && (self.networks.is_empty() || self.networks.iter().any(|network| holds(*network, &record.client)))
            }
        }
    }
}

/// Whether an address, as records tell it, lies in the network.
pub(super) fn holds(network: Network, address: &str) -> bool {
    address.parse::<IpAddr>().is_ok_and(|address| network.holds(address.into()))
}
