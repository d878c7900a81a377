//! The alert as one line of Suricata's EVE format; what is Sidewatch's own sits under `alert.context.injection`.

use serde::Serialize;

use chain::{Chain, LedBy};
use messages::{Arp, Dhcp, Dns, Http, Quic, Tls, app_proto};

use super::community::community_id;
use super::explain::explanation;
use super::listed::Indicator;
use super::plain::cut;
use super::when::eve_time;
use super::{Alert, Carrier, Considered, Grade, PacketFacts, RedirectFacts, SCHEMA, SensorHealth, Signal, SourceFacts, signature};
use crate::engine::time::Timestamp;

mod chain;
mod messages;
#[cfg(test)]
mod tests;

/// Characters kept of each string that packets may have chosen.
const TEXT_LIMIT: usize = 512;

/// One JSON object in pure ASCII without a newline, its keys always in the same order.
#[must_use]
pub fn to_line(alert: &Alert, source: &SourceFacts) -> String {
    // No map keys and no serializers of our own are in it: nothing in here can fail.
    ascii(&serde_json::to_string(&Line::new(alert, source)).unwrap_or_default())
}

/// The same JSON with escapes for what JSON lets pass and a terminal obeys: DEL, the C1 controls, marks of reading direction.
fn ascii(json: &str) -> String {
    json.chars().fold(String::with_capacity(json.len()), |mut out, c| {
        if matches!(c, ' '..='~') {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
        out
    })
}

#[derive(Serialize)]
struct Line<'a> {
    timestamp: String,
    flow_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_iface: Option<&'a str>,
    event_type: &'static str,
    #[serde(skip_serializing_if = "<[u16]>::is_empty")]
    vlan: &'a [u16],
    src_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_port: Option<u16>,
    dest_ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_port: Option<u16>,
    proto: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_v: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icmp_code: Option<u8>,
    pkt_src: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ether: Option<Ether>,
    direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    community_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app_proto: Option<&'static str>,
    alert: EveAlert<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<Http>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls: Option<Tls>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quic: Option<Quic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dhcp: Option<Dhcp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dns: Option<Dns>,
    #[serde(skip_serializing_if = "Option::is_none")]
    arp: Option<Arp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flow: Option<Flow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pcap_cnt: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pcap_filename: Option<&'a str>,
}

#[derive(Serialize)]
struct Ether {
    src_mac: String,
    dest_mac: String,
}

#[derive(Serialize)]
struct EveAlert<'a> {
    action: &'static str,
    gid: u32,
    signature_id: u32,
    rev: u32,
    signature: String,
    category: &'static str,
    severity: u8,
    metadata: Metadata,
    context: Context<'a>,
}

/// EVE has every value of it as a list of strings.
#[derive(Serialize)]
struct Metadata {
    confidence: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    mitre_technique_id: Option<[&'static str; 1]>,
    signature_severity: [&'static str; 1],
}

#[derive(Serialize)]
struct Context<'a> {
    injection: Injection<'a>,
}

#[derive(Serialize)]
struct Injection<'a> {
    schema: u32,
    id: String,
    verdict: &'static str,
    confidence: f64,
    mechanism: &'static str,
    signals: Vec<Evidence<'a>>,
    considered: Vec<Weighed>,
    forged: Packet<'a>,
    genuine: Option<Packet<'a>>,
    hops: Hops,
    redirect: Option<Redirect>,
    indicators: Vec<Indicator<'a>>,
    sensor: Sensor,
    /// Always null: no evidence bundle is written.
    evidence: Option<()>,
    closed: Closed,
    explanation: String,
}

#[derive(Serialize)]
struct Evidence<'a> {
    code: &'static str,
    version: u32,
    weight: &'static str,
    points: u8,
    observed: String,
    expected: String,
    frames: &'a [u64],
    why: String,
}

#[derive(Serialize)]
struct Weighed {
    explanation: &'static str,
    kept: bool,
    why: String,
}

#[derive(Serialize)]
struct Packet<'a> {
    frame: u64,
    frames: &'a [u64],
    timestamp: String,
    ttl: Option<u8>,
    ip_id: Option<u16>,
    flags: Option<&'a str>,
    window: Option<u16>,
    seq: Option<u32>,
    payload_len: u32,
    payload_sha256: Option<&'a str>,
}

#[derive(Serialize)]
struct Hops {
    forged: Option<u8>,
    genuine: Option<u8>,
}

#[derive(Serialize)]
struct Redirect {
    from: Option<String>,
    to: String,
    status: u16,
    kind: &'static str,
    cross_site: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wanted: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    led_by: Vec<LedBy>,
    followed: Option<Chain>,
}

#[derive(Serialize)]
struct Sensor {
    kernel_drops: u64,
    gaps: u64,
    one_sided: bool,
    handshake_seen: bool,
    offload_frames: bool,
}

#[derive(Serialize)]
struct Closed {
    at: String,
    because: &'static str,
}

#[derive(Serialize)]
struct Flow {
    pkts_toserver: u64,
    pkts_toclient: u64,
    bytes_toserver: u64,
    bytes_toclient: u64,
    start: String,
}

impl<'a> Line<'a> {
    fn new(alert: &'a Alert, source: &'a SourceFacts) -> Self {
        let flow = &alert.flow;
        let ports = flow.carrier.with_ports();
        let icmp = match flow.carrier {
            Carrier::Icmp(kind, code) | Carrier::Icmpv6(kind, code) => Some((kind, code)),
            Carrier::Tcp | Carrier::Udp | Carrier::Arp(_) => None,
        };
        Self {
            timestamp: eve_time(alert.forged.time),
            flow_id: flow.id,
            in_iface: source.in_iface.as_deref(),
            event_type: "alert",
            vlan: flow.vlans.as_slice(),
            src_ip: flow.server.0.to_string(),
            src_port: ports.map(|_| flow.server.1),
            dest_ip: flow.client.0.to_string(),
            dest_port: ports.map(|_| flow.client.1),
            proto: flow.carrier.name(),
            ip_v: (!matches!(flow.carrier, Carrier::Arp(_))).then_some(flow.ip_version),
            icmp_type: icmp.map(|(kind, _)| kind),
            icmp_code: icmp.map(|(_, code)| code),
            pkt_src: "wire/pcap",
            ether: flow.ether.map(|(src, dest)| Ether { src_mac: mac(src), dest_mac: mac(dest) }),
            direction: "to_client",
            community_id: ports.map(|protocol| community_id(protocol, flow.client, flow.server)),
            host: source.host.as_deref(),
            app_proto: app_proto(alert),
            alert: EveAlert::new(alert),
            http: alert.http.as_ref().map(|http| Http::new(http, alert.redirect.as_ref())),
            tls: alert.redirect.as_ref().and_then(Tls::new),
            quic: alert.redirect.as_ref().and_then(Quic::new),
            dhcp: alert.dhcp.as_ref().filter(|_| flow.ip_version == 4).map(Dhcp::new),
            dns: alert.dns.as_ref().map(Dns::new),
            arp: Arp::new(flow),
            flow: ports.map(|_| Flow {
                pkts_toserver: flow.pkts_toserver,
                pkts_toclient: flow.pkts_toclient,
                bytes_toserver: flow.bytes_toserver,
                bytes_toclient: flow.bytes_toclient,
                start: eve_time(flow.start),
            }),
            pcap_cnt: source.in_iface.is_none().then_some(alert.forged.frame),
            pcap_filename: source.pcap_filename.as_deref(),
        }
    }
}

impl<'a> EveAlert<'a> {
    fn new(alert: &'a Alert) -> Self {
        Self {
            action: "allowed",
            gid: 1,
            signature_id: signature::id(alert.mechanism, alert.verdict),
            rev: 1,
            signature: signature::name(alert.mechanism, alert.verdict),
            category: signature::category(alert.verdict),
            severity: alert.severity,
            metadata: Metadata {
                confidence: [match alert.grade {
                    Grade::Low => "Low",
                    Grade::Medium => "Medium",
                    Grade::High | Grade::Confirmed => "High",
                }],
                // Adversary-in-the-Middle.
                mitre_technique_id: alert.verdict.is_injection().then_some(["T1557"]),
                signature_severity: [match alert.severity {
                    0 | 1 => "Major",
                    2 => "Minor",
                    _ => "Informational",
                }],
            },
            context: Context { injection: Injection::new(alert) },
        }
    }
}

impl<'a> Injection<'a> {
    fn new(alert: &'a Alert) -> Self {
        Self {
            schema: SCHEMA,
            id: format!("{:016x}", alert.id),
            verdict: alert.verdict.name(),
            confidence: hundredths(alert.confidence),
            mechanism: alert.mechanism.name(),
            signals: alert.signals.iter().map(Evidence::new).collect(),
            considered: alert.considered.iter().map(Weighed::new).collect(),
            forged: Packet::new(&alert.forged, &alert.forged_frames),
            genuine: alert.genuine.as_ref().map(|packet| Packet::new(packet, &alert.genuine_frames)),
            hops: Hops { forged: alert.forged.ttl.map(hops), genuine: alert.genuine.as_ref().and_then(|packet| packet.ttl).map(hops) },
            redirect: alert.redirect.as_ref().map(|redirect| Redirect::new(redirect, alert.forged.time)),
            indicators: alert.indicators.iter().map(|facts| Indicator::new(facts, TEXT_LIMIT)).collect(),
            sensor: Sensor::new(alert.sensor),
            evidence: None,
            closed: Closed { at: eve_time(alert.closed_at), because: alert.closed_because.name() },
            explanation: explanation(alert),
        }
    }
}

impl<'a> Evidence<'a> {
    fn new(signal: &'a Signal) -> Self {
        Self {
            code: signal.code,
            version: signal.version,
            weight: signal.weight,
            points: signal.points,
            observed: kept(&signal.observed),
            expected: kept(&signal.expected),
            frames: &signal.frames,
            why: kept(&signal.why),
        }
    }
}

impl Weighed {
    fn new(considered: &Considered) -> Self {
        Self { explanation: considered.explanation, kept: considered.kept, why: kept(&considered.why) }
    }
}

impl<'a> Packet<'a> {
    fn new(packet: &'a PacketFacts, frames: &'a [u64]) -> Self {
        Self {
            frame: packet.frame,
            frames,
            timestamp: eve_time(packet.time),
            ttl: packet.ttl,
            ip_id: packet.ip_id,
            flags: packet.tcp.as_ref().map(|tcp| tcp.flags.as_str()),
            window: packet.tcp.as_ref().map(|tcp| tcp.window),
            seq: packet.tcp.as_ref().map(|tcp| tcp.seq),
            payload_len: packet.payload_len,
            payload_sha256: packet.payload_sha256.as_deref(),
        }
    }
}

impl Redirect {
    fn new(redirect: &RedirectFacts, since: Timestamp) -> Self {
        Self {
            from: redirect.from.as_deref().map(kept),
            to: kept(&redirect.to),
            status: redirect.status,
            kind: redirect.kind.name(),
            cross_site: redirect.cross_site,
            wanted: redirect.wants.name(),
            led_by: redirect.led_by.iter().map(|lead| LedBy::new(lead, since)).collect(),
            followed: redirect.followed.as_ref().map(|followed| Chain::new(followed, since)),
        }
    }
}

impl Sensor {
    const fn new(health: SensorHealth) -> Self {
        let SensorHealth { kernel_drops, gaps, one_sided, handshake_seen, offload_frames } = health;
        Self { kernel_drops, gaps, one_sided, handshake_seen, offload_frames }
    }
}

fn kept(text: &str) -> String {
    cut(text, TEXT_LIMIT).into_owned()
}

pub(super) fn mac([a, b, c, d, e, f]: [u8; 6]) -> String {
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

/// Hops behind a packet: systems start at 64, 128 or 255, and the nearest start above is taken.
pub(super) const fn hops(ttl: u8) -> u8 {
    match ttl {
        0..=64 => 64 - ttl,
        65..=128 => 128 - ttl,
        129..=255 => 255 - ttl,
    }
}

/// Rounded to two decimals, 0 to 1; what is no number counts as 0.
pub(super) fn hundredths(value: f64) -> f64 {
    if value.is_finite() { (value.clamp(0.0, 1.0) * 100.0).round() / 100.0 } else { 0.0 }
}
