//! Redirects, by status, by field, and in bodies of every coding.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::{Story, by_name, get, page};

const META: &str = "<html><META HTTP-EQUIV=Refresh content=\"0; url=http://b.example/?a=1&amp;b=2\"></html>";
const META_FOUND: [(&str, &str); 1] = [("meta_refresh", "http://b.example/?a=1&b=2")];
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n";

fn found_in(fields: &str, body: impl AsRef<[u8]>) -> Vec<(&'static str, String)> {
    let mut story = Story::default();
    story.client(get("/")).server(page(fields, body));
    story.in_bodies().into_iter().map(|(kind, target)| (kind, target.to_owned())).collect()
}

fn assert_found(fields: &str, body: impl AsRef<[u8]>, expected: &[(&str, &str)]) {
    let found = found_in(fields, body);
    let found: Vec<_> = found.iter().map(|(kind, target)| (*kind, target.as_str())).collect();
    assert_eq!(found, expected, "{fields}");
}

#[test]
fn a_status_with_a_location_redirects() {
    for status in [300, 301, 302, 303, 305, 307, 308] {
        let mut story = Story::default();
        story.server(format!("HTTP/1.1 {status} x\r\nLocation: /x\r\n\r\n"));
        assert_eq!(story.head().redirects.iter().map(by_name).collect::<Vec<_>>(), [("status", "/x")], "{status}");
    }
    for head in ["201 x\r\nLocation: /x", "302 x\r\nLocation:", "302 x\r\nX: y"] {
        let mut story = Story::default();
        story.server(format!("HTTP/1.1 {head}\r\n\r\n"));
        assert!(story.head().redirects.is_empty(), "{head}");
    }
}

#[test]
fn a_refresh_field_redirects() {
    let mut story = Story::default();
    story.server("HTTP/1.1 200 x\r\nRefresh: 0;URL='http://b.example/'\r\n\r\n");
    assert_eq!(story.head().redirects.iter().map(by_name).collect::<Vec<_>>(), [("refresh_header", "http://b.example/")]);
}

#[test]
fn the_head_is_told_before_the_body_is_there() {
    let mut story = Story::default();
    let response = page(HTML, META);
    let (start, end) = response.split_at(response.len() - 10);
    story.client(get("/")).server(start);
    assert_eq!((story.statuses(), story.in_bodies().len()), (vec![200], 0));
    story.server(end);
    assert_eq!(story.in_bodies(), META_FOUND);
}

#[test]
fn a_page_that_sends_the_client_away_is_told() {
    for (body, expected) in [
        (META, META_FOUND[0]),
        ("<noscript><meta http-equiv=refresh content='0;url=/x'></noscript>", ("meta_refresh", "/x")),
        ("<meta content=\"1;/x\" http-equiv=\"&#114;efresh\">", ("meta_refresh", "/x")),
        ("<script>if(a<b)location.href='/x'</script>", ("script", "/x")),
        ("<SCRIPT>\n<!--\nwindow.location=\"/x\"\n//--></SCRIPT>", ("script", "/x")),
        ("<body onload=\"location.replace('/x')\">", ("script", "/x")),
        ("<IFRAME width=1 src=//b.example/x></IFRAME>", ("iframe", "//b.example/x")),
        ("<frameset><frame src='/x'></frameset>", ("iframe", "/x")),
        ("<script>x='<a>'</script ><iframe src=/x>", ("iframe", "/x")),
    ] {
        assert_found(HTML, body, &[expected]);
    }
}

#[test]
fn a_page_that_stays_is_not_told() {
    for body in [
        "<p>location='/x'</p>",
        "<!-- <meta http-equiv=refresh content='0;url=/x'> -->",
        "<meta http-equiv=refresh content=30>",
        "<meta http-equiv=content-type content='0;url=/x'>",
        "<title><meta http-equiv=refresh content='0;url=/x'></title>",
        "<script>'<iframe src=/x>'</script>",
        "<iframe src='about:blank'></iframe><iframe></iframe>",
        "<a href='/x' onclick=\"location='/x'\">",
        "<div data-location='/x'>",
        "",
    ] {
        assert_found(HTML, body, &[]);
    }
}

#[test]
fn only_what_a_browser_takes_for_a_page_is_searched() {
    for fields in [HTML, "Content-Type: APPLICATION/xhtml+xml\r\n", "", "Content-Type: nonsense\r\n", "Content-Type: text/plain\r\n"] {
        assert_found(fields, META, &META_FOUND);
    }
    assert_found("", format!("\u{FEFF}\r\n {META}"), &META_FOUND);
    assert_found("Content-Type: image/gif\r\n", format!("GIF89a{META}"), &[]);
    assert_found("", format!("text {META}"), &[]);
}

#[test]
fn a_short_script_is_searched_and_a_library_is_not() {
    let script = "location='http://b.example/'";
    for kind in ["application/javascript", "text/javascript", "application/x-javascript"] {
        let fields = format!("Content-Type: {kind}\r\n");
        assert_found(&fields, script, &[("script", "http://b.example/")]);
        assert_found(&fields, format!("{script};{}", " ".repeat(4096)), &[]);
        assert_found(&format!("{fields}Content-Encoding: gzip\r\n"), gzip(format!("{script};{}", " ".repeat(4096)).as_bytes()), &[]);
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// One stored meta-block (RFC 7932, section 9.2) and an empty last one.
fn brotli(content: &[u8]) -> Vec<u8> {
    let header = ((content.len() as u32 - 1) << 4) | (1 << 20);
    [&header.to_le_bytes()[..3], content, &[0x03]].concat()
}

fn zstd(content: &[u8]) -> Vec<u8> {
    compress_to_vec(content, CompressionLevel::Fastest)
}

#[test]
fn a_coded_page_is_decoded_first() {
    let page = META.as_bytes();
    let skippable = [&0x184D_2A50_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"abc"].concat();
    for (coding, body) in [
        ("identity", page.to_vec()),
        ("gzip", gzip(page)),
        ("X-GZIP", gzip(page)),
        ("deflate", zlib(page)),
        ("deflate", raw_deflate(page)),
        ("br", brotli(page)),
        ("zstd", zstd(page)),
        ("zstd", [skippable, zstd(page)].concat()),
        ("gzip, br", brotli(&gzip(page))),
        ("br\r\nContent-Encoding: gzip", gzip(&brotli(page))),
    ] {
        assert_found(&format!("{HTML}Content-Encoding: {coding}\r\n"), &body, &META_FOUND);
        assert_found(&format!("Content-Encoding: {coding}\r\n"), &body, &META_FOUND);
    }
}

#[test]
fn a_coding_that_is_unknown_or_a_lie_finds_nothing() {
    for coding in ["gzip, gzip, gzip", "compress", "br", "zstd", "deflate", "gzip"] {
        assert_found(&format!("{HTML}Content-Encoding: {coding}\r\n"), META, &[]);
    }
}

#[test]
fn a_coded_page_cut_by_the_close_is_searched_as_far_as_it_came() {
    let body = gzip(format!("{META}{}", "filler ".repeat(50)).as_bytes());
    let mut story = Story::default();
    story
        .server([b"HTTP/1.1 200 x\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n", &body[..body.len() - 8]].concat())
        .closed();
    assert_eq!(story.in_bodies(), META_FOUND);
}

#[test]
fn a_bomb_is_cut_at_the_bound() {
    for (coding, bomb) in [("gzip", gzip(&gzip(&vec![b' '; 4 << 20]))), ("zstd", zstd(&gzip(&vec![b' '; 4 << 20])))] {
        let content = format!("gzip, {coding}");
        assert!(bomb.len() < 8 << 10, "{}", bomb.len());
        assert_found(&format!("{HTML}Content-Encoding: {content}\r\n"), &bomb, &[]);
    }
    // Ahead of the bound a redirect is found, behind it no more.
    let (ahead, behind) = (format!("{META}{}", " ".repeat(1 << 20)), format!("{}{META}", " ".repeat(1 << 20)));
    assert_found(&format!("{HTML}Content-Encoding: gzip\r\n"), gzip(ahead.as_bytes()), &META_FOUND);
    assert_found(&format!("{HTML}Content-Encoding: gzip\r\n"), gzip(behind.as_bytes()), &[]);
}

#[test]
fn of_a_long_page_the_beginning_is_searched_and_of_a_coded_one_nothing() {
    let long = format!("{META}{}", "x".repeat(10_000));
    let mut story = Story::default();
    let response = page(HTML, &long);
    story.client(get("/")).server(&response[..9000]);
    assert_eq!(story.in_bodies(), META_FOUND, "searched when the bound is reached, not at the end");
    story.server(&response[9000..]).client(get("/2")).server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.statuses(), [200, 204]);
    assert_found(HTML, format!("{}{META}", "x".repeat(10_000)), &[]);

    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(9000)
    .collect();
    let coded = gzip(&[META.as_bytes(), &noise].concat());
    for framing in ["Connection: close\r\n".to_owned(), format!("Content-Length: {}\r\n", coded.len())] {
        let mut story = Story::default();
        story.server(format!("HTTP/1.1 200 x\r\n{HTML}Content-Encoding: gzip\r\n{framing}\r\n")).server(&coded).closed();
        assert!(story.in_bodies().is_empty());
        assert_eq!(story.connection.counts().bodies_unread, 1);
    }
}

#[test]
fn a_page_with_a_hole_is_searched_up_to_it() {
    let mut story = Story::default();
    let response = page(HTML, format!("{META}{}", "x".repeat(100)));
    story.server(&response[..response.len() - 100]).server_gap(Some(50));
    assert_eq!(story.in_bodies(), META_FOUND);
    story.server(&response[response.len() - 50..]).server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.statuses(), [200, 204]);
}

#[test]
fn a_page_full_of_frames_tells_the_first_few() {
    let frames: String = (0..100).map(|i| format!("<iframe src=/{i}></iframe>")).collect();
    assert_eq!(found_in(HTML, frames).len(), 16);
    let same = "<iframe src=/x></iframe>".repeat(5);
    assert_found(HTML, same, &[("iframe", "/x")]);
}
