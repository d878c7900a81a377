//! The engine under watch: what must hold while it reads, at the end, and of each alert.

use crate::story::Step;
use sidewatch::alert::{Alert, SourceFacts, Style, eve, text};
use sidewatch::correlate::Correlator;
use sidewatch::engine::flow::key::SHARDS;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::{Span, Timestamp};
use sidewatch::engine::{Engine, Knowledge};
use std::sync::Arc;

/// Bytes of a chunk of remembered bytes, as the pool cuts them; a pool of less than one chunk has one.
const CHUNK: usize = 4096;

/// What is held is added up over all shards: too dear for every frame.
const CHECK_EVERY: u64 = 8;

/// As far ahead a stamp is believed without witnesses (`Clock`).
const BELIEVED: Span = Span::from_secs(3_600);

/// When observations are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// At every tick; frames are preceded by an idle tick of their own time.
    OnTheWay,
    /// At the end only, and ticks before that are left out.
    AtTheEnd,
}

/// Runs the story through the engine and the correlating stage.
pub fn run(steps: &[Step], limits: &Limits, knowledge: &Arc<Knowledge>, (seed, judged): (u64, Judged)) -> Vec<Alert> {
    let mut engine = Engine::new(limits.clone(), Arc::clone(knowledge), seed);
    let mut correlator = Correlator::default();
    let mut alerts = Vec::new();
    let mut frames = 0;
    let mut clock = Timestamp::MIN;
    for (index, step) in steps.iter().enumerate() {
        clock = clock.max(step.time());
        match (step, judged) {
            (Step::Frame { .. }, Judged::OnTheWay) => idle(&mut engine, step.time()),
            (Step::Tick(_), Judged::OnTheWay) => {
                // Stamps may jump back; a tick later than the next frame is what neither a file nor a live capture has.
                let next = steps.iter().skip(index).find(|step| matches!(step, Step::Frame { .. })).map(Step::time);
                // Half of the way to a stamp that is too far ahead would be a word for it too.
                if next.is_none_or(|next| next - engine.now() <= BELIEVED) {
                    idle(&mut engine, next.map_or(step.time(), |next| next.min(step.time())));
                }
                alerts.extend(correlator.judge(engine.poll_observations(), engine.now()));
            }
            _ => {}
        }
        if let Some(frame) = step.frame(frames + 1) {
            frames += 1;
            engine.handle_frame(&frame);
            if frames % CHECK_EVERY == 0 {
                within(&engine, limits);
            }
        }
    }
    engine.handle_timeout(clock); // both ways of judging end at one time
    engine.finish();
    assert_eq!(engine.shards().held(), (0, 0, 0), "flows, cases or chunks are held after the end");
    alerts.extend(correlator.finish(engine.poll_observations(), engine.now()));
    for alert in &alerts {
        sound(alert, frames);
    }
    alerts
}

/// An idle tick, unless it would vouch for a stamp so far ahead that the engine waits for more frames to believe it.
fn idle(engine: &mut Engine, time: Timestamp) {
    if time - engine.now() <= BELIEVED {
        engine.handle_timeout(time);
    }
}

fn within(engine: &Engine, limits: &Limits) {
    let (flows, cases, chunks) = engine.shards().held();
    assert!(flows <= SHARDS * limits.flows_per_shard, "{flows} flows");
    assert!(cases <= SHARDS * limits.open_cases_per_shard, "{cases} open cases");
    assert!(chunks <= SHARDS * (limits.remembered_bytes_per_shard / CHUNK).max(1), "{chunks} chunks");
    assert!(engine.decoder().heap_bytes() <= limits.fragment_bytes + (1 << 17), "{} bytes of fragments", engine.decoder().heap_bytes());
}

/// What must hold of each alert on so many frames.
pub fn sound(alert: &Alert, frames: u64) {
    assert!((1..=3).contains(&alert.severity), "severity {}", alert.severity);
    let named = alert.forged_frames.iter().chain(&alert.genuine_frames).chain(alert.signals.iter().flat_map(|signal| &signal.frames));
    for frame in named {
        assert!((1..=frames).contains(frame), "frame {frame} of {frames}");
    }
    let line = line(alert);
    assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')), "not printable ASCII: {line}");
    let value: serde_json::Value = serde_json::from_str(&line).expect("an EVE line is JSON");
    assert_eq!(value["event_type"], "alert");
    let plain = text::render(alert, &SourceFacts::default(), Style { colour: false });
    assert!(!plain.chars().any(|c| c.is_control() && c != '\n'), "a control character reaches the terminal: {plain:?}");
    assert!(!plain.chars().any(|c| matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')), "{plain:?}");
    let _ = text::render(alert, &SourceFacts::default(), Style { colour: true });
}

/// The alert as an EVE line.
pub fn line(alert: &Alert) -> String {
    eve::to_line(alert, &SourceFacts::default())
}
