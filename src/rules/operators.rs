//! Hosts to which operators send their customers, and hosts that pay for visitors. As data (`rules/operators.toml`).

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::redirects::below;

/// Why clients of many sites are sent to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An operator tells its customers something.
    Notice,
    /// Somebody earns by every visitor.
    Advertiser,
}

/// Hosts of one owner, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorRule {
    /// Its name.
    pub name: Spanned<String>,
    /// Why clients are sent there.
    pub kind: Purpose,
    /// The hosts; names below them belong to them.
    pub hosts: Vec<Spanned<String>>,
    /// Where that is known from.
    pub source: String,
    /// When it was true, as a year or a date.
    pub date: String,
}

/// Who owns a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// `OperatorRule::name`.
    pub name: String,
    /// `OperatorRule::kind`.
    pub purpose: Purpose,
    /// `OperatorRule::source`.
    pub source: String,
    /// `OperatorRule::date`.
    pub date: String,
}

/// The hosts of all owners.
#[derive(Clone, Debug, Default)]
pub struct Operators {
    hosts: BTreeMap<String, Owner>,
}

impl Operators {
    /// Adds hosts.
    pub fn add(&mut self, rule: &OperatorRule) {
        let OperatorRule { name, kind, hosts, source, date } = rule;
        let owner = Owner { name: name.get_ref().clone(), purpose: *kind, source: source.clone(), date: date.clone() };
        self.hosts.extend(hosts.iter().map(|host| (host.get_ref().to_ascii_lowercase(), owner.clone())));
    }

    /// Who owns a host, or a name that it lies below.
    #[must_use]
    pub fn owner(&self, host: &str) -> Option<&Owner> {
        below(host).find_map(|name| self.hosts.get(name))
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::shipped;
    use super::Purpose;

    #[test]
    fn names_below_a_host_belong_to_it_and_names_that_end_alike_do_not() {
        let operators = shipped().rules.policy.operators;
        let purpose = |host| operators.owner(host).map(|owner| owner.purpose);
        assert_eq!(purpose("notification.etisalat.com.eg"), Some(Purpose::Notice));
        assert_eq!(purpose("a.notify.orange.eg"), Some(Purpose::Notice));
        assert_eq!(purpose("www.orange.eg"), None);
        assert_eq!(purpose("static.dbmads.com"), Some(Purpose::Advertiser));
        assert_eq!(purpose("notdbmads.com"), None);
    }
}
