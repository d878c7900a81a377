//! Under floods the state stays within its limits at every step, and the counters say so.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use sidewatch::capture::FrameSource;
use sidewatch::capture::replay::CaptureFile;
use sidewatch::engine::Engine;
use sidewatch::engine::limits::Limits;

use super::tape::engine;
use crate::floods::senders::{self, Pipe};

/// Shards of the engine.
const SHARDS: usize = 64;
/// Bytes of one chunk of remembered bytes.
const CHUNK: usize = 4096;

fn tiny() -> Limits {
    Limits {
        fragment_datagrams: 4,
        fragment_bytes: 16 << 10,
        flows_per_shard: 2,
        remembered_bytes_per_stream: 8 << 10,
        remembered_bytes_per_shard: 3 * CHUNK,
        conflicts_per_flow: 3,
        open_cases_per_shard: 1,
        cases_per_flow: 2,
        case_packets: 4,
        case_conflicts: 1,
        http_head: 512,
        http_pipeline: 2,
        http_body: 256,
        http_decoded: 512,
        dns_bytes_per_shard: 16 << 10,
        dns_pairs_per_shard: 2,
        quic_handshakes: 2,
        ..Limits::default()
    }
}

/// What a flood writes, in memory.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The engine after the flood; every step was within the limits.
fn flooded(send: fn(&mut Pipe<'_>, u32) -> std::io::Result<()>, count: u32) -> Engine {
    let limits = tiny();
    let file = Shared::default();
    let mut pipe = Pipe::new(Box::new(file.clone())).unwrap();
    send(&mut pipe, count).unwrap();
    pipe.finish().unwrap();
    let bytes = file.0.lock().unwrap().clone();
    let mut source = CaptureFile::from_reader("flood", Cursor::new(bytes)).unwrap();
    let mut engine = engine(limits.clone());
    while let Some(frame) = source.next_frame().unwrap() {
        engine.handle_frame(&frame);
        let (flows, cases, chunks) = engine.shards().held();
        assert!(flows <= SHARDS * limits.flows_per_shard, "{flows} flows at frame {}", frame.number);
        assert!(cases <= SHARDS * limits.open_cases_per_shard, "{cases} cases at frame {}", frame.number);
        assert!(chunks <= SHARDS * limits.remembered_bytes_per_shard / CHUNK, "{chunks} chunks at frame {}", frame.number);
        let (_, bytes) = engine.shards().held_questions();
        assert!(bytes <= SHARDS * limits.dns_bytes_per_shard, "{bytes} bytes of questions at frame {}", frame.number);
    }
    engine.handle_timeout(engine.now());
    let counters = engine.shards().counters();
    engine.finish();
    assert_eq!(engine.shards().held(), (0, 0, 0));
    assert!(counters.flows_evicted <= counters.flows && counters.cases_evicted <= counters.cases, "{counters:?}");
    engine
}

#[test]
fn half_open_flows_are_evicted() {
    let counters = flooded(senders::half_open, 3_000).shards().counters();
    assert_eq!(counters.flows, 3_000);
    assert!(counters.flows_evicted >= 3_000 - 128, "{counters:?}");
}

#[test]
fn heads_without_end_are_given_up() {
    let counters = flooded(senders::heads_without_end, 300).shards().counters();
    assert!(counters.flows_evicted > 0, "{counters:?}");
}

#[test]
fn requests_in_a_row_are_left_out() {
    flooded(senders::small_requests, 300);
    flooded(senders::large_requests, 20);
}

#[test]
fn fragments_push_out_older_ones() {
    let engine = flooded(senders::fragments, 12_000);
    let counts = engine.decoder().counts();
    assert!(counts.iter().any(|(name, count)| name == "fragment_evicted" && *count > 0), "{counts:?}");
}

#[test]
fn conflicts_beyond_the_bound_are_counted() {
    let counters = flooded(senders::conflicts, 200).shards().counters();
    assert!(counters.flow.conflicts_left_out > 0 && counters.cases_evicted > 0 && counters.memory_stolen > 0, "{counters:?}");
}

#[test]
fn questions_and_answers_of_dns_are_decided_early_or_left_out() {
    let counters = flooded(senders::names, 2_000).shards().counters().dns;
    assert!(counters.evicted > 1_000 && counters.left_out > 100 && counters.pairs_evicted > 0, "{counters:?}");
}

#[test]
fn halves_of_handshakes_push_out_older_ones() {
    let counters = flooded(senders::hellos, 600).shards().counters();
    assert!(counters.initials == 600 && counters.handshakes_evicted > 300, "{counters:?}");
}

#[test]
fn cases_beyond_the_bound_are_decided_early() {
    let counters = flooded(senders::redirects, 400).shards().counters();
    assert!(counters.cases_evicted + counters.flows_evicted > 0, "{counters:?}");
    flooded(senders::reopened, 1_000);
    flooded(senders::pages_full_of_frames, 200);
    flooded(senders::many_fields, 300);
}
