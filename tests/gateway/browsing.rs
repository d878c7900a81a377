//! Ordinary browsing on a bad line: pages, redirects, downloads, visits broken off, names, TLS. Nothing is forged, and nobody is woken.

use super::beside::{Aim, Beside};
use super::daemon::{Home, LEAST_RESERVE};
use super::programs::{Program, missing, until, with_resolver};
use super::receiver::{Mood, Receiver};
use super::site::{ORDINARY, PROGRAMS, Site};
use super::span::Faults;
use super::street::{INSIDE, Street};
use super::visitors::{CHROMIUM, chromium};
use crate::lab::attack::{Attack, Quality};
use crate::lab::namespaces;
use crate::lab::say;
use crate::support::host::scramble;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread::{self, sleep};
use std::time::Duration;

/// curls at work at once, and the addresses that each asks for.
const VISITORS: u64 = 12;
const ADDRESSES: u64 = 300;

/// Visits that are broken off.
const BROKEN_OFF: u64 = 240;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line as bad as a weak radio link.
const BAD_LINE: Faults = Faults { lost: 8, twice: 4, late: 12 };

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Browsed {
    pub(crate) answers: u64,
    pub(crate) redirects: u64,
    pub(crate) over_tls: u64,
    pub(crate) broken_off: u64,
    pub(crate) in_chromium: u64,
}

/// From complete evidence to the receiver, and the evidence itself.
const EVIDENCE: Duration = Duration::from_secs(8);

/// Pages that make the test worth its name.
const ENOUGH: u64 = 3000;

/// The site that is attacked in the end, to show that the daemon was not deaf.
const ATTACKED: (&str, u8) = ("attacked.example", 11);

#[test]
fn ordinary_browsing_on_a_bad_line_wakes_nobody() {
    let needs = [&PROGRAMS[..], &[("curl", "curl"), ("nsenter", "util-linux")]].concat();
    if let Some(reason) = namespaces::missing().or_else(|| missing(&needs)) {
        return say(&format!("gateway: browsing: skipped, {reason}\n"));
    }
    let without_chromium = missing(&[CHROMIUM]);
    if let Some(reason) = &without_chromium {
        say(&format!("gateway: browsing with Chromium: skipped, {reason}\n"));
    }
    let scratch = tempfile::tempdir().unwrap();
    let street = Street::build().unwrap();
    let site = Site::open(&street, scratch.path(), &[ATTACKED]).unwrap();
    let place = Home::make(scratch.path()).unwrap();
    let receiver = Receiver::start(&street.gateway, |_| Mood::Takes).unwrap();
    place.settle(INSIDE, &place.webhook(&receiver.url()), LEAST_RESERVE).unwrap();
    let capture = record(&street, scratch.path());
    let mut daemon = place.start(&street.gateway).unwrap();
    daemon.wait_until_ready().unwrap();

    let browsed = browse(&street, &site, scratch.path(), without_chromium.is_none()).unwrap();
    sleep(EVIDENCE);
    let severities =
        || receiver.taken().iter().filter_map(|message| message.body["data"]["alert"]["severity"].as_u64()).collect::<Vec<_>>();
    let (loud, records) =
        (severities().iter().filter(|severity| **severity < 3).count(), severities().iter().filter(|severity| **severity == 3).count());
    say(&format!("gateway: {browsed:?} over {:?}: {loud} alerts, {records} records of severity 3\n", street.road.carried));
    if loud > 0 {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browsing.pcap");
        drop(capture);
        fs::copy(scratch.path().join("browsing.pcap"), &kept).ok();
        let said: Vec<String> = receiver.taken().iter().map(|message| message.body["data"].to_string()).collect();
        panic!("honest packets are blamed, in {}: {said:#?}", kept.display());
    }
    assert!(
        browsed.answers >= ENOUGH && browsed.broken_off >= BROKEN_OFF / 2 && browsed.over_tls > 0 && browsed.redirects > 0,
        "{browsed:?}"
    );

    let aim = Aim { server: ATTACKED.1, attack: Attack::RaceRedirect, quality: Quality::Naive };
    let beside = Beside::start(&street, vec![aim], &[]).unwrap();
    super::visitors::curl(&street, &site, &[&format!("http://{}/first", ATTACKED.0)], &scratch.path().join("attacked.log")).unwrap();
    assert!(!beside.sent.packets.lock().unwrap().is_empty(), "nothing was forged");
    let told = until(EVIDENCE, || severities().contains(&1).then_some(()));
    assert!(told.is_some(), "it was silent because it was deaf: {}", daemon.program.said());
}

/// Records what the daemon sees, where tcpdump is there, so that a false alarm can be looked into.
fn record(street: &Street, scratch: &Path) -> Option<Program> {
    let mut tcpdump = Command::new("tcpdump");
    tcpdump.args(["-U", "-B", "32768", "-i", INSIDE, "-w"]).arg(scratch.join("browsing.pcap"));
    let dump = missing(&[("tcpdump", "tcpdump")])
        .is_none()
        .then(|| Program::start(&street.gateway, tcpdump, &scratch.join("tcpdump.log")).unwrap());
    if let Some(dump) = &dump {
        until(Duration::from_secs(5), || dump.said().contains("listening").then_some(()));
    }
    dump
}

/// Browses from the street's client, with Chromium if it is there.
pub(crate) fn browse(street: &Street, site: &Site, scratch: &Path, with_chromium: bool) -> io::Result<Browsed> {
    street.road.suffer(BAD_LINE);
    let mut curls = Vec::new();
    for number in 0..VISITORS {
        curls.push(curl(street, site, number, scratch)?);
    }
    let mut browsed = Browsed::default();
    thread::scope(|scope| {
        let breakers: Vec<_> = (0..8).map(|lane| scope.spawn(move || break_off(street, lane))).collect();
        if with_chromium {
            for url in ["http://news.example/long/1", "https://shop.example/page/2", "http://old.example/moved/3"] {
                browsed.in_chromium += u64::from(chromium(street, site, url, scratch).is_ok());
            }
        }
        browsed.broken_off = breakers.into_iter().map(|lane| lane.join().unwrap()).sum();
    });
    for curl in &mut curls {
        curl.end_within(PATIENCE)?;
        for line in curl.said().lines() {
            let mut words = line.split(' ');
            let ("answer", Some(status), Some(redirects)) = (words.next().unwrap_or(""), words.next(), words.next()) else { continue };
            browsed.answers += u64::from(status != "000");
            browsed.redirects += redirects.parse::<u64>().unwrap_or(0);
            browsed.over_tls += u64::from(words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")));
        }
    }
    street.road.suffer(Faults::default());
    Ok(browsed)
}

/// A curl that asks for many addresses, one after the other, on connections that it keeps.
fn curl(street: &Street, site: &Site, number: u64, scratch: &Path) -> io::Result<Program> {
    let list: String = (0..ADDRESSES).map(|index| wish(scramble(number << 32 | index), index)).collect();
    let path = scratch.join(format!("addresses-{number}"));
    fs::write(&path, list)?;
    let mut command = with_resolver(&site.settings, "curl");
    command.args(["--silent", "--insecure", "--location", "--max-time", "20", "--config"]).arg(&path);
    command.args(["--write-out", "answer %{http_code} %{num_redirects} %{scheme}\\n"]);
    Program::start(&street.client, command, &scratch.join(format!("curl-{number}.log")))
}

/// One address as curl's settings have it, with what else is asked.
fn wish(chance: u64, index: u64) -> String {
    let (host, _) = ORDINARY[(chance % ORDINARY.len() as u64) as usize];
    let kind = (chance >> 8) % 100;
    let scheme = if (chance >> 16).is_multiple_of(10) { "https" } else { "http" };
    let (path, more) = match kind {
        0..30 => ("page", ""),
        30..45 => ("long", "compressed\n"),
        45..52 => ("joined", ""),
        52..58 => ("moved", ""),
        58..63 => ("found", ""),
        63..68 => ("temporary", "compressed\n"),
        68..74 => ("bare", ""),
        74..79 => ("secure", ""),
        79..82 => ("missing", ""),
        82..84 => ("broken", ""),
        84..86 => ("file", "max-filesize = 100000\n"),
        86..88 => ("file", "range = 1000-90000\n"),
        88..92 => ("page", "head\n"),
        92..96 => ("page", "header = \"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\"\n"),
        96..98 => ("page", "data = \"some=form\"\n"),
        _ => ("static/app.js?v=", "compressed\n"),
    };
    format!(
        "url = \"{scheme}://{host}/{path}/{index}\"\noutput = /dev/null\n{more}next\nsilent\ninsecure\nlocation\nmax-time = 20\nwrite-out = \"answer %{{http_code}} %{{num_redirects}} %{{scheme}}\\n\"\n"
    )
}

/// Visits that end in the middle: the visitor goes away from a download, from a page that it has asked for, or closes one side only.
fn break_off(street: &Street, lane: u64) -> u64 {
    street.client.within(|| (0..BROKEN_OFF / 8).filter(|index| visit_in_part(scramble(lane << 48 | index)).is_ok()).count() as u64)
}

fn visit_in_part(chance: u64) -> io::Result<()> {
    let (host, last) = ORDINARY[(chance % ORDINARY.len() as u64) as usize];
    let server = SocketAddr::new(Ipv4Addr::new(203, 0, 113, last).into(), 80);
    let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let path = if chance >> 8 & 1 == 0 { "/file/part" } else { "/long/part" };
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: lab\r\n\r\n").as_bytes())?;
    match (chance >> 9) % 4 {
        // Gone before the first byte: the kernel answers what comes with resets.
        0 => return Ok(()),
        // Gone with bytes unread.
        1 => drop(stream.read(&mut [0; 100])?),
        // One side is closed, the other is listened to.
        2 => {
            stream.shutdown(Shutdown::Write)?;
            io::copy(&mut stream.take(50_000), &mut io::sink())?;
        }
        // A slow reader who leaves in the end.
        _ => {
            for _ in 0..4 {
                stream.read_exact(&mut [0; 4000])?;
                sleep(Duration::from_millis(30));
            }
        }
    }
    Ok(())
}
