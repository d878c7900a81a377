//! Syslog, read back by a parser of its own, and receivers that go away.

use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use sidewatch::config::{SyslogTarget, Target, Transport};
use sidewatch::sink::{Sinks, try_once};

use super::receiver::idle_port;
use super::tls::{accepted, certificates, server};
use super::{Bench, alert, ids, sink};

fn syslog(address: String, transport: Transport, ca: Option<PathBuf>) -> Target {
    Target::Syslog(SyslogTarget { address, transport, ca, cef: false, facility: 16 })
}

/// One message of a stream: its length, a space, and so many bytes (RFC 6587, octet counting).
fn framed(stream: &mut impl Read) -> String {
    let mut byte = [0];
    let mut length = 0;
    loop {
        stream.read_exact(&mut byte).unwrap();
        match byte[0] {
            b' ' => break,
            digit => length = length * 10 + usize::from(digit - b'0'),
        }
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).unwrap();
    String::from_utf8(message).unwrap()
}

/// The id in the structured data, after the seven words of the header were looked at.
fn id(message: &str) -> String {
    let words: Vec<&str> = message.splitn(7, ' ').collect();
    let (version, time, host, name) = (words[0], words[1], words[2], words[3]);
    assert_eq!((version, host, name, words[5]), ("<130>1", "gateway-1", "sidewatch", "alert"));
    assert!(time.starts_with("2026-11-24T12:00:01.") && time.ends_with('Z') && words[4].parse::<u32>().is_ok(), "{message}");
    let data = words[6].strip_prefix("[sidewatch@32473 id=\"").unwrap();
    let (id, rest) = data.split_once('"').unwrap();
    let record: serde_json::Value = serde_json::from_str(rest.split_once("] ").unwrap().1).unwrap();
    assert_eq!(record["alert"]["context"]["injection"]["id"], id);
    id.to_owned()
}

#[test]
fn datagrams_hold_a_message_each() {
    let bench = Bench::new();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let target = syslog(socket.local_addr().unwrap().to_string(), Transport::Udp, None);
    bench.runtime.block_on(try_once(&sink("log", target), &alert(7))).unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    assert_eq!(id(std::str::from_utf8(&buffer[..length]).unwrap()), ids(7..8)[0]);
}

#[test]
fn what_nobody_takes_does_not_count_as_told() {
    let bench = Bench::new();
    for transport in [Transport::Udp, Transport::Tcp] {
        let target = syslog(format!("127.0.0.1:{}", idle_port()), transport, None);
        let error = bench.runtime.block_on(try_once(&sink("log", target), &alert(7)));
        assert!(error.is_err(), "{transport:?}");
    }
}

#[test]
fn a_write_into_a_closed_connection_does_not_count_and_what_may_be_lost_is_told_again() {
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sinks = [sink("log", syslog(listener.local_addr().unwrap().to_string(), Transport::Tcp, None))];
    bench.commit(0..2, &sinks);
    let _entered = bench.runtime.enter();
    let _sinks = Sinks::begin(&bench.store, &sinks);
    let mut first = listener.accept().unwrap().0;
    assert_eq!(id(&framed(&mut first)), ids(0..1)[0]);
    assert_eq!(id(&framed(&mut first)), ids(1..2)[0]);
    bench.wait_until_told("log");
    drop(first); // with all that the sink cannot know to have been read
    bench.commit(2..3, &sinks);
    let mut second = listener.accept().unwrap().0;
    let again: Vec<String> = (0..3).map(|_| id(&framed(&mut second))).collect();
    assert_eq!(again, ids(0..3));
}

#[test]
fn a_broken_connection_is_noticed_and_made_good_without_a_further_alert() {
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sinks = [sink("log", syslog(listener.local_addr().unwrap().to_string(), Transport::Tcp, None))];
    bench.commit(0..1, &sinks);
    let _entered = bench.runtime.enter();
    let _sinks = Sinks::begin(&bench.store, &sinks);
    let mut first = listener.accept().unwrap().0;
    framed(&mut first);
    drop(first);
    let mut second = listener.accept().unwrap().0;
    assert_eq!(id(&framed(&mut second)), ids(0..1)[0]);
}

#[test]
fn tls_checks_who_the_receiver_is() {
    let bench = Bench::new();
    let folder = bench.folder.path();
    if !certificates(folder) {
        return;
    }
    let config = server(folder, false);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let reader = std::thread::spawn(move || {
        let message = framed(&mut accepted(&config, listener.accept().unwrap().0));
        for _ in 0..2 {
            let _ = accepted(&config, listener.accept().unwrap().0).read(&mut [0]); // a client that does not trust us leaves
        }
        message
    });
    let tell = |host: &str, ca: &str| {
        let target = syslog(format!("{host}:{port}"), Transport::Tls, Some(folder.join(ca)));
        bench.runtime.block_on(try_once(&sink("log", target), &alert(7)))
    };
    tell("localhost", "ca.pem").unwrap();
    assert!(tell("localhost", "other-ca.pem").is_err());
    assert!(tell("127.0.0.1", "ca.pem").is_err());
    assert_eq!(id(&reader.join().unwrap()), ids(7..8)[0]);
}
