//! Addresses that systems ask for only to see whether a portal answers. As data (`rules/portals.toml`).

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// Addresses of one system, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalRule {
    /// Its name.
    pub name: Spanned<String>,
    /// Hosts, or the beginning of an address on a host with other uses: `host/path`.
    pub probes: Vec<Spanned<String>>,
    /// Where that is known from.
    #[serde(default)]
    pub source: String,
}

/// The addresses of all systems.
#[derive(Clone, Debug, Default)]
pub struct Portals {
    /// By host: beginnings of paths, and the rule that names them.
    probes: BTreeMap<String, Vec<(String, String)>>,
}

impl Portals {
    /// Adds addresses.
    pub fn add(&mut self, rule: &PortalRule) {
        for probe in &rule.probes {
            let probe = probe.get_ref();
            let (host, path) = probe.split_at(probe.find('/').unwrap_or(probe.len()));
            let path = if path.is_empty() { "/" } else { path };
            self.probes.entry(host.to_ascii_lowercase()).or_default().push((path.to_owned(), rule.name.get_ref().clone()));
        }
    }

    /// The name of the rule by which a request only asks whether there is a portal.
    #[must_use]
    pub fn probe(&self, host: &str, path: &str) -> Option<&str> {
        let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        let paths = self.probes.get(&host)?;
        paths.iter().find(|(known, _)| path.starts_with(known.as_str())).map(|(_, name)| name.as_str())
    }
}
