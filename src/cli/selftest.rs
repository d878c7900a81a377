//! `sidewatch selftest`: a harmless injection, made here and never sent, through engine, judgement and database to each sink.

mod injection;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::{Status, printable, say, settings};
use crate::alert::{Alert, SourceFacts};
use crate::config::{Config, USUAL_PATH};
use crate::correlate::Correlator;
use crate::daemon::SystemWall;
use crate::engine::Engine;
use crate::engine::limits::Limits;
use crate::engine::observation::{Observation, What};
use crate::engine::time::Span;
use crate::pump::Renewal;
use crate::pump::live::Wall;
use crate::pump::sources::Sources;
use crate::sink::try_once;
use crate::store::{Kind, Record, Store};

/// Try the whole way of an alert, from packets to each sink, with an injection that is made up
#[derive(Args)]
#[command(after_help = "\
Examples:
  sidewatch selftest                        each hop, and how long it took
  sudo -u sidewatch sidewatch selftest      with the rights that the daemon has

The packets are made in memory, between addresses that are kept for documentation (192.0.2.0/24, 198.51.100.0/24); nothing is sent onto any
network but what sinks are told, which is marked as a test. It works beside the daemon.

Exit status:
  0  every hop works
  2  bad usage or settings
  3  a hop failed")]
pub(super) struct SelfTest {
    /// The file of settings
    #[arg(long, value_name = "FILE", default_value = USUAL_PATH)]
    config: PathBuf,
}

impl SelfTest {
    pub(super) fn run(self) -> anyhow::Result<Status> {
        let config = match settings::read(&self.config) {
            Ok(config) => config,
            Err(status) => return Ok(status),
        };
        let mut way = Way { failed: false };
        if let Some(record) = way.alert_record(&config) {
            way.hop("database", || kept(&config, &record));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            for sink in &config.sinks {
                way.hop(&format!("sink {}", sink.name), || {
                    runtime.block_on(try_once(sink, &record)).map(|()| ("told".to_owned(), ())).map_err(|error| error.to_string())
                });
            }
            if config.sinks.is_empty() {
                say("sidewatch: the settings have no sink: nobody would be told");
            }
        }
        Ok(if way.failed { Status::Wrong } else { Status::Done })
    }
}

/// What was found out about a hop: a few words, and what goes on to the next.
type Hop<T> = Result<(String, T), String>;

/// The way, as far as it was gone.
struct Way {
    failed: bool,
}

impl Way {
    /// One hop, timed and told.
    fn hop<T>(&mut self, name: &str, work: impl FnOnce() -> Hop<T>) -> Option<T> {
        let begun = Instant::now();
        let done = work();
        let took = begun.elapsed().as_secs_f64() * 1_000.0;
        let (mark, words, value) = match done {
            Ok((words, value)) => ("ok    ", words, Some(value)),
            Err(words) => ("FAILED", words, None),
        };
        self.failed |= value.is_none();
        say(&format!("{mark}  {name:<20} {took:>9.1} ms  {}", printable(&words)));
        value
    }

    /// Everything before the database.
    fn alert_record(&mut self, config: &Config) -> Option<Record> {
        let in_force = self.hop("rules and lists", || {
            let sources = Sources { rules: config.rules.clone(), indicators: config.indicators.clone(), knows_devices: true };
            let read = sources.read()?;
            Ok((format!("{} rules, {} indicators", read.rules, read.in_force.knowledge.indicators.len()), read.in_force))
        })?;
        let observations = self.hop("engine", || observed(&in_force))?;
        let alert = self.hop("judgement", || judged(observations))?;
        Some(record(&alert, config))
    }
}

fn observed(in_force: &Renewal) -> Hop<Vec<Observation>> {
    let began = SystemWall.now() - Span::from_secs(30);
    let mut engine = Engine::new(Limits::within(64 << 20), in_force.knowledge.clone(), 1);
    let frames = injection::frames();
    for (frame, number) in frames.iter().zip(1..) {
        engine.handle_frame(&frame.at(began, number));
    }
    engine.handle_timeout(began + Span::from_secs(20));
    engine.finish();
    let observations = engine.poll_observations();
    let cases = observations.iter().filter(|observation| matches!(observation.what, What::Case(_))).count();
    if cases == 0 {
        return Err(format!("none of {} packets was suspected", frames.len()));
    }
    Ok((format!("{} packets, {cases} case", frames.len()), observations))
}

/// By the usual policy: rules of this sensor may keep back what is between documentation addresses, and that would be no fault.
fn judged(observations: Vec<Observation>) -> Hop<Alert> {
    let now = SystemWall.now();
    let alerts = Correlator::new(&Limits::within(64 << 20)).finish(observations, now);
    let loudest = alerts.into_iter().min_by_key(|alert| alert.severity).ok_or("no alert was raised")?;
    Ok((format!("{}, severity {}", loudest.verdict.name(), loudest.severity), loudest))
}

/// The alert, which says of itself that it is a test.
fn record(alert: &Alert, config: &Config) -> Record {
    let source = SourceFacts { host: Some(config.sensor.clone()), in_iface: Some("selftest".to_owned()), pcap_filename: None };
    let record = Record::of(alert, &source);
    Record {
        id: format!("selftest-{}", record.id),
        kind: Kind::Test,
        headline: format!("Self-test, no attack: {}", record.headline),
        explanation: format!("This is a self-test of the sensor {}; nothing was attacked. {}", config.sensor, record.explanation),
        storm_key: format!("selftest|{}", record.id),
        ..record
    }
}

/// Kept with no sink's row, as each is told at once.
fn kept(config: &Config, record: &Record) -> Hop<()> {
    let store = Store::attach(&config.store, &config.sinks).map_err(|error| error.to_string())?;
    store.commit(std::slice::from_ref(record), &[]).map_err(|error| error.to_string())?;
    Ok((format!("committed in {}", config.store.folder.display()), ()))
}
