//! The local network: who claims to be whom, and what that did to the traffic of others. One file for each detector.

mod addresses;
pub mod detours;
mod harmless;
mod incidents;
pub mod leases;
pub mod moved;
mod pinned;
pub mod routers;
pub mod spoof;
mod tell;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use addresses::{Addresses, Network, vlan_pair};
use detours::Redirector;
use incidents::{Incidents, MEMORY, Suspicion};
use leases::{Newcomer, Servers};
use routers::{Announcer, Routers};
use spoof::Claimer;

use crate::alert::{Alert, Grade};
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::limits::Limits;
use crate::engine::local::{Mac, Message, Notice};
use crate::engine::observation::Detour;
use crate::engine::time::Timestamp;
use crate::rules::policy::Policy;

/// Code and version of each detector, in the order of the documentation.
pub const DETECTORS: [(&str, u32); 5] = [
    (spoof::CODE, spoof::VERSION),
    (moved::CODE, moved::VERSION),
    (leases::CODE, leases::VERSION),
    (routers::CODE, routers::VERSION),
    (detours::CODE, detours::VERSION),
];

/// What was learned of the local networks, and who is suspected in them.
#[derive(Debug)]
pub(super) struct LocalNetworks {
    addresses: Addresses,
    servers: Servers,
    routers: Routers,
    claimers: Incidents<(Network, Mac), Claimer>,
    newcomers: Incidents<(Network, Mac), Newcomer>,
    announcers: Incidents<(Network, Mac), Announcer>,
    redirectors: Incidents<(Network, Mac), Redirector>,
    policy: Arc<Policy>,
}

impl LocalNetworks {
    pub(super) fn new(limits: &Limits) -> Self {
        let most = limits.local_suspects;
        Self {
            addresses: Addresses::new(limits.local_addresses),
            servers: Servers::default(),
            routers: Routers::default(),
            claimers: Incidents::new(most),
            newcomers: Incidents::new(most),
            announcers: Incidents::new(most),
            redirectors: Incidents::new(most),
            policy: Arc::default(),
        }
    }

    /// Goes on by another policy. What is right by its pins is suspected no more; what is wrong by them is found when it is heard again.
    pub(super) fn exchange(&mut self, policy: &Arc<Policy>) {
        let pins = &policy.pins;
        self.claimers.retain(|claimer| claimer.is_suspect_by(pins));
        self.newcomers.retain(|newcomer| newcomer.is_suspect_by(pins));
        self.announcers.retain(|announcer| announcer.is_suspect_by(pins));
        self.redirectors.retain(|redirector| redirector.is_suspect_by(pins));
        self.claimers.bounds = policy.thresholds;
        self.newcomers.bounds = policy.thresholds;
        self.announcers.bounds = policy.thresholds;
        self.redirectors.bounds = policy.thresholds;
        self.policy = Arc::clone(policy);
    }

    /// Takes a message.
    pub(super) fn take(&mut self, notice: &Notice, now: Timestamp) {
        let pins = &self.policy.pins;
        match &notice.message {
            Message::Claim(claim) => spoof::take(notice, claim, now, (&mut self.addresses, &mut self.claimers), pins),
            Message::Lease(lease) => {
                if let (true, Some(address), Some(mac)) = (lease.granted, lease.address, lease.client) {
                    self.addresses.grant(addresses::network(&notice.head), address, mac, now);
                }
                leases::take(notice, lease, now, (&mut self.servers, &mut self.newcomers), pins);
            }
            Message::Router(said) => routers::take(notice, said, now, (&mut self.routers, &mut self.announcers), pins),
            Message::Redirect(redirect) => detours::take(notice, redirect, now, (&self.addresses, &mut self.redirectors), pins),
        }
    }

    /// Takes that a connection goes on by way of another machine.
    pub(super) fn detour(&mut self, detour: &Detour, now: Timestamp) {
        let here = vlan_pair(detour.vlans);
        let drawn = |(claimer, last): &(&Claimer, Timestamp)| {
            claimer.moved.is_none()
                && now - *last <= moved::FOLLOWS_WITHIN
                && claimer.concerns_network(here)
                && claimer.may_have_moved(detour)
        };
        let key = self.claimers.iter().find(drawn).map(|(claimer, _)| claimer.key());
        if let Some(key) = key {
            self.claimers.change(key, now, |claimer| claimer.moved = Some(*detour));
        }
    }

    /// Whether the path of a client was bent a short time ago, by somebody who would be told of.
    pub(super) fn is_bent(&self, vlans: Vlans, client: Addr, now: Timestamp) -> bool {
        let here = vlan_pair(vlans);
        fn recent<T: Suspicion>(incidents: &Incidents<(Network, Mac), T>, now: Timestamp, concerned: impl Fn(&T) -> bool) -> bool {
            incidents.iter().any(|(what, last)| {
                now - last <= MEMORY && concerned(what) && what.finding().grade(incidents.bounds) >= Some(Grade::Medium)
            })
        }
        recent(&self.claimers, now, |claimer| claimer.concerns(here, client))
            || recent(&self.newcomers, now, |newcomer| newcomer.concerns(here, client))
            || recent(&self.announcers, now, |announcer| announcer.concerns(here, client))
            || recent(&self.redirectors, now, |redirector| redirector.concerns(here, client))
    }

    /// Tells what is due at or before `now`.
    #[inline]
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<Alert> {
        let due = [self.claimers.is_due(now), self.newcomers.is_due(now), self.announcers.is_due(now), self.redirectors.is_due(now)];
        if due.contains(&true) { self.tell_due(now) } else { Vec::new() }
    }

    fn tell_due(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut told = self.claimers.tick(now);
        told.extend(self.newcomers.tick(now));
        told.extend(self.announcers.tick(now));
        told.extend(self.redirectors.tick(now));
        in_order(told)
    }

    /// Tells everything on what was seen.
    pub(super) fn finish(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut told = self.claimers.finish(now);
        told.extend(self.newcomers.finish(now));
        told.extend(self.announcers.finish(now));
        told.extend(self.redirectors.finish(now));
        in_order(told)
    }

    /// Addresses forgotten, and suspicions decided early, for the bounds.
    pub(super) fn evicted(&self) -> (u64, u64) {
        let suspects = [self.claimers.evicted, self.newcomers.evicted, self.announcers.evicted, self.redirectors.evicted];
        (self.addresses.evicted, suspects.iter().sum())
    }
}

/// In order of closing time, so that it does not matter how often the clock is looked at.
fn in_order(mut told: Vec<Alert>) -> Vec<Alert> {
    told.sort_by_key(|alert| (alert.closed_at, alert.id));
    told
}
