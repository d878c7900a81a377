//! Content codings (RFC 9110, section 8.4.1; RFC 8878, RFC 7932) undone, with a bound on what comes out and on the decoders' memory.

use std::io::Read;

use brotli_decompressor::{BrotliDecoderParameter, Decompressor};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};

/// Codings that may be stacked on one body; browsers accept more, no server sends more.
const CHAIN: usize = 2;

/// Largest window of a Zstandard frame that a browser must accept (RFC 9659): 8 MiB.
const ZSTD_WINDOW: u64 = 8 << 20;

/// Bytes that the Brotli decoder reads at once.
const BROTLI_INPUT: usize = 4 << 10;

/// One content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950; many servers send bare RFC 1951.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

/// The codings of one body, in the order in which they were applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Codings {
    chain: Vec<Coding>,
    unknown: bool,
}

impl Codings {
    /// Adds the codings that one Content-Encoding field names.
    pub(super) fn add_field(&mut self, value: &[u8]) {
        for name in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            let coding = match name.to_ascii_lowercase().as_slice() {
                b"" | b"identity" => continue,
                b"gzip" | b"x-gzip" => Coding::Gzip,
                b"deflate" => Coding::Deflate,
                b"br" => Coding::Brotli,
                b"zstd" => Coding::Zstd,
                _ => {
                    self.unknown = true;
                    continue;
                }
            };
            if self.chain.len() < CHAIN {
                self.chain.push(coding);
            } else {
                self.unknown = true;
            }
        }
    }

    /// True when the body is sent as it is.
    pub(super) const fn is_plain(&self) -> bool {
        self.chain.is_empty() && !self.unknown
    }

    /// True when every coding is known and the chain is short enough.
    pub(super) const fn is_known(&self) -> bool {
        !self.unknown
    }

    /// The first `cap` bytes of the content; of damaged or cut input, what could be read.
    pub(super) fn decode(&self, body: Vec<u8>, cap: usize) -> Vec<u8> {
        self.chain.iter().rev().fold(body, |input, coding| coding.decode(&input, cap))
    }
}

impl Coding {
    fn decode(self, input: &[u8], cap: usize) -> Vec<u8> {
        match self {
            Self::Gzip => read_capped(MultiGzDecoder::new(input), cap),
            Self::Deflate => {
                let wrapped = read_capped(ZlibDecoder::new(input), cap);
                if wrapped.is_empty() { read_capped(DeflateDecoder::new(input), cap) } else { wrapped }
            }
            Self::Brotli => {
                let mut decoder = Decompressor::new(input, BROTLI_INPUT);
                decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
                read_capped(decoder, cap)
            }
            Self::Zstd => decode_zstd(input, cap),
        }
    }
}

/// The frames one after the other; skippable ones are stepped over.
fn decode_zstd(mut input: &[u8], cap: usize) -> Vec<u8> {
    let mut content = Vec::new();
    while !input.is_empty() && content.len() < cap {
        match StreamingDecoder::new_with_max_window_size(&mut input, ZSTD_WINDOW) {
            Ok(decoder) => {
                let before = content.len();
                content.extend(read_capped(decoder, cap.saturating_sub(before)));
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                input = input.get(length as usize..).unwrap_or_default();
            }
            Err(_) => break,
        }
    }
    content
}

/// An error ends the content: a browser too shows what came before it.
fn read_capped(reader: impl Read, cap: usize) -> Vec<u8> {
    let mut content = Vec::new();
    let _ = reader.take(cap as u64).read_to_end(&mut content);
    content
}
