//! Across flows, pure: observations in, alerts out.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::indexing_slicing)]

mod announced;
mod answers;
pub mod chain;
mod considered;
mod contacts;
mod counters;
mod dns;
mod listed;
pub mod local;
mod notices;
mod page;
mod portal;
mod story;
mod verdict;
pub mod web;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::alert::{Alert, Considered, Mechanism, Verdict};
use crate::engine::Knowledge;
use crate::engine::detect::redirect_semantics::destination;
use crate::engine::limits::Limits;
use crate::engine::observation::{Judged, JudgedDns, Observation, What};
use crate::engine::time::Timestamp;
use crate::rules::policy::Policy;
use announced::Announced;
use answers::Answers;
use chain::Chains;
use contacts::Contacts;
use listed::Visits;
use local::LocalNetworks;
use notices::Notices;
use verdict::Surroundings;
use web::Webs;

/// Ids remembered so that one injection gives one alert; the oldest goes first.
const REMEMBERED_IDS: usize = 65_536;
/// Observations of one moment that wait for others of it; more are judged as they are.
const MOST_WAITING: usize = 4_096;

/// The one ordered stage that sees all flows.
#[derive(Debug)]
pub struct Correlator {
    /// In order.
    waiting: Vec<Observation>,
    raised: BTreeSet<u64>,
    order: VecDeque<u64>,
    local: LocalNetworks,
    chains: Chains,
    visits: Visits,
    answers: Answers,
    contacts: Contacts,
    notices: Notices,
    announced: Announced,
    webs: Webs,
    policy: Arc<Policy>,
    counters: CorrelateCounters,
}

/// What became of the observations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorrelateCounters {
    /// Judged cases that came in.
    pub observations: u64,
    /// Messages of the local network.
    pub notices: u64,
    /// What clients did: questions, connections, requests.
    pub contacts: u64,
    /// Contacts forgotten before their time because there were too many.
    pub contacts_evicted: u64,
    /// Contacts with listed indicators told of before it was known what else is told of them, because too many waited.
    pub visits_told_early: u64,
    /// Alerts told before it was known whether the client followed, because too many waited.
    pub told_early: u64,
    /// Addresses of local networks forgotten early because there were too many.
    pub addresses_evicted: u64,
    /// Suspicions about local networks decided early because there were too many.
    pub suspects_evicted: u64,
    /// Targets of redirects forgotten early because there were too many.
    pub targets_evicted: u64,
    /// Hosts and contents of web answers forgotten early because there were too many.
    pub webs_evicted: u64,
    /// Observations below the 25 points of the lowest grade: counted only.
    pub below_low: u64,
    /// Alerts with an id that was raised before, and contacts with an indicator that the client met before.
    pub repeated: u64,
    /// Alerts that a suppression kept back.
    pub suppressed: u64,
    /// Alerts by severity 1, 2, 3.
    pub raised: [u64; 3],
}

impl Default for Correlator {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl Correlator {
    /// A stage that has seen nothing yet, within `limits`.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            waiting: Vec::new(),
            raised: BTreeSet::new(),
            order: VecDeque::new(),
            local: LocalNetworks::new(limits),
            chains: Chains::new(limits),
            visits: Visits::new(limits),
            answers: Answers::default(),
            contacts: Contacts::default(),
            notices: Notices::new(limits.notice_targets),
            announced: Announced::default(),
            webs: Webs::new(limits),
            policy: Arc::default(),
            counters: CorrelateCounters::default(),
        }
    }

    /// The same, telling by a policy.
    #[must_use]
    pub fn with_policy(mut self, policy: Arc<Policy>) -> Self {
        self.exchange(policy);
        self
    }

    /// Goes on with another policy, by which everything is told that is judged from here on.
    pub fn exchange(&mut self, policy: Arc<Policy>) {
        self.local.exchange(&policy);
        self.policy = policy;
    }

    /// The same, looking up in these lists of indicators what clients do.
    #[must_use]
    pub fn with_knowledge(mut self, knowledge: Arc<Knowledge>) -> Self {
        self.know(knowledge);
        self
    }

    /// Looks up in these lists what clients do from here on.
    pub fn know(&mut self, knowledge: Arc<Knowledge>) {
        self.visits.know(knowledge);
    }

    /// Judges observations that are complete up to `now`. They are put in order first, so that the order in which workers finish changes nothing.
    ///
    /// Those of this very moment wait for the next call: more of it may follow, and belong before them.
    pub fn judge(&mut self, observations: Vec<Observation>, now: Timestamp) -> Vec<Alert> {
        let mut observations = self.with_waiting(observations);
        let past = observations.partition_point(|observation| observation.at < now);
        if observations.len() - past <= MOST_WAITING {
            self.waiting = observations.split_off(past);
        }
        let mut told = self.in_order(observations);
        let mut found = self.local.tick(now);
        self.tick(now, &mut found);
        self.tell(found, &mut told);
        in_order_of_closing(told)
    }

    /// Judges the last observations, and what is pending on what was seen.
    pub fn finish(&mut self, observations: Vec<Observation>, now: Timestamp) -> Vec<Alert> {
        let observations = self.with_waiting(observations);
        let mut told = self.in_order(observations);
        let mut found = self.local.finish(now);
        self.tick(now, &mut found);
        let mut last = self.chains.finish(now);
        last.extend(self.answers.finish(now));
        self.add(last, &mut found);
        found.extend(self.visits.finish(now, self.policy.thresholds));
        self.tell(found, &mut told);
        in_order_of_closing(told)
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> CorrelateCounters {
        let (addresses_evicted, suspects_evicted) = self.local.evicted();
        let (contacts_evicted, told_early) = self.chains.evicted();
        CorrelateCounters {
            addresses_evicted,
            suspects_evicted,
            contacts_evicted,
            told_early,
            visits_told_early: self.visits.told_early,
            repeated: self.counters.repeated + self.answers.repeated,
            targets_evicted: self.notices.evicted,
            webs_evicted: self.webs.evicted(),
            ..self.counters
        }
    }

    /// These and those that waited, in order.
    fn with_waiting(&mut self, observations: Vec<Observation>) -> Vec<Observation> {
        let mut all = std::mem::take(&mut self.waiting);
        if all.is_empty() {
            all = observations;
        } else {
            all.extend(observations);
        }
        // The time tells nearly always, without a look at what lies elsewhere.
        all.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.order().cmp(&other.order())));
        all
    }

    fn in_order(&mut self, observations: Vec<Observation>) -> Vec<Alert> {
        let mut told = Vec::new();
        for observation in observations {
            let Observation { at, what } = observation;
            let mut found = Vec::new();
            // Contacts are many, and no matter of the local network's.
            if !matches!(what, What::Contact(_)) {
                found.extend(self.local.tick(at));
            }
            self.tick(at, &mut found);
            match what {
                What::Case(case) => {
                    let added = self.webs.added_to(&case);
                    let told = self.case(added.as_ref().unwrap_or(&case), at);
                    let told = self.answers.take(told, at);
                    self.add(told, &mut found);
                }
                What::Web(web) => {
                    let local = &self.local;
                    let bent = || local.is_bent(web.flow.vlans, web.flow.client.0, at);
                    found.extend(self.webs.take(&web, bent, at));
                }
                What::Dns(judged) => {
                    let told = self.dns(&judged, at);
                    let told = self.answers.take(told, at);
                    self.add(told, &mut found);
                }
                What::Contact(contact) => {
                    self.counters.contacts += 1;
                    found.extend(self.visits.take(&contact, at, self.policy.thresholds));
                    self.chains.take(contact, at);
                }
                What::Detour(detour) => self.local.detour(&detour, at),
                What::Local(notice) => {
                    self.counters.notices += 1;
                    self.announced.take(&notice);
                    self.local.take(&notice, at);
                }
            }
            self.tell(found, &mut told);
        }
        told
    }

    /// Of each client: tells what waited for what it does next, one moment after the other, so that it does not matter when this is asked. Visits come
    /// last, for they become a part of what is told at the same moment.
    #[inline]
    fn tick(&mut self, now: Timestamp, found: &mut Vec<Alert>) {
        while self.next_due() <= now {
            self.tick_once(self.next_due(), found);
        }
    }

    fn next_due(&self) -> Timestamp {
        self.chains.next_due().min(self.answers.next_due()).min(self.visits.next_due())
    }

    fn tick_once(&mut self, due: Timestamp, found: &mut Vec<Alert>) {
        let mut told = self.chains.tick(due);
        told.extend(self.answers.tick(due));
        self.add(told, found);
        found.extend(self.visits.tick(due, self.policy.thresholds));
    }

    /// What clients were seen to do that belongs to these alerts becomes a part of them.
    fn add(&mut self, told: impl IntoIterator<Item = Alert>, found: &mut Vec<Alert>) {
        for mut alert in told {
            self.visits.join(&mut alert);
            found.push(alert);
        }
    }

    fn case(&mut self, case: &Judged, at: Timestamp) -> Vec<Alert> {
        self.counters.observations += 1;
        let destination = destination(&case.assessment.scene);
        let target = destination.as_ref().and_then(|destination| destination.to.as_ref());
        let around = Surroundings {
            policy: &self.policy,
            learned: self.notices.take(case, destination.as_ref()),
            announced: target.is_some_and(|to| self.announced.is_portal(case.flow.vlans, to.host())),
            bent: self.local.is_bent(case.flow.vlans, case.flow.client.0, at),
        };
        let Some(mut ruling) = verdict::rule(&case.assessment, destination, &around) else {
            self.counters.below_low += 1;
            return Vec::new();
        };
        let dns = dns::over_tcp(&case.assessment.scene).filter(|_| ruling.mechanism == Mechanism::TcpContent);
        if dns.is_some() {
            ruling.mechanism = Mechanism::DnsAnswer;
        }
        let bent = around.bent && ruling.verdict == Verdict::InPathInjection;
        let ruling = ruling.with_path(bent);
        let mut alert = Alert { dns, ..story::tell(case, at, &ruling) };
        self.visits.join(&mut alert);
        if chain::waits(&alert) {
            // While it waits, the visit that it led to is told of nowhere else.
            self.contacts.repeats(&alert);
        }
        self.chains.hold(alert, (ruling.hard_groups, self.policy.thresholds), at)
    }

    fn dns(&mut self, judged: &JudgedDns, at: Timestamp) -> Option<Alert> {
        self.counters.observations += 1;
        let Some(alert) = dns::tell(judged, at, self.policy.thresholds) else {
            self.counters.below_low += 1;
            return None;
        };
        let bent = alert.verdict == Verdict::InPathInjection && self.local.is_bent(alert.flow.vlans, alert.flow.client.0, at);
        Some(Alert { verdict: if bent { Verdict::LocalMitm } else { alert.verdict }, ..alert })
    }

    /// One alert for one injection. At once, for what is told decides whether the next says anything new.
    fn tell(&mut self, found: Vec<Alert>, told: &mut Vec<Alert>) {
        for mut alert in found {
            if self.is_told(&mut alert) {
                told.push(alert);
            }
        }
    }

    /// False for what was told before, and for what is suppressed; else the alert has the severity that the policy gives it.
    fn is_told(&mut self, alert: &mut Alert) -> bool {
        let policy = Arc::clone(&self.policy);
        if policy.suppression(alert).is_some() {
            self.counters.suppressed += 1;
            return false;
        }
        if let Some((rule, severity)) = policy.severity(alert) {
            let why = format!("the rule \"{}\" gives severity {severity} in place of {}: {}", rule.name, alert.severity, rule.reason);
            alert.considered.push(Considered { explanation: "what the owner of this sensor knows of it", kept: true, why });
            alert.severity = severity;
        }
        self.is_new(alert)
    }

    fn is_new(&mut self, alert: &Alert) -> bool {
        if self.contacts.repeats(alert) || !self.raised.insert(alert.id) {
            self.counters.repeated += 1;
            return false;
        }
        self.order.push_back(alert.id);
        if self.order.len() > REMEMBERED_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.raised.remove(&oldest);
        }
        if let Some(count) = self.counters.raised.get_mut(usize::from(alert.severity.saturating_sub(1))) {
            *count += 1;
        }
        true
    }
}

/// By closing time, then id.
fn in_order_of_closing(mut alerts: Vec<Alert>) -> Vec<Alert> {
    alerts.sort_by_key(|alert| (alert.closed_at, alert.id));
    alerts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::contact::{Contact, Kind};
    use crate::engine::decode::packet::{Addr, Vlans};

    #[test]
    fn what_was_observed_at_this_moment_waits_for_the_rest_of_it() {
        let contact = |seconds| {
            let (time, vlans, server) = (Timestamp::from_parts(seconds, 0), Vlans::default(), (Addr(2), 80));
            let contact = Contact { client: Addr(1), client_port: 9, vlans, server, over_tcp: true, frame: 1, time, kind: Kind::TcpOpened };
            Observation { at: time, what: What::Contact(Box::new(contact)) }
        };
        let mut correlator = Correlator::default();
        correlator.judge(vec![contact(5), contact(4)], Timestamp::from_parts(5, 0));
        assert_eq!(correlator.counters().contacts, 1);
        correlator.judge(vec![contact(5)], Timestamp::from_parts(6, 0));
        assert_eq!(correlator.counters().contacts, 3);
        correlator.judge((0..5_000).map(|_| contact(7)).collect(), Timestamp::from_parts(7, 0));
        assert_eq!(correlator.counters().contacts, 5_003, "a flood of one moment is not waited for");
    }
}
