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

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::fifo::Fifo;
use crate::engine::detect::{Evidence, Finding, Group, Weight, inserted_in_words};
use crate::engine::protocol::http::{embedded, number};
use crate::engine::protocol::url::Address;
use crate::engine::web::{Sort, Version, Web};

/// Version of the detector.
pub const VERSION: u32 = 2;
/// Its code.
pub const CODE: &str = "S16e";
/// Points.
const POINTS: u8 = 20;
/// Pages whose bytes are held, of up to 8 KiB each; of those seen earlier it cannot be said what was inserted.
const MOST_PAGES: usize = 256;
/// Scripts and frames that are named.
const MOST_NAMED: usize = 4;

/// Address and validator.
type Name = (u64, u64);

/// Contents seen first.
#[derive(Debug)]
pub(super) struct Contents {
    seen: BTreeMap<Name, Seen>,
    order: Fifo<Name>,
    /// Whose pages are held, the oldest first.
    pages: VecDeque<Name>,
}

/// A page as it was seen first, and as it is.
pub(super) type Pages = (Arc<Vec<u8>>, Arc<Vec<u8>>);

/// A content as it was seen first.
#[derive(Debug)]
struct Seen {
    frame: u64,
    sort: Sort,
    length: Option<u64>,
    /// Its bytes as a number.
    bytes: Option<u64>,
    /// The page itself.
    page: Option<Arc<Vec<u8>>>,
}

impl Contents {
    pub(super) fn new(most: usize) -> Self {
        Self { seen: BTreeMap::new(), order: Fifo::new(most), pages: VecDeque::new() }
    }

    /// Takes a content; what it is evidence of, and the pages in which that can be looked up.
    pub(super) fn take(&mut self, web: &Web, version: &Version) -> Option<(Evidence, Option<Pages>)> {
        let address = number(web.host.as_bytes()) ^ number(web.target.as_bytes()).rotate_left(1);
        let name = (address, version.validator);
        let Some(first) = self.seen.get(&name) else {
            self.add(name, Seen::new(web.record.frame, version));
            if let Some(oldest) = self.order.push(name) {
                self.seen.remove(&oldest);
            }
            return None;
        };
        let (observed, expected) = first.differs(version)?;
        let then = version.whole.as_ref().and_then(|whole| whole.page.clone());
        let evidence = Evidence {
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
        };
        Some((evidence, first.page.clone().zip(then)))
    }

    fn add(&mut self, name: Name, seen: Seen) {
        if seen.page.is_some() {
            self.pages.push_back(name);
        }
        if self.pages.len() > MOST_PAGES
            && let Some(oldest) = self.pages.pop_front().and_then(|name| self.seen.get_mut(&name))
        {
            oldest.page = None;
        }
        self.seen.insert(name, seen);
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.order.evicted
    }
}

impl Seen {
    fn new(frame: u64, version: &Version) -> Self {
        let whole = version.whole.as_ref();
        Self {
            frame,
            sort: version.sort,
            length: version.length,
            bytes: whole.map(|whole| whole.number),
            page: whole.and_then(|whole| whole.page.clone()),
        }
    }

    /// What another content under the same validator has that this one has not, and what this one has.
    fn differs(&self, other: &Version) -> Option<(String, String)> {
        let frame = self.frame;
        let program = other.sort == Sort::Program && self.sort != Sort::Program;
        let bytes = other.whole.as_ref().map(|whole| whole.number);
        let lengths = self.length.zip(other.length).filter(|(first, then)| first != then);
        if program {
            let before = if self.sort == Sort::Page { "a page" } else { "a script" };
            return Some(("a program under the same validator".to_owned(), format!("{before}, as in frame {frame}")));
        }
        match (lengths, self.bytes.zip(bytes)) {
            (Some((first, then)), _) => {
                Some((format!("{then} bytes under the same validator"), format!("the {first} bytes of the answer in frame {frame}")))
            }
            (None, Some((first, then))) if first != then => {
                Some(("other bytes than before under the same validator".to_owned(), format!("the bytes of the answer in frame {frame}")))
            }
            _ => None,
        }
    }
}

/// The scripts and frames that a page brings along and did not before, in words to follow others.
pub(super) fn inserted((first, then): &Pages, from: Option<&Address>) -> String {
    let known = embedded(first);
    let new = embedded(then).into_iter().filter(|thing| !known.contains(thing));
    let named: Vec<String> = new.filter_map(|thing| inserted_in_words(&thing, from)).take(MOST_NAMED).collect();
    if named.is_empty() { String::new() } else { format!(", inserted: {}", named.join(", ")) }
}
