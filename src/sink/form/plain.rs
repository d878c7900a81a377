//! Texts for people: no marks that a screen obeys, no link that an attacker chose, no more than fits.

use jiff::Timestamp;
use serde_json::Value;

/// A text on one line: control characters and marks of reading direction are spaces.
pub(in crate::sink) fn one_line(text: &str) -> String {
    text.chars().map(|c| if obeyed(c) { ' ' } else { c }).collect()
}

/// A text for people: on one line, with no address that a reader's program would make a link or a mention of.
///
/// `http` is `hxxp`, other schemes lose their `:`, dots within names are `[.]`, `@` is `[at]`.
pub(in crate::sink) fn defanged(text: &str) -> String {
    let line = schemes_apart(&one_line(text).replace("](", "] ("));
    let mut out = String::with_capacity(line.len() + 16);
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match c {
            '.' if before.is_alphanumeric() && begins_a_name(line.get(at + 1..).unwrap_or_default()) => out.push_str("[.]"),
            '@' => out.push_str("[at]"),
            _ => out.push(c),
        }
        before = c;
    }
    out
}

/// A text cut to `most` bytes, with a mark where it was cut.
pub(in crate::sink) fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mut end = most.saturating_sub("...".len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", text.get(..end).unwrap_or_default())
}

/// Markdown whose every mark stands for itself.
pub(in crate::sink) fn markdown(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | ':' | ';' | '/' | '%' | '"' | '\'') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// JSON in printable ASCII, on one line.
pub(in crate::sink) fn json(value: &Value) -> String {
    value.to_string().chars().fold(String::new(), |mut out, c| {
        if matches!(c, ' '..='~') {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
        out
    })
}

/// Unix microseconds as RFC 3339, UTC. What lies outside of the calendar is its nearest end.
pub(in crate::sink) fn time(micros: i64) -> String {
    let nearest = if micros < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.6}", Timestamp::from_microsecond(micros).unwrap_or(nearest))
}

/// Unix microseconds in the form of EVE, UTC.
pub(in crate::sink) fn eve_time(micros: i64) -> String {
    time(micros).replace('Z', "+0000")
}

/// The text with schemes that no program follows.
fn schemes_apart(line: &str) -> String {
    let mut parts = line.split("://");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let ends =
            |name: &str| out.len().checked_sub(name.len()).and_then(|at| out.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(name));
        let known = [("https", "hxxps"), ("http", "hxxp"), ("hxxps", "hxxps"), ("hxxp", "hxxp")].into_iter().find(|(name, _)| ends(name));
        if let Some((name, safe)) = known {
            out.truncate(out.len() - name.len());
            out.push_str(safe);
            out.push_str("://");
        } else {
            out.push_str("[:]//");
        }
        out.push_str(part);
    }
    out
}

fn begins_a_name(after: &str) -> bool {
    let label: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
    let numeric = label.bytes().all(|byte| byte.is_ascii_digit());
    !label.is_empty() && (!numeric || after.get(label.len()..).is_some_and(names_follow))
}

/// Whether further labels follow of which one is no number: `1.2.evil.example` is a name, `1.2.3.4` is none.
fn names_follow(rest: &str) -> bool {
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '.')).collect();
    name.starts_with('.') && name.chars().any(char::is_alphabetic)
}

/// What a terminal or a viewer acts upon instead of showing it.
fn obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_an_attacker_named_is_a_link_or_a_mention() {
        for (text, safe) in [
            ("led to http://evil.example/a.js?b=c", "led to hxxp://evil[.]example/a[.]js?b=c"),
            ("HTTPS://Evil.Example", "hxxps://Evil[.]Example"),
            ("hxxp://evil[.]example", "hxxp://evil[.]example"),
            ("slack://open", "slack[:]//open"),
            ("www.evil.example. The end.", "www[.]evil[.]example. The end."),
            ("from 203.0.113.7, 28 ms", "from 203.0.113.7, 28 ms"),
            ("1.2.3.evil.example", "1[.]2[.]3[.]evil[.]example"),
            ("@channel mail a@b.example", "[at]channel mail a[at]b[.]example"),
            ("[here](//evil.example)", "[here] (//evil[.]example)"),
            ("xn--e1a.\u{43f}\u{440}", "xn--e1a[.]\u{43f}\u{440}"),
            ("a\r\nb\u{1b}[31m\u{202e}c\u{7f}\u{9b}d", "a  b [31m c  d"),
        ] {
            assert_eq!(defanged(text), safe, "{text:?}");
        }
    }

    #[test]
    fn a_cut_is_shown_and_never_splits_a_letter() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "lo...");
        assert_eq!(cut("\u{e9}\u{e9}\u{e9}\u{e9}", 6), "\u{e9}...");
    }

    #[test]
    fn marks_of_markdown_stand_for_themselves() {
        assert_eq!(markdown("*a* [b](c) `d` #e <f> a_b 1.2"), r"\*a\* \[b\]\(c\) \`d\` \#e \<f\> a\_b 1.2");
    }

    #[test]
    fn times_are_utc_with_microseconds_whatever_a_clock_said() {
        assert_eq!(time(1_795_521_601_004_211), "2026-11-24T12:00:01.004211Z");
        assert!(time(i64::MIN).starts_with('-') && time(i64::MAX).starts_with("9999-12-30"));
    }
}
