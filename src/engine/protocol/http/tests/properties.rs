//! What holds for every stream: cuts do not matter, nothing panics, the bounds hold.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

use super::{Event, Story, get, page};
use crate::engine::limits::Limits;

/// Whole messages of both sides, well formed.
fn client_stream() -> Vec<u8> {
    let post = "\r\nPOST /2 HTTP/1.1\nHost: a.example\nContent-Length: 11\n\nhello\r\n\r\nyou";
    let chunked = "PUT /3 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: x\r\n\r\n";
    [&get("/1"), post, chunked, "HEAD /4 HTTP/1.1\r\n\r\n", &get("/5"), &get("/6")].concat().into_bytes()
}

fn server_stream() -> Vec<u8> {
    let html = "Content-Type: text/html\r\n";
    let long = format!("<iframe src=/long></iframe>{}", "x".repeat(9000));
    [
        page(html, "<meta http-equiv=refresh content='0;url=/x'>"),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\nLocation: /y\nContent-Length: 0\n\n".to_vec(),
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n9 ;x\r\n<iframe s\r\n6\nrc=/z>\n0\r\nT: x\r\n\r\n".to_vec(),
        b"\r\nHTTP/1.1 200 x\r\nContent-Length: 5000\r\n\r\n".to_vec(),
        page(html, long),
        b"HTTP/1.0 200 x\r\nContent-Type: application/javascript\r\n\r\nlocation='/end'".to_vec(),
    ]
    .concat()
}

/// The events without their stamps.
fn told(story: &Story) -> Vec<String> {
    let tell = |event: &Event| match event {
        Event::Head(head) => {
            format!(
                "{:?}",
                (head.status, &head.field_names, head.head_len, head.lf_only, &head.redirects, head.first.seq, head.head_end.seq)
            ) + &format!("{:?}", head.request.as_ref().map(|request| (&request.target, request.first.seq)))
        }
        Event::Body(found) => format!("{found:?}"),
        Event::Whole(bytes) => format!("whole {bytes}"),
    };
    story.events.iter().map(tell).collect()
}

fn send(story: &mut Story, client_side: bool, bytes: &[u8], cuts: &[usize]) {
    let mut rest = bytes;
    for cut in cuts.iter().cycle().take(bytes.len()) {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        if client_side {
            story.client(piece)
        } else {
            story.server(piece)
        };
        rest = after;
    }
    if client_side {
        story.client(rest)
    } else {
        story.server(rest)
    };
}

/// Every bound of the connection together.
fn bound(limits: &Limits) -> usize {
    2 * limits.http_head + limits.http_body + limits.http_pipeline * (5 * 2048 + 2 * size_of::<super::super::Request>())
}

/// Bytes that look enough like HTTP to reach every state.
fn hostile_piece() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "GET ",
        "CONNECT ",
        "HEAD ",
        "/x",
        " HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.0 302",
        "200 OK",
        "101 x",
        "\r\n",
        "\n",
        "\r\n\r\n",
        "\r",
        "Content-Length: ",
        "5",
        "0",
        "ffffffffffffffff",
        ",",
        "Transfer-Encoding: chunked\r\n",
        "Content-Encoding: gzip, br\r\n",
        "Content-Encoding: zstd\r\n",
        "Content-Encoding: deflate\r\n",
        "Content-Type: text/html\r\n",
        "Content-Type: text/javascript\r\n",
        "Location: /x\r\n",
        "Refresh: 0;url=ü\r\n",
        " folded",
        "<meta http-equiv=refresh content='0;url=/x'>",
        "<script>",
        "location='/\\u00",
        "</script>",
        "<iframe src=",
        "<!--",
        "\u{1f}\u{8b}\u{8}",
        "(\u{b5}/\u{fd}",
    ];
    prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
        1 => Just(server_stream()),
        1 => Just(client_stream()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn where_segments_are_cut_does_not_matter(client_cuts in vec(1_usize..60, 1..20), server_cuts in vec(1_usize..1500, 1..20), small in any::<bool>()) {
        let mut whole = Story::default();
        whole.client(client_stream()).server(server_stream()).closed();
        let mut cut = Story::default();
        let server_cuts: Vec<usize> = server_cuts.iter().map(|len| if small { len % 7 + 1 } else { *len }).collect();
        send(&mut cut, true, &client_stream(), &client_cuts);
        send(&mut cut, false, &server_stream(), &server_cuts);
        cut.closed();
        assert_eq!(told(&whole), told(&cut));
        assert_eq!(whole.statuses(), [200, 302, 200, 200, 200, 200]);
        assert_eq!(whole.in_bodies(), [("meta_refresh", "/x"), ("iframe", "/z"), ("iframe", "/long"), ("script", "/end")]);
    }

    #[test]
    fn nothing_that_is_sent_breaks_it(pieces in vec((0_u8..8, hostile_piece()), 0..60)) {
        let mut story = Story::default();
        story.limits.http_pipeline = 4;
        story.limits.http_head = 1 << 10;
        let mut segment = Vec::new();
        for (action, piece) in pieces {
            segment.extend(piece);
            match action {
                0 => { story.client(std::mem::take(&mut segment)); }
                1 | 2 => { story.server(std::mem::take(&mut segment)); }
                3 => { story.server_gap((segment.len() % 2 == 0).then_some(segment.len() as u32)); }
                4 => story.connection.client_gap((segment.len() % 2 == 0).then_some(segment.len() as u32)),
                5 if segment.len() % 5 == 0 => { story.closed(); }
                _ => {}
            }
            let _ = story.connection.waiting();
            assert!(story.connection.heap_bytes() <= bound(&story.limits));
        }
        story.server(segment).closed();
    }

    #[test]
    fn any_body_of_any_coding_is_survived(coding in proptest::sample::select(vec!["gzip", "deflate", "br", "zstd", "gzip, zstd", "br, deflate"]), body in vec(any::<u8>(), 0..600)) {
        let magic: &[u8] = match coding { "gzip" => b"\x1f\x8b\x08\0\0\0\0\0\0\0", "zstd" => b"\x28\xb5\x2f\xfd", _ => b"" };
        let mut story = Story::default();
        story.server(page(&format!("Content-Type: text/html\r\nContent-Encoding: {coding}\r\n"), [magic, &body].concat()));
        assert_eq!(story.statuses(), [200]);
    }

    #[test]
    fn any_page_is_survived(pieces in vec(hostile_piece(), 0..40)) {
        let mut story = Story::default();
        story.server(page("Content-Type: text/html\r\n", pieces.concat()));
        assert_eq!(story.statuses(), [200]);
    }
}
