//! What the service manager is told. Outside of it nobody is.

use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use libsystemd::daemon::{NotifyState, notify, watchdog_enabled};
use rustix::time::{ClockId, clock_gettime};

/// Words that wait for a service manager that does not listen.
const MOST_WORDS: usize = 64;

/// Words to the service manager; without one they go nowhere. Never waits: one that hangs is no reason to take no signals.
pub(super) fn tell(states: &[NotifyState]) {
    static TELLER: OnceLock<Option<Sender<Vec<NotifyState>>>> = OnceLock::new();
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let told = TELLER.get_or_init(teller).as_ref().is_some_and(|teller| teller.try_send(states.to_vec()).is_ok());
    if !told {
        tracing::warn!("the service manager does not listen: it was not told {states:?}");
    }
}

fn teller() -> Option<Sender<Vec<NotifyState>>> {
    let (sender, words) = bounded::<Vec<NotifyState>>(MOST_WORDS);
    let speak = move || {
        for states in words {
            if let Err(error) = notify(false, &states) {
                tracing::warn!("the service manager could not be told {states:?}: {error}");
            }
        }
    };
    thread::Builder::new().name("notify".to_owned()).spawn(speak).ok()?;
    Some(sender)
}

/// A reload begins. `Type=notify-reload` wants to know when.
pub(super) fn reloading() {
    let now = clock_gettime(ClockId::Monotonic);
    let micros = now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000);
    tell(&[NotifyState::Reloading, NotifyState::Other(format!("MONOTONIC_USEC={micros}"))]);
}

/// What feeds the watchdog: never a timer, only that everything has turned.
#[derive(Debug)]
pub(super) struct Watchdog {
    every: Option<Duration>,
    fed: Instant,
    /// Turns of each loop when it was last fed.
    turns: Vec<u64>,
}

impl Watchdog {
    /// The one that the service manager asked for, if it did.
    pub(super) fn new(now: Instant) -> Self {
        // Four times as often as it must be, so that one late turn is no alarm.
        Self { every: watchdog_enabled(false).map(|limit| limit / 4), fed: now, turns: Vec::new() }
    }

    /// True when it is to be fed: it is time, and each loop has turned since. `turns` are those of every loop, in a fixed order; a loop that is new
    /// counts as one that has turned.
    pub(super) fn is_due(&mut self, now: Instant, turns: Vec<u64>) -> bool {
        let Some(every) = self.every else { return false };
        if now - self.fed < every {
            return false;
        }
        let is_stuck = self.turns.len() == turns.len() && self.turns.iter().zip(&turns).any(|(before, since)| before == since);
        if !is_stuck {
            (self.fed, self.turns) = (now, turns);
        }
        !is_stuck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_is_fed_only_when_every_loop_has_turned() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut watchdog = Watchdog { every: Some(second), fed: start, turns: Vec::new() };
        assert!(!watchdog.is_due(start, vec![1, 1]), "it is not time yet");
        assert!(watchdog.is_due(start + second, vec![1, 1]));
        assert!(!watchdog.is_due(start + 2 * second, vec![2, 1]), "one loop stands still");
        assert!(watchdog.is_due(start + 3 * second, vec![2, 2]), "it turns again");
        assert!(watchdog.is_due(start + 5 * second, vec![2, 3, 1]), "another interface came");
        let mut nobody = Watchdog { every: None, ..watchdog };
        assert!(!nobody.is_due(start + 100 * second, vec![9, 9, 9]));
    }
}
