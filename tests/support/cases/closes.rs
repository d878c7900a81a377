//! Quiet: honest ends of connections that look forged.

use super::http::{answer, get, page, prose};
use super::race::{front_page, genuine};
use super::{Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{client, site};
use crate::support::segment::{ACK, FIN, PSH, RST, SYN};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::alone(
            "close-rst-from-kernel",
            "After a normal close the server's kernel, not its socket, resets a late ACK: identification 0, another initial TTL (255 in place
             of 64), window 0. More than a quarter of the connections that servers end look so.",
            kernel_reset,
        ),
        Case::alone(
            "close-rst-by-load-balancer",
            "A balancer drops an idle connection and resets it in the server's name: TTL three higher, identification of its own, no data after.",
            balancer_reset,
        ),
        Case::alone(
            "close-rst-on-late-data",
            "The server has closed; the client sends another request on the dying connection and gets a reset.",
            reset_on_late_data,
        ),
        Case::alone(
            "close-data-in-flight",
            "The server resets while its last segment is still under way on a longer path: the data arrive 0.4 ms after the RST.",
            data_in_flight,
        ),
        Case::alone(
            "close-rst-overtakes-data",
            "The server breaks a download off; its last segment takes a way that is 8 ms longer, and arrives after the RST that was sent behind it.
             First seen in the lab of the gateway, on a line that reorders.",
            reset_overtakes,
        ),
        Case::alone("close-fin-overtakes-data", "The server's FIN overtakes its last segment by 0.2 ms.", fin_overtakes),
        Case::alone(
            "close-client-abort",
            "The client aborts a download; the server's segments still come in for one round trip and each is answered by a reset.",
            client_abort,
        ),
        Case::alone(
            "close-early-answer",
            "The server refuses an upload before it is complete: answer, FIN, then a reset for the bytes that came after.",
            early_refusal,
        ),
        Case::alone("close-refused", "Nothing listens: the SYN is answered by RST+ACK, three times.", refused),
        Case::alone("close-half", "The client half-closes after its request; the server answers, and closes later.", half_close),
        Case::alone("close-fin-lost", "The server's FIN is lost before the sensor and comes again, then the client closes.", fin_lost),
    ]
}

fn served(story: &mut Story) -> Connection<'_> {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    genuine(&mut tcp, 24.0, &front_page());
    tcp
}

fn kernel_reset() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.close();
    tcp.ack();
    tcp.wait(after_ms(24.0));
    let mut reset = tcp.segment(Side::Server, RST, b"");
    reset.ttl = 255 - tcp.server.host.hops;
    reset.ip_id = 0;
    reset.window = 0;
    tcp.put(&reset);
    Told::silent(story)
}

fn balancer_reset() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.wait(after_ms(60_000.0));
    let mut reset = tcp.segment(Side::Server, RST | ACK, b"");
    reset.ttl += 3;
    reset.ip_id = 0xd00f;
    reset.window = 0;
    tcp.put(&reset);
    Told::quiet(story)
}

fn reset_on_late_data() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.wait(after_ms(5000.0));
    let fin = tcp.segment(Side::Server, FIN | ACK, b"");
    let request = tcp.request(&get("news.example", "/sport"));
    assert!(request > 0);
    tcp.put(&fin);
    tcp.ack();
    tcp.wait(after_ms(24.0));
    let mut reset = tcp.segment(Side::Server, RST, b"");
    reset.ip_id = 0;
    reset.window = 0;
    tcp.put(&reset);
    Told::silent(story)
}

fn data_in_flight() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.request(&get("news.example", "/sport"));
    tcp.wait(after_ms(24.0));
    let segments = tcp.server_segments(&page(&prose(60)), 1400, PSH | ACK);
    let reset = tcp.segment(Side::Server, RST | ACK, b"");
    tcp.put_all(&segments[..2]);
    tcp.put(&reset);
    tcp.wait(after_ms(0.4));
    tcp.put(&segments[2]);
    Told::quiet(story)
}

fn reset_overtakes() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.request(&get("news.example", "/sport"));
    tcp.wait(after_ms(24.0));
    let segments = tcp.server_segments(&page(&prose(60)), 1400, PSH | ACK);
    let reset = tcp.segment(Side::Server, RST | ACK, b"");
    let (last, before) = segments.split_last().unwrap();
    tcp.put_all(before);
    tcp.put(&reset);
    tcp.wait(after_ms(8.0));
    tcp.put(last);
    Told::quiet(story).like(["tcp_reset"])
}

fn fin_overtakes() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.request(&get("news.example", "/sport"));
    tcp.wait(after_ms(24.0));
    let last = tcp.segment(Side::Server, PSH | ACK, &front_page());
    let fin = tcp.segment(Side::Server, FIN | ACK, b"");
    tcp.put(&fin);
    tcp.wait(after_ms(0.2));
    tcp.put(&last);
    tcp.client.heard = Some(fin.end());
    tcp.client_closes_too(24.0);
    Told::silent(story).like(["tcp_fin"])
}

fn client_abort() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.request(&get("files.example", "/film.mkv"));
    tcp.reply(after_ms(24.0), &page(&prose(60)));
    let mut reset = tcp.segment(Side::Client, RST | ACK, b"");
    reset.window = 0;
    tcp.put(&reset);
    for _ in 0..4 {
        let data = tcp.segment(Side::Server, PSH | ACK, &[0x3c; 1400]);
        tcp.put(&data);
        reset.flags = RST;
        tcp.put(&reset);
        tcp.wait(after_ms(4.0));
    }
    Told::silent(story)
}

fn early_refusal() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(b"POST /letters HTTP/1.1\r\nHost: news.example\r\nContent-Length: 90000\r\n\r\n");
    let body = tcp.segment(Side::Client, ACK, &[b'a'; 1400]);
    tcp.put(&body);
    tcp.reply(after_ms(24.0), &answer("413 Content Too Large", "Connection: close\r\n", "too long\n"));
    tcp.wait(after_ms(0.1));
    let fin = tcp.segment(Side::Server, FIN | ACK, b"");
    tcp.put(&fin);
    let body = tcp.segment(Side::Client, ACK, &[b'a'; 1400]);
    tcp.put(&body);
    tcp.wait(after_ms(24.0));
    let mut reset = tcp.segment(Side::Server, RST, b"");
    reset.ip_id = 0;
    reset.window = 0;
    tcp.put(&reset);
    Told::silent(story)
}

fn refused() -> Told {
    let mut story = Story::new();
    for _ in 0..3 {
        let mut tcp = story.connection(client(), site());
        let syn = tcp.segment(Side::Client, SYN, b"");
        tcp.put(&syn);
        tcp.wait(after_ms(24.0));
        let mut reset = tcp.segment(Side::Server, RST | ACK, b"");
        (reset.seq, reset.window, reset.ip_id) = (0, 0, 0);
        tcp.put(&reset);
    }
    Told::silent(story)
}

fn half_close() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    tcp.server_ack(after_ms(24.0));
    tcp.reply(after_ms(80.0), &front_page());
    tcp.ack();
    tcp.wait(after_ms(0.2));
    let end = tcp.segment(Side::Server, FIN | ACK, b"");
    tcp.put(&end);
    tcp.ack();
    Told::silent(story)
}

fn fin_lost() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    let fin = tcp.segment(Side::Server, FIN | ACK, b"");
    tcp.wait(after_ms(300.0));
    let again = tcp.again(&fin);
    tcp.put(&again);
    tcp.client_closes_too(24.0);
    Told::silent(story).like(["tcp_fin"])
}
