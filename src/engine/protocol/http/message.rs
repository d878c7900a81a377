//! The messages as the detectors see them.

use crate::engine::time::Timestamp;

/// Bytes to which each text field is cut: 2 KiB, on a character's border.
pub(super) const TEXT_MAX: usize = 2 << 10;

/// `bytes` as a text field: lossy UTF-8 without line breaks, cut.
pub(super) fn text(bytes: &[u8]) -> String {
    let bytes = bytes.get(..TEXT_MAX.saturating_add(4)).unwrap_or(bytes);
    let mut text = match std::str::from_utf8(bytes) {
        Ok(plain) if memchr::memchr2(b'\r', b'\n', bytes).is_none() => plain.to_owned(),
        _ => String::from_utf8_lossy(bytes).chars().filter(|c| !matches!(c, '\r' | '\n')).collect(),
    };
    text.truncate(text.floor_char_boundary(TEXT_MAX));
    text.shrink_to_fit();
    text
}

/// The same, for what is kept long.
pub(super) fn boxed(bytes: &[u8]) -> Box<str> {
    text(bytes).into_boxed_str()
}

/// Where in the capture and the stream something was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Frame number.
    pub frame: u64,
    /// Capture time.
    pub time: Timestamp,
    /// Sequence number.
    pub seq: u32,
}

/// A request head. Text fields are lossy UTF-8, cut at 2 KiB each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method, as sent.
    pub method: Box<str>,
    /// Request target, as sent.
    pub target: Box<str>,
    /// Minor version: 0 or 1.
    pub minor: u8,
    /// The Host field, or the authority of an absolute-form target.
    pub host: Option<Box<str>>,
    /// The User-Agent field.
    pub user_agent: Option<Box<str>>,
    /// The Referer field.
    pub referer: Option<Box<str>>,
    /// What the answer is wanted for.
    pub wants: Wants,
    /// Segment that held the first byte; `seq` is that byte's.
    pub first: Stamp,
    /// Segment that held the last byte seen of head and body; `seq` is the one after that byte.
    pub last: Stamp,
}

/// What a client wants an answer for, as far as the fields of its request say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wants {
    /// They do not.
    #[default]
    Unknown,
    /// A page; browsers ask for one in a frame in the same way where they do not send Sec-Fetch-Dest.
    Page,
    /// A page inside of another one.
    Frame,
    /// A part of a page: an image, a style, a script.
    Part,
}

impl Wants {
    /// By the fields Sec-Fetch-Dest (W3C Fetch Metadata, section 2.1) and Accept, the first of which is sent over http to this machine only.
    pub(super) fn of(destination: Option<&[u8]>, accept: Option<&[u8]>) -> Self {
        match (destination.map(<[u8]>::trim_ascii), accept) {
            (Some(b"document"), _) => Self::Page,
            (Some(b"iframe" | b"frame" | b"embed" | b"object"), _) => Self::Frame,
            (Some(_), _) => Self::Part,
            (None, Some(accept)) if accept.starts_with(b"text/html") => Self::Page,
            (None, Some(accept)) if accept.starts_with(b"image/") || accept.starts_with(b"text/css") => Self::Part,
            (None, _) => Self::Unknown,
        }
    }

    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::Page => Some("page"),
            Self::Frame => Some("frame"),
            Self::Part => Some("part"),
        }
    }
}

/// A response head, and what is known of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Status code, 100 to 999.
    pub status: u16,
    /// Minor version: 0 or 1.
    pub minor: u8,
    /// A Date field is there.
    pub has_date: bool,
    /// The Server field.
    pub server: Option<Box<str>>,
    /// The Location field.
    pub location: Option<Box<str>>,
    /// The Content-Type field.
    pub content_type: Option<Box<str>>,
    /// The Content-Length field, when it is one number.
    pub content_length: Option<u64>,
    /// Browsers are told to ask this host by https only (RFC 6797).
    pub demands_tls: bool,
    /// What names this version of the content, as a number: a strong ETag, else Last-Modified where the length is told and nothing but the coding is
    /// negotiated (RFC 9110, section 8.8); each with the coding.
    pub validator: Option<u64>,
    /// Names of the fields in their order, in lower case, each followed by a comma; at most 512 bytes of them.
    pub field_names: Box<str>,
    /// All lines of the head end in LF without CR.
    pub lf_only: bool,
    /// The empty line was seen; a head that the close cut short is taken as browsers take it, but more may have been in it.
    pub head_complete: bool,
    /// Bytes of the head, the empty line included.
    pub head_len: u32,
    /// Segment that held the first byte; `seq` is that byte's.
    pub first: Stamp,
    /// Segment that held the last byte of the head; `seq` is the one after that byte.
    pub head_end: Stamp,
    /// The request that it answers, when that was seen.
    pub request: Option<Request>,
    /// Redirects by status and Location, and by the Refresh field.
    pub redirects: Box<[Redirect]>,
}

/// How a response sends the client elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectKind {
    /// A 3xx status with a Location field.
    Status,
    /// A Refresh field.
    RefreshHeader,
    /// `<meta http-equiv="refresh">`.
    MetaRefresh,
    /// A script that assigns or calls `location`.
    Script,
    /// An `<iframe>` or `<frame>` with an address.
    Iframe,
}

/// One redirect, as the response states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// How.
    pub kind: RedirectKind,
    /// The target as written, not resolved, at most 2 KiB.
    pub target: String,
}

impl Request {
    /// Heap bytes held.
    pub(super) fn heap_bytes(&self) -> usize {
        let optional = [&self.host, &self.user_agent, &self.referer].into_iter().flatten();
        [&self.method, &self.target].into_iter().chain(optional).map(|text| text.len()).fold(0, usize::saturating_add)
    }
}

impl Response {
    /// The names of its fields, in their order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.field_names.split_terminator(',')
    }
    /// A page, by its type.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kind.get(..9).is_some_and(|kind| kind.eq_ignore_ascii_case("text/html")))
    }
    /// Heap bytes held, those of its request included.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let optional = [&self.server, &self.location, &self.content_type].into_iter().flatten();
        let own = optional.map(|text| text.len()).sum::<usize>() + self.field_names.len();
        let redirects: usize = self.redirects.iter().map(|redirect| redirect.target.capacity() + size_of::<Redirect>()).sum();
        size_of::<Self>() + own + redirects + self.request.as_ref().map_or(0, Request::heap_bytes)
    }
}

impl RedirectKind {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::RefreshHeader => "refresh_header",
            Self::MetaRefresh => "meta_refresh",
            Self::Script => "script",
            Self::Iframe => "iframe",
        }
    }
}
