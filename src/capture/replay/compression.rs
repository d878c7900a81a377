//! Unpacking: gzip, zstd, xz, bzip2 and lz4, told by their first bytes, decoded as a stream.

use std::fmt;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder as Lz4Decoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Counted;

/// The largest window a zstd frame may demand, in bytes; `zstd -d` refuses larger ones too unless told otherwise.
const MAX_WINDOW: u64 = 128 << 20;
/// The most memory that xz data may demand, in KiB: as much for its dictionary, and a little for the decoder (`xz -9` needs 65 MiB).
const MAX_XZ_KIB: u32 = (MAX_WINDOW >> 10) as u32 + 1024;
/// Packed bytes read at once. Small, because what one call unpacked is lost when the same call meets the damage.
const PACKED_CHUNK: usize = 16 << 10;

/// How a capture file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952; several members may follow each other.
    Gzip,
    /// RFC 8878; several frames may follow each other.
    Zstd,
    /// Several streams may follow each other.
    Xz,
    /// Several streams may follow each other.
    Bzip2,
    /// The frame format; several frames may follow each other.
    Lz4,
}

impl fmt::Display for Compression {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::None => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
        })
    }
}

/// Why zstd data could not be unpacked further.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// More memory is demanded than a capture is granted.
    #[error(
        "it demands a window of {} MiB where {} MiB are allowed; unpack it with `zstd -d --long=31` first",
        wanted >> 20,
        MAX_WINDOW >> 20
    )]
    Window {
        /// Bytes demanded.
        wanted: u64,
    },
    /// The frame's own checksum does not fit what was unpacked.
    #[error("its checksum does not fit: some byte was altered")]
    Checksum,
    /// It ends inside a frame.
    #[error("it ends too early: it was cut while being written or copied")]
    Cut,
    /// What follows is no zstd frame.
    #[error("something else follows that is not zstd data")]
    Foreign,
    /// Any other damage, in the decoder's words.
    #[error("a byte was altered: {0}")]
    Frame(FrameDecoderError),
}

/// Gives the bytes of `packed`, unpacked if need be.
///
/// # Errors
/// When not even the first bytes can be read.
pub(super) fn unpack(mut packed: Counted) -> io::Result<(Compression, Box<dyn Read + Send>)> {
    let mut first = Vec::with_capacity(6);
    packed.by_ref().take(6).read_to_end(&mut first)?;
    let compression = match *first {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        // The last are skippable frames, with which some packers begin; lz4 has the same, but its own command writes none.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Compression::Xz,
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Compression::Bzip2,
        // The last is the legacy frame of `lz4 -l` and of Linux images.
        [0x04, 0x22, 0x4d, 0x18, ..] | [0x02, 0x21, 0x4c, 0x18, ..] => Compression::Lz4,
        _ => Compression::None,
    };
    let all = Cursor::new(first).chain(packed);
    let packed_chunks = |all| BufReader::with_capacity(PACKED_CHUNK, all);
    let unpacked: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(all),
        Compression::Gzip => Box::new(MultiGzDecoder::new(packed_chunks(all))),
        Compression::Zstd => Box::new(ZstdReader::new(packed_chunks(all))),
        Compression::Xz => Box::new(XzReader::new_mem_limit(packed_chunks(all), true, MAX_XZ_KIB)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(packed_chunks(all))),
        Compression::Lz4 => Box::new(Lz4Frames { packed: Some(packed_chunks(all)), decoder: None }),
    };
    Ok((compression, unpacked))
}

/// All frames of an lz4 stream, one after the other.
struct Lz4Frames<R: Read> {
    packed: Option<R>,
    decoder: Option<Lz4Decoder<R>>,
}

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let read = decoder.read(into)?;
                if read > 0 || into.is_empty() {
                    return Ok(read);
                }
                self.packed = self.decoder.take().map(Lz4Decoder::into_inner);
            }
            let Some(packed) = &mut self.packed else { return Ok(0) };
            if packed.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.decoder = self.packed.take().map(Lz4Decoder::new);
        }
    }
}

/// All frames of a zstd stream, one after the other; the crate's own streaming decoder stops after one.
struct ZstdReader<R> {
    packed: R,
    decoder: FrameDecoder,
    state: State,
}

enum State {
    Between,
    Inside,
    Failed(io::Error),
    Over,
}

impl<R: BufRead> ZstdReader<R> {
    fn new(packed: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Self { packed, decoder, state: State::Between }
    }

    fn begin_frame(&mut self) -> io::Result<State> {
        if self.packed.fill_buf()?.is_empty() {
            return Ok(State::Over);
        }
        match self.decoder.reset(&mut self.packed) {
            Ok(()) => Ok(State::Inside),
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let skipped = io::copy(&mut self.packed.by_ref().take(u64::from(length)), &mut io::sink())?;
                if skipped == u64::from(length) { Ok(State::Between) } else { Err(invalid(UnpackError::Cut)) }
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    fn go_on(&mut self) -> io::Result<State> {
        if !self.decoder.is_finished() {
            let decoded = self.decoder.decode_blocks(&mut self.packed, BlockDecodingStrategy::UptoBlocks(1));
            return decoded.map(|_| State::Inside).map_err(|error| self.explain(error));
        }
        match self.decoder.get_checksum_from_data() {
            Some(stated) if self.decoder.get_calculated_checksum() != Some(stated) => Err(invalid(UnpackError::Checksum)),
            _ => Ok(State::Between),
        }
    }

    fn explain(&mut self, error: FrameDecoderError) -> io::Error {
        match error {
            FrameDecoderError::WindowSizeTooBig { requested: wanted, .. } => invalid(UnpackError::Window { wanted }),
            FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::BadMagicNumber(_)) => invalid(UnpackError::Foreign),
            // The decoder wraps the end of its input in an error of whatever it was reading.
            error => match self.packed.fill_buf() {
                Ok([]) => invalid(UnpackError::Cut),
                Ok(_) => invalid(UnpackError::Frame(error)),
                Err(failure) => failure,
            },
        }
    }

    /// Makes the decoder let go of the window, which it keeps back as long as the frame may refer to it: without this, a
    /// cut file would lose its last megabytes. Done by ending the frame for it: an empty last block, and a checksum.
    fn release_window(&mut self) {
        let mut end: &[u8] = &[1, 0, 0, 0, 0, 0, 0];
        // A failure leaves the window where it is; there is nothing more to try.
        let _ = self.decoder.decode_blocks(&mut end, BlockDecodingStrategy::UptoBlocks(1));
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(into);
            }
            let step = match std::mem::replace(&mut self.state, State::Over) {
                State::Over => return Ok(0),
                State::Failed(error) => return Err(error),
                State::Between => self.begin_frame(),
                State::Inside => self.go_on(),
            };
            self.state = step.unwrap_or_else(|error| {
                self.release_window();
                State::Failed(error)
            });
        }
    }
}

fn invalid(reason: UnpackError) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, reason)
}
