//! What a content was under its validator at another time: replaced ones, and what may differ.

use super::downloads::near_device;
use super::http::{get, prose};
use super::race::{front_page, genuine};
use super::{Alert, Case, Told};
use crate::support::connection::Side;
use crate::support::host::{client, site};
use crate::support::segment::{ACK, FIN};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "version-length",
            "The site gives a long page under a strong ETag. Later a device in the path answers with another length of it under the same ETag.",
            "Later bare answers give the page as it was, coded by gzip, in part, under another ETag, and as 304.",
            length,
        ),
        Case::twins(
            "version-date",
            "The site gives a page with its date. Later a bare answer gives a longer page of the same date.",
            "The page of one date comes in two languages: a Vary field says that it is negotiated.",
            date,
        ),
        Case::twins(
            "version-program",
            "The site gives a page under a strong ETag. Later a device in the path answers with a program under the same ETag.",
            "The program itself is given twice under its ETag.",
            program,
        ),
        Case::twins(
            "version-frame",
            "The site gives a page under a strong ETag. Later a bare answer gives it under the same ETag with a frame and a script of another site.",
            "A dynamic page without a validator has another frame and another script each time.",
            frame,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An answer to a GET in a connection of its own. The frame in which it begins.
fn visit(story: &mut Story, path: &str, answer: &[u8]) -> u64 {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", path));
    let frame = genuine(&mut tcp, 24.0, answer);
    tcp.close();
    story.wait(after_ms(4_000.0));
    frame
}

/// A device in the path, near to the site's stack, answers for it. The forged frames.
fn replaced(story: &mut Story, path: &str, answer: &[u8]) -> Vec<u64> {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/head"));
    genuine(&mut tcp, 24.0, &front_page());
    tcp.wait(after_ms(900.0));
    tcp.request(&get("news.example", path));
    tcp.server_ack(after_ms(24.0));
    let forged = tcp.forge(&near_device(), after_ms(1.0), answer);
    tcp.ack();
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    story.wait(after_ms(12_000.0));
    forged
}

/// An answer with no more fields than these; an injector's, or a small server's.
fn bare(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn page(validator: &str, body: &str) -> Vec<u8> {
    bare("200 OK", &format!("Content-Type: text/html\r\n{validator}\r\n"), body)
}

fn told_of_replaced(story: Story, forged: &[u64]) -> Told {
    Told::loud(story, [Alert::in_path("http_content", forged).up_to(2).by(["S16e", "H"])])
}

/// What is recorded of an answer that is bare and not what it was.
fn told(story: Story, frame: u64) -> Told {
    Told::loud(
        story,
        [Alert::called("inconclusive", "http_content", &[frame]).or_verdict("endpoint_redirect").up_to(3).by(["S10", "S16e"])],
    )
}

fn length(loud: bool) -> Told {
    let mut story = Story::new();
    let (long, tag) = (prose(150), "ETag: \"17-a\"");
    visit(&mut story, "/", &page(tag, &long));
    if loud {
        let forged = replaced(&mut story, "/", &page(tag, &format!("<script>go()</script>{long}")));
        return told_of_replaced(story, &forged);
    }
    visit(&mut story, "/", &page(tag, &long));
    visit(&mut story, "/", &page("ETag: \"17-a\"\r\nContent-Encoding: gzip", &prose(90)));
    visit(&mut story, "/", &page("ETag: \"17-b\"", &prose(151)));
    let part = &long[..9_000];
    visit(
        &mut story,
        "/",
        &bare("206 Partial Content", "Content-Type: text/html\r\nETag: \"17-a\"\r\nContent-Range: bytes 0-8999/10051\r\n", part),
    );
    visit(&mut story, "/", b"HTTP/1.1 304 Not Modified\r\nETag: \"17-a\"\r\n\r\n");
    Told::silent(story)
}

fn date(loud: bool) -> Told {
    let mut story = Story::new();
    let date = "Last-Modified: Sun, 04 Jan 2026 11:00:00 GMT";
    let (vary, other) = if loud { ("Vary: Accept-Encoding", prose(4)) } else { ("Vary: Accept-Language", prose(5)) };
    visit(&mut story, "/", &page(&format!("{date}\r\n{vary}"), &prose(3)));
    let frame = visit(&mut story, "/", &page(&format!("{date}\r\n{vary}"), &other));
    if loud { told(story, frame) } else { Told::silent(story) }
}

fn program(loud: bool) -> Told {
    let mut story = Story::new();
    let fields = "Content-Type: application/octet-stream\r\nETag: \"9\"\r\n";
    let file = bare("200 OK", fields, &format!("MZ{}", "x".repeat(6_000)));
    if loud {
        visit(&mut story, "/viewer", &page("ETag: \"9\"", &prose(3)));
        let forged = replaced(&mut story, "/viewer", &file);
        return told_of_replaced(story, &forged);
    }
    visit(&mut story, "/viewer", &file);
    visit(&mut story, "/viewer", &file);
    Told::silent(story)
}

fn frame(loud: bool) -> Told {
    let mut story = Story::new();
    let tag = if loud { "ETag: \"3\"" } else { "Cache-Control: no-store" };
    let added = |n: u8| format!("<script src=\"http://cdn{n}.lure.test/a.js\"></script><iframe src=\"//ads{n}.lure.test/f\"></iframe>");
    let first = if loud { prose(3) } else { format!("{}{}", added(1), prose(3)) };
    visit(&mut story, "/", &page(tag, &first));
    let frame = visit(&mut story, "/", &page(tag, &format!("{}{}", added(2), prose(3))));
    if loud { told(story, frame) } else { Told::silent(story) }
}
