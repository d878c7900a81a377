//! How long is waited between attempts, when a sink gives up, and how a rate is kept.

use std::collections::VecDeque;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use super::error::{Remedy, SinkError};

/// The wait after the first failure. Each further one is twice as long, and each is stretched by chance to up to twice itself, so that sensors
/// do not come back in step. A receiver that was down for some seconds is told within seconds of its return.
const FIRST: Duration = Duration::from_millis(500);

/// The longest wait of that row: each sink has one attempt under way, so asking every few minutes costs a receiver nothing, and one that was away
/// for an hour or a night is told within minutes.
const LONGEST: Duration = Duration::from_secs(300);

/// Attempts for a receiver that is away: between 2.7 and 5.5 days, as the schedule of Standard Webhooks 1.0 spans three.
const ATTEMPTS_AWAY: usize = 800;

/// Attempts for a record that a receiver answers with an error that speaks of itself (500, 3xx): 7 to 13 hours, because those behind it wait.
const ATTEMPTS_REFUSED: usize = 90;

/// The longest wait that a receiver may ask for by `Retry-After`.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// How long a receiver that said 410 Gone is left alone before the next record is tried on it.
pub(super) const REST: Duration = Duration::from_secs(3600);

/// How long is waited after a failure that followed `attempts` others; none gives up.
pub(super) fn wait(error: &SinkError, attempts: u32) -> Option<Duration> {
    let most = match error.remedy() {
        Remedy::Wait => ATTEMPTS_AWAY,
        Remedy::WaitLess => ATTEMPTS_REFUSED,
        Remedy::GiveUp | Remedy::Rest => return None,
    };
    let steps = ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(LONGEST).with_max_times(most).with_jitter();
    let step = steps.build().nth(usize::try_from(attempts).unwrap_or(usize::MAX))?;
    Some(error.retry_after().map_or(step, |asked| step.max(asked.min(LONGEST_ASKED))))
}

/// A rate that is kept by waiting: at most so many in any minute.
#[derive(Debug)]
pub(super) struct Pace {
    per_minute: Option<u32>,
    last: VecDeque<Instant>,
}

impl Pace {
    /// A rate of `per_minute`, or none.
    pub(super) const fn new(per_minute: Option<u32>) -> Self {
        Self { per_minute, last: VecDeque::new() }
    }

    /// When the next one may go; `now` or later.
    pub(super) fn next(&self, now: Instant) -> Instant {
        let full = self.per_minute.is_some_and(|most| self.last.len() >= most.max(1) as usize);
        self.last.front().filter(|_| full).map_or(now, |first| (*first + Duration::from_secs(60)).max(now))
    }

    /// Notes that one went.
    pub(super) fn went(&mut self, now: Instant) {
        let Some(most) = self.per_minute else { return };
        while self.last.len() >= most.max(1) as usize {
            self.last.pop_front();
        }
        self.last.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> SinkError {
        SinkError::Unreachable { to: "siem.example".to_owned(), why: "refused".to_owned() }
    }

    fn answered(status: u16, retry_after: Option<Duration>) -> SinkError {
        SinkError::Answer { to: "siem.example".to_owned(), status, said: String::new(), retry_after }
    }

    #[test]
    fn a_receiver_that_is_briefly_down_is_told_within_seconds_of_its_return() {
        let mut passed = Duration::ZERO;
        for attempts in 0..4 {
            let step = wait(&away(), attempts).unwrap();
            let least = FIRST * 2_u32.pow(attempts);
            assert!((least..=2 * least).contains(&step), "{step:?} after {attempts}");
            passed += step;
        }
        assert!(passed <= Duration::from_secs(15), "{passed:?}");
    }

    #[test]
    fn a_receiver_that_is_away_for_days_is_given_up_visibly_and_never_asked_less_than_every_ten_minutes() {
        let waits: Vec<Duration> = (0..).map_while(|attempts| wait(&away(), attempts)).collect();
        assert_eq!(waits.len(), ATTEMPTS_AWAY);
        assert!(waits.iter().all(|wait| *wait <= 2 * LONGEST));
        let days = waits.iter().sum::<Duration>().as_secs_f64() / 86_400.0;
        assert!((2.7..5.6).contains(&days), "{days}");
    }

    #[test]
    fn a_record_that_is_refused_for_good_is_given_up_at_once_and_one_that_may_pass_later_is_not() {
        for status in [400, 401, 403, 404, 413, 422] {
            assert_eq!(wait(&answered(status, None), 0), None, "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(wait(&answered(status, None), 0).is_some(), "{status}");
        }
        assert_eq!(wait(&SinkError::Gone { to: String::new() }, 0), None);
        assert!(wait(&answered(500, None), 90).is_none() && wait(&answered(503, None), 90).is_some());
    }

    #[test]
    fn a_receiver_is_left_alone_for_as_long_as_it_asks_but_not_for_a_year() {
        assert_eq!(wait(&answered(429, Some(Duration::from_secs(40))), 0), Some(Duration::from_secs(40)));
        assert_eq!(wait(&answered(503, Some(Duration::from_secs(31_536_000))), 0), Some(LONGEST_ASKED));
        assert!(wait(&answered(429, Some(Duration::ZERO)), 3).unwrap() >= Duration::from_secs(4), "zero does not undo the row of waits");
    }

    #[test]
    fn a_rate_delays_and_forgets_nothing() {
        let start = Instant::now();
        let mut pace = Pace::new(Some(2));
        for second in [0, 10] {
            let now = start + Duration::from_secs(second);
            assert_eq!(pace.next(now), now);
            pace.went(now);
        }
        let now = start + Duration::from_secs(20);
        assert_eq!(pace.next(now), start + Duration::from_secs(60));
        pace.went(start + Duration::from_secs(60));
        assert_eq!(pace.next(now), start + Duration::from_secs(70));
        assert_eq!(Pace::new(None).next(now), now);
    }
}
