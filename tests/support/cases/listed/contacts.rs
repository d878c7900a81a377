//! Listed names and addresses in what clients ask DNS for, are answered, and greet.

use super::super::chain::{by_quic, connect, greet, redirected};
use super::super::http::get;
use super::super::race::{front_page, genuine};
use super::super::{Alert, Case, Told};
use super::{LIST, contact_at};
use crate::support::connection::Side;
use crate::support::host::{Host, client, linux, site, v4};
use crate::support::names::{A, AAAA, Lookups, refusal, reply};
use crate::support::segment::{ACK, PSH};
use crate::support::story::{Story, after_ms};

const NAME: &str = "x9q2.updates.test";
const LOOK_ALIKE: &str = "x9q2.notupdates.test";

pub(in super::super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "listed-question",
            "A device asks DNS three times in an hour's time for a name below a listed domain, for both families, is told where it is, and does not go
             there. That is one record, and wakes nobody.",
            "The same questions for a look-alike.",
            question,
        ),
        Case::twins(
            "listed-answer",
            "DNS answers a harmless name with an alias below a listed domain, and another with an address of a listed network: two records.",
            "An alias that only ends in the same letters, and the first address behind that network.",
            answer,
        ),
        Case::twins(
            "listed-server-name",
            "A ClientHello in two segments names a server below a listed domain. Nothing of DNS was seen.",
            "A ClientHello to the same address names a look-alike.",
            server_name,
        ),
        Case::twins(
            "listed-quic",
            "The question to DNS, the answer and the ClientHello of QUIC name a listed domain: one record.",
            "The same with a look-alike.",
            quic,
        ),
        Case::twins(
            "listed-visit",
            "The name is asked of DNS, and a page of it is asked for in plain HTTP: one alert, about the page, tells both.",
            "The same visit to a look-alike.",
            visit,
        ),
        Case::twins(
            "listed-name-and-address",
            "A page is asked for in plain HTTP; a forged 302 leads to a name below a listed domain, on an odd port and at an address of a listed network, and
             the site's page comes too. The browser asks DNS for the name, opens a connection and begins TLS: one alert tells all of it.",
            "The site itself redirects to a look-alike, and the browser follows in the same way.",
            name_and_address,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn resolver() -> Host {
    linux(v4(192, 0, 2, 53))
}

/// A record of a contact that wakes nobody.
fn noted(frame: u64) -> Alert {
    Alert::called("listed_contact", "indicator", &[frame]).up_to(3).by(["S13"])
}

/// Where a name is said to be, outside of what is listed.
fn elsewhere() -> Host {
    linux(v4(198, 51, 100, 91)).away(11)
}

fn look_up(story: &mut Story, name: &str, at: &Host) -> u64 {
    let mut lookups = Lookups::new(story, client(), resolver());
    let asked = lookups.ask(name, A);
    lookups.answer(after_ms(9.0), &reply([at.ip]));
    asked
}

fn question(loud: bool) -> Told {
    let mut story = Story::new();
    let mut asked = Vec::new();
    for wait in [0.0, 700_000.0, 1_500_000.0] {
        story.wait(after_ms(wait));
        let name = if loud { "WWW.updates.TEST" } else { LOOK_ALIKE };
        asked.push(look_up(&mut story, name, &elsewhere()));
        let mut lookups = Lookups::new(&mut story, client(), resolver());
        lookups.ask(name, AAAA);
        lookups.answer(after_ms(9.0), &refusal(0));
    }
    if loud { Told::noted(story, [noted(asked[0])]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn answer(loud: bool) -> Told {
    let mut story = Story::new();
    let mut lookups = Lookups::new(&mut story, client(), resolver());
    lookups.ask("shop.example", A);
    let alias = if loud { "edge.updates.test" } else { "edge.notupdates.test" };
    let named = lookups.answer(after_ms(9.0), &crate::support::names::Reply { alias: Some(alias), ..reply([elsewhere().ip]) });
    lookups.ask("other.example", A);
    let found = lookups.answer(after_ms(9.0), &reply([v4(198, 51, 100, 7), v4(203, 0, 113, if loud { 95 } else { 96 })]));
    if loud { Told::noted(story, [noted(named), noted(found)]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn server_name(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), elsewhere());
    tcp.server.end.port = 443;
    tcp.handshake(31.0);
    let hello = crate::support::hello::tls(if loud { NAME } else { LOOK_ALIKE }, &["h2"]);
    let mut last = 0;
    for part in hello.chunks(1000) {
        let segment = tcp.segment(Side::Client, PSH | ACK, part);
        last = tcp.put(&segment);
    }
    tcp.reply(after_ms(31.0), &[&[22, 3, 3, 0, 90, 2, 0, 0, 86][..], &[3; 86]].concat());
    tcp.ack();
    tcp.close();
    if loud { Told::noted(story, [noted(last)]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn quic(loud: bool) -> Told {
    let mut story = Story::new();
    let name = if loud { NAME } else { LOOK_ALIKE };
    let asked = look_up(&mut story, name, &elsewhere());
    by_quic(&mut story, name, &elsewhere());
    if loud { Told::noted(story, [noted(asked)]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn visit(loud: bool) -> Told {
    let mut story = Story::new();
    let name = if loud { NAME } else { LOOK_ALIKE };
    look_up(&mut story, name, &elsewhere());
    let mut tcp = story.connection(client(), elsewhere());
    tcp.handshake(24.0);
    tcp.request(&get(name, "/"));
    let page = genuine(&mut tcp, 24.0, &front_page());
    tcp.close();
    if loud { Told::loud(story, [contact_at(page)]).listing(LIST) } else { Told::silent(story).listing(LIST) }
}

fn name_and_address(loud: bool) -> Told {
    let mut story = Story::new();
    look_up(&mut story, "news.example", &site());
    let name = if loud { NAME } else { LOOK_ALIKE };
    let (forged, real) = redirected(&mut story, loud, &format!("https://{name}:30297/land?id=5c0f7be1d2a94386"));
    story.wait(after_ms(12.0));
    let at = if loud { lure_in_network() } else { elsewhere() };
    look_up(&mut story, name, &at);
    greet(&mut connect(&mut story, at, 30_297), name);
    if !loud {
        return Told::quiet(story).listing(LIST);
    }
    let steps = ["dns_question", "tcp_connection", "tls_hello"];
    Told::loud(story, [Alert::on_path("http_redirect", &forged, real).followed(steps).by(["S1", "S12", "S13"])]).listing(LIST)
}

/// The lure's machine, at an address of the listed network.
fn lure_in_network() -> Host {
    linux(v4(203, 0, 113, 66)).away(14)
}
