//! The sub-records that EVE has for single protocols, and their names.

use serde::Serialize;

use super::super::{Alert, Carrier, FlowFacts, HttpFacts, Mechanism, RedirectFacts};
use super::{kept, mac};
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
        Mechanism::DhcpRogue if alert.flow.ip_version == 4 => Some("dhcp"),
        _ => None,
    }
}
