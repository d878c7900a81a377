//! Those who are told: one file per kind of sink. Each works from its outbox rows, in order, at least once.

mod error;
mod file;
mod form;
mod journald;
mod outlet;
mod patience;
mod secret;
mod syslog;
mod tls;
mod trial;
mod webhook;
mod work;

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::config::SinkSettings;
use crate::store::Store;
pub use error::SinkError;
pub use secret::SecretError;
pub use tls::TlsError;
pub use trial::{test_record, try_once};
use work::{Phase, Work};

/// All sinks of a configuration at work, each at its own pace.
#[derive(Debug)]
pub struct Sinks {
    store: Store,
    runtime: Handle,
    /// By which the store forgets to call us.
    call: u64,
    commits: watch::Sender<u64>,
    refreshes: watch::Sender<u64>,
    tasks: Vec<Task>,
}

#[derive(Debug)]
struct Task {
    settings: SinkSettings,
    phase: watch::Sender<Phase>,
    handle: JoinHandle<()>,
}

impl Sinks {
    /// Starts a task for each sink on the tokio runtime that is entered.
    #[must_use]
    pub fn begin(store: &Store, sinks: &[SinkSettings]) -> Self {
        let (commits, refreshes) = (watch::Sender::new(0), watch::Sender::new(0));
        let bell: watch::Sender<u64> = commits.clone();
        let call = store.on_commit(Box::new(move || bell.send_modify(|times| *times += 1)));
        let mut begun = Self { store: store.clone(), runtime: Handle::current(), call, commits, refreshes, tasks: Vec::new() };
        begun.tasks = sinks.iter().map(|settings| begun.task(settings, None)).collect();
        begun
    }

    /// Goes on with other settings: those unchanged keep running and read their secrets anew, the others end after their present attempt and begin
    /// anew.
    pub fn exchange(&mut self, sinks: &[SinkSettings]) {
        let mut before = std::mem::take(&mut self.tasks);
        for settings in sinks {
            let at = before.iter().position(|task| task.settings.name == settings.name);
            let task = match at.map(|at| before.swap_remove(at)) {
                Some(task) if task.settings == *settings => task,
                Some(task) => {
                    task.phase.send_replace(Phase::Leaving);
                    self.task(settings, Some(task.handle))
                }
                None => self.task(settings, None),
            };
            self.tasks.push(task);
        }
        for task in before {
            task.phase.send_replace(Phase::Leaving);
        }
        self.reopen();
    }

    /// Files are opened anew (SIGUSR1), secrets read and connections made anew.
    pub fn reopen(&self) {
        self.refreshes.send_modify(|times| *times += 1);
    }

    /// Ends all after what is due now was tried, or at `at_most`.
    pub async fn end(self, at_most: Duration) {
        for task in &self.tasks {
            task.phase.send_replace(Phase::Finishing);
        }
        self.store.forget(self.call);
        let aborts: Vec<_> = self.tasks.iter().map(|task| task.handle.abort_handle()).collect();
        let all = async {
            for task in self.tasks {
                let _ = task.handle.await;
            }
        };
        if timeout(at_most, all).await.is_err() {
            tracing::warn!("sinks were still at work; what they had under way is delivered again at the next start");
        }
        aborts.iter().for_each(tokio::task::AbortHandle::abort);
    }

    fn task(&self, settings: &SinkSettings, before: Option<JoinHandle<()>>) -> Task {
        let phase = watch::Sender::new(Phase::Working);
        let work = Work {
            store: self.store.clone(),
            settings: settings.clone(),
            phase: phase.subscribe(),
            commits: self.commits.subscribe(),
            refreshes: self.refreshes.subscribe(),
        };
        Task { settings: settings.clone(), phase, handle: self.runtime.spawn(work.run(before)) }
    }
}
