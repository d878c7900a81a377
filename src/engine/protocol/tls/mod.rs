//! The ClientHello of TLS (RFC 8446, section 4.1.2): what a client says in the clear before anything is secret.

mod ja4;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::wire::Fields;

/// Record type of handshake messages.
const HANDSHAKE: u8 = 22;
/// Handshake type of a ClientHello.
const CLIENT_HELLO: u8 = 1;
/// Bytes of a handshake message's type and length.
const MESSAGE_HEADER: usize = 4;
/// The longest ClientHello that is read. Those with post-quantum key shares and a resumption ticket have about 2 KiB.
pub const LONGEST_HELLO: usize = 4 << 10;
/// Cipher suites, and extensions, of one ClientHello; browsers send about twenty of each.
const MOST_CODES: usize = 256;
/// Bytes kept of the server's name (RFC 1035: at most 253 characters), and of the list of protocols.
const LONGEST_NAME: usize = 255;

/// Extensions (IANA, TLS ExtensionType Values).
const SERVER_NAME: u16 = 0;
const SIGNATURE_ALGORITHMS: u16 = 13;
const ALPN: u16 = 16;
const SUPPORTED_VERSIONS: u16 = 43;
const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;

/// A ClientHello.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The server's name, lower case, where it is given; with an encrypted ClientHello it is only the name of the front.
    pub server_name: Option<Box<str>>,
    /// The highest version that it offers, as on the wire: 0x0304 is TLS 1.3.
    pub version: u16,
    /// The list of application protocols as on the wire, each behind its length.
    alpn: Box<[u8]>,
    ciphers: Box<[u16]>,
    extensions: Box<[u16]>,
    signature_algorithms: Box<[u16]>,
}

/// What the beginning of a client's stream turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A ClientHello.
    Hello(Box<ClientHello>),
    /// So far it may become one.
    Unfinished,
    /// Something else, or longer than `LONGEST_HELLO`.
    Other,
}

impl Opening {
    /// Reads the first bytes of a client's stream, record by record.
    #[must_use]
    pub fn of_stream(stream: &[u8]) -> Self {
        let mut rest = Fields(stream);
        let mut message: Cow<'_, [u8]> = Cow::Borrowed(&[]);
        loop {
            match record(&mut rest) {
                Record::Part(part) if message.is_empty() => message = Cow::Borrowed(part),
                Record::Part(part) => message.to_mut().extend_from_slice(part),
                Record::Unfinished(part) => {
                    // What is there of the last record tells already whether waiting is worth it.
                    let start: Vec<u8> = message.iter().chain(part).copied().take(MESSAGE_HEADER).collect();
                    return if may_begin_hello(&start) && message.len() < LONGEST_HELLO { Self::Unfinished } else { Self::Other };
                }
                Record::Other => return Self::Other,
            }
            match Self::of_message(&message) {
                Self::Unfinished if message.len() < LONGEST_HELLO => {}
                Self::Unfinished => return Self::Other,
                told => return told,
            }
        }
    }

    /// Reads the first bytes of the handshake itself, as QUIC carries it.
    #[must_use]
    pub fn of_message(message: &[u8]) -> Self {
        if !may_begin_hello(message) {
            return Self::Other;
        }
        let body = message_len(message).and_then(|len| message.get(MESSAGE_HEADER..)?.get(..len));
        let Some(body) = body else { return Self::Unfinished };
        ClientHello::read(body).map_or(Self::Other, |hello| Self::Hello(Box::new(hello)))
    }
}

enum Record<'a> {
    /// Its whole content.
    Part(&'a [u8]),
    /// What is there of its content.
    Unfinished(&'a [u8]),
    Other,
}

/// The next record (RFC 8446, section 5.1).
fn record<'a>(rest: &mut Fields<'a>) -> Record<'a> {
    let mut head = *rest;
    let (kind, major) = (head.u8(), head.u8());
    if kind.is_some_and(|kind| kind != HANDSHAKE) || major.is_some_and(|major| major != 3) {
        return Record::Other;
    }
    let len = head.u8().and_then(|_| head.u16());
    match len.map(usize::from) {
        None => Record::Unfinished(&[]),
        // An empty fragment of a handshake message is not allowed, and would let a stream go on for nothing.
        Some(0) => Record::Other,
        Some(len) => match head.take(len) {
            Some(part) => {
                *rest = head;
                Record::Part(part)
            }
            None => Record::Unfinished(head.0),
        },
    }
}

/// The first bytes are those of a ClientHello of a length that is read, as far as they are there.
fn may_begin_hello(message: &[u8]) -> bool {
    message.first().is_none_or(|kind| *kind == CLIENT_HELLO) && message_len(message).is_none_or(|len| len <= LONGEST_HELLO)
}

fn message_len(message: &[u8]) -> Option<usize> {
    let &[_, a, b, c] = message.first_chunk()?;
    usize::try_from(u32::from_be_bytes([0, a, b, c])).ok()
}

impl ClientHello {
    /// Reads the body of the message; none when it is malformed or has too many of anything.
    fn read(body: &[u8]) -> Option<Self> {
        let mut rest = Fields(body);
        let mut hello = Self { version: rest.u16()?, ..Self::default() };
        let (_random, _session) = (rest.take(32)?, rest.behind_u8()?);
        hello.ciphers = codes(rest.behind_u16()?)?;
        let _compression = rest.behind_u8()?;
        // Before extensions were invented (RFC 4366) the message ended here.
        let Some(all) = rest.behind_u16() else { return rest.0.is_empty().then_some(hello) };
        let (mut all, mut kinds) = (Fields(all), Vec::with_capacity(24));
        while !all.0.is_empty() {
            let (kind, content) = (all.u16()?, all.behind_u16()?);
            if kinds.len() == MOST_CODES {
                return None;
            }
            kinds.push(kind);
            hello.take(kind, content);
        }
        hello.extensions = kinds.into();
        Some(hello)
    }

    /// Takes what an extension says; a malformed one says nothing.
    fn take(&mut self, kind: u16, content: &[u8]) {
        let mut content = Fields(content);
        match kind {
            SERVER_NAME => self.server_name = content.behind_u16().and_then(host_name),
            SIGNATURE_ALGORITHMS => self.signature_algorithms = content.behind_u16().and_then(codes).unwrap_or_default(),
            ALPN => {
                let list = content.behind_u16().filter(|list| list.len() <= LONGEST_NAME);
                self.alpn = list.unwrap_or_default().into();
            }
            SUPPORTED_VERSIONS => {
                let versions = content.behind_u8().and_then(codes).unwrap_or_default();
                self.version = versions.iter().copied().filter(|version| !is_grease(*version)).max().unwrap_or(self.version);
            }
            _ => {}
        }
    }

    /// The application protocols that the client offers, most wanted first, what is not printable replaced.
    pub fn protocols(&self) -> impl Iterator<Item = String> {
        let mut rest = Fields(&self.alpn);
        std::iter::from_fn(move || rest.behind_u8()).map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// The first of them as on the wire.
    fn first_protocol(&self) -> Option<&[u8]> {
        Fields(&self.alpn).behind_u8()
    }

    /// It carries an encrypted ClientHello (RFC 9849), or what looks like one: browsers send a dummy where they have no key.
    #[must_use]
    pub fn has_encrypted_hello(&self) -> bool {
        self.extensions.contains(&ENCRYPTED_CLIENT_HELLO)
    }

    /// The fingerprint JA4, sent over TCP or QUIC.
    #[must_use]
    pub fn ja4(&self, over_quic: bool) -> String {
        ja4::of(self, over_quic)
    }

    /// Heap bytes held.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let codes = self.ciphers.len() + self.extensions.len() + self.signature_algorithms.len();
        size_of::<Self>() + 2 * codes + self.alpn.len() + self.server_name.as_deref().map_or(0, str::len)
    }
}

/// The first entry that is a host name (RFC 6066, section 3).
fn host_name(list: &[u8]) -> Option<Box<str>> {
    let mut list = Fields(list);
    let (kind, name) = (list.u8()?, list.behind_u16()?);
    let is_sound = kind == 0 && !name.is_empty() && name.len() <= LONGEST_NAME;
    let name = std::str::from_utf8(name).ok().filter(|_| is_sound)?;
    Some(name.trim_end_matches('.').to_ascii_lowercase().into())
}

/// A list of numbers of two bytes.
fn codes(list: &[u8]) -> Option<Box<[u16]>> {
    let (pairs, odd) = list.as_chunks::<2>();
    (odd.is_empty() && pairs.len() <= MOST_CODES).then(|| pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect())
}

/// A number that means nothing, sent so that servers get used to numbers they do not know (RFC 8701).
const fn is_grease(code: u16) -> bool {
    let [high, low] = code.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}
