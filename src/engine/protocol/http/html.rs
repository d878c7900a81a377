//! Finds the redirects in a page: meta refresh, scripts that set `location`, frames.

use std::sync::LazyLock;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, State, Tokenizer};
use memchr::memmem::Finder;

use super::message::{Redirect, RedirectKind, text};
use super::{refresh, script};

/// Redirects that are kept of one body; a page that only redirects needs one.
pub(super) const REDIRECTS_MAX: usize = 16;

/// The redirects in `body`, an HTML page or its beginning.
pub(super) fn search(body: &[u8]) -> Vec<Redirect> {
    let mut page = Page::default();
    if !may_redirect(body) {
        return page.found;
    }
    let mut tokenizer = Tokenizer::new_with_emitter(body, CallbackEmitter::new(&mut page));
    while let Some(Ok(state)) = tokenizer.next() {
        tokenizer.set_state(state);
    }
    drop(tokenizer);
    page.found
}

/// The redirects in `body`, a script.
pub(super) fn search_script(body: &[u8]) -> Vec<Redirect> {
    let mut page = Page::default();
    page.add_script(body);
    page.found
}

/// True when `body` begins as a page does: white space or a byte order mark, then `<`. None when it is too short to tell.
pub(super) fn looks_like_html(body: &[u8]) -> Option<bool> {
    body.iter().find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xEF | 0xBB | 0xBF)).map(|byte| *byte == b'<')
}

/// A cheap look that most pages do not pass. Names of HTML are searched in any case, the script's word in its own.
fn may_redirect(body: &[u8]) -> bool {
    static SCRIPT: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("location"));
    static NAMES: LazyLock<[Finder<'_>; 3]> = LazyLock::new(|| ["http-equiv", "<iframe", "<frame"].map(Finder::new));
    if SCRIPT.find(body).is_some() {
        return true;
    }
    let lower = body.to_ascii_lowercase();
    NAMES.iter().any(|name| name.find(&lower).is_some())
}

/// What the current tag is, as far as it matters.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Tag {
    #[default]
    Other,
    Meta,
    Frame,
    Script,
}

/// The attribute that is being read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Attribute {
    #[default]
    Other,
    HttpEquiv,
    Content,
    Src,
    OnLoad,
}

#[derive(Default)]
struct Page {
    found: Vec<Redirect>,
    tag: Tag,
    /// Set until the start tag is closed: how the tokenizer goes on after it.
    after_tag: Option<State>,
    attribute: Attribute,
    http_equiv: Option<Vec<u8>>,
    content: Option<Vec<u8>>,
    src: Option<Vec<u8>>,
}

impl Page {
    fn open(&mut self, name: &[u8]) {
        self.tag = match name {
            b"meta" => Tag::Meta,
            b"iframe" | b"frame" => Tag::Frame,
            b"script" => Tag::Script,
            _ => Tag::Other,
        };
        // A page is read as if scripts were off, so `noscript` is not skipped: a refresh in it is worth telling.
        self.after_tag = match name {
            b"script" => Some(State::ScriptData),
            b"textarea" | b"title" => Some(State::RcData),
            b"style" | b"xmp" | b"iframe" | b"noembed" | b"noframes" => Some(State::RawText),
            b"plaintext" => Some(State::PlainText),
            _ => None,
        };
        self.attribute = Attribute::Other;
        (self.http_equiv, self.content, self.src) = (None, None, None);
    }

    fn name_attribute(&mut self, name: &[u8]) {
        self.attribute = match (self.tag, name) {
            (Tag::Meta, b"http-equiv") => Attribute::HttpEquiv,
            (Tag::Meta, b"content") => Attribute::Content,
            (Tag::Frame, b"src") => Attribute::Src,
            (_, b"onload") => Attribute::OnLoad,
            _ => Attribute::Other,
        };
    }

    /// The first of two attributes of one name counts.
    fn set_attribute(&mut self, value: &[u8]) {
        let slot = match self.attribute {
            Attribute::HttpEquiv => &mut self.http_equiv,
            Attribute::Content => &mut self.content,
            Attribute::Src => &mut self.src,
            Attribute::OnLoad => return self.add_script(value),
            Attribute::Other => return,
        };
        slot.get_or_insert_with(|| value.to_vec());
    }

    fn close(&mut self) -> Option<State> {
        match self.tag {
            Tag::Meta => self.add_refresh(),
            Tag::Frame => {
                let target = text(self.src.take().unwrap_or_default().trim_ascii());
                if !script::is_local_scheme(&target) {
                    self.add(RedirectKind::Iframe, target);
                }
            }
            Tag::Script | Tag::Other => {}
        }
        self.after_tag.take()
    }

    fn add_refresh(&mut self) {
        let is_refresh = self.http_equiv.take().is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"refresh"));
        let Some(content) = self.content.take().filter(|_| is_refresh) else { return };
        let content = text(&content);
        if let Some(target) = refresh::target(&content) {
            self.add(RedirectKind::MetaRefresh, target.to_owned());
        }
    }

    fn add_script(&mut self, source: &[u8]) {
        for target in script::targets(source) {
            if self.found.len() >= REDIRECTS_MAX {
                return;
            }
            self.add(RedirectKind::Script, target);
        }
    }

    fn add(&mut self, kind: RedirectKind, target: String) {
        let redirect = Redirect { kind, target };
        if !redirect.target.is_empty() && self.found.len() < REDIRECTS_MAX && !self.found.contains(&redirect) {
            self.found.push(redirect);
        }
    }
}

impl Callback<State, ()> for &mut Page {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _span: Span<()>) -> Option<State> {
        match event {
            CallbackEvent::OpenStartTag { name } => self.open(name),
            CallbackEvent::AttributeName { name } => self.name_attribute(name),
            CallbackEvent::AttributeValue { value } => self.set_attribute(value),
            CallbackEvent::CloseStartTag { .. } => return self.close(),
            CallbackEvent::String { value } if self.tag == Tag::Script => self.add_script(value),
            CallbackEvent::EndTag { .. } => {
                self.tag = Tag::Other;
                self.attribute = Attribute::Other;
            }
            _ => {}
        }
        None
    }
}
