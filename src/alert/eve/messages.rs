//! The sub-records that EVE has for single protocols, and their names.

use serde::Serialize;

use super::super::{Alert, Carrier, DnsFacts, FlowFacts, How, HttpFacts, Mechanism, RedirectFacts, TlsFacts, listed};
use super::{kept, mac};
use crate::engine::decode::packet::Addr;
use crate::engine::protocol::dhcp::Lease;
use crate::engine::protocol::dns::{Flags, rcode_name};
use crate::engine::protocol::http::RedirectKind;

#[derive(Serialize)]
pub(super) struct Arp {
    hw_type: &'static str,
    proto_type: &'static str,
    opcode: &'static str,
    src_mac: String,
    src_ip: String,
    dest_mac: String,
    dest_ip: String,
}

/// What a server gave, as Suricata logs answers of DHCP; it knows no DHCPv6.
#[derive(Serialize)]
pub(super) struct Dhcp {
    #[serde(rename = "type")]
    kind: &'static str,
    id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_mac: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_ip: Option<String>,
    dhcp_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    routers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dns_servers: Vec<String>,
}

/// The first ClientHello by QUIC on the way where the client was sent.
#[derive(Serialize)]
pub(super) struct Quic {
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<String>,
    ja4: String,
}

/// The first ClientHello by TCP on the way where the client was sent: EVE has one record of it.
#[derive(Serialize)]
pub(super) struct Tls {
    #[serde(skip_serializing_if = "Option::is_none")]
    sni: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    client_alpns: Vec<String>,
    ja4: String,
}

#[derive(Serialize)]
pub(super) struct Http {
    #[serde(skip_serializing_if = "Option::is_none")]
    hostname: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_refer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Dns {
    version: u8,
    #[serde(rename = "type")]
    kind: &'static str,
    id: u16,
    flags: String,
    qr: bool,
    aa: bool,
    tc: bool,
    rd: bool,
    ra: bool,
    opcode: u8,
    rcode: String,
    queries: [DnsRecord; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    answers: Vec<DnsRecord>,
}

#[derive(Serialize)]
struct DnsRecord {
    rrname: String,
    rrtype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rdata: Option<String>,
}

impl Dns {
    /// As Suricata logs an answer from its version 8 on. Each record bears the question's name and the least time to live of all.
    pub(super) fn new(dns: &DnsFacts) -> Self {
        let flags = dns.flags;
        let record = |rrtype: &str, rdata: Option<String>| DnsRecord {
            rrname: kept(&dns.name),
            rrtype: rrtype.to_owned(),
            ttl: rdata.as_ref().and(dns.ttl),
            rdata,
        };
        let alias = dns.alias.as_ref().map(|alias| record("CNAME", Some(kept(alias))));
        let address = |address: &Addr| record(if address.ip().is_ipv4() { "A" } else { "AAAA" }, Some(address.to_string()));
        Self {
            version: 3,
            kind: "answer",
            id: dns.id,
            flags: format!("{:x}", flags.0),
            qr: flags.has(Flags::ANSWER),
            aa: flags.has(Flags::AUTHORITATIVE),
            tc: flags.has(Flags::TRUNCATED),
            rd: flags.has(Flags::RECURSION_DESIRED),
            ra: flags.has(Flags::RECURSION_AVAILABLE),
            opcode: 0,
            rcode: rcode_name(flags.rcode()),
            queries: [record(&dns.qtype, None)],
            answers: alias.into_iter().chain(dns.addresses.iter().map(address)).collect(),
        }
    }
}

impl Arp {
    /// As Suricata names what it knows of ARP.
    pub(super) fn new(flow: &FlowFacts) -> Option<Self> {
        let Carrier::Arp(arp) = flow.carrier else { return None };
        Some(Self {
            hw_type: "ethernet",
            proto_type: "ipv4",
            opcode: match arp.operation {
                1 => "request",
                2 => "reply",
                _ => "unknown",
            },
            src_mac: mac(arp.sender_mac),
            src_ip: flow.server.0.to_string(),
            dest_mac: mac(arp.target_mac),
            dest_ip: flow.client.0.to_string(),
        })
    }
}

impl Dhcp {
    pub(super) fn new(lease: &Lease) -> Self {
        let written = |addresses: &[Addr]| addresses.iter().map(ToString::to_string).collect();
        Self {
            kind: "reply",
            id: lease.transaction,
            client_mac: lease.client.map(mac),
            assigned_ip: lease.address.map(|address| address.to_string()),
            dhcp_type: if lease.granted { "ack" } else { "offer" },
            routers: written(&lease.routers),
            dns_servers: written(&lease.dns),
        }
    }
}

/// What the client said first in a handshake of this kind.
fn greeting(redirect: &RedirectFacts, how: How) -> Option<&TlsFacts> {
    redirect.followed.as_ref()?.steps.iter().filter(|step| step.how == how).find_map(|step| step.tls.as_ref())
}

impl Quic {
    pub(super) fn new(redirect: &RedirectFacts) -> Option<Self> {
        let hello = greeting(redirect, How::QuicHello)?;
        Some(Self { sni: hello.sni.as_deref().map(kept), ja4: hello.ja4.clone() })
    }
}

impl Tls {
    pub(super) fn new(redirect: &RedirectFacts) -> Option<Self> {
        let tls = greeting(redirect, How::TlsHello)?;
        Some(Self {
            sni: tls.sni.as_deref().map(kept),
            version: match tls.version {
                0x0304 => Some("TLS 1.3"),
                0x0303 => Some("TLS 1.2"),
                0x0302 => Some("TLS 1.1"),
                0x0301 => Some("TLS 1.0"),
                _ => None,
            },
            client_alpns: tls.alpn.clone(),
            ja4: tls.ja4.clone(),
        })
    }
}

impl Http {
    pub(super) fn new(http: &HttpFacts, redirect: Option<&RedirectFacts>) -> Self {
        Self {
            hostname: http.hostname.as_deref().map(kept),
            url: http.url.as_deref().map(kept),
            http_user_agent: http.user_agent.as_deref().map(kept),
            http_content_type: http.content_type.as_deref().map(kept),
            http_refer: http.referer.as_deref().map(kept),
            http_method: http.method.as_deref().map(kept),
            protocol: http.protocol.as_deref().map(kept),
            status: http.status,
            // EVE means the Location field by it.
            redirect: redirect.filter(|redirect| redirect.kind == RedirectKind::Status).map(|redirect| kept(&redirect.to)),
            // Readers of EVE store it in 64 bits with a sign and refuse the record when it does not fit.
            length: http.length.map(|length| length.min(i64::MAX as u64)),
        }
    }
}

/// EVE's name of the application protocol.
pub(super) fn app_proto(alert: &Alert) -> Option<&'static str> {
    match alert.mechanism {
        _ if alert.http.is_some() => Some("http"),
        Mechanism::DnsAnswer => Some("dns"),
        Mechanism::Indicator => listed::app_proto(alert),
        Mechanism::DhcpRogue if alert.flow.ip_version == 4 => Some("dhcp"),
        _ => None,
    }
}
