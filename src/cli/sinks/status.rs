//! `sinks status`: what the database says about deliveries.

use jiff::Timestamp;
use serde_json::json;

use super::super::{Status, printable, say};
use super::{Format, print};
use crate::config::Config;
use crate::store::{Archive, SinkState, Store, StoreError, now};

pub(super) fn run(config: &Config, names: &[String], retry_dead: bool, format: Format) -> anyhow::Result<Status> {
    match states(config, names, retry_dead) {
        Ok(states) => {
            if let Some(name) = names.iter().find(|name| !states.iter().any(|state| state.sink == **name)) {
                say(&format!("sidewatch: neither the configuration nor the database knows a sink named {}", printable(name)));
                return Ok(Status::BadInput);
            }
            let now = now();
            print(&states.iter().map(|state| told(state, now, format)).collect::<String>())?;
            Ok(Status::Done)
        }
        Err(error) => {
            say(&format!("sidewatch: {}", printable(&error.to_string())));
            Ok(Status::BadInput)
        }
    }
}

/// How the sinks fare, after what was given up waits again where that is asked for.
fn states(config: &Config, names: &[String], retry_dead: bool) -> Result<Vec<SinkState>, StoreError> {
    Archive::open(&config.store.folder)?; // a database that is not there is told, not made
    let store = Store::attach(&config.store, &config.sinks)?;
    let chosen = |state: &SinkState| names.is_empty() || names.contains(&state.sink);
    let mut states: Vec<SinkState> = store.sink_states()?.into_iter().filter(chosen).collect();
    if retry_dead {
        for state in &states {
            let again = store.retry_dead(&state.sink)?;
            if again > 0 {
                say(&format!("sidewatch: {} given up for {} wait again", again, printable(&state.sink)));
            }
        }
        states = store.sink_states()?.into_iter().filter(chosen).collect();
    }
    Ok(states)
}

fn told(state: &SinkState, now: i64, format: Format) -> String {
    let lag = state.oldest_waiting.map(|made| now.saturating_sub(made).max(0));
    match format {
        Format::Json => {
            let error = state.last_error.as_ref().map(|(at, why)| json!({"at": time(*at), "why": why}));
            let line = json!({
                "sink": state.sink, "waiting": state.waiting, "dead": state.dead, "lag_milliseconds": lag.unwrap_or(0),
                "last_success": state.last_success.map(time), "last_error": error,
            });
            format!("{line}\n")
        }
        Format::Text => {
            let success = state.last_success.map_or_else(|| "never".to_owned(), |at| ago(at, now));
            let mut text = format!("{}\n  last success  {success}\n  waiting       {}", printable(&state.sink), state.waiting);
            text += &lag.map_or_else(String::new, |lag| format!(", the oldest for {}", length(lag)));
            if state.dead > 0 {
                text += &format!("\n  given up      {}; `sidewatch sinks status --retry-dead` tries them again", state.dead);
            }
            if let Some((at, why)) = &state.last_error {
                let over = state.last_success.is_some_and(|success| success > *at);
                text += &format!("\n  last error    {}{}: {}", ago(*at, now), if over { ", over since" } else { "" }, printable(why));
            }
            text + "\n"
        }
    }
}

fn ago(at: i64, now: i64) -> String {
    format!("{} ({} ago)", time(at), length(now.saturating_sub(at).max(0)))
}

fn time(millis: i64) -> String {
    format!("{:.0}", Timestamp::from_millisecond(millis).unwrap_or_default())
}

/// The largest unit that fits, and no more: 5 s, 3 min, 2 h, 4 d.
fn length(millis: i64) -> String {
    match millis / 1000 {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_521_601_000;

    fn state() -> SinkState {
        SinkState {
            sink: "soc".to_owned(),
            waiting: 3,
            dead: 1,
            last_success: Some(NOW - 7_200_000),
            oldest_waiting: Some(NOW - 125_000),
            last_error: Some((NOW - 5_000, "siem:443 answered 503: \u{1b}[31mbusy".to_owned())),
        }
    }

    #[test]
    fn an_operator_sees_what_waits_since_when_and_why() {
        let text = told(&state(), NOW, Format::Text);
        assert_eq!(
            text,
            "soc\n  last success  2026-11-24T10:00:01Z (2 h ago)\n  waiting       3, the oldest for 2 min\n  given up      1; `sidewatch sinks status \
             --retry-dead` tries them again\n  last error    2026-11-24T11:59:56Z (5 s ago): siem:443 answered 503: \\u{1b}[31mbusy\n"
        );
    }

    #[test]
    fn an_error_before_the_last_success_is_over() {
        let text = told(&SinkState { last_success: Some(NOW), ..state() }, NOW, Format::Text);
        assert!(text.contains("(5 s ago), over since:"), "{text}");
    }

    #[test]
    fn a_sink_that_never_took_anything_says_so() {
        let state = SinkState { sink: "soc".to_owned(), ..SinkState::default() };
        assert_eq!(told(&state, NOW, Format::Text), "soc\n  last success  never\n  waiting       0\n");
        let line: serde_json::Value = serde_json::from_str(&told(&state, NOW, Format::Json)).unwrap();
        assert_eq!((&line["last_success"], &line["lag_milliseconds"]), (&json!(null), &json!(0)));
    }
}
