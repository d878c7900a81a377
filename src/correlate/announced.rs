//! Captive portals that networks announce themselves (RFC 8910).

use std::collections::BTreeMap;

use crate::engine::decode::packet::Vlans;
use crate::engine::local::{Message, Notice};
use crate::engine::protocol::url::{Address, registrable_domain};

/// Networks, by their VLANs, whose portal is remembered; further ones announce in vain.
const NETWORKS: usize = 1_024;

/// The site of each network's portal.
#[derive(Debug, Default)]
pub(super) struct Announced {
    portals: BTreeMap<[u16; 2], String>,
}

impl Announced {
    /// Takes what a server of DHCP or a router says.
    pub(super) fn take(&mut self, notice: &Notice) {
        let portal = match &notice.message {
            Message::Lease(lease) => lease.portal.as_deref(),
            Message::Router(said) => said.portal.as_deref(),
            Message::Claim(_) | Message::Redirect(_) => None,
        };
        let Some(address) = portal.and_then(Address::parse) else { return };
        let network = network(notice.head.vlans);
        if self.portals.len() < NETWORKS || self.portals.contains_key(&network) {
            self.portals.insert(network, registrable_domain(address.host()));
        }
    }

    /// Whether a host belongs to the site of the network's portal.
    pub(super) fn is_portal(&self, vlans: Vlans, host: &str) -> bool {
        self.portals.get(&network(vlans)).is_some_and(|site| *site == registrable_domain(host))
    }
}

fn network(vlans: Vlans) -> [u16; 2] {
    let mut ids = vlans.as_slice().iter().copied().chain([0, 0]);
    [ids.next().unwrap_or(0), ids.next().unwrap_or(0)]
}
