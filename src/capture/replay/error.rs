//! What can be wrong with a capture file, as facts, and how it is told.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::inputs::NAME_RULE;
use super::{Compression, MAX_CAPTURED};

/// What can be read, for those who tried something else.
const READABLE: &str = "pcap and pcapng are read, plain, packed with gzip, zstd, xz, bzip2 or lz4, and inside tar and zip archives";

/// Why a capture file could not be read, or not to its end.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The system would not give it.
    #[error("{}: cannot be read: {source}", shown(path))]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Nothing is in it.
    #[error(
        "{}: is empty{}: nothing was captured, or the copy failed; not even the header of a capture is there",
        shown(path),
        unpacked(*compression)
    )]
    Empty {
        /// The file.
        path: PathBuf,
        /// How it is packed.
        compression: Compression,
    },
    /// It begins like nothing known.
    #[error(
        "{}: is not a capture file: it begins with {}{}; {READABLE}",
        shown(path),
        Bytes(first),
        unpacked(*compression)
    )]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// How it is packed.
        compression: Compression,
        /// Its first bytes, unpacked, 16 at most.
        first: Vec<u8>,
    },
    /// It is of a kind that is known but not read.
    #[error(
        "{}: is a {kind} file (it begins with {}), an unsupported variant; {READABLE}: unpack it, or convert it \
         with `editcap`",
        shown(path),
        Bytes(first)
    )]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
        /// Its first bytes, unpacked, 16 at most.
        first: Vec<u8>,
    },
    /// It could be read up to some place only.
    #[error(
        "{}: damaged at byte {}{}: {damage}; {}",
        shown(path),
        Grouped(*offset),
        unpacked(*compression),
        before(*packets, *compression, damage)
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it is packed.
        compression: Compression,
        /// Where the part begins that could not be read, in bytes of the unpacked stream.
        offset: u64,
        /// Packets given before.
        packets: u64,
        /// What is wrong there.
        damage: Damage,
    },
    /// No member of an archive is taken for a capture.
    #[error(
        "{}: no capture is in this archive; those members are taken whose names {NAME_RULE}: unpack it, and name others one by one",
        shown(path)
    )]
    NothingInside {
        /// The archive.
        path: PathBuf,
    },
    /// A member of an archive cannot be read.
    #[error("{}: cannot be read: {why}; take it out of the archive first", shown(path))]
    Member {
        /// The archive, and the member behind an exclamation mark.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// An archive could be read up to some place only.
    #[error(
        "{}: damaged at byte {}{}: {damage}; {captures} captures were found in it before",
        shown(path),
        Grouped(*offset),
        unpacked(*compression)
    )]
    Archive {
        /// The archive.
        path: PathBuf,
        /// How it is packed.
        compression: Compression,
        /// The place, in bytes of the unpacked archive.
        offset: u64,
        /// Captures found before.
        captures: u64,
        /// What is wrong there.
        damage: Damage,
    },
}

/// What is wrong at one place of a capture.
#[derive(Debug, Error)]
pub enum Damage {
    /// The stream ends inside something.
    #[error(
        "the capture ends in the middle of {part}, after byte {}: it was cut while being written or copied, so copy it again \
         if the original is longer",
        Grouped(*end)
    )]
    Cut {
        /// What it ends in.
        part: Part,
        /// Bytes of the whole unpacked stream.
        end: u64,
    },
    /// The stream broke off: the disk failed, or what was packed cannot be unpacked.
    #[error("the data cannot be read or unpacked further ({source}); copy the file again if you can")]
    Unreadable {
        /// What failed.
        source: io::Error,
    },
    /// A packet's stated length cannot be true.
    #[error("packet {} claims to hold {} bytes where {} are the most: the file was overwritten or badly copied here",
        Grouped(*packet), Grouped(u64::from(*length)), Grouped(u64::from(MAX_CAPTURED)))]
    CapturedLength {
        /// The packet's count among packets, from 1.
        packet: u64,
        /// Bytes claimed.
        length: u32,
    },
    /// The file's or section's version is none that is known.
    #[error("version {major}.{minor} of the format is not known: convert the file with `editcap`")]
    Version {
        /// Before the point.
        major: u16,
        /// After it.
        minor: u16,
    },
    /// A pcapng section does not tell its byte order.
    #[error("a section begins here without a byte order ({}): the file was overwritten or badly copied here", Bytes(magic))]
    ByteOrder {
        /// What stands in its place.
        magic: Vec<u8>,
    },
    /// A pcapng block's length cannot be true.
    #[error("a block claims a length of {} bytes, which it cannot have: the file was overwritten or badly copied here",
        Grouped(u64::from(*length)))]
    BlockLength {
        /// Bytes claimed.
        length: u32,
    },
    /// A pcapng block's two lengths differ.
    #[error("a block's length is {} at its beginning but {} at its end: the file was overwritten or badly copied here",
        Grouped(u64::from(*head)), Grouped(u64::from(*trailer)))]
    BlockTrailer {
        /// Bytes claimed first.
        head: u32,
        /// Bytes claimed last.
        trailer: u32,
    },
    /// A pcapng block is too short for what it says it holds.
    #[error("a block of type {kind:#x} is too short for what it should hold: its writer was faulty, or the file was altered")]
    BlockContent {
        /// The block's type.
        kind: u32,
    },
    /// A pcapng packet names an interface that was not described before.
    #[error("packet {} comes from interface {interface}, but {known} were described: its writer was faulty", Grouped(*packet))]
    UnknownInterface {
        /// The packet's count among packets, from 1.
        packet: u64,
        /// The interface named, from 0.
        interface: u32,
        /// How many its section described so far.
        known: usize,
    },
    /// What should be the header of an archive's next member is none.
    #[error("no file of the archive begins here as it should: the archive was overwritten or badly copied here")]
    ArchiveHeader,
    /// Nothing tells where a member of an archive ends.
    #[error("the length of the file that begins here is told behind it, where it cannot be found: unpack the archive first")]
    EndlessMember,
    /// A pcapng section describes too many interfaces.
    #[error("a section describes more than {limit} interfaces: split the file with `editcap`")]
    TooManyInterfaces {
        /// The most that are taken.
        limit: usize,
    },
}

/// A part of a capture that it may end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first 24 bytes of a pcap.
    FileHeader,
    /// A packet and its record.
    Packet {
        /// Its count among packets, from 1.
        number: u64,
    },
    /// A pcapng block that holds no packet, as far as could be told.
    Block,
    /// A file in an archive, or what tells of it.
    Member,
}

impl fmt::Display for Part {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileHeader => to.write_str("its own header"),
            Self::Packet { number } => write!(to, "packet {}", Grouped(*number)),
            Self::Block => to.write_str("a block"),
            Self::Member => to.write_str("a file of the archive"),
        }
    }
}

/// A path as text for a terminal: a file's name may hold line breaks and escape sequences.
pub(super) fn shown(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .map(|letter| if letter.is_control() { letter.escape_default().to_string() } else { letter.to_string() })
        .collect()
}

fn unpacked(compression: Compression) -> String {
    match compression {
        Compression::None => String::new(),
        packed => format!(" (once unpacked from {packed})"),
    }
}

fn before(packets: u64, compression: Compression, damage: &Damage) -> String {
    let given = match packets {
        0 => return "no packet could be read before it".to_owned(),
        1 => "the one packet before it was analysed".to_owned(),
        many => format!("all {} packets before it were analysed", Grouped(many)),
    };
    // One altered byte of packed data alters much of what is unpacked behind it before any decoder takes notice.
    match (compression, damage) {
        (Compression::None, _) | (_, Damage::Cut { .. }) => given,
        _ => format!("{given}, but packed data may be wrong even before the place where that shows"),
    }
}

/// A number with a comma after every three digits.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                to.write_str(",")?;
            }
            write!(to, "{digit}")?;
        }
        Ok(())
    }
}

/// The first bytes of a file, in hexadecimal and as text.
struct Bytes<'a>(&'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().take(8).enumerate() {
            write!(to, "{}{byte:02x}", if place == 0 { "" } else { " " })?;
        }
        let text: String = self.0.iter().take(8).map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        write!(to, " \"{text}\"")
    }
}
