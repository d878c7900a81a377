//! Times as people give them and read them.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment `30m`, `12h`, `7d` or `2w` away from `now`, before it or behind it; else a day or a moment. A day ends, or begins, in UTC.
pub(super) fn moment(text: &str, now: Timestamp, is_ahead: bool) -> Result<Timestamp, String> {
    let wrong = || format!("{text:?} is no time: write 30m, 12h, 7d, 2w, a day as 2026-12-31, or a moment as 2026-12-31T18:00:00Z");
    if let Some(span) = span(text) {
        let then = if is_ahead { now.checked_add(span) } else { now.checked_sub(span) };
        return then.map_err(|_| wrong());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let day: Date = text.parse().map_err(|_| wrong())?;
    let day = if is_ahead { day.tomorrow().map_err(|_| wrong())? } else { day };
    TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).map_err(|_| wrong())
}

fn span(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
    Some(SignedDuration::from_secs(i64::from(number) * seconds))
}

/// `2026-11-24 12:00:01`, UTC, of Unix microseconds.
pub(super) fn plain(micros: i64) -> String {
    Timestamp::from_microsecond(micros).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The same of Unix milliseconds.
pub(super) fn plain_millis(millis: i64) -> String {
    plain(millis.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_given_as_people_write_them() {
        let now: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let ahead = |text| moment(text, now, true).map(|then| then.to_string());
        let back = |text| moment(text, now, false).map(|then| then.to_string());
        assert_eq!(ahead("7d").unwrap(), "2026-12-01T12:00:00Z");
        assert_eq!(back("90m").unwrap(), "2026-11-24T10:30:00Z");
        assert_eq!(ahead("2026-12-31").unwrap(), "2027-01-01T00:00:00Z", "the whole day is muted");
        assert_eq!(back("2026-11-20").unwrap(), "2026-11-20T00:00:00Z");
        assert_eq!(ahead("2026-12-31T18:00:00Z").unwrap(), "2026-12-31T18:00:00Z");
        for wrong in ["", "d", "7", "7 d", "-1d", "tomorrow", "2026-02-30", "99999999999w"] {
            assert!(ahead(wrong).is_err(), "{wrong} was taken");
        }
        assert_eq!(plain(1_795_521_601_004_211), "2026-11-24 12:00:01");
        assert_eq!(plain_millis(i64::MAX), "1970-01-01 00:00:00", "absurd times harm nobody");
    }
}
