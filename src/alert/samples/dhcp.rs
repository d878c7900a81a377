//! A made-up alert about a server of DHCP.

use std::net::IpAddr;

use super::super::{Alert, Carrier, Grade, Mechanism};
use super::arp_spoof;
use crate::engine::protocol::dhcp::Lease;

/// A second server hands out settings.
pub(in crate::alert) fn dhcp_rogue() -> Alert {
    let mut alert = arp_spoof();
    alert.mechanism = Mechanism::DhcpRogue;
    alert.flow.carrier = Carrier::Udp;
    alert.flow.server.1 = 67;
    alert.flow.client.1 = 68;
    let address = |text: &str| vec![text.parse::<IpAddr>().unwrap().into()];
    alert.dhcp = Some(Lease {
        granted: true,
        transaction: 0x3a1f_0017,
        server: vec![192, 168, 7, 66],
        client: Some([2, 0, 0, 0, 0, 7]),
        address: Some("192.168.7.150".parse::<IpAddr>().unwrap().into()),
        routers: address("192.168.7.66"),
        dns: address("192.168.7.66"),
        portal: None,
        relayed: false,
    });
    (alert.severity, alert.grade, alert.score, alert.confidence) = (3, Grade::Low, 35, 0.35);
    alert.forged.ttl = Some(64);
    alert
}
