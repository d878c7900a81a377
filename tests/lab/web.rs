//! The web server and its visitor, both on the kernel's TCP.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) const PORT: u16 = 80;

/// The name that visitors ask for.
pub(crate) const HOST: &str = "news.example";

/// What a server makes of a request.
pub(crate) type Answer = fn(path: &str) -> Vec<Vec<u8>>;

/// How long servers think, so that the kernel acknowledges the request first, as it does before most pages.
const THINKING: Duration = Duration::from_millis(6);

/// A server at work; it ends with the handle.
pub(crate) struct Server {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(listener: TcpListener, answer: Answer) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => drop(thread::spawn(move || serve(stream, answer))),
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

/// Answers requests until the visitor asks to close, or goes.
fn serve(mut stream: TcpStream, answer: Answer) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut rest = Vec::new();
    while let Some(head) = next_head(&mut stream, &mut rest)? {
        thread::sleep(THINKING);
        for part in answer(head.split(' ').nth(1).unwrap_or("/")) {
            stream.write_all(&part)?;
        }
        if head.contains("Connection: close") {
            return Ok(());
        }
    }
    Ok(())
}

fn next_head(stream: &mut TcpStream, rest: &mut Vec<u8>) -> io::Result<Option<String>> {
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = rest.drain(..end + 4).collect::<Vec<_>>();
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(None),
            count => rest.extend(&buffer[..count]),
        }
    }
}

/// The page of the site: its script is what a forger would change.
pub(crate) fn page(path: &str) -> Vec<Vec<u8>> {
    let body = body(path, "/static/analytics-3.4.js");
    let whole = [head(body.len()), body].concat();
    if path != "/in-two-parts" {
        return vec![whole];
    }
    let (first, second) = whole.split_at(whole.len() / 2);
    vec![first.to_vec(), second.to_vec()]
}

/// A page of the same length whose script comes from elsewhere.
pub(crate) fn changed_page(path: &str) -> Vec<u8> {
    let body = body(path, "//cdn.example.net/pop.js");
    [head(body.len()), body].concat()
}

/// What an injector sends browsers away with.
pub(crate) fn redirect() -> Vec<u8> {
    b"HTTP/1.1 302 Found\r\nLocation: http://update.example.net/a8f3c2d9e1b7445c90aa/\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        .to_vec()
}

/// The portal's answer to everything.
pub(crate) fn portal(_: &str) -> Vec<Vec<u8>> {
    vec![b"HTTP/1.1 302 Found\r\nDate: Tue, 06 Jan 2026 09:00:00 GMT\r\nServer: portal\r\nLocation: http://192.0.2.1/login\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n".to_vec()]
}

fn head(length: usize) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nDate: Tue, 06 Jan 2026 09:00:00 GMT\r\nServer: Apache/2.4.62\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

fn body(path: &str, script: &str) -> Vec<u8> {
    format!("<!doctype html><html><head><title>News</title><script src=\"{script}\"></script></head><body><h1>{path}</h1><p>The council met on Monday and put off its decision on the bridge.</p></body></html>\n").into_bytes()
}

/// Asks `server` for the given paths on one connection, after `hesitation`, the last time with a wish to close; gives up after a second.
pub(crate) fn visit(server: IpAddr, paths: &[&str], hesitation: Duration) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::new(server, PORT), Duration::from_secs(2))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    thread::sleep(hesitation);
    for (number, path) in paths.iter().enumerate() {
        let wish = if number + 1 == paths.len() { "close" } else { "keep-alive" };
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nUser-Agent: lab\r\nConnection: {wish}\r\n\r\n").as_bytes())?;
        read_answer(&mut stream)?;
    }
    Ok(())
}

/// One answer, asked for on a connection of its own.
pub(crate) fn fetch(server: SocketAddr, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&server, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n").as_bytes())?;
    read_answer(&mut stream)
}

/// Reads to the end that the head promises.
fn read_answer(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&answer[..end]).into_owned();
            let length = head.split("Content-Length: ").nth(1).and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
            if answer.len() >= end + 4 + length.unwrap_or(0) {
                return Ok(answer);
            }
        }
        match stream.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => answer.extend(&buffer[..count]),
        }
    }
}
