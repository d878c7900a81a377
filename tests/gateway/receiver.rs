//! Who is told: a receiver of webhooks that checks Standard Webhooks signatures by itself, notes when what came, and can be in a bad mood.

use crate::lab::namespaces::Namespace;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The secret of the tests, as Standard Webhooks writes it.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Bytes of a body that are read at most; the documentation promises less than 20 kB.
const LONGEST_BODY: usize = 20_000;

/// How far the clock of a message may be off, seconds: what Standard Webhooks advises.
const TOLERANCE: u64 = 300;

/// What the receiver does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Takes,
    /// Takes it, and is gone before it can say so: it will come again.
    TakesMutely,
    /// 500.
    Fails,
    /// 503 with `Retry-After: 1`.
    Busy,
    /// Takes the request and says nothing for so long.
    Hangs(Duration),
    /// Closes before it answers.
    Closes,
    /// Closes its port for so long.
    Refuses(Duration),
}

/// A message that came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) at: SystemTime,
    /// `webhook-id`.
    pub(crate) id: String,
    pub(crate) body: Value,
    /// Whether it was taken.
    pub(crate) taken: bool,
}

/// What has come.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) messages: Vec<Message>,
    /// Requests that were not as they must be, and why.
    pub(crate) wrong: Vec<String>,
}

type Choose = dyn Fn(u64) -> Mood + Send + Sync;

/// A receiver at work; it ends with the handle.
pub(crate) struct Receiver {
    pub(crate) at: SocketAddr,
    pub(crate) book: Arc<Mutex<Book>>,
    mood: Arc<Mutex<Box<Choose>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Starts one on the loopback of `home`, in the mood that `choose` says of each request by its number.
    pub(crate) fn start(home: &Namespace, choose: impl Fn(u64) -> Mood + Send + Sync + 'static) -> io::Result<Self> {
        let listener = home.within(|| TcpListener::bind(("127.0.0.1", 0)))?;
        let at = listener.local_addr()?;
        let mood: Arc<Mutex<Box<Choose>>> = Arc::new(Mutex::new(Box::new(choose)));
        let (book, stop) = (Arc::<Mutex<Book>>::default(), Arc::new(AtomicBool::new(false)));
        let desk = Desk { book: book.clone(), mood: mood.clone(), stop: stop.clone(), refuses: Arc::default() };
        let again = home.way_in()?;
        let thread = spawn(move || desk.listen(listener, at, &|| again.within(|| TcpListener::bind(at))));
        Ok(Self { at, book, mood, stop, thread: Some(thread) })
    }

    /// Is in this mood from now on.
    pub(crate) fn change(&self, choose: impl Fn(u64) -> Mood + Send + Sync + 'static) {
        *self.mood.lock().unwrap() = Box::new(choose);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/alerts", self.at)
    }

    /// What was taken so far.
    pub(crate) fn taken(&self) -> Vec<Message> {
        self.book.lock().unwrap().messages.iter().filter(|message| message.taken).cloned().collect()
    }

    /// Fails when something came that was not signed as it must be.
    pub(crate) fn must_be_signed(&self) {
        let book = self.book.lock().unwrap();
        assert!(book.wrong.is_empty(), "{} of {} requests are wrong: {:?}", book.wrong.len(), book.messages.len(), book.wrong.first());
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

/// Those behind the port.
#[derive(Clone)]
struct Desk {
    book: Arc<Mutex<Book>>,
    mood: Arc<Mutex<Box<Choose>>>,
    stop: Arc<AtomicBool>,
    /// The port is to be closed for so long.
    refuses: Arc<Mutex<Option<Duration>>>,
}

impl Desk {
    fn listen(&self, mut listener: TcpListener, at: SocketAddr, again: &dyn Fn() -> io::Result<TcpListener>) {
        listener.set_nonblocking(true).unwrap();
        while !self.stop.load(Ordering::Relaxed) {
            if let Some(wait) = self.refuses.lock().unwrap().take() {
                drop(listener);
                sleep(wait);
                listener = again().unwrap_or_else(|error| panic!("{at} cannot be opened again: {error}"));
                listener.set_nonblocking(true).unwrap();
            }
            match listener.accept() {
                Ok((stream, _)) => {
                    let desk = self.clone();
                    spawn(move || desk.serve(stream));
                }
                Err(_) => sleep(Duration::from_millis(1)),
            }
        }
    }

    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nonblocking(false)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        loop {
            let Some((head, body)) = next_request(&mut stream)? else { return Ok(()) };
            let at = SystemTime::now();
            let number = self.book.lock().unwrap().messages.len() as u64;
            let mood = self.mood.lock().unwrap()(number);
            match checked(&head, &body, at) {
                Ok((id, value)) => self.book.lock().unwrap().messages.push(Message {
                    at,
                    id,
                    body: value,
                    taken: matches!(mood, Mood::Takes | Mood::TakesMutely),
                }),
                Err(why) => self.book.lock().unwrap().wrong.push(why),
            }
            let answer = match mood {
                Mood::Takes => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                Mood::Fails => "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
                Mood::Busy => "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
                Mood::Hangs(wait) => {
                    sleep(wait);
                    return Ok(());
                }
                Mood::Closes | Mood::TakesMutely => return Ok(()),
                Mood::Refuses(wait) => {
                    *self.refuses.lock().unwrap() = Some(wait);
                    return Ok(());
                }
            };
            stream.write_all(answer.as_bytes())?;
        }
    }
}

/// A request's head in lower case, and its body; none at the end of the connection.
fn next_request(stream: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = field(&head, "content-length").and_then(|length| length.parse::<usize>().ok()).unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                return Ok(Some((head, bytes[end + 4..end + 4 + length].to_vec())));
            }
        }
        match stream.read(&mut buffer)? {
            0 => return Ok(None),
            count => bytes.extend(&buffer[..count]),
        }
    }
}

fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().filter_map(|line| line.split_once(": ")).find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Id and body of a request, if it is signed with [`SECRET`] and of the present.
fn checked(head: &str, body: &[u8], at: SystemTime) -> Result<(String, Value), String> {
    let wanted = |name: &str| field(head, name).ok_or_else(|| format!("no {name} in {head}"));
    let (id, stamp, signatures) = (wanted("webhook-id")?, wanted("webhook-timestamp")?, wanted("webhook-signature")?);
    let key = SECRET.strip_prefix("whsec_").and_then(|key| BASE64_STANDARD.decode(key).ok()).unwrap();
    let signed = [id.as_bytes(), b".", stamp.as_bytes(), b".", body].concat();
    let right = format!("v1,{}", BASE64_STANDARD.encode(hmac_sha256(&key, &signed)));
    if !signatures.split(' ').any(|signature| signature == right) {
        return Err(format!("{id} is signed by {signatures}, not by {right}"));
    }
    let now = at.duration_since(UNIX_EPOCH).unwrap().as_secs();
    if !stamp.parse::<u64>().is_ok_and(|stamp| now.abs_diff(stamp) <= TOLERANCE) {
        return Err(format!("{id} bears the time {stamp}, and it is {now}"));
    }
    if body.len() > LONGEST_BODY {
        return Err(format!("{id} has {} bytes", body.len()));
    }
    let value = serde_json::from_slice(body).map_err(|error| format!("{id} is no JSON: {error}"))?;
    Ok((id.to_owned(), value))
}

/// RFC 2104, by the letter, so that a mistake of the crate that signs is not made twice.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[test]
fn signatures_are_checked_by_the_example_of_standard_webhooks() {
    let body = br#"{"test": 2432232314}"#;
    let head = |signature: &str| {
        format!(
            "POST / HTTP/1.1\r\nwebhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\nWebhook-Timestamp: 1614265330\r\nwebhook-signature: v1,bad {signature}"
        )
    };
    let then = UNIX_EPOCH + Duration::from_secs(1_614_265_330);
    let right = head("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    assert!(checked(&right, body, then).is_ok(), "{:?}", checked(&right, body, then));
    assert!(checked(&right, b"{\"test\": 2432232315}", then).is_err(), "another body");
    assert!(checked(&right, body, then + Duration::from_secs(TOLERANCE + 1)).is_err(), "sent again much later");
    assert!(checked(&head("v1a,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), body, then).is_err(), "another version");
}
