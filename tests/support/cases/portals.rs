//! Portals and operators' notices, and what is none although it looks like one.

use super::http::{bare_redirect, box_redirect, get, moved};
use super::race::{front_page, genuine};
use super::{Alert, Case, Told};
use crate::support::host::{Host, client, linux, site, v4};
use crate::support::injector::Injector;
use crate::support::story::{Story, after_ms};

/// Where the network's own portal is.
const GATEWAY: &str = "http://192.168.88.1/login?dst=news";

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "notice-for-many",
            "A device in the path, known by its marks, sends three clients of three sites to one advertiser. That many are sent there makes it no notice.",
            "The gateway answers for three sites, by one stack from SYN-ACK to FIN, and sends three clients to one host of the operator: from the
             third on it is known for a notice.",
            for_many,
        ),
        Case::twins(
            "portal-private",
            "A forged redirect to an address inside the network wins the race; the site's page comes too.",
            "The gateway answers in the site's place with a redirect to its own address.",
            private,
        ),
        Case::twins(
            "portal-program",
            "A device in the path answers the request for a program with a redirect to an address inside the network.",
            "The same device answers the request for a page so: a portal.",
            program,
        ),
        Case::twins(
            "portal-probe",
            "A forged redirect wins the race against the answer to a system's question whether there is a portal.",
            "A device in the path answers that question with a redirect to its portal.",
            probe,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(super) fn quiet() -> Vec<Case> {
    vec![Case::alone("portal-511", "The network demands a log-in by status 511, and leads to its page.", login_required)]
}

/// One of several devices.
fn device(last: u8) -> Host {
    Host { ip: v4(192, 0, 2, last), ..client() }
}

/// One exchange in which the gateway, or whoever it is, answers for a site by one stack. The frame of the answer.
fn answered(story: &mut Story, client: Host, request: &[u8], answer: &[u8]) -> u64 {
    let mut tcp = story.connection(client, linux(v4(198, 51, 100, 80)));
    tcp.handshake(3.0);
    tcp.request(request);
    let frame = genuine(&mut tcp, 3.0, answer);
    tcp.close();
    story.wait(after_ms(4_000.0));
    frame
}

/// One exchange in which a device in the path answers, and the site is not heard again. The frame of the answer.
fn taken(story: &mut Story, client: Host, request: &[u8], answer: &[u8]) -> Vec<u64> {
    let mut tcp = story.connection(client, site());
    tcp.handshake(150.0);
    tcp.request(request);
    tcp.server_ack(after_ms(150.0));
    let forged = tcp.forge(&Injector::packetlogic(2), after_ms(1.0), answer);
    tcp.ack();
    story.wait(after_ms(4_000.0));
    forged
}

/// A race that the forged answer wins: its frame and the genuine one's.
fn raced(story: &mut Story, request: &[u8], answer: &[u8]) -> (Vec<u64>, u64) {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(request);
    let forged = tcp.forge(&Injector::quantum(), after_ms(8.0), answer);
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    (forged, genuine)
}

fn for_many(loud: bool) -> Told {
    let mut story = Story::new();
    let hosts = ["news.example", "shop.example.net", "weather.example.org"];
    if loud {
        let to = box_redirect("http://cash.ads.test/static.html?u=4c1d");
        let frames = [0, 1, 2].map(|n: u8| taken(&mut story, device(31 + n), &get(hosts[usize::from(n)], "/"), &to));
        return Told::loud(story, frames.map(|frames| Alert::in_path("http_redirect", &frames).by(["S8"])));
    }
    let to = bare_redirect("http://notices.operator.test:8000/quota");
    let frames = [0, 1, 2].map(|n: u8| answered(&mut story, device(31 + n), &get(hosts[usize::from(n)], "/"), &to));
    let [first, second, third] = frames.map(|frame| [frame]);
    let class = |verdict, frames: &[u64]| Alert::called(verdict, "http_redirect", frames).by(["S10", "S11"]);
    Told::noted(story, [class("endpoint_redirect", &first), class("endpoint_redirect", &second), class("operator_notice", &third)])
}

fn private(loud: bool) -> Told {
    let mut story = Story::new();
    if loud {
        let (forged, genuine) = raced(&mut story, &get("news.example", "/"), &bare_redirect(GATEWAY));
        return Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1"])]);
    }
    let frame = answered(&mut story, client(), &get("news.example", "/"), &bare_redirect(GATEWAY));
    Told::noted(story, [Alert::called("captive_portal", "http_redirect", &[frame])])
}

fn program(loud: bool) -> Told {
    let mut story = Story::new();
    let path = if loud { "/setup.msi" } else { "/" };
    let forged = taken(&mut story, client(), &get("files.example", path), &box_redirect(GATEWAY));
    if loud {
        return Told::loud(story, [Alert::in_path("http_redirect", &forged).by(["S8", "S11"])]);
    }
    Told::noted(story, [Alert::called("captive_portal", "http_redirect", &forged)])
}

fn probe(loud: bool) -> Told {
    let mut story = Story::new();
    let request = get("connectivitycheck.gstatic.com", "/generate_204");
    if loud {
        let (forged, genuine) = raced(&mut story, &request, &bare_redirect("http://portal.test/"));
        return Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1"])]);
    }
    let forged = taken(&mut story, client(), &request, &box_redirect("http://portal.hotel.test/start"));
    Told::noted(story, [Alert::called("captive_portal", "http_redirect", &forged)])
}

fn login_required() -> Told {
    let mut story = Story::new();
    let page = b"HTTP/1.1 511 Network Authentication Required\r\nContent-Type: text/html\r\nContent-Length: 71\r\n\r\n<meta http-equiv=\"refresh\" content=\"0; url=http://portal.test:8081/lgn/\">";
    answered(&mut story, client(), &get("news.example", "/"), page);
    answered(&mut story, client(), &get("news.example", "/"), &moved("302 Found", "http://portal.test:8081/lgn/"));
    Told::quiet(story)
}
