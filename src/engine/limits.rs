//! Every bound of the engine, in one struct.

use super::time::Span;

/// What the engine may hold. Whatever reaches a bound is evicted or left out by the rule stated at the field, and counted.
#[derive(Clone, Debug)]
pub struct Limits {
    /// IP datagrams in reassembly at once; the oldest is dropped first.
    pub fragment_datagrams: usize,
    /// Bytes of all fragments in reassembly; the oldest datagram is dropped first.
    pub fragment_bytes: usize,
    /// How long a datagram may wait for its missing fragments (RFC 791 suggests 15 s, Linux waits 30 s).
    pub fragment_timeout: Span,
    /// VLAN tags that are looked through in one frame.
    pub vlan_depth: usize,
    /// Bytes of one HTTP message head (request or response); a longer one is given up and its stream no longer read as HTTP.
    pub http_head: usize,
    /// Requests of one flow that wait for their response; further ones are counted and not paired.
    pub http_pipeline: usize,
    /// Encoded bytes of one response body that are kept for the search for redirects.
    pub http_body: usize,
    /// Decoded bytes that one response body may grow to in that search.
    pub http_decoded: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            fragment_datagrams: 1024,
            fragment_bytes: 8 << 20,
            fragment_timeout: Span::from_secs(30),
            vlan_depth: 8,
            http_head: 16 << 10,
            http_pipeline: 64,
            http_body: 8 << 10,
            http_decoded: 64 << 10,
        }
    }
}
