//! Webhooks: what receivers do to them, and what comes of it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use sidewatch::config::WebhookTarget;
use sidewatch::sink::{Sinks, try_once};

use super::receiver::{Act, Receiver, idle_port};
use super::{Bench, alert, file, hook, ids, secret, sink, wait, webhook};

/// The same on every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

#[test]
fn a_receiver_that_fails_in_every_way_is_told_everything_in_order() {
    let mut chance = Chance(0x5eed);
    let receiver = Receiver::new(move |_| match chance.below(30) {
        0 => Act::Answer(500, ""),
        1 => Act::Answer(503, "Retry-After: 0\r\n"),
        2 => Act::Answer(429, "Retry-After: 1\r\n"),
        3 => Act::Close,
        4 => Act::CloseAmid,
        5 => Act::Hang,
        6 => Act::Answer(302, "Location: http://127.0.0.1:1/\r\n"),
        7 => Act::EndlessHeaders,
        8 => Act::EndlessBody,
        9 => Act::Drip,
        _ => Act::Answer(204, ""),
    });
    let bench = Bench::new();
    let target = WebhookTarget { timeout: Duration::from_millis(500), ..webhook(&receiver.url) };
    let sinks = [sink("soc", hook(target))];
    bench.commit(0..12, &sinks);
    let _entered = bench.runtime.enter();
    let begun = Sinks::begin(&bench.store, &sinks);
    bench.commit(12..24, &sinks);
    bench.wait_until_told("soc");
    assert_eq!(receiver.taken(), ids(0..24));
    let seen = receiver.seen();
    assert!(seen.iter().filter(|request| !request.was_taken()).count() >= 5, "the receiver was kind: {} requests", seen.len());
    assert_eq!(bench.state("soc").dead, 0);
    bench.runtime.block_on(begun.end(Duration::from_secs(2)));
}

#[test]
fn each_delivery_is_signed_with_every_secret_and_bears_the_id_of_its_alert() {
    let receiver = Receiver::new(|number| Act::Answer(if number == 0 { 503 } else { 200 }, ""));
    let bench = Bench::new();
    let keys = [[7_u8; 32], [9; 32]];
    let mut target = webhook(&receiver.url);
    target.secrets = (0..2).map(|at| secret(&bench.path(&format!("key{at}")), &format!("whsec_{}\n", STANDARD.encode(keys[at])))).collect();
    target.token = Some(secret(&bench.path("token"), "t0ken\n"));
    let sinks = [sink("soc", hook(target))];
    bench.commit(1..2, &sinks);
    let _entered = bench.runtime.enter();
    let _sinks = Sinks::begin(&bench.store, &sinks);
    bench.wait_until_told("soc");
    let seen = receiver.seen();
    assert_eq!(seen.len(), 2, "one refused, one taken");
    for request in seen {
        assert_eq!((request.header("webhook-id"), request.header("authorization")), (ids(1..2)[0].as_str(), "Bearer t0ken"));
        let content = format!("{}.{}.{}", request.header("webhook-id"), request.header("webhook-timestamp"), request.body);
        let expected: Vec<String> =
            keys.iter().map(|key| format!("v1,{}", STANDARD.encode(hmac_sha256(key, content.as_bytes())))).collect();
        assert_eq!(request.header("webhook-signature"), expected.join(" "));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        assert!(now.abs_diff(request.header("webhook-timestamp").parse().unwrap()) < 60);
    }
}

/// RFC 2104, from its definition.
fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().to_vec()
}

#[test]
fn a_receiver_that_was_down_is_told_within_seconds_of_its_return() {
    let port = idle_port();
    let bench = Bench::new();
    let sinks = [sink("soc", hook(webhook(&format!("http://127.0.0.1:{port}/"))))];
    let _entered = bench.runtime.enter();
    let _sinks = Sinks::begin(&bench.store, &sinks);
    bench.commit(0..3, &sinks);
    wait("two attempts failed", || bench.state("soc").last_error.is_some());
    let receiver = Receiver::on(TcpListener::bind(("127.0.0.1", port)).unwrap(), |_| Act::Answer(200, ""));
    let back = Instant::now();
    bench.wait_until_told("soc");
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
    assert_eq!(receiver.taken(), ids(0..3));
}

#[test]
fn what_is_refused_for_good_is_given_up_visibly_and_those_behind_it_go_on() {
    let receiver = Receiver::new(|number| Act::Answer(if number == 1 { 422 } else { 200 }, ""));
    let bench = Bench::new();
    let sinks = [sink("soc", hook(webhook(&receiver.url)))];
    bench.commit(0..3, &sinks);
    let _entered = bench.runtime.enter();
    let _sinks = Sinks::begin(&bench.store, &sinks);
    bench.wait_until_told("soc");
    assert_eq!(receiver.taken(), [&ids(0..1)[..], &ids(2..3)[..]].concat());
    let state = bench.state("soc");
    assert!(state.dead == 1 && state.last_error.unwrap().1.contains("422"));
    bench.store.retry_dead("soc").unwrap();
    bench.wait_until_told("soc");
    assert!(receiver.taken().contains(&ids(1..2)[0]));
}

#[test]
fn a_receiver_that_says_it_is_gone_is_left_alone_and_what_waits_is_kept() {
    let receiver = Receiver::new(|_| Act::Answer(410, ""));
    let bench = Bench::new();
    let sinks = [sink("soc", hook(webhook(&receiver.url)))];
    bench.commit(0..5, &sinks);
    let _entered = bench.runtime.enter();
    let sinks = Sinks::begin(&bench.store, &sinks);
    wait("it is given up", || bench.state("soc").dead == 1);
    bench.runtime.block_on(sinks.end(Duration::from_secs(2)));
    assert_eq!((receiver.seen().len(), bench.state("soc").waiting), (1, 4));
}

#[test]
fn one_sink_that_hangs_delays_no_other_and_all_end_in_time() {
    let receiver = Receiver::new(|_| Act::Hang);
    let bench = Bench::new();
    let mut slow = webhook(&receiver.url);
    slow.timeout = Duration::from_secs(30);
    let sinks = [sink("slow", hook(slow)), sink("eve", file(&bench.path("eve.json")))];
    let _entered = bench.runtime.enter();
    let begun = Sinks::begin(&bench.store, &sinks);
    bench.commit(0..10, &sinks);
    bench.wait_until_told("eve");
    let lines = std::fs::read_to_string(bench.path("eve.json")).unwrap();
    assert_eq!(lines.lines().count(), 10);
    wait("the slow one is asked", || !receiver.seen().is_empty());
    let asked = Instant::now();
    bench.runtime.block_on(begun.end(Duration::from_millis(500)));
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    assert_eq!(bench.state("slow").waiting, 10);
}

#[test]
fn a_rate_delays_and_drops_nothing() {
    let receiver = Receiver::new(|_| Act::Answer(200, ""));
    let bench = Bench::new();
    let mut limited = sink("soc", hook(webhook(&receiver.url)));
    limited.per_minute = Some(2);
    bench.commit(0..5, &[limited.clone()]);
    let _entered = bench.runtime.enter();
    let mut begun = Sinks::begin(&bench.store, &[limited.clone()]);
    wait("two are told", || receiver.taken().len() == 2 && bench.state("soc").waiting == 3);
    limited.per_minute = None;
    begun.exchange(&[limited]);
    bench.wait_until_told("soc");
    assert_eq!(receiver.taken(), ids(0..5));
}

#[test]
fn settings_are_exchanged_without_a_loss_and_secrets_of_unchanged_sinks_are_read_anew() {
    let (old, new) = (Receiver::new(|_| Act::Answer(200, "")), Receiver::new(|_| Act::Answer(200, "")));
    let bench = Bench::new();
    let mut signed = webhook(&old.url);
    signed.token = Some(secret(&bench.path("token"), "first"));
    let (kept, moved) = (sink("kept", hook(signed)), sink("moved", hook(webhook(&old.url))));
    let both = [kept.clone(), moved];
    let _entered = bench.runtime.enter();
    let mut sinks = Sinks::begin(&bench.store, &both);
    bench.commit(0..3, &both);
    bench.wait_until_told("kept");
    bench.wait_until_told("moved");
    secret(&bench.path("token"), "second");
    let both = [kept, sink("moved", hook(webhook(&new.url)))];
    sinks.exchange(&both);
    bench.commit(3..6, &both);
    bench.wait_until_told("kept");
    bench.wait_until_told("moved");
    assert_eq!(new.taken(), ids(3..6));
    assert_eq!(old.seen().iter().filter(|request| request.header("authorization") == "Bearer second").count(), 3);
}

#[test]
fn errors_never_tell_the_path_of_a_url_which_may_be_a_secret() {
    let bench = Bench::new();
    for url in [format!("http://127.0.0.1:{}/T0KEN", idle_port()), Receiver::new(|_| Act::Close).url.replace("hook", "T0KEN")] {
        let error = bench.runtime.block_on(try_once(&sink("soc", hook(webhook(&url))), &alert(1))).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("T0KEN"), "{error:?}");
    }
}
