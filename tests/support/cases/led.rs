//! Which page led to which request: redirects by what a page shows, and by who answers in its place.

use super::http::{IMAGE, PAGE, bare_redirect, bodiless, get, moved, on_page, page, prose};
use super::race::{front_page, genuine};
use super::{Alert, Case, Told};
use crate::support::host::{Host, client, linux, site, v4};
use crate::support::injector::Injector;
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "led-by-ad",
            "A page shows an advertisement of another site. A forged redirect in place of its picture wins the race against the picture.",
            "The advertiser's own server redirects from the picture to another site, by an address made for this one visitor.",
            ad,
        ),
        Case::twins(
            "led-by-frames",
            "A page shows a frame of a second site, whose advertisement is at a third, which redirects to a fourth; the answer of the fourth is forged.
             The browser goes where that sends it, and the page there leads it on.",
            "The fourth redirects by itself, as chains of advertisers do; the browser goes there, and the page there leads it on.",
            frames,
        ),
        Case::twins(
            "led-by-site-only",
            "A page of one site links to another, and the browser tells the site only. The answer is a redirect by a device in the path.",
            "The site that was linked to redirects by itself to a counter on an uncommon port.",
            site_only,
        ),
    ]
    .into_iter()
    .flatten()
    .chain([Case::alone(
        "led-by-ad-quick",
        "A picture's own server redirects to another site; it acknowledges the request with that answer.",
        quick,
    )])
    .collect()
}

const NEWS: &str = "http://news.example/morning.html";
const LURE: &str = "http://x9q2.updates.test:8081/land?id=5c0f7be1d2a94386ab10";

fn host(last: u8) -> Host {
    linux(v4(203, 0, 113, last)).away(9)
}

/// One exchange, in which the server itself answers. The frame of the answer.
fn visit(story: &mut Story, server: Host, request: &[u8], answer: &[u8]) -> u64 {
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    tcp.request(request);
    let frame = genuine(&mut tcp, 24.0, answer);
    tcp.close();
    frame
}

/// One exchange in which a forged redirect to the lure wins the race. Forged frames, and the genuine one.
fn raced(story: &mut Story, server: Host, request: &[u8], honest: &[u8]) -> (Vec<u64>, u64) {
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    tcp.request(request);
    let forged = tcp.forge(&Injector::quantum(), after_ms(8.0), &bare_redirect(LURE));
    let genuine = genuine(&mut tcp, 15.0, honest);
    tcp.close();
    (forged, genuine)
}

/// The answer to `request`: forged, or the server's own redirect. What must be told of it.
fn answered(story: &mut Story, loud: bool, server: Host, request: &[u8]) -> Alert {
    if loud {
        let (forged, genuine) = raced(story, server, request, &front_page());
        Alert::on_path("http_redirect", &forged, genuine)
    } else {
        let frame = visit(story, server, request, &bare_redirect(LURE));
        Alert::called("endpoint_redirect", "http_redirect", &[frame])
    }
}

/// The picture's server takes the question in with its answer, so that one packet more is all there is to compare.
fn quick() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), host(21));
    tcp.handshake(24.0);
    tcp.request(&on_page(NEWS, ("img.adsone.test", "/banner.png"), IMAGE));
    let frame = tcp.reply(after_ms(24.0), &bare_redirect(LURE))[0];
    tcp.ack();
    tcp.close();
    story.wait(after_ms(6_000.0));
    Told::noted(story, [Alert::called("endpoint_redirect", "http_redirect", &[frame]).led_by(["page http://news.example/morning.html"])])
}

fn told(story: Story, loud: bool, alert: Alert) -> Told {
    if loud { Told::loud(story, [alert]) } else { Told::noted(story, [alert]) }
}

fn ad(loud: bool) -> Told {
    let mut story = Story::new();
    visit(&mut story, site(), &get("news.example", "/morning.html"), &front_page());
    let alert = answered(&mut story, loud, host(21), &on_page(NEWS, ("img.adsone.test", "/banner.png"), IMAGE));
    story.wait(after_ms(6_000.0));
    told(story, loud, alert.led_by(["page http://news.example/morning.html"]))
}

fn frames(loud: bool) -> Told {
    let mut story = Story::new();
    let frame = "http://frames.adstwo.test/slot?n=3";
    visit(&mut story, site(), &get("news.example", "/morning.html"), &front_page());
    visit(&mut story, host(22), &on_page(NEWS, ("frames.adstwo.test", "/slot?n=3"), PAGE), &page(&prose(1)));
    let next = "http://go.adsthree.test/r?t=41";
    visit(&mut story, host(23), &on_page(frame, ("click.adsone.test", "/c?id=77"), IMAGE), &moved("302 Found", next));
    let alert = answered(&mut story, loud, host(24), &on_page(frame, ("go.adsthree.test", "/r?t=41"), IMAGE));
    // The browser goes there, and a script of that page leads it to another one.
    let mut tcp = story.connection(client(), host(66));
    tcp.server.end.port = 8081;
    tcp.handshake(31.0);
    tcp.request(&on_page(frame, ("x9q2.updates.test:8081", "/land?id=5c0f7be1d2a94386ab10"), PAGE));
    genuine(&mut tcp, 31.0, &page(&prose(1)));
    visit(&mut story, host(67), &on_page(LURE, ("cdn.lure.test", "/stage2"), PAGE), &bodiless("204 No Content", ""));
    story.wait(after_ms(6_000.0));
    let alert = alert.led_by([
        "page http://news.example/morning.html",
        "page http://frames.adstwo.test/slot?n=3",
        "redirected http://click.adsone.test/c?id=77",
    ]);
    told(story, loud, alert.followed(["tcp_connection", "http_request", "led_on"]))
}

fn site_only(loud: bool) -> Told {
    let mut story = Story::new();
    visit(&mut story, site(), &on_page("https://search.example.org/", ("news.example", "/morning.html"), PAGE), &front_page());
    let request = on_page("http://news.example/", ("shop.example.net", "/"), PAGE);
    let leads = ["page https://search.example.org/", "page http://news.example/morning.html"];
    if !loud {
        let frame = visit(&mut story, host(25), &request, &bare_redirect("http://count.test:8081/v?u=7"));
        story.wait(after_ms(6_000.0));
        return Told::noted(story, [Alert::called("endpoint_redirect", "http_redirect", &[frame]).led_by(leads)]);
    }
    let mut tcp = story.connection(client(), host(25));
    tcp.handshake(24.0);
    tcp.request(&request);
    tcp.server_ack(after_ms(24.0));
    let forged = tcp.forge(&Injector::packetlogic(2), after_ms(1.0), &bare_redirect(LURE));
    tcp.ack();
    story.wait(after_ms(6_000.0));
    Told::loud(story, [Alert::in_path("http_redirect", &forged).led_by(leads)])
}
