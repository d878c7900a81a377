//! The line of each minute, and words about what the kernel and full queues cost.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::metrics::resident_bytes;
use crate::correlate::CorrelateCounters;
use crate::pump::live::{JudgeSnapshot, Snapshot};

/// Losses are told so often at most.
const LOSSES: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_secs(60);

/// What was told last.
#[derive(Debug)]
pub(super) struct Minute {
    last: Instant,
    before: Sums,
    losses_told: Option<Instant>,
    lost_before: Sums,
    pressed: bool,
}

/// Of all capture threads that are.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    frames: u64,
    bytes: u64,
    dropped: u64,
    shed: u64,
    facts: u64,
    judged: u64,
}

impl Minute {
    pub(super) fn new(now: Instant) -> Self {
        Self { last: now, before: Sums::default(), losses_told: None, lost_before: Sums::default(), pressed: false }
    }

    /// Says what there is to say, once a second.
    pub(super) fn look(&mut self, counted: &BTreeMap<String, Snapshot>, judged: &JudgeSnapshot, now: Instant) {
        let mut sums = Sums::default();
        for snapshot in counted.values() {
            sums.frames += snapshot.frames;
            sums.bytes += snapshot.bytes;
            sums.dropped += snapshot.kernel.unseen();
            sums.shed += snapshot.frames_shed;
            sums.facts += snapshot.facts_shed;
            sums.judged += snapshot.judged_lost;
        }
        self.tell_losses(&sums, counted, now);
        if now - self.last >= MINUTE {
            self.last = now;
            let before = std::mem::replace(&mut self.before, sums);
            let flows: u64 = counted.values().map(|snapshot| snapshot.flows).sum();
            let CorrelateCounters { raised: [high, medium, low], .. } = judged.correlate;
            let (packets, dropped) = (sums.frames.saturating_sub(before.frames), sums.dropped.saturating_sub(before.dropped));
            let memory = resident_bytes().unwrap_or(0) >> 20;
            tracing::info!(
                packets,
                dropped,
                flows,
                memory_mib = memory,
                alerts_high = high,
                alerts_medium = medium,
                alerts_low = low,
                "in the last minute {packets} packets, {} MB, {dropped} dropped; {flows} flows, {memory} MiB of memory; alerts since the beginning: {high} high, {medium} medium, {low} low",
                sums.bytes.saturating_sub(before.bytes) / 1_000_000
            );
        }
    }

    fn tell_losses(&mut self, sums: &Sums, counted: &BTreeMap<String, Snapshot>, now: Instant) {
        let pressed = counted.values().any(|snapshot| snapshot.pressed);
        if pressed != std::mem::replace(&mut self.pressed, pressed) {
            if pressed {
                tracing::warn!("too many frames come: the bulk of encrypted connections is passed over, in which nothing can be injected");
            } else {
                tracing::info!(frames_shed = sums.shed, "all frames are looked at again");
            }
        }
        if self.losses_told.is_some_and(|told| now - told < LOSSES) {
            return;
        }
        let before = self.lost_before;
        let more = |now: u64, before: u64| now.saturating_sub(before);
        let (dropped, facts, judged) =
            (more(sums.dropped, before.dropped), more(sums.facts, before.facts), more(sums.judged, before.judged));
        if dropped > 0 {
            for (name, snapshot) in counted {
                let kernel = &snapshot.kernel;
                tracing::warn!(
                    interface = name,
                    dropped = kernel.dropped,
                    by_interface = kernel.dropped_by_interface,
                    "frames were dropped: {} by the kernel and {} by {name} since it is watched",
                    kernel.dropped,
                    kernel.dropped_by_interface
                );
            }
        }
        if facts > 0 {
            tracing::warn!(facts, "the judging thread is behind: {facts} facts about what clients did were left out");
        }
        if judged > 0 {
            tracing::error!(judged, "the judging thread is far behind: {judged} judged cases were lost");
        }
        if dropped + facts + judged > 0 {
            (self.losses_told, self.lost_before) = (Some(now), *sums);
        }
    }
}
