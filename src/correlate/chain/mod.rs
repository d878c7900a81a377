//! What clients do after a redirect: it is remembered a short time, and an alert with a redirect waits for it.

mod contacts;
pub mod followed;
mod led;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use contacts::Contacts;
use seen::Domains;

use super::verdict;
use crate::alert::{Alert, ClosedBecause, Verdict};
use crate::engine::contact::Contact;
use crate::engine::limits::Limits;
use crate::engine::time::Timestamp;
use crate::rules::policy::Thresholds;
use followed::WITHIN;

/// Code and version of each detector, in the order of the documentation.
pub const DETECTORS: [(&str, u32); 1] = [(followed::CODE, followed::VERSION)];

/// Alerts that wait, and what their clients did.
#[derive(Debug)]
pub(super) struct Chains {
    contacts: Contacts,
    domains: Domains,
    /// By the time at which they are told, then id.
    held: BTreeMap<(Timestamp, u64), Held>,
    most_held: usize,
    told_early: u64,
}

/// What a client does next is part of a redirect's story. That it met a listed indicator is told by itself.
pub(super) fn waits(alert: &Alert) -> bool {
    alert.redirect.is_some() && alert.verdict != Verdict::ListedContact
}

/// An alert that waits.
#[derive(Debug)]
struct Held {
    alert: Alert,
    weighed: (usize, Thresholds),
}

impl Chains {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            contacts: Contacts::new(limits.contact_bytes, limits.contacts_per_client),
            domains: Domains::new(limits.seen_domains),
            held: BTreeMap::new(),
            most_held: limits.held_alerts,
            told_early: 0,
        }
    }

    /// Takes what a client did.
    pub(super) fn take(&mut self, contact: Box<Contact>, now: Timestamp) {
        if let Some(name) = contact.name() {
            self.domains.saw(name, now);
        }
        self.contacts.add(contact, now);
    }

    /// Keeps an alert until all that its client may have done is known; whatever can be told at once comes back. `weighed` says how many kinds of
    /// evidence speak of its packets, and from which score on each grade begins.
    pub(super) fn hold(&mut self, alert: Alert, weighed: (usize, Thresholds), now: Timestamp) -> Vec<Alert> {
        // Of what a client did longer ago than contacts are kept for, it is chance what is still known.
        if !waits(&alert) || now - alert.forged.time > contacts::GENERATION {
            return vec![alert];
        }
        let due = now.max(alert.forged.time + WITHIN);
        self.held.insert((due, alert.id), Held { alert, weighed });
        let mut told = self.tick(now);
        while self.held.len() > self.most_held {
            let Some((_, held)) = self.held.pop_first() else { break };
            self.told_early += 1;
            told.push(self.conclude(held, now));
        }
        told
    }

    /// When something is to be told next.
    #[inline]
    pub(super) fn next_due(&self) -> Timestamp {
        self.held.first_key_value().map_or(Timestamp::MAX, |((due, _), _)| *due)
    }

    /// Tells what is due at or before `now`.
    #[inline]
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<Alert> {
        if self.held.is_empty() { Vec::new() } else { self.tell_due(now) }
    }

    fn tell_due(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut told = Vec::new();
        while let Some(first) = self.held.first_entry().filter(|first| first.key().0 <= now) {
            let ((due, _), held) = first.remove_entry();
            told.push(self.conclude(held, due));
        }
        told
    }

    /// Tells everything on what was seen.
    pub(super) fn finish(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut told = self.tick(now);
        for (_, mut held) in std::mem::take(&mut self.held) {
            // The silence of a server was over when its case was closed.
            if held.alert.silence.is_none() {
                held.alert.closed_because = ClosedBecause::EndOfCapture;
            }
            told.push(self.conclude(held, now));
        }
        told
    }

    /// Contacts forgotten before their time, and alerts told before theirs, for the bounds.
    pub(super) const fn evicted(&self) -> (u64, u64) {
        (self.contacts.evicted, self.told_early)
    }

    /// Adds to the alert what its client did.
    fn conclude(&self, held: Held, at: Timestamp) -> Alert {
        let Held { mut alert, weighed } = held;
        alert.closed_at = alert.closed_at.max(at);
        let contacts = || self.contacts.of(alert.flow.client.0, alert.flow.vlans);
        let (led_by, followed) = (led::leads(&alert, contacts()), followed::follow(&alert, contacts()));
        if let Some(redirect) = &mut alert.redirect {
            redirect.led_by = led_by;
        }
        let Some(mut followed) = followed else { return alert };
        followed.new_domain = followed.target.as_deref().is_some_and(|name| self.domains.is_new(name, alert.forged.time));
        let points = followed::points(&followed, alert.verdict);
        alert.signals.push(followed::signal(&followed, alert.forged.time, points));
        if let Some(redirect) = &mut alert.redirect {
            redirect.followed = Some(followed);
        }
        verdict::follow(&mut alert, points, weighed);
        alert
    }
}
