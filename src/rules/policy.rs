//! What the owner of a sensor wants to hear of: suppressions, severities, and the bounds of the grades. Pure: the day is that of the packets.

use serde::Deserialize;
use toml::Spanned;

use super::network::Network;
use super::operators::Operators;
use super::pins::Pins;
use super::portals::Portals;
use super::redirects::below;
use crate::alert::Alert;
use crate::engine::protocol::url::Address;
use crate::engine::time::Timestamp;

/// A suppression or a severity, as written. All keys that are given must fit an alert; of a key's values one must.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// Its name.
    pub name: Spanned<String>,
    /// Why it is there: whoever reads it in a year must know.
    pub reason: Spanned<String>,
    /// The last day on which it holds, as 2027-01-31.
    #[serde(default)]
    pub expires: Option<Spanned<toml::Value>>,
    /// Networks or addresses of client or server.
    #[serde(default)]
    pub networks: Vec<Spanned<String>>,
    /// Domains of the host that was asked, or that a redirect leads to.
    #[serde(default)]
    pub hosts: Vec<Spanned<String>>,
    /// Names of fingerprints (S8), or hardware addresses of the watched device.
    #[serde(default)]
    pub devices: Vec<Spanned<String>>,
    /// Codes of detectors: it fits an alert whose points all come from these.
    #[serde(default)]
    pub detectors: Vec<Spanned<String>>,
    /// Verdicts.
    #[serde(default)]
    pub verdicts: Vec<Spanned<String>>,
    /// Mechanisms.
    #[serde(default)]
    pub mechanisms: Vec<Spanned<String>>,
    /// The severity, 1 to 3; for `[[severity]]` only.
    #[serde(default)]
    pub severity: Option<Spanned<i64>>,
}

/// Lower bounds of the grades, as written.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdRule {
    /// See `Thresholds`.
    pub low: Option<u8>,
    /// See `Thresholds`.
    pub medium: Option<u8>,
    /// See `Thresholds`.
    pub high: Option<u8>,
    /// See `Thresholds`.
    pub confirmed: Option<u8>,
}

/// Lower bounds of the grades, in points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Worth a record; at least 25, below which the engine tells nothing.
    pub low: u8,
    /// Probable.
    pub medium: u8,
    /// As good as sure, with evidence beyond shape and timing.
    pub high: u8,
    /// Sure, with two kinds of such evidence.
    pub confirmed: u8,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { low: 25, medium: 40, high: 65, confirmed: 90 }
    }
}

impl Thresholds {
    /// In rising order, between 25 and 100.
    #[must_use]
    pub const fn are_sound(self) -> bool {
        25 <= self.low && self.low < self.medium && self.medium < self.high && self.high < self.confirmed && self.confirmed <= 100
    }
}

/// A rule ready to be held against alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// Its name.
    pub name: String,
    /// Its reason.
    pub reason: String,
    /// The end of its last day.
    pub until: Option<Timestamp>,
    /// Networks of either end.
    pub networks: Vec<Network>,
    /// Domains, lower case.
    pub hosts: Vec<String>,
    /// Names of fingerprints.
    pub fingerprints: Vec<String>,
    /// Hardware addresses.
    pub macs: Vec<[u8; 6]>,
    /// Codes.
    pub detectors: Vec<String>,
    /// Names of verdicts.
    pub verdicts: Vec<String>,
    /// Names of mechanisms.
    pub mechanisms: Vec<String>,
}

/// What becomes of alerts.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// What is not told; the first that fits counts.
    pub suppressions: Vec<Exception>,
    /// How loud it is told; the first that fits counts.
    pub severities: Vec<(Exception, u8)>,
    /// Bounds of the grades.
    pub thresholds: Thresholds,
    /// Addresses that are asked for to find a portal.
    pub portals: Portals,
    /// Hosts to which operators send their customers.
    pub operators: Operators,
    /// What is known of the local network.
    pub pins: Pins,
}

impl Policy {
    /// The suppression that an alert falls under.
    #[must_use]
    pub fn suppression(&self, alert: &Alert) -> Option<&Exception> {
        self.suppressions.iter().find(|rule| rule.fits(alert))
    }

    /// The severity that a rule gives an alert.
    #[must_use]
    pub fn severity(&self, alert: &Alert) -> Option<(&Exception, u8)> {
        self.severities.iter().find(|(rule, _)| rule.fits(alert)).map(|(rule, severity)| (rule, *severity))
    }
}

impl Exception {
    /// Every condition that is given holds for the alert, on the day of its packets.
    #[must_use]
    pub fn fits(&self, alert: &Alert) -> bool {
        let any = |given: bool, holds: bool| !given || holds;
        self.until.is_none_or(|until| alert.forged.time <= until)
            && any(!self.networks.is_empty(), self.fits_network(alert))
            && any(!self.hosts.is_empty(), self.fits_host(alert))
            && any(!self.fingerprints.is_empty() || !self.macs.is_empty(), self.fits_device(alert))
            && any(!self.detectors.is_empty(), self.fits_detectors(alert))
            && any(!self.verdicts.is_empty(), self.verdicts.iter().any(|name| name == alert.verdict.name()))
            && any(!self.mechanisms.is_empty(), self.mechanisms.iter().any(|name| name == alert.mechanism.name()))
    }

    fn fits_network(&self, alert: &Alert) -> bool {
        let holds = |address| self.networks.iter().any(|network| network.holds(address));
        holds(alert.flow.client.0) || holds(alert.flow.server.0)
    }

    fn fits_host(&self, alert: &Alert) -> bool {
        let asked = alert.http.as_ref().and_then(|http| http.hostname.as_deref()).map(|host| host.split(':').next().unwrap_or(host));
        let target = alert.redirect.as_ref().and_then(|redirect| Address::parse(&redirect.to));
        let hosts = asked.map(str::to_ascii_lowercase).into_iter().chain(target.map(|target| target.host().to_owned()));
        hosts.into_iter().any(|host| below(&host).any(|name| self.hosts.iter().any(|known| known == name)))
    }

    fn fits_device(&self, alert: &Alert) -> bool {
        let by_mark = alert.signals.iter().filter(|signal| signal.code == "S8").any(|signal| {
            let names = |name: &String| signal.expected.starts_with(&format!("matches fingerprint {name} ("));
            self.fingerprints.iter().any(names)
        });
        by_mark || alert.flow.ether.is_some_and(|(_, client)| self.macs.contains(&client))
    }

    fn fits_detectors(&self, alert: &Alert) -> bool {
        let mut scored = alert.signals.iter().filter(|signal| signal.points > 0).peekable();
        scored.peek().is_some() && scored.all(|signal| self.detectors.iter().any(|code| code == signal.code))
    }
}
