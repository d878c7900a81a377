//! Packet times and spans of time as people and other programs read them.

use crate::engine::time::{Span, Timestamp};

/// EVE's form, UTC with microseconds: `2026-11-24T12:00:01.004211+0000`.
pub(super) fn eve_time(time: Timestamp) -> String {
    written(time, "%Y-%m-%dT%H:%M:%S%.6f+0000")
}

/// The same moment for people: `2026-11-24 12:00:01.004211 UTC`.
pub(super) fn plain_time(time: Timestamp) -> String {
    written(time, "%Y-%m-%d %H:%M:%S%.6f UTC")
}

/// A span in the unit that suits it, without its sign: `28 ms`, `3.1 s`, `4 minutes`.
pub(super) fn plain_span(span: Span) -> String {
    let nanos = span.as_nanos().unsigned_abs();
    let (millis, seconds) = (nanos / 1_000_000, nanos / 1_000_000_000);
    match seconds {
        _ if millis == 0 => "less than 1 ms".to_owned(),
        0 => format!("{millis} ms"),
        1..120 => format!("{seconds}.{} s", millis % 1_000 / 100),
        120..7_200 => format!("{} minutes", seconds / 60),
        _ => format!("{} hours", seconds / 3_600),
    }
}

/// Nanoseconds in 64 bits reach from 1677 to 2262: inside what the calendar can write, with a year of four digits.
fn written(time: Timestamp, form: &str) -> String {
    let moment = jiff::Timestamp::from_nanosecond(i128::from(time.as_nanos())).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    moment.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_with_microseconds_cut_not_rounded() {
        let time = Timestamp::from_parts(1_795_521_601, 4_211_999);
        assert_eq!(eve_time(time), "2026-11-24T12:00:01.004211+0000");
        assert_eq!(plain_time(time), "2026-11-24 12:00:01.004211 UTC");
        assert_eq!(eve_time(Timestamp::from_parts(1_795_521_601, 0)), "2026-11-24T12:00:01.000000+0000");
    }

    #[test]
    fn absurd_stamps_still_have_a_year_of_four_digits() {
        assert_eq!(eve_time(Timestamp::MAX), "2262-04-11T23:47:16.854775+0000");
        let first = eve_time(Timestamp::MIN);
        assert!(first.starts_with("1677-09-21T00:12:43."), "{first}");
    }

    #[test]
    fn spans_take_the_unit_that_suits_them() {
        let said = [0, 28_111_000, 999_999_999, 3_140_000_000, 300_000_000_000, 86_400_000_000_000]
            .map(|nanos| plain_span(Span::from_nanos(nanos)));
        assert_eq!(said, ["less than 1 ms", "28 ms", "999 ms", "3.1 s", "5 minutes", "24 hours"]);
        assert_eq!(plain_span(Span::from_nanos(i64::MIN)), "2562047 hours");
    }
}
