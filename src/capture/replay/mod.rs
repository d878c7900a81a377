//! Capture files: pcap and pcapng, plain or compressed, one by one or whole folders.

mod buffer;
mod compression;
mod error;
mod inputs;
mod pcap;
mod pcapng;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use self::buffer::Buffer;
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
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// Where the next packet lies in the buffer, and what its record says about it.
struct Record {
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
    let unreadable = |source| ReadError::Open { path: path.to_path_buf(), source };
    let file = File::open(path).map_err(unreadable)?;
    let facts = file.metadata().map_err(unreadable)?;
    let size = facts.is_file().then_some(facts.len());
    CaptureFile::begin(path.to_path_buf(), Box::new(file), size)
}

impl CaptureFile {
    /// Reads a capture from any stream of bytes, standard input for one; `name` is what errors call it.
    ///
    /// # Errors
    /// When it cannot be read, is empty, or is not a capture of a known kind.
    pub fn from_reader(name: impl Into<PathBuf>, source: impl Read + Send + 'static) -> Result<Self, ReadError> {
        Self::begin(name.into(), Box::new(source), None)
    }

    fn begin(name: PathBuf, source: Box<dyn Read + Send>, size: Option<u64>) -> Result<Self, ReadError> {
        let raw = Arc::new(AtomicU64::new(0));
        let counted = Counted { source, count: Arc::clone(&raw) };
        let (compression, unpacked) = match compression::unpack(counted) {
            Ok(both) => both,
            Err(source) => return Err(ReadError::Open { path: name, source }),
        };
        let mut buffer = Buffer::new(unpacked);
        match format(&mut buffer) {
            Ok(format) => Ok(Self { name, compression, size, raw, buffer, format, number: 0, packets: 0, over: false }),
            Err(refusal) => Err(refusal.into_error(name, compression, buffer.offset())),
        }
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
    /// one buffer at most.
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

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, ReadError> {
        if self.over {
            return Ok(None);
        }
        let next = match &mut self.format {
            Format::Pcap(pcap) => pcap.next(&mut self.buffer, self.packets),
            Format::PcapNg(pcapng) => pcapng.next(&mut self.buffer, self.packets),
        };
        match next {
            Ok(Some(record)) => {
                self.number = self.number.saturating_add(record.numbered_before).saturating_add(1);
                self.packets = self.packets.saturating_add(1);
                let bytes = self.buffer.take(record.whole, record.skip, record.len);
                let Record { time, link, wire_len, .. } = record;
                Ok(Some(Frame { number: self.number, time, link, bytes, wire_len }))
            }
            Ok(None) => {
                self.over = true;
                Ok(None)
            }
            Err(damage) => {
                self.over = true;
                let (path, compression) = (self.name.clone(), self.compression);
                Err(ReadError::Damaged { path, compression, offset: self.damage_at(), packets: self.packets, damage })
            }
        }
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

/// First bytes of files that a user may well try, and what they are. The pcap variants are those named in libpcap's
/// `sf-pcap.c` and Wireshark's `wiretap/libpcap.h`.
const KNOWN_BUT_UNSUPPORTED: [(&[u8], &str); 19] = [
    (&[0xa1, 0xb2, 0xcd, 0x34], "Alexey Kuznetzov's modified pcap"),
    (&[0x34, 0xcd, 0xb2, 0xa1], "Alexey Kuznetzov's modified pcap"),
    (&[0xa1, 0xb2, 0x34, 0xcd], "Francisco Mesquita's modified pcap"),
    (&[0xcd, 0x34, 0xb2, 0xa1], "Francisco Mesquita's modified pcap"),
    (&[0xa1, 0x2b, 0x3c, 0x4d], "Navtel's pcap"),
    (&[0x4d, 0x3c, 0x2b, 0xa1], "Navtel's pcap"),
    (&[0x1c, 0x00, 0x01, 0xac], "Ixia's hardware pcap"),
    (&[0xac, 0x01, 0x00, 0x1c], "Ixia's hardware pcap"),
    (&[0x1c, 0x00, 0x01, 0xab], "Ixia's software pcap"),
    (&[0xab, 0x01, 0x00, 0x1c], "Ixia's software pcap"),
    (b"snoop\0\0\0", "Solaris snoop"),
    (b"GMBU", "Microsoft Network Monitor 2"),
    (b"RTSS", "Microsoft Network Monitor 1"),
    (b"\xfd7zXZ\0", "xz-compressed"),
    (b"BZh", "bzip2-compressed"),
    (b"\x04\x22\x4d\x18", "lz4-compressed"),
    (b"PK\x03\x04", "zip"),
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
