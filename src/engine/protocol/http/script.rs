//! Finds where a script sends its page: string literals given to `location`. Looks at text only, runs nothing, and prefers to miss.

use memchr::memmem;

use super::message::TEXT_MAX;

/// How far back a comment sign is looked for.
const COMMENT_WINDOW: usize = 256;

/// The literal targets in `script`, in their order.
pub(super) fn targets(script: &[u8]) -> impl Iterator<Item = String> + '_ {
    memmem::find_iter(script, b"location").filter_map(move |at| {
        let (before, after) = script.split_at_checked(at)?;
        let literal = assigned_literal(after.get(b"location".len()..)?)?;
        (names_the_page(before) && !is_commented(before)).then(|| read_literal(literal)).flatten()
    })
}

/// True when `location` right after `before` is the page's own, not a part of a longer name or of some other object.
fn names_the_page(before: &[u8]) -> bool {
    let Some(object) = before.strip_suffix(b".") else {
        let before_space = before.trim_ascii_end();
        let declares =
            before_space.len() < before.len() && [&b"var"[..], b"let", b"const"].iter().any(|word| ends_with_word(before_space, word));
        return !declares && !before.last().copied().is_some_and(is_name_byte);
    };
    [&b"window"[..], b"document", b"top", b"self", b"parent", b"this", b"globalThis"].iter().any(|word| ends_with_word(object, word))
}

fn ends_with_word(text: &[u8], word: &[u8]) -> bool {
    text.strip_suffix(word).is_some_and(|rest| !rest.last().copied().is_some_and(is_name_byte))
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// True inside a `//` comment or right after an open `/*`. The `//` of an address is none.
fn is_commented(before: &[u8]) -> bool {
    let window = before.get(before.len().saturating_sub(COMMENT_WINDOW)..).unwrap_or_default();
    if memmem::rfind(window, b"/*").is_some_and(|open| memmem::rfind(window, b"*/").is_none_or(|close| close < open)) {
        return true;
    }
    let line = window.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    memmem::find_iter(line, b"//")
        .any(|at| !at.checked_sub(1).and_then(|i| line.get(i)).is_some_and(|b| matches!(b, b':' | b'"' | b'\'' | b'`' | b'\\')))
}

/// What follows `location` up to the literal: `=`, `.href =`, `.replace(` or `.assign(`.
fn assigned_literal(after: &[u8]) -> Option<&[u8]> {
    let after = after.trim_ascii_start();
    for call in [&b".replace"[..], b".assign"] {
        if let Some(rest) = after.strip_prefix(call) {
            return rest.trim_ascii_start().strip_prefix(b"(").map(<[u8]>::trim_ascii_start);
        }
    }
    let after = after.strip_prefix(b".href").unwrap_or(after).trim_ascii_start();
    after.strip_prefix(b"=").map(<[u8]>::trim_ascii_start)
}

/// The string literal that `text` begins with. One that is added to by `+` counts when its host is already complete.
fn read_literal(text: &[u8]) -> Option<String> {
    let (&quote, body) = text.split_first()?;
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let mut value = Vec::new();
    let mut rest = body;
    loop {
        let (&byte, next) = rest.split_first()?;
        rest = next;
        match byte {
            _ if byte == quote => break,
            b'\n' | b'\r' if quote != b'`' => return None,
            b'$' if quote == b'`' && rest.starts_with(b"{") => return None,
            b'\\' => rest = read_escape(rest, &mut value)?,
            _ => value.push(byte),
        }
        if value.len() > TEXT_MAX {
            return None;
        }
    }
    let value = String::from_utf8_lossy(&value).trim().to_owned();
    let grows = rest.trim_ascii_start().starts_with(b"+");
    let goes_elsewhere = !value.is_empty() && !value.starts_with('#') && !is_local_scheme(&value);
    (goes_elsewhere && (!grows || has_whole_host(&value))).then_some(value)
}

/// `javascript:` and its like lead nowhere.
pub(super) fn is_local_scheme(target: &str) -> bool {
    ["javascript:", "about:", "data:", "blob:"]
        .iter()
        .any(|scheme| target.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn has_whole_host(target: &str) -> bool {
    target.split_once("//").is_some_and(|(_, rest)| rest.find(['/', '?', '#']).is_some_and(|host_len| host_len > 0))
}

/// Appends what the escape after a backslash stands for, and gives what follows it.
fn read_escape<'a>(rest: &'a [u8], value: &mut Vec<u8>) -> Option<&'a [u8]> {
    let (&kind, after) = rest.split_first()?;
    let digits = match kind {
        b'x' => 2,
        b'u' => 4,
        b'n' | b'r' | b't' => return Some(after),
        _ => {
            value.push(kind);
            return Some(after);
        }
    };
    let (hex, after) = after.split_at_checked(digits)?;
    let code = u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?;
    let mut utf8 = [0; 4];
    value.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut utf8).as_bytes());
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::targets;

    fn found(script: &str) -> Vec<String> {
        targets(script.as_bytes()).collect()
    }

    #[test]
    fn every_usual_way_to_leave_the_page_is_seen() {
        for script in [
            "location='http://a.example/x'",
            "location = \"http://a.example/x\";",
            "window.location=`http://a.example/x`",
            "document.location.href = 'http://a.example/x'",
            "top.location.replace('http://a.example/x')",
            "self.location.assign( \"http://a.example/x\" )",
            "if(1){parent.location = 'http:\\/\\/a.example\\/x'}",
            "setTimeout(\"location.href='http://a.example/x'\", 0)",
            "window.location.href='\\x68ttp://\\u0061.example/x'",
            "u='http://b.example/'; // where to\nlocation='http://a.example/x'",
            "/* go */ location='http://a.example/x'",
        ] {
            assert_eq!(found(script), ["http://a.example/x"], "{script}");
        }
    }

    #[test]
    fn what_does_not_leave_the_page_is_left_alone() {
        for script in [
            "if (location == 'http://a.example/') {}",
            "if (location.href === 'http://a.example/') {}",
            "var location = 'Berlin'",
            "mylocation = 'http://a.example/'",
            "user.location = 'Berlin'",
            "{\"location\": \"Berlin\"}",
            "location.hash = 'x'",
            "location = '#top'",
            "location = 'javascript:void(0)'",
            "location.reload()",
            "location = target",
            "location = 'http://' + host",
            "location = `http://${host}/`",
            "// location = 'http://a.example/'",
            "/* location = 'http://a.example/' */",
            "location = 'unclosed",
            "location = 'broken\n'",
            "location",
            "location=",
            "location='\\",
            "location='\\u12",
        ] {
            assert!(found(script).is_empty(), "{script}");
        }
    }

    #[test]
    fn an_address_that_is_added_to_is_told_when_its_host_is_complete() {
        assert_eq!(found("location='http://a.example/?from='+escape(location)"), ["http://a.example/?from="]);
    }
}
