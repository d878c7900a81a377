//! Which client was told of which listed indicator: a visit of twenty requests is one contact, and the visit that a forged redirect led to is part of
//! that redirect's story.

use std::collections::{BTreeMap, VecDeque};

use crate::alert::{Alert, Verdict};
use crate::engine::decode::packet::Addr;
use crate::engine::time::{Span, Timestamp};

/// A contact is told of once in so long.
const ONCE_IN: Span = Span::from_secs(3_600);
/// Clients and indicators that are remembered; the one told of first goes first.
const MOST: usize = 8_192;

type Met = (u128, String, String);

/// What was told.
#[derive(Debug, Default)]
pub(super) struct Contacts {
    /// When, and how loud.
    told: BTreeMap<Met, (Timestamp, u8)>,
    order: VecDeque<(Met, Timestamp)>,
}

impl Contacts {
    /// True when an alert says no more than that its client met indicators of which it was told before, as loud at least.
    pub(super) fn repeats(&mut self, alert: &Alert) -> bool {
        if alert.indicators.is_empty() {
            return false;
        }
        let at = alert.forged.time;
        let (Addr(client), _) = alert.flow.client;
        let met = || alert.indicators.iter().map(|listed| (client, listed.value.clone(), listed.list.clone()));
        let known =
            met().all(|met| self.told.get(&met).is_some_and(|(before, severity)| at - *before < ONCE_IN && *severity <= alert.severity));
        if known && alert.verdict == Verdict::ListedContact {
            return true;
        }
        for met in met() {
            self.told.insert(met.clone(), (at, alert.severity));
            self.order.push_back((met, at));
        }
        while self.order.len() > MOST {
            if let Some((oldest, then)) = self.order.pop_front()
                && self.told.get(&oldest).is_some_and(|(last, _)| *last == then)
            {
                self.told.remove(&oldest);
            }
        }
        false
    }
}
