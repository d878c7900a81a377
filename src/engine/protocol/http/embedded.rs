//! What a page brings along or leads to: scripts, frames, links. Two copies of a page are compared by it.

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, State, Tokenizer};

use super::message::text;
use super::server::is_response;

/// Things that are kept of one page; of a longer one the first count.
const MOST: usize = 128;

/// One thing in a page. Addresses as written, cut at 2 KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Embedded {
    /// A script by its address.
    Script(String),
    /// A script written into the page, its first 2 KiB.
    Inline(String),
    /// A frame, an embedded object.
    Frame(String),
    /// A link.
    Link(String),
}

/// What the copy of an answer, or of a part of one, holds. Coded bodies hold nothing that can be read.
#[must_use]
pub fn embedded(copy: &[u8]) -> Vec<Embedded> {
    let mut page = Page::default();
    let mut tokenizer = Tokenizer::new_with_emitter(body(copy), CallbackEmitter::new(&mut page));
    while let Some(Ok(state)) = tokenizer.next() {
        tokenizer.set_state(state);
    }
    drop(tokenizer);
    page.found
}

/// The copy without its head, where it begins with one.
#[must_use]
pub fn body(copy: &[u8]) -> &[u8] {
    if !is_response(copy) {
        return copy;
    }
    let end = [&b"\r\n\r\n"[..], b"\n\n"].into_iter().filter_map(|mark| Some(memchr::memmem::find(copy, mark)? + mark.len())).min();
    end.and_then(|end| copy.get(end..)).unwrap_or_default()
}

/// The start of a file that a system runs or installs: Windows, Linux, macOS, and the archive that Android's and Java's packages are.
#[must_use]
pub fn is_program(body: &[u8]) -> bool {
    let marks: [&[u8]; 6] =
        [b"MZ\x90\0", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"];
    marks.iter().any(|mark| body.starts_with(mark))
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Tag {
    #[default]
    Other,
    Script,
    Frame,
    Object,
    Link,
}

#[derive(Default)]
struct Page {
    found: Vec<Embedded>,
    tag: Tag,
    /// The attribute that is read holds the address.
    wanted: bool,
    address: Option<Vec<u8>>,
    after_tag: Option<State>,
    /// Inside a script that has no address.
    writes: bool,
}

impl Page {
    fn open(&mut self, name: &[u8]) {
        (self.tag, self.after_tag) = match name {
            b"script" => (Tag::Script, Some(State::ScriptData)),
            b"iframe" => (Tag::Frame, Some(State::RawText)),
            b"frame" | b"embed" => (Tag::Frame, None),
            b"object" => (Tag::Object, None),
            b"a" | b"form" | b"area" => (Tag::Link, None),
            b"textarea" | b"title" => (Tag::Other, Some(State::RcData)),
            b"style" | b"xmp" | b"noembed" | b"noframes" => (Tag::Other, Some(State::RawText)),
            b"plaintext" => (Tag::Other, Some(State::PlainText)),
            _ => (Tag::Other, None),
        };
        (self.wanted, self.address, self.writes) = (false, None, false);
    }

    fn close(&mut self) -> Option<State> {
        let address = self.address.take().map(|value| text(value.trim_ascii())).filter(|address| !address.is_empty());
        match (self.tag, address) {
            (Tag::Script, Some(address)) => self.add(Embedded::Script(address)),
            (Tag::Script, None) => self.writes = true,
            (Tag::Frame | Tag::Object, Some(address)) => self.add(Embedded::Frame(address)),
            (Tag::Link, Some(address)) => self.add(Embedded::Link(address)),
            _ => {}
        }
        self.after_tag.take()
    }

    fn add(&mut self, thing: Embedded) {
        if self.found.len() < MOST {
            self.found.push(thing);
        }
    }
}

impl Callback<State, ()> for &mut Page {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _span: Span<()>) -> Option<State> {
        match event {
            CallbackEvent::OpenStartTag { name } => self.open(name),
            CallbackEvent::AttributeName { name } => {
                self.wanted = matches!(
                    (self.tag, name),
                    (Tag::Script | Tag::Frame, b"src") | (Tag::Object, b"data") | (Tag::Link, b"href" | b"action")
                );
            }
            CallbackEvent::AttributeValue { value } if self.wanted => {
                self.address.get_or_insert_with(|| value.to_vec());
            }
            CallbackEvent::CloseStartTag { .. } => return self.close(),
            CallbackEvent::String { value } if self.writes => {
                self.writes = false;
                self.add(Embedded::Inline(text(value)));
            }
            CallbackEvent::EndTag { .. } => {
                (self.tag, self.writes) = (Tag::Other, false);
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_what_it_brings_along() {
        let page =
            b"HTTP/1.1 200 OK\r\n\r\n<script src='//a.test/x.js'></script><SCRIPT>go()</SCRIPT><iframe src=\"http://b.test/\"><a href=c>";
        let names = ["//a.test/x.js", "go()", "http://b.test/", "c"].map(str::to_owned);
        let [script, inline, frame, _] = names;
        assert_eq!(
            embedded(page),
            [Embedded::Script(script), Embedded::Inline(inline), Embedded::Frame(frame)],
            "a frame's text is no page"
        );
        assert_eq!(embedded(b"text </script><a href = 'http://d.test/'>"), [Embedded::Link("http://d.test/".to_owned())]);
        assert!(is_program(body(b"HTTP/1.1 200 OK\n\nMZ\x90\0rest")) && !is_program(b"<html>"));
    }
}
