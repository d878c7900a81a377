//! S12: the client went where a suspected answer had sent it.
//!
//! ## What it sees
//! Within five seconds after the answer, of the same client: a question to DNS for the target's name, a TCP connection to it (by its address, as DNS gave
//! it or the redirect wrote it), a ClientHello of TLS or QUIC with its name, a request in plain HTTP with its name. Where the target redirects again in
//! plain HTTP, or its page leads to a page of another host (Referer), the same for the next target, over four hops. Looking back, the pages and redirects
//! by way of which the client came to its request, up to eight: those give no points, and say whose the redirect is. 10 points when it connected, 5 more
//! when nobody in this network was seen to use the target's domain before, in half an hour of watching at least. A question to DNS alone gives no points:
//! browsers ask ahead. Nor has the redirect of a site itself or of a portal any: following those is what they are for.
//!
//! ## Why it matters
//! It proves that the device took the answer for the server's, and tells how far it went and when. Why it went there it does not say.
//!
//! ## When it is wrong
//! A page may lead to the same place in another way at the same moment, and several names may share an address: a ClientHello or a request with another
//! name counts as somebody else's. Of a page of another site browsers tell the site only: the latest page that was asked for there is taken for it. What
//! goes through a proxy, a VPN or an encrypted ClientHello is not seen: not followed means not seen to follow.
//!
//! ## Reference
//! RFC 9110, section 10.1.3 (Referer); W3C Referrer Policy; RFC 8446, section 4.1.2 (ClientHello); RFC 9001, section 5.2 (QUIC's first packets); Marczak
//! et al., "Bad Traffic" (2018), and Amnesty International (2019), where a redirect to a fresh name on an odd port was followed within a second.

use crate::alert::{Alert, Followed, How, Signal, Step, TlsFacts, Verdict};
use crate::engine::contact::{Asked, Contact, Kind};
use crate::engine::decode::packet::Addr;
use crate::engine::protocol::http::Wants;
use crate::engine::protocol::tls::ClientHello;
use crate::engine::protocol::url::{Address, is_ip_literal};
use crate::engine::time::{Span, Timestamp};

/// Code of the detector.
pub const CODE: &str = "S12";
/// Version of the detector.
pub const VERSION: u32 = 2;

/// How long after the answer the client's doings are looked at.
pub(super) const WITHIN: Span = Span::from_secs(5);
/// Redirects after the first that are followed.
const MOST_HOPS: u8 = 4;
/// Steps that an alert tells.
const MOST_STEPS: usize = 16;
/// Addresses of one target.
const MOST_ADDRESSES: usize = 16;

const POINTS: u8 = 10;
const POINTS_OF_NEW_DOMAIN: u8 = 5;

/// One place where the client was sent.
struct Goal {
    address: Address,
    hop: u8,
    addresses: Vec<Addr>,
    /// The host is the one that the client had asked: only the very page counts, or that it began TLS.
    is_same_host: bool,
}

/// What was found so far.
struct Trail<'a> {
    goals: Vec<Goal>,
    opened: Vec<&'a Contact>,
    steps: Vec<Step>,
}

/// What the client did to go where the alert's redirect sent it; none when nothing of the kind was seen. `contacts` are the client's, oldest first.
pub(super) fn follow<'a>(alert: &Alert, contacts: impl Iterator<Item = &'a Contact>) -> Option<Followed> {
    let redirect = alert.redirect.as_ref()?;
    let to = Address::parse(&redirect.to)?;
    let from = redirect.from.as_deref().and_then(Address::parse);
    let is_same_host = from.is_some_and(|from| from.host() == to.host());
    let target = (!is_ip_literal(to.host())).then(|| to.host().to_owned());
    let mut trail = Trail { goals: vec![Goal::new(to, 0, is_same_host)], opened: Vec::new(), steps: Vec::new() };
    let forged = &alert.forged;
    for contact in contacts.filter(|contact| contact.frame > forged.frame && (Span::ZERO..=WITHIN).contains(&(contact.time - forged.time)))
    {
        trail.take(contact);
    }
    trail.steps.sort_by_key(|step| step.frame);
    trail.steps.truncate(MOST_STEPS);
    (!trail.steps.is_empty()).then_some(Followed { steps: trail.steps, target, new_domain: false })
}

/// The points that it gives under a verdict.
pub(super) fn points(followed: &Followed, verdict: Verdict) -> u8 {
    let counts = verdict.is_injection() || matches!(verdict, Verdict::SuspiciousRedirect | Verdict::Inconclusive);
    match (counts && followed.went(), followed.new_domain) {
        (false, _) => 0,
        (true, false) => POINTS,
        (true, true) => POINTS + POINTS_OF_NEW_DOMAIN,
    }
}

/// The signal that an alert lists.
pub(super) fn signal(followed: &Followed, since: Timestamp, points: u8) -> Signal {
    let told: Vec<String> =
        followed.steps.iter().map(|step| format!("{} after {} ms", step.how.words(), (step.time - since).as_nanos() / 1_000_000)).collect();
    let new = if followed.new_domain { "; the domain was never seen here before" } else { "" };
    Signal {
        code: CODE,
        version: VERSION,
        weight: "weak",
        points,
        observed: format!("{}{new}", told.join(", ")),
        expected: "nothing that leads to the target within 5 s".to_owned(),
        frames: followed.steps.iter().map(|step| step.frame).collect(),
        why: "The device went where the answer had sent it.".to_owned(),
    }
}

impl Goal {
    fn new(address: Address, hop: u8, is_same_host: bool) -> Self {
        let literal = address.host().parse().ok().map(|ip: std::net::IpAddr| Addr::from(ip));
        Self { address, hop, addresses: literal.into_iter().collect(), is_same_host }
    }

    fn is_named(&self, name: &str) -> bool {
        self.address.host() == name
    }

    fn is_at(&self, server: (Addr, u16)) -> bool {
        self.addresses.contains(&server.0) && self.address.port() == Some(server.1)
    }

    /// A ClientHello with its name, or without any but to its address.
    fn is_greeted(&self, hello: &ClientHello, server: (Addr, u16)) -> bool {
        let is_meant = hello.server_name.as_deref().map_or_else(|| self.is_at(server), |name| self.is_named(name));
        is_meant && (!self.is_same_host || self.address.scheme() == "https")
    }

    fn is_asked(&self, asked: &Address) -> bool {
        let same_page = || asked.path() == self.address.path() && asked.query() == self.address.query();
        self.is_named(asked.host()) && (!self.is_same_host || same_page())
    }
}

/// The address that a request asked for; without Host field that of its server.
pub(super) fn address_of(asked: &Asked, server: (Addr, u16)) -> Option<Address> {
    let literal = || if server.0.ip().is_ipv6() { format!("[{}]", server.0) } else { server.0.to_string() };
    let host = asked.host().map_or_else(literal, str::to_owned);
    Address::of_request(&host, server.1, asked.target())
}

impl<'a> Trail<'a> {
    fn take(&mut self, contact: &'a Contact) {
        let server = contact.server;
        match &contact.kind {
            Kind::DnsQuestion(name) => {
                if let Some(hop) = self.hop(|goal| !goal.is_same_host && goal.is_named(name)) {
                    self.note(Step { name: Some(name.to_string()), ..step(contact, How::DnsQuestion, hop) });
                }
            }
            Kind::DnsAnswer { name, addresses, .. } => {
                for goal in self.goals.iter_mut().filter(|goal| !goal.is_same_host && goal.is_named(name)) {
                    let room = MOST_ADDRESSES.saturating_sub(goal.addresses.len());
                    goal.addresses.extend(addresses.iter().take(room));
                }
            }
            Kind::TcpOpened => {
                self.opened.push(contact);
                if let Some(hop) = self.hop(|goal| goal.is_at(server)) {
                    self.note(step(contact, How::TcpConnection, hop));
                }
            }
            Kind::TlsHello(hello) | Kind::QuicHello(hello) => self.greet(contact, hello),
            Kind::HttpRequest(asked) => {
                let Some(address) = address_of(asked, server) else { return };
                match self.hop(|goal| goal.is_asked(&address)) {
                    Some(hop) => {
                        let url = Some(address.as_str().to_owned());
                        self.note(Step { name: Some(address.host().to_owned()), url, ..step(contact, How::HttpRequest, hop) });
                        self.note_opening(contact, hop);
                    }
                    None => {
                        self.disown(server);
                        self.lead_on(contact, address, asked);
                    }
                }
            }
            Kind::HttpRedirect { asked, target } => {
                let Some(address) = address_of(asked, server) else { return };
                if let Some(hop) = self.hop(|goal| goal.is_asked(&address)) {
                    self.go_on(contact, &address, (target, hop));
                }
            }
        }
    }

    /// The hop of the latest goal of this kind.
    fn hop(&self, is_it: impl Fn(&Goal) -> bool) -> Option<u8> {
        self.goals.iter().rev().find(|goal| is_it(goal)).map(|goal| goal.hop)
    }

    fn greet(&mut self, contact: &Contact, hello: &ClientHello) {
        let over_quic = matches!(contact.kind, Kind::QuicHello(_));
        let Some(hop) = self.hop(|goal| goal.is_greeted(hello, contact.server)) else {
            return self.disown(contact.server);
        };
        let how = if over_quic { How::QuicHello } else { How::TlsHello };
        let name = hello.server_name.as_deref().map(str::to_owned);
        let tls = TlsFacts {
            sni: name.clone(),
            version: hello.version,
            alpn: hello.protocols().collect(),
            encrypted_hello: hello.has_encrypted_hello(),
            ja4: hello.ja4(over_quic),
        };
        self.note(Step { name, tls: Some(tls), ..step(contact, how, hop) });
        if !over_quic {
            self.note_opening(contact, hop);
        }
    }

    /// The connection that `contact` came over, where it was not known to be one to the target when it was opened.
    fn note_opening(&mut self, contact: &Contact, hop: u8) {
        if let Some(opened) = self.opened.iter().rev().find(|opened| opened.server == contact.server) {
            self.note(step(opened, How::TcpConnection, hop));
        }
    }

    /// The connections to this server were meant for another name.
    fn disown(&mut self, server: (Addr, u16)) {
        let is_claimed = self.steps.iter().any(|step| step.server == server && step.how != How::TcpConnection);
        if !is_claimed {
            self.steps.retain(|step| step.server != server || step.how != How::TcpConnection);
        }
    }

    /// The target sends the client further.
    fn go_on(&mut self, contact: &Contact, from: &Address, (target, hop): (&str, u8)) {
        let Some(to) = from.resolve(target).filter(|_| hop < MOST_HOPS) else { return };
        if self.goals.iter().any(|goal| goal.address == to) {
            return;
        }
        let is_same_host = to.host() == from.host();
        let url = Some(to.as_str().to_owned());
        self.note(Step { name: Some(to.host().to_owned()), url, ..step(contact, How::Redirected, hop) });
        self.goals.push(Goal::new(to, hop.saturating_add(1), is_same_host));
    }

    /// The page of a target leads the client to a page of another host, as pages do that redirect by a script.
    fn lead_on(&mut self, contact: &Contact, to: Address, asked: &Asked) {
        let page = asked.referer().and_then(Address::parse).filter(|_| asked.wants == Wants::Page);
        let Some(hop) = page.and_then(|page| self.hop(|goal| goal.is_asked(&page) && !goal.is_named(to.host()))) else { return };
        if hop < MOST_HOPS {
            let url = Some(to.as_str().to_owned());
            self.note(Step { name: Some(to.host().to_owned()), url, ..step(contact, How::LedOn, hop) });
            self.goals.push(Goal::new(to, hop.saturating_add(1), false));
        }
    }

    /// Each kind of step is told once for each name or server of a hop.
    fn note(&mut self, new: Step) {
        let is_known = |step: &Step| {
            let is_same = if new.how == How::DnsQuestion { step.name == new.name } else { step.server == new.server };
            step.how == new.how && step.hop == new.hop && is_same
        };
        if !self.steps.iter().any(is_known) {
            self.steps.push(new);
        }
    }
}

fn step(contact: &Contact, how: How, hop: u8) -> Step {
    Step { frame: contact.frame, time: contact.time, how, hop, name: None, server: contact.server, url: None, tls: None }
}
