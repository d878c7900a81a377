//! Captures inside tar and zip archives, one after the other, as a stream: nothing is unpacked as a whole.

mod tar;
mod zip;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::buffer::Buffer;
use super::error::{Damage, Part};
use super::inputs::named_like_a_capture;
use super::{CaptureFile, Compression, ReadError, Stream};

/// The most bytes of a member's name, or of a header that tells it, that are taken.
const MAX_NAME: u64 = 64 << 10;

/// How the members of an archive are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Tar,
    Zip,
}

impl Layout {
    /// Told by the archive's first 512 bytes.
    pub(super) fn of(first: &[u8]) -> Option<Self> {
        if zip::begins(first) {
            return Some(Self::Zip);
        }
        tar::begins(first).then_some(Self::Tar)
    }
}

/// An archive being read.
pub(super) struct Archive {
    name: PathBuf,
    compression: Compression,
    size: Option<u64>,
    raw: Arc<AtomicU64>,
    shelf: Arc<Mutex<Shelf>>,
    captures: u64,
    over: bool,
}

impl Archive {
    pub(super) fn new(stream: Stream, layout: Layout) -> Self {
        let Stream { name, compression, size, raw, buffer, .. } = stream;
        let shelf = Shelf { buffer, layout, body: Body::None, tail: Tail::None, told: false };
        Self { name, compression, size, raw, shelf: Arc::new(Mutex::new(shelf)), captures: 0, over: false }
    }

    /// The next member that is named like a capture. Its frames must be read before the next is asked for.
    pub(super) fn next_capture(&mut self) -> Option<Result<CaptureFile, ReadError>> {
        while !self.over {
            let member = lock(&self.shelf).next_member();
            match member {
                Ok(Some(member)) if is_capture(&member.name) => {
                    self.captures += 1;
                    return Some(self.open(member));
                }
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.over = true;
                    if self.captures == 0 {
                        return Some(Err(ReadError::NothingInside { path: self.name.clone() }));
                    }
                }
                Err(damage) => {
                    self.over = true;
                    let shelf = lock(&self.shelf);
                    if !shelf.told {
                        let (path, compression, offset) = (self.name.clone(), self.compression, shelf.buffer.offset());
                        return Some(Err(ReadError::Archive { path, compression, offset, captures: self.captures, damage }));
                    }
                }
            }
        }
        None
    }

    fn open(&self, member: Member) -> Result<CaptureFile, ReadError> {
        let mut name = self.name.clone().into_os_string();
        name.push("!");
        name.push(member.name.trim_start_matches("./"));
        if let Some(why) = member.unreadable {
            return Err(ReadError::Member { path: name.into(), why });
        }
        let mut stream = Stream::new(name.into(), Box::new(Inside(Arc::clone(&self.shelf))), self.size)?;
        stream.raw = Arc::clone(&self.raw);
        CaptureFile::begin(stream)
    }
}

/// By its name, as in a folder; not the companions that macOS puts into archives.
fn is_capture(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| named_like_a_capture(file) && !file.as_encoded_bytes().starts_with(b"._"))
}

fn lock(shelf: &Mutex<Shelf>) -> MutexGuard<'_, Shelf> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What an archive says about a member before its bytes.
struct Member {
    name: String,
    /// Why its bytes cannot be had.
    unreadable: Option<&'static str>,
}

/// The archive's stream, standing somewhere in a member.
struct Shelf {
    buffer: Buffer,
    layout: Layout,
    body: Body,
    tail: Tail,
    /// A member's reader has been told that the archive breaks off.
    told: bool,
}

/// What is left of the member's bytes.
enum Body {
    None,
    /// As they are, so many.
    Plain {
        left: u64,
        crc: Option<Check>,
    },
    /// Deflated (RFC 1951); the packed bytes left, where that was told beforehand.
    Deflated {
        inflate: Box<Decompress>,
        left: Option<u64>,
        crc: Option<Check>,
    },
}

/// The checksum that a member should have, and that of its bytes so far.
struct Check {
    expected: u32,
    crc: Crc,
}

impl Check {
    fn new(expected: u32) -> Self {
        Self { expected, crc: Crc::new() }
    }
}

/// What follows a member's bytes.
#[derive(Clone, Copy)]
enum Tail {
    None,
    /// Bytes that fill up a block.
    Padding(u64),
    /// A zip's data descriptor.
    Descriptor,
}

impl Shelf {
    fn next_member(&mut self) -> Result<Option<Member>, Damage> {
        self.finish_member()?;
        match self.layout {
            Layout::Tar => tar::next_member(self),
            Layout::Zip => zip::next_member(self),
        }
    }

    fn cut(&mut self) -> Damage {
        self.buffer.cut(Part::Member)
    }

    /// Goes past what nobody read of the member.
    fn finish_member(&mut self) -> Result<(), Damage> {
        let packed = match &self.body {
            Body::None => Some(0),
            Body::Plain { left, .. } | Body::Deflated { left: Some(left), .. } => Some(*left),
            Body::Deflated { left: None, .. } => None,
        };
        match packed {
            Some(left) => {
                if !self.buffer.skip(left) {
                    return Err(self.cut());
                }
            }
            None => {
                io::copy(&mut ShelfReader(self), &mut io::sink()).map_err(|source| Damage::Unreadable { source })?;
            }
        }
        self.body = Body::None;
        match std::mem::replace(&mut self.tail, Tail::None) {
            Tail::None => Ok(()),
            Tail::Padding(len) => {
                if self.buffer.skip(len) {
                    Ok(())
                } else {
                    Err(self.cut())
                }
            }
            Tail::Descriptor => zip::skip_descriptor(&mut self.buffer),
        }
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = match std::mem::replace(&mut self.body, Body::None) {
            Body::None => Ok(0),
            Body::Plain { left, crc } => self.read_plain(into, left, crc),
            Body::Deflated { inflate, left, crc } => self.read_deflated(into, inflate, left, crc),
        };
        self.told |= read.is_err();
        read
    }

    fn read_plain(&mut self, into: &mut [u8], left: u64, mut crc: Option<Check>) -> io::Result<usize> {
        if left == 0 {
            return finish(crc);
        }
        if !self.buffer.has(1) {
            return Err(self.broken_off());
        }
        let len = into.len().min(self.buffer.rest().len()).min(usize::try_from(left).unwrap_or(usize::MAX));
        let bytes = self.buffer.take(len, 0, len);
        into.get_mut(..len).unwrap_or_default().copy_from_slice(bytes);
        if let Some(check) = &mut crc {
            check.crc.update(bytes);
        }
        self.body = Body::Plain { left: left.saturating_sub(len as u64), crc };
        Ok(len)
    }

    fn read_deflated(
        &mut self,
        into: &mut [u8],
        mut inflate: Box<Decompress>,
        mut left: Option<u64>,
        mut crc: Option<Check>,
    ) -> io::Result<usize> {
        loop {
            let ended = !self.buffer.has(1) || left == Some(0);
            let most = left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
            let packed = self.buffer.rest();
            let packed = packed.get(..most.min(packed.len())).unwrap_or_default();
            let before = (inflate.total_in(), inflate.total_out());
            let status = inflate.decompress(packed, into, FlushDecompress::None)?;
            let taken = (inflate.total_in() - before.0) as usize;
            let given = (inflate.total_out() - before.1) as usize;
            self.buffer.take(taken, 0, 0);
            left = left.map(|left| left.saturating_sub(taken as u64));
            if let Some(check) = &mut crc {
                check.crc.update(into.get(..given).unwrap_or_default());
            }
            if given > 0 {
                self.body = Body::Deflated { inflate, left, crc };
                return Ok(given);
            }
            if status == Status::StreamEnd {
                // What a faulty writer counted beyond the stream's end; if it is not there, the next member's header says so.
                self.buffer.skip(left.unwrap_or(0));
                return finish(crc);
            }
            if ended || taken == 0 {
                return Err(self.broken_off());
            }
        }
    }

    fn broken_off(&mut self) -> io::Error {
        self.buffer.failure().unwrap_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "the archive ends in the middle of this file"))
    }
}

fn finish(crc: Option<Check>) -> io::Result<usize> {
    match crc {
        Some(check) if check.crc.sum() != check.expected => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum in the archive does not fit: some byte was altered"))
        }
        _ => Ok(0),
    }
}

struct ShelfReader<'a>(&'a mut Shelf);

impl Read for ShelfReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

/// The bytes of the member that the archive stands in.
struct Inside(Arc<Mutex<Shelf>>);

impl Read for Inside {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        lock(&self.0).read(into)
    }
}
