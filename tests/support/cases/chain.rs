//! What clients do after a redirect: they follow it, by every way there is, or go elsewhere.

use super::http::{bare_redirect, box_redirect, get, moved, page, prose};
use super::race::{front_page, genuine};
use super::{Alert, Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::hello::{quic, tls};
use crate::support::host::{Host, client, linux, site, v4};
use crate::support::injector::Injector;
use crate::support::names::{A, Lookups, Udp, reply};
use crate::support::segment::{ACK, End, FIN, PSH};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "chain-whole-story",
            "A page is asked for in plain HTTP; a forged 302 sends the browser to a name on an odd port, and the site's page comes too. The browser asks
             DNS for the name, opens a connection, and begins TLS in two segments.",
            "The site itself redirects to that place, and the browser follows in the same way.",
            whole_story,
        ),
        Case::twins(
            "chain-quic",
            "The forged 302 leads to a name whose browser knows that it speaks QUIC: a question to DNS, then a ClientHello in two Initial packets, the
             later part first.",
            "The site itself redirects, and the browser follows by QUIC.",
            by_quic,
        ),
        Case::twins(
            "chain-plain-hops",
            "The forged 302 leads to a place in plain HTTP, which redirects to another one on another port; the browser goes there too.",
            "The site redirects to a counter, which redirects on to the shop.",
            plain_hops,
        ),
        Case::twins(
            "chain-late",
            "A box on the path answers with a redirect to an address, and the genuine answer is held back. Only after four seconds, when the waiting for that
             answer is over, the browser opens a connection to the address and asks.",
            "The site redirects to that address by itself, and the browser goes there late.",
            late,
        ),
        Case::twins(
            "chain-not-followed",
            "The forged 302 comes second and is ignored. Within a second the browser visits another site, whose address it is told by DNS, and one that
             shares an address with the target.",
            "The site itself redirects; the browser does not go there, but to another site.",
            not_followed,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const NAME: &str = "x9q2.updates.test";

fn lure() -> Host {
    linux(v4(203, 0, 113, 66)).away(14)
}

pub(super) fn connect<'s>(story: &'s mut Story, server: Host, port: u16) -> Connection<'s> {
    let mut tcp = story.connection(client(), server);
    tcp.server.end.port = port;
    tcp.handshake(31.0);
    tcp
}

/// The browser learns from its resolver where a name is.
pub(super) fn look_up(story: &mut Story, name: &str, at: &Host) {
    let mut lookups = Lookups::new(story, client(), linux(v4(192, 0, 2, 53)));
    lookups.ask(name, A);
    lookups.answer(after_ms(9.0), &reply([at.ip]));
}

/// The request, and who answers it with a redirect to `to`: a forger beside the site, or the site. Gives the forged frames and the genuine one.
pub(super) fn redirected(story: &mut Story, loud: bool, to: &str) -> (Vec<u64>, u64) {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        return (Vec::new(), genuine(&mut tcp, 24.0, &moved("302 Found", to)));
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(8.0), &bare_redirect(to));
    let real = genuine(&mut tcp, 16.0, &front_page());
    (forged, real)
}

fn told(story: Story, loud: bool, (forged, real): (Vec<u64>, u64), steps: &[&str]) -> Told {
    if !loud {
        return Told::quiet(story);
    }
    let alert = Alert::on_path("http_redirect", &forged, real);
    Told::loud(story, [Alert { followed: Some(steps.iter().map(ToString::to_string).collect()), ..alert }.by(["S12"])])
}

/// TLS in two segments, and the server's first bytes.
pub(super) fn greet(tcp: &mut Connection<'_>, name: &str) {
    let hello = tls(name, &["h2", "http/1.1"]);
    for part in hello.chunks(1000) {
        tcp.wait(after_ms(0.3));
        let segment = tcp.segment(Side::Client, PSH | ACK, part);
        tcp.put(&segment);
    }
    tcp.reply(after_ms(31.0), &[&[22, 3, 3, 0, 90, 2, 0, 0, 86][..], &[3; 86]].concat());
    tcp.ack();
}

fn whole_story(loud: bool) -> Told {
    let mut story = Story::new();
    look_up(&mut story, "news.example", &site());
    let frames = redirected(&mut story, loud, &format!("https://{NAME}:30297/land?id=5c0f7be1d2a94386"));
    story.wait(after_ms(12.0));
    look_up(&mut story, NAME, &lure());
    greet(&mut connect(&mut story, lure(), 30_297), NAME);
    told(story, loud, frames, &["dns_question", "tcp_connection", "tls_hello"])
}

fn by_quic(loud: bool) -> Told {
    let mut story = Story::new();
    let frames = redirected(&mut story, loud, &format!("https://{NAME}/land"));
    look_up(&mut story, NAME, &lure());
    let end = |host: &Host, port| End { ip: host.ip, port, mac: host.mac };
    for (number, payload) in quic(NAME).into_iter().enumerate() {
        let (src, dst) = (end(&client(), 51_077), end(&lure(), 443));
        story.put_udp(&Udp { src, dst, ttl: 64, ip_id: 0x3a00 + number as u16, df: true, payload });
    }
    told(story, loud, frames, &["dns_question", "quic_hello"])
}

fn plain_hops(loud: bool) -> Told {
    let mut story = Story::new();
    let frames = redirected(&mut story, loud, "http://go.counter.test/c?u=77");
    let counter = linux(v4(203, 0, 113, 41)).away(12);
    look_up(&mut story, "go.counter.test", &counter);
    let mut tcp = connect(&mut story, counter, 80);
    tcp.request(&get("go.counter.test", "/c?u=77"));
    genuine(&mut tcp, 22.0, &moved("302 Found", &format!("http://{NAME}:8080/land")));
    look_up(&mut story, NAME, &lure());
    let mut tcp = connect(&mut story, lure(), 8080);
    tcp.request(&get(&format!("{NAME}:8080"), "/land"));
    genuine(&mut tcp, 31.0, &page(&prose(2)));
    let steps = ["dns_question", "tcp_connection", "http_request", "redirected", "dns_question", "tcp_connection", "http_request"];
    told(story, loud, frames, &steps)
}

fn late(loud: bool) -> Told {
    let mut story = Story::new();
    let to = "http://203.0.113.66:8081/update";
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    let forged = if loud {
        tcp.forge(&Injector::packetlogic(2), after_ms(0.4), &box_redirect(to))
    } else {
        genuine(&mut tcp, 24.0, &moved("302 Found", to));
        Vec::new()
    };
    tcp.ack();
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    // Something else goes on, so that time does.
    for _ in 0..4 {
        story.wait(after_ms(1_000.0));
        look_up(&mut story, "weather.example", &linux(v4(198, 51, 100, 7)));
    }
    let mut tcp = connect(&mut story, lure(), 8081);
    tcp.request(&get("203.0.113.66:8081", "/update"));
    genuine(&mut tcp, 31.0, &page(&prose(2)));
    story.wait(after_ms(3_000.0));
    look_up(&mut story, "weather.example", &linux(v4(198, 51, 100, 7)));
    if !loud {
        return Told::quiet(story);
    }
    Told::loud(story, [Alert::in_path("http_redirect", &forged).followed(["tcp_connection", "http_request"]).by(["S12", "S7"])])
}

fn not_followed(loud: bool) -> Told {
    let mut story = Story::new();
    let to = format!("https://{NAME}/land");
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    let (forged, real) = if loud {
        tcp.server_ack(after_ms(24.0));
        tcp.wait(after_ms(0.8));
        let page = tcp.server_segments(&front_page(), 1400, PSH | ACK);
        let forged = tcp.forged(&Injector::quantum(), &bare_redirect(&to));
        let real = tcp.put_all(&page);
        tcp.wait(after_ms(3.0));
        (tcp.put_all(&forged), real[0])
    } else {
        (Vec::new(), genuine(&mut tcp, 24.0, &moved("302 Found", &to)))
    };
    tcp.ack();
    let other = linux(v4(198, 51, 100, 7)).away(9);
    look_up(&mut story, "weather.example", &other);
    greet(&mut connect(&mut story, other, 443), "weather.example");
    // A shared front: the name was asked for ahead, and the connection is another name's.
    look_up(&mut story, "shop.example", &lure());
    greet(&mut connect(&mut story, lure(), 443), "shop.example");
    if !loud {
        return Told::quiet(story);
    }
    Told::loud(story, [Alert::on_path("http_redirect", &forged, real).followed([])])
}
