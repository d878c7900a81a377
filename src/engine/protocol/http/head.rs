//! A whole message head to its fields, as leniently as browsers read it.

use std::hash::BuildHasher;
use std::mem::MaybeUninit;

use foldhash::quality::FixedState;
use httparse::{EMPTY_HEADER, Error, Header, ParserConfig, Status};
use memchr::memmem;

use super::decode::Codings;
use super::framing::Framing;
use super::message::{Redirect, RedirectKind, Request, Response, Stamp, Wants, boxed};
use super::refresh;

/// Fields that are parsed without touching the heap; a head with more of them takes a slower way.
const FIELDS: usize = 64;

/// Bytes of field names that are kept of a response.
const FIELD_NAMES: usize = 512;
/// Types of what is looked at and listened to.
const MEDIA: [&str; 4] = ["image/", "video/", "audio/", "font/"];
/// The longest name of a field that is looked at: `strict-transport-security`.
const LONGEST_NAME: usize = 25;

/// A request head and how its body ends.
#[derive(Debug)]
pub(super) struct RequestHead {
    pub(super) request: Request,
    pub(super) body: Option<Framing>,
}

/// A response head, not paired yet, and what its body is like if it may have one.
#[derive(Debug)]
pub(super) struct ResponseHead {
    pub(super) response: Box<Response>,
    pub(super) body: Framing,
    pub(super) codings: Codings,
}

/// The fields that say where a body ends.
#[derive(Default)]
struct Extent {
    chunked: bool,
    length: Option<u64>,
    conflicting: bool,
}

impl Extent {
    fn add_field(&mut self, name: &str, value: &[u8]) {
        if name.eq_ignore_ascii_case("content-length") {
            for item in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                let number = parse_decimal(item);
                self.conflicting |= number.is_none() || self.length.is_some_and(|known| number != Some(known));
                self.length = self.length.or(number);
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.chunked |= value.split(|byte| *byte == b',').any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"));
        }
    }

    fn length(&self) -> Option<u64> {
        self.length.filter(|_| !self.conflicting)
    }
}

/// Reads a whole request head; None when it is malformed. `last` is the stamp of its end.
pub(super) fn parse_request(head: &[u8], first: Stamp, last: Stamp) -> Option<RequestHead> {
    read_request(head, first, last).or_else(|| {
        // Old browsers send targets in the page's own encoding, which the parser refuses.
        let readable = String::from_utf8_lossy(head);
        read_request(readable.as_bytes(), first, last).filter(|_| matches!(readable, std::borrow::Cow::Owned(_)))
    })
}

fn read_request(head: &[u8], first: Stamp, last: Stamp) -> Option<RequestHead> {
    let mut config = ParserConfig::default();
    config.allow_multiple_spaces_in_request_line_delimiters(true);
    config.allow_space_before_first_header_name(true);
    config.ignore_invalid_headers_in_requests(true);
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut parsed = httparse::Request::new(&mut []);
    match config.parse_request_with_uninit_headers(&mut parsed, head, &mut fields) {
        Ok(Status::Complete(_)) => request_of(&parsed, first, last),
        Err(Error::TooManyHeaders) => {
            let mut fields = room_for_fields(head);
            let mut parsed = httparse::Request::new(&mut fields);
            config.parse_request(&mut parsed, head).ok().filter(Status::is_complete)?;
            request_of(&parsed, first, last)
        }
        _ => None,
    }
}

fn request_of(parsed: &httparse::Request<'_, '_>, first: Stamp, last: Stamp) -> Option<RequestHead> {
    let (method, target) = (parsed.method?, parsed.path?);
    let mut extent = Extent::default();
    let (mut host, mut user_agent, mut referer) = (None, None, None);
    let (mut accept, mut destination) = (None, None);
    for field in parsed.headers.iter() {
        let slot = match field.name.len() {
            4 if field.name.eq_ignore_ascii_case("host") => &mut host,
            6 if field.name.eq_ignore_ascii_case("accept") => &mut accept,
            7 if field.name.eq_ignore_ascii_case("referer") => &mut referer,
            10 if field.name.eq_ignore_ascii_case("user-agent") => &mut user_agent,
            14 if field.name.eq_ignore_ascii_case("sec-fetch-dest") => &mut destination,
            14 | 17 => {
                extent.add_field(field.name, field.value);
                continue;
            }
            _ => continue,
        };
        slot.get_or_insert(field.value);
    }
    let host = host.filter(|host| !host.is_empty()).or_else(|| authority(method, target).map(str::as_bytes));
    let body = match extent.length() {
        _ if extent.chunked => Some(Framing::CHUNKED),
        Some(length) => Some(Framing::Length(length)),
        None => None,
    };
    let request = Request {
        method: boxed(method.as_bytes()),
        target: boxed(target.as_bytes()),
        minor: parsed.version?,
        host: host.map(boxed),
        user_agent: user_agent.map(boxed),
        referer: referer.map(boxed),
        wants: Wants::of(destination, accept),
        first,
        last,
    };
    Some(RequestHead { request, body })
}

/// The authority of an absolute-form target, or of CONNECT, without user information.
fn authority<'a>(method: &str, target: &'a str) -> Option<&'a str> {
    let authority = match target.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => rest.split(['/', '?', '#']).next()?,
        _ if method == "CONNECT" => target,
        _ => return None,
    };
    let host = authority.rsplit('@').next()?;
    (!host.is_empty()).then_some(host)
}

/// Reads a whole response head; None when it is malformed. `end` is the stamp of its end.
pub(super) fn parse_response(head: &[u8], first: Stamp, end: Stamp) -> Option<ResponseHead> {
    let mut config = ParserConfig::default();
    config.allow_spaces_after_header_name_in_responses(true);
    config.allow_obsolete_multiline_headers_in_responses(true);
    config.allow_multiple_spaces_in_response_status_delimiters(true);
    config.allow_space_before_first_header_name(true);
    config.ignore_invalid_headers_in_responses(true);
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let (status, minor, read) = match config.parse_response_with_uninit_headers(&mut parsed, head, &mut fields) {
        Ok(Status::Complete(_)) => (parsed.code?, parsed.version?, Fields::of(parsed.headers)),
        Err(Error::TooManyHeaders) => {
            let mut fields = room_for_fields(head);
            let mut parsed = httparse::Response::new(&mut fields);
            config.parse_response(&mut parsed, head).ok().filter(Status::is_complete)?;
            (parsed.code?, parsed.version?, Fields::of(parsed.headers))
        }
        _ => return None,
    };
    let body = match read.extent.length() {
        // Browsers do not believe an HTTP/1.0 server that claims to send chunks.
        _ if read.extent.chunked && minor > 0 => Framing::CHUNKED,
        Some(length) => Framing::Length(length),
        None => Framing::UntilClose,
    };
    let response = Box::new(Response {
        status,
        minor,
        has_date: read.has_date,
        demands_tls: read.demands_tls,
        validator: read.validator(),
        redirects: read.redirects(status),
        content_length: read.extent.length(),
        server: read.server,
        location: read.location,
        content_type: read.content_type,
        field_names: read.names.into_boxed_str(),
        lf_only: is_lf_only(head),
        head_complete: true,
        head_len: u32::try_from(head.len()).unwrap_or(u32::MAX),
        first,
        head_end: end,
        request: None,
    });
    Some(ResponseHead { response, body, codings: read.codings })
}

/// No line ends in CR and LF. The first line end tells in nearly every head.
fn is_lf_only(head: &[u8]) -> bool {
    let first = memchr::memchr(b'\n', head).and_then(|at| head.get(at.checked_sub(1)?));
    first != Some(&b'\r') && memmem::find(head, b"\r\n").is_none()
}

/// What is kept of a response's fields.
#[derive(Default)]
struct Fields<'a> {
    has_date: bool,
    server: Option<Box<str>>,
    location: Option<Box<str>>,
    demands_tls: bool,
    /// The fields, as sent.
    etag: Option<&'a [u8]>,
    last_modified: Option<&'a [u8]>,
    coding: u64,
    /// The server chooses between versions of the content by more than their coding.
    varies: bool,
    content_type: Option<Box<str>>,
    refresh: Option<Box<str>>,
    extent: Extent,
    codings: Codings,
    names: String,
}

impl<'a> Fields<'a> {
    fn of(fields: &[Header<'a>]) -> Self {
        let len: usize = fields.iter().map(|field| field.name.len() + 1).sum();
        let mut read = Self { names: String::with_capacity(len.min(FIELD_NAMES)), ..Self::default() };
        for field in fields {
            if field.name.len() <= LONGEST_NAME {
                read.add(field.name, field.value);
            }
            if read.names.len() + field.name.len() < FIELD_NAMES {
                read.names.push_str(field.name);
                read.names.push(',');
            }
        }
        read.names.make_ascii_lowercase();
        read
    }

    fn add(&mut self, name: &str, value: &'a [u8]) {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        let slot = match name.len() {
            4 if is("date") => {
                self.has_date = true;
                return;
            }
            14 | 17 => return self.extent.add_field(name, value),
            4 if is("etag") => {
                // A weak one does not promise the same bytes.
                self.etag = Some(value).filter(|value| !value.starts_with(b"W/"));
                return;
            }
            13 if is("last-modified") => {
                self.last_modified = Some(value);
                return;
            }
            25 if is("strict-transport-security") => {
                self.demands_tls = true;
                return;
            }
            16 if is("content-encoding") => {
                self.coding ^= number(value);
                return self.codings.add_field(value);
            }
            4 if is("vary") => {
                self.varies = !value.trim_ascii().eq_ignore_ascii_case(b"accept-encoding");
                return;
            }
            6 if is("server") => &mut self.server,
            8 if is("location") => &mut self.location,
            12 if is("content-type") => &mut self.content_type,
            7 if is("refresh") => &mut self.refresh,
            _ => return,
        };
        slot.get_or_insert_with(|| boxed(value));
    }

    /// None of pictures and the like, most of what is sent: it does not matter whether they are the same as before.
    fn validator(&self) -> Option<u64> {
        let is_media = |kind: &str| MEDIA.iter().any(|media| kind.get(..media.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(media)));
        if self.content_type.as_deref().is_some_and(is_media) {
            return None;
        }
        let dated = self.last_modified.filter(|_| !self.varies && self.extent.length().is_some());
        // Servers that code a content on its way may forget to name it anew.
        Some(number(self.etag.or(dated)?) ^ self.coding)
    }

    fn redirects(&self, status: u16) -> Box<[Redirect]> {
        let location = self.location.as_deref().filter(|target| (300..400).contains(&status) && !target.is_empty());
        let refresh = self.refresh.as_deref().and_then(refresh::target);
        [(RedirectKind::Status, location), (RedirectKind::RefreshHeader, refresh)]
            .into_iter()
            .filter_map(|(kind, target)| Some(Redirect { kind, target: target?.to_owned() }))
            .collect()
    }
}

/// Room for every field that `head` can hold: the shortest is `a:` and a line end.
fn room_for_fields(head: &[u8]) -> Vec<Header<'_>> {
    vec![EMPTY_HEADER; (head.len() / 3).saturating_add(1)]
}

/// Bytes as a number, by which they are compared with others.
#[must_use]
pub fn number(bytes: &[u8]) -> u64 {
    FixedState::default().hash_one(bytes)
}

/// Digits only: no sign, as RFC 9110 has it.
fn parse_decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
