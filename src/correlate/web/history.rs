//! S17h: a page by http from a host that wanted https before.
//!
//! ## What it sees
//! A page with status 200 by http, from a host of which, in this network and within the last 30 days, a redirect from http to https on the same host, or
//! the field Strict-Transport-Security, was seen. 15 points. Where the client's path was bent inside the network (S14 and its kin) within the last
//! ten minutes, 40 more, and it is told without other evidence.
//!
//! ## Why it matters
//! An SSL stripper answers by http what the site would have led to https, and reads and changes what follows.
//!
//! ## When it is wrong
//! Sites serve some pages by http and lead to https from others, or give https up again: alone it is no record. What was seen is forgotten when the
//! program ends.
//!
//! ## Reference
//! M. Marlinspike, "New Tricks For Defeating SSL In Practice" (2009); RFC 6797, sections 2.3.1 and 8.1.

use std::collections::BTreeMap;

use super::fifo::Fifo;
use crate::engine::detect::{Evidence, Finding, Group, Weight};
use crate::engine::time::{Span, Timestamp};
use crate::engine::web::Web;

/// Version of the detector.
pub const VERSION: u32 = 1;
/// Its code.
pub const CODE: &str = "S17h";
/// How long a host is held to what it wanted.
const HELD_FOR: Span = Span::from_secs(30 * 86_400);
/// Points.
const POINTS: u8 = 15;

/// A host of a network, told apart by its VLANs.
type Host = (Vec<u16>, String);

/// The hosts that want https.
#[derive(Debug)]
pub(super) struct History {
    hosts: BTreeMap<Host, (Timestamp, u64)>,
    order: Fifo<Host>,
}

impl History {
    pub(super) fn new(most: usize) -> Self {
        Self { hosts: BTreeMap::new(), order: Fifo::new(most) }
    }

    /// The host wants https.
    pub(super) fn wants_tls(&mut self, web: &Web) {
        let host = host(web);
        if self.hosts.insert(host.clone(), (web.record.time, web.record.frame)).is_none()
            && let Some(oldest) = self.order.push(host)
        {
            self.hosts.remove(&oldest);
        }
    }

    /// What a page by http is evidence of.
    pub(super) fn plain_page(&self, web: &Web) -> Option<Evidence> {
        let (since, frame) = self.hosts.get(&host(web)).copied()?;
        let within = (Span::ZERO..=HELD_FOR).contains(&(web.record.time - since));
        within.then(|| Evidence {
            code: CODE,
            version: VERSION,
            group: Group::Downgrade,
            finding: Finding {
                weight: Weight::Weak,
                points: POINTS,
                votes: 0,
                observed: format!("a page by http from {}", web.host),
                expected: format!("https, which the host wanted in frame {frame}"),
                frames: vec![frame, web.record.frame],
                why: "The host used to lead to encryption, and this answer does not.",
            },
        })
    }

    pub(super) const fn evicted(&self) -> u64 {
        self.order.evicted
    }
}

fn host(web: &Web) -> Host {
    (web.flow.vlans.as_slice().to_vec(), web.host.clone())
}
