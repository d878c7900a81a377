//! Quiet: the odd but honest ways of TCP.

use super::http::{get, page, prose};
use super::race::{front_page, genuine, repeat};
use super::{Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{client, site, v4, windows};
use crate::support::segment::{ACK, FIN, Opt, PSH, SYN};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::alone(
            "tcp-ack-trailer-zero",
            "Bare ACKs of the server padded to 60 bytes by Ethernet: two and six zero bytes stand behind the IP packet.",
            trailer_zero,
        ),
        Case::alone(
            "tcp-ack-trailer-garbage",
            "As before, but the card left old memory in the padding. Counted as payload it would contradict the data that follow.",
            trailer_garbage,
        ),
        Case::alone(
            "tcp-keep-alive-garbage",
            "Keep-alive probes of the server: one byte at the sequence number before the next, and that byte is not what was sent there.",
            keep_alive,
        ),
        Case::alone(
            "tcp-zero-window-probe",
            "The client's window is shut; the server probes with one byte of the next data, which it later sends in full.",
            zero_window,
        ),
        Case::alone(
            "tcp-other-borders",
            "A lost answer is sent again in segments of other sizes after the path MTU fell; the bytes are the same.",
            other_borders,
        ),
        Case::alone("tcp-reordered", "The segments of an answer arrive in the order 3, 1, 2, 5, 4.", reordered),
        Case::alone(
            "tcp-loss-recovered",
            "The third of six segments is lost before the sensor; the client's SACKs ask for it, it comes again after what followed.",
            loss_recovered,
        ),
        Case::alone("tcp-sequence-wrap", "The sequence numbers of the server pass 2^32 within the answer, which is then sent again.", wrap),
        Case::alone(
            "tcp-port-reuse",
            "The client uses its port again a second after the first connection ended; the new one has other initial numbers and other bytes.",
            port_reuse,
        ),
        Case::alone(
            "tcp-port-reuse-near",
            "As before, with a new initial number just after the old stream's end, and nothing seen of the old connection's FINs.",
            port_reuse_near,
        ),
        Case::alone(
            "tcp-fast-open",
            "TCP Fast Open: the request is in the SYN, and the answer comes right behind the SYN-ACK, before the client's ACK.",
            fast_open,
        ),
        Case::alone("tcp-midstream", "The capture begins in the middle of a download.", midstream),
        Case::alone("tcp-one-sided", "Only the server's packets are seen, with one retransmission.", one_sided),
        Case::alone("tcp-client-side-only", "Only the client's packets are seen.", client_side_only),
        Case::alone(
            "tcp-fin-without-push",
            "An HTTP/1.0 server writes and closes at once: data with FIN and without PSH, one segment.",
            fin_without_push,
        ),
        Case::alone(
            "tcp-long-lived",
            "A connection that is silent for two minutes between its exchanges, while the server's counter and clock go on.",
            long_lived,
        ),
        Case::alone("tcp-simultaneous-close", "Both ends send FIN at the same time, and each sends it again.", simultaneous_close),
    ]
}

fn opened(story: &mut Story) -> Connection<'_> {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp
}

fn trailers(fill: [u8; 6]) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), windows(v4(203, 0, 113, 44)).away(15));
    tcp.handshake(24.0);
    for len in [6, 2] {
        tcp.request(&get("news.example", "/"));
        tcp.wait(after_ms(24.0));
        let mut ack = tcp.segment(Side::Server, ACK, b"");
        ack.trailer = fill[..len].to_vec();
        tcp.put(&ack);
        tcp.reply(after_ms(3.0), &front_page());
        tcp.wait(after_ms(0.1));
        let mut ack = tcp.segment(Side::Client, ACK, b"");
        ack.trailer = fill[..len].to_vec();
        tcp.put(&ack);
    }
    tcp.close();
    Told::silent(story)
}

fn trailer_zero() -> Told {
    trailers([0; 6])
}

fn trailer_garbage() -> Told {
    trailers([0x55, 0x3a, 0x91, 0x0d, 0x0a, 0xee])
}

fn keep_alive() -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    genuine(&mut tcp, 24.0, &front_page());
    for _ in 0..3 {
        tcp.wait(after_ms(15_000.0));
        let mut probe = tcp.segment(Side::Server, ACK, b"");
        probe.seq = probe.seq.wrapping_sub(1);
        probe.payload = vec![0];
        tcp.put(&probe);
        tcp.ack();
    }
    tcp.close();
    Told::silent(story)
}

fn zero_window() -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    genuine(&mut tcp, 24.0, &front_page());
    tcp.client.host.window = 0;
    tcp.request(&get("news.example", "/sport"));
    let text = front_page();
    let place = tcp.server.next;
    for pause in [300.0, 600.0] {
        tcp.wait(after_ms(pause));
        tcp.server.next = place;
        let probe = tcp.segment(Side::Server, ACK, &text[..1]);
        tcp.put(&probe);
        tcp.client.heard = Some(place);
        tcp.ack();
    }
    tcp.client.host.window = 502;
    tcp.ack();
    tcp.server.next = place;
    tcp.reply(after_ms(24.0), &text);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn other_borders() -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    let text = page(&prose(60));
    let first = tcp.reply(after_ms(24.0), &text);
    assert_eq!(first.len(), 3, "the story wants three segments");
    for size in [1200, 333] {
        tcp.wait(after_ms(250.0));
        tcp.server.next = tcp.server.next.wrapping_sub(text.len() as u32);
        let again = tcp.server_segments(&text, size, PSH | ACK);
        tcp.put_all(&again);
    }
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn reordered() -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    tcp.wait(after_ms(24.0));
    let segments = tcp.server_segments(&page(&prose(60)), 900, PSH | ACK);
    for index in [2, 0, 1, 4, 3] {
        tcp.put(&segments[index]);
    }
    tcp.client.heard = Some(tcp.server.next);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn loss_recovered() -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    tcp.wait(after_ms(24.0));
    let segments = tcp.server_segments(&page(&prose(75)), 900, PSH | ACK);
    tcp.put_all(&segments[..2]);
    tcp.put_all(&segments[3..]);
    for segment in &segments[3..] {
        let mut ack = tcp.segment(Side::Client, ACK, b"");
        ack.options.push(Opt::Sack(segments[3].seq, segment.end()));
        tcp.put(&ack);
    }
    tcp.wait(after_ms(26.0));
    repeat(&mut tcp, &segments[2..3]);
    tcp.client.heard = Some(tcp.server.next);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn wrap() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.server.start_at(u32::MAX - 700);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.wait(after_ms(24.0));
    let segments = tcp.server_segments(&page(&prose(40)), 500, PSH | ACK);
    tcp.put_all(&segments);
    tcp.wait(after_ms(230.0));
    repeat(&mut tcp, &segments);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn reused(ended: bool, new_isn: fn(u32) -> u32) -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    let port = tcp.client.end.port;
    genuine(&mut tcp, 24.0, &front_page());
    tcp.story.seen = ended;
    tcp.close();
    tcp.story.seen = true;
    let isn = new_isn(tcp.server.next);
    story.wait(after_ms(1100.0));
    let mut tcp = story.connection(client(), site());
    tcp.client.end.port = port;
    tcp.server.start_at(isn);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/sport"));
    genuine(&mut tcp, 24.0, &page(&prose(9)));
    tcp.close();
    Told::silent(story)
}

fn port_reuse() -> Told {
    reused(true, |_| 0x2b00_1234)
}

fn port_reuse_near() -> Told {
    reused(false, |end| end.wrapping_sub(200))
}

fn fast_open() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    let mut syn = tcp.segment(Side::Client, SYN, &get("news.example", "/"));
    syn.options.push(Opt::FastOpen(vec![7, 1, 4, 9, 2, 8, 3, 5]));
    tcp.put(&syn);
    tcp.wait(after_ms(24.0));
    let syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    tcp.put(&syn_ack);
    tcp.reply(after_ms(0.6), &front_page());
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn midstream() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.story.seen = false;
    tcp.handshake(24.0);
    tcp.request(&get("files.example", "/film.mkv"));
    tcp.reply(after_ms(24.0), &page(&prose(90)));
    tcp.story.seen = true;
    for _ in 0..3 {
        tcp.ack();
        tcp.reply(after_ms(8.0), &[0x3c; 2800]);
    }
    tcp.close();
    Told::silent(story)
}

fn one_sided() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.story.seen = false;
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    tcp.story.seen = true;
    tcp.wait(after_ms(24.0));
    let syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    tcp.put(&syn_ack);
    tcp.story.seen = false;
    tcp.request(&get("news.example", "/"));
    tcp.story.seen = true;
    tcp.server_ack(after_ms(24.0));
    let segments = tcp.server_segments(&front_page(), 1400, PSH | ACK);
    tcp.put_all(&segments);
    tcp.wait(after_ms(220.0));
    repeat(&mut tcp, &segments);
    Told::silent(story)
}

fn client_side_only() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    tcp.story.seen = false;
    tcp.wait(after_ms(24.0));
    let syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    tcp.put(&syn_ack);
    tcp.story.seen = true;
    tcp.ack();
    tcp.request(&get("news.example", "/"));
    tcp.story.seen = false;
    tcp.reply(after_ms(24.0), &front_page());
    tcp.story.seen = true;
    tcp.ack();
    Told::silent(story)
}

fn fin_without_push() -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    tcp.server_ack(after_ms(24.0));
    let answer = b"HTTP/1.0 200 OK\r\nDate: Mon, 05 Jan 2026 09:00:00 GMT\r\nServer: old\r\nContent-Type: text/plain\r\n\r\nhello\n";
    let segments = tcp.server_segments(answer, 1400, FIN | ACK);
    tcp.put_all(&segments);
    tcp.client_closes_too(24.0);
    Told::silent(story)
}

fn long_lived() -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    for leap in [40_000, 63_000] {
        genuine(&mut tcp, 24.0, &front_page());
        tcp.wait(after_ms(120_000.0));
        tcp.server.skip_ip_ids(leap);
        tcp.request(&get("news.example", "/ticker"));
    }
    genuine(&mut tcp, 24.0, &front_page());
    tcp.close();
    Told::quiet(story)
}

fn simultaneous_close() -> Told {
    let mut story = Story::new();
    let mut tcp = opened(&mut story);
    genuine(&mut tcp, 24.0, &front_page());
    let ours = tcp.segment(Side::Client, FIN | ACK, b"");
    let theirs = tcp.segment(Side::Server, FIN | ACK, b"");
    tcp.put(&ours);
    tcp.put(&theirs);
    tcp.wait(after_ms(220.0));
    let (ours, theirs) = (tcp.again(&ours), tcp.again(&theirs));
    tcp.put(&theirs);
    tcp.put(&ours);
    tcp.ack();
    tcp.server_ack(after_ms(24.0));
    Told::silent(story)
}
