//! What the record tells of a redirect, and of a client that followed it.

use crate::engine::decode::packet::Addr;
use crate::engine::protocol::http::{RedirectKind, Wants};
use crate::engine::protocol::url::{Address, is_cross_site};
use crate::engine::time::Timestamp;

/// A redirect, resolved.
#[derive(Clone, Debug)]
pub struct RedirectFacts {
    /// The address that was asked for, as far as it is known.
    pub from: Option<String>,
    /// Where the client was sent.
    pub to: String,
    /// Status code of the answer.
    pub status: u16,
    /// How.
    pub kind: RedirectKind,
    /// To another registrable domain; none when the asked-for host is unknown.
    pub cross_site: Option<bool>,
    /// What the client wanted the answer for.
    pub wants: Wants,
    /// By way of what the client came to ask, the first page first.
    pub led_by: Vec<Lead>,
    /// How the client went there, if it was seen to.
    pub followed: Option<Followed>,
}

/// A page or an address that led a client on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// Its address. Of a page of another site browsers may tell no more than the site.
    pub url: String,
    /// How it led on.
    pub how: Led,
    /// The packet: the client's request for the page, or the answer that redirected; none where it was not seen.
    pub seen: Option<(u64, Timestamp)>,
}

/// How a page or an address led a client on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Led {
    /// The next request names it as the page that it comes from (Referer).
    Page,
    /// It redirected.
    Redirected,
}

/// What a client did to go where it was sent.
#[derive(Clone, Debug)]
pub struct Followed {
    /// In order of frames; at least one.
    pub steps: Vec<Step>,
    /// The name of the first target; none where it was an address.
    pub target: Option<String>,
    /// Nobody in this network was seen to use the target's domain before.
    pub new_domain: bool,
}

/// One thing that a client did on its way.
#[derive(Clone, Debug)]
pub struct Step {
    /// Frame number.
    pub frame: u64,
    /// Capture time.
    pub time: Timestamp,
    /// What it did.
    pub how: How,
    /// 0 on the way to the first target, 1 to where that sent it, and so on.
    pub hop: u8,
    /// The name concerned.
    pub name: Option<String>,
    /// To whom: the server, or the resolver.
    pub server: (Addr, u16),
    /// The whole address that was asked for, or that it was sent to.
    pub url: Option<String>,
    /// What it said in a ClientHello.
    pub tls: Option<TlsFacts>,
}

/// A step; later ones prove more of where the client went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It asked DNS for the name.
    DnsQuestion,
    /// It opened a TCP connection.
    TcpConnection,
    /// It was sent further by the answer.
    Redirected,
    /// It asked for a page that the page before led to (Referer).
    LedOn,
    /// It sent a request in plain HTTP.
    HttpRequest,
    /// It began TLS.
    TlsHello,
    /// It began QUIC.
    QuicHello,
}

/// What a client says in a ClientHello.
#[derive(Clone, Debug)]
pub struct TlsFacts {
    /// The server's name.
    pub sni: Option<String>,
    /// The highest version that it offers, as on the wire.
    pub version: u16,
    /// The application protocols that it offers.
    pub alpn: Vec<String>,
    /// It carries an encrypted ClientHello, or a dummy of one.
    pub encrypted_hello: bool,
    /// The fingerprint JA4.
    pub ja4: String,
}

impl RedirectFacts {
    /// The page of another site that the answered request belongs to: what was answered then is something that this page shows.
    #[must_use]
    pub fn other_page(&self) -> Option<&Lead> {
        let from = Address::parse(self.from.as_deref()?)?;
        let is_other = |lead: &&Lead| Address::parse(&lead.url).is_some_and(|page| is_cross_site(page.host(), from.host()));
        self.led_by.iter().rev().filter(|lead| lead.how == Led::Page).find(is_other)
    }
}

impl Lead {
    /// The name in the alert record.
    #[must_use]
    pub const fn how(&self) -> &'static str {
        match self.how {
            Led::Page => "page",
            Led::Redirected => "redirected",
        }
    }
}

impl Followed {
    /// The client connected, and did not only ask for the name.
    #[must_use]
    pub fn went(&self) -> bool {
        self.steps.iter().any(|step| step.how != How::DnsQuestion)
    }
}

impl How {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DnsQuestion => "dns_question",
            Self::TcpConnection => "tcp_connection",
            Self::TlsHello => "tls_hello",
            Self::QuicHello => "quic_hello",
            Self::HttpRequest => "http_request",
            Self::Redirected => "redirected",
            Self::LedOn => "led_on",
        }
    }
    /// The same in words, to begin a clause.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::DnsQuestion => "DNS question",
            Self::TcpConnection => "TCP connection",
            Self::TlsHello => "TLS ClientHello",
            Self::QuicHello => "QUIC ClientHello",
            Self::HttpRequest => "HTTP request",
            Self::Redirected => "further redirect",
            Self::LedOn => "request that the page led to",
        }
    }
}
