//! What happened, in a few plain sentences for a person who knows no TCP: what was compared, what it shows, and what is not known.

use super::dns;
use super::led;
use super::listed;
use super::local::{self, is_local};
use super::plain::host_of;
use super::when::plain_span;
use super::{Alert, ClosedBecause, Grade, How, Mechanism, Verdict};

#[cfg(test)]
mod tests;

/// Characters of an address that a sentence can carry.
const ADDRESS_LIMIT: usize = 72;
/// Said of a packet that contradicts another while its header gives no sign which of the two is the server's.
const JUDGED: &str = "was judged to be the forged one";
/// What a captive portal's answer is.
const PORTAL: &str = "a log-in page as hotels, trains and cafes have them";
/// What an operator's notice is.
const NOTICE: &str = "a notice of the network's operator to its customers";
/// Characters of the longest name in DNS (RFC 1035, section 2.3.4, in its written form).
const HOST_LIMIT: usize = 253;

/// One line in plain words. It holds nothing that packets chose.
#[must_use]
pub fn headline(alert: &Alert) -> String {
    if is_local(alert) {
        return local::headline(alert);
    }
    if let Some(facts) = &alert.dns {
        return dns::headline(alert, facts);
    }
    if let Some(headline) = listed::headline(alert) {
        return headline.to_owned();
    }
    let forged = match alert.grade {
        Grade::Confirmed | Grade::High => "forged",
        Grade::Medium => "probably forged",
        Grade::Low => "possibly forged",
    };
    let said = match alert.verdict {
        Verdict::OnPathInjection if is_contradicted(alert) => {
            format!("A {forged} {}; the server's own packets contradict it", deed_in_words(alert.mechanism))
        }
        Verdict::OnPathInjection => format!("A {forged} {}", forged_thing(alert.mechanism, true)),
        Verdict::InPathInjection | Verdict::LocalMitm => format!("A {forged} {}", forged_thing(alert.mechanism, false)),
        Verdict::EndpointRedirect => format!("A {} by {}", plain_thing(alert.mechanism), led::maker_in_short(alert)),
        Verdict::CaptivePortal => "A log-in page of this network, by its shape".to_owned(),
        Verdict::OperatorNotice => "A notice of the network's operator, by its shape".to_owned(),
        Verdict::ListedContact => "Contact with a listed indicator".to_owned(),
        Verdict::SuspiciousRedirect => "An unusual redirect; nothing shows that it was forged".to_owned(),
        Verdict::Inconclusive => format!("A {} that does not fit; too little was seen to say why", plain_thing(alert.mechanism)),
    };
    match said.split(';').next() {
        Some(first) if alert.severity >= 3 => format!("{first}, probably harmless"),
        _ => said,
    }
}

/// Two or three plain sentences. Addresses in them are as the packets had them, cut but not escaped.
#[must_use]
pub fn explanation(alert: &Alert) -> String {
    if is_local(alert) {
        return format!("{} {}", local::story(alert), local::outlook(alert));
    }
    if let Some(facts) = &alert.dns {
        return format!("{} {}", dns::story(alert, facts), dns::outlook(alert));
    }
    let (what, shown) = match alert.verdict {
        Verdict::OnPathInjection => (two_answers(alert), author_unknown(alert)),
        Verdict::InPathInjection => (one_answer(alert), author_unknown(alert)),
        Verdict::LocalMitm => (one_answer(alert), inside_this_network(alert)),
        Verdict::EndpointRedirect => (by_the_site(alert), harmless(alert, "sites and the advertisements on them redirect all the time")),
        Verdict::CaptivePortal => {
            (by_the_network(alert, PORTAL), harmless(alert, "networks show such pages on purpose and to everybody on them"))
        }
        Verdict::OperatorNotice => {
            (by_the_network(alert, NOTICE), harmless(alert, "operators show such pages when a quota is used up or a bill is unpaid"))
        }
        Verdict::ListedContact => (in_contact(alert), harmless(alert, "lists grow old, and who looks into a case goes there too")),
        Verdict::SuspiciousRedirect => {
            (by_shape(alert), harmless(alert, "advertisements, trackers and link shorteners redirect in the same way"))
        }
        Verdict::Inconclusive => {
            (inconclusive(alert), harmless(alert, "lost packets, load balancers and proxies can leave the same traces"))
        }
    };
    let shown = listed::before(alert, shown);
    match followed(alert) {
        Some(went) => format!("{what} {went}, and {}", as_clause(&shown)),
        None => format!("{what} {shown}"),
    }
}

/// A sentence behind another.
fn as_clause(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// That the device went there, and how soon.
fn followed(alert: &Alert) -> Option<String> {
    let chain = alert.redirect.as_ref().and_then(|redirect| redirect.followed.as_ref())?;
    let first = chain.steps.iter().find(|step| step.how != How::DnsQuestion)?;
    Some(format!("The device went there {} later", plain_span(first.time - alert.forged.time)))
}

/// What a forged packet of this kind is to the person at the device, and whether the server was heard besides.
const fn forged_thing(mechanism: Mechanism, heard: bool) -> &'static str {
    match (mechanism, heard) {
        (Mechanism::HttpRedirect, true) => "answer sent this device elsewhere; the genuine answer was seen too",
        (Mechanism::HttpRedirect, false) => "answer sent this device elsewhere; the genuine answer never came",
        (Mechanism::HttpContent, true) => "answer gave this device other content; the genuine one was seen too",
        (Mechanism::HttpContent, false) => "answer gave this device other content; the genuine one never came",
        (Mechanism::TlsDowngrade, true) => "answer kept this device from an encrypted page; the genuine one was seen too",
        (Mechanism::TlsDowngrade, false) => "answer kept this device from an encrypted page",
        (Mechanism::TcpContent, true) => "piece of data in a connection; the genuine one was seen too",
        (Mechanism::TcpContent, false) => "piece of data in a connection; the genuine one never came",
        (Mechanism::TcpReset, true) => "signal broke off a connection; the server itself went on",
        (Mechanism::TcpReset, false) => "signal broke off a connection; the server was not heard again",
        (Mechanism::TcpFin, true) => "signal closed a connection; the server itself went on",
        (Mechanism::TcpFin, false) => "signal closed a connection; the server was not heard again",
        (Mechanism::SynAck, true) => "answer to an attempt to connect; the genuine answer was seen too",
        (Mechanism::SynAck, false) => "answer to an attempt to connect; the genuine answer never came",
        (Mechanism::DnsAnswer, true) => "answer to the question where a name leads; the genuine answer was seen too",
        (Mechanism::DnsAnswer, false) => "answer to the question where a name leads; the genuine answer never came",
        // Of these `local` speaks.
        (
            Mechanism::ArpSpoof
            | Mechanism::NdpSpoof
            | Mechanism::DhcpRogue
            | Mechanism::RaRogue
            | Mechanism::IcmpRedirect
            | Mechanism::Indicator,
            _,
        ) => "message of the local network",
    }
}

/// An answer or data of which no second version was seen.
fn is_contradicted(alert: &Alert) -> bool {
    let two_versions = alert.signals.iter().any(|signal| signal.code == "S1");
    alert.genuine.is_none()
        && !two_versions
        && matches!(alert.mechanism, Mechanism::HttpRedirect | Mechanism::HttpContent | Mechanism::TcpContent | Mechanism::TlsDowngrade)
}

const fn deed_in_words(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::HttpRedirect => "answer sent this device elsewhere",
        Mechanism::HttpContent => "answer gave this device other content",
        Mechanism::TlsDowngrade => "answer kept this device from an encrypted page",
        _ => "piece of data in a connection",
    }
}

const fn plain_thing(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::HttpRedirect => "redirect",
        Mechanism::HttpContent | Mechanism::TlsDowngrade => "web answer",
        Mechanism::TcpContent => "piece of data",
        Mechanism::TcpReset => "broken-off connection",
        Mechanism::TcpFin => "closed connection",
        Mechanism::SynAck => "connection set-up",
        Mechanism::DnsAnswer => "name answer",
        Mechanism::ArpSpoof
        | Mechanism::NdpSpoof
        | Mechanism::DhcpRogue
        | Mechanism::RaRogue
        | Mechanism::IcmpRedirect
        | Mechanism::Indicator => "message of the local network",
    }
}

/// The genuine answer came too.
fn two_answers(alert: &Alert) -> String {
    let (asked, mark) = (asked(alert), mark(alert));
    let (deed, when) = (deed(alert), genuine_came(alert));
    match alert.mechanism {
        _ if is_contradicted(alert) => {
            format!("This device {asked}, and a packet in the server's name {deed}. That packet {mark}, and {when}.")
        }
        Mechanism::HttpRedirect | Mechanism::HttpContent | Mechanism::TlsDowngrade | Mechanism::DnsAnswer => {
            format!(
                "This device {asked} and got two different answers in the name of the same server. One of them {mark} and {deed}; {when}."
            )
        }
        Mechanism::TcpContent => format!(
            "This device {asked}, and two different pieces of data arrived for the same place in that connection. One of them {mark} and \
             {deed}; {when}."
        ),
        Mechanism::TcpReset
        | Mechanism::TcpFin
        | Mechanism::ArpSpoof
        | Mechanism::NdpSpoof
        | Mechanism::DhcpRogue
        | Mechanism::RaRogue
        | Mechanism::IcmpRedirect
        | Mechanism::Indicator => {
            format!("This device {asked}, and a packet in the server's name {deed}. That packet {mark}, and {when}.")
        }
        Mechanism::SynAck => format!(
            "This device {asked} and got two answers that contradict each other, as if two machines had picked up the same call. One of \
             them {mark} and {deed}; {when}."
        ),
    }
}

/// The genuine answer never came.
fn one_answer(alert: &Alert) -> String {
    format!(
        "This device {}, and a packet in the server's name {}. That packet {}, and {}: something on the way seems to have answered in the \
         server's place and held the genuine answer back.",
        asked(alert),
        deed(alert),
        mark(alert),
        silence(alert)
    )
}

/// By what the packet was told from the server's, to follow the packet.
fn mark(alert: &Alert) -> &'static str {
    let has = |codes: &[&str]| alert.signals.iter().any(|signal| codes.contains(&signal.code));
    if has(&["H", "S4", "S5", "S6"]) {
        "does not match the server's other packets in this connection"
    } else if has(&["S8"]) {
        "has the marks of a known kind of device that answers in the name of servers"
    } else {
        JUDGED
    }
}

fn in_contact(alert: &Alert) -> String {
    let deed = listed::deed(alert).unwrap_or_else(|| asked(alert));
    format!("This device {deed}. Nothing in the packets shows that anything was forged.")
}

fn by_the_site(alert: &Alert) -> String {
    format!(
        "This device {}, and the answer {}. It looks like the server's other packets in this connection, so {}.",
        asked(alert),
        deed(alert),
        led::maker(alert)
    )
}

fn by_the_network(alert: &Alert, page: &str) -> String {
    format!(
        "This device {}, and the answer {}. By its shape that is {page}, put in the place of the site's answer; nothing else was checked.",
        asked(alert),
        deed(alert)
    )
}

fn by_shape(alert: &Alert) -> String {
    format!(
        "This device {}, and the answer {}. The form of that redirect is unusual, but nothing in the packets shows that anyone other than \
         the server sent it.",
        asked(alert),
        deed(alert)
    )
}

fn inconclusive(alert: &Alert) -> String {
    let sensor = &alert.sensor;
    let missing = if sensor.one_sided {
        "only one direction of the connection was seen"
    } else if !sensor.handshake_seen {
        "the beginning of the connection was not seen"
    } else if sensor.kernel_drops > 0 || sensor.gaps > 0 {
        "parts of the connection are missing from what was seen"
    } else if sensor.offload_frames {
        "this machine had merged packets before they could be compared"
    } else {
        "too few other packets of the server were there to compare with"
    };
    format!(
        "This device {}, and a packet in the server's name {}. Something about that packet does not fit, but {missing}, so what happened \
         cannot be said.",
        asked(alert),
        deed(alert)
    )
}

/// What the device had done, to follow "This device".
fn asked(alert: &Alert) -> String {
    let from = alert.redirect.as_ref().and_then(|redirect| redirect.from.as_deref());
    let host = alert.http.as_ref().and_then(|http| http.hostname.as_deref());
    match (from, host) {
        (Some(address), _) => format!("asked for {}{}", short(address), led::by_page(alert)),
        (None, Some(host)) => format!("asked {} for a page", short(host)),
        (None, None) => {
            let (addr, port) = alert.flow.server;
            let verb = match alert.mechanism {
                Mechanism::SynAck => "tried to connect to",
                Mechanism::DnsAnswer => "asked for the address of a name at",
                _ => "was connected to",
            };
            format!("{verb} {addr} (port {port})")
        }
    }
}

/// What the packet did, to follow the packet.
fn deed(alert: &Alert) -> String {
    match (alert.mechanism, &alert.redirect) {
        (_, Some(redirect)) => format!("sent the device to {}", short(&redirect.to)),
        (Mechanism::HttpRedirect, None) => "sent the device to another address".to_owned(),
        (Mechanism::TlsDowngrade, None) => "kept the device from an encrypted page".to_owned(),
        (Mechanism::HttpContent, None) => "gave the device other content".to_owned(),
        (Mechanism::TcpContent, None) => "brought other data".to_owned(),
        (Mechanism::TcpReset, None) => "broke the connection off".to_owned(),
        (Mechanism::TcpFin, None) => "said that the server had finished".to_owned(),
        (Mechanism::SynAck, None) => "offered a connection of its own".to_owned(),
        (Mechanism::DnsAnswer, None) => "named another address".to_owned(),
        (
            Mechanism::ArpSpoof
            | Mechanism::NdpSpoof
            | Mechanism::DhcpRogue
            | Mechanism::RaRogue
            | Mechanism::IcmpRedirect
            | Mechanism::Indicator,
            None,
        ) => "gave the device other settings".to_owned(),
    }
}

/// When the genuine packet came, and what that usually means to the device.
fn genuine_came(alert: &Alert) -> String {
    let Some(genuine) = &alert.genuine else {
        let contradicts = alert.signals.iter().any(|signal| signal.code == "S9");
        let said = if contradicts {
            "the server's own count of what it sent does not include it"
        } else {
            "the server itself was heard afterwards"
        };
        return said.to_owned();
    };
    let gap = genuine.time - alert.forged.time;
    let closing = matches!(alert.mechanism, Mechanism::TcpReset | Mechanism::TcpFin);
    match (gap.as_nanos() >= 0, closing) {
        (true, true) => format!("the server itself went on: its next packet arrived {} later", plain_span(gap)),
        (false, true) => format!("the server's own packet for that place had arrived {} earlier", plain_span(gap)),
        (true, false) => {
            format!("the genuine one arrived {} later, and devices usually believe the first", plain_span(gap))
        }
        (false, false) => {
            format!("the genuine one had arrived {} earlier, and devices usually believe the first", plain_span(gap))
        }
    }
}

fn silence(alert: &Alert) -> String {
    let until = if alert.closed_because == ClosedBecause::EndOfCapture { ", where the capture ends" } else { "" };
    match alert.silence {
        Some(span) => format!("the server itself was not heard within {}{until}", plain_span(span)),
        None => "the server itself was not heard afterwards".to_owned(),
    }
}

/// The last sentence of an injection: who did it is never in the packets.
fn author_unknown(alert: &Alert) -> String {
    if alert.severity >= 3 {
        return harmless(alert, "proxies that send data again and faulty network equipment can leave the same traces");
    }
    if alert.grade >= Grade::High && mark(alert) != JUDGED {
        "The packets show that somebody on the way did this; they do not show who, or why.".to_owned()
    } else {
        "That somebody on the way did this is likely but not certain; the packets do not show who, or why.".to_owned()
    }
}

/// The last sentence where the path had been bent in this network before.
fn inside_this_network(alert: &Alert) -> String {
    if alert.severity >= 3 {
        return author_unknown(alert);
    }
    "Shortly before, a machine in this very network had drawn traffic to itself, so look there first; who did it the packets do not show."
        .to_owned()
}

/// The last sentence of what wakes nobody.
fn harmless(alert: &Alert, why: &str) -> String {
    if alert.severity >= 3 { format!("This is probably harmless: {why}.") } else { format!("It may still be harmless: {why}.") }
}

/// An address whole, or the host of a long one: cutting would hide the host of `http://known.example.long@other.example/`.
pub(super) fn short(address: &str) -> String {
    if address.chars().count() <= ADDRESS_LIMIT {
        return address.to_owned();
    }
    match host_of(address) {
        Some(host) if host.len() <= HOST_LIMIT => format!("an address of {host}"),
        _ => "an address that is too long to be sound".to_owned(),
    }
}
