//! What is held, and what happens at the bounds.

use super::{Story, get};

#[test]
fn a_head_without_end_ends_the_reading() {
    let endless = format!("X: {}\r\n", "y".repeat(1000)).repeat(17);
    for client_side in [true, false] {
        let mut story = Story::default();
        let first = if client_side { "GET / HTTP/1.1\r\n" } else { "HTTP/1.1 200 OK\r\n" };
        let mut held = 0;
        for piece in [first.as_bytes()].into_iter().chain(endless.as_bytes().chunks(1400)) {
            if client_side {
                story.client(piece)
            } else {
                story.server(piece)
            };
            held = held.max(story.connection.heap_bytes());
        }
        assert!(!story.connection.is_live());
        assert!(held <= story.limits.http_head, "{held}");
        assert_eq!((story.connection.heap_bytes(), story.connection.counts().heads_too_long), (0, 1));
    }
}

#[test]
fn requests_beyond_the_bound_are_counted_and_leave_the_others_rightly_paired() {
    let mut story = Story::default();
    story.limits.http_pipeline = 2;
    for target in ["/1", "/2", "/3"] {
        story.client(get(target));
    }
    story.server("HTTP/1.1 204 x\r\n\r\n").client(get("/4"));
    for _ in 0..3 {
        story.server("HTTP/1.1 204 x\r\n\r\n");
    }
    story.client(get("/5")).server("HTTP/1.1 204 x\r\n\r\n");
    assert_eq!(story.answered(), [Some("/1"), Some("/2"), None, None, Some("/5")]);
    assert_eq!(story.connection.counts().requests_unpaired, 2);
}

#[test]
fn every_field_is_cut_at_a_characters_border() {
    let long = "ü".repeat(1500);
    let mut story = Story::default();
    story.client(format!("GET /{long} HTTP/1.1\r\nHost: {long}\r\nUser-Agent: x{long}\r\nReferer: {long}\r\n\r\n"));
    story.server(format!("HTTP/1.1 302 x\r\nServer: {long}\r\nLocation: /{long}\r\n\r\n"));
    let head = story.head();
    let request = head.request.as_ref().unwrap();
    let fields = [Some(&request.target), request.host.as_ref(), request.user_agent.as_ref(), head.server.as_ref(), head.location.as_ref()];
    for field in fields {
        let len = field.unwrap().len();
        assert!((2047..=2048).contains(&len), "{len}");
    }
}

#[test]
fn a_finished_exchange_holds_nothing_but_the_empty_queue() {
    let mut story = Story::default();
    story.client(get("/x"));
    let waiting = story.connection.heap_bytes();
    story.server("HTTP/1.1 200 x\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nab");
    story.server("c");
    assert!(story.connection.heap_bytes() < waiting);
    story.connection.server_gap(None, &mut story.events);
    assert_eq!(story.connection.heap_bytes(), 0);
}
