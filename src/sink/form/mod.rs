//! PURE: what a sink is told, in the form that it reads; one file per form. Attackers choose parts of every text, so each form escapes for itself.

pub(super) mod cef;
pub(super) mod eve;
mod generic;
pub(super) mod journal;
pub(super) mod ntfy;
mod pagerduty;
pub(super) mod plain;
mod slack;
mod standard;
pub(super) mod syslog;
mod teams;
#[cfg(test)]
mod tests;
mod thehive;

use serde_json::Value;

use crate::config::{Template, WebhookTarget};
use crate::store::{Delivery, Kind, Record};

/// Bytes of each fact in texts for people.
const FACT: usize = 200;

/// What is told, and what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Told<'a> {
    /// The record.
    pub(super) record: &'a Record,
    /// How many alike it stands for, 1 or more.
    pub(super) count: u64,
    /// The key by which a receiver knows it again.
    pub(super) key: String,
    /// The record's EVE line as a value.
    pub(super) eve: Value,
}

/// How loud a record is, in the steps that all forms map to their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loudness {
    /// Somebody should look now.
    High,
    /// Somebody should look today.
    Medium,
    /// Worth a record.
    Low,
    /// A sign of life.
    Silent,
}

impl<'a> Told<'a> {
    /// A delivery, looked at.
    pub(super) fn new(delivery: &'a Delivery) -> Self {
        let record = &delivery.record;
        Self { record, count: delivery.count.max(1), key: delivery.key(), eve: eve::value(record) }
    }

    /// The sensor's name, on one line.
    pub(super) fn sensor(&self) -> String {
        plain::cut(&plain::one_line(self.eve.get("host").and_then(Value::as_str).unwrap_or("sidewatch")), FACT)
    }

    /// How loud it is.
    pub(super) const fn loudness(&self) -> Loudness {
        match (self.record.kind, self.record.severity) {
            (Kind::Blind, _) | (Kind::Alert, 0 | 1) => Loudness::High,
            (Kind::Alert, 2) => Loudness::Medium,
            (Kind::Alert | Kind::Seeing | Kind::Test, _) => Loudness::Low,
            (Kind::Heartbeat, _) => Loudness::Silent,
        }
    }

    /// The headline for people, with how many it stands for.
    pub(super) fn headline(&self) -> String {
        let headline = plain::cut(&plain::defanged(&self.record.headline), 300);
        if self.count > 1 { format!("{headline} ({} times)", self.count) } else { headline }
    }

    /// The explanation for people.
    pub(super) fn explanation(&self) -> String {
        plain::cut(&plain::defanged(&self.record.explanation), 2000)
    }

    /// What else people want to see, by name; nothing empty.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let record = self.record;
        let facts = [
            ("Device", record.client.clone()),
            ("In the name of", record.server.clone()),
            ("Verdict", record.verdict.clone()),
            ("Mechanism", record.mechanism.clone()),
            ("Time", plain::time(record.at)),
            ("Sensor", self.sensor()),
            ("Id", record.id.clone()),
        ];
        let shown = facts.into_iter().map(|(name, text)| (name, plain::cut(&plain::defanged(&text), FACT)));
        shown.filter(|(_, text)| !text.is_empty()).collect()
    }
}

/// A webhook's body. `token` is what PagerDuty wants within it.
pub(super) fn body(target: &WebhookTarget, told: &Told<'_>, token: Option<&[u8]>) -> String {
    let value = match target.template {
        Template::Standard => return standard::body(told),
        Template::Generic => return generic::body(&target.fields, told),
        Template::Slack => slack::body(told),
        Template::Teams => teams::body(told),
        Template::Ntfy => ntfy::body(&target.url, told),
        Template::TheHive => thehive::body(told),
        Template::PagerDuty => pagerduty::body(told, &String::from_utf8_lossy(token.unwrap_or_default())),
    };
    plain::json(&value)
}
