//! Durations and sizes as people write them: `90s`, `30 days`, `16 MiB`.

use std::time::Duration;

/// Units of time, the spellings of each, and their milliseconds.
const TIMES: [(&[&str], u64); 6] = [
    (&["ms", "millisecond", "milliseconds"], 1),
    (&["s", "sec", "second", "seconds"], 1_000),
    (&["m", "min", "minute", "minutes"], 60_000),
    (&["h", "hour", "hours"], 3_600_000),
    (&["d", "day", "days"], 86_400_000),
    (&["w", "week", "weeks"], 604_800_000),
];
/// Units of size and their bytes: powers of 1,024 by their IEC names, powers of 1,000 by their SI names.
const SIZES: [(&[&str], u64); 9] = [
    (&["B", "byte", "bytes"], 1),
    (&["KiB"], 1 << 10),
    (&["MiB"], 1 << 20),
    (&["GiB"], 1 << 30),
    (&["TiB"], 1 << 40),
    (&["kB"], 1_000),
    (&["MB"], 1_000_000),
    (&["GB"], 1_000_000_000),
    (&["TB"], 1_000_000_000_000),
];

/// A duration, as one or several whole numbers with their units: `1h 30min`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    sum(text, &TIMES).map(Duration::from_millis)
}

/// A size in bytes, as one or several whole numbers with their units.
pub(super) fn size(text: &str) -> Option<u64> {
    sum(text, &SIZES)
}

/// A duration, written with the largest unit of which it is a multiple.
pub(super) fn duration_in_words(duration: Duration) -> String {
    let units = [(604_800_000, "weeks"), (86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"), (1_000, "seconds"), (1, "ms")];
    in_words(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), &units)
}

/// A size, written with the largest unit of which it is a multiple.
pub(super) fn size_in_words(bytes: u64) -> String {
    in_words(bytes, &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")])
}

fn in_words(amount: u64, units: &[(u64, &str)]) -> String {
    let unit = units.iter().find(|(unit, _)| amount != 0 && amount.is_multiple_of(*unit)).or_else(|| units.last());
    unit.map_or_else(String::new, |(unit, name)| format!("{} {name}", amount / unit))
}

/// Whole numbers, each followed by its unit, added up. None for anything else, and for what does not fit.
fn sum(text: &str, units: &[(&[&str], u64)]) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let after = after.trim_start();
        let (name, after) = after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let unit = units.iter().find(|(names, _)| names.contains(&name))?.1;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = after.trim_start();
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("30 days", 2_592_000), ("1h 30min", 5_400), (" 2 weeks ", 1_209_600), ("0 s", 0)] {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for (text, bytes) in [("16 MiB", 16 << 20), ("1GiB", 1 << 30), ("512 B", 512), ("20 kB", 20_000), ("1 GiB 512 MiB", 1536 << 20)] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_not_quite_a_measure_is_none() {
        for text in ["", "s", "5", "-5 s", "1.5 h", "5 parsecs", "5 s 3", "99999999999999999999 s", "18446744073709551615 w", "5 S", "５ s"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
        for text in ["16", "16 mib", "16 Mb", "16 MiB!", "18446744073709551615 KiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn bounds_are_told_in_the_same_words() {
        assert_eq!(duration_in_words(Duration::from_secs(86_400)), "1 days");
        assert_eq!(duration_in_words(Duration::from_millis(1_500)), "1500 ms");
        assert_eq!((size_in_words(1 << 30), size_in_words(1_000)), ("1 GiB".to_owned(), "1000 bytes".to_owned()));
        assert_eq!(duration("1 days"), Some(Duration::from_secs(86_400)), "they can be read back");
    }
}
