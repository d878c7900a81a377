//! S16: a script, a frame or a program that the genuine copy does not have.
//!
//! ## What it sees
//! Both copies of an answer, where two were sent for the same bytes: scripts and frames of other sites, scripts written into the page, and the start of a
//! program, which the suspect's copy has and the other has not. 45 points. Else 20, where both are whole answers with status 200 and the suspect's body is
//! shorter than the other's Content-Length says.
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
use crate::engine::case::scene::{Copies, Scene};
use crate::engine::protocol::http::{Connection, Embedded, body, embedded, is_program};
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
        2
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
        let Some(first) = added.first() else { return shorter(scene, copies) };
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

/// The suspect's answer has a shorter body than the other's.
fn shorter(scene: &Scene, copies: &Copies) -> Option<Finding> {
    let (forged, genuine) = (length(&copies.forged)?, length(&copies.genuine)?);
    (forged < genuine).then(|| Finding {
        weight: Weight::Weak,
        points: 20,
        votes: 0,
        observed: format!("a body of {forged} bytes"),
        expected: format!("a body of {genuine} bytes, as the other copy's Content-Length says"),
        frames: scene.forged.iter().chain(&scene.genuine).map(|record| record.frame).collect(),
        why: "One copy of the answer holds less than the other promises.",
    })
}

/// What the head of a whole answer with status 200 says of its body's length.
fn length(copy: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"content-length:";
    let is_ok = copy.get(8..12) == Some(b" 200") && Connection::is_response(copy);
    let line = copy.split(|byte| *byte == b'\n').take(64).take_while(|line| !line.trim_ascii().is_empty()).find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        name.eq_ignore_ascii_case(NAME).then(|| value.trim_ascii())
    });
    line.filter(|_| is_ok).and_then(|value| std::str::from_utf8(value).ok()?.parse().ok())
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

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn a_length_is_read_from_the_head_of_an_answer_only() {
        assert_eq!(length(b"HTTP/1.1 200 OK\r\nDate: x\r\ncontent-LENGTH:  42 \r\n\r\nbody"), Some(42));
        assert_eq!(length(b"HTTP/1.0 200 OK\nContent-Length: 7\n\n"), Some(7));
        for other in
            ["HTTP/1.1 302 Found\r\nContent-Length: 7\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nContent-Length: 7\r\n", "Content-Length: 7\r\n", ""]
        {
            assert_eq!(length(other.as_bytes()), None, "{other}");
        }
    }
}
