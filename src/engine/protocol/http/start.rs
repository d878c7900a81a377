//! Tells by content whether bytes begin a request or a response, and where a head ends.

use memchr::memchr_iter;

/// Longest method that is taken for one; the longest registered has 17 letters.
const METHOD_MAX: usize = 32;

/// Methods by which the beginning of a cut first line is recognised (RFC 9110, RFC 5789, RFC 4918).
const KNOWN_METHODS: [&str; 16] = [
    "GET ",
    "POST ",
    "HEAD ",
    "PUT ",
    "DELETE ",
    "OPTIONS ",
    "CONNECT ",
    "TRACE ",
    "PATCH ",
    "PROPFIND ",
    "PROPPATCH ",
    "MKCOL ",
    "COPY ",
    "MOVE ",
    "LOCK ",
    "UNLOCK ",
];

/// What the first bytes of a line say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A start line.
    Yes,
    /// Not one.
    No,
    /// The beginning of one, as far as it goes.
    Cut,
}

/// `bytes` without the empty lines that may stand before a message (RFC 9112, section 2.2).
pub(super) fn without_empty_lines(bytes: &[u8]) -> &[u8] {
    let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    bytes.get(blank..).unwrap_or_default()
}

/// Whether `bytes` begin with a status line: `HTTP/1.x NNN`.
pub(super) fn status_line(bytes: &[u8]) -> Start {
    let Some(rest) = after_version(bytes) else { return prefix_of_version(bytes) };
    let digits = rest.trim_ascii_start();
    if digits.len() == rest.len() {
        return if rest.is_empty() { Start::Cut } else { Start::No };
    }
    let code = digits.get(..3).unwrap_or(digits);
    let is_code = code.iter().all(u8::is_ascii_digit) && code.first() != Some(&b'0');
    match digits.get(3) {
        _ if !is_code => Start::No,
        Some(b' ' | b'\t' | b'\r' | b'\n') => Start::Yes,
        Some(_) => Start::No,
        None => Start::Cut,
    }
}

/// Whether `bytes`, without empty lines before it, begin with a request line: `method target HTTP/1.x`.
pub(super) fn request_line(bytes: &[u8]) -> Start {
    let method_len = bytes.iter().take_while(|byte| is_token_byte(**byte)).count();
    let after_method = bytes.get(method_len..).unwrap_or_default();
    if method_len > METHOD_MAX || (method_len == 0 && !bytes.is_empty()) {
        return Start::No;
    }
    let Some(target) = after_spaces(after_method) else {
        return if after_method.is_empty() { Start::Cut } else { Start::No };
    };
    let target_len = target.iter().take_while(|byte| **byte > b' ' && **byte != 0x7F).count();
    let after_target = target.get(target_len..).unwrap_or_default();
    let Some(version) = after_spaces(after_target).filter(|_| target_len > 0) else {
        return if after_target.is_empty() { Start::Cut } else { Start::No };
    };
    match after_version(version) {
        Some([]) => Start::Cut,
        Some([b'\r' | b'\n', ..]) => Start::Yes,
        Some(_) => Start::No,
        None => prefix_of_version(version),
    }
}

/// Whether the beginning of a cut request line is telling enough without what comes before it in the stream.
pub(super) fn is_telling(bytes: &[u8]) -> bool {
    let after_method = bytes.iter().position(|byte| *byte == b' ').and_then(|space| bytes.get(space..)).and_then(after_spaces);
    after_method.is_some_and(|target| target.starts_with(b"/") || target.starts_with(b"http"))
        || KNOWN_METHODS.iter().any(|known| {
            let known = known.as_bytes();
            bytes.starts_with(known) || (!bytes.is_empty() && known.starts_with(bytes))
        })
}

/// Bytes of the head that begins `bytes`, its empty line included. The first `searched` bytes hold no line end that could begin it.
pub(super) fn head_end(bytes: &[u8], searched: usize) -> Option<usize> {
    let tail = bytes.get(searched..)?;
    memchr_iter(b'\n', tail)
        .find_map(|line_end| match tail.get(line_end.saturating_add(1)..)? {
            [b'\n', ..] => Some(line_end.saturating_add(2)),
            [b'\r', b'\n', ..] => Some(line_end.saturating_add(3)),
            _ => None,
        })
        .map(|len| len.saturating_add(searched))
}

fn after_spaces(bytes: &[u8]) -> Option<&[u8]> {
    let spaces = bytes.iter().take_while(|byte| **byte == b' ').count();
    bytes.get(spaces..).filter(|_| spaces > 0)
}

fn after_version(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(b"HTTP/1.0").or_else(|| bytes.strip_prefix(b"HTTP/1.1"))
}

fn prefix_of_version(bytes: &[u8]) -> Start {
    if b"HTTP/1.1".starts_with(bytes) { Start::Cut } else { Start::No }
}

/// Token characters of RFC 9110, section 5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::{Start, head_end, is_telling, request_line, status_line};

    #[test]
    fn a_status_line_is_told_by_its_content() {
        for line in ["HTTP/1.1 200 OK\r\n", "HTTP/1.0 302\n", "HTTP/1.1  999 x"] {
            assert_eq!(status_line(line.as_bytes()), Start::Yes, "{line}");
        }
        for line in [
            "HTTP/2 200 OK",
            "HTTP/1.1 abc",
            "HTTP/1.1 2000",
            "HTTP/1.1 099 x",
            "HTTP/1.1x200",
            "ICY 200 OK",
            "http/1.1 200 OK",
            "\u{16}\u{3}\u{1}",
        ] {
            assert_eq!(status_line(line.as_bytes()), Start::No, "{line}");
        }
    }

    #[test]
    fn every_beginning_of_a_start_line_is_seen_as_cut() {
        let status = b"HTTP/1.1 200 OK\r\n";
        for len in 0..12 {
            assert_eq!(status_line(&status[..len]), Start::Cut, "{len}");
        }
        let request = b"GET /x HTTP/1.1\r\n";
        for len in 0..16 {
            let expected = if len == 16 { Start::Yes } else { Start::Cut };
            assert_eq!(request_line(&request[..len]), expected, "{len}");
        }
    }

    #[test]
    fn a_request_line_may_have_any_method() {
        for line in [
            "GET / HTTP/1.1\r\n",
            "get / HTTP/1.0\n",
            "X-Foo * HTTP/1.1\r\n",
            "CONNECT a.example:443 HTTP/1.1\r\n",
            "GET  /x  HTTP/1.1\r\n",
        ] {
            assert_eq!(request_line(line.as_bytes()), Start::Yes, "{line}");
        }
        for line in [
            "EHLO mail.example\r\n",
            "PRI * HTTP/2.0\r\n",
            "INVITE sip:a SIP/2.0\r\n",
            "GET /x\r\n",
            " GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1 x\r\n",
            "SSH-2.0-x\r\n",
        ] {
            assert_eq!(request_line(line.as_bytes()), Start::No, "{line}");
        }
    }

    #[test]
    fn a_cut_first_line_must_be_telling() {
        for line in ["G", "GE", "GET", "GET /lo", "FOO /x", "foo http://a", "POST "] {
            assert!(is_telling(line.as_bytes()), "{line}");
        }
        for line in ["", "EHLO", "AUTH x", "hello world"] {
            assert!(!is_telling(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn a_head_ends_at_its_empty_line_whatever_the_line_ends_are() {
        assert_eq!(head_end(b"a\r\nb: c\r\n\r\nbody", 0), Some(11));
        assert_eq!(head_end(b"a\nb: c\n\nbody", 0), Some(8));
        assert_eq!(head_end(b"a\nb: c\n\r\nbody", 0), Some(9));
        assert_eq!(head_end(b"a\r\nb: c\r\n \r\n", 0), None);
        assert_eq!(head_end(b"a\r\n\r", 0), None);
    }
}
