//! Listed indicators in an alert: as facts, as EVE has them, and in words.

use serde::Serialize;

use super::plain::cut;
use super::{Alert, Carrier, Mechanism, Verdict};

/// Characters of a listed entry that a sentence can carry.
const ENTRY_LIMIT: usize = 80;

/// A listed indicator that was met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorFacts {
    /// The entry, as its list writes it.
    pub value: String,
    /// What it is, as STIX names it: `domain-name`, `url`, `ipv4-addr`, `ipv6-addr`.
    pub kind: &'static str,
    /// Name of the list.
    pub list: String,
    /// Date of the list.
    pub list_date: Option<String>,
    /// Where it was seen.
    pub seen: &'static str,
    /// What was seen there.
    pub met: String,
}

#[derive(Serialize)]
pub(super) struct Indicator<'a> {
    value: String,
    #[serde(rename = "type")]
    kind: &'static str,
    list: String,
    list_date: Option<&'a str>,
    seen: &'static str,
    met: String,
}

impl<'a> Indicator<'a> {
    pub(super) fn new(facts: &'a IndicatorFacts, limit: usize) -> Self {
        Self {
            value: cut(&facts.value, limit).into_owned(),
            kind: facts.kind,
            list: cut(&facts.list, limit).into_owned(),
            list_date: facts.list_date.as_deref(),
            seen: facts.seen,
            met: cut(&facts.met, limit).into_owned(),
        }
    }
}

/// The headline where a listed indicator is the news, and no injection was seen.
pub(super) fn headline(alert: &Alert) -> Option<&'static str> {
    alert.indicators.first()?;
    Some(match alert.verdict {
        Verdict::ListedContact => "Contact with a listed indicator; nothing was seen to be forged",
        Verdict::EndpointRedirect if alert.severity <= 2 => {
            "A redirect to a listed indicator, made by the site itself or by something on its page"
        }
        Verdict::SuspiciousRedirect if alert.severity <= 2 => "A redirect to a listed indicator; nothing shows that it was forged",
        _ => return None,
    })
}

/// A last sentence with what is listed before it.
pub(super) fn before(alert: &Alert, last: String) -> String {
    let Some(first) = alert.indicators.first() else { return last };
    let date = first.list_date.as_ref().map_or_else(String::new, |date| format!(" of {date}"));
    let more = match alert.indicators.len() {
        1 => String::new(),
        others => format!(", and {} more", others - 1),
    };
    let last = last.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_lowercase() } else { c }).collect::<String>();
    format!(
        "The list {}{date} names {} ({}{more}); {last}",
        cut(&first.list, ENTRY_LIMIT),
        cut(&first.value, ENTRY_LIMIT),
        place(first.seen)
    )
}

/// One line for each, before it is wrapped.
pub(super) fn lines(alert: &Alert) -> Vec<String> {
    let line = |facts: &IndicatorFacts| {
        let date = facts.list_date.as_deref().unwrap_or("no date");
        format!("{} {} on {} ({date}), {}: {}", facts.kind, facts.value, facts.list, place(facts.seen), facts.met)
    };
    alert.indicators.iter().map(line).collect()
}

/// What the device did to meet the first of them, to follow "This device"; none where that is a matter of the connection.
pub(super) fn deed(alert: &Alert) -> Option<String> {
    let first = alert.indicators.first().filter(|_| alert.mechanism == Mechanism::Indicator && alert.http.is_none())?;
    let met = cut(&first.met, ENTRY_LIMIT);
    match first.seen {
        "dns_question" => Some(format!("asked DNS where {met} is")),
        "dns_answer" => Some(format!("was told of {met} by DNS")),
        "sni" => Some(format!("began an encrypted connection to {met}")),
        "host" => Some(format!("sent a request to {met}")),
        _ => None,
    }
}

/// EVE's name of the protocol in which the first of them was met.
pub(super) fn app_proto(alert: &Alert) -> Option<&'static str> {
    match alert.indicators.first()?.seen {
        "dns_question" | "dns_answer" => Some("dns"),
        "sni" => Some(if alert.flow.carrier == Carrier::Tcp { "tls" } else { "quic" }),
        "host" => Some("http"),
        _ => None,
    }
}

fn place(seen: &str) -> String {
    match seen {
        "location" => "seen as the target of the redirect".to_owned(),
        "url" => "seen as the address asked for".to_owned(),
        "host" => "seen as the host asked for".to_owned(),
        "server_address" => "seen as the server's address".to_owned(),
        "dns_question" => "seen as a name that DNS was asked for".to_owned(),
        "dns_answer" => "seen in an answer of DNS".to_owned(),
        "sni" => "seen as the server's name in a ClientHello".to_owned(),
        other => format!("seen in a {}", other.replace('_', " ")),
    }
}
