//! What was found: the alert record and its renderings, one file each. Nothing here decides anything.

mod community;
pub mod eve;
pub mod explain;
mod plain;
mod record;
#[cfg(test)]
mod samples;
mod signature;
mod when;

pub use record::{
    Alert, ClosedBecause, Considered, FlowFacts, Grade, HttpFacts, LadderRow, Mechanism, PacketFacts, RedirectFacts, Role, SCHEMA,
    SensorHealth, Signal, Verdict,
};

/// Where the packets came from, as the renderings name it. With `in_iface` the frames are live ones, without it they are a capture's.
#[derive(Clone, Debug, Default)]
pub struct SourceFacts {
    /// Configured name of this sensor.
    pub host: Option<String>,
    /// Interface that was watched.
    pub in_iface: Option<String>,
    /// Capture file that was read.
    pub pcap_filename: Option<String>,
}
