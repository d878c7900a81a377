//! Loud: documented forgeries in rarer shapes, and forgers that try to blind the sensor first.

use super::http::{LURE, answer, bare_redirect, get, page, prose};
use super::race::{front_page, genuine, told_by};
use super::{Alert, Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{Host, client, linux, site, v6};
use crate::support::injector::{ForgedId, Injector, Ttl};
use crate::support::segment::{ACK, FIN, PSH, RST, SYN};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "race-after-false-syn",
            "Before the forged redirect a SYN is forged in the server's name, with a number of its own. The client answers it with a challenge ACK
             (RFC 5961) and goes on; a sensor that takes it for a new connection forgets what it compares with.",
            "The client itself begins a new connection on the same ports, and the site answers it.",
            after_false_syn,
        ),
        Case::twins(
            "race-after-far-packets",
            "Before the forged redirect three packets are forged far outside the client's window, which discards them; a sensor that follows them loses
             its place.",
            "Three stray packets of an earlier connection arrive before the site's page.",
            after_far_packets,
        ),
        Case::twins(
            "race-in-crumbs",
            "The forged redirect comes in segments of six bytes, so that no two versions of a range are longer.",
            "A server that sends its head in segments of six bytes, and all of it again in one.",
            in_crumbs,
        ),
        Case::twins(
            "race-split-request",
            "The request comes in two segments and the forger answers the first; the genuine page follows.",
            "The request comes in two segments, the second again because its ACK was lost; one answer.",
            split_request,
        ),
        Case::twins(
            "race-refused-by-client",
            "The forged answer closes the connection; the client's stack, which has forgotten it, refuses the genuine answer with RSTs.",
            "A client that has what it wants closes and refuses the rest of the page with RSTs.",
            refused_by_client,
        ),
        Case::twins(
            "race-chunk",
            "A chunk is forged in the middle of a chunked answer; the genuine chunk follows at the same place.",
            "A chunked answer whose second chunk is sent twice.",
            chunk,
        ),
        Case::twins(
            "race-ipv6-segments",
            "Over IPv6 a forged page comes in three segments with another hop limit and without timestamps; the site's redirect follows.",
            "Over IPv6 the site's page comes in three segments, twice.",
            ipv6,
        ),
        Case::twins(
            "race-lost-in-segments",
            "The forged page comes in three segments after the genuine one, and the client ignores it.",
            "The genuine page in three segments, and again with other borders.",
            lost_in_segments,
        ),
        Case::twins(
            "race-resolver-page",
            "After measurements of October 2023: a request to a public resolver's web page is answered by a forged 301 with PSH, ACK and IP-ID 0x99b3, the
             TTL being right; the genuine 301 follows.",
            "The resolver's own 301, sent twice.",
            resolver_page,
        ),
        Case::twins(
            "rst-with-payload",
            "After measurements in Henan: RST+ACK with ten bytes of payload, IP-ID 1 and another TTL; the site is not heard again.",
            "A balancer's RST+ACK with its reason as text, by the stack that served the connection.",
            with_payload,
        ),
        Case::twins(
            "rst-both-types",
            "One RST without ACK and three RST+ACK at growing sequence numbers, as two generations of one firewall send them; the page follows.",
            "The site's kernel refuses each segment of an upload to a program that has died with a RST of the same number.",
            both_types,
        ),
        Case::twins(
            "in-path-notice",
            "A provider's notice in place of the page: window 1, no DF, and the Server field of a known product.",
            "The same notice by the provider's own site.",
            notice,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn asked(story: &mut Story) -> Connection<'_> {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp
}

fn after_false_syn(loud: bool) -> Told {
    if !loud {
        let mut story = told_by(Story::new(), false).story;
        let mut tcp = story.connection(client(), site());
        tcp.client.end.port -= 7;
        tcp.handshake(24.0);
        tcp.request(&get("news.example", "/"));
        genuine(&mut tcp, 24.0, &front_page());
        tcp.close();
        return Told::quiet(story);
    }
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    tcp.wait(after_ms(6.0));
    let mut syn = Injector::quantum().bare(&tcp, SYN);
    (syn.seq, syn.ack) = (0x4444_0000, 0);
    tcp.story.put(&syn, 1);
    tcp.ack();
    let forged = tcp.forge(&Injector::quantum(), after_ms(1.0), &bare_redirect(LURE));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn after_far_packets(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    tcp.wait(after_ms(6.0));
    for step in 0..3 {
        let mut far = if loud { Injector::quantum().bare(&tcp, ACK) } else { tcp.segment(Side::Server, ACK, b"") };
        far.seq = far.seq.wrapping_add(0x5000_0000 + step * 100);
        far.payload = vec![b'x'; 100];
        tcp.story.put(&far, 1);
    }
    if !loud {
        genuine(&mut tcp, 18.0, &front_page());
        tcp.close();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(1.0), &bare_redirect(LURE));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn in_crumbs(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    if !loud {
        let text = page("a short page\n");
        tcp.wait(after_ms(24.0));
        let start = tcp.server.next;
        let crumbs = tcp.server_segments(&text, 6, PSH | ACK);
        tcp.put_all(&crumbs);
        tcp.wait(after_ms(200.0));
        tcp.server.next = start;
        let whole = tcp.server_segments(&text, 1400, PSH | ACK);
        tcp.put_all(&whole);
        tcp.ack();
        return Told::silent(story);
    }
    let injector = Injector { size: 6, ..Injector::quantum() };
    let forged = tcp.forge(&injector, after_ms(8.0), b"HTTP/1.1 302 Found\r\nLocation: http://x9q2.updates.test/land\r\n\r\n");
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn split_request(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    let request = get("news.example", "/");
    let (first, second) = request.split_at(40);
    tcp.request(first);
    let shot = tcp.forged(&Injector::quantum(), &bare_redirect(LURE));
    tcp.wait(after_ms(0.2));
    let rest = tcp.segment(Side::Client, PSH | ACK, second);
    tcp.put(&rest);
    if !loud {
        tcp.wait(after_ms(210.0));
        let again = tcp.again(&rest);
        tcp.put(&again);
        genuine(&mut tcp, 24.0, &front_page());
        tcp.close();
        return Told::silent(story);
    }
    tcp.wait(after_ms(6.0));
    let forged = tcp.put_all(&shot);
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn refused_by_client(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    if !loud {
        tcp.reply(after_ms(24.0), &page(&prose(60)));
        for _ in 0..3 {
            tcp.reset(Side::Client, after_ms(0.1), RST);
            let data = tcp.segment(Side::Server, ACK, &[b'<'; 1400]);
            tcp.put(&data);
        }
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector { flags: FIN | PSH | ACK, ..Injector::quantum() }, after_ms(8.0), &bare_redirect(LURE));
    tcp.wait(after_ms(0.2));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    tcp.reset(Side::Client, after_ms(1.0), RST | ACK);
    let answer = tcp.reply(after_ms(15.0), &front_page());
    tcp.reset(Side::Client, after_ms(0.1), RST);
    Told::loud(story, [Alert::on_path("http_redirect", &forged, answer[0]).by(["S1", "H"])])
}

fn chunk(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    let head = b"HTTP/1.1 200 OK\r\nDate: Mon, 05 Jan 2026 09:00:00 GMT\r\nServer: nginx\r\nTransfer-Encoding: chunked\r\nContent-Type: text/html\r\n\r\n24\r\n<p>first part of the page, as it is\n\r\n";
    tcp.server_ack(after_ms(24.0));
    tcp.reply(after_ms(1.0), head);
    tcp.ack();
    tcp.wait(after_ms(300.0));
    let text = b"25\r\n<p>second part of the page, as it is\n\r\n0\r\n\r\n";
    if !loud {
        let second = tcp.server_segments(text, 1400, PSH | ACK);
        tcp.put_all(&second);
        tcp.wait(after_ms(210.0));
        super::race::repeat(&mut tcp, &second);
        tcp.ack();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(1.0), b"25\r\n<script src=http://x9q2.test/></script>\r\n0\r\n\r\n");
    tcp.ack();
    let genuine = tcp.reply(after_ms(20.0), text);
    tcp.ack();
    Told::loud(story, [Alert::on_path("http_content", &forged, genuine[0]).up_to(2).by(["S1", "H"])])
}

fn ipv6(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(Host { ip: v6(0x17), ..client() }, linux(v6(0x80)).away(11));
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        tcp.wait(after_ms(24.0));
        let text = tcp.server_segments(&page(&prose(40)), 1200, PSH | ACK);
        tcp.put_all(&text);
        tcp.wait(after_ms(210.0));
        super::race::repeat(&mut tcp, &text);
        tcp.ack();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector { size: 900, ..Injector::quantum() }, after_ms(8.0), &page(&prose(30)));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &answer("301 Moved Permanently", "Location: https://news.example/\r\n", ""));
    tcp.close();
    Told::loud(story, [Alert::on_path("http_content", &forged, genuine).by(["S1", "H"])])
}

fn lost_in_segments(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    tcp.server_ack(after_ms(24.0));
    let place = tcp.client.heard;
    let text = page(&prose(40));
    let start = tcp.server.next;
    let segments = tcp.server_segments(&text, 1200, PSH | ACK);
    let genuine = tcp.put_all(&segments)[0];
    tcp.ack();
    if !loud {
        tcp.wait(after_ms(210.0));
        tcp.server.next = start;
        let others = tcp.server_segments(&text, 700, PSH | ACK);
        tcp.put_all(&others);
        tcp.ack();
        return Told::silent(story);
    }
    tcp.wait(after_ms(5.0));
    let now = tcp.client.heard;
    tcp.client.heard = place;
    let shot = tcp.forged(&Injector { size: 500, ..Injector::quantum() }, &page(&"<p>forged words, quite other ones</p>\n".repeat(30)));
    tcp.client.heard = now;
    let forged = tcp.put_all(&shot);
    tcp.ack();
    Told::loud(story, [Alert::on_path("http_content", &forged, genuine).by(["S1", "H"])])
}

fn resolver_page(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    let honest = answer("301 Moved Permanently", "Location: https://news.example/\r\n", "");
    if !loud {
        super::race::twice(&mut tcp, &honest);
        return Told::silent(story);
    }
    let injector = Injector { ttl: Ttl::Like(0), id: ForgedId::Constant(0x99b3), df: None, window: None, ..Injector::quantum() };
    let forged = tcp.forge(
        &injector,
        after_ms(8.0),
        b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://news.example/\r\nContent-Length: 0\r\n\r\n",
    );
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &honest);
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H", "S8"])])
}

fn with_payload(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    tcp.wait(after_ms(9.0));
    if !loud {
        let mut reset = tcp.segment(Side::Server, RST | ACK, b"[BIG: no pool member is up]");
        reset.window = 0;
        tcp.put(&reset);
        return Told::silent(story);
    }
    let injector = Injector { ttl: Ttl::Like(5), id: ForgedId::Constant(1), ..Injector::censor() };
    let mut reset = injector.bare(&tcp, RST | ACK);
    reset.payload = vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 0];
    let forged = tcp.put(&reset);
    Told::loud(story, [Alert::in_path("tcp_reset", &[forged]).up_to(2).by(["S8", "H"])])
}

fn both_types(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    tcp.wait(after_ms(9.0));
    if !loud {
        tcp.server_ack(after_ms(15.0));
        for _ in 0..4 {
            let upload = tcp.segment(Side::Client, ACK, &[b'a'; 1400]);
            tcp.put(&upload);
        }
        tcp.wait(after_ms(24.0));
        for _ in 0..4 {
            let mut reset = tcp.segment(Side::Server, RST, b"");
            (reset.window, reset.ip_id, reset.ack) = (0, 0, 0);
            tcp.put(&reset);
        }
        return Told::silent(story);
    }
    let mut first = Injector { ttl: Ttl::Like(-4), ..Injector::censor() }.bare(&tcp, RST);
    first.ack = 0;
    let mut forged = vec![tcp.put(&first)];
    for (step, ahead) in (0_u8..).zip([0, 1460, 4380]) {
        let mut reset = Injector { ttl: Ttl::Like(-7), id: ForgedId::Random(0x77), ..Injector::censor() }.bare(&tcp, RST | ACK);
        reset.seq = reset.seq.wrapping_add(ahead);
        (reset.ttl, reset.ip_id) = (reset.ttl + step, reset.ip_id.wrapping_add(u16::from(step)));
        forged.push(tcp.put(&reset));
    }
    let genuine = tcp.reply(after_ms(15.0), &front_page());
    tcp.reset(Side::Client, after_ms(0.1), RST);
    Told::loud(story, [Alert::on_path("tcp_reset", &forged, genuine[0]).up_to(2).by(["S9"])])
}

fn notice(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    let text = answer("200 OK", "", "<html><body>Your provider has a message for you.</body></html>").to_vec();
    let text = String::from_utf8(text).unwrap().replace("nginx/1.26.2", if loud { "PerfTech 5" } else { "apache" });
    if !loud {
        genuine(&mut tcp, 24.0, text.as_bytes());
        tcp.close();
        return Told::silent(story);
    }
    let injector = Injector { ttl: Ttl::Like(4), id: ForgedId::Random(5), window: Some(1), flags: FIN | PSH | ACK, ..Injector::quantum() };
    let forged = tcp.forge(&injector, after_ms(3.0), text.as_bytes());
    tcp.wait(after_ms(0.3));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    Told::loud(story, [Alert::in_path("http_content", &forged).by(["S8", "H"])])
}
