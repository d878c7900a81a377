//! How the daemon is put together, and the loop that looks after its threads until it is told to end.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use libsystemd::daemon::NotifyState;
use serde_json::json;
use tokio::runtime::Runtime;

use super::confine::confine;
use super::events::event;
use super::figures;
use super::health::{Change, Health};
use super::keeper::{Keep, Keeper, KeeperBoard};
use super::metrics::Metrics;
use super::minute::Minute;
use super::notify::{Watchdog, reloading, tell};
use super::reload::{LoadError, Loaded, Reload, kept, needs_restart, room_for_lists};
use super::sensor::Sensor;
use super::signals::Signals;
use super::wall::SystemWall;
use super::{Begun, log};
use crate::alert::SourceFacts;
use crate::capture::live::LiveError;
use crate::config::Config;
use crate::engine::limits::Limits;
use crate::pump::live::{Judge, JudgeBoard, JudgeOrder, MOST_BATCHES, Message, Snapshot, Told, Wall};
use crate::pump::sources::LEAST_MEMORY;
use crate::sink::Sinks;
use crate::store::{Kind, Record, Store, StoreError};

/// Records on their way to the thread that commits them.
const MOST_RECORDS: usize = 4_096;
/// A turn of the loop: signals are looked at so often.
const TURN: Duration = Duration::from_millis(50);
/// What is counted and which interfaces are there is looked at so often.
const LOOK: Duration = Duration::from_secs(1);
/// How long sinks may go on after the end was asked for.
const LAST_DELIVERIES: Duration = Duration::from_millis(300);
/// For tests: the number of the capture thread that SIGUSR2 freezes.
const FREEZE: &str = "SIDEWATCH_FREEZE";

/// Why the daemon cannot run, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Settings, rules, lists.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// The log's filter.
    #[error("{0}")]
    Log(String),
    /// Lists leave too little.
    #[error("the lists take {0} MiB of memory, as they are held twice while they are read anew: set `memory` to {1} or more")]
    Memory(u64, u64),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An interface may not be watched.
    #[error("{0}")]
    Capture(#[from] LiveError),
    /// Threads, signals.
    #[error("the system refuses what the daemon needs: {0}")]
    System(#[from] io::Error),
    /// A thread broke that the daemon cannot do without.
    #[error("internal error: the {0} thread ended; please report it")]
    Broke(&'static str),
}

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// When it cannot begin, or not go on.
pub fn run(begun: &Begun) -> Result<(), RunError> {
    let signals = Signals::catch()?;
    let loaded = begun.load()?;
    log::say(&loaded.config.log).map_err(RunError::Log)?;
    let mut daemon = Daemon::begin(begun, loaded)?;
    let ended = daemon.work(&signals);
    daemon.end();
    ended
}

/// Everything that runs.
struct Daemon<'a> {
    begun: &'a Begun,
    config: Config,
    /// MiB set aside for lists, those before and those after an exchange.
    room: u64,
    runtime: Runtime,
    store: Store,
    sinks: Sinks,
    sensor: Sensor,
    judge: (Sender<JudgeOrder>, Arc<JudgeBoard>, JoinHandle<()>),
    keeper: (Sender<Keep>, Arc<KeeperBoard>, JoinHandle<()>),
    reload: Reload,
    health: Health,
    minute: Minute,
    watchdog: Watchdog,
    looked: Instant,
    heart_beat: Instant,
    silent: Vec<String>,
    metrics: Arc<Metrics>,
    /// Interfaces and causes of blindness.
    blind: BTreeSet<String>,
}

impl<'a> Daemon<'a> {
    fn begin(begun: &'a Begun, loaded: Loaded) -> Result<Self, RunError> {
        let room = room_for_lists(&loaded);
        let Loaded { config, read } = loaded;
        if let Some(complaint) = read.complaint() {
            tracing::warn!("{complaint}");
        }
        let memory = u64::from(config.memory);
        let Some(rest) = memory.checked_sub(room).filter(|rest| *rest >= LEAST_MEMORY) else {
            return Err(RunError::Memory(read.list_bytes() >> 20, room + LEAST_MEMORY));
        };
        let store = open_store(&config)?;
        match confine(&config, &begun.config) {
            Ok(confined) => tracing::info!("{confined}"),
            Err(error) => tracing::warn!("{error}"),
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("sinks").enable_all().build()?;
        let sinks = {
            let _inside = runtime.enter();
            Sinks::begin(&store, &config.sinks)
        };
        let metrics = Arc::new(Metrics::new());
        figures::serve(&runtime, config.metrics, &metrics);
        let keeper = begin_keeper(&store, &config)?;
        let (messages, inbox) = bounded(MOST_BATCHES);
        let judge =
            begin_judge(&config, (Limits::within(rest << 20), read.in_force.clone()), inbox, (keeper.0.clone(), Arc::clone(&metrics)))?;
        let mut sensor = Sensor::new(config.capture.clone(), rest << 20, &read.in_force.knowledge, messages);
        sensor.begin()?;
        let now = Instant::now();
        let daemon = Self {
            begun,
            room,
            runtime,
            store,
            sinks,
            sensor,
            judge,
            keeper,
            reload: Reload::default(),
            health: Health::new(config.watch.clone()),
            minute: Minute::new(now),
            watchdog: Watchdog::new(now),
            looked: now,
            heart_beat: now,
            silent: Vec::new(),
            metrics,
            blind: BTreeSet::new(),
            config,
        };
        tracing::info!(rules = read.rules, "sidewatch {} watches with {} rules", env!("CARGO_PKG_VERSION"), read.rules);
        tell(&[NotifyState::Ready, NotifyState::Status(daemon.status())]);
        Ok(daemon)
    }

    fn status(&self) -> String {
        let names: Vec<String> = self.counted().into_keys().collect();
        if names.is_empty() {
            format!("waiting for an interface: {}", self.config.capture.interfaces.join(", "))
        } else {
            format!("watching {}", names.join(", "))
        }
    }

    fn work(&mut self, signals: &Signals) -> Result<(), RunError> {
        while !signals.wants_stop() {
            thread::sleep(TURN);
            let now = Instant::now();
            if signals.wants_reload() {
                reloading();
                tracing::info!("settings, rules and lists are read anew");
                self.reload.begin(self.begun);
            }
            if let Some(read) = self.reload.done(self.begun, self.room) {
                self.exchange(read);
                tell(&[NotifyState::Ready, NotifyState::Status(self.status())]);
            }
            if signals.wants_reopen() {
                self.sinks.reopen();
            }
            if signals.wants_freeze() {
                self.freeze();
            }
            if now - self.looked >= LOOK {
                self.looked = now;
                self.look(now);
            }
            if self.watchdog.is_due(now, self.turns()) {
                tell(&[NotifyState::Watchdog]);
            }
            for (name, handle) in [("judging", &self.judge.2), ("keeping", &self.keeper.2)] {
                if handle.is_finished() {
                    return Err(RunError::Broke(name));
                }
            }
        }
        Ok(())
    }

    /// Turns of every loop that must turn.
    fn turns(&self) -> Vec<u64> {
        let captures = self.sensor.boards().into_iter().map(|(_, board)| board.turns());
        captures.chain([self.judge.1.turns(), self.keeper.1.turns()]).collect()
    }

    /// What was counted, by interface.
    fn counted(&self) -> BTreeMap<String, Snapshot> {
        let mut counted: BTreeMap<String, Snapshot> = BTreeMap::new();
        for (name, board) in self.sensor.boards() {
            let snapshot = board.snapshot();
            let sum = counted.remove(&name).map_or_else(|| snapshot.clone(), |sum| sum.plus(&snapshot));
            counted.insert(name, sum);
        }
        counted
    }

    fn look(&mut self, now: Instant) {
        let was_idle = self.sensor.is_idle();
        self.sensor.look();
        if was_idle != self.sensor.is_idle() {
            tell(&[NotifyState::Status(self.status())]);
        }
        let (counted, judged) = (self.counted(), self.judge.1.snapshot());
        self.minute.look(&counted, &judged, now);
        for interface in judged.silent.iter().filter(|name| !self.silent.contains(name)) {
            tracing::error!(interface, "a capture thread of {interface} says nothing: the others do not wait for it any more");
        }
        figures::take(&self.metrics, &self.sensor, &judged, &self.keeper.1);
        let (metrics, store) = (Arc::clone(&self.metrics), self.store.clone());
        self.runtime.spawn_blocking(move || figures::of_sinks(&metrics, &store, SystemWall.now()));
        self.silent = judged.silent;
        for change in self.health.look(&counted, now) {
            self.tell_health(&change);
        }
        let every = self.config.watch.heartbeat;
        if !every.is_zero() && now - self.heart_beat >= every {
            self.heart_beat = now;
            self.beat(&counted);
        }
    }

    fn tell_health(&mut self, Change { interface, cause, blind, lasted }: &Change) {
        let (what, seconds) = (format!("{}-{interface}", cause.name()), lasted.as_secs());
        let facts = json!({ "interface": interface, "cause": cause.name(), "seconds": seconds });
        let sensor = &self.config.sensor;
        let (kind, headline) = if *blind {
            let headline = format!("The sensor {sensor} is blind on {interface}, for {seconds} s: {}", cause.words());
            tracing::error!(interface, cause = cause.name(), "{headline}");
            self.blind.insert(what.clone());
            (Kind::Blind, headline)
        } else {
            let headline = format!("The sensor {sensor} sees again on {interface}, after {seconds} s");
            tracing::info!(interface, cause = cause.name(), "{headline}");
            self.blind.remove(&what);
            (Kind::Seeing, headline)
        };
        self.metrics.blind(!self.blind.is_empty());
        self.keep(event(kind, &self.config.sensor, (&what, SystemWall.now()), headline, facts));
    }

    fn beat(&self, counted: &BTreeMap<String, Snapshot>) {
        let frames: u64 = counted.values().map(|snapshot| snapshot.frames).sum();
        let interfaces: Vec<&String> = counted.keys().collect();
        let headline = format!("The sensor {} lives: {frames} packets so far", self.config.sensor);
        let facts = json!({ "packets": frames, "interfaces": interfaces });
        self.keep(event(Kind::Heartbeat, &self.config.sensor, ("heartbeat", SystemWall.now()), headline, facts));
    }

    /// The loop never waits for the database.
    fn keep(&self, record: Record) {
        if self.keeper.0.try_send(Keep::Complete(record)).is_err() {
            tracing::error!("the queue to the database is full: what the sensor says of itself is left out");
        }
    }

    fn exchange(&mut self, read: Result<Loaded, LoadError>) {
        let Loaded { config, read } = match read {
            Ok(loaded) => loaded,
            Err(error) => return tracing::error!("{error}\n  what was read before stays in force"),
        };
        if let Err(error) = log::say(&config.log) {
            return tracing::error!("{error}\n  what was read before stays in force");
        }
        for key in needs_restart(&self.config, &config) {
            tracing::warn!(key, "`{key}` was changed: that takes force when sidewatch is restarted");
        }
        if let Some(complaint) = read.complaint() {
            tracing::warn!("{complaint}");
        }
        let config = kept(&self.config, config);
        self.sensor.exchange(&read.in_force.knowledge);
        // The queue of orders is empty but for another exchange that nobody looked at yet.
        let _ = self.judge.0.send_timeout(JudgeOrder::Exchange(read.in_force.clone()), LOOK);
        self.keeper.1.exchange(&config.sinks);
        self.sinks.exchange(&config.sinks);
        self.health.exchange(config.watch.clone());
        self.config = config;
        let lists = read.in_force.knowledge.indicators.len();
        tracing::info!(
            rules = read.rules,
            indicators = lists,
            "read anew: {} rules, {lists} indicators, {} sinks",
            read.rules,
            self.config.sinks.len()
        );
    }

    fn freeze(&self) {
        let number = std::env::var(FREEZE).ok().and_then(|number| number.parse::<usize>().ok());
        if let Some((name, board)) = number.and_then(|number| self.sensor.boards().into_iter().nth(number)) {
            tracing::warn!(interface = name, "a capture thread of {name} is frozen, as a test wants it");
            board.freeze();
        }
    }

    /// Within two seconds: what was captured is judged, what was judged is committed, and sinks have a moment.
    fn end(self) {
        tell(&[NotifyState::Stopping]);
        tracing::info!("sidewatch ends");
        let Self { sensor, judge: (orders, _, judge), keeper: (records, board, keeper), sinks, runtime, store, .. } = self;
        sensor.stop();
        let _ = orders.send(JudgeOrder::Stop);
        if judge.join().is_err() {
            tracing::error!("the judging thread broke: what it had not told is lost");
        }
        drop(records);
        if keeper.join().is_err() {
            tracing::error!("the keeping thread broke: what it had not committed is lost");
        }
        runtime.block_on(sinks.end(LAST_DELIVERIES));
        runtime.shutdown_timeout(LAST_DELIVERIES);
        drop(store);
        let [_, (_, committed), (_, lost), _] = board.counters();
        tracing::info!(committed, lost, "sidewatch has ended: {committed} records were committed, {lost} lost");
    }
}

fn open_store(config: &Config) -> Result<Store, StoreError> {
    let store = Store::open(&config.store, &config.sinks)?;
    if let Some(aside) = store.set_aside() {
        tracing::error!(
            "the alert database was damaged: it lies at {}, {} alerts of it were taken over",
            aside.path.display(),
            aside.alerts
        );
    }
    Ok(store)
}

type KeeperThread = (Sender<Keep>, Arc<KeeperBoard>, JoinHandle<()>);
type JudgeThread = (Sender<JudgeOrder>, Arc<JudgeBoard>, JoinHandle<()>);

fn begin_keeper(store: &Store, config: &Config) -> io::Result<KeeperThread> {
    let (records, inbox) = bounded(MOST_RECORDS);
    let board = Arc::new(KeeperBoard::new(&config.sinks));
    let keeper = Keeper::new(store.clone(), Arc::clone(&board));
    let handle = thread::Builder::new().name("keep".to_owned()).spawn(move || keeper.run(&inbox))?;
    Ok((records, board, handle))
}

fn begin_judge(
    config: &Config,
    (limits, in_force): (Limits, crate::pump::Renewal),
    inbox: Receiver<Message>,
    (records, metrics): (Sender<Keep>, Arc<Metrics>),
) -> io::Result<JudgeThread> {
    let (orders, told) = bounded(4);
    let board = Arc::new(JudgeBoard::default());
    let host = config.sensor.clone();
    let keep = move |Told { alert, interface, pending }: Told| {
        let source = SourceFacts { host: Some(host.clone()), in_iface: interface.map(|name| name.to_string()), pcap_filename: None };
        let record = Record::of(&alert, &source);
        if !pending {
            metrics.alert(record.severity, &record.mechanism);
        }
        // The thread that commits takes everything at once between two transactions; it is waited for. One that is gone ends the daemon.
        let _ = records.send(if pending { Keep::Pending(record) } else { Keep::Complete(record) });
    };
    let judge = Judge::new(limits, in_force, Arc::clone(&board), keep);
    let handle = thread::Builder::new().name("judge".to_owned()).spawn(move || judge.run(&inbox, &told))?;
    Ok((orders, board, handle))
}
