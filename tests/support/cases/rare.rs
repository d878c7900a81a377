//! Quiet: what happens on some network every day and looks like a second sender.

use super::http::{get, page, prose};
use super::race::{front_page, genuine, repeat};
use super::{Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{Host, IpId, TsClock, appliance, client, linux, site, v4, windows};
use crate::support::segment::{ACK, FIN, PSH, RST, SYN, Segment};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::alone(
            "close-forgotten-session",
            "A firewall forgot a connection that was idle for two minutes. The client's next request is answered by the firewall's own RST+ACK, with
             another TTL, a counter of its own and no DF.",
            forgotten_session,
        ),
        Case::alone(
            "close-rst-by-other-machine",
            "Routers rehash an anycast address: one ACK of the client reaches a machine that knows nothing of the connection and answers with
             the RST of a closed port, while the machine that serves the file goes on sending until it hears of it.",
            other_machine,
        ),
        Case::alone(
            "close-idle-fin-crosses-request",
            "A balancer closes an idle connection with its own FIN, with no timestamps and another TTL, at the moment in which the client asks
             again.",
            idle_fin,
        ),
        Case::alone(
            "close-timeout-answer-crosses-request",
            "A balancer that waited in vain sends a bare 408 and closes; the client's next request was on its way.",
            timeout_answer,
        ),
        Case::alone(
            "close-rst-then-open",
            "A service that is just starting refuses the SYN. The client, as Windows does, sends the same SYN again after half a second, and is served.",
            refused_then_open,
        ),
        Case::alone(
            "front-content-switch",
            "A switch hands each request of a connection to the machine that serves its path: from the second request on hops, identification, window and
             clock are another machine's.",
            content_switch,
        ),
        Case::alone(
            "front-timestamps-dropped",
            "Timestamps are negotiated, and no packet of the server carries them after its SYN-ACK; nothing else differs.",
            timestamps_dropped,
        ),
        Case::alone(
            "front-timestamps-stop",
            "After the first answer the server's packets carry no timestamps any more; nothing else differs.",
            timestamps_stop,
        ),
        Case::alone(
            "front-syn-proxy-old-server",
            "A shield answers the SYN; the old server behind it answers in one segment with FIN and without PSH, its first packet, with another
             TTL, DF and window.",
            syn_proxy_old_server,
        ),
        Case::alone(
            "stack-mtu-black-hole",
            "Large segments are lost on a route with a smaller MTU that says nothing. After its timeouts the server clears DF and sends the same bytes
             in smaller segments.",
            mtu_black_hole,
        ),
        Case::alone(
            "stack-counter-meets-device",
            "A server without timestamps numbers all its packets by one counter, which passes the value that a known device sends in all of its.",
            counter_meets_device,
        ),
        Case::alone(
            "stack-rewrites-page",
            "A tiny stack keeps no copy of what it sent: it makes its page anew for the retransmission, in which the clock has gone on.",
            rewrites_page,
        ),
        Case::alone(
            "tcp-port-reuse-unseen",
            "The client's NAT uses a port again at once, and the sensor misses the second handshake: numbers far from those of the connection that was
             closed.",
            reuse_unseen,
        ),
    ]
}

fn served(story: &mut Story) -> Connection<'_> {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    genuine(&mut tcp, 24.0, &front_page());
    tcp
}

fn forgotten_session() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.wait(after_ms(120_000.0));
    tcp.request(&get("news.example", "/sport"));
    tcp.wait(after_ms(0.7));
    let mut reset = tcp.segment(Side::Server, RST | ACK, b"");
    (reset.ttl, reset.ip_id, reset.df, reset.window) = (254, 0x7d01, false, 4128);
    tcp.put(&reset);
    Told::silent(story)
}

fn other_machine() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.request(&get("files.example", "/film.mkv"));
    tcp.reply(after_ms(24.0), &page(&prose(60)));
    tcp.ack();
    tcp.wait(after_ms(20.0));
    let mut reset = tcp.segment(Side::Server, RST, b"");
    (reset.ttl, reset.ip_id, reset.window, reset.ack) = (reset.ttl - 2, 0, 0, 0);
    tcp.put(&reset);
    for _ in 0..4 {
        tcp.wait(after_ms(6.0));
        let data = tcp.segment(Side::Server, PSH | ACK, &[0x3c; 1400]);
        tcp.put(&data);
    }
    Told::quiet(story)
}

fn idle_fin() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.wait(after_ms(65_000.0));
    let mut fin = tcp.segment(Side::Server, FIN | ACK, b"");
    (fin.ttl, fin.ip_id, fin.options) = (fin.ttl + 6, 0x0b0b, Vec::new());
    tcp.request(&get("news.example", "/sport"));
    tcp.wait(after_ms(2.0));
    tcp.put(&fin);
    tcp.ack();
    tcp.wait(after_ms(24.0));
    let mut reset = tcp.segment(Side::Server, RST, b"");
    (reset.ttl, reset.ip_id, reset.window) = (fin.ttl, 0, 0);
    tcp.put(&reset);
    Told::quiet(story).like(["tcp_fin"])
}

fn timeout_answer() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    tcp.wait(after_ms(30_000.0));
    let late = b"HTTP/1.0 408 Request Time-out\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n<html><body>408</body></html>\n";
    let segments = tcp.server_segments(late, 1400, FIN | PSH | ACK);
    tcp.request(&get("news.example", "/sport"));
    tcp.wait(after_ms(5.0));
    tcp.put_all(&segments);
    tcp.ack();
    tcp.wait(after_ms(20.0));
    let mut reset = tcp.segment(Side::Server, RST, b"");
    (reset.ip_id, reset.window) = (0, 0);
    tcp.put(&reset);
    Told::quiet(story)
}

fn refused_then_open() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client().without_timestamps(), windows(v4(203, 0, 113, 44)).away(9));
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    tcp.wait(after_ms(24.0));
    let mut reset = tcp.segment(Side::Server, RST | ACK, b"");
    (reset.seq, reset.window) = (0, 0);
    tcp.story.put(&reset, 1);
    tcp.wait(after_ms(500.0));
    let again = tcp.again(&syn);
    tcp.put(&again);
    tcp.wait(after_ms(24.0));
    tcp.client.heard = None;
    let syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    tcp.put(&syn_ack);
    tcp.ack();
    tcp.request(&get("news.example", "/"));
    genuine(&mut tcp, 24.0, &front_page());
    tcp.close();
    Told::silent(story)
}

fn bare_of_timestamps(segments: &mut [Segment]) {
    segments.iter_mut().for_each(|segment| segment.options.clear());
}

fn served_without_timestamps(tcp: &mut Connection<'_>, path: &str) {
    tcp.request(&get("news.example", path));
    tcp.wait(after_ms(25.0));
    let mut segments = tcp.server_segments(&page(&prose(60)), 1400, PSH | ACK);
    bare_of_timestamps(&mut segments);
    tcp.put_all(&segments);
    tcp.ack();
}

fn timestamps_dropped() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    served_without_timestamps(&mut tcp, "/");
    served_without_timestamps(&mut tcp, "/sport");
    Told::quiet(story)
}

fn timestamps_stop() -> Told {
    let mut story = Story::new();
    let mut tcp = served(&mut story);
    served_without_timestamps(&mut tcp, "/sport");
    served_without_timestamps(&mut tcp, "/weather");
    Told::quiet(story)
}

fn syn_proxy_old_server() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), appliance(v4(203, 0, 113, 9)).away(15));
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    tcp.wait(after_ms(24.0));
    let mut syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    (syn_ack.ttl, syn_ack.df, syn_ack.ip_id, syn_ack.window) = (113, true, syn.ip_id, 64_240);
    tcp.put(&syn_ack);
    tcp.ack();
    tcp.request(&get("news.example", "/"));
    tcp.wait(after_ms(26.0));
    let segments = tcp.server_segments(&front_page(), 1400, FIN | ACK);
    tcp.put_all(&segments);
    tcp.client_closes_too(24.0);
    Told::quiet(story)
}

fn mtu_black_hole() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), windows(v4(203, 0, 113, 44)).away(9));
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.server_ack(after_ms(24.0));
    let answer = page(&prose(60));
    tcp.server.skip_ip_ids(6);
    tcp.wait(after_ms(3100.0));
    let mut small = tcp.server_segments(&answer, 536, PSH | ACK);
    small.iter_mut().for_each(|segment| segment.df = false);
    tcp.put_all(&small);
    tcp.wait(after_ms(3100.0));
    repeat(&mut tcp, &small[2..]);
    tcp.ack();
    Told::quiet(story)
}

fn counter_meets_device() -> Told {
    let mut story = Story::new();
    let server = windows(v4(203, 0, 113, 44)).away(9).with_ip_id(IpId::Sequential(0x99b2));
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.reply(after_ms(25.0), &front_page());
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn reuse_unseen() -> Told {
    let mut story = Story::new();
    let mut first = story.connection(client(), site());
    first.handshake(24.0);
    first.request(&get("news.example", "/"));
    genuine(&mut first, 24.0, &front_page());
    first.close();
    let (mine, theirs) = (first.client.next, first.server.next);
    let port = first.client.end.port;
    let mut machine = linux(v4(198, 51, 100, 80)).away(11);
    machine.timestamps = Some(TsClock { offset: 77, per_second: 1000 });
    let mut tcp = story.connection(client(), machine);
    tcp.client.end.port = port;
    tcp.client.start_at(mine.wrapping_add(0x3000_0000));
    tcp.server.start_at(theirs.wrapping_add(0x3000_0000));
    tcp.wait(after_ms(4000.0));
    tcp.handshake_unseen(24.0);
    for path in ["/", "/sport", "/weather", "/ticker"] {
        tcp.request(&get("news.example", path));
        genuine(&mut tcp, 24.0, &front_page());
    }
    tcp.close();
    Told::quiet(story)
}

fn content_switch() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    for (path, hops, window, offset) in [("/", 11, 502, 379_703_485), ("/shop", 14, 9000, 7_000), ("/shop/2", 14, 9000, 7_000)] {
        tcp.server.host = Host { hops, window, timestamps: Some(TsClock { offset, per_second: 1000 }), ..site() };
        tcp.server.skip_ip_ids(0x3100);
        tcp.request(&get("news.example", path));
        tcp.reply(after_ms(26.0), &page(&prose(60)));
        tcp.ack();
        tcp.wait(after_ms(400.0));
    }
    tcp.close();
    Told::quiet(story)
}

fn rewrites_page() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), appliance(v4(203, 0, 113, 9)).away(2));
    tcp.handshake(4.0);
    tcp.request(&get("meter.example", "/"));
    let text = |clock: &str| {
        format!("HTTP/1.0 200 OK\r\nServer: uIP/1.0\r\nContent-Type: text/html\r\n\r\n<html>uptime {clock} s, load 17 %</html>\n")
    };
    let mut segments = tcp.server_segments(text("000104233").as_bytes(), 1400, PSH | ACK);
    tcp.wait(after_ms(5.0));
    tcp.put_all(&segments);
    tcp.wait(after_ms(3000.0));
    segments[0].payload = text("217004571").into_bytes();
    repeat(&mut tcp, &segments);
    tcp.ack();
    tcp.close();
    Told::quiet(story)
}
