//! A stream of injections, each on a client of its own: stories told on one link at the pace of real time.

use crate::lab::fence::{Fenced, open};
use crate::lab::namespaces::Namespace;
use crate::support::cases::http::{LURE, answer, bare_redirect, get, page, prose};
use crate::support::connection::Connection;
use crate::support::host::{Host, client, scramble, site, v6};
use crate::support::injector::Injector;
use crate::support::segment::{ACK, RST};
use crate::support::story::{START, Story, after_ms};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime};

/// The link's end that is watched, and the one at which the stories are told.
pub(crate) const WATCHED: &str = "swlab-q";
const TOLD_AT: &str = "swlab-p";

/// The first client; the others follow.
const CLIENTS: u16 = 0x1000;

/// Time from the first frame of an injection to its last.
pub(crate) const LENGTH: Duration = Duration::from_millis(130);

/// An injection that was told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Injection {
    /// Its number, from 0.
    pub(crate) number: u16,
    /// When its first frame was sent.
    pub(crate) began: SystemTime,
}

/// A namespace with the link.
pub(crate) fn link() -> io::Result<Namespace> {
    let home = Namespace::make()?;
    home.sysctl("ipv6/conf/default/disable_ipv6", "1")?;
    home.ip("link set lo up\n")?;
    lay(&home)?;
    Ok(home)
}

/// Lays the link in `home`.
pub(crate) fn lay(home: &Namespace) -> io::Result<()> {
    home.ip(&format!(
        "link add {TOLD_AT} address 02:00:00:00:02:01 type veth peer name {WATCHED} address 02:00:00:00:02:02\n\
         link set {TOLD_AT} up\nlink set {WATCHED} up\n"
    ))
}

/// The address of the client of an injection.
pub(crate) fn address(number: u16) -> String {
    v6(CLIENTS + number).to_string()
}

/// The number of the injection whose client has this address.
pub(crate) fn number(address: &str) -> Option<u16> {
    let std::net::IpAddr::V6(ip) = address.parse().ok()? else { return None };
    ip.segments()[7].checked_sub(CLIENTS)
}

/// A stream that is being told.
pub(crate) struct Stream {
    /// Those whose last frame was sent.
    pub(crate) told: Arc<Mutex<Vec<Injection>>>,
    thread: JoinHandle<io::Result<()>>,
}

impl Stream {
    /// Tells the injections of these numbers on the link of `home`, one every `pace`, each a redirect, a page or a reset.
    pub(crate) fn begin(home: &Namespace, numbers: Range<u16>, pace: Duration) -> io::Result<Self> {
        let (sender, _) = open(home, TOLD_AT)?;
        let sender = sender.for_so_many(numbers.len() as u32 * 32);
        let told = Arc::<Mutex<Vec<Injection>>>::default();
        let list = told.clone();
        Ok(Self { told, thread: thread::spawn(move || tell(sender, numbers, pace, &list)) })
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> io::Result<Vec<Injection>> {
        self.thread.join().unwrap()?;
        Ok(self.told.lock().unwrap().clone())
    }
}

fn tell(mut sender: Fenced, numbers: Range<u16>, pace: Duration, told: &Mutex<Vec<Injection>>) -> io::Result<()> {
    let (start, mut next) = (Instant::now(), numbers.start);
    let mut queue: BinaryHeap<Reverse<(Instant, u16, usize)>> = BinaryHeap::new();
    let mut under_way = HashMap::new();
    while next < numbers.end || !queue.is_empty() {
        let begins = start + pace * u32::from(next - numbers.start);
        if next < numbers.end && queue.peek().is_none_or(|first| begins <= first.0.0) {
            wait_until(begins);
            let frames = injection(next);
            for (index, (after, _)) in frames.iter().enumerate() {
                queue.push(Reverse((begins + *after, next, index)));
            }
            under_way.insert(next, (SystemTime::now(), frames));
            next += 1;
            continue;
        }
        let Some(Reverse((due, number, index))) = queue.pop() else { continue };
        wait_until(due);
        let (began, frames): &(SystemTime, Vec<(Duration, Vec<u8>)>) = &under_way[&number];
        sender.send_frame(&frames[index].1)?;
        if index + 1 == frames.len() {
            told.lock().unwrap().push(Injection { number, began: *began });
            under_way.remove(&number);
        }
    }
    Ok(())
}

fn wait_until(due: Instant) {
    sleep(due.saturating_duration_since(Instant::now()));
}

/// The frames of an injection, each with the time after the first.
pub(crate) fn injection(number: u16) -> Vec<(Duration, Vec<u8>)> {
    let mut story = Story::new();
    let device = Host { ip: v6(CLIENTS + number), ..client() };
    let mut tcp = story.connection(device, Host { ip: v6(0x80), ..site() });
    tcp.client.start_at(scramble(u64::from(number)) as u32);
    tcp.server.start_at(scramble(u64::from(number) << 20) as u32);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", &format!("/story/{number}")));
    forge(&mut tcp, number);
    tcp.ack();
    tcp.server_ack(after_ms(15.0));
    tcp.reply(after_ms(0.8), &page(&prose(4)));
    tcp.ack();
    tcp.close();
    story.frames().iter().map(|frame| (Duration::from_nanos(frame.time - START), frame.bytes.clone())).collect()
}

fn forge(tcp: &mut Connection<'_>, number: u16) {
    let injector = Injector::quantum();
    match number % 3 {
        0 => drop(tcp.forge(&injector, after_ms(8.0), &bare_redirect(LURE))),
        1 => drop(tcp.forge(
            &injector,
            after_ms(8.0),
            &answer("200 OK", "Content-Type: text/html\r\n", "<script src=//x.test/a.js></script>"),
        )),
        _ => drop(tcp.forge_bare(&injector, after_ms(8.0), RST | ACK)),
    }
}

#[test]
fn each_injection_of_the_stream_is_an_alert_of_its_own() {
    use crate::lab::recorder::{Seen, pcap};
    let scratch = tempfile::tempdir().unwrap();
    let mut frames = Vec::new();
    for number in 0..30 {
        let begins = Duration::from_nanos(START) + Duration::from_millis(20) * u32::from(number);
        for (after, bytes) in injection(number) {
            assert!(after < LENGTH, "{after:?}");
            frames.push(Seen { since_1970: begins + after, at: Instant::now(), server: v6(0x80), bytes });
        }
    }
    frames.sort_by_key(|frame| frame.since_1970);
    let capture = scratch.path().join("capture.pcap");
    std::fs::write(&capture, pcap(&frames)).unwrap();
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_sidewatch")).arg("replay").arg(capture).args(["--format", "json"]).output();
    let text = String::from_utf8(run.unwrap().stdout).unwrap();
    let alerts: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut clients: Vec<u16> = alerts.iter().filter_map(|alert| number(alert["dest_ip"].as_str()?)).collect();
    clients.sort_unstable();
    assert_eq!(clients, (0..30).collect::<Vec<u16>>());
    assert!(alerts.iter().all(|alert| alert["alert"]["severity"].as_u64().unwrap() <= 2), "{text}");
}
