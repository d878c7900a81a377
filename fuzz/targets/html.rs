//! The search for redirects in a response: its header fields, its body plain or coded, whole or in pieces.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::detect::redirect_semantics::leads_away;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::protocol::http::{Connection, Event, Stamp};
use sidewatch::engine::protocol::url::Address;
use sidewatch::engine::time::Timestamp;
use sidewatch_fuzz::exchange::{Act, run};
use sidewatch_fuzz::script::Script;

const HEADS: [&str; 8] = [
    "Content-Type: text/html\r\n\r\n",
    "Content-Type: application/javascript\r\n\r\n",
    "\r\n",
    "Content-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n",
    "Content-Type: text/html\r\nContent-Encoding: deflate\r\n\r\n",
    "Content-Type: text/html\r\nContent-Encoding: br\r\n\r\n",
    "Content-Type: text/html\r\nContent-Encoding: zstd\r\n\r\n",
    "Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n",
];

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let (how, cut) = (script.byte(), usize::from(script.byte() % 64) + 1);
    let field = match how >> 6 {
        0 => "",
        1 => "Location: ",
        _ => "Refresh: ",
    };
    let line = if field.is_empty() { &[][..] } else { script.take(usize::from(how >> 3 & 7) * 16) };
    let head = HEADS.get(usize::from(how & 7)).copied().unwrap_or_default();
    let body = script.take(usize::MAX);
    let end = if field.is_empty() { "" } else { "\r\n" };
    let response = [b"HTTP/1.1 302 Found\r\n", field.as_bytes(), line, end.as_bytes(), head.as_bytes(), body].concat();
    let request = b"GET /dir/page?q HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
    let limits = Limits::default();
    let acts = [Act::Client(request), Act::Server(&response)];
    assert_eq!(run(&acts, usize::MAX, &limits), run(&acts, cut, &limits));

    let mut connection = Connection::default();
    let mut events = Vec::new();
    let at = Stamp { frame: 1, time: Timestamp::from_nanos(1), seq: 0 };
    connection.client_bytes(request, at, &limits);
    connection.server_bytes(&response, at, &limits, &mut events);
    let asked = Address::of_request("www.example.com", 80, "/dir/page?q");
    for event in &events {
        match event {
            Event::Head(response) => leads_away(&response.redirects, asked.as_ref()),
            Event::Body(redirects) => leads_away(redirects, None),
            Event::Whole(_) => false,
        };
    }
});
