//! The client's direction: requests on their way into the queue of those that wait.

use super::framing::{Framing, Piece};
use super::gather::{Gather, Gathered};
use super::head::{RequestHead, parse_request};
use super::message::Stamp;
use super::segment::Segment;
use super::start::{self, Start};
use super::waiting::Waiting;
use crate::engine::limits::Limits;

/// The client's direction.
#[derive(Debug, Default)]
pub(super) struct Client {
    state: State,
    gather: Gather,
}

#[derive(Debug, Default)]
enum State {
    /// At the start of a request, or in its head.
    #[default]
    Head,
    /// In the body of the request that began at `request`.
    Body { framing: Framing, request: Stamp },
    /// What is read is no HTTP; a segment that begins a request ends this.
    Lost,
}

impl Client {
    /// Reads a segment; false when a head exceeds its bound.
    pub(super) fn read(&mut self, mut segment: Segment<'_>, waiting: &mut Waiting, limits: &Limits) -> bool {
        if matches!(self.state, State::Lost) && is_request(segment.rest) {
            self.state = State::Head;
        }
        loop {
            match &mut self.state {
                State::Lost => return true,
                State::Head if segment.rest.is_empty() => return true,
                State::Head => match self.gather.take(&mut segment, start::request_line, limits.http_head) {
                    Gathered::More => return true,
                    Gathered::Garbage => self.lose(),
                    Gathered::TooLong => return false,
                    Gathered::Head(head) => match parse_request(&head.bytes, head.first, head.end) {
                        Some(head) => self.begin_body(head, waiting, limits),
                        None => self.lose(),
                    },
                },
                State::Body { framing, request } => {
                    let piece = framing.next(&mut segment.rest);
                    waiting.extend_newest(*request, segment.here());
                    match piece {
                        Piece::Data(_) => {}
                        Piece::Need => return true,
                        Piece::End => self.state = State::Head,
                        Piece::Broken => self.lose(),
                    }
                }
            }
        }
    }

    /// `len` bytes are missing; `None` when it is not known how many.
    pub(super) fn skip(&mut self, len: Option<u32>) {
        let goes_on = match (&mut self.state, len) {
            (State::Body { framing, .. }, Some(len)) => framing.skip(len),
            _ => false,
        };
        if !goes_on {
            self.lose();
        }
    }

    fn begin_body(&mut self, head: RequestHead, waiting: &mut Waiting, limits: &Limits) {
        let request = head.request.first;
        waiting.push(head.request, limits.http_pipeline);
        if let Some(framing) = head.body {
            self.state = State::Body { framing, request };
        }
    }

    fn lose(&mut self) {
        self.gather.clear();
        self.state = State::Lost;
    }

    /// Heap bytes held.
    pub(super) const fn heap_bytes(&self) -> usize {
        self.gather.heap_bytes()
    }
}

/// True when `bytes` begin a request, or enough of one to tell.
pub(super) fn is_request(bytes: &[u8]) -> bool {
    let bytes = start::without_empty_lines(bytes);
    match start::request_line(bytes) {
        Start::Yes => true,
        Start::Cut => start::is_telling(bytes),
        Start::No => false,
    }
}
