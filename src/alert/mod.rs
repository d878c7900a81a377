//! What was found: the alert record and its renderings, one file each. Nothing here decides anything.

mod record;

pub use record::{
    Alert, ClosedBecause, Considered, FlowFacts, Grade, HttpFacts, LadderRow, Mechanism, PacketFacts, RedirectFacts, Role, SCHEMA,
    SensorHealth, Signal, Verdict,
};
