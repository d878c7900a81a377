//! S11: where a response sends the client.
//!
//! ## What it sees
//! A redirect (status, Refresh, meta refresh, script, iframe) to another registrable domain (10 points), to a port other than 80, 443, 8080,
//! 8443 (10), to an address with a long token or a random-looking label (5), to an IP literal (5), in answer to a request for an
//! executable, installer, package, update, archive, configuration profile or proxy settings (15); 30 points at most.
//!
//! ## Why it matters
//! Injection sends the victim to a server of the attacker: an exploit server on an odd port under a fresh name with a token for each target, or a
//! trojanised installer. What is run or installed does harm the moment it arrives: an injection that sends such a request to another site is told one
//! severity higher.
//!
//! ## When it is wrong
//! Sites, ads, link shorteners and single sign-on send users to other sites all day. A redirect within the site, to its sibling under another
//! suffix, or from http to https of the same host gives nothing, nor does one that a list explains (`rules/redirects.toml`: shorteners, single sign-on,
//! trackers); and content alone is never called an injection.
//!
//! ## Reference
//! Marczak et al. (2018); Amnesty International, "Moroccan Human Rights Defenders Targeted with NSO Group's Spyware" (2019); ESET on FinFisher (2017).

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;
use crate::engine::protocol::http::{Redirect, RedirectKind};
use crate::engine::protocol::url::{Address, is_cross_site, is_ip_literal, registrable_domain};

/// The most that content can give.
const MOST_POINTS: u8 = 30;
/// Ports on which web servers are found every day.
const COMMON_PORTS: [u16; 4] = [80, 443, 8080, 8443];
/// A token of this length in path or query tells one target from another.
const TOKEN: usize = 20;
/// What is run, installed or unpacked when it arrives, or changes how a device is set up: programs, installers, apps, updates and archives, settings.
const PACKAGES: [&[&str]; 5] = [
    &["exe", "scr", "bat", "cmd", "ps1", "vbs", "hta", "jar", "sh", "run", "appimage"],
    &["msi", "msix", "msixbundle", "appx", "appxbundle", "appinstaller", "dmg", "pkg", "mpkg", "deb", "rpm", "snap", "flatpakref"],
    &["apk", "apks", "xapk", "aab", "ipa", "crx", "xpi", "vsix"],
    &["msu", "msp", "cab", "iso", "img", "zip", "rar", "7z"],
    &["mobileconfig", "provisionprofile", "pac"],
];
/// Names of automatic proxy settings that have no telling ending.
const PROXY_SETTINGS: &str = "/wpad.dat";

/// The detector.
#[derive(Debug)]
pub(super) struct RedirectSemantics;

/// A redirect of the suspect's response, resolved against the request.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The address that was asked for; none when the request or its Host was not seen.
    pub from: Option<Address>,
    /// Where the client is sent; none when the target is no web address.
    pub to: Option<Address>,
    /// The target as written.
    pub written: String,
    /// How.
    pub kind: RedirectKind,
    /// To another registrable domain; none when either is unknown.
    pub cross_site: Option<bool>,
}

impl Detector for RedirectSemantics {
    fn code(&self) -> &'static str {
        "S11"
    }
    fn version(&self) -> u32 {
        3
    }
    fn group(&self) -> Group {
        Group::Content
    }
    fn inspect(&self, scene: &Scene, knowledge: &Knowledge) -> Option<Finding> {
        let destination = destination(scene)?;
        if is_everyday(&destination, knowledge) {
            return None;
        }
        let (points, reasons) = weigh(&destination, scene);
        (points > 0).then(|| Finding {
            weight: Weight::Weak,
            points,
            votes: 0,
            observed: format!("{}: {}", destination.written, reasons.join(", ")),
            expected: destination
                .from
                .as_ref()
                .map_or_else(|| "an answer of the site that was asked".to_owned(), |from| format!("an answer of {}", from.host())),
            frames: vec![scene.suspect.frame],
            why: "The answer sends the client to a place that has nothing to do with the question.",
        })
    }
}

/// The redirect that leads farthest: across sites before within one.
#[must_use]
pub fn destination(scene: &Scene) -> Option<Destination> {
    let from = scene.asked_address();
    scene
        .redirects()
        .map(|redirect| resolve(redirect, from.as_ref()))
        .max_by_key(|destination| (destination.cross_site, std::cmp::Reverse(destination.kind as u8)))
}

/// True when the response sends the client to another site, or to an address while it is unknown what was asked.
#[must_use]
pub fn leads_away(redirects: &[Redirect], from: Option<&Address>) -> bool {
    redirects.iter().map(|redirect| resolve(redirect, from)).any(|destination| {
        let unknown = destination.from.is_none() && destination.to.is_some();
        unknown || destination.cross_site == Some(true)
    })
}

fn resolve(redirect: &Redirect, from: Option<&Address>) -> Destination {
    let to = from.map_or_else(|| Address::parse(&redirect.target), |from| from.resolve(&redirect.target));
    let cross_site = from.zip(to.as_ref()).map(|(from, to)| is_cross_site(from.host(), to.host()) && !are_siblings(from.host(), to.host()));
    Destination { from: from.cloned(), to, written: redirect.target.clone(), kind: redirect.kind, cross_site }
}

/// The same name under another public suffix: `example.com` and `example.co.uk`.
fn are_siblings(a: &str, b: &str) -> bool {
    let name = |host: &str| registrable_domain(host).split('.').next().map(str::to_owned);
    !is_ip_literal(a) && !is_ip_literal(b) && name(a) == name(b)
}

/// By a shortener, or by way of single sign-on or a tracker.
fn is_everyday(destination: &Destination, knowledge: &Knowledge) -> bool {
    let ends = destination.from.as_ref().zip(destination.to.as_ref());
    ends.is_some_and(|(from, to)| knowledge.redirects.explains(from.host(), to.host()).is_some())
}

/// The address that the client is sent to tells it from other clients.
#[must_use]
pub fn is_made_for_one(destination: &Destination) -> bool {
    destination.to.as_ref().is_some_and(|to| has_token(to) || has_random_label(to.host()))
}

/// What was asked for is run or unpacked when it arrives.
#[must_use]
pub fn asks_package(scene: &Scene) -> bool {
    let path = scene.asked().map(|request| request.target.split(['?', '#']).next().unwrap_or("").to_ascii_lowercase());
    path.is_some_and(|path| {
        path.ends_with(PROXY_SETTINGS)
            || path.rsplit_once('.').is_some_and(|(_, extension)| PACKAGES.iter().any(|kind| kind.contains(&extension)))
    })
}

/// What was asked for is run or unpacked when it arrives, and the client is sent to another site for it.
#[must_use]
pub fn replaces_package(destination: &Destination, scene: &Scene) -> bool {
    destination.cross_site == Some(true) && asks_package(scene)
}

fn weigh(destination: &Destination, scene: &Scene) -> (u8, Vec<&'static str>) {
    let Some(to) = &destination.to else { return (0, Vec::new()) };
    if destination.cross_site == Some(false) {
        return (0, Vec::new());
    }
    let found = [
        (destination.cross_site == Some(true), 10, "another site"),
        (to.port().is_some_and(|port| !COMMON_PORTS.contains(&port)), 10, "an uncommon port"),
        (is_made_for_one(destination), 5, "a token for one target"),
        (is_ip_literal(to.host()), 5, "an address instead of a name"),
        (asks_package(scene), 15, "in place of a program"),
    ];
    let points: u8 = found.iter().filter(|(applies, ..)| *applies).map(|(_, points, _)| points).sum();
    let reasons = found.into_iter().filter(|(applies, ..)| *applies).map(|(_, _, reason)| reason).collect();
    (points.min(MOST_POINTS), reasons)
}

fn has_token(to: &Address) -> bool {
    let tail = [to.path(), to.query().unwrap_or("")];
    tail.into_iter()
        .flat_map(|part| part.split(['/', '=', '&', '?', '-', '_', '.']))
        .any(|word| word.len() >= TOKEN && word.bytes().any(|b| b.is_ascii_digit()))
}

/// Four labels and more, one of them with digits amid letters, as names made for one target have.
fn has_random_label(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let random = |label: &&str| {
        label.len() >= 8 && label.bytes().filter(u8::is_ascii_digit).count() >= 2 && label.bytes().any(|b| b.is_ascii_alphabetic())
    };
    labels.len() >= 4 && !is_ip_literal(host) && labels.iter().any(random)
}
