//! S17: encryption taken away between two copies of an answer.
//!
//! ## What it sees
//! Both copies of an answer, where two were sent for the same bytes: the other copy leads to https on the site that was asked and the suspect's does
//! not, or links to https of the other copy are links to the same place by http in the suspect's. 15 points.
//!
//! ## Why it matters
//! Who keeps a browser on http goes on to read and to change what follows: it is how SSL strippers work.
//!
//! ## When it is wrong
//! Sites that change over to https serve both for a time; two copies at once they do not send. Of links only those in the first 8 KiB are compared.
//!
//! ## Reference
//! M. Marlinspike, "New Tricks For Defeating SSL In Practice" (2009); RFC 6797, section 2.3.1.

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::{Copies, Scene};
use crate::engine::protocol::http::{Connection, Embedded, embedded};
use crate::engine::protocol::url::{Address, is_cross_site};

/// The detector.
#[derive(Debug)]
pub(super) struct Downgrade;

impl Detector for Downgrade {
    fn code(&self) -> &'static str {
        "S17"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Downgrade
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let copies = scene.copies.as_ref()?;
        let from = scene.asked_address();
        let (observed, expected) = from.as_ref().and_then(|from| kept_on_http(scene, copies, from)).or_else(|| rewritten(copies))?;
        Some(Finding {
            weight: Weight::Weak,
            points: 15,
            votes: 0,
            observed,
            expected,
            frames: scene.forged.iter().chain(&scene.genuine).map(|record| record.frame).collect(),
            why: "One copy of the answer leads to encryption, and the other keeps the device from it.",
        })
    }
}

/// The other copy leads to https on the same site, and the suspect's answers by http.
fn kept_on_http(scene: &Scene, copies: &Copies, from: &Address) -> Option<(String, String)> {
    let secure = |copy: &[u8]| location(copy, from).filter(|to| to.scheme() == "https" && !is_cross_site(from.host(), to.host()));
    let genuine = secure(&copies.genuine)?;
    let answers = scene.response.is_some() && Connection::is_response(&copies.forged) && secure(&copies.forged).is_none();
    answers.then(|| (super::first_line(&copies.forged), genuine.as_str().to_owned()))
}

/// Where a copy's head sends the client.
fn location(copy: &[u8], from: &Address) -> Option<Address> {
    if !Connection::is_response(copy) {
        return None;
    }
    let line = copy.split(|byte| *byte == b'\n').take(64).find_map(|line| {
        let (name, value) = line.split_at_checked(b"location:".len())?;
        name.eq_ignore_ascii_case(b"location:").then_some(value)
    })?;
    from.resolve(String::from_utf8_lossy(line).trim())
}

/// The suspect's copy is the other one with its links to https taken away: that is then all that the forgery is for.
#[must_use]
pub fn rewrites_links(scene: &Scene) -> bool {
    scene.copies.as_ref().is_some_and(|copies| rewritten(copies).is_some())
}

/// A link to https of the other copy that leads to the same place by http.
fn rewritten(copies: &Copies) -> Option<(String, String)> {
    let genuine = embedded(&copies.genuine);
    let plain = |address: &str| address.strip_prefix("https://").map(|rest| format!("http://{rest}"));
    let forged = embedded(&copies.forged);
    genuine.iter().find_map(|thing| {
        let Embedded::Link(address) = thing else { return None };
        let stripped = plain(address)?;
        forged.contains(&Embedded::Link(stripped.clone())).then(|| (stripped, address.clone()))
    })
}
