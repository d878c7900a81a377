//! The local network: who claims to be whom, and what that did to the traffic of others.

use crate::alert::Alert;
use crate::engine::local::Notice;
use crate::engine::time::Timestamp;

/// What was learned of the local networks.
#[derive(Debug, Default)]
pub(super) struct LocalNetworks;

impl LocalNetworks {
    /// Takes a message.
    #[expect(clippy::unused_self, reason = "nothing is learned yet")]
    pub(super) fn take(&mut self, _notice: &Notice, _at: Timestamp) {}

    /// Decides what is due at or before `now`.
    #[expect(clippy::unused_self, reason = "nothing is learned yet")]
    pub(super) fn tick(&mut self, _now: Timestamp) -> Vec<Alert> {
        Vec::new()
    }

    /// Decides everything on what was seen.
    pub(super) fn finish(&mut self, now: Timestamp) -> Vec<Alert> {
        self.tick(now)
    }
}
