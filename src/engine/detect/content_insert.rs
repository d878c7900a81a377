//! S16: a script, a frame or a program that the genuine copy does not have.
//!
//! ## What it sees
//! Both copies of an answer, where two were sent for the same bytes: scripts and frames of other sites, scripts written into the page, and the start of a
//! program, which the suspect's copy has and the other has not. 45 points.
//!
//! ## Why it matters
//! It says what the forgery was for: code of somebody else runs in the page of the site, or a program arrives in place of what was asked for.
//!
//! ## When it is wrong
//! It never speaks where only one copy was seen: sites show other scripts to each visitor. Of a copy only what was captured and is held counts, at most
//! 8 KiB; a script further down in the genuine copy is not seen. A page that a small stack makes anew for its retransmission is left out, as in S1. Coded
//! bodies are not read.
//!
//! ## Reference
//! Nakibly et al., "Website-Targeted False Content Injection by Network Operators" (2016); Marczak et al., "An Analysis of China's Great Cannon" (2015).

use super::overlap_conflict::is_made_anew;
use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;
use crate::engine::protocol::http::{Embedded, body, embedded, is_program};
use crate::engine::protocol::url::{Address, is_cross_site};

/// Things that are named.
const MOST_NAMED: usize = 4;
/// Letters shown of each.
const SHOWN: usize = 120;

/// The detector.
#[derive(Debug)]
pub(super) struct ContentInsert;

impl Detector for ContentInsert {
    fn code(&self) -> &'static str {
        "S16"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Contradiction
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let copies = scene.copies.as_ref()?;
        if scene.conflicts.iter().any(is_made_anew) {
            return None;
        }
        let genuine = embedded(&copies.genuine);
        let from = scene.asked_address();
        let mut added: Vec<String> = embedded(&copies.forged)
            .into_iter()
            .filter(|thing| !genuine.contains(thing))
            .filter_map(|thing| words(&thing, from.as_ref()))
            .collect();
        if is_program(body(&copies.forged)) && !is_program(body(&copies.genuine)) {
            added.push("a program".to_owned());
        }
        let first = added.first()?;
        Some(Finding {
            weight: Weight::Proof,
            points: 45,
            votes: 0,
            observed: format!("{} inserted: {}", added.len(), if added.len() > MOST_NAMED { first.clone() } else { added.join(", ") }),
            expected: format!("{} bytes of the other copy, without it", copies.genuine.len()),
            frames: scene.forged.iter().chain(&scene.genuine).map(|record| record.frame).collect(),
            why: "One copy of the answer brings along what the other does not have.",
        })
    }
}

/// What was inserted, in words; none for what belongs to the site that was asked.
#[must_use]
pub fn words(thing: &Embedded, from: Option<&Address>) -> Option<String> {
    let foreign = |address: &str| {
        let to = from.map_or_else(|| Address::parse(address), |from| from.resolve(address))?;
        let away = from.is_none_or(|from| is_cross_site(from.host(), to.host()));
        away.then(|| to.as_str().chars().take(SHOWN).collect::<String>())
    };
    match thing {
        Embedded::Script(address) => foreign(address).map(|address| format!("the script {address}")),
        Embedded::Frame(address) => foreign(address).map(|address| format!("the frame {address}")),
        Embedded::Inline(source) if !source.trim().is_empty() => Some(format!("a script of {} letters", source.chars().count())),
        Embedded::Inline(_) | Embedded::Link(_) => None,
    }
}
