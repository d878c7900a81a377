//! Stories of clients that follow a redirect, or go elsewhere, told to the stage that remembers them.

use super::*;
use crate::alert::{Grade, How, samples};
use crate::engine::contact::{Asked, Kind};
use crate::engine::decode::packet::{Addr, Vlans};
use crate::engine::protocol::http::Wants;
use crate::engine::time::Span;

fn client() -> Addr {
    samples::redirect_alert().flow.client.0
}

fn server() -> Addr {
    Addr::v4([203, 0, 113, 66])
}

/// So many milliseconds after the forged packet.
fn at(ms: i64) -> Timestamp {
    samples::redirect_alert().forged.time + Span::from_millis(ms)
}

fn contact(ms: i64, kind: Kind) -> Contact {
    let frame = samples::redirect_alert().forged.frame + u64::try_from(ms).unwrap();
    let (client_port, over_tcp) = (40_100, true);
    Contact { client: client(), client_port, vlans: Vlans::default(), server: (server(), 80), over_tcp, frame, time: at(ms), kind }
}

fn asks(ms: i64, host: &str, target: &str) -> Contact {
    contact(ms, Kind::HttpRequest(Asked::new(host, target, "", Wants::Page)))
}

/// An alert whose redirect leads to `to`.
fn alert(verdict: Verdict, grade: Grade, (score, severity): (u8, u8), to: &str) -> Alert {
    let mut alert = samples::redirect_alert();
    alert.flow.vlans = Vlans::default();
    (alert.verdict, alert.grade, alert.score, alert.severity) = (verdict, grade, score, severity);
    if let Some(redirect) = &mut alert.redirect {
        redirect.to = to.to_owned();
    }
    alert
}

fn probable() -> Alert {
    alert(Verdict::InPathInjection, Grade::Medium, (45, 2), "http://lure.test/land")
}

/// What comes out when `alert`, closed after three seconds, meets these contacts.
fn told(alert: Alert, contacts: Vec<Contact>) -> Alert {
    let mut chains = Chains::new(&Limits::default());
    let (early, late): (Vec<_>, Vec<_>) = contacts.into_iter().partition(|contact| contact.time < at(3_000));
    early.into_iter().for_each(|contact| {
        let now = contact.time;
        chains.take(Box::new(contact), now);
    });
    assert!(chains.hold(alert, (1, Thresholds::default()), at(3_000)).is_empty(), "it waits");
    let mut out = Vec::new();
    for contact in late {
        let now = contact.time;
        out.extend(chains.tick(now));
        chains.take(Box::new(contact), now);
    }
    out.extend(chains.tick(at(60_000)));
    assert_eq!(out.len(), 1);
    out.remove(0)
}

fn steps(alert: &Alert) -> Vec<How> {
    let followed = alert.redirect.as_ref().and_then(|redirect| redirect.followed.as_ref());
    followed.into_iter().flat_map(|followed| &followed.steps).map(|step| step.how).collect()
}

#[test]
fn a_probable_injection_that_was_followed_is_as_urgent_as_a_sure_one() {
    let alert = told(probable(), vec![asks(40, "lure.test", "/land")]);
    assert_eq!(steps(&alert), [How::HttpRequest]);
    assert_eq!((alert.score, alert.grade, alert.severity), (55, Grade::Medium, 1));
    assert_eq!(alert.closed_at, at(5_000));
}

#[test]
fn one_that_was_not_followed_stays_what_it_is() {
    for contacts in [Vec::new(), vec![asks(40, "weather.example", "/")], vec![asks(5_001, "lure.test", "/land")]] {
        let alert = told(probable(), contacts);
        assert_eq!((steps(&alert), alert.score, alert.severity), (Vec::new(), 45, 2));
    }
}

#[test]
fn what_the_client_does_until_the_fifth_second_belongs_to_it() {
    assert_eq!(steps(&told(probable(), vec![asks(4_999, "lure.test", "/land")])), [How::HttpRequest]);
}

#[test]
fn shape_and_following_alone_are_never_more_than_medium_and_wake_nobody() {
    let shape = alert(Verdict::SuspiciousRedirect, Grade::Medium, (60, 3), "http://lure.test/land");
    let mut chains = Chains::new(&Limits::default());
    chains.take(Box::new(asks(40, "lure.test", "/land")), at(40));
    chains.hold(shape, (0, Thresholds::default()), at(3_000));
    let alert = chains.tick(at(60_000)).remove(0);
    assert_eq!((alert.score, alert.grade, alert.severity), (70, Grade::Medium, 3));
}

#[test]
fn a_redirect_by_the_site_itself_becomes_no_louder() {
    let by_site = alert(Verdict::EndpointRedirect, Grade::Low, (30, 3), "http://lure.test/land");
    let alert = told(by_site, vec![asks(40, "lure.test", "/land")]);
    assert_eq!((steps(&alert), alert.score, alert.grade, alert.severity), (vec![How::HttpRequest], 30, Grade::Low, 3));
}

#[test]
fn a_question_to_dns_alone_is_told_and_gives_no_points() {
    let alert = told(probable(), vec![contact(12, Kind::DnsQuestion("lure.test".into()))]);
    assert_eq!((steps(&alert), alert.score, alert.severity), (vec![How::DnsQuestion], 45, 2));
}

#[test]
fn back_at_the_same_host_only_the_very_page_counts() {
    let from = probable().redirect.unwrap().from.unwrap();
    let host = crate::engine::protocol::url::Address::parse(&from).unwrap().host().to_owned();
    let there = || alert(Verdict::InPathInjection, Grade::Medium, (45, 2), &format!("http://{host}/update"));
    assert_eq!(steps(&told(there(), vec![asks(40, &host, "/favicon.ico"), contact(41, Kind::DnsQuestion(host.as_str().into()))])), []);
    assert_eq!(steps(&told(there(), vec![asks(40, &host, "/update")])), [How::HttpRequest]);
}

#[test]
fn redirects_in_a_circle_come_to_an_end() {
    let moved = |ms, host: &str, to: &str| {
        let asked = Asked::new(host, "/land", "", Wants::Page);
        contact(ms, Kind::HttpRedirect { asked, target: to.into() })
    };
    let circle = (0..60).map(|round| match round % 2 {
        0 => moved(round * 10, "lure.test", "http://other.test/land"),
        _ => moved(round * 10, "other.test", "http://lure.test/land"),
    });
    assert_eq!(steps(&told(probable(), circle.collect())), [How::Redirected]);
    let chain = (0..9).map(|hop| moved(10 + hop, &format!("h{hop}.test"), &format!("http://h{}.test/land", hop + 1)));
    let start = moved(1, "lure.test", "http://h0.test/land");
    assert_eq!(steps(&told(probable(), [start].into_iter().chain(chain).collect())).len(), 4, "hops are bounded");
}

/// A request that a page led to, before the forged packet.
fn earlier(ms: i64, (host, target): (&str, &str), referer: &str) -> Contact {
    let frame = samples::redirect_alert().forged.frame - u64::try_from(ms).unwrap();
    let kind = Kind::HttpRequest(Asked::new(host, target, referer, Wants::Page));
    Contact { frame, time: at(-ms), ..contact(0, kind) }
}

fn leads(alert: Alert, contacts: Vec<Contact>) -> Vec<String> {
    let told = told(alert, contacts);
    told.redirect
        .unwrap()
        .led_by
        .into_iter()
        .map(|lead| format!("{}{}", lead.url, if lead.seen.is_some() { "" } else { " not seen" }))
        .collect()
}

/// The alert's request, led to by a page.
fn led_by(referer: &str) -> Alert {
    let mut alert = probable();
    alert.http.as_mut().unwrap().referer = Some(referer.to_owned());
    alert
}

#[test]
fn the_way_to_the_request_is_told_back_to_its_first_page() {
    let way = vec![
        earlier(3, ("a.example", "/"), "https://search.example.org/"),
        earlier(2, ("b.example", "/x"), "http://a.example/"),
        earlier(1, ("b.example", "/y"), "http://elsewhere.test/"),
    ];
    assert_eq!(
        leads(led_by("http://b.example/x"), way),
        ["https://search.example.org/ not seen", "http://a.example/", "http://b.example/x"]
    );
    assert_eq!(leads(led_by("http://b.example/x"), Vec::new()), ["http://b.example/x not seen"]);
    assert_eq!(leads(probable(), Vec::new()), Vec::<String>::new());
    assert_eq!(leads(led_by("about:blank"), Vec::new()), Vec::<String>::new());
}

#[test]
fn pages_that_lead_to_each_other_are_told_once_and_a_long_way_is_cut() {
    let circle: Vec<Contact> = (1..=3)
        .rev()
        .flat_map(|n| [earlier(n * 2 + 1, ("a.test", "/"), "http://b.test/"), earlier(n * 2, ("b.test", "/"), "http://a.test/")])
        .collect();
    assert_eq!(leads(led_by("http://b.test/"), circle), ["http://a.test/", "http://b.test/"]);
    let mut alert = led_by("http://h1.test/");
    alert.forged.frame = 100;
    let long = (1..=20)
        .rev()
        .map(|n| Contact { frame: 90 - n as u64, ..earlier(1, (&format!("h{n}.test"), "/"), &format!("http://h{}.test/", n + 1)) });
    assert_eq!(leads(alert, long.collect()).len(), 8);
}

#[test]
fn a_domain_is_new_only_after_half_an_hour_of_watching() {
    let told = |watched_before: i64, seen_before: bool| {
        let mut chains = Chains::new(&Limits::default());
        let before = |ms: i64| at(0) - Span::from_millis(ms);
        let mut earlier = asks(0, "weather.example", "/");
        earlier.time = before(watched_before);
        chains.take(Box::new(earlier), before(watched_before));
        if seen_before {
            chains.take(Box::new(asks(0, "www.lure.test", "/")), before(1_000));
        }
        chains.take(Box::new(asks(40, "lure.test", "/land")), at(40));
        chains.hold(probable(), (1, Thresholds::default()), at(3_000));
        chains.tick(at(60_000)).remove(0).score
    };
    assert_eq!(told(60 * 60_000, false), 60);
    assert_eq!(told(60 * 60_000, true), 55);
    assert_eq!(told(60_000, false), 55);
}

#[test]
fn at_the_end_of_the_capture_it_is_told_on_what_was_seen() {
    let mut chains = Chains::new(&Limits::default());
    chains.take(Box::new(asks(40, "lure.test", "/land")), at(40));
    chains.hold(probable(), (1, Thresholds::default()), at(3_000));
    let alert = chains.finish(at(3_500)).remove(0);
    assert_eq!((steps(&alert), alert.closed_at), (vec![How::HttpRequest], at(3_500)));
    assert!(chains.held.is_empty());
}

#[test]
fn what_is_remembered_is_bounded() {
    let limits = Limits { contacts_per_client: 4, contact_bytes: 20_000, held_alerts: 2, seen_domains: 8, ..Limits::default() };
    let mut chains = Chains::new(&limits);
    for number in 0..2_000 {
        let mut contact = asks(1, &format!("n{number}.test"), "/");
        contact.client = Addr(u128::from(number as u32 % 500));
        chains.take(Box::new(contact), at(1));
    }
    assert!(chains.contacts.bytes() <= 21_000, "{}", chains.contacts.bytes());
    assert!(chains.evicted().0 > 1_500);
    let mut early = 0;
    for id in 0..5 {
        early += chains.hold(Alert { id, ..probable() }, (1, Thresholds::default()), at(1)).len();
    }
    assert_eq!((early, chains.evicted().1), (3, 3));
}
