//! `sinks test`: each sink is told a test, all at the same time, and each result is told as it comes.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::super::{Status, printable};
use super::{Format, print};
use crate::config::SinkSettings;
use crate::sink::{SinkError, test_record, try_once};

/// An attempt is given up after this, whatever the sink's own limits are: somebody waits at the terminal.
const AT_MOST: Duration = Duration::from_secs(130);

pub(super) fn run(sensor: &str, sinks: &[SinkSettings], format: Format) -> anyhow::Result<Status> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(all(sensor, sinks, format));
    runtime.shutdown_background(); // what hangs in a system call does not hold the terminal
    Ok(if outcome? { Status::Done } else { Status::Wrong })
}

/// Whether all took it.
async fn all(sensor: &str, sinks: &[SinkSettings], format: Format) -> anyhow::Result<bool> {
    let record = test_record(sensor);
    let mut attempts = JoinSet::new();
    for sink in sinks {
        let (sink, record) = (sink.clone(), record.clone());
        attempts.spawn(async move {
            let begun = Instant::now();
            let outcome = timeout(AT_MOST, try_once(&sink, &record)).await.unwrap_or(Err(SinkError::BrokenOff));
            (sink.name, begun.elapsed(), outcome)
        });
    }
    let mut took = true;
    while let Some(ended) = attempts.join_next().await {
        let (name, passed, outcome) = ended?;
        took &= outcome.is_ok();
        print(&line(&name, passed, outcome.err().as_ref(), format))?;
    }
    Ok(took)
}

fn line(name: &str, passed: Duration, error: Option<&SinkError>, format: Format) -> String {
    let millis = passed.as_millis();
    match (format, error) {
        (Format::Json, None) => format!("{}\n", json!({"sink": name, "ok": true, "milliseconds": millis})),
        (Format::Json, Some(error)) => {
            let told = json!({"sink": name, "ok": false, "milliseconds": millis, "error": error.to_string(), "advice": error.advice()});
            format!("{told}\n")
        }
        (Format::Text, None) => format!("{name}: ok, {millis} ms\n"),
        (Format::Text, Some(error)) => {
            let advice = error.advice().map_or_else(String::new, |advice| format!("  {advice}\n"));
            format!("{name}: FAILED after {millis} ms: {}\n{advice}", printable(&error.to_string()))
        }
    }
}
