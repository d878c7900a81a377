//! Quiet: redirects and other HTTP that honest parties make.

use super::http::{answer, ask, bodiless, get, moved, page, prose};
use super::race::{front_page, genuine};
use super::{Case, Told};
use crate::support::connection::Connection;
use crate::support::host::{Host, IpId, appliance, client, linux, site, v4};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::alone("web-to-https", "http to https on the same host, as nearly every site does.", to_https),
        Case::alone("web-siblings", "Redirects to www., to m., to a country's host and to the same name under another suffix.", siblings),
        Case::alone("web-relative", "A redirect with a relative Location.", relative),
        Case::alone(
            "web-bare-device",
            "A small device answers with a status line, a length and a line: no Date, no Server, lines ended by LF only.",
            bare_device,
        ),
        Case::alone("web-bare-redirect", "A small device redirects to its own start page with nothing but a Location.", bare_redirect),
        Case::alone(
            "web-captive-portal",
            "A gateway in front of a hotel's network answers for three sites with a redirect to its one portal; each flow has the stack of the
             gateway from SYN-ACK to FIN.",
            captive_portal,
        ),
        Case::alone(
            "web-ad-chain",
            "A click on an advertisement goes over two trackers with long tokens, each redirecting across sites by its own stack.",
            ad_chain,
        ),
        Case::alone("web-short-link", "A short-link service sends a client to another site.", short_link),
        Case::alone("web-interim-answers", "103 before 200, and 100 before the answer to an upload.", interim_answers),
        Case::alone("web-no-body", "204, 304 and HEAD answers, several in one connection.", no_body),
        Case::alone("web-connect", "CONNECT through a proxy, then bytes of TLS.", connect),
        Case::alone("web-upgrade", "101 to a protocol of frames, whose bytes then come from both ends.", upgrade),
        Case::alone("web-pipelined", "Three requests in one segment, three answers in one segment.", pipelined),
        Case::alone("web-chunked", "A chunked answer whose chunks come one by one.", chunked),
        Case::alone("web-old-server-download", "A program is redirected to another host of the same site, as downloads are.", download),
        Case::alone("web-not-http", "Greeting and commands of a mail server on port 80's neighbour: the server speaks first.", mail),
    ]
}

fn told(answers: &[(&[u8], &[u8])]) -> Story {
    let mut story = Story::new();
    visit(&mut story, site(), answers);
    story
}

fn visit(story: &mut Story, server: Host, answers: &[(&[u8], &[u8])]) {
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    for (request, answer) in answers {
        tcp.request(request);
        genuine(&mut tcp, 24.0, answer);
    }
    tcp.close();
}

fn to_https() -> Told {
    Told::silent(told(&[(&get("news.example", "/"), &moved("301 Moved Permanently", "https://news.example/"))]))
}

fn siblings() -> Told {
    let steps = [
        ("example.com", "http://www.example.com/"),
        ("www.example.com", "http://m.example.com/"),
        ("example.com", "http://de.example.com/"),
        ("www.example.com", "http://www.example.net/"),
    ];
    let mut story = Story::new();
    for (host, to) in steps {
        visit(&mut story, site(), &[(&get(host, "/"), &moved("302 Found", to))]);
        story.wait(after_ms(700.0));
    }
    Told::quiet(story)
}

fn relative() -> Told {
    Told::silent(told(&[(&get("news.example", "/"), &moved("302 Found", "/start"))]))
}

fn device() -> Host {
    appliance(v4(192, 0, 2, 1)).away(0)
}

fn bare_device() -> Told {
    let mut story = Story::new();
    visit(&mut story, device(), &[(&get("192.0.2.1", "/status"), b"HTTP/1.1 200 OK\nContent-Length: 12\n\ntemp=21.5 C\n")]);
    Told::quiet(story)
}

fn bare_redirect() -> Told {
    let mut story = Story::new();
    visit(
        &mut story,
        device(),
        &[(&get("192.0.2.1", "/"), b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/login\r\nContent-Length: 0\r\n\r\n")],
    );
    Told::quiet(story)
}

fn captive_portal() -> Told {
    let mut story = Story::new();
    for (last, host) in [(11, "news.example"), (12, "weather.example"), (13, "shop.example")] {
        let gateway = linux(v4(203, 0, 113, last));
        let portal = b"HTTP/1.1 302 Found\r\nLocation: http://portal.hotel.test/login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        visit(&mut story, gateway, &[(&get(host, "/"), portal)]);
        story.wait(after_ms(300.0));
    }
    Told::quiet(story)
}

fn ad_chain() -> Told {
    let steps = [
        (21, "click.adsone.test", "http://go.adstwo.test/r?t=6f1ed002ab5595859014ebf0951522d9"),
        (22, "go.adstwo.test", "http://shop.example/offer?click=9a0364b9e99bb480dd25e1f0284c8555"),
    ];
    let mut story = Story::new();
    for (last, host, to) in steps {
        let tracker = linux(v4(203, 0, 113, last)).away(9).with_ip_id(IpId::Random(u64::from(last)));
        let bare = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
        visit(&mut story, tracker, &[(&get(host, "/c?id=77"), bare.as_bytes())]);
        story.wait(after_ms(60.0));
    }
    visit(&mut story, site(), &[(&get("shop.example", "/offer"), &front_page())]);
    Told::quiet(story)
}

fn short_link() -> Told {
    Told::quiet(told(&[(&get("sho.test", "/Xy7"), &moved("301 Moved Permanently", "http://news.example/long/story"))]))
}

fn interim_answers() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.reply(after_ms(24.0), b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n");
    tcp.ack();
    tcp.reply(after_ms(90.0), &front_page());
    tcp.ack();
    tcp.request(b"POST /letters HTTP/1.1\r\nHost: news.example\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    tcp.reply(after_ms(24.0), b"HTTP/1.1 100 Continue\r\n\r\n");
    tcp.request(b"dear editor");
    tcp.reply(after_ms(24.0), &answer("201 Created", "", "thank you\n"));
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn no_body() -> Told {
    let not_modified = bodiless("304 Not Modified", "ETag: \"17\"\r\nContent-Length: 4096\r\n");
    Told::silent(told(&[
        (&get("news.example", "/ping"), &bodiless("204 No Content", "")),
        (&get("news.example", "/style.css"), &not_modified),
        (&ask("HEAD", "news.example", "/"), &bodiless("200 OK", "Content-Length: 500\r\n")),
        (&get("news.example", "/"), &front_page()),
    ]))
}

fn then_bytes(request: &[u8], answer: &[u8]) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(request);
    tcp.reply(after_ms(24.0), answer);
    for n in 1..4_u8 {
        tcp.request(&[0x17, 3, 3, 0, n, n, n, n]);
        tcp.reply(after_ms(24.0), &[0x17, 3, 3, 0, n, 9, 9, 9]);
        tcp.ack();
    }
    tcp.close();
    Told::silent(story)
}

fn connect() -> Told {
    then_bytes(b"CONNECT news.example:443 HTTP/1.1\r\nHost: news.example:443\r\n\r\n", b"HTTP/1.1 200 Connection established\r\n\r\n")
}

fn upgrade() -> Told {
    let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let request = format!("GET /live HTTP/1.1\r\nHost: news.example\r\n{fields}Sec-WebSocket-Version: 13\r\n\r\n");
    then_bytes(request.as_bytes(), &bodiless("101 Switching Protocols", fields))
}

fn pipelined() -> Told {
    let requests = ["/a", "/b", "/c"].map(|path| get("news.example", path)).concat();
    let answers = [page("a\n"), page("b\n"), page("c\n")].concat();
    Told::silent(told(&[(&requests, &answers)]))
}

fn chunked() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/ticker"));
    let head = bodiless("200 OK", "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n");
    tcp.reply(after_ms(24.0), &head);
    chunk(&mut tcp, &prose(1));
    chunk(&mut tcp, &prose(2));
    chunk(&mut tcp, "");
    tcp.close();
    Told::silent(story)
}

fn chunk(tcp: &mut Connection<'_>, text: &str) {
    tcp.reply(after_ms(150.0), format!("{:x}\r\n{text}\r\n", text.len()).as_bytes());
    tcp.ack();
}

fn download() -> Told {
    Told::quiet(told(&[(&get("example.org", "/setup.exe"), &moved("302 Found", "http://dl3.example.org/mirror/setup.exe"))]))
}

fn mail() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.server.end.port = 25;
    tcp.handshake(24.0);
    tcp.reply(after_ms(30.0), b"220 mail.example ESMTP\r\n");
    tcp.ack();
    for (command, reply) in [("EHLO laptop.test", "250 mail.example"), ("NOOP", "250 2.0.0 Ok"), ("QUIT", "221 2.0.0 Bye")] {
        tcp.request(format!("{command}\r\n").as_bytes());
        tcp.reply(after_ms(24.0), format!("{reply}\r\n").as_bytes());
        tcp.ack();
    }
    tcp.client_close(24.0);
    Told::silent(story)
}
