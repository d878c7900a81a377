//! Hosts to which answers in the name of many sites send many clients: how an operator's notice is learned where no list names it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::engine::detect::redirect_semantics::Destination;
use crate::engine::detect::{Assessment, Group};
use crate::engine::observation::Judged;
use crate::engine::protocol::url::registrable_domain;

/// Sites, and clients, from which on a target is that of a notice.
pub(super) const ENOUGH: usize = 3;

/// A target, and the template of the answers that lead there: host, status, names of the fields. Sites that happen to lead to one place each answer
/// in their own way.
type Target = (String, u16, String);

/// Who was sent to a target, up to `ENOUGH` of each.
#[derive(Debug, Default)]
struct Sent {
    sites: BTreeSet<String>,
    clients: BTreeSet<u128>,
}

/// The targets, within a bound.
#[derive(Debug)]
pub(super) struct Notices {
    targets: BTreeMap<Target, Sent>,
    /// In order of their first answer: the oldest is forgotten first.
    order: VecDeque<Target>,
    most: usize,
    /// Targets forgotten for the bound.
    pub(super) evicted: u64,
}

impl Notices {
    pub(super) fn new(most: usize) -> Self {
        Self { targets: BTreeMap::new(), order: VecDeque::new(), most, evicted: 0 }
    }

    /// Takes a judged answer. True when answers of this template have sent enough clients of enough sites to this target.
    pub(super) fn take(&mut self, case: &Judged, destination: Option<&Destination>) -> bool {
        let Some((site, target)) = destination.and_then(|destination| learnable(&case.assessment, destination)) else { return false };
        if !self.targets.contains_key(&target) {
            self.order.push_back(target.clone());
            if self.order.len() > self.most
                && let Some(oldest) = self.order.pop_front()
            {
                self.targets.remove(&oldest);
                self.evicted += 1;
            }
        }
        let sent = self.targets.entry(target).or_default();
        if sent.sites.len() < ENOUGH {
            sent.sites.insert(site);
        }
        if sent.clients.len() < ENOUGH {
            sent.clients.insert(case.flow.client.0.0);
        }
        sent.sites.len() >= ENOUGH && sent.clients.len() >= ENOUGH
    }
}

/// The site that was asked and the target, for a template's answer that leads to another site and that nothing contradicts.
fn learnable(assessment: &Assessment, destination: &Destination) -> Option<(String, Target)> {
    let response = assessment.scene.response.as_ref()?;
    let (from, to) = (destination.from.as_ref()?, destination.to.as_ref()?);
    let is_template = !response.has_date && response.server.is_none();
    let contradicted = assessment.points(Group::Contradiction) > 0;
    (is_template && !contradicted && destination.cross_site == Some(true))
        .then(|| (registrable_domain(from.host()), (to.host().to_owned(), response.status, response.field_names.to_string())))
}
