//! What a packet costs: nanoseconds per packet of the decoder and of the whole engine, on synthetic traffic of several kinds.
//!
//! `cargo bench` measures for about two seconds each; without `--bench` (as `cargo test --benches` calls it) one small round of each is a smoke test.
#![allow(missing_docs, clippy::print_stdout, clippy::expect_used, reason = "a measuring program prints what it measured")]

#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/support/segment.rs"]
mod segment;
mod traffic;
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/support/wire.rs"]
mod wire;

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sidewatch::engine::decode::Decoder;
use sidewatch::engine::frame::{Frame, LinkType};
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::{Span, Timestamp};
use sidewatch::engine::{Engine, Knowledge};
use traffic::{Repeat, Traffic};

/// Packet time between two frames.
const GAP: Span = Span::from_micros(5);
/// Rounds that clients have addresses for.
const MOST_ROUNDS: u16 = 250;

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    /// Scale of the traffic.
    flows: u16,
    /// Rounds are repeated for so long.
    time: Duration,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let measure = arguments.iter().any(|argument| argument == "--bench") && !arguments.iter().any(|argument| argument == "--test");
    let effort = if measure { Effort { flows: 64, time: Duration::from_secs(2) } } else { Effort { flows: 4, time: Duration::ZERO } };
    let flows = effort.flows;
    let mixed = || Traffic::mixed(vec![Traffic::bulk(flows, 120, Repeat::Once), Traffic::http(flows, 8), Traffic::small(flows, 60)]);
    println!("{:<36}{:>10}{:>8}{:>12}{:>12}{:>10}{:>10}", "", "packets", "rounds", "ns/packet", "best", "Gbit/s", "judged");
    decode("decode only, mixed", mixed(), effort);
    engine("mixed", mixed(), effort);
    engine("bulk in order, TLS-like", Traffic::bulk(flows, 200, Repeat::Once), effort);
    engine("HTTP exchanges", Traffic::http(flows, 20), effort);
    engine("small packets", Traffic::small(flows, 200), effort);
    engine("every segment sent twice", Traffic::bulk(flows, 100, Repeat::Same), effort);
    let judged = engine("every segment contradicted (worst)", Traffic::bulk(flows, 100, Repeat::Differing), effort);
    assert!(judged > 0, "contradictions were not seen, so that something else was measured");
    engine("odd packets", Traffic::odd(flows * 128), effort);
}

fn decode(name: &str, traffic: Traffic, effort: Effort) {
    let mut decoder = Decoder::new(&Limits::default());
    run(name, traffic, effort, |frame| {
        decoder.decode(frame, |decoded| {
            black_box(decoded);
        });
        0
    });
    println!("{:>10}", "-");
    let tcp = decoder.counts().get("tcp").copied();
    assert_eq!(tcp, Some(decoder.frames()), "not all frames are TCP");
}

fn engine(name: &str, traffic: Traffic, effort: Effort) -> usize {
    let shipped = sidewatch::rules::shipped().rules;
    let knowledge = Knowledge { devices: shipped.devices, ..Knowledge::default() };
    let mut engine = Engine::new(Limits::default(), Arc::new(knowledge), 0);
    let judged = run(name, traffic, effort, |frame| {
        engine.handle_frame(frame);
        if frame.number.is_multiple_of(4096) { black_box(engine.poll_observations()).len() } else { 0 }
    });
    engine.finish();
    let judged = judged + engine.poll_observations().len();
    println!("{judged:>10}");
    assert_eq!(engine.shards().held(), (0, 0, 0), "{name}: something is held after the end");
    judged
}

/// Hands every frame of every round to `take`, which says how much it has judged, and prints what a packet cost.
fn run(name: &str, mut traffic: Traffic, effort: Effort, mut take: impl FnMut(&Frame<'_>) -> usize) -> usize {
    let (mut time, mut number, mut judged) = (Timestamp::from_parts(1_767_603_600, 0), 0, 0);
    let mut rounds = Vec::new();
    let began = Instant::now();
    while rounds.is_empty() || began.elapsed() < effort.time && rounds.len() < usize::from(MOST_ROUNDS) {
        traffic.move_to(rounds.len() as u16);
        let start = Instant::now();
        for template in &traffic.frames {
            number += 1;
            time = time + GAP;
            let bytes = template.bytes.as_slice();
            judged += take(&Frame { number, time, link: LinkType::ETHERNET, bytes, wire_len: bytes.len() as u32 });
        }
        rounds.push(start.elapsed());
    }
    rounds.sort_unstable();
    let packets = traffic.frames.len();
    let per_packet = |round: Duration| round.as_nanos() as f64 / packets as f64;
    let median = per_packet(rounds[rounds.len() / 2]);
    let bits = traffic.frames.iter().map(|frame| frame.bytes.len() * 8).sum::<usize>() as f64 / packets as f64;
    print!("{name:<36}{packets:>10}{:>8}{median:>12.0}{:>12.0}{:>10.1}", rounds.len(), per_packet(rounds[0]), bits / median);
    judged
}
