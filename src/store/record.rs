//! What the database keeps of an alert or an event, in plain values.

use crate::alert::{Alert, Mechanism, SourceFacts, eve, explain, text};
use crate::engine::protocol::url::Address;

/// What kind of message a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An alert.
    Alert,
    /// The sensor lives.
    Heartbeat,
    /// The sensor sees nothing, or too little.
    Blind,
    /// It sees again.
    Seeing,
    /// Asked for by `sinks test` or `selftest`.
    Test,
}

/// An alert or an event, as committed and delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The alert's id, 16 hex digits; of an event a unique word. The idempotency key.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Packet time of what it is about, Unix microseconds.
    pub at: i64,
    /// 1 high, 2 medium, 3 low.
    pub severity: u8,
    /// EVE name of the mechanism; empty for events.
    pub mechanism: String,
    /// EVE name of the verdict; empty for events.
    pub verdict: String,
    /// Address of the victim.
    pub client: String,
    /// Address that the forgery claims to be from.
    pub server: String,
    /// One line in plain words.
    pub headline: String,
    /// The explanation, two or three sentences. What packets chose in it is escaped, and written so that nothing makes links of it.
    pub explanation: String,
    /// Records with the same key within the storm window are one whose count grows.
    pub storm_key: String,
    /// The EVE line.
    pub eve: String,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Alert, Self::Heartbeat, Self::Blind, Self::Seeing, Self::Test];

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Heartbeat => "heartbeat",
            Self::Blind => "blind",
            Self::Seeing => "seeing",
            Self::Test => "test",
        }
    }
    /// The kind of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Record {
    /// What is kept of an alert.
    #[must_use]
    pub fn of(alert: &Alert, source: &SourceFacts) -> Self {
        Self {
            id: format!("{:016x}", alert.id),
            kind: Kind::Alert,
            at: alert.forged.time.as_nanos().div_euclid(1_000),
            severity: alert.severity,
            mechanism: alert.mechanism.name().to_owned(),
            verdict: alert.verdict.name().to_owned(),
            client: alert.flow.client.0.to_string(),
            server: alert.flow.server.0.to_string(),
            headline: explain::headline(alert),
            explanation: text::explanation_in_line(alert),
            storm_key: storm_key(alert),
            eve: eve::to_line(alert, source),
        }
    }
}

/// What repeats of one attack have in common: how it is done, what it is held to be, who does it as far as that shows, and to whom.
///
/// Whoever forges shows himself by the host that he redirects to, by his hardware address in the local network, by the indicator that was
/// met; else there is only the name that he takes. Each victim is an alert of its own: fifty devices attacked are fifty people to be
/// helped, and the limit of each sink spreads them. An injection never counts as the repeat of something harmless, nor the other way round.
fn storm_key(alert: &Alert) -> String {
    let verdict = if alert.verdict.is_injection() { "injection" } else { alert.verdict.name() };
    format!("{}|{verdict}|{}|{}", alert.mechanism.name(), author(alert), alert.flow.client.0)
}

fn author(alert: &Alert) -> String {
    let claimed = || alert.flow.server.0.to_string();
    match alert.mechanism {
        Mechanism::ArpSpoof | Mechanism::NdpSpoof | Mechanism::DhcpRogue | Mechanism::RaRogue | Mechanism::IcmpRedirect => {
            alert.flow.ether.map_or_else(claimed, |(sender, _)| sender.map(|byte| format!("{byte:02x}")).join(":"))
        }
        Mechanism::Indicator => alert.indicators.first().map_or_else(claimed, |indicator| indicator.value.clone()),
        _ => {
            let target = alert.redirect.as_ref().and_then(|redirect| Address::parse(&redirect.to));
            target.map_or_else(claimed, |target| target.host().to_owned())
        }
    }
}
