//! The server's direction: responses, each paired to its request, and the redirects that they carry.

use super::Event;
use super::body::{Body, Kept};
use super::framing::{Framing, Piece};
use super::gather::{Gather, Gathered};
use super::head::{ResponseHead, parse_response};
use super::message::Redirect;
use super::segment::Segment;
use super::start::{self, Start};
use super::waiting::Waiting;
use crate::engine::limits::Limits;

/// The server's direction.
#[derive(Debug, Default)]
pub(super) struct Server {
    state: State,
    gather: Gather,
    body: Option<Body>,
    page: Option<Vec<u8>>,
    unread_bodies: u64,
}

#[derive(Debug, Default)]
enum State {
    /// At the start of a response, or in its head.
    #[default]
    Head,
    /// In a body.
    Body(Framing),
    /// What is read is no HTTP; a segment that begins with a status line ends this.
    Lost,
}

/// Why a stream is no longer read as HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The connection carries something else by the will of both sides: an upgrade, or a tunnel.
    Switched,
    /// A head exceeds its bound.
    TooLong,
}

impl Server {
    /// Goes past bytes that lie wholly in a body of which nothing is kept; false, and nothing done, when they do not.
    pub(super) fn passes(&mut self, bytes: &[u8]) -> bool {
        match (&mut self.state, &self.body) {
            (State::Body(framing), None) => framing.skip(bytes.len() as u32),
            _ => false,
        }
    }

    /// Reads a segment; tells when the stream is no longer to be read.
    pub(super) fn read(
        &mut self,
        mut segment: Segment<'_>,
        waiting: &mut Waiting,
        limits: &Limits,
        events: &mut Vec<Event>,
    ) -> Result<(), End> {
        if matches!(self.state, State::Lost) && is_response(segment.rest) {
            self.state = State::Head;
        }
        loop {
            match &mut self.state {
                State::Lost => return Ok(()),
                State::Head if segment.rest.is_empty() => return Ok(()),
                State::Head => match self.gather.take(&mut segment, start::status_line, limits.http_head) {
                    Gathered::More => return Ok(()),
                    Gathered::Garbage => self.lose(),
                    Gathered::TooLong => return Err(End::TooLong),
                    Gathered::Head(head) if start::status_line(&head.bytes) == Start::Yes => {
                        match parse_response(&head.bytes, head.first, head.end) {
                            Some(head) => self.answer(head, waiting, limits, events)?,
                            None => self.lose(),
                        }
                    }
                    Gathered::Head(_) => self.lose(),
                },
                State::Body(framing) => match framing.next(&mut segment.rest) {
                    Piece::Data(data) => self.keep(data, limits, events),
                    Piece::Need => return Ok(()),
                    Piece::End => {
                        match self.body.as_ref().and_then(Body::number) {
                            Some(number) => self.end_version(number, limits, events),
                            None => self.end_body(limits, events),
                        }
                        self.state = State::Head;
                    }
                    Piece::Broken => {
                        self.end_body(limits, events);
                        self.lose();
                    }
                },
            }
        }
    }

    /// `len` bytes are missing, `None` when it is not known how many; false when the missing bytes may hold responses.
    pub(super) fn skip(&mut self, len: Option<u32>, events: &mut Vec<Event>) -> bool {
        // What follows the hole cannot be read on: the beginning is all there is to search.
        report(self.body.take().map(Body::search_cut), events);
        let goes_on = match (&mut self.state, len) {
            (State::Body(framing), Some(len)) => framing.skip(len),
            _ => false,
        };
        if !goes_on {
            self.lose();
        }
        goes_on
    }

    /// No more bytes will come.
    pub(super) fn close(&mut self, waiting: &mut Waiting, limits: &Limits, events: &mut Vec<Event>) -> Result<(), End> {
        let cut = self.gather.finish().filter(|(head, ..)| start::status_line(head) == Start::Yes);
        if let Some((mut head, first, end)) = cut {
            // Browsers take a head without its empty line when the server closes after it.
            let head_len = head.len();
            head.extend_from_slice(b"\n\n");
            if let Some(mut head) = parse_response(&head, first, end) {
                head.response.head_complete = false;
                head.response.head_len = u32::try_from(head_len).unwrap_or(u32::MAX);
                self.answer(head, waiting, limits, events)?;
            }
        }
        self.end_body(limits, events);
        self.lose();
        Ok(())
    }

    /// Takes a response whose head is complete.
    fn answer(&mut self, head: ResponseHead, waiting: &mut Waiting, limits: &Limits, events: &mut Vec<Event>) -> Result<(), End> {
        let ResponseHead { mut response, body, codings } = head;
        let status = response.status;
        // An interim response leaves the request waiting (RFC 9110, section 15.2).
        if (100..200).contains(&status) && status != 101 {
            self.state = State::Head;
            return Ok(());
        }
        let request = waiting.answer();
        let asked = |method: &str| request.as_ref().is_some_and(|request| *request.method == *method);
        let switches = status == 101 || (asked("CONNECT") && (200..300).contains(&status));
        let has_body = !matches!(status, 204 | 304) && !asked("HEAD");
        response.request = request;
        self.body = None;
        self.state = State::Head;
        if has_body && !switches {
            self.body = Body::of(&response, codings).filter(|kept| self.is_worth_keeping(kept, body, limits));
            self.state = State::Body(body);
        }
        events.push(Event::Head(response));
        if switches { Err(End::Switched) } else { Ok(()) }
    }

    /// False for a coded body that is known to be too long to be decoded.
    fn is_worth_keeping(&mut self, body: &Body, framing: Framing, limits: &Limits) -> bool {
        let too_long = body.is_coded() && matches!(framing, Framing::Length(length) if length > limits.http_body as u64);
        if too_long {
            self.unread_bodies = self.unread_bodies.saturating_add(1);
        }
        !too_long
    }

    fn keep(&mut self, data: &[u8], limits: &Limits, events: &mut Vec<Event>) {
        let Some(body) = &mut self.body else { return };
        match body.push(data, limits) {
            Kept::All => {}
            Kept::Uninteresting => self.body = None,
            Kept::Full => {
                if body.is_coded() {
                    self.unread_bodies = self.unread_bodies.saturating_add(1);
                }
                report(self.body.take().map(Body::search_cut), events);
            }
        }
    }

    fn end_body(&mut self, limits: &Limits, events: &mut Vec<Event>) {
        report(self.body.take().map(|body| body.search(limits.http_decoded)), events);
    }

    /// The body of a response with a validator is whole.
    fn end_version(&mut self, number: u64, limits: &Limits, events: &mut Vec<Event>) {
        events.push(Event::Whole(number));
        let (redirects, page) = self.body.take().map(|body| body.end(limits.http_decoded)).unwrap_or_default();
        self.page = page;
        report(Some(redirects), events);
    }

    /// The bytes of the page that was reported whole last.
    pub(super) const fn take_page(&mut self) -> Option<Vec<u8>> {
        self.page.take()
    }

    /// Drops all that is held.
    pub(super) fn stop(&mut self) {
        self.lose();
    }

    fn lose(&mut self) {
        self.gather.clear();
        self.body = None;
        self.state = State::Lost;
    }

    /// Coded bodies that were too long to be decoded.
    pub(super) const fn unread_bodies(&self) -> u64 {
        self.unread_bodies
    }

    /// Heap bytes held.
    pub(super) fn heap_bytes(&self) -> usize {
        let kept = self.body.as_ref().map_or(0, Body::heap_bytes).saturating_add(self.page.as_ref().map_or(0, Vec::capacity));
        self.gather.heap_bytes().saturating_add(kept)
    }
}

/// True when `bytes` begin with a status line, or with so much of one that it is nothing else.
pub(super) fn is_response(bytes: &[u8]) -> bool {
    match start::status_line(bytes) {
        Start::Yes => true,
        Start::Cut => bytes.starts_with(b"HTTP/1."),
        Start::No => false,
    }
}

fn report(found: Option<Vec<Redirect>>, events: &mut Vec<Event>) {
    if let Some(redirects) = found.filter(|redirects| !redirects.is_empty()) {
        events.push(Event::Body(redirects));
    }
}
