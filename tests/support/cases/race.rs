//! Man on the side: a forged answer races the genuine one, and both arrive.

use super::http::{LURE, answer, ask, bare_redirect, bodiless, get, moved, page, prose};
use super::{Alert, Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{Host, client, site};
use crate::support::injector::{ForgedId, Injector, Ttl};
use crate::support::segment::{ACK, Checksum, FIN, PSH, Segment};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "race-302-on-get",
            "Shot on the GET, after the quantum insert captures that fox-it published: eight milliseconds after the request a bare 302 comes
             with the defaults of a packet library (IP-ID 1, window 8192, no options, no DF, TTL 64 beside the site's 53). The page of the
             site follows at the same sequence number.",
            "The site itself redirects elsewhere, and sends its segment again 30 ms later: same bytes, next IP-ID, present clock.",
            on_get,
        ),
        Case::twins(
            "race-stateless-box",
            "A box without state copies what it answers: the forged 302 has the IP-ID of the client's request, and no options.",
            "A server whose counter happens to meet the IP-ID of the client's request in its redirect.",
            stateless_box,
        ),
        Case::twins(
            "race-302-on-syn-ack",
            "Shot on the SYN-ACK: the forged 302 is sent before the request can be known, so it acknowledges only the client's SYN. It arrives
             after the request. The page of the site follows.",
            "A large request in two segments; the site answers 413 when it has seen the first only, so its answer acknowledges less than the
             client has sent. It is the only answer.",
            on_syn_ack,
        ),
        Case::twins(
            "race-200-content",
            "A forged 200 with a short document answers in place of the site's own 200; same headers' shape, other bytes.",
            "The site's 200 is sent again with other segment borders, the bytes being the same.",
            content,
        ),
        Case::twins(
            "race-data-with-fin",
            "The forged answer carries FIN, so the client closes; the genuine answer then arrives after the end of the stream has been
             announced.",
            "An old-fashioned site sends answer and FIN in one segment, and sends that segment again because the ACK was slow.",
            data_with_fin,
        ),
        Case::twins(
            "race-fin-then-late-genuine",
            "After the bro.org capture that Suricata misses: some 5 KB are forged in four segments, then a bare FIN. The genuine 301 comes
             80 ms after it, when a tracker that trusts the FIN has forgotten the flow.",
            "The site closes with FIN after 5 KB; 80 ms later it sends its last segment and the FIN again.",
            late_genuine,
        ),
        Case::twins(
            "race-lost-by-forger",
            "The forger is too late: the genuine page comes first, the forged 302 is ignored by the client. It was sent all the same.",
            "A copy of the genuine segment that took a longer way arrives late.",
            lost,
        ),
        Case::twins(
            "race-careful-injector",
            "The injector copies TTL, DF, window, options and clock of the server; only its IP-ID is out of the row, and the bytes.",
            "The server talks to many: between its packets the IP-ID runs ahead by some thousands. It sends one segment twice.",
            careful,
        ),
        Case::twins(
            "race-perfect-injector",
            "Nothing betrays the forged packet but that the site sent other bytes for the same place, with the very same IP-ID.",
            "The network delivers one packet twice, IP-ID and all.",
            perfect,
        ),
        Case::twins(
            "race-head",
            "HEAD is answered by a forged 302, then by the site's own head, both without a body.",
            "HEAD is answered by the site's head, which announces a length and has no body; the next GET follows at once.",
            head,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The page of the stories, some 400 bytes.
pub(super) fn front_page() -> Vec<u8> {
    page(&prose(4))
}

/// The site acknowledges the request, and answers.
pub(super) fn genuine(tcp: &mut Connection<'_>, ms: f64, bytes: &[u8]) -> u64 {
    tcp.server_ack(after_ms(ms));
    let frames = tcp.reply(after_ms(0.8), bytes);
    tcp.ack();
    frames[0]
}

/// The site answers, and its stack sends the same once more 30 ms later.
pub(super) fn twice(tcp: &mut Connection<'_>, bytes: &[u8]) {
    tcp.server_ack(after_ms(24.0));
    tcp.wait(after_ms(0.8));
    let segments = tcp.server_segments(bytes, 1400, PSH | ACK);
    tcp.put_all(&segments);
    tcp.wait(after_ms(30.0));
    repeat(tcp, &segments);
    tcp.ack();
}

/// The stack that sent `segments` sends them again.
pub(super) fn repeat(tcp: &mut Connection<'_>, segments: &[Segment]) {
    for segment in segments {
        let again = tcp.again(segment);
        tcp.put(&again);
    }
}

/// The race of `race-302-on-get`, in whatever way `story` captures it.
pub(super) fn told_by(story: Story, loud: bool) -> Told {
    told_of(story, client(), site(), Checksum::Good, loud)
}

/// The same between other hosts, the client's checksums being `checksum`.
pub(super) fn told_of(mut story: Story, client: Host, site: Host, checksum: Checksum, loud: bool) -> Told {
    let mut tcp = story.connection(client, site);
    tcp.client.checksum = checksum;
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        twice(&mut tcp, &moved("302 Found", LURE));
        tcp.close();
        return Told::quiet(story);
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(8.0), &bare_redirect(LURE));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn on_get(loud: bool) -> Told {
    told_by(Story::new(), loud)
}

fn stateless_box(loud: bool) -> Told {
    let mut story = Story::new();
    let mut server = site();
    if !loud {
        server.ip_id = client().ip_id;
    }
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        tcp.server.skip_ip_ids(2);
        tcp.reply(after_ms(24.0), &moved("302 Found", LURE));
        tcp.ack();
        tcp.close();
        return Told::quiet(story);
    }
    let injector = Injector { ttl: Ttl::Like(5), id: ForgedId::CopyOfClient, window: Some(2048), ..Injector::quantum() };
    let forged = tcp.forge(&injector, after_ms(8.0), &bare_redirect(LURE));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn on_syn_ack(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    if !loud {
        let upload = ask("POST", "news.example", "/letters");
        tcp.wait(after_ms(0.3));
        let first = tcp.segment(Side::Client, ACK, &upload);
        let second = tcp.segment(Side::Client, PSH | ACK, &[b'a'; 600]);
        tcp.put(&first);
        tcp.wait(after_ms(20.0));
        tcp.put(&second);
        tcp.server.heard = Some(second.seq);
        tcp.reply(after_ms(4.0), &answer("413 Content Too Large", "Connection: close\r\n", "too long\n"));
        tcp.server.heard = Some(second.end());
        tcp.ack();
        tcp.server_ack(after_ms(20.0));
        tcp.close();
        return Told::quiet(story);
    }
    tcp.request(&get("news.example", "/"));
    tcp.wait(after_ms(6.0));
    let mut shot = tcp.forged(&Injector::quantum(), &bare_redirect(LURE));
    shot[0].ack = tcp.client.isn.wrapping_add(1);
    let forged = tcp.put_all(&shot);
    tcp.ack();
    let genuine = genuine(&mut tcp, 17.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H", "S6+"])])
}

fn content(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("api.example", "/ip"));
    if !loud {
        let answer = page(&prose(30));
        tcp.server_ack(after_ms(24.0));
        let first = tcp.reply(after_ms(0.5), &answer);
        assert_eq!(first.len(), 2, "the story wants two segments");
        tcp.wait(after_ms(200.0));
        let end = tcp.server.next;
        tcp.server.next = end.wrapping_sub(answer.len() as u32);
        let small = tcp.server_segments(&answer, 536, PSH | ACK);
        tcp.put_all(&small);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(7.0), &page("{\"ip\":\"203.0.113.99\",\"note\":\"forged\"}\n"));
    tcp.ack();
    let genuine = genuine(&mut tcp, 16.0, &page("{\"ip\":\"192.0.2.23\"}\n"));
    tcp.close();
    Told::loud(story, [Alert::on_path("http_content", &forged, genuine).by(["S1", "H"])])
}

fn data_with_fin(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        tcp.server_ack(after_ms(24.0));
        let answer = b"HTTP/1.0 200 OK\r\nDate: Mon, 05 Jan 2026 09:00:00 GMT\r\nServer: old\r\nContent-Type: text/plain\r\n\r\nhello\n";
        let segments = tcp.server_segments(answer, 1400, FIN | PSH | ACK);
        tcp.put_all(&segments);
        tcp.wait(after_ms(210.0));
        repeat(&mut tcp, &segments);
        tcp.client_closes_too(24.0);
        return Told::silent(story);
    }
    let injector = Injector { flags: FIN | PSH | ACK, ..Injector::quantum() };
    let forged = tcp.forge(&injector, after_ms(8.0), &bare_redirect(LURE));
    tcp.wait(after_ms(0.3));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn late_genuine(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        tcp.server_ack(after_ms(24.0));
        let mut segments = tcp.server_segments(&page(&prose(80)), 1400, PSH | ACK);
        segments.push(tcp.segment(Side::Server, FIN | ACK, b""));
        tcp.put_all(&segments);
        tcp.wait(after_ms(80.0));
        let tail = segments.len() - 2;
        repeat(&mut tcp, &segments[tail..]);
        tcp.client_closes_too(24.0);
        return Told::silent(story);
    }
    let mut forged = tcp.forge(&Injector::quantum(), after_ms(9.0), &page(&prose(80)));
    forged.push(tcp.forge_bare(&Injector::quantum(), after_ms(0.1), FIN | ACK));
    tcp.wait(after_ms(0.3));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    tcp.wait(after_ms(80.0));
    let moved = tcp.reply(after_ms(0.1), &moved("301 Moved Permanently", "https://news.example/"));
    Told::loud(story, [Alert::on_path("http_content", &forged, moved[0]).by(["S1", "H"])])
}

fn lost(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.server_ack(after_ms(24.0));
    tcp.wait(after_ms(0.8));
    let place = tcp.client.heard;
    let answer = tcp.server_segments(&front_page(), 1400, PSH | ACK);
    let genuine = tcp.put_all(&answer)[0];
    tcp.ack();
    tcp.wait(after_ms(6.0));
    if !loud {
        tcp.put_all(&answer);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let now = tcp.client.heard;
    tcp.client.heard = place;
    let shot = tcp.forged(&Injector::quantum(), &bare_redirect(LURE));
    tcp.client.heard = now;
    let forged = tcp.put_all(&shot);
    tcp.ack();
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn careful(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        tcp.server_ack(after_ms(24.0));
        tcp.server.skip_ip_ids(3100);
        let segments = tcp.server_segments(&front_page(), 1400, PSH | ACK);
        tcp.put_all(&segments);
        tcp.wait(after_ms(60.0));
        tcp.server.skip_ip_ids(2700);
        repeat(&mut tcp, &segments);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::careful(), after_ms(8.0), &bare_redirect(LURE));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1"])])
}

fn perfect(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.server_ack(after_ms(24.0));
    if !loud {
        let segments = tcp.server_segments(&front_page(), 1400, PSH | ACK);
        tcp.put_all(&segments);
        tcp.wait(after_ms(1.0));
        tcp.put_all(&segments);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::perfect(), after_ms(0.3), &bare_redirect(LURE));
    tcp.ack();
    let genuine = tcp.reply(after_ms(1.5), &front_page())[0];
    tcp.ack();
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).or_verdict("inconclusive").by(["S1"])])
}

fn head(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&ask("HEAD", "news.example", "/archive.tar"));
    let head = bodiless("200 OK", "Content-Type: application/x-tar\r\nContent-Length: 734003200\r\n");
    if !loud {
        genuine(&mut tcp, 24.0, &head);
        tcp.request(&get("news.example", "/"));
        genuine(&mut tcp, 24.0, &front_page());
        tcp.close();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(8.0), &bare_redirect(LURE));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &head);
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}
