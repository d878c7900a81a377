//! PURE: what a sink is told, in the form that it reads; one file per form. Attackers choose parts of every text, so each form escapes for itself.

pub(super) mod eve;
pub(super) mod plain;
pub(super) mod standard;

use serde_json::Value;

use crate::config::WebhookTarget;
use crate::store::{Delivery, Kind, Record};

/// What is told, and what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Told<'a> {
    /// The record.
    pub(super) record: &'a Record,
    /// How many alike it stands for, 1 or more.
    pub(super) count: u64,
    /// The record's EVE line as a value, with the count in it.
    pub(super) eve: Value,
}

impl<'a> Told<'a> {
    /// A delivery, looked at.
    pub(super) fn new(delivery: &'a Delivery) -> Self {
        let count = delivery.count.max(1);
        Self { record: &delivery.record, count, eve: eve::value(&delivery.record, count) }
    }

    /// The sensor's name.
    pub(super) fn sensor(&self) -> &str {
        self.eve.get("host").and_then(Value::as_str).unwrap_or("sidewatch")
    }

    /// Three words for how loud it is.
    pub(super) const fn loudness(&self) -> Loudness {
        match (self.record.kind, self.record.severity) {
            (Kind::Blind, _) | (Kind::Alert, 0 | 1) => Loudness::High,
            (Kind::Alert, 2) => Loudness::Medium,
            (Kind::Alert | Kind::Seeing | Kind::Test, _) => Loudness::Low,
            (Kind::Heartbeat, _) => Loudness::Silent,
        }
    }
}

/// A webhook's body.
pub(super) fn body(_target: &WebhookTarget, told: &Told<'_>, _token: Option<&[u8]>) -> String {
    standard::body(told)
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

/// The name of a kind of record, as in `sidewatch.alert`.
pub(super) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Alert => "alert",
        Kind::Heartbeat => "heartbeat",
        Kind::Blind => "blind",
        Kind::Seeing => "seeing",
        Kind::Test => "test",
    }
}
