//! What a client does next: the questions, connections and requests that tell whether it went where it was sent.

use super::decode::datagram::{Carrier, DatagramHead};
use super::decode::packet::{Addr, Head, Vlans};
use super::flow::Flow;
use super::protocol::dns::Name;
use super::protocol::http::{Request, Response, Stamp, Wants};
use super::protocol::tls::ClientHello;
use super::time::Timestamp;

/// Bytes kept of each text of a contact; a path beyond them tells no more.
const LONGEST_TEXT: usize = 512;

/// One thing that a client did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub client: Addr,
    /// From which port.
    pub client_port: u16,
    /// VLAN ids of the packet, where equal addresses may be other hosts.
    pub vlans: Vlans,
    /// To whom, by address and port.
    pub server: (Addr, u16),
    /// In a TCP connection; else by UDP.
    pub over_tcp: bool,
    /// In which frame.
    pub frame: u64,
    /// When.
    pub time: Timestamp,
    /// What.
    pub kind: Kind,
}

/// What a client did. Names are in lower case, without a dot at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It asked DNS for a name.
    DnsQuestion(Box<str>),
    /// It was told by DNS where a name is. The server is the resolver.
    DnsAnswer {
        /// The name that was asked for.
        name: Box<str>,
        /// The last name that its aliases lead to.
        alias: Option<Name>,
        /// Its addresses.
        addresses: Box<[Addr]>,
    },
    /// It began to open a TCP connection.
    TcpOpened,
    /// It began TLS.
    TlsHello(Box<ClientHello>),
    /// It began QUIC.
    QuicHello(Box<ClientHello>),
    /// It sent a request in plain HTTP.
    HttpRequest(Asked),
    /// A request in plain HTTP was answered with a redirect.
    HttpRedirect {
        /// The request.
        asked: Asked,
        /// Where to, as written.
        target: Box<str>,
    },
}

/// A request in plain HTTP; each text is cut at 512 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Host, target and Referer, one behind the other: one piece of heap, as every request has them.
    texts: Box<str>,
    host: u16,
    target: u16,
    /// What the answer is wanted for.
    pub wants: Wants,
}

impl Contact {
    /// The client's question for a name in lower case, or with alias and addresses the answer to it; `head` is of that message.
    #[must_use]
    pub fn of_dns(head: &DatagramHead, name: Box<str>, answer: Option<(Option<Name>, &[Addr])>) -> Self {
        let name = if name.len() > LONGEST_TEXT { cut(&name).into() } else { name };
        let (src, dst) = ((head.src, head.src_port), (head.dst, head.dst_port));
        let ((client, client_port), server, kind) = match answer {
            None => (src, dst, Kind::DnsQuestion(name)),
            Some((alias, addresses)) => (dst, src, Kind::DnsAnswer { name, alias, addresses: addresses.into() }),
        };
        let over_tcp = head.carrier == Carrier::Tcp;
        Self { client, client_port, vlans: head.vlans, server, over_tcp, frame: head.frame, time: head.time, kind }
    }

    /// A SYN.
    pub(super) fn of_syn(head: &Head) -> Self {
        let (client, server) = ((head.src, head.src_port), (head.dst, head.dst_port));
        Self::between(client, server, head.vlans, (head.frame, head.time), Kind::TcpOpened)
    }

    /// The ClientHello that a datagram completed.
    pub(super) fn of_quic(head: &DatagramHead, hello: Box<ClientHello>) -> Self {
        let (client, server) = ((head.src, head.src_port), (head.dst, head.dst_port));
        Self { over_tcp: false, ..Self::between(client, server, head.vlans, (head.frame, head.time), Kind::QuicHello(hello)) }
    }

    /// The ClientHello that a segment of the flow completed.
    pub(super) fn of_tls(flow: &Flow, (frame, time): (u64, Timestamp), hello: Box<ClientHello>) -> Self {
        Self::of_flow(flow, (frame, time), Kind::TlsHello(hello))
    }

    /// A request of the flow.
    pub(super) fn of_request(flow: &Flow, request: &Request) -> Self {
        let Stamp { frame, time, .. } = request.last;
        Self::of_flow(flow, (frame, time), Kind::HttpRequest(Asked::of(request)))
    }

    /// A redirect by status or Refresh field, and the request that it answers; none where one of them is missing.
    pub(super) fn of_redirect(flow: &Flow, response: &Response) -> Option<Self> {
        let (redirect, request) = (response.redirects.first()?, response.request.as_ref()?);
        let kind = Kind::HttpRedirect { asked: Asked::of(request), target: cut(&redirect.target).into() };
        Some(Self::of_flow(flow, (response.first.frame, response.first.time), kind))
    }

    fn of_flow(flow: &Flow, (frame, time): (u64, Timestamp), kind: Kind) -> Self {
        Self::between(flow.endpoint(flow.server.other()), flow.endpoint(flow.server), flow.vlans, (frame, time), kind)
    }

    /// In a TCP connection.
    const fn between(client: (Addr, u16), server: (Addr, u16), vlans: Vlans, (frame, time): (u64, Timestamp), kind: Kind) -> Self {
        Self { client: client.0, client_port: client.1, vlans, server, over_tcp: true, frame, time, kind }
    }

    /// The name that it concerns.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::DnsQuestion(name) | Kind::DnsAnswer { name, .. } => Some(name),
            Kind::TlsHello(hello) | Kind::QuicHello(hello) => hello.server_name.as_deref(),
            Kind::HttpRequest(asked) | Kind::HttpRedirect { asked, .. } => asked.host(),
            Kind::TcpOpened => None,
        }
    }

    /// Bytes held, its own included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let heap = match &self.kind {
            Kind::TcpOpened => 0,
            Kind::DnsQuestion(name) => name.len(),
            Kind::DnsAnswer { name, alias, addresses } => {
                name.len() + alias.as_ref().map_or(0, |alias| alias.as_bytes().len()) + size_of_val::<[Addr]>(addresses)
            }
            Kind::TlsHello(hello) | Kind::QuicHello(hello) => hello.heap_bytes(),
            Kind::HttpRequest(asked) => asked.bytes(),
            Kind::HttpRedirect { asked, target } => asked.bytes() + target.len(),
        };
        size_of::<Self>() + heap
    }
}

impl Asked {
    /// A request for `target` of `host`, led to by the page at `referer`. An empty host or Referer is none.
    #[must_use]
    pub fn new(host: &str, target: &str, referer: &str, wants: Wants) -> Self {
        let [host, target, referer] = [host, target, referer].map(cut);
        let mut texts = String::with_capacity(host.len() + target.len() + referer.len());
        for text in [host, target, referer] {
            texts.push_str(text);
        }
        Self { texts: texts.into_boxed_str(), host: host.len() as u16, target: target.len() as u16, wants }
    }

    fn of(request: &Request) -> Self {
        let [host, referer] = [&request.host, &request.referer].map(|field| field.as_deref().unwrap_or_default());
        Self::new(host, &request.target, referer, request.wants)
    }

    /// The Host field, or the authority of the target.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        self.texts.get(..usize::from(self.host)).filter(|host| !host.is_empty())
    }

    /// The target.
    #[must_use]
    pub fn target(&self) -> &str {
        let (from, to) = (usize::from(self.host), usize::from(self.host) + usize::from(self.target));
        self.texts.get(from..to).unwrap_or_default()
    }

    /// The Referer field: the page that led to the request.
    #[must_use]
    pub fn referer(&self) -> Option<&str> {
        self.texts.get(usize::from(self.host) + usize::from(self.target)..).filter(|referer| !referer.is_empty())
    }

    fn bytes(&self) -> usize {
        self.texts.len()
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST_TEXT)).unwrap_or(text)
}
