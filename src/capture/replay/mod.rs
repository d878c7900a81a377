//! Capture files: pcap and pcapng, plain, compressed or in archives, one by one or whole folders.

mod ahead;
mod archive;
mod buffer;
mod compression;
mod error;
mod follow;
mod inputs;
mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use self::ahead::Ahead;
use self::archive::{Archive, Layout};
use self::buffer::Buffer;
use self::follow::{Growing, Signs};
use self::pcap::Pcap;
use self::pcapng::PcapNg;
use super::FrameSource;
use crate::engine::frame::{Frame, LinkType};
use crate::engine::time::Timestamp;

pub use self::compression::{Compression, UnpackError};
pub use self::error::{Damage, Part, ReadError};
pub use self::inputs::{FOLDER_RULE, InputError, inputs};

/// The most bytes of one packet that are taken: libpcap's and Wireshark's own limit (`MAXIMUM_SNAPLEN`). A larger length
/// means that the file is damaged.
pub const MAX_CAPTURED: u32 = 262_144;

/// Bytes of a file from which on it is read and unpacked by a thread of its own.
const WORTH_READING_AHEAD: u64 = 1 << 20;

/// A capture being read, frame by frame, from a file or any stream of bytes.
///
/// Frames are numbered from 1 in the order of the file, as Wireshark numbers them. All that stands before a damage is
/// given; then one error; then nothing.
pub struct CaptureFile {
    name: PathBuf,
    compression: Compression,
    size: Option<u64>,
    raw: Arc<AtomicU64>,
    buffer: Buffer,
    format: Format,
    number: u64,
    packets: u64,
    over: bool,
    /// Of a file that is still being written.
    signs: Option<Signs>,
}

/// The captures of one input, one after the other: itself, or those in the archive that it is.
pub struct Captures {
    archive: Option<Archive>,
    itself: Option<Stream>,
}

/// An input, unpacked, before its format is known.
struct Stream {
    name: PathBuf,
    compression: Compression,
    size: Option<u64>,
    raw: Arc<AtomicU64>,
    buffer: Buffer,
    signs: Option<Signs>,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// Where the next packet lies in the buffer, and what its record says about it.
pub(crate) struct Record {
    /// Bytes from the record's first to the packet's first.
    skip: usize,
    /// Bytes of the packet.
    len: usize,
    /// Bytes of the whole record.
    whole: usize,
    /// Records before it, since the last packet, that Wireshark numbers too though they hold no packet.
    numbered_before: u64,
    time: Timestamp,
    link: LinkType,
    wire_len: u32,
}

/// Opens a capture file and reads its header.
///
/// # Errors
/// When it cannot be opened, is empty, or is not a capture of a known kind.
pub fn open(path: &Path) -> Result<CaptureFile, ReadError> {
    CaptureFile::begin(Stream::open(path)?)
}

/// Opens a capture that is still being written. Its end is waited at until `stop` is set or its path leads to another file;
/// the record that was being written then is left out.
///
/// # Errors
/// When it cannot be opened, or is not a capture of a known kind; when it was stopped before it began.
pub fn follow(path: &Path, stop: Arc<AtomicBool>) -> Result<CaptureFile, ReadError> {
    let unreadable = |source| ReadError::Open { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(unreadable)?;
    let signs = Signs { stop, ..Signs::default() };
    let growing = Growing::new(file, path.to_path_buf(), signs.clone());
    let stream = Stream::new(path.to_path_buf(), Box::new(growing), None)?;
    CaptureFile::begin(Stream { signs: Some(signs), ..stream })
}

impl Captures {
    /// Opens a capture file or an archive of captures.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Stream::open(path).map(Self::of)
    }

    /// The captures in any stream of bytes, standard input for one; `name` is what errors call it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn from_reader(name: impl Into<PathBuf>, source: impl Read + Send + 'static) -> Result<Self, ReadError> {
        Stream::new(name.into(), Box::new(source), None).map(Self::of)
    }

    fn of(mut stream: Stream) -> Self {
        match Layout::of(stream.buffer.first_block()) {
            Some(layout) => Self { archive: Some(Archive::new(stream, layout)), itself: None },
            None => Self { archive: None, itself: Some(stream) },
        }
    }

    /// The next capture, its header read; an error is one capture's, or the archive's end.
    pub fn next_capture(&mut self) -> Option<Result<CaptureFile, ReadError>> {
        match &mut self.archive {
            Some(archive) => archive.next_capture(),
            None => self.itself.take().map(CaptureFile::begin),
        }
    }
}

impl Stream {
    fn open(path: &Path) -> Result<Self, ReadError> {
        let unreadable = |source| ReadError::Open { path: path.to_path_buf(), source };
        let file = File::open(path).map_err(unreadable)?;
        let facts = file.metadata().map_err(unreadable)?;
        let size = facts.is_file().then_some(facts.len());
        Self::new(path.to_path_buf(), Box::new(file), size)
    }

    fn new(name: PathBuf, source: Box<dyn Read + Send>, size: Option<u64>) -> Result<Self, ReadError> {
        let raw = Arc::new(AtomicU64::new(0));
        let counted = Counted { source, count: Arc::clone(&raw) };
        match compression::unpack(counted) {
            Ok((compression, unpacked)) => {
                let buffer = match size {
                    Some(size) if size >= WORTH_READING_AHEAD => {
                        Buffer::ahead(Ahead::of(unpacked).map_err(|source| ReadError::Open { path: name.clone(), source })?)
                    }
                    _ => Buffer::new(unpacked),
                };
                Ok(Self { name, compression, size, raw, buffer, signs: None })
            }
            Err(source) => Err(ReadError::Open { path: name, source }),
        }
    }
}

impl CaptureFile {
    /// Reads a capture from any stream of bytes; `name` is what errors call it.
    ///
    /// # Errors
    /// When it cannot be read, is empty, or is not a capture of a known kind.
    pub fn from_reader(name: impl Into<PathBuf>, source: impl Read + Send + 'static) -> Result<Self, ReadError> {
        Self::begin(Stream::new(name.into(), Box::new(source), None)?)
    }

    fn begin(stream: Stream) -> Result<Self, ReadError> {
        let Stream { name, compression, size, raw, mut buffer, signs } = stream;
        match format(&mut buffer) {
            Ok(format) => Ok(Self { name, compression, size, raw, buffer, format, number: 0, packets: 0, over: false, signs }),
            Err(refusal) => Err(refusal.into_error(name, compression, buffer.offset())),
        }
    }

    /// Whether a damage is only that the writer was stopped at, in the middle of a record.
    fn was_stopped_at(&self, damage: &Damage) -> bool {
        let stopped = self.signs.as_ref().is_some_and(|signs| signs.stop.load(Ordering::Relaxed));
        stopped && matches!(damage, Damage::Cut { .. } | Damage::Unreadable { .. })
    }

    /// Finds the next record. To be taken before the next is looked for.
    // A record lives in registers from here to the frame; returned through memory it costs more than reading it.
    #[inline(always)]
    pub(crate) fn next_record(&mut self) -> Result<Option<Record>, ReadError> {
        let next = match &mut self.format {
            _ if self.over => Ok(None),
            Format::Pcap(pcap) => pcap.next(&mut self.buffer, self.packets),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.buffer, self.packets),
        };
        match next {
            Ok(Some(record)) => Ok(Some(record)),
            Ok(None) => self.end(None),
            Err(damage) => self.end(Some(damage)),
        }
    }

    /// Nothing more will be given, for this reason.
    #[cold]
    fn end<T>(&mut self, damage: Option<Damage>) -> Result<Option<T>, ReadError> {
        self.over = true;
        match damage.filter(|damage| !self.was_stopped_at(damage)) {
            None => Ok(None),
            Some(damage) => {
                let (path, compression) = (self.name.clone(), self.compression);
                Err(ReadError::Damaged { path, compression, offset: self.damage_at(), packets: self.packets, damage })
            }
        }
    }

    /// The frame that a record holds.
    #[inline(always)]
    pub(crate) fn take(&mut self, record: &Record) -> Frame<'_> {
        self.number = self.number.saturating_add(record.numbered_before).saturating_add(1);
        self.packets = self.packets.saturating_add(1);
        let Record { time, link, wire_len, .. } = *record;
        Frame { number: self.number, time, link, bytes: self.buffer.take(record.whole, record.skip, record.len), wire_len }
    }

    /// Where the record begins that could not be read.
    fn damage_at(&self) -> u64 {
        match &self.format {
            Format::Pcap(_) => self.buffer.offset(),
            Format::PcapNg(pcapng) => pcapng.block_at(),
        }
    }

    /// The file's path, or the name the stream was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.name
    }
    /// How the file is packed, told by its first bytes, not by its name.
    #[must_use]
    pub fn compression(&self) -> Compression {
        self.compression
    }
    /// Bytes taken from the file so far, as they lie on the disk (packed, if it is packed). Runs ahead of the frames by
    /// a few buffers at most.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.raw.load(Ordering::Relaxed)
    }
    /// Bytes of the file on the disk when it was opened; `None` for a stream.
    #[must_use]
    pub fn size_on_disk(&self) -> Option<u64> {
        self.size
    }
}

impl FrameSource for CaptureFile {
    type Error = ReadError;

    fn is_waiting(&self) -> bool {
        let Some(signs) = &self.signs else { return false };
        let rest = self.buffer.rest();
        let buffered = match &self.format {
            Format::Pcap(pcap) => pcap.is_buffered(rest),
            Format::PcapNg(pcapng) => pcapng.is_buffered(rest),
        };
        !buffered && signs.caught_up.load(Ordering::Relaxed)
    }

    #[inline]
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, ReadError> {
        let record = self.next_record()?;
        Ok(record.map(|record| self.take(&record)))
    }
}

/// Why a stream does not begin like a capture; becomes a [`ReadError`] once the name is added.
enum Refusal {
    Empty,
    NotACapture(Vec<u8>),
    Unsupported { kind: &'static str, first: Vec<u8> },
    Damaged(Damage),
}

impl Refusal {
    fn into_error(self, path: PathBuf, compression: Compression, offset: u64) -> ReadError {
        match self {
            Self::Empty => ReadError::Empty { path, compression },
            Self::NotACapture(first) => ReadError::NotACapture { path, compression, first },
            Self::Unsupported { kind, first } => ReadError::Unsupported { path, kind, first },
            Self::Damaged(damage) => ReadError::Damaged { path, compression, offset, packets: 0, damage },
        }
    }
}

impl From<Damage> for Refusal {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// Tells the format by the stream's first bytes and reads its header.
fn format(buffer: &mut Buffer) -> Result<Format, Refusal> {
    let first = buffer.first();
    if let Some(failure) = buffer.failure() {
        return Err(Damage::Unreadable { source: failure }.into());
    }
    if first.is_empty() {
        return Err(Refusal::Empty);
    }
    if PcapNg::begins(&first) {
        return Ok(Format::PcapNg(PcapNg::new()));
    }
    if Pcap::begins(&first) {
        return Pcap::read_header(buffer).map(Format::Pcap);
    }
    match KNOWN_BUT_UNSUPPORTED.iter().find(|(magic, _)| first.starts_with(magic)) {
        Some((_, kind)) => Err(Refusal::Unsupported { kind, first }),
        None => Err(Refusal::NotACapture(first)),
    }
}

/// Whether these first bytes are those of a capture that is read.
fn is_capture(first: &[u8]) -> bool {
    PcapNg::begins(first) || Pcap::begins(first)
}

/// First bytes of files that a user may well try, and what they are. The pcap variants are those named in libpcap's
/// `sf-pcap.c` and Wireshark's `wiretap/libpcap.h`.
const KNOWN_BUT_UNSUPPORTED: [(&[u8], &str); 11] = [
    (&[0xa1, 0xb2, 0x34, 0xcd], "Francisco Mesquita's modified pcap"),
    (&[0xcd, 0x34, 0xb2, 0xa1], "Francisco Mesquita's modified pcap"),
    (b"snoop\0\0\0", "Solaris snoop"),
    (b"GMBU", "Microsoft Network Monitor 2"),
    (b"RTSS", "Microsoft Network Monitor 1"),
    (b"\xfd7zXZ\0", "twice xz-compressed"),
    (b"BZh", "twice bzip2-compressed"),
    (b"\x04\x22\x4d\x18", "twice lz4-compressed"),
    (b"PK\x03\x04", "zip inside something else"),
    (b"\x1f\x8b", "twice gzip-compressed"),
    (b"\x28\xb5\x2f\xfd", "twice zstd-compressed"),
];

/// Counts what is taken from the file beneath any decoder, for the progress line.
struct Counted {
    source: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let taken = self.source.read(into)?;
        self.count.fetch_add(taken as u64, Ordering::Relaxed);
        Ok(taken)
    }
}
