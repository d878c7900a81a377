//! HTTP messages of the stories.

const HONEST: &str = "Date: Mon, 05 Jan 2026 09:00:00 GMT\r\nServer: nginx/1.26.2\r\n";

/// A browser's GET.
pub(crate) fn get(host: &str, path: &str) -> Vec<u8> {
    ask("GET", host, path)
}

/// A browser's request without body.
pub(crate) fn ask(method: &str, host: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)\r\nAccept: */*\r\n\r\n")
        .into_bytes()
}

/// What a browser asks for on a page at `referer`; `accept` says what it expects.
pub(crate) fn on_page(referer: &str, (host, path): (&str, &str), accept: &str) -> Vec<u8> {
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)";
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\nAccept: {accept}\r\nReferer: {referer}\r\n\r\n").into_bytes()
}

/// What browsers expect of a page, and of an image.
pub(crate) const PAGE: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
pub(crate) const IMAGE: &str = "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5";

/// A page as a usual server sends it.
pub(crate) fn page(body: &str) -> Vec<u8> {
    answer("200 OK", "Content-Type: text/html; charset=utf-8\r\n", body)
}

/// An answer as a usual server sends it. `fields` are full lines.
pub(crate) fn answer(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{HONEST}{fields}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// An answer that has no body by its status or method.
pub(crate) fn bodiless(status: &str, fields: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{HONEST}{fields}\r\n").into_bytes()
}

/// A redirect as a usual server sends it.
pub(crate) fn moved(status: &str, location: &str) -> Vec<u8> {
    let body = format!("<html><head><title>Moved</title></head><body>The document is <a href=\"{location}\">here</a>.</body></html>");
    answer(status, &format!("Location: {location}\r\nContent-Type: text/html\r\n"), &body)
}

/// A redirect with nothing but what makes it work, as an injector sends it.
pub(crate) fn bare_redirect(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// A redirect as the in-path boxes of 2018 send it.
pub(crate) fn box_redirect(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 307 Temporary Redirect\nLocation: {location}\nConnection: close\n\n").into_bytes()
}

/// `count` sentences of a page's text.
pub(crate) fn prose(count: usize) -> String {
    (1..=count).map(|n| format!("<p>Paragraph {n} of the morning news, as the newsroom wrote it.</p>\n")).collect()
}

/// Where the forged redirects of the stories lead.
pub(crate) const LURE: &str = "http://x9q2.updates.test/land";
