//! One sink at work: it takes what is due from its outbox, tells it, and notes what became of it.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::error::{Remedy, SinkError};
use super::outlet::Outlet;
use super::patience::{self, Pace};
use crate::config::SinkSettings;
use crate::store::{Delivery, Store, StoreError, now};

/// How often an idle sink looks into its outbox without being woken: another process may have put back what was given up.
const POLL: Duration = Duration::from_secs(1);

/// The wait before what is due in no time: clocks of the database and of the runtime differ by as much.
const SOONEST: Duration = Duration::from_millis(5);

/// The wait before a connection that broke is tried anew for what it may have lost.
const REPAYMENT: Duration = Duration::from_secs(5);

/// How long is waited when the database does not answer as it should.
const STORE_PAUSE: Duration = Duration::from_millis(250);

/// How far a sink's work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Until told otherwise.
    Working,
    /// What is due is tried once more, then it ends.
    Finishing,
    /// It ends after the present attempt.
    Leaving,
}

/// What a sink goes by.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// Its outbox.
    pub(super) store: Store,
    /// Its settings.
    pub(super) settings: SinkSettings,
    /// How far its work has come.
    pub(super) phase: watch::Receiver<Phase>,
    /// Changes with each commit.
    pub(super) commits: watch::Receiver<u64>,
    /// Changes when files are to be opened, and secrets to be read anew.
    pub(super) refreshes: watch::Receiver<u64>,
}

impl Work {
    /// Works until told to end, once `before` has ended. A panic costs one attempt, not the sink.
    pub(super) async fn run(self, before: Option<JoinHandle<()>>) {
        if let Some(before) = before {
            let _ = before.await; // its outbox is ours as soon as it has ended, however that was
        }
        loop {
            let mut one = JoinSet::new(); // which ends its task with this one
            one.spawn(Working::new(self.clone()).run());
            match one.join_next().await {
                Some(Err(error)) if error.is_panic() => {
                    tracing::error!(sink = self.settings.name, "a fault of this program ended the sink; it begins anew in a second");
                    sleep(POLL).await;
                }
                _ => return,
            }
        }
    }
}

/// A sink at work, with what it remembers between deliveries.
struct Working {
    work: Work,
    outlet: Outlet,
    pace: Pace,
    /// When the record that failed is due again.
    due: Option<Instant>,
    /// Until when a receiver that is gone is left alone.
    rests: Option<Instant>,
    failing: bool,
}

impl Working {
    fn new(work: Work) -> Self {
        let outlet = Outlet::new(work.settings.target.clone());
        let pace = Pace::new(work.settings.per_minute);
        Self { work, outlet, pace, due: None, rests: None, failing: false }
    }

    async fn run(mut self) {
        loop {
            let phase = *self.work.phase.borrow_and_update();
            if phase == Phase::Leaving {
                return;
            }
            self.work.commits.mark_unchanged(); // what is committed from here on wakes us
            let Some(until) = self.turn(phase).await else { continue };
            if phase == Phase::Finishing {
                return;
            }
            self.wait(until).await;
        }
    }

    /// One attempt if something is due and allowed; else until when to wait.
    async fn turn(&mut self, phase: Phase) -> Option<Instant> {
        if let Some(rests) = self.rests.filter(|rests| *rests > Instant::now()) {
            return Some(rests);
        }
        self.rests = None;
        match self.next().await {
            Ok(Some(delivery)) => {
                let allowed = self.allowed_at();
                if allowed.is_none() && !self.attempt(&delivery).await && phase == Phase::Finishing {
                    return self.due;
                }
                allowed
            }
            Ok(None) if self.outlet.repay().await => Some(self.idle_until()),
            Ok(None) => Some(Instant::now() + REPAYMENT),
            Err(error) => {
                tracing::warn!(sink = self.work.settings.name, %error, "the outbox cannot be read");
                Some(Instant::now() + POLL)
            }
        }
    }

    /// When the rate allows the next one, if that is not now.
    fn allowed_at(&self) -> Option<Instant> {
        let now = Instant::now();
        Some(self.pace.next(now)).filter(|at| *at > now)
    }

    /// When to look again: what waits is due, or another process may have put something back.
    fn idle_until(&self) -> Instant {
        let now = Instant::now();
        self.due.map_or(now + POLL, |due| due.clamp(now + SOONEST, now + POLL))
    }

    /// Until then, or a commit, or something else is asked for. A commit changes nothing for a rate or a rest.
    async fn wait(&mut self, until: Instant) {
        let held = self.allowed_at().is_some() || self.rests.is_some();
        let Work { phase, commits, .. } = &mut self.work;
        tokio::select! {
            () = sleep_until(until) => {}
            _ = phase.changed() => {}
            _ = commits.changed(), if !held => {}
            () = self.outlet.broken() => {}
        }
    }

    /// One attempt, noted. Whether it was told.
    async fn attempt(&mut self, delivery: &Delivery) -> bool {
        if self.work.refreshes.has_changed().unwrap_or(false) {
            self.work.refreshes.mark_unchanged();
            self.outlet.refresh();
        }
        self.pace.went(Instant::now());
        let name = self.work.settings.name.clone();
        match self.outlet.tell(delivery).await {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    tracing::info!(sink = name, "deliveries succeed again");
                }
                self.due = None;
                let row = delivery.row;
                self.note(move |store| store.delivered(row, now())).await;
                true
            }
            Err(error) => {
                self.failing = true;
                self.put_off(delivery, &error).await;
                false
            }
        }
    }

    async fn put_off(&mut self, delivery: &Delivery, error: &SinkError) {
        let wait = patience::wait(error, delivery.attempts);
        let (name, id) = (&self.work.settings.name, &delivery.record.id);
        match wait {
            Some(wait) => {
                tracing::warn!(sink = name, id, attempt = delivery.attempts + 1, again_in_s = wait.as_secs_f32(), %error, "not delivered")
            }
            None => tracing::error!(sink = name, id, %error, "given up; `sidewatch sinks status --retry-dead` tries it again"),
        }
        self.due = wait.map(|wait| Instant::now() + wait);
        if error.remedy() == Remedy::Rest {
            self.rests = Some(Instant::now() + patience::REST);
        }
        let (row, text, now) = (delivery.row, error.to_string(), now());
        let retry_at = wait.map(|wait| now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)));
        self.note(move |store| store.failed(row, &text, now, retry_at)).await;
    }

    async fn next(&self) -> Result<Option<Delivery>, StoreError> {
        let (store, name) = (self.work.store.clone(), self.work.settings.name.clone());
        spawn_blocking(move || store.next(&name, now())).await.unwrap_or(Ok(None))
    }

    /// Notes an outcome until the database takes it: what is delivered must not be delivered again for a lock that passes.
    async fn note(&mut self, act: impl Fn(&Store) -> Result<(), StoreError> + Clone + Send + 'static) {
        loop {
            let (store, act) = (self.work.store.clone(), act.clone());
            let Ok(Err(error)) = spawn_blocking(move || act(&store)).await else { return };
            tracing::warn!(sink = self.work.settings.name, %error, "the outcome of a delivery cannot be noted; tried again");
            let ended = timeout_at(Instant::now() + STORE_PAUSE, self.work.phase.wait_for(|phase| *phase != Phase::Working)).await.is_ok();
            if ended {
                sleep(STORE_PAUSE).await; // the one who ends us has a limit of time of its own
            }
        }
    }
}
