//! S16e: content that is not what it was under the same validator.
//!
//! ## What it sees
//! A page, a script or a program with status 200, against what the same address gave earlier under the same strong ETag, or the same Last-Modified: another
//! Content-Length; other bytes, of pages and scripts up to 8 and 4 KiB; a program in place of a page or a script. Scripts and frames that the page before did
//! not have are named. 20 points when they differ.
//!
//! ## Why it matters
//! A validator promises the same bytes. Who inserts a script on the way, or replaces a file, seldom makes a new one.
//!
//! ## When it is wrong
//! Servers break the promise: pages with a counter or a token in them under a validator of the file. So it is never a record alone. It tells that two
//! differ, and not which of them is the site's. Weak ETags, parts (206), and what is negotiated by more than its coding (Vary) under a date are left out; each
//! coding is a version of its own.
//!
//! ## Reference
//! RFC 9110, sections 8.8 and 12.5.5; Nakibly et al., "Website-Targeted False Content Injection by Network Operators" (2016).

use std::collections::BTreeMap;
use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use super::fifo::Fifo;
use crate::engine::detect::{Evidence, Finding, Group, Weight, inserted_in_words};
use crate::engine::protocol::http::{Embedded, number};
use crate::engine::protocol::url::Address;
use crate::engine::web::{Sort, Version, Web};

/// Version of the detector.
pub const VERSION: u32 = 2;
/// Its code.
pub const CODE: &str = "S16e";
/// Points.
const POINTS: u8 = 20;
/// Scripts and frames that are remembered of a page; of one with more none is called new.
const MOST_BROUGHT: usize = 16;
/// Those that are named.
const MOST_NAMED: usize = 4;

/// Address and validator.
type Name = (u64, u64);

/// Contents seen first.
#[derive(Debug)]
pub(super) struct Contents {
    seen: BTreeMap<Name, Seen>,
    order: Fifo<Name>,
}

/// A content as it was seen first.
#[derive(Debug)]
struct Seen {
    frame: u64,
    sort: Sort,
    length: Option<u64>,
    /// Its bytes as a number.
    bytes: Option<u64>,
    /// What it brings along, as numbers.
    brings: Box<[u64]>,
}

impl Contents {
    pub(super) fn new(most: usize) -> Self {
        Self { seen: BTreeMap::new(), order: Fifo::new(most) }
    }

    /// Takes a content; what it is evidence of.
    pub(super) fn take(&mut self, web: &Web, version: &Version) -> Option<Evidence> {
        let name = (number([web.host.as_bytes(), web.target.as_bytes()].concat().as_slice()), version.validator);
        let Some(first) = self.seen.get(&name) else {
            self.seen.insert(name, Seen::new(web.record.frame, version));
            if let Some(oldest) = self.order.push(name) {
                self.seen.remove(&oldest);
            }
            return None;
        };
        let (observed, expected) = first.differs(web, version)?;
        Some(Evidence {
            code: CODE,
            version: VERSION,
            group: Group::Content,
            finding: Finding {
                weight: Weight::Weak,
                points: POINTS,
                votes: 0,
                observed,
                expected,
                frames: vec![first.frame, web.record.frame],
                why: "The same version of the same address has another content.",
            },
        })
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.order.evicted
    }
}

impl Seen {
    fn new(frame: u64, version: &Version) -> Self {
        let whole = version.whole.as_ref();
        let brings = whole.map_or_else(Box::default, |whole| whole.brings.iter().take(MOST_BROUGHT).map(as_number).collect());
        Self { frame, sort: version.sort, length: version.length, bytes: whole.map(|whole| whole.number), brings }
    }

    /// What another content under the same validator has that this one has not, and what this one has.
    fn differs(&self, web: &Web, other: &Version) -> Option<(String, String)> {
        let frame = self.frame;
        let program = other.sort == Sort::Program && self.sort != Sort::Program;
        let bytes = other.whole.as_ref().map(|whole| whole.number);
        let lengths = self.length.zip(other.length).filter(|(first, then)| first != then);
        if program {
            let before = if self.sort == Sort::Page { "a page" } else { "a script" };
            return Some(("a program under the same validator".to_owned(), format!("{before}, as in frame {frame}")));
        }
        let inserted = self.inserted(web, other);
        match (lengths, self.bytes.zip(bytes)) {
            (Some((first, then)), _) => Some((
                format!("{then} bytes under the same validator{inserted}"),
                format!("the {first} bytes of the answer in frame {frame}"),
            )),
            (None, Some((first, then))) if first != then => Some((
                format!("other bytes than before under the same validator{inserted}"),
                format!("the bytes of the answer in frame {frame}"),
            )),
            _ => None,
        }
    }

    /// The scripts and frames that the other brings along and this one does not, in words.
    fn inserted(&self, web: &Web, other: &Version) -> String {
        let Some(whole) = other.whole.as_ref().filter(|_| self.bytes.is_some() && self.brings.len() < MOST_BROUGHT) else {
            return String::new();
        };
        let from = Address::of_request(&web.host, web.flow.server.1, &web.target);
        let new = whole.brings.iter().filter(|thing| !self.brings.contains(&as_number(thing)));
        let named: Vec<String> = new.filter_map(|thing| inserted_in_words(thing, from.as_ref())).take(MOST_NAMED).collect();
        if named.is_empty() { String::new() } else { format!(", inserted: {}", named.join(", ")) }
    }
}

fn as_number(thing: &Embedded) -> u64 {
    FixedState::default().hash_one(thing)
}
