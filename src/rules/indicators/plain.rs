//! Plain lists: an indicator a line, with comments. Files in the form of `/etc/hosts` too.

use std::io::BufRead;

use super::entry::{LONGEST, Wanted};
use super::gather::Gathering;

/// Addresses that a hosts file sends unwanted names to.
const NOWHERE: [&str; 4] = ["0.0.0.0", "127.0.0.1", "::", "::1"];
/// Comment lines at the top in which a date is looked for.
const HEAD: u64 = 40;

/// Reads a list to its end.
pub(super) fn read(mut input: impl BufRead, gathering: &mut Gathering) -> std::io::Result<()> {
    let mut line = Vec::new();
    let mut number = 0;
    while read_line(&mut input, &mut line)? {
        number += 1;
        match std::str::from_utf8(&line) {
            Ok(text) => take(text.trim_start_matches('\u{feff}').trim(), number, gathering),
            Err(_) => gathering.complain(number, "is no UTF-8 text".to_owned()),
        }
    }
    Ok(())
}

/// One line without its end; of an endless one the beginning. False at the end of the input.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = memchr::memchr(b'\n', buffer);
        let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        // Two lines' worth is kept, so that the refusal of a long one can say so.
        let room = (2 * LONGEST).saturating_sub(line.len()).min(piece.len());
        line.extend(piece.iter().take(room));
        let used = piece.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

fn take(text: &str, line: u64, gathering: &mut Gathering) {
    if is_comment(text) {
        if line <= HEAD
            && let Some(date) = date_in(text)
        {
            gathering.describe(None, Some(date));
        }
        return;
    }
    let text = without_comment(text);
    if text.is_empty() {
        return;
    }
    let mut words = text.split_ascii_whitespace();
    if words.next().is_some_and(|first| NOWHERE.contains(&first)) && text.contains(char::is_whitespace) {
        for name in words.filter(|name| !is_own_name(name)) {
            gathering.take(name, Wanted::Host, line);
        }
        return;
    }
    let text = text.trim_matches(['"', '\'']);
    gathering.take(text, Wanted::Any, line);
}

pub(super) fn is_comment(text: &str) -> bool {
    text.is_empty() || text.starts_with(['#', ';', '!']) || text.starts_with("//")
}

/// The text before a comment that stands behind white space.
fn without_comment(text: &str) -> &str {
    let comment = text.char_indices().find(|(at, c)| {
        let after_space = text.get(..*at).is_some_and(|before| before.ends_with(char::is_whitespace));
        after_space && (matches!(c, '#' | ';') || text.get(*at..).is_some_and(|rest| rest.starts_with("//")))
    });
    comment.map_or(text, |(at, _)| text.get(..at).unwrap_or(text)).trim()
}

/// What a hosts file calls the machine itself.
fn is_own_name(name: &str) -> bool {
    !name.contains('.') || ["localhost.localdomain", "0.0.0.0"].contains(&name)
}

/// A day as ISO 8601 writes it, in a comment.
fn date_in(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_digit() && c != '-').find(|word| word.parse::<jiff::civil::Date>().is_ok() && word.len() == 10)
}

#[cfg(test)]
mod tests {
    use super::super::read::read_text;

    #[test]
    fn comments_blank_lines_and_spellings_are_understood() {
        let text = "# Lure hosts, updated 2019-10-10\n\n; old\n// older\nevil[.]example # seen twice\nhxxp://bad.example/x // page\r\n198.51.100.0/24 ;net\n\"quoted.example\"\n";
        let loaded = read_text("lures.txt", text.as_bytes());
        let tallies = loaded.tallies();
        let [tally] = tallies.as_slice() else { panic!("one list") };
        assert_eq!((tally.taken, tally.unreadable, tally.date.as_deref()), ([2, 1, 1, 0], 0, Some("2019-10-10")));
    }

    #[test]
    fn a_hosts_file_is_taken_for_what_it_blocks() {
        let loaded = read_text("hosts", b"127.0.0.1 localhost\n0.0.0.0 evil.example other.example\n::1 ip6-localhost\n");
        assert_eq!((loaded.tallies()[0].taken, loaded.complaints.len()), ([2, 0, 0, 0], 0));
    }

    #[test]
    fn what_is_no_indicator_is_told_by_line() {
        let loaded = read_text("list.txt", b"evil.example\nnot a domain\ncom\n\xff\xfe\n");
        let told: Vec<String> = loaded.complaints.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], "list.txt:2: \"not a domain\" is neither a domain, an address, a network nor a web address");
        assert!(told[1].starts_with("list.txt:3: ") && told[2].starts_with("list.txt:4: "), "{told:?}");
    }
}
