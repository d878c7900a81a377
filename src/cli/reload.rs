//! Rules and lists read anew while a capture is followed: on SIGHUP, beside the watch and not in its way.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use indicatif::ProgressBar;
use signal_hook::consts::SIGHUP;
use signal_hook::low_level::pipe;

use super::say;
use crate::pump::Renewal;
use crate::pump::sources::{Read, Sources};

/// What was read and has not taken force yet. Only the newest is kept, however often it is asked for.
#[derive(Clone, Default)]
pub(super) struct Renewals(Arc<Mutex<Option<Renewal>>>);

impl Renewals {
    /// The newest, once.
    pub(super) fn take(&self) -> Option<Renewal> {
        self.slot(Option::take)
    }

    fn put(&self, renewal: Renewal) {
        // What it replaces is dropped outside the lock.
        drop(self.slot(|slot| slot.replace(renewal)));
    }

    fn slot<T>(&self, work: impl FnOnce(&mut Option<Renewal>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether the program belongs to a terminal that is still there.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Reads everything anew when it is told to.
pub(super) struct Reloader {
    sources: Sources,
    /// MiB for lists, those before and those after an exchange.
    set_aside: u64,
    bar: ProgressBar,
}

impl Reloader {
    pub(super) const fn new(sources: Sources, set_aside: u64, bar: ProgressBar) -> Self {
        Self { sources, set_aside, bar }
    }

    /// Waits for SIGHUP on a thread of its own, until the program ends. A terminal that hangs up sends the same signal, and means `stop`.
    ///
    /// # Errors
    /// When the signal cannot be caught.
    pub(super) fn begin(self, stop: Arc<AtomicBool>) -> io::Result<Renewals> {
        let (mut told, teller) = UnixStream::pair()?;
        pipe::register(SIGHUP, teller)?;
        let renewals = Renewals::default();
        let (slot, had_terminal) = (renewals.clone(), has_terminal());
        thread::Builder::new().name("reload".to_owned()).spawn(move || {
            // Signals that came in the meantime are one.
            while told.read(&mut [0; 64]).is_ok_and(|bytes| bytes > 0) {
                if had_terminal && !has_terminal() {
                    stop.store(true, Ordering::Relaxed);
                    return;
                }
                match self.read() {
                    Ok(read) => {
                        let (rules, lists) = (read.rules, read.in_force.knowledge.indicators.len());
                        slot.put(read.in_force);
                        self.tell(&format!("sidewatch: read anew: {rules} rules, {lists} indicators"));
                    }
                    Err(complaint) => self.tell(&format!("sidewatch: {complaint}\n  what was read before stays in force")),
                }
            }
        })?;
        Ok(renewals)
    }

    fn read(&self) -> Result<Read, String> {
        let read = self.sources.read()?;
        if let Some(complaint) = read.complaint() {
            self.tell(&format!("sidewatch: {complaint}"));
        }
        let (lists, room) = (read.list_bytes() >> 20, self.set_aside / 2);
        if lists > room {
            return Err(format!("the lists take {lists} MiB of memory, and {room} were set aside for them: begin anew with more --memory"));
        }
        Ok(read)
    }

    fn tell(&self, line: &str) {
        self.bar.suspend(|| say(line));
    }
}
