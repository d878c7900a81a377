//! A receiver of webhooks that answers as it was told, kindly or not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What it does with a request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Answer(u16, &'static str),
    /// Closes without a word.
    Close,
    /// Closes within the first line of its answer.
    CloseAmid,
    /// Says nothing until the other side goes.
    Hang,
    /// A letter of a header each tenth of a second.
    Drip,
    /// Headers without an end.
    EndlessHeaders,
    /// A failure whose body has no end.
    EndlessBody,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) headers: Headers,
    pub(super) body: String,
    pub(super) act: Act,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value)
    }

    pub(super) fn was_taken(&self) -> bool {
        matches!(self.act, Act::Answer(200..=299, _))
    }
}

pub(super) struct Receiver {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    /// `decide` is given the number of the request, from 0.
    pub(super) fn new(decide: impl FnMut(usize) -> Act + Send + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), decide)
    }

    pub(super) fn on(listener: TcpListener, decide: impl FnMut(usize) -> Act + Send + 'static) -> Self {
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, decide) = (seen.clone(), Arc::new(Mutex::new((0, decide))));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, decide) = (log.clone(), decide.clone());
                thread::spawn(move || {
                    let Ok(stream) = stream else { return };
                    let act = || {
                        let mut decide = decide.lock().unwrap();
                        decide.0 += 1;
                        let number = decide.0 - 1;
                        (decide.1)(number)
                    };
                    serve(&stream, &stream, act, &log);
                });
            }
        });
        Self { url, seen }
    }

    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Ids in the order in which they were first taken.
    pub(super) fn taken(&self) -> Vec<String> {
        let mut ids: Vec<String> = Vec::new();
        for request in self.seen().iter().filter(|request| request.was_taken()) {
            let id = request.header("webhook-id").to_owned();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }
}

/// Reads one request and answers it.
pub(super) fn serve(input: impl Read, mut output: impl Write, act: impl FnOnce() -> Act, log: &Mutex<Vec<Request>>) {
    let Some((headers, body, rest)) = request(input) else { return };
    let act = act();
    log.lock().unwrap().push(Request { headers, body, act: act.clone() });
    let _ = answer(&mut output, &act, rest);
}

type Headers = Vec<(String, String)>;

fn request<R: Read>(input: R) -> Option<(Headers, String, BufReader<R>)> {
    let mut input = BufReader::new(input);
    let mut headers = Vec::new();
    let mut line = String::new();
    input.read_line(&mut line).ok()?;
    assert!(line.is_empty() || line.starts_with("POST "), "{line}");
    loop {
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some((headers, String::from_utf8(body).ok()?, input))
}

fn answer(output: &mut impl Write, act: &Act, mut rest: impl Read) -> std::io::Result<()> {
    let paced = |output: &mut dyn Write, text: &str| {
        thread::sleep(Duration::from_millis(100)); // slowness is what is acted here
        output.write_all(text.as_bytes()).and_then(|()| output.flush())
    };
    match act {
        Act::Answer(status, headers) => {
            write!(output, "HTTP/1.1 {status} Some Reason\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\nok")?;
            output.flush()
        }
        Act::Close => Ok(()),
        Act::CloseAmid => output.write_all(b"HTTP/1.1 20"),
        Act::Hang => rest.read(&mut [0]).map(drop),
        Act::Drip => (0..600).try_for_each(|_| paced(output, "H")),
        Act::EndlessHeaders => {
            output.write_all(b"HTTP/1.1 200 OK\r\n")?;
            (0..1_000_000).try_for_each(|number| write!(output, "X-{number}: {}\r\n", "y".repeat(1000)))
        }
        Act::EndlessBody => {
            output.write_all(b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            (0..1_000_000).try_for_each(|_| write!(output, "400\r\n{}\r\n", "z".repeat(1024)))
        }
    }
}

/// A port that nobody listens on, for now.
pub(super) fn idle_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
