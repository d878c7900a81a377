//! Who waits for commits is woken here.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Call = Box<dyn Fn() + Send + Sync>;

#[derive(Default)]
pub(super) struct Bell {
    state: Mutex<State>,
    rung: Condvar,
}

#[derive(Default)]
struct State {
    rings: u64,
    next: u64,
    calls: Vec<(u64, Call)>,
}

impl Bell {
    pub(super) fn ring(&self) {
        let mut state = self.lock();
        state.rings += 1;
        for (_, call) in &state.calls {
            call();
        }
        drop(state);
        self.rung.notify_all();
    }
    pub(super) fn rings(&self) -> u64 {
        self.lock().rings
    }
    /// Waits until it has rung more often than `seen`, or the time has passed. The number of rings.
    pub(super) fn wait(&self, seen: u64, at_most: Duration) -> u64 {
        let waited = self.rung.wait_timeout_while(self.lock(), at_most, |state| state.rings <= seen);
        waited.unwrap_or_else(PoisonError::into_inner).0.rings
    }
    pub(super) fn call(&self, call: Call) -> u64 {
        let mut state = self.lock();
        state.next += 1;
        let number = state.next;
        state.calls.push((number, call));
        number
    }
    pub(super) fn forget(&self, number: u64) {
        self.lock().calls.retain(|(known, _)| *known != number);
    }
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bell").field("rings", &self.rings()).finish_non_exhaustive()
    }
}
