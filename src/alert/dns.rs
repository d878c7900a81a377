//! Words for alerts about answers of DNS.

use super::when::plain_span;
use super::{Alert, DnsFacts, Grade, Verdict};

/// Characters of a name that a sentence can carry.
const NAME_LIMIT: usize = 80;
/// Answers that a sentence can tell.
const TOLD: usize = 3;

/// One line in plain words. It holds nothing that packets chose.
pub(super) fn headline(alert: &Alert, dns: &DnsFacts) -> String {
    let forged = match (alert.grade, dns.forged.len()) {
        (Grade::Confirmed | Grade::High, 0 | 1) => "A forged answer",
        (Grade::Medium, 0 | 1) => "A probably forged answer",
        (Grade::Low, 0 | 1) => "A possibly forged answer",
        (Grade::Confirmed | Grade::High, _) => "Forged answers",
        (Grade::Medium, _) => "Probably forged answers",
        (Grade::Low, _) => "Possibly forged answers",
    };
    let said = match alert.verdict {
        Verdict::OnPathInjection => format!("{forged} said where a name leads; the genuine answer was seen too"),
        verdict if verdict.is_injection() => format!("{forged} said where a name leads; the genuine answer never came"),
        _ if dns.genuine.is_empty() => "A name was answered with an address that forged answers are known by".to_owned(),
        _ => "A name was answered twice, and the answers contradict each other".to_owned(),
    };
    match said.split(';').next() {
        Some(first) if alert.severity >= 3 => format!("{first}, probably harmless"),
        _ => said,
    }
}

/// What was seen, in a sentence or two.
pub(super) fn story(alert: &Alert, dns: &DnsFacts) -> String {
    let resolver = alert.flow.server.0;
    let asked = format!("This device asked {resolver} where the name {} leads (type {})", short(&dns.name), dns.qtype);
    let forged = listed(&dns.forged);
    match alert.verdict {
        Verdict::OnPathInjection => {
            let (count, which) = if dns.forged.len() > 1 { ("several", "The forged ones say") } else { ("two", "The forged one says") };
            let genuine = match (dns.genuine.first(), &alert.genuine) {
                (Some(genuine), _) => format!("; the genuine one says {}{}", short(genuine), when(alert, dns)),
                (None, Some(_)) => format!("; the genuine one was seen too{}", when(alert, dns)),
                (None, None) => "; which of the others is genuine is not known".to_owned(),
            };
            format!(
                "{asked} and got {count} answers that contradict each other, in the name of {resolver}. {which} {forged}{genuine}, and devices \
                 usually believe the first."
            )
        }
        verdict if verdict.is_injection() => {
            let heard = alert.silence.map_or_else(String::new, |span| format!(" within {}", plain_span(span)));
            format!(
                "{asked}, and in the name of {resolver} came: {forged}. That was not made as this resolver's answers are, and no \
                 genuine answer came{heard}."
            )
        }
        _ if dns.genuine.is_empty() => {
            let rest = if alert.signals.len() > 1 {
                "More speaks against this one, but the watch ended before a genuine answer could have come"
            } else {
                "Nothing else speaks against this one"
            };
            format!("{asked}, and the answer was {forged}, which forged answers are known to say. {rest}.")
        }
        _ => {
            let unsure = if alert.signals.len() > 1 {
                "There are signs of two senders, but they are too few to say which answer is forged, or that one is."
            } else {
                "Nothing shows which of them is forged, or that one is."
            };
            format!("{asked} and got answers that contradict each other: {forged}, and {}. {unsure}", listed(&dns.genuine))
        }
    }
}

/// The last sentence.
pub(super) const fn outlook(alert: &Alert) -> &'static str {
    if alert.severity >= 3 {
        "This is probably harmless: resolvers that filter, load balancing and questions asked twice can look the same."
    } else if matches!(alert.grade, Grade::High | Grade::Confirmed) {
        "The packets show that somebody on the way did this; they do not show who, or why."
    } else {
        "That somebody on the way did this is likely but not certain; the packets do not show who, or why."
    }
}

fn when(alert: &Alert, dns: &DnsFacts) -> String {
    let Some(genuine) = &alert.genuine else { return String::new() };
    let gap = genuine.time - alert.forged.time;
    if gap.as_nanos() >= 0 {
        let which = if dns.forged.len() > 1 { "the first of them" } else { "it" };
        format!(" and came {} after {which}", plain_span(gap))
    } else {
        format!(" and had come {} before", plain_span(alert.forged.time - genuine.time))
    }
}

fn listed(said: &[String]) -> String {
    let shown: Vec<String> = said.iter().take(TOLD).map(|said| short(said)).collect();
    let more = said.len().saturating_sub(TOLD);
    if more > 0 { format!("{}, and {more} more", shown.join(", or ")) } else { shown.join(", or ") }
}

fn short(text: &str) -> String {
    super::plain::cut(text, NAME_LIMIT).into_owned()
}
