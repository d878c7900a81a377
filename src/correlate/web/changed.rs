//! S16e: content that is not what it was under the same validator.
//!
//! ## What it sees
//! The bytes of a page or script with status 200, up to 8 KiB, against what the same address gave earlier under the same strong ETag, or the same
//! Last-Modified and length. 20 points when they differ.
//!
//! ## Why it matters
//! A strong validator promises the same bytes. Who inserts a script on the way, or replaces a file, seldom makes a new one.
//!
//! ## When it is wrong
//! Servers break the promise: pages with a counter or a token in them under a validator of the file. So it is never a record alone. It tells that two
//! differ, and not which of them is the site's. Longer bodies and weak ETags are left out.
//!
//! ## Reference
//! RFC 9110, section 8.8; Nakibly et al., "Website-Targeted False Content Injection by Network Operators" (2016).

use std::collections::BTreeMap;

use super::fifo::Fifo;
use crate::engine::detect::{Evidence, Finding, Group, Weight};
use crate::engine::protocol::http::number;
use crate::engine::web::Web;

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S16e";
/// Points.
const POINTS: u8 = 20;

/// Address and validator.
type Version = (u64, u64);

/// Contents seen first.
#[derive(Debug)]
pub(super) struct Contents {
    seen: BTreeMap<Version, (u64, u64)>,
    order: Fifo<Version>,
}

impl Contents {
    pub(super) fn new(most: usize) -> Self {
        Self { seen: BTreeMap::new(), order: Fifo::new(most) }
    }

    /// Takes a content; what it is evidence of.
    pub(super) fn take(&mut self, web: &Web, validator: u64, bytes: u64) -> Option<Evidence> {
        let version = (number([web.host.as_bytes(), web.target.as_bytes()].concat().as_slice()), validator);
        let Some((first, frame)) = self.seen.get(&version).copied() else {
            self.seen.insert(version, (bytes, web.record.frame));
            if let Some(oldest) = self.order.push(version) {
                self.seen.remove(&oldest);
            }
            return None;
        };
        (first != bytes).then(|| Evidence {
            code: CODE,
            version: VERSION,
            group: Group::Content,
            finding: Finding {
                weight: Weight::Weak,
                points: POINTS,
                votes: 0,
                observed: "other bytes than before under the same validator".to_owned(),
                expected: format!("the bytes of the answer in frame {frame}"),
                frames: vec![frame, web.record.frame],
                why: "The same version of the same address has another content.",
            },
        })
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.order.evicted
    }
}
