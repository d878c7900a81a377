//! Everything on the calling thread, each frame from capture to observation without a copy.

use std::sync::Arc;

use super::{Audience, Judge, More, Quota, Renewal, Report, Settings, correlator, survive};
use crate::capture::FrameSource;
use crate::engine::{Engine, Knowledge, ShardCounters, Shards};

pub(super) fn run<S: FrameSource>(source: &mut S, settings: &Settings, audience: &mut dyn Audience<S>) -> (Report, Result<(), S::Error>) {
    let mut single = Single {
        engine: Engine::new(settings.limits.clone(), settings.knowledge.clone(), settings.seed),
        judge: Judge { correlator: correlator(settings), audience, panics: 0 },
        settings,
        knowledge: Arc::clone(&settings.knowledge),
        frames: 0,
        frame: 0,
        lost: ShardCounters::default(),
    };
    let ended = loop {
        let before = single.frames;
        match single.attempt(|single| single.batch(source)) {
            // Not at a frame but in the source, which cannot be asked again.
            None if single.frames == before => break Ok(()),
            None | Some(Ok(More::Some)) => {}
            Some(Ok(More::None)) => break Ok(()),
            Some(Err(error)) => break Err(error),
        }
        single.attempt(|single| single.engine.handle_timeout(single.engine.now()));
        let observations = single.engine.poll_observations();
        single.judge.take(observations, single.engine.now(), false);
        single.judge.audience.progress(single.frames, source);
    };
    single.attempt(|single| single.engine.finish());
    let observations = single.engine.poll_observations();
    single.judge.take(observations, single.engine.now(), true);
    single.judge.audience.progress(single.frames, source);
    let counters = single.lost.plus(&single.engine.shards().counters());
    (single.judge.report(single.engine.decoder(), single.engine.clock(), counters), ended)
}

struct Single<'a, S> {
    engine: Engine,
    judge: Judge<'a, S>,
    settings: &'a Settings,
    /// What is in force.
    knowledge: Arc<Knowledge>,
    frames: u64,
    /// Number of the frame that is handled.
    frame: u64,
    /// What flow state had counted that a panic cost.
    lost: ShardCounters,
}

impl<S: FrameSource> Single<'_, S> {
    /// Frames up to the next moment of judgement.
    fn batch(&mut self, source: &mut S) -> Result<More, S::Error> {
        let mut quota = Quota::default();
        while !(quota.frames > 0 && source.is_waiting()) {
            let frame = match source.next_frame() {
                Ok(Some(frame)) => frame,
                ended => {
                    let ended = ended.map(|_| More::None);
                    if quota.frames == 0 {
                        self.renew();
                    }
                    return ended;
                }
            };
            if quota.frames == 0 {
                self.renew();
            }
            (self.frame, self.frames) = (frame.number, self.frames + 1);
            let is_last = quota.takes_last(frame.bytes.len());
            self.engine.handle_frame(&frame);
            if is_last {
                break;
            }
        }
        Ok(More::Some)
    }

    /// Everything that was observed before this moment has been judged.
    #[cold]
    fn renew(&mut self) {
        if let Some(Renewal { knowledge, policy }) = self.judge.audience.renewal() {
            self.engine.exchange(&knowledge);
            self.judge.correlator.exchange(policy);
            self.judge.correlator.know(Arc::clone(&knowledge));
            self.knowledge = knowledge;
        }
    }

    /// Does `work`; if it panics, decides what can be decided and goes on with flows begun anew.
    fn attempt<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let done = survive(|| work(self));
        if done.is_none() {
            self.judge.panicked(self.frame);
            let fresh = Shards::new(&Arc::new(self.settings.limits.clone()), &self.knowledge, self.settings.seed);
            let mut broken = self.engine.begin_anew(fresh);
            let (mut observations, now) = (Vec::new(), self.engine.now());
            // Its second panic, if there is one, costs what was still undecided.
            survive(|| broken.finish(now, &mut observations));
            self.lost = self.lost.plus(&broken.counters());
            self.judge.take(observations, now, false);
        }
        done
    }
}
