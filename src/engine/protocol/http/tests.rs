//! Stories of the HTTP reader: one connection, told segment by segment.

mod bounds;
mod properties;
mod redirects;
mod requests;
mod responses;

use super::{Connection, Event, Redirect, Response, Stamp};
use crate::engine::limits::Limits;
use crate::engine::time::Timestamp;

/// A connection and what it has reported.
#[derive(Default)]
struct Story {
    connection: Connection,
    limits: Limits,
    events: Vec<Event>,
    frame: u64,
    client_seq: u32,
    server_seq: u32,
}

impl Story {
    /// The client sends a segment.
    fn client(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let (bytes, at) = (bytes.as_ref(), self.stamp(self.client_seq));
        self.connection.client_bytes(bytes, at, &self.limits);
        self.client_seq = self.client_seq.wrapping_add(bytes.len() as u32);
        self
    }

    /// The server sends a segment.
    fn server(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let (bytes, at) = (bytes.as_ref(), self.stamp(self.server_seq));
        self.connection.server_bytes(bytes, at, &self.limits, &mut self.events);
        self.server_seq = self.server_seq.wrapping_add(bytes.len() as u32);
        self
    }

    /// The capture lost bytes of the server.
    fn server_gap(&mut self, len: Option<u32>) -> &mut Self {
        self.connection.server_gap(len, &mut self.events);
        self.server_seq = self.server_seq.wrapping_add(len.unwrap_or(0));
        self
    }

    /// The server closes.
    fn closed(&mut self) -> &mut Self {
        self.connection.server_closed(&self.limits, &mut self.events);
        self
    }

    fn stamp(&mut self, seq: u32) -> Stamp {
        self.frame += 1;
        Stamp { frame: self.frame, time: Timestamp::from_nanos(self.frame as i64), seq }
    }

    fn heads(&self) -> Vec<&Response> {
        self.events.iter().filter_map(|event| if let Event::Head(head) = event { Some(&**head) } else { None }).collect()
    }

    fn head(&self) -> &Response {
        let heads = self.heads();
        assert_eq!(heads.len(), 1, "{heads:?}");
        heads[0]
    }

    fn statuses(&self) -> Vec<u16> {
        self.heads().iter().map(|head| head.status).collect()
    }

    /// Targets of the requests that were paired, in the order of the responses.
    fn answered(&self) -> Vec<Option<&str>> {
        self.heads().iter().map(|head| head.request.as_ref().map(|request| &*request.target)).collect()
    }

    /// Redirects found in bodies, each by its kind's name and target.
    fn in_bodies(&self) -> Vec<(&'static str, &str)> {
        let bodies = self.events.iter().filter_map(|event| if let Event::Body(found) = event { Some(found) } else { None });
        bodies.flatten().map(by_name).collect()
    }
}

fn by_name(redirect: &Redirect) -> (&'static str, &str) {
    (redirect.kind.name(), redirect.target.as_str())
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n")
}

/// A response with these fields (each with its CRLF) and a body of known length.
fn page(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut response = format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    response.extend_from_slice(body);
    response
}
