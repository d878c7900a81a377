//! Gathers one message head from the segments it came in; copies nothing when it came in one.

use std::borrow::Cow;

use super::body::append_bounded;
use super::message::Stamp;
use super::segment::Segment;
use super::start::{Start, head_end, without_empty_lines};

/// A head that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct Gather {
    bytes: Vec<u8>,
    /// Stamps of the first byte and of the end.
    span: Option<(Stamp, Stamp)>,
}

/// What a segment brought.
#[derive(Debug)]
pub(super) enum Gathered<'a> {
    /// A whole head.
    Head(WholeHead<'a>),
    /// Less than a head; all bytes are used up.
    More,
    /// Not a head.
    Garbage,
    /// The head is longer than the bound.
    TooLong,
}

/// A head from its first byte to its empty line.
#[derive(Debug)]
pub(super) struct WholeHead<'a> {
    pub(super) bytes: Cow<'a, [u8]>,
    /// Stamp of its first byte.
    pub(super) first: Stamp,
    /// Stamp of its end.
    pub(super) end: Stamp,
}

impl Gather {
    /// Takes bytes off `segment`. `start` judges the beginning; `cap` bounds the head.
    pub(super) fn take<'a>(&mut self, segment: &mut Segment<'a>, start: fn(&[u8]) -> Start, cap: usize) -> Gathered<'a> {
        let Some((first, _)) = self.span else {
            return self.begin(segment, start, cap);
        };
        let before = self.bytes.len();
        let fits = append_bounded(&mut self.bytes, segment.rest, cap);
        // The empty line may have begun in the last three bytes of what was there before.
        match head_end(&self.bytes, before.saturating_sub(3)) {
            Some(end) => {
                segment.rest = segment.rest.get(end.saturating_sub(before)..).unwrap_or_default();
                let mut bytes = std::mem::take(&mut self.bytes);
                bytes.truncate(end);
                self.span = None;
                Gathered::Head(WholeHead { bytes: Cow::Owned(bytes), first, end: segment.here() })
            }
            None if start(&self.bytes) == Start::No => Gathered::Garbage,
            None if fits => {
                segment.rest = &[];
                self.span = Some((first, segment.here()));
                Gathered::More
            }
            None => Gathered::TooLong,
        }
    }

    fn begin<'a>(&mut self, segment: &mut Segment<'a>, start: fn(&[u8]) -> Start, cap: usize) -> Gathered<'a> {
        segment.rest = without_empty_lines(segment.rest);
        let (head, first) = (segment.rest, segment.here());
        if head.is_empty() {
            return Gathered::More;
        }
        match head_end(head, 0).and_then(|end| head.split_at_checked(end)) {
            // Its parser refuses it if it is none.
            Some((bytes, after)) if bytes.len() <= cap => {
                segment.rest = after;
                Gathered::Head(WholeHead { bytes: Cow::Borrowed(bytes), first, end: segment.here() })
            }
            _ if start(head) == Start::No => Gathered::Garbage,
            None if append_bounded(&mut self.bytes, head, cap) => {
                segment.rest = &[];
                self.span = Some((first, segment.here()));
                Gathered::More
            }
            _ => Gathered::TooLong,
        }
    }

    /// Drops what was gathered.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What was gathered when nothing more will come, with the stamps of its first byte and of its end.
    pub(super) fn finish(&mut self) -> Option<(Vec<u8>, Stamp, Stamp)> {
        let (first, end) = self.span.take()?;
        Some((std::mem::take(&mut self.bytes), first, end))
    }

    /// Heap bytes held.
    pub(super) const fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }
}
