//! Everything on the calling thread, each frame from capture to observation without a copy.

use super::{Audience, BATCH_FRAMES, Judge, Report, Settings};
use crate::capture::FrameSource;
use crate::correlate::Correlator;
use crate::engine::Engine;

pub(super) fn run<S: FrameSource>(source: &mut S, settings: &Settings, audience: &mut dyn Audience<S>) -> (Report, Result<(), S::Error>) {
    let mut engine = Engine::new(settings.limits.clone(), settings.knowledge.clone(), settings.seed);
    let mut judge = Judge { correlator: Correlator::default(), audience };
    let mut frames = 0_u64;
    let ended = loop {
        match source.next_frame() {
            Ok(Some(frame)) => engine.handle_frame(&frame),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
        frames += 1;
        if frames.is_multiple_of(BATCH_FRAMES as u64) {
            engine.handle_timeout(engine.now());
            judge.take(engine.poll_observations());
            judge.audience.progress(frames, source);
        }
    };
    engine.finish();
    judge.take(engine.poll_observations());
    judge.audience.progress(frames, source);
    (judge.report(engine.decoder(), engine.shards().counters()), ended)
}
