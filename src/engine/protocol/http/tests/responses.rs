//! Responses: recognised, paired, and followed to their end.

use super::{Connection, Story, get, page};

#[test]
fn a_response_is_told_by_its_content() {
    for bytes in ["HTTP/1.1 200 OK\r\n", "HTTP/1.0 302\n", "HTTP/1.1"] {
        assert!(Connection::is_response(bytes.as_bytes()), "{bytes}");
    }
    for bytes in ["", "HTT", "ICY 200 OK\r\n", "HTTP/2 200\r\n", "HTTP/1.1 OK", "<html>"] {
        assert!(!Connection::is_response(bytes.as_bytes()), "{bytes}");
    }
}

#[test]
fn a_response_shows_the_fields_that_betray_its_maker() {
    let mut story = Story::default();
    story
        .client(get("/x"))
        .server("HTTP/1.1 200 OK\r\nDate: now\r\nServer: s/1\r\nContent-Type: text/plain\r\nX-Y: z\r\nContent-Length: 3\r\n\r\nabc");
    let head = story.head();
    assert!(head.has_date && !head.lf_only);
    assert_eq!((head.server.as_deref(), head.content_type.as_deref(), head.content_length), (Some("s/1"), Some("text/plain"), Some(3)));
    assert_eq!(head.fields().collect::<Vec<_>>(), ["date", "server", "content-type", "x-y", "content-length"]);
    assert_eq!((head.head_len, head.first.seq, head.head_end.seq), (96, 0, 96));
    assert_eq!(head.request.as_ref().unwrap().host.as_deref(), Some("a.example"));
    assert!(story.connection.waiting().is_none());
}

#[test]
fn a_bare_head_of_line_feeds_is_recognised_as_one() {
    let mut story = Story::default();
    story.server("HTTP/1.1 307 x\nLocation: https://b.example/\nConnection: close\n\n");
    assert!(story.head().lf_only && !story.head().has_date);
    let mut story = Story::default();
    story.server("HTTP/1.1 307 x\r\nLocation: https://b.example/\n\n");
    assert!(!story.head().lf_only);
}

#[test]
fn a_response_without_a_seen_request_stands_alone() {
    let mut story = Story::default();
    story.server("HTTP/1.1 204 x\r\n\r\n").client("GET /half HTTP/1.1\r\nHost:").server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.answered(), [None, None]);
}

#[test]
fn responses_follow_one_another_whatever_ends_their_bodies() {
    let mut story = Story::default();
    for target in ["/1", "/2", "/3", "/4", "/5"] {
        story.client(get(target));
    }
    story.client("HEAD /6 HTTP/1.1\r\n\r\n").client(get("/7"));
    story.server([page("", "HTTP/1.1 500 no head\r\n\r\n"), b"HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n".to_vec()].concat());
    story.server("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nA;x=y\r\n0123456789\r\n");
    story.server("3  \nabc\n0\r\nTrailer: x\r\n\r\nHTTP/1.1 205 x\r\nContent-Length: 0\r\n\r\n\r\nHTTP/1.1 204 x\r\n\r\n");
    story
        .server("HTTP/1.1 200 x\r\nContent-Length: 1000\r\n\r\nHTTP/1.1 203 x\r\n\r\n")
        .server("HTTP/1.1 500 still a body\r\n\r\n")
        .closed();
    assert_eq!(story.statuses(), [200, 304, 200, 205, 204, 200, 203]);
    assert_eq!(story.answered().last(), Some(&Some("/7")));
}

#[test]
fn an_interim_response_leaves_the_request_waiting() {
    let mut story = Story::default();
    story.client(get("/x")).server("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n");
    assert_eq!(&*story.connection.waiting().unwrap().target, "/x");
    story.server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.answered(), [Some("/x")]);
}

#[test]
fn http_ends_with_an_upgrade_or_a_tunnel() {
    let mut story = Story::default();
    story.client(get("/chat")).server("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}");
    assert_eq!((story.statuses(), story.connection.is_live()), (vec![101], false));

    let mut story = Story::default();
    story.client("CONNECT b.example:443 HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 x\r\n\r\n").server("HTTP/1.1 200 x\r\n\r\n");
    assert_eq!((story.answered(), story.connection.is_live()), (vec![Some("b.example:443")], false));
    assert_eq!(story.connection.heap_bytes(), 0);

    let mut story = Story::default();
    story.client("CONNECT b.example:443 HTTP/1.1\r\n\r\n").server("HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n").client(get("/x"));
    assert!(story.connection.is_live());
    assert_eq!(&*story.connection.waiting().unwrap().target, "/x");
}

#[test]
fn lengths_that_contradict_each_other_are_not_believed() {
    for (fields, expected) in [
        ("Content-Length: 3\r\nContent-Length: 4\r\n", None),
        ("Content-Length: 3, 4\r\n", None),
        ("Content-Length: +3\r\n", None),
        ("Content-Length: -1\r\n", None),
        ("Content-Length:\r\n", None),
        ("Content-Length: 99999999999999999999\r\n", None),
        ("Content-Length: 3, 3\r\nContent-Length: 3\r\n", Some(3)),
    ] {
        let mut story = Story::default();
        story.server(format!("HTTP/1.1 200 OK\r\n{fields}\r\nabc")).server("HTTP/1.1 204 x\r\n\r\n");
        assert_eq!(story.heads()[0].content_length, expected, "{fields}");
        // Without a length the second head is content.
        assert_eq!(story.heads().len(), if expected.is_some() { 2 } else { 1 }, "{fields}");
    }
}

#[test]
fn heads_that_browsers_forgive_are_read() {
    let many: String = (0..300).map(|i| format!("X-{i}: y\r\n")).collect();
    for fields in [
        "Location : http://b.example/\r\n",
        " Location: http://b.example/\r\n",
        "no colon here\r\nLocation: http://b.example/\r\n",
        "Location:\r\n http://b.example/\r\n",
        "LOCATION:\thttp://b.example/ \r\n",
        &format!("{many}Location: http://b.example/\r\n"),
    ] {
        let mut story = Story::default();
        story.server(format!("HTTP/1.1  302  Found\r\n{fields}\r\n"));
        assert_eq!(story.head().location.as_deref().map(str::trim), Some("http://b.example/"), "{fields}");
        assert!(story.head().field_names.len() <= 512);
    }
}

#[test]
fn a_head_that_the_close_cuts_short_counts_as_browsers_count_it() {
    let mut story = Story::default();
    story.client(get("/x")).server("HTTP/1.1 302 Found\r\nLocation: http://b.example/\r\n").closed();
    assert_eq!(story.head().location.as_deref(), Some("http://b.example/"));
    assert_eq!(story.head().head_len, 49);
    assert_eq!(story.answered(), [Some("/x")]);

    let mut story = Story::default();
    story.client(get("/x")).server("HTTP/1.").closed();
    assert!(story.events.is_empty());
}

#[test]
fn after_garbage_the_next_status_line_at_a_segments_start_counts() {
    let mut story = Story::default();
    story.client(get("/x")).server("HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nHTTP/1.1 500 x\r\n\r\n");
    story.server("more HTTP/1.1 500 x\r\n\r\n").client(get("/y")).server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.answered(), [Some("/x"), Some("/y")]);
    assert!(story.connection.is_live());

    let mut story = Story::default();
    story.server("SSH-2.0-x\r\n").server("HTTP/1.1 200 bad\0\r\n\r\n").server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.statuses(), [204]);
}

#[test]
fn a_gap_inside_a_body_is_stepped_over() {
    for (head, body_left) in [("Content-Length: 1000\r\n\r\n", ""), ("Transfer-Encoding: chunked\r\n\r\n3e8\r\n", "\r\n0\r\n\r\n")] {
        let mut story = Story::default();
        story.client(get("/x")).client(get("/y")).server(format!("HTTP/1.1 200 x\r\n{head}0123456789")).server_gap(Some(990));
        story.server(format!("{body_left}HTTP/1.1 204 x\r\n\r\n"));
        assert_eq!(story.answered(), [Some("/x"), Some("/y")], "{head}");
    }
}

#[test]
fn a_gap_that_may_hold_responses_leaves_nothing_to_pair() {
    for gap in [Some(991), None] {
        let mut story = Story::default();
        story.client(get("/x")).client(get("/y")).server("HTTP/1.1 200 x\r\nContent-Length: 1000\r\n\r\n0123456789").server_gap(gap);
        story.server("the middle of something").server("HTTP/1.1 204 x\r\n\r\n").client(get("/z")).server("HTTP/1.1 204 x\r\n\r\n");
        assert_eq!(story.answered(), [Some("/x"), None, Some("/z")], "{gap:?}");
    }
    let mut story = Story::default();
    story.client(get("/x")).server("HTTP/1.1 200 x\r\nServ").server_gap(Some(5)).server(": x\r\n\r\n").server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.answered(), [None]);
}

#[test]
fn a_host_that_wants_to_be_asked_by_https_says_so_in_a_long_field() {
    let mut story = Story::default();
    story.client(get("/")).server("HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=31536000\r\nContent-Length: 0\r\n\r\n");
    assert!(story.head().demands_tls);
}
