//! The alert for people: what was found, the packets side by side, why it was judged so, and what to do next.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::advice::next_steps;
use super::community::community_id;
use super::eve::{hops, hundredths};
use super::explain::{explanation, headline};
use super::local::{self, is_local};
use super::plain::{cut, defanged, host_of, local_text, wire_text, wrapped};
use super::when::{plain_span, plain_time};
use super::{Alert, ClosedBecause, Considered, Followed, How, Lead, Led, RedirectFacts, Role, Signal, SourceFacts, Step, Style, Verdict};
use super::{ladder, listed};
use crate::engine::decode::packet::Addr;
use crate::engine::protocol::http::RedirectKind;

#[cfg(test)]
mod tests;

/// Columns that no line but a redirect's address exceeds.
pub(super) const WIDTH: usize = 100;
/// Characters shown of an address that a packet held.
const ADDRESS_LIMIT: usize = 400;
/// Characters shown of a compared value.
const VALUE_LIMIT: usize = 160;
/// Frames named before the rest is counted.
const FRAMES_SHOWN: usize = 8;

/// The whole alert, every line with its newline. What packets chose is escaped, and addresses are written so that nothing opens them.
#[must_use]
pub fn render(alert: &Alert, source: &SourceFacts, style: Style) -> String {
    let page = Page { alert, hosts: hosts(alert), paint: Paint { colour: style.colour } };
    [
        page.head(),
        page.place(source),
        page.section("What happened", &wrapped("  ", &page.safe(&explanation(alert), usize::MAX), WIDTH)),
        page.packets(),
        alert.redirect.as_ref().map_or_else(String::new, |redirect| page.way(redirect)),
        alert.redirect.as_ref().map_or_else(String::new, |redirect| page.redirect(redirect)),
        alert.redirect.as_ref().and_then(|redirect| redirect.followed.as_ref()).map_or_else(String::new, |followed| page.chain(followed)),
        page.listed(),
        page.reasons(),
        page.considered(),
        page.sensor(),
        page.section("What to do next", &next_steps(alert).iter().map(|step| wrapped("  - ", step, WIDTH)).collect::<String>()),
    ]
    .concat()
}

/// The explanation alone, on one line. What packets chose is escaped, and addresses are written so that nothing opens them.
#[must_use]
pub fn explanation_in_line(alert: &Alert) -> String {
    Page { alert, hosts: hosts(alert), paint: Paint { colour: false } }.safe(&explanation(alert), usize::MAX)
}

/// ANSI colours, or none.
#[derive(Clone, Copy)]
pub(super) struct Paint {
    colour: bool,
}

impl Paint {
    /// A ladder row: red for forged, green for genuine.
    pub(super) fn row(self, role: Role, text: &str) -> String {
        match role {
            Role::Forged => self.wrap("31", text),
            Role::Genuine => self.wrap("32", text),
            Role::Context => text.to_owned(),
        }
    }
    fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }
    fn wrap(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

struct Page<'a> {
    alert: &'a Alert,
    /// Host names that are written so that nothing makes links of them.
    hosts: Vec<String>,
    paint: Paint,
}

impl Page<'_> {
    fn head(&self) -> String {
        let alert = self.alert;
        let severity = match alert.severity {
            0 | 1 => "HIGH",
            2 => "MEDIUM",
            _ => "LOW",
        };
        format!(
            "{}\n  severity {} of 3 (1 is the highest), grade {} ({} of 100 points), confidence {:.2}\n",
            self.paint.bold(&format!("{severity}: {}", headline(alert))),
            alert.severity,
            alert.grade.name(),
            alert.score,
            hundredths(alert.confidence),
        )
    }

    fn place(&self, source: &SourceFacts) -> String {
        let flow = &self.alert.flow;
        let from = match (&source.pcap_filename, &source.in_iface) {
            (Some(file), _) => format!("file {}, ", local_text(file)),
            (None, Some(interface)) => format!("interface {}, ", local_text(interface)),
            (None, None) => String::new(),
        };
        let host = source.host.as_ref().map_or_else(String::new, |host| format!(", sensor {}", local_text(host)));
        let vlans: Vec<String> = flow.vlans.as_slice().iter().map(u16::to_string).collect();
        let vlan = if vlans.is_empty() { String::new() } else { format!(", VLAN {}", vlans.join(" in ")) };
        let mut body = wrapped("  source    ", &format!("{from}frame {}{host}", self.alert.forged.frame), WIDTH);
        body += &format!("  time      {}\n", plain_time(self.alert.forged.time));
        if is_local(self.alert) {
            body += &local::ends(self.alert);
        } else {
            body += &format!("  device    C = {}{vlan}\n", end(flow.client));
            body += &format!("  server    S = {} (whose name the packet bears)\n", end(flow.server));
        }
        if let Some(request) = self.request() {
            body += &wrapped("  asked     ", &request, WIDTH);
        }
        let ports = flow.carrier.with_ports();
        let flow_name = ports.map(|protocol| format!(", Community ID {}", community_id(protocol, flow.client, flow.server)));
        body += &format!("  alert     {:016x} ({}){}\n", self.alert.id, self.alert.verdict.name(), flow_name.unwrap_or_default());
        self.section("Where", &body)
    }

    fn request(&self) -> Option<String> {
        if let Some(dns) = &self.alert.dns {
            return Some(format!("{} of {}", dns.qtype, self.safe(&dns.name, VALUE_LIMIT)));
        }
        let http = self.alert.http.as_ref()?;
        let method = http.method.as_deref().unwrap_or("?");
        let target = http.url.as_deref().unwrap_or("?");
        let host = http.hostname.as_deref().map_or_else(|| "no Host field".to_owned(), |host| format!("Host {host}"));
        Some(format!("{} {} ({})", self.safe(method, 20), self.safe(target, VALUE_LIMIT), self.safe(&host, VALUE_LIMIT)))
    }

    fn packets(&self) -> String {
        let alert = self.alert;
        let distance = self.distance().map_or_else(String::new, |distance| {
            wrapped("  ", &format!("By TTL: {distance} (systems start at 64, 128 or 255; a forger may choose any)."), WIDTH)
        });
        let table = if alert.ladder.is_empty() { String::new() } else { ladder::table(alert, &self.hosts, self.paint) };
        let mut body = table + &distance;
        if alert.verdict == Verdict::InPathInjection || (alert.verdict == Verdict::LocalMitm && !is_local(alert)) {
            let silence = alert
                .silence
                .map_or_else(|| "No genuine answer was seen".to_owned(), |span| format!("No genuine answer within {}", plain_span(span)));
            body += &format!("  {silence} ({}).\n", closed_words(alert));
        }
        self.section("Packets", &body)
    }

    /// How far the senders are; of the local network all are near.
    fn distance(&self) -> Option<String> {
        let alert = self.alert;
        let ttl = alert.forged.ttl.filter(|_| !is_local(alert))?;
        let forged_word = if alert.verdict.is_injection() { "forged" } else { "answer" };
        let mut distance = format!("{forged_word} from about {} hops away", hops(ttl));
        if let Some(ttl) = alert.genuine.as_ref().and_then(|genuine| genuine.ttl) {
            let word = if alert.verdict.is_injection() { "genuine" } else { "other" };
            let _ = write!(distance, ", {word} from about {}", hops(ttl));
        }
        Some(distance)
    }

    fn redirect(&self, redirect: &RedirectFacts) -> String {
        let from = redirect.from.as_deref().map_or_else(|| "not known".to_owned(), |from| self.safe(from, ADDRESS_LIMIT));
        let how = match redirect.kind {
            RedirectKind::Status => format!("status {}", redirect.status),
            kind => format!("{} in an answer with status {}", kind.name().replace('_', " "), redirect.status),
        };
        let cross = match redirect.cross_site {
            Some(true) => "to another site",
            Some(false) => "within the same site",
            None => "whether to another site is not known",
        };
        let body = format!("  from      {from}\n  to        {}\n  how       {how}, {cross}\n", self.safe(&redirect.to, ADDRESS_LIMIT));
        self.section("Redirect (addresses are written so that nothing opens them)", &body)
    }

    /// How the device came to ask, a line for each step.
    fn way(&self, redirect: &RedirectFacts) -> String {
        let line = |lead: &Lead| {
            let seen = lead.seen.map_or_else(
                || format!("  {:>11}  {:<12} ", "", "not seen"),
                |(frame, time)| {
                    format!("  {:>11}  frame {frame:<6} ", format!("{:.1} ms", (self.alert.forged.time - time).as_millis_f64()))
                },
            );
            let led = match lead.how {
                Led::Page => "the page",
                Led::Redirected => "sent on by",
            };
            wrapped(&seen, &self.safe(&format!("{led} {}", lead.url), ADDRESS_LIMIT), WIDTH)
        };
        self.section("How the device came to ask (time before the answer)", &redirect.led_by.iter().map(line).collect::<String>())
    }

    /// What the device did next, a line for each step.
    fn chain(&self, followed: &Followed) -> String {
        let line = |step: &Step| {
            let after = format!("{:.1} ms", (step.time - self.alert.forged.time).as_millis_f64());
            let head = format!("  {after:>11}  frame {:<6} ", step.frame);
            wrapped(&head, &self.safe(&step_in_words(step), ADDRESS_LIMIT), WIDTH)
        };
        let mut body: String = followed.steps.iter().map(line).collect();
        if followed.new_domain {
            body += "  Nobody in this network was seen to use that domain before.\n";
        }
        self.section("What the device did next (time since the answer)", &body)
    }

    fn listed(&self) -> String {
        let line = |line: &String| wrapped("  - ", &self.safe(line, VALUE_LIMIT * 2), WIDTH);
        self.section("Listed indicators", &listed::lines(self.alert).iter().map(line).collect::<String>())
    }

    fn reasons(&self) -> String {
        self.section("Reasons", &self.alert.signals.iter().map(|signal| self.reason(signal)).collect::<String>())
    }

    fn reason(&self, signal: &Signal) -> String {
        let Signal { code, points, weight, .. } = signal;
        let mut body = wrapped(&format!("  {code:<4} "), &self.safe(&signal.why, VALUE_LIMIT * 2), WIDTH);
        body += &wrapped("       observed  ", &self.safe(&signal.observed, VALUE_LIMIT), WIDTH);
        body += &wrapped("       expected  ", &self.safe(&signal.expected, VALUE_LIMIT), WIDTH);
        body += &wrapped("       ", &format!("{points} points, {weight}{}", frames(&signal.frames)), WIDTH);
        body
    }

    fn considered(&self) -> String {
        let line = |considered: &Considered| {
            let fate = if considered.kept { "  possible  " } else { "  dropped   " };
            wrapped(fate, &format!("{}: {}", considered.explanation, self.safe(&considered.why, VALUE_LIMIT * 2)), WIDTH)
        };
        self.section("Harmless explanations considered", &self.alert.considered.iter().map(line).collect::<String>())
    }

    fn sensor(&self) -> String {
        let sensor = &self.alert.sensor;
        if !sensor.is_impaired() || is_local(self.alert) {
            return String::new();
        }
        let flaws = [
            (sensor.kernel_drops > 0).then(|| format!("Packets dropped before they could be read: {}.", sensor.kernel_drops)),
            (sensor.gaps > 0).then(|| format!("Holes in this connection, where packets are missing: {}.", sensor.gaps)),
            sensor.one_sided.then(|| "Only one direction of this connection was seen.".to_owned()),
            (!sensor.handshake_seen).then(|| "The beginning of this connection was not seen.".to_owned()),
            sensor.offload_frames.then(|| "The network card merged packets (offloads were on): headers may not be those sent.".to_owned()),
        ];
        let body = flaws.iter().flatten().map(|flaw| wrapped("  - ", flaw, WIDTH)).collect::<String>();
        self.section("What the sensor missed (the verdict is the weaker for it)", &body)
    }

    /// A section with its title, or nothing when it has no body.
    fn section(&self, title: &str, body: &str) -> String {
        if body.is_empty() { String::new() } else { format!("\n{}\n{body}", self.paint.bold(title)) }
    }

    /// Text that packets chose: escaped, defanged, and cut last, as half a host name would no longer be known as one.
    fn safe(&self, text: &str, limit: usize) -> String {
        cut(&defanged(&wire_text(text), &self.hosts), limit).into_owned()
    }
}

fn step_in_words(step: &Step) -> String {
    let (addr, port) = step.server;
    let name = step.name.as_deref().unwrap_or("no name");
    let further = if step.hop == 0 { "" } else { ", to where that sent it" };
    match (step.how, &step.tls) {
        (How::DnsQuestion, _) => format!("asked {addr} where {name} is{further}"),
        (How::TcpConnection, _) => format!("opened a TCP connection to {addr} port {port}{further}"),
        (How::HttpRequest, _) => format!("asked {addr} port {port} for {}{further}", step.url.as_deref().unwrap_or(name)),
        (How::Redirected, _) => format!("was sent on to {}", step.url.as_deref().unwrap_or(name)),
        (How::LedOn, _) => format!("was led on by that page to {}", step.url.as_deref().unwrap_or(name)),
        (How::TlsHello | How::QuicHello, None) => format!("greeted {addr} port {port} as {name}{further}"),
        (How::TlsHello | How::QuicHello, Some(tls)) => {
            let protocol = if step.how == How::QuicHello { "QUIC" } else { "TLS" };
            let offers = if tls.alpn.is_empty() { String::new() } else { format!(", offers {}", tls.alpn.join(" ")) };
            let hidden = if tls.encrypted_hello { ", with an encrypted ClientHello" } else { "" };
            format!("began {protocol} with {addr} port {port} for {name}{offers}{hidden}, JA4 {}{further}", tls.ja4)
        }
    }
}

/// Hosts that the redirect, the request and the question name, as they are shown, the longest first.
fn hosts(alert: &Alert) -> Vec<String> {
    let redirect = alert.redirect.as_ref();
    let named = [redirect.and_then(|redirect| host_of(&redirect.to)), redirect.and_then(|redirect| host_of(redirect.from.as_deref()?))];
    let asked = alert.http.as_ref().and_then(|http| http.hostname.as_deref()).or_else(|| alert.dns.as_ref().map(|dns| dns.name.as_str()));
    let answered = alert.dns.iter().flat_map(|dns| dns.forged.iter().chain(&dns.genuine)).flat_map(|said| said.split([' ', ',']));
    let aliases = answered.filter(|word| word.contains('.') && word.parse::<IpAddr>().is_err());
    let followed = redirect.and_then(|redirect| redirect.followed.as_ref());
    let steps = followed.into_iter().flat_map(|followed| &followed.steps).filter_map(|step| step.name.as_deref());
    let leads = redirect.into_iter().flat_map(|redirect| &redirect.led_by).filter_map(|lead| host_of(&lead.url));
    let listed = alert.indicators.iter().flat_map(|listed| [listed.value.as_str(), host_of(&listed.met).unwrap_or(&listed.met)]);
    // An entry may be written so that nothing opens it already.
    let listed = listed.filter(|host| !host.contains('['));
    let mut hosts: Vec<String> =
        named.into_iter().flatten().chain(asked).chain(aliases).chain(listed).chain(steps).chain(leads).map(wire_text).collect();
    hosts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    hosts.dedup();
    hosts
}

fn end((addr, port): (Addr, u16)) -> String {
    format!("{addr} port {port}")
}

fn closed_words(alert: &Alert) -> &'static str {
    match alert.closed_because {
        ClosedBecause::FlowOver => "the connection was over",
        ClosedBecause::Deadline => "then the wait was over",
        ClosedBecause::EndOfCapture => "then the capture ended",
        ClosedBecause::Evicted => "then room was needed for others",
    }
}

fn frames(frames: &[u64]) -> String {
    let shown: Vec<String> = frames.iter().take(FRAMES_SHOWN).map(u64::to_string).collect();
    let more = frames.len().saturating_sub(FRAMES_SHOWN);
    match (shown.len(), more) {
        (0, _) => String::new(),
        (1, _) => format!(", frame {}", shown.concat()),
        (_, 0) => format!(", frames {}", shown.join(", ")),
        _ => format!(", frames {} and {more} more", shown.join(", ")),
    }
}
