//! The search of a response body: which bodies are kept, how much of them, and what is looked for.

use super::decode::Codings;
use super::head::number;
use super::html;
use super::message::{Redirect, Response};
use crate::engine::limits::Limits;

/// Scripts of this many bytes or more are not searched: what an injector sends is small, and libraries are full of `location`.
const SCRIPT_MAX: usize = 4 << 10;

/// What a body is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Html,
    Script,
    /// Told by its first character.
    Unknown,
}

/// A body that is being kept.
#[derive(Debug)]
pub(super) struct Body {
    content: Content,
    codings: Codings,
    kept: Vec<u8>,
    /// The response has a validator: its bytes can be compared with those of another time.
    validated: bool,
}

/// What became of bytes that were handed to a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// They are kept, and more are welcome.
    All,
    /// The body is of no interest.
    Uninteresting,
    /// The body is longer than what is kept of one.
    Full,
}

impl Body {
    /// A place for the body of `response`, when a redirect may be in it.
    pub(super) fn of(response: &Response, codings: Codings) -> Option<Self> {
        let content = content_of(response)?;
        // Coded bytes do not show their first character, so only an absent type leaves them of interest.
        let is_readable = codings.is_plain() || (codings.is_known() && (content != Content::Unknown || response.content_type.is_none()));
        is_readable.then(|| Self { content, codings, kept: Vec::new(), validated: response.status == 200 && response.validator.is_some() })
    }

    /// True when the body is coded: its beginning alone says nothing.
    pub(super) const fn is_coded(&self) -> bool {
        !self.codings.is_plain()
    }

    /// Keeps `bytes` up to the bound.
    pub(super) fn push(&mut self, bytes: &[u8], limits: &Limits) -> Kept {
        if self.content == Content::Unknown && !self.is_coded() {
            // Only blanks were kept so far, if anything: these bytes decide.
            match html::looks_like_html(bytes) {
                Some(true) => self.content = Content::Html,
                Some(false) => return Kept::Uninteresting,
                None => {}
            }
        }
        let whole = append_bounded(&mut self.kept, bytes, limits.http_body);
        if !whole {
            Kept::Full
        } else if self.content == Content::Script && self.kept.len() >= SCRIPT_MAX {
            Kept::Uninteresting
        } else {
            Kept::All
        }
    }

    /// The redirects in a body that has ended; `decoded` bounds what it may decode to.
    pub(super) fn search(self, decoded: usize) -> Vec<Redirect> {
        if self.codings.is_plain() {
            return self.search_beginning();
        }
        let content = self.codings.decode(self.kept, decoded);
        Self { content: self.content, codings: Codings::default(), kept: content, validated: false }.search_beginning()
    }

    /// The redirects in the beginning of a body that goes on; none when it is coded, or a script.
    pub(super) fn search_cut(self) -> Vec<Redirect> {
        if self.is_coded() || self.content == Content::Script { Vec::new() } else { self.search_beginning() }
    }

    fn search_beginning(&self) -> Vec<Redirect> {
        match self.content {
            Content::Html => html::search(&self.kept),
            Content::Script if self.kept.len() < SCRIPT_MAX => html::search_script(&self.kept),
            Content::Unknown if html::looks_like_html(&self.kept) == Some(true) => html::search(&self.kept),
            Content::Script | Content::Unknown => Vec::new(),
        }
    }

    /// The number of the bytes kept, which are all; none when no validator says what they are.
    pub(super) fn number(&self) -> Option<u64> {
        self.validated.then(|| number(&self.kept))
    }

    /// The redirects in a body that has ended, and the bytes of a page that is not coded.
    pub(super) fn end(self, decoded: usize) -> (Vec<Redirect>, Option<Vec<u8>>) {
        if self.content != Content::Html || self.is_coded() {
            return (self.search(decoded), None);
        }
        (self.search_beginning(), Some(self.kept))
    }

    /// Heap bytes held.
    pub(super) const fn heap_bytes(&self) -> usize {
        self.kept.capacity()
    }
}

/// What the fields say the body is; None when no browser would take it for a page or a script.
fn content_of(response: &Response) -> Option<Content> {
    let Some(field) = &response.content_type else { return Some(Content::Unknown) };
    let kind = field.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/html" | "application/xhtml+xml" => Some(Content::Html),
        "" | "*/*" | "unknown/unknown" | "application/unknown" => Some(Content::Unknown),
        _ if kind.ends_with("/javascript") || kind.ends_with("/x-javascript") || kind.ends_with("/ecmascript") => Some(Content::Script),
        _ if !kind.contains('/') || response.status == 200 || (400..500).contains(&response.status) => Some(Content::Unknown),
        _ => None,
    }
}

/// Appends as much of `bytes` as keeps `kept` within `cap`, without ever reserving more than `cap`; false when some were left out.
pub(super) fn append_bounded(kept: &mut Vec<u8>, bytes: &[u8], cap: usize) -> bool {
    let room = cap.saturating_sub(kept.len());
    let taken = bytes.get(..room).unwrap_or(bytes);
    let needed = kept.len().saturating_add(taken.len());
    if needed > kept.capacity() {
        let grown = kept.capacity().saturating_mul(2).clamp(needed, cap.max(needed));
        kept.reserve_exact(grown.saturating_sub(kept.len()));
    }
    kept.extend_from_slice(taken);
    taken.len() == bytes.len()
}
