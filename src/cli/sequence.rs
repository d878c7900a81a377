//! The captures of a replay, one after the other, and one source made of several of them.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::files::Files;
use crate::capture::FrameSource;
use crate::capture::replay::{CaptureFile, Captures, ReadError};
use crate::engine::frame::Frame;
use crate::engine::time::Timestamp;

/// All captures of the inputs, those in archives included.
pub(super) struct Inputs {
    paths: VecDeque<PathBuf>,
    open: Option<Captures>,
    size: u64,
    /// Bytes of the inputs that are done.
    done: u64,
}

impl Inputs {
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self { paths: paths.into(), open: None, size: 0, done: 0 }
    }

    /// Bytes, on the disk, of the inputs before the one that the last capture came from.
    pub(super) fn bytes_done(&self) -> u64 {
        self.done
    }
}

impl Iterator for Inputs {
    type Item = Result<CaptureFile, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(capture) = self.open.as_mut().and_then(Captures::next_capture) {
                return Some(capture);
            }
            let path = self.paths.pop_front()?;
            self.done += std::mem::replace(&mut self.size, std::fs::metadata(&path).map_or(0, |facts| facts.len()));
            match open(&path) {
                Ok(captures) => self.open = Some(captures),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn open(path: &Path) -> Result<Captures, ReadError> {
    if path == Path::new("-") { Captures::from_reader("-", io::stdin()) } else { Captures::open(path) }
}

/// Puts captures in the order of their first frames. What cannot be looked into beforehand, as a pipe, stays where it is among the
/// first.
pub(super) fn in_order_of_time(paths: &mut [PathBuf]) {
    paths.sort_by_cached_key(|path| first_stamp(path));
}

fn first_stamp(path: &Path) -> Option<Timestamp> {
    if !std::fs::metadata(path).is_ok_and(|facts| facts.is_file()) {
        return None;
    }
    let mut capture = Captures::open(path).ok()?.next_capture()?.ok()?;
    capture.next_frame().ok()?.map(|frame| frame.time)
}

/// One capture, or several as if they were one, each frame with a number that runs on over all of them.
pub(super) struct Sequence {
    current: Option<CaptureFile>,
    more: Option<Inputs>,
    files: Rc<RefCell<Files>>,
    /// Set when nobody wants to hear more.
    enough: Rc<Cell<bool>>,
    /// Numbers given to the files before.
    base: u64,
    last: u64,
    done: u64,
    failures: Vec<ReadError>,
}

impl Sequence {
    /// A capture by itself, `done` bytes after the beginning of all.
    pub(super) fn one(capture: CaptureFile, done: u64, files: &Rc<RefCell<Files>>, enough: &Rc<Cell<bool>>) -> Self {
        let mut sequence = Self::over(Inputs::new(Vec::new()), files, enough);
        sequence.begin(capture);
        Self { more: None, done, ..sequence }
    }

    /// All captures as if they were one.
    pub(super) fn over(inputs: Inputs, files: &Rc<RefCell<Files>>, enough: &Rc<Cell<bool>>) -> Self {
        files.borrow_mut().forget();
        let (files, enough) = (Rc::clone(files), Rc::clone(enough));
        Self { current: None, more: Some(inputs), files, enough, base: 0, last: 0, done: 0, failures: Vec::new() }
    }

    /// What could not be read, so far.
    pub(super) fn failures(&self) -> &[ReadError] {
        &self.failures
    }

    /// Bytes read of all inputs, as they lie on the disk.
    pub(super) fn bytes_read(&self) -> u64 {
        self.done + self.current.as_ref().map_or(0, CaptureFile::bytes_read)
    }

    fn begin(&mut self, capture: CaptureFile) {
        self.base = self.last;
        self.files.borrow_mut().begin(self.base, capture.path());
        self.current = Some(capture);
    }

    /// Goes on to the next capture that can be read; false when there is none.
    #[cold]
    fn open_next(&mut self) -> bool {
        let Some(inputs) = &mut self.more else { return false };
        loop {
            match inputs.next() {
                None => return false,
                Some(Err(error)) => self.failures.push(error),
                Some(Ok(capture)) => {
                    self.done = inputs.bytes_done();
                    self.begin(capture);
                    return true;
                }
            }
        }
    }
}

impl FrameSource for Sequence {
    type Error = Infallible;

    #[inline(always)]
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Infallible> {
        let record = loop {
            if self.enough.get() {
                return Ok(None);
            }
            let next = match &mut self.current {
                Some(capture) => capture.next_record(),
                None => Ok(None),
            };
            match next {
                Ok(Some(record)) => break record,
                Ok(None) => {}
                Err(error) => self.failures.push(error),
            }
            if !self.open_next() {
                return Ok(None);
            }
        };
        let Some(capture) = &mut self.current else { return Ok(None) };
        let frame = capture.take(&record);
        self.last = self.base.saturating_add(frame.number);
        Ok(Some(Frame { number: self.last, ..frame }))
    }

    #[inline]
    fn is_waiting(&self) -> bool {
        self.current.as_ref().is_some_and(CaptureFile::is_waiting)
    }
}
