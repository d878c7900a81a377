//! Words for alerts of the local network: what was claimed, in plain sentences.

use super::eve::mac;
use super::{Alert, Carrier, Grade, Mechanism, Verdict};

/// Whether the alert is about a message of the local network rather than about a connection.
pub(super) const fn is_local(alert: &Alert) -> bool {
    matches!(
        alert.mechanism,
        Mechanism::ArpSpoof | Mechanism::NdpSpoof | Mechanism::DhcpRogue | Mechanism::RaRogue | Mechanism::IcmpRedirect
    )
}

/// One line in plain words.
pub(super) fn headline(alert: &Alert) -> String {
    let surely = match alert.grade {
        Grade::Confirmed | Grade::High => "",
        Grade::Medium => "probably ",
        Grade::Low => "possibly ",
    };
    match alert.mechanism {
        Mechanism::ArpSpoof | Mechanism::NdpSpoof => {
            format!("A machine in this network {surely}poses as another, whose traffic it can then read")
        }
        Mechanism::DhcpRogue => format!("A second machine {surely}hands out network settings (DHCP) that are not this network's"),
        Mechanism::RaRogue => format!("A second machine {surely}announces itself as a router of this network"),
        _ => format!("A machine in this network {surely}sends devices by another way"),
    }
}

/// What was seen, in a sentence or two.
pub(super) fn story(alert: &Alert) -> String {
    let (claimed, victim) = (alert.flow.server.0, alert.flow.client.0);
    let sender = alert.flow.ether.map_or_else(|| "a machine".to_owned(), |(sender, _)| format!("the machine {}", mac(sender)));
    let moved = alert.signals.iter().any(|signal| signal.code == "S14m");
    let then = if moved { "; traffic between this network and the outside has gone through that machine since" } else { "" };
    let said = match alert.mechanism {
        Mechanism::ArpSpoof | Mechanism::NdpSpoof => {
            format!("{sender} told others that the address {claimed} is its own, while another machine has that address")
        }
        Mechanism::DhcpRogue => {
            format!("{sender} offered network settings in the name of the server {claimed}, beside the server known here")
        }
        Mechanism::RaRogue => format!("{sender} announced itself as a router ({claimed}), beside the router known here"),
        _ => format!("{sender} told the device {victim}, in the name of {claimed}, to send its traffic another way"),
    };
    format!("In this network, {said}{then}. Whoever does this can read and change what is not encrypted.")
}

/// The last sentence.
pub(super) const fn outlook(alert: &Alert) -> &'static str {
    if alert.severity >= 3 {
        "This is probably harmless: replaced machines, standby routers and badly set up devices look the same."
    } else if matches!(alert.grade, Grade::High | Grade::Confirmed) {
        "Who controls that machine, and why, the packets do not show."
    } else {
        "It may still be harmless: standby routers and badly set up devices can look the same."
    }
}

/// The lines that name the ends.
pub(super) fn ends(alert: &Alert) -> String {
    let flow = &alert.flow;
    let machine = flow.ether.map_or_else(String::new, |(sender, _)| format!("  sent by   {}\n", mac(sender)));
    let claim = match (flow.carrier, alert.verdict) {
        (Carrier::Arp(_), _) => "the address that it claims",
        (_, Verdict::LocalMitm) => "whose name the packet bears",
        _ => "the sender by the packet's own word",
    };
    format!("{machine}  to        C = {}\n  as        S = {} ({claim})\n", flow.client.0, flow.server.0)
}
