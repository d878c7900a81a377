//! Which domains were seen since when, so that a new one can be told from one that is visited every day.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use hashbrown::HashMap;

use crate::engine::time::{Span, Timestamp};

/// As long must have been watched before a domain can be called new: at the start all are.
const LEARNED_AFTER: Span = Span::from_secs(30 * 60);

/// The domains, as hashes: of two with the same one the second is not called new.
#[derive(Debug)]
pub(super) struct Domains {
    first_seen: HashMap<u64, Timestamp, FixedState>,
    order: VecDeque<u64>,
    most: usize,
    since: Option<Timestamp>,
    /// The last name that was seen; clients use one several times in a row.
    last: String,
}

impl Domains {
    pub(super) fn new(most: usize) -> Self {
        Self { first_seen: HashMap::with_hasher(FixedState::with_seed(0)), order: VecDeque::new(), most, since: None, last: String::new() }
    }

    /// Takes that a name was seen.
    pub(super) fn saw(&mut self, name: &str, now: Timestamp) {
        if self.last == name {
            return;
        }
        self.since.get_or_insert(now);
        self.last.clear();
        self.last.push_str(name);
        let domain = hash(name);
        if self.first_seen.contains_key(&domain) {
            return;
        }
        self.first_seen.insert(domain, now);
        self.order.push_back(domain);
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.first_seen.remove(&oldest);
        }
    }

    /// The name's domain was not seen before `then`, and that says something.
    pub(super) fn is_new(&self, name: &str, then: Timestamp) -> bool {
        let has_learned = self.since.is_some_and(|since| then - since >= LEARNED_AFTER);
        has_learned && self.first_seen.get(&hash(name)).is_none_or(|first| *first >= then)
    }
}

/// The last two labels. Under a public suffix of two labels all domains count as one, which is then never called new.
fn hash(host: &str) -> u64 {
    let name = memchr::memchr(b':', host.as_bytes()).and_then(|port| host.get(..port)).unwrap_or(host);
    let name = name.strip_suffix('.').unwrap_or(name);
    let dots = memchr::memrchr_iter(b'.', name.as_bytes()).nth(1);
    let domain = dots.and_then(|dot| name.get(dot + 1..)).unwrap_or(name);
    let mut hasher = FixedState::with_seed(0).build_hasher();
    // Host fields are written in small letters nearly always.
    if domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
        hasher.write(domain.to_ascii_lowercase().as_bytes());
    } else {
        hasher.write(domain.as_bytes());
    }
    hasher.finish()
}
