//! Hostile text made fit for a terminal and a human: cut, escaped, defanged, wrapped.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The first `limit` characters; a cut shows as `...`, which counts.
pub(super) fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    if text.char_indices().nth(limit).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().take(limit.saturating_sub(3)).chain("...".chars()).collect())
}

/// Text that came from packets: everything but printable ASCII is written as its code, so that nothing can move the cursor, turn the
/// reading direction, hide, or pass for another letter.
pub(super) fn wire_text(text: &str) -> String {
    escaped(text, |c| matches!(c, ' '..='~' | '\u{2026}'))
}

/// Text of this machine, as names of files: all scripts are readable, what is not a mark on the screen is written as its code.
pub(super) fn local_text(text: &str) -> String {
    escaped(text, |c| c.is_alphanumeric() || matches!(c, ' '..='~'))
}

fn escaped(text: &str, may_stay: impl Fn(char) -> bool) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if may_stay(c) {
            out.push(c);
        } else {
            out.extend(c.escape_default());
        }
        out
    })
}

/// Every address in `text` so that no program makes a link of it and nobody opens it by a slip: `hxxp://evil[.]example/`.
///
/// `hosts` are bare host names that are treated alike wherever they stand, longer ones before those that they end in.
pub(super) fn defanged(text: &str, hosts: &[String]) -> String {
    let text = without_http(text);
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("//") {
        out.push_str(before);
        break_scheme(&mut out);
        let end = after.find(|c: char| "/\\?# \t\"'<>()".contains(c)).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        let _ = write!(out, "//{}", authority.replace('.', "[.]"));
        rest = tail;
    }
    out.push_str(rest);
    hosts.iter().filter(|host| is_name(host)).fold(out, |text, host| text.replace(host.as_str(), &host.replace('.', "[.]")))
}

/// `http:` and `https:` with something behind them lose their two t: browsers take them even without slashes.
fn without_http(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find("http") {
        let (before, found) = rest.split_at(at);
        let (word, tail) = found.split_at("http".len());
        let after_colon = tail.trim_start_matches(['s', 'S']).strip_prefix(':');
        let opens = after_colon.is_some_and(|after| after.starts_with(|c: char| !c.is_whitespace()));
        out.push_str(before);
        out.push_str(&if opens { word.replace(['t', 'T'], "x") } else { word.to_owned() });
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// The scheme at the end of `out`, when it is another than `hxxp:`: `scheme:` becomes `scheme[:]`.
fn break_scheme(out: &mut String) {
    let Some(head) = out.strip_suffix(':') else {
        return;
    };
    let scheme = head.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
    if scheme != "hxxp" && scheme != "hxxps" {
        *out = format!("{head}[:]");
    }
}

/// Long enough, and begun and ended as a name is: a hostile host field must not turn every full stop of a page.
fn is_name(host: &str) -> bool {
    let ends = [host.chars().next(), host.chars().next_back()];
    host.len() >= 4 && host.contains('.') && ends.iter().all(|end| end.is_some_and(|c| c.is_ascii_alphanumeric()))
}

/// The host of an absolute address, without user and port.
pub(super) fn host_of(address: &str) -> Option<&str> {
    let (_, after) = address.split_once("//")?;
    let authority = after.split(['/', '\\', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = if host.starts_with('[') { host.split_inclusive(']').next()? } else { host.split(':').next()? };
    (!host.is_empty()).then_some(host)
}

/// `text` in lines of at most `width` columns, the first after `first`, the others after as many spaces. Longer words are broken.
pub(super) fn wrapped(first: &str, text: &str, width: usize) -> String {
    let indent = " ".repeat(first.chars().count());
    let room = width.saturating_sub(indent.len()).max(20);
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut word: Vec<char> = word.chars().collect();
        if !line.is_empty() && line.chars().count() + 1 + word.len() > room {
            push_line(&mut out, first, &indent, &std::mem::take(&mut line));
        }
        while word.len() > room {
            let tail = word.split_off(room);
            push_line(&mut out, first, &indent, &word.iter().collect::<String>());
            word = tail;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word);
    }
    if !line.is_empty() || out.is_empty() {
        push_line(&mut out, first, &indent, &line);
    }
    out
}

fn push_line(out: &mut String, first: &str, indent: &str, line: &str) {
    let lead = if out.is_empty() { first } else { indent };
    out.push_str(format!("{lead}{line}").trim_end());
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_text_is_cut_at_characters_and_says_so() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "lo...");
        assert_eq!(cut(&"\u{fc}".repeat(600), 512).chars().count(), 512);
    }

    #[test]
    fn escapes_overrides_and_lookalikes_of_the_wire_become_codes() {
        assert_eq!(wire_text("a\u{1b}[31m\r\nb\u{9b}2J"), r"a\u{1b}[31m\r\nb\u{9b}2J");
        assert_eq!(wire_text("x\u{202e}exe.gpj\u{2066}\u{200b}"), r"x\u{202e}exe.gpj\u{2066}\u{200b}");
        assert_eq!(wire_text("\u{430}pple"), r"\u{430}pple");
        assert_eq!(wire_text("HTTP/1.1 302 Found \u{2026}"), "HTTP/1.1 302 Found \u{2026}");
    }

    #[test]
    fn file_names_stay_readable_in_every_script_but_steer_nothing() {
        assert_eq!(local_text("Ağ kaydı/شبكة/网络.pcap"), "Ağ kaydı/شبكة/网络.pcap");
        assert_eq!(local_text("a\u{202e}b\u{1b}]0;c\u{7}"), r"a\u{202e}b\u{1b}]0;c\u{7}");
    }

    #[test]
    fn addresses_lose_their_teeth_wherever_they_stand() {
        assert_eq!(defanged("to http://evil.example/a.b?c=d.e", &[]), "to hxxp://evil[.]example/a.b?c=d.e");
        assert_eq!(defanged("HTTPS://a.b.example:30495/x", &[]), "HxxPS://a[.]b[.]example:30495/x");
        assert_eq!(defanged("itms-services://x.example?u=https://y.example/", &[]), "itms-services[:]//x[.]example?u=hxxps://y[.]example/");
        assert_eq!(defanged("//evil.example/x", &[]), "//evil[.]example/x");
        assert_eq!(defanged("http://203.0.113.9", &[]), "hxxp://203[.]0[.]113[.]9");
        assert_eq!(defanged("host evil.example, path /a.b", &["evil.example".to_owned()]), "host evil[.]example, path /a.b");
        assert_eq!(defanged("302 Found // nothing, not HTTP: HTTP/1.1", &[]), "302 Found // nothing, not HTTP: HTTP/1.1");
        assert_eq!(defanged(r"http:\\evil.example", &["evil.example".to_owned()]), r"hxxp:\\evil[.]example");
        assert_eq!(defanged("It ends. HTTP/1.1", &[".".to_owned(), "1.1".to_owned()]), "It ends. HTTP/1.1");
    }

    #[test]
    fn the_host_is_found_behind_user_and_port() {
        assert_eq!(host_of("https://news.example@evil.example:8443/x"), Some("evil.example"));
        assert_eq!(host_of("http://[2001:db8::1]:80/"), Some("[2001:db8::1]"));
        assert_eq!(host_of("/relative"), None);
        assert_eq!(host_of("http:///x"), None);
    }

    #[test]
    fn lines_keep_to_their_width_and_their_indent() {
        assert_eq!(wrapped("- ", "one two three four five six", 22), "- one two three four\n  five six\n");
        assert_eq!(wrapped("", &"x".repeat(45), 20), format!("{}\n{}\n{}\n", "x".repeat(20), "x".repeat(20), "x".repeat(5)));
        assert_eq!(wrapped("", "", 20), "\n");
    }

    proptest! {
        #[test]
        fn whatever_packets_hold_stays_printable_and_opens_nothing(text in ".*", host in "[a-z.]{0,12}") {
            let shown = defanged(&wire_text(&format!("{text} http://{host}/ {text}")), std::slice::from_ref(&host));
            let printable = shown.chars().all(|c| matches!(c, ' '..='~' | '\u{2026}'));
            prop_assert!(printable);
            prop_assert!(!shown.to_ascii_lowercase().contains("http://"));
        }

        #[test]
        fn wrapping_loses_no_word_and_keeps_its_width(text in "[a-z ]{0,300}", width in 24_usize..120) {
            let lines = wrapped("- ", &text, width);
            prop_assert!(lines.lines().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
            prop_assert_eq!(letters(&lines), letters(&text));
        }
    }
}
