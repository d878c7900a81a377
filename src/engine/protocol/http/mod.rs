//! HTTP/1.x (RFC 9112): requests and responses of one connection, paired, and the redirects that responses carry.

mod message;

pub use message::{Redirect, RedirectKind, Request, Response, Stamp};

use super::super::limits::Limits;

/// What the connection reports, in stream order.
#[derive(Debug)]
pub enum Event {
    /// A response head is complete; its request is attached when it was seen. Redirects by status or Refresh header are in it.
    Head(Box<Response>),
    /// The body of the response that `Head` reported last is complete, cut by the end of the stream, or searched up to the cap, and held
    /// redirects (meta refresh, script location, iframe).
    Body(Vec<Redirect>),
}

/// One TCP connection read as HTTP/1.x. Bytes are handed in stream order, each direction by itself.
#[derive(Debug, Default)]
pub struct Connection {}

impl Connection {
    /// True when `bytes`, the first of a client's stream (or of a stream cut in the middle), may start an HTTP/1.x request.
    #[must_use]
    pub fn is_request(_bytes: &[u8]) -> bool {
        false
    }
    /// True when `bytes` start an HTTP/1.x status line.
    #[must_use]
    pub fn is_response(_bytes: &[u8]) -> bool {
        false
    }
    /// Bytes from the client. `at` is the segment they came in; `at.seq` the sequence number of the first of `bytes`.
    pub fn client_bytes(&mut self, _bytes: &[u8], _at: Stamp, _limits: &Limits) {}
    /// Bytes from the server.
    pub fn server_bytes(&mut self, _bytes: &[u8], _at: Stamp, _limits: &Limits, _events: &mut Vec<Event>) {}
    /// `len` bytes of the client were lost to the capture; `None` when it is not known how many.
    pub fn client_gap(&mut self, _len: Option<u32>) {}
    /// `len` bytes of the server were lost to the capture. Reading goes on in a body of known length that outlasts the gap, else at the next
    /// status line.
    pub fn server_gap(&mut self, _len: Option<u32>, _events: &mut Vec<Event>) {}
    /// The server closed its side, or the flow ended.
    pub fn server_closed(&mut self, _limits: &Limits, _events: &mut Vec<Event>) {}
    /// The oldest request without a response.
    #[must_use]
    pub fn waiting(&self) -> Option<&Request> {
        None
    }
    /// False once the stream turned out to be something else (CONNECT, upgrade, garbage): no more bytes need to be handed in.
    #[must_use]
    pub fn is_live(&self) -> bool {
        true
    }
    /// Heap bytes held, for the memory accounts.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        0
    }
}
