//! Redirects that are made all day and mean nothing: link shorteners, single sign-on, trackers. As data (`rules/redirects.toml`).

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

/// Why a site sends its visitors elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// It is made to send people elsewhere: what it says itself is harmless, to be sent to it is not.
    Shortener,
    /// People are sent to it and back to log in.
    SingleSignOn,
    /// People are sent over it to be counted.
    Tracker,
}

/// A list of sites, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedirectRule {
    /// Its name.
    pub name: Spanned<String>,
    /// What the sites do.
    pub habit: Habit,
    /// The sites; names below them belong to them.
    pub domains: Vec<Spanned<String>>,
    /// Where that is known from.
    #[serde(default)]
    pub source: String,
}

/// The sites of all lists.
#[derive(Clone, Debug, Default)]
pub struct RedirectLists {
    sites: BTreeMap<String, (Habit, String)>,
}

impl RedirectLists {
    /// Adds a list.
    pub fn add(&mut self, rule: &RedirectRule) {
        for domain in &rule.domains {
            self.sites.insert(domain.get_ref().to_ascii_lowercase(), (rule.habit, rule.name.get_ref().clone()));
        }
    }

    /// The name of the list by which a redirect between two hosts is an everyday one.
    #[must_use]
    pub fn explains(&self, from: &str, to: &str) -> Option<&str> {
        let leaves = self.find(from);
        let reaches = self.find(to).filter(|(habit, _)| *habit != Habit::Shortener);
        leaves.or(reaches).map(|(_, name)| name.as_str())
    }

    fn find(&self, host: &str) -> Option<&(Habit, String)> {
        below(host).find_map(|name| self.sites.get(name))
    }
}

/// A host, and every name that it lies below.
pub(super) fn below(host: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(host), |name| name.split_once('.').map(|(_, rest)| rest))
}

#[cfg(test)]
mod tests {
    use super::super::Rules;

    #[test]
    fn what_a_shortener_says_is_harmless_and_being_sent_to_one_is_not() {
        let text = r#"
            [[redirect]]
            name = "short"
            habit = "shortener"
            domains = ["sho.test"]
            [[redirect]]
            name = "log-in"
            habit = "single_sign_on"
            domains = ["login.example"]
        "#;
        let (rules, wrong) = Rules::of_text("test.toml", text);
        assert_eq!(wrong, []);
        let lists = &rules.redirects;
        assert_eq!(lists.explains("www.sho.test", "news.example"), Some("short"));
        assert_eq!(lists.explains("news.example", "sho.test"), None);
        assert_eq!(lists.explains("shop.example", "a.login.example"), Some("log-in"));
        assert_eq!(lists.explains("login.example", "shop.example"), Some("log-in"));
        assert_eq!(lists.explains("notsho.test", "news.example"), None);
    }
}
