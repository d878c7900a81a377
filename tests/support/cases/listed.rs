//! Indicators that a list names: where the client was sent, and where it went.

use super::chain::{connect, greet, look_up, redirected};
use super::http::{LURE, bare_redirect, box_redirect, get, moved};
use super::race::{front_page, genuine};
use super::{Alert, Case, Told};
use crate::support::connection::Side;
use crate::support::host::{Host, client, linux, site, v4};
use crate::support::injector::Injector;
use crate::support::segment::{ACK, FIN};
use crate::support::story::{Story, after_ms};

/// The list of these stories: names, a page, a network.
const LIST: &str = "\
# Lure hosts of the stories, 2026-01-02
updates[.]test
hxxp://pages[.]example/land ; one page of a host that many use
203.0.113.64/27 // rented machines
";

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "listed-forged-redirect",
            "A forged redirect to a listed domain wins the race; the client goes there, and is answered. That visit belongs to the same alert.",
            "The site's page is not raced; the client goes to a domain that ends in the letters of the listed one, and is not below it.",
            forged_redirect,
        ),
        Case::twins(
            "listed-whole-story",
            "The whole story of an attack: a page is asked for in plain HTTP, a forged 302 leads to a listed domain on an odd port, and the site's page
             comes too; the browser asks DNS for the name, connects, and begins TLS. One alert tells all of it, in order.",
            "The site itself makes the same redirect, to a domain that is not listed, and the browser follows in the same way.",
            whole_story,
        ),
        Case::twins(
            "listed-whole-story-by-site",
            "The site itself, by its own stack, redirects to a listed domain on an odd port; the browser asks DNS for the name, connects, and begins TLS.
             One alert says that the target is listed, and that the site made the redirect.",
            "The site redirects to a domain that begins as the listed one and belongs to somebody else; the browser follows.",
            whole_story_by_site,
        ),
        Case::twins(
            "listed-in-path-redirect",
            "A box in the path answers in the site's place with a redirect to a listed domain.",
            "The site redirects to a domain that begins as the listed one and belongs to somebody else.",
            in_path,
        ),
        Case::twins(
            "listed-redirect-by-site",
            "The site itself, by its own stack, redirects to a listed domain. That it was the site is said, and that the target is listed.",
            "The same redirect to a domain that is not listed.",
            by_site,
        ),
        Case::twins(
            "listed-contact",
            "The client visits a name below a listed domain, with three requests in one connection and two connections.",
            "The same visits to a look-alike.",
            contact,
        ),
        Case::twins(
            "listed-site-leads-on",
            "A listed site answers with a redirect to another name below the same listed domain: a contact, and no more.",
            "The same within a look-alike.",
            leads_on,
        ),
        Case::twins(
            "listed-page",
            "The client asks for something behind a listed web address.",
            "Another page of that host, and one whose path only begins with the same letters.",
            page_of_host,
        ),
        Case::twins(
            "listed-address",
            "Bytes of TLS to and from an address of a listed network.",
            "The same with the first address behind that network.",
            address,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(super) fn quiet() -> Vec<Case> {
    vec![Case::alone(
        "listed-nothing-met",
        "A list is loaded, and a day's traffic goes by: a page, a redirect within the site, one to https.",
        nothing_met,
    )]
}

fn visit(story: &mut Story, server: Host, host: &str, paths: &[&str]) -> Vec<u64> {
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    let frames = paths
        .iter()
        .map(|path| {
            tcp.request(&get(host, path));
            genuine(&mut tcp, 24.0, &front_page())
        })
        .collect();
    tcp.close();
    frames
}

fn lure() -> Host {
    linux(v4(203, 0, 113, 9)).away(14)
}

fn contact_at(frame: u64) -> Alert {
    Alert::called("listed_contact", "indicator", &[frame]).up_to(2).by(["S13"])
}

fn forged_redirect(loud: bool) -> Told {
    let mut story = Story::new();
    if !loud {
        visit(&mut story, site(), "news.example", &["/"]);
        visit(&mut story, lure(), "x9q2.notupdates.test", &["/land"]);
        return Told::silent(story).listing(LIST);
    }
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    let forged = tcp.forge(&Injector::quantum(), after_ms(8.0), &bare_redirect(LURE));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    story.wait(after_ms(40.0));
    visit(&mut story, lure(), "x9q2.updates.test", &["/land"]);
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "S13"])]).listing(LIST)
}

/// Name by name: the page, the redirect to `name`, and all that the browser does for it. Gives the forged frames, and the genuine one.
fn followed(story: &mut Story, forged: bool, name: &str) -> (Vec<u64>, u64) {
    look_up(story, "news.example", &site());
    let frames = redirected(story, forged, &format!("https://{name}:30297/land?id=5c0f7be1d2a94386"));
    story.wait(after_ms(12.0));
    look_up(story, name, &lure());
    greet(&mut connect(story, lure(), 30_297), name);
    frames
}

const STEPS: [&str; 3] = ["dns_question", "tcp_connection", "tls_hello"];

fn whole_story(loud: bool) -> Told {
    let mut story = Story::new();
    let name = if loud { "x9q2.updates.test" } else { "x9q2.other.test" };
    let (forged, genuine) = followed(&mut story, loud, name);
    if !loud {
        return Told::quiet(story).listing(LIST);
    }
    let alert = Alert::on_path("http_redirect", &forged, genuine).followed(STEPS);
    Told::loud(story, [alert.by(["S1", "S12", "S13"])]).listing(LIST)
}

fn whole_story_by_site(loud: bool) -> Told {
    let mut story = Story::new();
    let name = if loud { "x9q2.updates.test" } else { "updates.test.example" };
    let (_, answer) = followed(&mut story, false, name);
    if !loud {
        return Told::quiet(story).listing(LIST);
    }
    let alert = Alert::called("endpoint_redirect", "http_redirect", &[answer]).followed(STEPS);
    Told::loud(story, [alert.by(["S11", "S12", "S13"])]).listing(LIST)
}

fn in_path(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(150.0);
    tcp.request(&get("files.example", "/"));
    if !loud {
        genuine(&mut tcp, 150.0, &moved("307 Temporary Redirect", "http://updates.test.example/a"));
        tcp.close();
        return Told::quiet(story).listing(LIST);
    }
    let forged = tcp.forge(&Injector::packetlogic(2), after_ms(145.0), &box_redirect("https://x9q2.updates.test:30495/a"));
    tcp.ack();
    tcp.wait(after_ms(900.0));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    story.wait(after_ms(4_000.0));
    Told::loud(story, [Alert::in_path("http_redirect", &forged).by(["H", "S13"])]).listing(LIST)
}

fn by_site(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    let to = if loud { "http://x9q2.updates.test/land" } else { "http://x9q2.other.test/land" };
    let answer = genuine(&mut tcp, 24.0, &moved("302 Found", to));
    tcp.close();
    if loud {
        let alert = Alert::called("endpoint_redirect", "http_redirect", &[answer]);
        return Told::loud(story, [alert.by(["S11", "S13"])]).listing(LIST);
    }
    Told::quiet(story).listing(LIST)
}

fn contact(loud: bool) -> Told {
    let mut story = Story::new();
    let host = if loud { "www.updates.test" } else { "www.my-updates.test" };
    let first = visit(&mut story, lure(), host, &["/", "/a", "/b"]);
    story.wait(after_ms(60.0));
    visit(&mut story, lure(), host, &["/c"]);
    if loud { Told::loud(story, [contact_at(first[0])]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn leads_on(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), lure());
    tcp.handshake(24.0);
    let site = if loud { "updates.test" } else { "our-updates.test" };
    tcp.request(&get(site, "/"));
    let answer = genuine(&mut tcp, 24.0, &moved("302 Found", &format!("http://x9q2.{site}/land")));
    tcp.close();
    if loud { Told::loud(story, [contact_at(answer)]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn page_of_host(loud: bool) -> Told {
    let mut story = Story::new();
    let paths: &[&str] = if loud { &["/land/1?id=7"] } else { &["/", "/landscape"] };
    let frames = visit(&mut story, site(), "pages.example", paths);
    if loud { Told::loud(story, [contact_at(frames[0])]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn address(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), linux(v4(203, 0, 113, if loud { 95 } else { 96 })).away(9));
    tcp.handshake(24.0);
    tcp.request(&[0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
    let answer = tcp.reply(after_ms(24.0), &[0x16, 3, 3, 0, 5, 2, 0, 0, 1, 0]);
    tcp.ack();
    tcp.close();
    if loud { Told::loud(story, [contact_at(answer[0])]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn nothing_met() -> Told {
    let mut story = Story::new();
    visit(&mut story, site(), "news.example", &["/", "/b"]);
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/old"));
    genuine(&mut tcp, 24.0, &moved("301 Moved Permanently", "/new"));
    tcp.request(&get("news.example", "/new"));
    genuine(&mut tcp, 24.0, &moved("301 Moved Permanently", "https://news.example/new"));
    tcp.close();
    Told::silent(story).listing(LIST)
}
