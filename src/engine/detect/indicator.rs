//! S13: an indicator that a list names.
//!
//! ## What it sees
//! The target of a redirect (web address, host or IP address) against the lists that were loaded: 60 points. The Host or the web address of the request,
//! the server's address, the name that a client asks DNS for, the name, alias and addresses that it is answered with, and the name in a ClientHello of TLS
//! or QUIC: 35. A domain lists the names below it, a web address what goes on behind it, an address is found in the
//! smallest listed network. Each hit tells the entry as written, its list, the list's date, and where it was seen. What DNS and ClientHellos
//! show of one client is gathered for twenty seconds: where an alert tells of the same indicator, or of the same name, it is added there and gives no
//! points; else it is one record, of severity 2 when the client went there and 3 when it only asked for the name.
//!
//! ## Why it matters
//! It proves contact with listed infrastructure. A redirect there is what a network injection is made for: the lists of published investigations hold the
//! hosts that forged answers led to.
//!
//! ## When it is wrong
//! Lists grow old, names change hands, and somebody who looks into a case goes there on purpose. It says nothing about who made the redirect: without
//! other evidence a redirect by the site itself is called one, and a visit is called a contact. A host shared by many is listed for one of them.
//! Browsers ask DNS ahead for the names of links, and filters and scanners for names that they have only read: a question is no visit. A resolver
//! that is watched asks in the name of others.
//!
//! ## Reference
//! Amnesty International's lists of indicators of NSO Group and Cytrox (STIX); STIX 2.1 (OASIS, 2021), section 9; the MISP core format.

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;
use crate::engine::decode::packet::Addr;
use crate::engine::protocol::http::{Redirect, RedirectKind, Request};
use crate::engine::protocol::url::Address;
use crate::rules::indicators::{Hit, Indicators, Kind};

/// Points of a redirect to a listed target.
const REDIRECTED: u8 = 60;
/// Points of a contact.
pub const CONTACTED: u8 = 35;
/// Code of the detector.
pub const CODE: &str = "S13";
/// Version of the detector.
pub const VERSION: u32 = 2;
/// Hits that are told of.
const MOST: usize = 16;

/// The detector.
#[derive(Debug)]
pub(super) struct Indicator;

/// A hit, and where it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The hit.
    pub hit: Hit,
    /// Where.
    pub seen: Seen,
    /// The name, address or web address that was seen there.
    pub met: String,
}

/// Where an indicator was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The target of a redirect of this kind.
    Redirect(RedirectKind),
    /// The web address of the request.
    Url,
    /// The Host field of the request.
    Host,
    /// The server's address.
    Server,
    /// The name that DNS was asked for.
    DnsQuestion,
    /// What DNS answered: the name, its alias, or an address.
    DnsAnswer,
    /// The server's name in a ClientHello of TLS or QUIC.
    Sni,
}

impl Seen {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redirect(RedirectKind::Status) => "location",
            Self::Redirect(kind) => kind.name(),
            Self::Url => "url",
            Self::Host => "host",
            Self::Server => "server_address",
            Self::DnsQuestion => "dns_question",
            Self::DnsAnswer => "dns_answer",
            Self::Sni => "sni",
        }
    }
    /// The client was sent there, and did not only go there.
    #[must_use]
    pub const fn is_redirect(self) -> bool {
        matches!(self, Self::Redirect(_))
    }
}

impl Detector for Indicator {
    fn code(&self) -> &'static str {
        CODE
    }
    fn version(&self) -> u32 {
        VERSION
    }
    fn group(&self) -> Group {
        Group::Indicator
    }
    fn inspect(&self, scene: &Scene, knowledge: &Knowledge) -> Option<Finding> {
        let listed = listed(scene, knowledge);
        let first = listed.first()?;
        let redirected = first.seen.is_redirect();
        let entries = listed.iter().map(|listed| {
            let Hit { value, list, list_date, .. } = &listed.hit;
            format!("{value} on {list} ({})", list_date.as_deref().unwrap_or("no date"))
        });
        Some(Finding {
            weight: Weight::Strong,
            points: if redirected { REDIRECTED } else { CONTACTED },
            votes: 0,
            observed: format!("{}: {}", first.seen.name().replace('_', " "), first.met),
            expected: format!("nothing that a list names; listed: {}", entries.collect::<Vec<_>>().join(", ")),
            frames: vec![scene.suspect.frame],
            why: if redirected {
                "The answer sends the client to a listed indicator."
            } else {
                "The client was in contact with a listed indicator."
            },
        })
    }
}

/// Listed indicators that a scene touches, redirects before contacts.
#[must_use]
pub fn listed(scene: &Scene, knowledge: &Knowledge) -> Vec<Listed> {
    touched(&knowledge.indicators, scene.redirects(), scene.asked(), (Some(scene.server), scene.server_port))
}

/// Listed indicators that an exchange touches: targets of redirects before what was asked for. The server's address is looked up where it is given.
#[must_use]
pub fn touched<'a>(
    indicators: &Indicators,
    redirects: impl Iterator<Item = &'a Redirect>,
    request: Option<&Request>,
    (server, port): (Option<Addr>, u16),
) -> Vec<Listed> {
    if indicators.is_empty() {
        return Vec::new();
    }
    let host = request.and_then(|request| request.host.as_deref());
    let mut redirects = redirects.peekable();
    // Of most requests the host is enough.
    let whole = redirects.peek().is_some() || host.is_some_and(|host| indicators.lists_pages_of(host));
    let asked = request.zip(host).filter(|_| whole).and_then(|(request, host)| Address::of_request(host, port, &request.target));
    let mut all: Vec<Listed> = Vec::new();
    let mut add = |hits: Vec<Hit>, seen: Seen, met: &str| {
        for hit in hits {
            let known = all.iter().any(|other| other.hit == hit && other.seen.is_redirect() == seen.is_redirect());
            if !known && all.len() < MOST {
                all.push(Listed { hit, seen, met: met.to_owned() });
            }
        }
    };
    let contact = match (&asked, host) {
        (Some(asked), _) => indicators.match_address(asked),
        (None, Some(host)) => indicators.match_host(host),
        (None, None) => Vec::new(),
    };
    for redirect in redirects {
        let to = asked.as_ref().map_or_else(|| Address::parse(&redirect.target), |asked| asked.resolve(&redirect.target));
        if let Some(to) = to {
            // A listed site that leads on within itself is the contact.
            let others = indicators.match_address(&to).into_iter().filter(|hit| !contact.contains(hit)).collect();
            add(others, Seen::Redirect(redirect.kind), to.as_str());
        }
    }
    let is_url = contact.iter().any(|hit| hit.kind == Kind::Url);
    match (&asked, host) {
        (Some(asked), _) if is_url => add(contact, Seen::Url, asked.as_str()),
        (Some(asked), _) => add(contact, Seen::Host, asked.host()),
        (None, host) => add(contact, Seen::Host, host.unwrap_or_default()),
    }
    if let Some(server) = server {
        add(indicators.match_ip(server), Seen::Server, &server.to_string());
    }
    all
}
