//! What was found: the alert record and its renderings, one file each. Nothing here decides anything.

mod advice;
mod class;
mod community;
mod dns;
pub mod eve;
pub mod explain;
mod ladder;
mod led;
mod listed;
mod local;
mod plain;
mod record;
#[cfg(test)]
pub(crate) mod samples;
mod signature;
pub mod text;
mod when;

pub use class::{ClosedBecause, Grade, Mechanism, Verdict};
pub use listed::IndicatorFacts;
pub use record::{
    Alert, ArpFacts, Carrier, Considered, DnsFacts, FlowFacts, Followed, How, HttpFacts, LadderRow, Lead, Led, PacketFacts, RedirectFacts,
    Role, SCHEMA, SensorHealth, Signal, Step, TcpFacts, TlsFacts,
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

/// How the text form may look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// ANSI colours. Nothing is said by colour alone.
    pub colour: bool,
}
