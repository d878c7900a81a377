//! Whether the sensor sees: what is blind for how long, by what the capture threads count.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::config::Watch;
use crate::pump::live::Snapshot;

/// Connections opened in one direction, and none in the other, from which on it is no chance.
const OPENINGS: u64 = 50;
/// Time over which the share of drops is taken.
const WINDOW: Duration = Duration::from_secs(10);

/// Why an interface sees nothing, or too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// It is not watched.
    Away,
    /// No frame comes.
    Silent,
    /// The kernel drops a part of the frames.
    Drops,
    /// Of connections only one direction is seen.
    OneSided,
}

impl Cause {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Silent => "silent",
            Self::Drops => "drops",
            Self::OneSided => "one_sided",
        }
    }

    /// What it means, and what to look at.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Away => "no interface of this name is there and up, so nothing is watched",
            Self::Silent => "no frame comes any more: look at cable, mirror port and `sidewatch doctor`",
            Self::Drops => "the kernel drops a part of the frames: a larger `ring` or more `threads` help, see `sidewatch doctor`",
            Self::OneSided => "only one direction of connections is seen: the mirror port must copy both, see `sidewatch doctor`",
        }
    }
}

/// A change: an interface became blind, or sees again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) interface: String,
    pub(super) cause: Cause,
    pub(super) blind: bool,
    /// For how long it has been so, or was.
    pub(super) lasted: Duration,
}

/// What is watched over.
#[derive(Debug)]
pub(super) struct Health {
    watch: Watch,
    interfaces: BTreeMap<String, Interface>,
    states: BTreeMap<(String, Cause), State>,
}

#[derive(Debug)]
struct Interface {
    last: Counts,
    /// Counts at the beginning of the window of drops, and of that of openings.
    window: (Instant, Counts),
    openings: (Instant, Counts),
    dropping: bool,
    one_sided: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    frames: u64,
    dropped: u64,
    syns: u64,
    syn_acks: u64,
}

#[derive(Debug)]
struct State {
    since: Instant,
    told: bool,
}

impl Health {
    pub(super) const fn new(watch: Watch) -> Self {
        Self { watch, interfaces: BTreeMap::new(), states: BTreeMap::new() }
    }

    pub(super) fn exchange(&mut self, watch: Watch) {
        self.watch = watch;
    }

    /// Looks at what every interface counted, once a second; those that are not watched any more are missing. What changed.
    pub(super) fn look(&mut self, counted: &BTreeMap<String, Snapshot>, now: Instant) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, snapshot) in counted {
            let found = self.measure(name, Counts::of(snapshot), now);
            for (cause, holds) in found {
                self.note(name, cause, holds, now, &mut changes);
            }
        }
        let away: Vec<String> = self.interfaces.keys().filter(|name| !counted.contains_key(*name)).cloned().collect();
        for name in away {
            self.note(&name, Cause::Away, true, now, &mut changes);
        }
        changes
    }

    fn measure(&mut self, name: &str, counts: Counts, now: Instant) -> [(Cause, bool); 4] {
        let begin = Interface { last: counts, window: (now, counts), openings: (now, counts), dropping: false, one_sided: false };
        let interface = self.interfaces.entry(name.to_owned()).or_insert(begin);
        // Threads that were begun anew count anew.
        if counts.frames < interface.last.frames {
            (interface.window, interface.openings) = ((now, counts), (now, counts));
        }
        let is_silent = counts.frames == interface.last.frames;
        interface.last = counts;
        let (since, before) = interface.window;
        if now - since >= WINDOW {
            let (frames, dropped) = (counts.frames - before.frames, counts.dropped.saturating_sub(before.dropped));
            interface.dropping =
                dropped > 0 && dropped.saturating_mul(1_000) > (frames + dropped).saturating_mul(u64::from(self.watch.drops_per_mille));
            interface.window = (now, counts);
        }
        let (since, before) = interface.openings;
        let (syns, syn_acks) = (counts.syns.saturating_sub(before.syns), counts.syn_acks.saturating_sub(before.syn_acks));
        let (fewer, more) = (syns.min(syn_acks), syns.max(syn_acks));
        if fewer > 0 {
            (interface.openings, interface.one_sided) = ((now, counts), false);
        } else if more >= OPENINGS && now - since >= self.watch.blind_after {
            interface.one_sided = true;
        }
        let one_sided = interface.one_sided;
        [(Cause::Away, false), (Cause::Silent, is_silent), (Cause::Drops, interface.dropping), (Cause::OneSided, one_sided)]
    }

    fn note(&mut self, name: &str, cause: Cause, holds: bool, now: Instant, changes: &mut Vec<Change>) {
        let key = (name.to_owned(), cause);
        let change = |blind, lasted| Change { interface: name.to_owned(), cause, blind, lasted };
        if !holds {
            if let Some(state) = self.states.remove(&key).filter(|state| state.told) {
                changes.push(change(false, now - state.since));
            }
            return;
        }
        let state = self.states.entry(key).or_insert(State { since: now, told: false });
        // It has lasted by the time it is found.
        let lasted = now - state.since;
        if !state.told && (cause == Cause::OneSided || lasted >= self.watch.blind_after) {
            state.told = true;
            changes.push(change(true, lasted.max(if cause == Cause::OneSided { self.watch.blind_after } else { Duration::ZERO })));
        }
    }
}

impl Counts {
    const fn of(snapshot: &Snapshot) -> Self {
        Self {
            frames: snapshot.frames,
            dropped: snapshot.kernel.unseen(),
            syns: snapshot.shards.flow.syns,
            syn_acks: snapshot.shards.flow.syn_acks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::KernelCounters;
    use crate::engine::ShardCounters;
    use crate::engine::flow::FlowCounters;

    fn watch() -> Watch {
        Watch { heartbeat: Duration::ZERO, blind_after: Duration::from_secs(60), drops_per_mille: 10 }
    }

    /// What changed in so many seconds, by the second in which it did.
    fn told(seconds: u64, counted: impl Fn(u64) -> Option<Snapshot>) -> Vec<(u64, Cause, bool)> {
        let (mut health, start) = (Health::new(watch()), Instant::now());
        let mut told = Vec::new();
        for second in 0..seconds {
            let counted = counted(second).map(|snapshot| ("eth0".to_owned(), snapshot)).into_iter().collect();
            let changes = health.look(&counted, start + Duration::from_secs(second));
            told.extend(changes.into_iter().map(|change| (second, change.cause, change.blind)));
        }
        told
    }

    fn snapshot(frames: u64, dropped: u64, syns: u64, syn_acks: u64) -> Option<Snapshot> {
        let kernel = KernelCounters { received: frames + dropped, dropped, dropped_by_interface: 0 };
        let flow = FlowCounters { syns, syn_acks, ..FlowCounters::default() };
        Some(Snapshot { frames, kernel, shards: ShardCounters { flow, ..ShardCounters::default() }, ..Snapshot::default() })
    }

    #[test]
    fn a_sensor_that_sees_says_nothing() {
        assert_eq!(told(600, |second| snapshot(second * 100, second / 60, second, second)), []);
    }

    #[test]
    fn traffic_that_stops_is_told_after_a_minute_and_so_is_its_return() {
        let told = told(400, |second| snapshot(if second < 100 { second } else { 100 + second.saturating_sub(200) }, 0, second, second));
        assert_eq!(told, [(161, Cause::Silent, true), (201, Cause::Silent, false)]);
    }

    #[test]
    fn drops_that_last_are_told_and_those_of_a_moment_are_not() {
        let dropped = |second: u64| if second < 200 { 0 } else { (second - 200) * 5 };
        assert_eq!(told(300, |second| snapshot(second * 100, dropped(second), second, second)), [(270, Cause::Drops, true)]);
        assert_eq!(told(300, |second| snapshot(second * 100, if second < 100 { 0 } else { 400 }, second, second)), []);
    }

    #[test]
    fn one_direction_alone_is_told() {
        assert_eq!(told(100, |second| snapshot(second * 100, 0, second * 2, 0)), [(60, Cause::OneSided, true)]);
        assert_eq!(told(100, |second| snapshot(second * 100, 0, 0, second * 2)), [(60, Cause::OneSided, true)]);
        assert_eq!(told(100, |second| snapshot(second * 100, 0, second / 10, 0)), [], "too few to say");
    }

    #[test]
    fn an_interface_that_is_away_is_told_and_so_is_its_return() {
        let there = |second: u64| if (100..300).contains(&second) { None } else { snapshot(second, 0, second, second) };
        assert_eq!(told(400, there), [(160, Cause::Away, true), (300, Cause::Away, false)]);
    }
}
