//! A file of rules: tables to what they say, and what is wrong with them. Every table of a file is read, however many are wrong.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::device::{Device, DeviceLibrary, Marks};
use super::diagnosis::{Diagnostic, Page, suggestion};
use super::dns_forged::{ForgedAddresses, Pool, PoolRule};
use super::network::Network;
use super::operators::{OperatorRule, Purpose};
use super::policy::{Exception, Policy, PolicyRule, ThresholdRule, Thresholds};
use super::portals::PortalRule;
use super::redirects::{Habit, RedirectLists, RedirectRule};
use crate::engine::time::Timestamp;

/// The tables that a file may hold.
pub const TABLES: [&str; 9] = ["device", "redirect", "portal", "operator", "pool", "pin", "suppress", "severity", "thresholds"];
/// Rules of all files together.
const MOST_RULES: usize = 10_000;
/// Verdicts, as alerts name them.
const VERDICTS: [&str; 9] = [
    "on_path_injection",
    "in_path_injection",
    "local_mitm",
    "captive_portal",
    "operator_notice",
    "endpoint_redirect",
    "suspicious_redirect",
    "listed_contact",
    "inconclusive",
];
/// Mechanisms, as alerts name them.
pub(crate) const MECHANISMS: [&str; 14] = [
    "http_redirect",
    "http_content",
    "tcp_content",
    "tcp_reset",
    "tcp_fin",
    "syn_ack",
    "dns_answer",
    "icmp_redirect",
    "arp_spoof",
    "ndp_spoof",
    "dhcp_rogue",
    "ra_rogue",
    "tls_downgrade",
    "indicator",
];

/// All rules that are in force.
#[derive(Debug, Default)]
pub struct Rules {
    /// Fingerprints.
    pub devices: DeviceLibrary,
    /// Everyday redirects.
    pub redirects: RedirectLists,
    /// Addresses that forged answers of DNS are known to carry.
    pub forged_addresses: ForgedAddresses,
    /// What is told, and how loud.
    pub policy: Policy,
    /// What there is, to be listed.
    pub entries: Vec<Entry>,
    /// The end of each rule that has one, and what to say from then on.
    pub expiries: Vec<(Timestamp, Diagnostic)>,
    names: BTreeMap<(&'static str, String), String>,
    /// Fingerprints that a rule names, which another file may hold, and what to say where none does.
    named: Vec<(String, Diagnostic)>,
}

/// A rule, to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The table it stands in.
    pub table: &'static str,
    /// Its name.
    pub name: String,
    /// What it does, in a sentence.
    pub does: String,
    /// Its file.
    pub file: String,
}

impl Rules {
    /// The rules of one text, and what is wrong with it.
    #[must_use]
    pub fn of_text(file: &str, text: &str) -> (Self, Vec<Diagnostic>) {
        let mut rules = Self::default();
        let wrong = rules.read(file, text);
        (rules, wrong)
    }

    /// What names a fingerprint that is not there.
    pub(super) fn dangling(&self) -> impl Iterator<Item = Diagnostic> {
        let is_there = |name: &String| self.devices.devices().iter().any(|device| device.name == *name);
        self.named.iter().filter(move |(name, _)| !is_there(name)).map(|(_, diagnostic)| diagnostic.clone())
    }

    /// Adds the rules of a file. What is wrong is left out and told.
    pub(super) fn read(&mut self, file: &str, text: &str) -> Vec<Diagnostic> {
        let page = Page { file, text };
        let (table, errors) = DeTable::parse_recoverable(text);
        // Where the form is broken, what the tables say is guesswork.
        if !errors.is_empty() {
            return errors.iter().take(20).map(|error| page.of(error, &(0..0))).collect();
        }
        let mut wrong = Vec::new();
        for (key, value) in table.into_inner() {
            let span = key.span();
            let mut sheet = Sheet { page, rules: self, wrong: &mut wrong };
            match key.get_ref().as_ref() {
                "device" => sheet.each(value, Sheet::device),
                "redirect" => sheet.each(value, Sheet::redirect),
                "portal" => sheet.each(value, Sheet::portal),
                "operator" => sheet.each(value, Sheet::operator),
                "pool" => sheet.each(value, Sheet::pool),
                "pin" => sheet.each(value, Sheet::pin),
                "suppress" => sheet.each(value, Sheet::suppress),
                "severity" => sheet.each(value, Sheet::severity),
                "thresholds" => sheet.thresholds(value),
                other => wrong.push(page.at(&span, format!("there is no table `{other}`"), suggestion(other, &TABLES))),
            }
        }
        wrong
    }
}

/// A file while it is read.
struct Sheet<'a> {
    page: Page<'a>,
    rules: &'a mut Rules,
    wrong: &'a mut Vec<Diagnostic>,
}

impl Sheet<'_> {
    fn complain(&mut self, span: &Range<usize>, what: impl Into<String>, fix: impl Into<String>) {
        self.wrong.push(self.page.at(span, what, fix));
    }

    /// Every table of an array of tables.
    fn each<T: DeserializeOwned>(&mut self, value: Spanned<DeValue<'_>>, take: fn(&mut Self, T, Range<usize>)) {
        let span = value.span();
        let DeValue::Array(tables) = value.into_inner() else {
            return self.complain(&span, "is one table, and there may be several", "write its heading in double brackets, as [[device]]");
        };
        for table in tables {
            let span = table.span();
            match T::deserialize(toml::de::ValueDeserializer::from(table)) {
                Ok(_) if self.rules.entries.len() >= MOST_RULES => {
                    return self.complain(&span, format!("there are more than {MOST_RULES} rules"), "remove some");
                }
                Ok(rule) => take(self, rule, span),
                Err(error) => self.wrong.push(self.page.of(&error, &span)),
            }
        }
    }

    /// Enters a rule; false when one of the same name is there.
    fn enter(&mut self, table: &'static str, name: &Spanned<String>, does: String) -> bool {
        let file = self.page.file.to_owned();
        let known = self.rules.names.insert((table, name.get_ref().clone()), file.clone());
        if name.get_ref().trim().is_empty() {
            self.complain(&name.span(), "the name is empty", "give it a name that an alert or a report can repeat");
            return false;
        }
        if let Some(known) = known {
            let what = format!("a [[{table}]] named \"{}\" is there already, in {known}", name.get_ref());
            self.complain(&name.span(), what, "give each its own name, or remove one");
            return false;
        }
        self.rules.entries.push(Entry { table, name: name.get_ref().clone(), does, file });
        true
    }

    fn device(&mut self, device: Device, span: Range<usize>) {
        let before = self.wrong.len();
        let given = device.marks.given();
        for name in device.mandatory.iter().filter(|name| !given.contains(&name.as_str())) {
            let fix = suggestion(name, &given);
            self.complain(&span, format!("the mandatory mark `{name}` is not among the marks"), fix);
        }
        if given.len() < Marks::FEWEST {
            self.complain(&span, format!("has {} marks, and fewer than {} match by chance", given.len(), Marks::FEWEST), "add marks");
        }
        for flaw in device.marks.flaws() {
            self.complain(&span, flaw, "see the entries of rules/devices.toml");
        }
        let name = Spanned::new(span, device.name.clone());
        let does = format!("known device, by {} ({})", given.join(", "), device.source);
        if before == self.wrong.len() && self.enter("device", &name, does) {
            self.rules.devices.add(device);
        }
    }

    fn redirect(&mut self, rule: RedirectRule, _: Range<usize>) {
        let before = self.wrong.len();
        self.domains(&rule.domains, &rule.name, "domains");
        let what = match rule.habit {
            Habit::Shortener => "redirects by them count nothing in S11",
            Habit::SingleSignOn | Habit::Tracker => "redirects to them and by them count nothing in S11",
        };
        let does = format!("{} sites: {what}", rule.domains.len());
        if before == self.wrong.len() && self.enter("redirect", &rule.name, does) {
            self.rules.redirects.add(&rule);
        }
    }

    fn portal(&mut self, rule: PortalRule, _: Range<usize>) {
        let before = self.wrong.len();
        let hosts: Vec<Spanned<String>> = rule
            .probes
            .iter()
            .map(|probe| Spanned::new(probe.span(), probe.get_ref().split('/').next().unwrap_or_default().to_owned()))
            .collect();
        self.domains(&hosts, &rule.name, "probes");
        let does = format!("a redirect of a request for {} addresses is a portal's, unless another answer contradicts it", hosts.len());
        if before == self.wrong.len() && self.enter("portal", &rule.name, does) {
            self.rules.policy.portals.add(&rule);
        }
    }

    fn operator(&mut self, rule: OperatorRule, _: Range<usize>) {
        let before = self.wrong.len();
        self.domains(&rule.hosts, &rule.name, "hosts");
        let what = match rule.kind {
            Purpose::Notice => "a redirect there is an operator's notice, unless another answer contradicts it",
            Purpose::Advertiser => "redirects there are no operator's notice, however many are sent there",
        };
        let does = format!("{} hosts: {what} ({}, {})", rule.hosts.len(), rule.source, rule.date);
        if before == self.wrong.len() && self.enter("operator", &rule.name, does) {
            self.rules.policy.operators.add(&rule);
        }
    }

    fn pool(&mut self, rule: PoolRule, _: Range<usize>) {
        let before = self.wrong.len();
        let mut ranges = Vec::new();
        for address in &rule.addresses {
            match Network::parse(address.get_ref()) {
                Some(known) => ranges.push(known.ends()),
                None => {
                    let what = format!("\"{}\" is neither an address nor a network", address.get_ref());
                    self.complain(&address.span(), what, "write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32");
                }
            }
        }
        if rule.addresses.is_empty() {
            self.complain(&rule.name.span(), "`addresses` is empty", "name at least one, or remove the rule");
        }
        let does = format!("{} addresses and networks that forged answers of DNS carry ({}, {})", ranges.len(), rule.source, rule.date);
        if before == self.wrong.len() && self.enter("pool", &rule.name, does) {
            let PoolRule { name, source, date, .. } = rule;
            self.rules.forged_addresses.add(Pool { name: name.into_inner(), source, date }, &ranges);
        }
    }

    fn suppress(&mut self, rule: PolicyRule, span: Range<usize>) {
        if let Some(severity) = &rule.severity {
            self.complain(&severity.span(), "what is suppressed has no severity", "remove the key, or write [[severity]]");
        }
        if let Some(exception) = self.exception("suppress", &rule, &span) {
            self.rules.policy.suppressions.push(exception);
        }
    }

    fn severity(&mut self, rule: PolicyRule, span: Range<usize>) {
        let severity = rule.severity.as_ref().map(|value| (*value.get_ref(), value.span()));
        let level = match severity {
            Some((level @ 1..=3, _)) => u8::try_from(level).ok(),
            Some((level, place)) => {
                self.complain(&place, format!("there is no severity {level}"), "1 is high, 2 medium, 3 low");
                None
            }
            None => {
                self.complain(&span, "the key `severity` is missing", "add severity = 3 (1 is high, 2 medium, 3 low)");
                None
            }
        };
        if let (Some(level), Some(exception)) = (level, self.exception("severity", &rule, &span)) {
            self.rules.policy.severities.push((exception, level));
        }
    }

    fn thresholds(&mut self, value: Spanned<DeValue<'_>>) {
        let span = value.span();
        let rule: ThresholdRule = match serde::Deserialize::deserialize(toml::de::ValueDeserializer::from(value)) {
            Ok(rule) => rule,
            Err(error) => return self.wrong.push(self.page.of(&error, &span)),
        };
        let usual = self.rules.policy.thresholds;
        let thresholds = Thresholds {
            low: rule.low.unwrap_or(usual.low),
            medium: rule.medium.unwrap_or(usual.medium),
            high: rule.high.unwrap_or(usual.high),
            confirmed: rule.confirmed.unwrap_or(usual.confirmed),
        };
        if !thresholds.are_sound() {
            let fix = "25 <= low < medium < high < confirmed <= 100; the defaults are 25, 40, 65, 90";
            return self.complain(&span, "the bounds do not rise", fix);
        }
        let name = Spanned::new(span, "thresholds".to_owned());
        let Thresholds { low, medium, high, confirmed } = thresholds;
        if self.enter("thresholds", &name, format!("grades from {low}, {medium}, {high}, {confirmed} points")) {
            self.rules.policy.thresholds = thresholds;
        }
    }

    /// The conditions of a suppression or a severity; none when something is wrong.
    fn exception(&mut self, table: &'static str, rule: &PolicyRule, span: &Range<usize>) -> Option<Exception> {
        let before = self.wrong.len();
        if rule.reason.get_ref().trim().is_empty() {
            self.complain(&rule.reason.span(), "the reason is empty", "say why, for whoever reads it in a year");
        }
        let mut exception = Exception { name: rule.name.get_ref().clone(), reason: rule.reason.get_ref().clone(), ..Exception::default() };
        for network in &rule.networks {
            match Network::parse(network.get_ref()) {
                Some(known) => exception.networks.push(known),
                None => {
                    let what = format!("\"{}\" is no network", network.get_ref());
                    self.complain(&network.span(), what, "write 192.0.2.0/24, 2001:db8::/32 or an address");
                }
            }
        }
        if !rule.hosts.is_empty() {
            self.domains(&rule.hosts, &rule.name, "hosts");
        }
        exception.hosts = rule.hosts.iter().map(|host| host.get_ref().to_ascii_lowercase()).collect();
        for device in &rule.devices {
            match mac_of(device.get_ref()) {
                Some(mac) => exception.macs.push(mac),
                None => {
                    let name = device.get_ref();
                    let what = format!("\"{name}\" is neither a fingerprint nor a hardware address");
                    let fix = "`sidewatch rules list` has the names of fingerprints; an address is written 02:00:5e:10:00:01";
                    self.rules.named.push((name.clone(), self.page.at(&device.span(), what, fix)));
                    exception.fingerprints.push(name.clone());
                }
            }
        }
        for code in rule.detectors.iter().filter(|code| !is_code(code.get_ref())) {
            let what = format!("there is no detector \"{}\"", code.get_ref());
            self.complain(&code.span(), what, "codes are S1 to S17, some with a letter more as S6+ and S14d, and H");
        }
        exception.detectors = rule.detectors.iter().map(|code| code.get_ref().clone()).collect();
        exception.verdicts = self.known(&rule.verdicts, "verdict", &VERDICTS);
        exception.mechanisms = self.known(&rule.mechanisms, "mechanism", &MECHANISMS);
        exception.until = rule.expires.as_ref().and_then(|day| self.end_of(day, table, rule));
        let unconditional =
            Exception { name: exception.name.clone(), reason: exception.reason.clone(), until: exception.until, ..Exception::default() };
        if exception == unconditional && before == self.wrong.len() {
            let fix = "add networks, hosts, devices, detectors, verdicts or mechanisms";
            self.complain(span, "has no condition, and would fit every alert", fix);
        }
        if before < self.wrong.len() {
            return None;
        }
        let until = rule.expires.as_ref().map_or_else(|| "for ever".to_owned(), |day| format!("until {}", plain_day(day.get_ref())));
        let does = match table {
            "suppress" => format!("alerts that fit are not told, {until}: {}", exception.reason),
            _ => format!(
                "alerts that fit have severity {}, {until}: {}",
                rule.severity.as_ref().map_or(0, |s| *s.get_ref()),
                exception.reason
            ),
        };
        self.enter(table, &rule.name, does).then_some(exception)
    }

    /// Names of one kind, each of which must be known.
    fn known(&mut self, values: &[Spanned<String>], kind: &str, known: &[&str]) -> Vec<String> {
        for value in values.iter().filter(|value| !known.contains(&value.get_ref().as_str())) {
            let word = value.get_ref();
            self.complain(&value.span(), format!("there is no {kind} \"{word}\""), suggestion(word, known));
        }
        values.iter().map(|value| value.get_ref().clone()).collect()
    }

    fn domains(&mut self, domains: &[Spanned<String>], name: &Spanned<String>, key: &str) {
        if domains.is_empty() {
            self.complain(&name.span(), format!("`{key}` is empty"), "name at least one, or remove the rule");
        }
        for domain in domains {
            let text = domain.get_ref();
            let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
            if !is_name || text.is_empty() || text.split('.').any(str::is_empty) {
                let what = format!("\"{text}\" is no domain");
                self.complain(&domain.span(), what, "write it without scheme, port, wildcard and path, as news.example");
            }
        }
    }

    /// The end of a rule's last day.
    fn end_of(&mut self, day: &Spanned<toml::Value>, table: &str, rule: &PolicyRule) -> Option<Timestamp> {
        let text = plain_day(day.get_ref());
        let end = text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10).and_then(|date| {
            let last = date.at(23, 59, 59, 999_999_999);
            let stamp = jiff::tz::Offset::UTC.to_timestamp(last).ok()?;
            Some(Timestamp::from_parts(stamp.as_second(), i64::from(stamp.subsec_nanosecond())))
        });
        match end {
            Some(end) => {
                let what = format!("the [[{table}]] \"{}\" expired on {text} and does nothing", rule.name.get_ref());
                self.rules.expiries.push((end, self.page.at(&day.span(), what, "remove it, or give it a later day")));
                Some(end)
            }
            None => {
                self.complain(&day.span(), format!("\"{text}\" is no day"), "write expires = 2027-01-31");
                None
            }
        }
    }
}

/// A code as detectors have it.
fn is_code(code: &str) -> bool {
    let number = code.strip_prefix('S').map(|rest| rest.trim_end_matches(|c: char| c == '+' || c.is_ascii_lowercase()));
    code == "H" || code.len() <= 4 && number.and_then(|number| number.parse::<u8>().ok()).is_some_and(|number| (1..=17).contains(&number))
}

fn plain_day(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A hardware address.
fn mac_of(text: &str) -> Option<[u8; 6]> {
    let octets: Vec<u8> =
        text.split([':', '-']).map(|part| u8::from_str_radix(part, 16).ok().filter(|_| part.len() == 2)).collect::<Option<_>>()?;
    octets.try_into().ok()
}

mod pin;
#[cfg(test)]
mod tests;
