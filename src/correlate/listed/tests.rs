//! Stories of clients that meet listed names, told to the stage that gathers them.

use super::*;
use crate::alert::samples;
use crate::engine::contact::Asked;
use crate::engine::protocol::http::Wants;
use crate::rules::indicators::read_text;

const LIST: &str = "evil.example\nother.example\n203.0.113.64/27\n";

fn visits(most: usize) -> Visits {
    let mut visits = Visits::new(&Limits { listed_visits: most, ..Limits::default() });
    let indicators = read_text("list.txt", LIST.as_bytes()).indicators;
    visits.know(Arc::new(Knowledge { indicators, ..Knowledge::default() }));
    visits
}

fn at(ms: i64) -> Timestamp {
    samples::redirect_alert().forged.time + Span::from_millis(ms)
}

fn contact(ms: i64, client: u8, kind: Kind) -> Contact {
    Contact {
        client: Addr::v4([192, 0, 2, client]),
        client_port: 40_100,
        vlans: Vlans::default(),
        server: (Addr::v4([198, 51, 100, 53]), 53),
        over_tcp: false,
        frame: ms.unsigned_abs() + 1,
        time: at(ms),
        kind,
    }
}

fn asks(ms: i64, client: u8, name: &str) -> Contact {
    contact(ms, client, Kind::DnsQuestion(name.into()))
}

fn answered(ms: i64, client: u8, name: &str, address: [u8; 4]) -> Contact {
    contact(ms, client, Kind::DnsAnswer { name: name.into(), alias: None, addresses: [Addr::v4(address)].into() })
}

fn greets(ms: i64, client: u8, name: &str) -> Contact {
    let mut hello = ClientHello::default();
    hello.server_name = Some(name.into());
    contact(ms, client, Kind::TlsHello(Box::new(hello)))
}

fn play(visits: &mut Visits, contacts: &[Contact]) -> Vec<Alert> {
    let bounds = Thresholds::default();
    contacts
        .iter()
        .flat_map(|contact| {
            let mut told = visits.tick(contact.time, bounds);
            told.extend(visits.take(contact, contact.time, bounds));
            told
        })
        .collect()
}

fn seen(alert: &Alert) -> Vec<(&str, &str)> {
    alert.indicators.iter().map(|facts| (facts.seen, facts.met.as_str())).collect()
}

#[test]
fn one_visit_is_one_record_that_tells_each_place_once() {
    let mut visits = visits(8);
    let page = Asked::new("a.evil.example:8080", "/", "", Wants::default());
    let story = [
        asks(0, 7, "a.evil.example"),
        asks(1, 7, "a.evil.example"),
        answered(9, 7, "a.evil.example", [203, 0, 113, 70]),
        greets(40, 7, "b.evil.example"),
        contact(60, 7, Kind::HttpRequest(page)),
    ];
    assert!(play(&mut visits, &story).is_empty());
    let told = visits.tick(at(20_000), Thresholds::default());
    let expected = [
        ("dns_question", "a.evil.example"),
        ("dns_answer", "a.evil.example"),
        ("dns_answer", "203.0.113.70"),
        ("sni", "b.evil.example"),
        ("host", "a.evil.example:8080"),
    ];
    assert_eq!(told.len(), 1);
    assert_eq!(seen(&told[0]), expected);
    assert_eq!((told[0].verdict, told[0].severity, told[0].score), (Verdict::ListedContact, 2, 35));
    assert_eq!((told[0].forged.frame, told[0].closed_at), (1, at(20_000)));
    assert!(visits.open.is_empty());
}

#[test]
fn other_names_and_other_clients_are_other_records() {
    let mut visits = visits(8);
    let story = [asks(0, 7, "evil.example"), asks(0, 7, "other.example"), asks(0, 8, "evil.example"), asks(0, 9, "good.example")];
    assert!(play(&mut visits, &story).is_empty());
    let told = visits.finish(at(1), Thresholds::default());
    assert_eq!(told.iter().map(|alert| alert.severity).collect::<Vec<_>>(), [3, 3, 3], "nobody went there");
}

#[test]
fn what_an_alert_tells_of_takes_the_visit_in_and_gets_no_points() {
    let mut alert = samples::redirect_alert();
    alert.flow.vlans = Vlans::default();
    let Addr(client) = alert.flow.client.0;
    let last = client as u8;
    alert.redirect.as_mut().unwrap().to = "http://a.evil.example/land".to_owned();
    let (score, severity) = (alert.score, alert.severity);
    let mut visits = visits(8);
    let of_client = |contact: Contact| Contact { client: Addr(client), ..contact };
    let other = if last != 9 { 9 } else { 10 };
    let story = [
        of_client(asks(20, last, "a.evil.example")),
        of_client(asks(20, last, "other.example")),
        asks(20, other, "a.evil.example"),
        of_client(greets(60, last, "a.evil.example")),
    ];
    assert!(play(&mut visits, &story).is_empty());
    visits.join(&mut alert);
    assert!(alert.indicators.iter().any(|facts| facts.seen == "sni" && facts.value == "evil.example"));
    assert!(alert.signals.iter().any(|signal| signal.code == CODE));
    assert_eq!((alert.score, alert.severity), (score, severity));
    assert_eq!(visits.finish(at(100), Thresholds::default()).len(), 2, "another name, and another client");
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut visits = visits(3);
    let flood: Vec<Contact> = (0..200).map(|client| asks(1, client, "evil.example")).collect();
    assert_eq!(play(&mut visits, &flood).len(), 197);
    assert_eq!((visits.open.len(), visits.told_early), (3, 197));
    let names: Vec<Contact> = (0..200).map(|number| answered(2, 250, &format!("n{number}.evil.example"), [203, 0, 113, 70])).collect();
    play(&mut visits, &names);
    assert!(visits.open.iter().all(|visit| visit.hits.len() <= MOST_HITS));
}

#[test]
fn without_lists_nothing_is_kept() {
    let mut visits = Visits::new(&Limits::default());
    assert!(visits.take(&asks(0, 7, "evil.example"), at(0), Thresholds::default()).is_none());
    assert!(visits.open.is_empty() && visits.unlisted.is_empty());
}
