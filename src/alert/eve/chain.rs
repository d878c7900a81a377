//! How the client came to what was answered with a redirect, and how it followed: `redirect.led_by` and `redirect.followed`.

use serde::Serialize;

use super::super::when::eve_time;
use super::super::{Followed, Lead, Step};
use super::kept;
use crate::engine::time::{Span, Timestamp};

/// What led the client to its request. Seconds count back from the forged packet.
#[derive(Serialize)]
pub(super) struct LedBy {
    how: &'static str,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<f64>,
}

impl LedBy {
    pub(super) fn new(lead: &Lead, until: Timestamp) -> Self {
        Self {
            how: lead.how(),
            url: kept(&lead.url),
            frame: lead.seen.map(|(frame, _)| frame),
            timestamp: lead.seen.map(|(_, time)| eve_time(time)),
            before: lead.seen.map(|(_, time)| seconds(until - time)),
        }
    }
}

/// How the client followed. Seconds count from the forged packet.
#[derive(Serialize)]
pub(super) struct Chain {
    how: &'static str,
    after: f64,
    connected: bool,
    new_domain: bool,
    steps: Vec<ChainStep>,
}

#[derive(Serialize)]
struct ChainStep {
    how: &'static str,
    after: f64,
    frame: u64,
    timestamp: String,
    hop: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    ip: String,
    port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    alpn: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ech: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ja4: Option<String>,
}

impl Chain {
    pub(super) fn new(followed: &Followed, since: Timestamp) -> Self {
        let steps: Vec<ChainStep> = followed.steps.iter().map(|step| ChainStep::new(step, since)).collect();
        // The step that proves most: what says the target's name proves more than an address, and a question to DNS proves least.
        let best = followed.steps.iter().max_by_key(|step| (step.how, std::cmp::Reverse(step.frame)));
        Self {
            how: best.map_or("", |step| step.how.name()),
            after: best.map_or(0.0, |step| seconds(step.time - since)),
            connected: followed.went(),
            new_domain: followed.new_domain,
            steps,
        }
    }
}

impl ChainStep {
    fn new(step: &Step, since: Timestamp) -> Self {
        let tls = step.tls.as_ref();
        Self {
            how: step.how.name(),
            after: seconds(step.time - since),
            frame: step.frame,
            timestamp: eve_time(step.time),
            hop: step.hop,
            name: step.name.as_deref().map(kept),
            url: step.url.as_deref().map(kept),
            ip: step.server.0.to_string(),
            port: step.server.1,
            alpn: tls.map(|tls| tls.alpn.clone()),
            ech: tls.map(|tls| tls.encrypted_hello),
            ja4: tls.map(|tls| tls.ja4.clone()),
        }
    }
}

/// In seconds, to the microsecond.
fn seconds(span: Span) -> f64 {
    (span.as_nanos() / 1_000) as f64 / 1e6
}
