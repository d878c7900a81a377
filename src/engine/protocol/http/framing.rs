//! Where a message body ends (RFC 9112, section 6), read piece by piece without holding any of it.

use memchr::memchr;

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are still to come.
    Length(u64),
    /// The chunked transfer coding.
    Chunked(Chunk),
    /// Everything until the connection closes.
    UntilClose,
}

/// Position in the chunked coding (RFC 9112, section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// In the hexadecimal size.
    Size {
        /// The size so far.
        value: u64,
        /// Digits so far, at most 16.
        digits: u8,
    },
    /// In an extension, or in white space after the size of this chunk: nothing in it is used.
    Extension(u64),
    /// After the CR that ends the line with the size of this chunk.
    SizeLf(u64),
    /// So many bytes of chunk data are still to come.
    Data(u64),
    /// After the data of a chunk.
    DataEnd,
    /// After the CR that ends the data of a chunk.
    DataLf,
    /// At the start of a trailer line.
    TrailerStart,
    /// In a trailer field.
    TrailerField,
    /// After the CR of the empty line.
    TrailerLf,
    /// After the empty line.
    End,
    /// Not the chunked coding.
    Broken,
}

/// What the next bytes of a body are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Content.
    Data(&'a [u8]),
    /// All bytes are used up and the body goes on.
    Need,
    /// The body is complete; what is left of the bytes is the next message.
    End,
    /// The framing is malformed: nothing after it can be placed.
    Broken,
}

impl Framing {
    /// The chunked coding at its start.
    pub(super) const CHUNKED: Self = Self::Chunked(Chunk::START);

    /// Takes the next piece off `bytes`.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Piece<'a> {
        match self {
            Self::Length(0) => Piece::End,
            Self::Length(left) => take_data(left, bytes),
            Self::Chunked(chunk) => chunk.next(bytes),
            Self::UntilClose if bytes.is_empty() => Piece::Need,
            Self::UntilClose => Piece::Data(std::mem::take(bytes)),
        }
    }

    /// Steps over `len` lost bytes; false when it is not certain that all of them were content of this body.
    pub(super) fn skip(&mut self, len: u32) -> bool {
        match self {
            Self::UntilClose => true,
            Self::Length(left) | Self::Chunked(Chunk::Data(left)) => match left.checked_sub(u64::from(len)) {
                Some(after) => {
                    *left = after;
                    true
                }
                None => false,
            },
            Self::Chunked(_) => false,
        }
    }
}

impl Chunk {
    const START: Self = Self::Size { value: 0, digits: 0 };

    fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Piece<'a> {
        loop {
            match self {
                Self::End => return Piece::End,
                Self::Broken => return Piece::Broken,
                Self::Data(0) => *self = Self::DataEnd,
                Self::Data(left) => return take_data(left, bytes),
                Self::Extension(_) | Self::TrailerField => {
                    let Some(line_end) = memchr(b'\n', bytes) else {
                        *bytes = &[];
                        return Piece::Need;
                    };
                    *bytes = bytes.get(line_end.saturating_add(1)..).unwrap_or_default();
                    *self = if let Self::Extension(size) = *self { Self::of_size(size) } else { Self::TrailerStart };
                }
                _ => {
                    let Some((&byte, rest)) = bytes.split_first() else { return Piece::Need };
                    *bytes = rest;
                    *self = self.after(byte);
                }
            }
        }
    }

    /// The state after `byte`, for the states that look at single bytes.
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Size { value, digits }, _) => Self::after_size_byte(value, digits, byte),
            (Self::SizeLf(size), b'\n') => Self::of_size(size),
            // A bare LF ends a line as well: browsers accept it.
            (Self::DataEnd | Self::DataLf, b'\n') => Self::START,
            (Self::DataEnd, b'\r') => Self::DataLf,
            (Self::TrailerStart | Self::TrailerLf, b'\n') => Self::End,
            (Self::TrailerStart, b'\r') => Self::TrailerLf,
            (Self::TrailerStart, _) => Self::TrailerField,
            _ => Self::Broken,
        }
    }

    fn after_size_byte(value: u64, digits: u8, byte: u8) -> Self {
        if let Some(digit) = char::from(byte).to_digit(16) {
            return match value.checked_mul(16) {
                Some(sixteenfold) if digits < 16 => Self::Size { value: sixteenfold | u64::from(digit), digits: digits.saturating_add(1) },
                _ => Self::Broken,
            };
        }
        match byte {
            _ if digits == 0 => Self::Broken,
            b'\n' => Self::of_size(value),
            b'\r' => Self::SizeLf(value),
            b' ' | b'\t' | b';' => Self::Extension(value),
            _ => Self::Broken,
        }
    }

    const fn of_size(size: u64) -> Self {
        if size == 0 { Self::TrailerStart } else { Self::Data(size) }
    }
}

fn take_data<'a>(left: &mut u64, bytes: &mut &'a [u8]) -> Piece<'a> {
    if bytes.is_empty() {
        return Piece::Need;
    }
    let len = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    let (data, rest) = bytes.split_at_checked(len).unwrap_or((bytes, &[]));
    *bytes = rest;
    *left = left.saturating_sub(len as u64);
    Piece::Data(data)
}
