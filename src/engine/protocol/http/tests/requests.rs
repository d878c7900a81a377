//! Requests: recognised by content, read whole or in pieces, queued.

use super::{Connection, Story, get};
use crate::engine::protocol::http::Wants;

#[test]
fn a_request_is_told_by_its_content() {
    for bytes in
        ["GET / HTTP/1.1\r\nHost: a", "\r\n\r\nget /x HTTP/1.0\n", "FROBNICATE * HTTP/1.1\r\n", "GET /a-long-target-that-goes", "GE"]
    {
        assert!(Connection::is_request(bytes.as_bytes()), "{bytes}");
    }
    for bytes in ["", "EHLO mail.example\r\n", "USER x", "HTTP/1.1 200 OK\r\n", "PRI * HTTP/2.0\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}"] {
        assert!(!Connection::is_request(bytes.as_bytes()), "{bytes}");
    }
}

#[test]
fn a_request_waits_with_its_fields() {
    let mut story = Story::default();
    story.client("GET /x?y HTTP/1.0\r\nhost: A.example\r\nUser-Agent: Browser/1\r\nREFERER: http://b.example/\r\n\r\n");
    let request = story.connection.waiting().unwrap();
    assert_eq!((&*request.method, &*request.target, request.minor), ("GET", "/x?y", 0));
    assert_eq!(request.host.as_deref(), Some("A.example"));
    assert_eq!(request.user_agent.as_deref(), Some("Browser/1"));
    assert_eq!(request.referer.as_deref(), Some("http://b.example/"));
}

#[test]
fn a_request_to_a_proxy_names_its_host_in_the_target() {
    let mut story = Story::default();
    story.client("GET http://u:p@a.example:81/x HTTP/1.1\r\n\r\n");
    assert_eq!(story.connection.waiting().unwrap().host.as_deref(), Some("a.example:81"));
}

#[test]
fn a_request_in_three_segments_is_stamped_from_the_first_to_the_last() {
    let mut story = Story { client_seq: u32::MAX - 1, ..Story::default() };
    story.client("\r\nGET /x HT").client("TP/1.1\r\nHost: a.example\r").client("\n\r\nGET");
    let request = story.connection.waiting().unwrap();
    assert_eq!((request.first.frame, request.first.seq), (1, 0));
    assert_eq!((request.last.frame, request.last.seq), (3, 36));
}

#[test]
fn each_request_of_one_segment_has_its_own_place() {
    let mut story = Story::default();
    story.client(get("/1") + &get("/22") + &get("/3"));
    for _ in 0..3 {
        story.server("HTTP/1.1 204 x\r\n\r\n");
    }
    assert_eq!(story.answered(), [Some("/1"), Some("/22"), Some("/3")]);
    let places: Vec<_> = story.heads().iter().map(|head| head.request.as_ref().unwrap()).map(|r| (r.first.seq, r.last.seq)).collect();
    assert_eq!(places, [(0, 36), (36, 73), (73, 109)]);
}

#[test]
fn a_request_waits_while_its_body_is_on_the_way() {
    let mut story = Story::default();
    story.client("POST /x HTTP/1.1\r\nContent-Length: 10\r\n\r\n12345");
    assert_eq!(story.connection.waiting().unwrap().last.seq, 45);
    story.client("67890");
    let request = story.connection.waiting().unwrap();
    assert_eq!((request.last.frame, request.last.seq), (2, 50));
    story.client(get("/y")).server("HTTP/1.1 204 x\r\n\r\nHTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.answered(), [Some("/x"), Some("/y")]);
}

#[test]
fn an_answer_before_the_body_is_sent_is_paired_and_the_body_still_skipped() {
    let mut story = Story::default();
    story
        .client("POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .server("HTTP/1.1 413 x\r\nContent-Length: 0\r\n\r\n");
    story.client("1;ext=\"a\"\r\nZ\r\n0\r\nTrailer: x\r\n\r\n").client(get("/y")).server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.answered(), [Some("/x"), Some("/y")]);
}

#[test]
fn heads_that_only_old_clients_send_are_read() {
    let many: String = (0..500).map(|i| format!("X-{i}: y\r\n")).collect();
    for (name, request) in [
        ("bare line feeds", "GET /x HTTP/1.1\nHost: a.example\n\n".to_owned().into_bytes()),
        ("five hundred fields", format!("GET /x HTTP/1.1\r\n{many}Host: a.example\r\n\r\n").into_bytes()),
        ("a field without colon", b"GET /x HTTP/1.1\r\nnonsense\r\nHost: a.example\r\n\r\n".to_vec()),
        ("a space before the colon", b"GET /x HTTP/1.1\r\nX : y\r\nHost: a.example\r\n\r\n".to_vec()),
    ] {
        let mut story = Story::default();
        story.client(request);
        assert_eq!(story.connection.waiting().and_then(|request| request.host.as_deref()), Some("a.example"), "{name}");
    }
    let mut story = Story::default();
    story.client(b"GET /caf\xE9 HTTP/1.1\r\n\r\n");
    assert_eq!(&*story.connection.waiting().unwrap().target, "/caf\u{FFFD}");
}

#[test]
fn after_a_gap_reading_goes_on_where_it_is_certain() {
    let mut story = Story::default();
    story.client("POST /x HTTP/1.1\r\nContent-Length: 100\r\n\r\n12345");
    story.connection.client_gap(Some(95));
    story.client(get("/y")).server("HTTP/1.1 204 x\r\n\r\nHTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.answered(), [Some("/x"), Some("/y")]);

    let mut story = Story::default();
    story.client("GET /x HTT");
    story.connection.client_gap(None);
    story.client("P/1.1\r\nHost: a.example\r\n\r\n").client(get("/y"));
    assert_eq!(&*story.connection.waiting().unwrap().target, "/y");
}

#[test]
fn a_request_says_what_its_answer_is_wanted_for() {
    let wants = |fields: &str| {
        let mut story = Story::default();
        story.client(format!("GET / HTTP/1.1\r\n{fields}\r\n"));
        story.connection.waiting().unwrap().wants
    };
    assert_eq!(wants("Accept: text/html,*/*;q=0.8\r\n"), Wants::Page);
    assert_eq!(wants("ACCEPT: image/webp,*/*\r\n"), Wants::Part);
    assert_eq!(wants("Accept: text/css,*/*;q=0.1\r\n"), Wants::Part);
    assert_eq!((wants("Accept: */*\r\n"), wants("")), (Wants::Unknown, Wants::Unknown));
    assert_eq!(wants("Accept: text/html\r\nSec-Fetch-Dest: iframe\r\n"), Wants::Frame);
    assert_eq!(wants("Sec-Fetch-Dest: script\r\nAccept: */*\r\n"), Wants::Part);
    assert_eq!(wants("Sec-Fetch-Dest: document\r\n"), Wants::Page);
}
