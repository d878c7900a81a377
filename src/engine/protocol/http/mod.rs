//! HTTP/1.x (RFC 9112): requests and responses of one connection, paired, and the redirects that responses carry.

mod body;
mod client;
mod decode;
mod embedded;
mod framing;
mod gather;
mod head;
mod html;
mod message;
mod refresh;
mod script;
mod segment;
mod server;
mod start;
#[cfg(test)]
mod tests;
mod waiting;

pub use embedded::{Embedded, body, embedded, is_program};
pub use head::number;
pub use message::{Redirect, RedirectKind, Request, Response, Stamp, Wants};

use super::super::limits::Limits;
use client::Client;
use segment::Segment;
use server::{End, Server};
use waiting::Waiting;

/// What the connection reports, in stream order.
#[derive(Debug)]
pub enum Event {
    /// A response head is complete; its request is attached when it was seen. Redirects by status or Refresh header are in it. Interim
    /// responses (1xx) are not reported, but 101 is.
    Head(Box<Response>),
    /// The body of the response that `Head` reported last is complete, cut by the end of the stream, or searched up to the cap, and held
    /// redirects (meta refresh, script location, iframe).
    Body(Vec<Redirect>),
    /// The body of the response that `Head` reported last is whole, and this is the number of its bytes as sent; of pages and scripts with a validator.
    /// `Connection::take_page` gives the bytes of a page.
    Whole(u64),
}

/// Bounds that were hit, and what was left out because of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Streams given up because a head exceeded `Limits::http_head`.
    pub heads_too_long: u64,
    /// Requests not paired because `Limits::http_pipeline` others waited.
    pub requests_unpaired: u64,
    /// Coded bodies not searched because they exceeded `Limits::http_body`.
    pub bodies_unread: u64,
}

impl Counts {
    /// Both added up.
    #[must_use]
    pub const fn plus(self, other: &Self) -> Self {
        Self {
            heads_too_long: self.heads_too_long + other.heads_too_long,
            requests_unpaired: self.requests_unpaired + other.requests_unpaired,
            bodies_unread: self.bodies_unread + other.bodies_unread,
        }
    }
}

/// One TCP connection read as HTTP/1.x. Bytes are handed in stream order, each direction by itself.
///
/// Holds at most: two heads and one body (`Limits::http_head`, `Limits::http_body`), and `Limits::http_pipeline` requests of five fields
/// of 2 KiB.
#[derive(Debug, Default)]
pub struct Connection {
    client: Client,
    server: Server,
    waiting: Waiting,
    end: Option<End>,
    /// Something that counts in `heap_bytes` may have changed since that was asked.
    changed: bool,
}

impl Connection {
    /// True when `bytes`, the first of a client's stream (or of a stream cut in the middle), may start an HTTP/1.x request.
    #[must_use]
    pub fn is_request(bytes: &[u8]) -> bool {
        client::is_request(bytes)
    }
    /// True when `bytes` start an HTTP/1.x status line.
    #[must_use]
    pub fn is_response(bytes: &[u8]) -> bool {
        server::is_response(bytes)
    }
    /// Bytes from the client. `at` is the segment they came in; `at.seq` the sequence number of the first of `bytes`.
    pub fn client_bytes(&mut self, bytes: &[u8], at: Stamp, limits: &Limits) {
        self.changed = true;
        if self.is_live() && !bytes.is_empty() && !self.client.read(Segment::new(bytes, at), &mut self.waiting, limits) {
            self.stop(End::TooLong);
        }
    }
    /// Bytes from the server.
    pub fn server_bytes(&mut self, bytes: &[u8], at: Stamp, limits: &Limits, events: &mut Vec<Event>) {
        if self.server.passes(bytes) {
            return;
        }
        self.changed = true;
        if self.is_live()
            && !bytes.is_empty()
            && let Err(end) = self.server.read(Segment::new(bytes, at), &mut self.waiting, limits, events)
        {
            self.stop(end);
        }
    }
    /// `len` bytes of the client were lost to the capture; `None` when it is not known how many. Reading goes on in a body of known length
    /// that outlasts the gap, else at the next segment that begins a request.
    pub fn client_gap(&mut self, len: Option<u32>) {
        self.client.skip(len);
    }
    /// `len` bytes of the server were lost to the capture. Reading goes on in a body of known length that outlasts the gap, else at the next
    /// status line; the requests that waited are forgotten then, since the lost bytes may have answered any of them.
    pub fn server_gap(&mut self, len: Option<u32>, events: &mut Vec<Event>) {
        self.changed = true;
        if !self.server.skip(len, events) {
            self.waiting.forget();
        }
    }
    /// The server closed its side, or the flow ended.
    pub fn server_closed(&mut self, limits: &Limits, events: &mut Vec<Event>) {
        if let Err(end) = self.server.close(&mut self.waiting, limits, events) {
            self.stop(end);
        }
    }
    /// The bytes of the page that `Event::Whole` reported last, unless it was coded.
    pub const fn take_page(&mut self) -> Option<Vec<u8>> {
        self.server.take_page()
    }
    /// How many requests came to wait since this was asked before.
    pub const fn take_new_requests(&mut self) -> usize {
        self.waiting.take_new()
    }
    /// The newest of the requests that wait, at most `count`, oldest first.
    pub fn newest_requests(&self, count: usize) -> impl Iterator<Item = &Request> {
        self.waiting.newest(count)
    }
    /// The oldest request without a response.
    #[must_use]
    pub fn waiting(&self) -> Option<&Request> {
        self.waiting.front()
    }
    /// False once the stream turned out to be something else (CONNECT, upgrade, garbage): no more bytes need to be handed in.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.end.is_none()
    }
    /// The bounds that this connection has hit.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            heads_too_long: u64::from(self.end == Some(End::TooLong)),
            requests_unpaired: self.waiting.turned_away_total(),
            bodies_unread: self.server.unread_bodies(),
        }
    }
    /// Whether `heap_bytes` may give another number than when this was asked before.
    pub const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.changed, false)
    }
    /// Heap bytes held, for the memory accounts.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.client.heap_bytes().saturating_add(self.server.heap_bytes()).saturating_add(self.waiting.heap_bytes())
    }

    fn stop(&mut self, end: End) {
        self.end = Some(end);
        self.client.skip(None);
        self.server.stop();
        self.waiting.forget();
    }
}
