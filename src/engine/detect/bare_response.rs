//! S10: a response as a template makes it.
//!
//! ## What it sees
//! A response with neither Date nor Server, at most 512 bytes in all; five points more when its lines end in LF alone.
//!
//! ## Why it matters
//! A server with a clock sends Date (RFC 9110, section 6.6.1). All 51 injections of Citizen Lab's captures had neither field; of 39 redirects in
//! ordinary captures one had neither.
//!
//! ## When it is wrong
//! Of 803 ordinary HTTP flows one in five has no Date, and one in five no Server; small servers in devices and trackers answer as barely.
//!
//! ## Reference
//! RFC 9110, sections 6.6.1 and 10.2.4; Marczak et al., "Bad Traffic" (2018), 51 injections; ordinary flows: the test captures of nDPI, Suricata,
//! Zeek and C. Sanders.

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;
use crate::engine::decode::packet::TcpFlags;

/// The largest bare response.
const MOST_BYTES: u64 = 512;

/// The detector.
#[derive(Debug)]
pub(super) struct BareResponse;

impl Detector for BareResponse {
    fn code(&self) -> &'static str {
        "S10"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Content
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let response = scene.response.as_ref()?;
        // Of a head that goes on in another packet, or was cut by the snap length, the missing fields say nothing.
        let whole = response.head_complete || (scene.suspect.flags.any(TcpFlags::FIN) && scene.payload.len() as u32 == scene.suspect.len);
        let size = u64::from(response.head_len).saturating_add(response.content_length.unwrap_or(0)).max(u64::from(scene.suspect.len));
        let bare = whole && !response.has_date && response.server.is_none() && size <= MOST_BYTES && response.status >= 200;
        bare.then(|| Finding {
            weight: Weight::Weak,
            points: if response.lf_only { 15 } else { 10 },
            votes: 0,
            observed: format!("{size} bytes, no Date, no Server{}", if response.lf_only { ", lines end in LF alone" } else { "" }),
            expected: "Date, as a server with a clock must send".to_owned(),
            frames: vec![response.first.frame],
            why: "The response is as bare as a template.",
        })
    }
}
