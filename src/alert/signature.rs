//! The numbers and names under which alerts are filed: one signature for each pair of mechanism and verdict.

use super::{Mechanism, Verdict};

/// Start of the range. Users filter by the ids: a number is never given to another meaning.
const BASE: u32 = 9_000_000;

/// The stable id: hundreds say the mechanism, ones the verdict. New ones take the next free number.
pub(super) const fn id(mechanism: Mechanism, verdict: Verdict) -> u32 {
    let hundreds = match mechanism {
        Mechanism::HttpRedirect => 1,
        Mechanism::HttpContent => 2,
        Mechanism::TcpContent => 3,
        Mechanism::TcpReset => 4,
        Mechanism::TcpFin => 5,
        Mechanism::SynAck => 6,
        Mechanism::DnsAnswer => 7,
        Mechanism::ArpSpoof => 8,
        Mechanism::NdpSpoof => 9,
        Mechanism::DhcpRogue => 10,
        Mechanism::RaRogue => 11,
        Mechanism::IcmpRedirect => 12,
        Mechanism::TlsDowngrade => 13,
        Mechanism::Indicator => 14,
    };
    let ones = match verdict {
        Verdict::OnPathInjection => 1,
        Verdict::InPathInjection => 2,
        Verdict::EndpointRedirect => 3,
        Verdict::CaptivePortal => 4,
        Verdict::SuspiciousRedirect => 5,
        Verdict::Inconclusive => 6,
        Verdict::LocalMitm => 7,
        Verdict::OperatorNotice => 8,
        Verdict::ListedContact => 9,
    };
    BASE + 100 * hundreds + ones
}

/// The signature's name.
pub(super) fn name(mechanism: Mechanism, verdict: Verdict) -> String {
    let what = match mechanism {
        Mechanism::HttpRedirect => "HTTP redirect",
        Mechanism::HttpContent => "HTTP content",
        Mechanism::TcpContent => "TCP content",
        Mechanism::TcpReset => "TCP reset",
        Mechanism::TcpFin => "TCP FIN",
        Mechanism::SynAck => "SYN-ACK",
        Mechanism::DnsAnswer => "DNS answer",
        Mechanism::ArpSpoof => "claim to an address (ARP)",
        Mechanism::NdpSpoof => "claim to an address (neighbour discovery)",
        Mechanism::DhcpRogue => "DHCP configuration",
        Mechanism::RaRogue => "router advertisement",
        Mechanism::IcmpRedirect => "ICMP redirect",
        Mechanism::TlsDowngrade => "answer without encryption",
        Mechanism::Indicator => "contact",
    };
    match verdict {
        Verdict::OnPathInjection => format!("Sidewatch forged {what}, man on the side"),
        Verdict::InPathInjection => format!("Sidewatch forged {what}, genuine answer suppressed"),
        Verdict::LocalMitm => format!("Sidewatch forged {what}, path bent inside this network"),
        Verdict::EndpointRedirect => format!("Sidewatch {what} by the site itself"),
        Verdict::CaptivePortal => format!("Sidewatch {what} of a captive portal"),
        Verdict::OperatorNotice => format!("Sidewatch {what} of an operator's notice"),
        Verdict::SuspiciousRedirect => format!("Sidewatch suspicious {what}, by shape alone"),
        Verdict::ListedContact => format!("Sidewatch {what} with listed infrastructure"),
        Verdict::Inconclusive => format!("Sidewatch inconclusive {what}"),
    }
}

/// The category. Only what the network did is called an injection.
pub(super) const fn category(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::OnPathInjection | Verdict::InPathInjection => "Network injection",
        Verdict::LocalMitm => "Attack inside the local network",
        Verdict::EndpointRedirect => "Redirect by the site",
        Verdict::CaptivePortal | Verdict::OperatorNotice => "Portal or operator notice",
        Verdict::SuspiciousRedirect => "Suspicious redirect",
        Verdict::ListedContact => "Contact with listed infrastructure",
        Verdict::Inconclusive => "Inconclusive observation",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MECHANISMS: [Mechanism; 14] = [
        Mechanism::HttpRedirect,
        Mechanism::HttpContent,
        Mechanism::TcpContent,
        Mechanism::TcpReset,
        Mechanism::TcpFin,
        Mechanism::SynAck,
        Mechanism::DnsAnswer,
        Mechanism::ArpSpoof,
        Mechanism::NdpSpoof,
        Mechanism::DhcpRogue,
        Mechanism::RaRogue,
        Mechanism::IcmpRedirect,
        Mechanism::Indicator,
        Mechanism::TlsDowngrade,
    ];
    const VERDICTS: [Verdict; 9] = [
        Verdict::OnPathInjection,
        Verdict::InPathInjection,
        Verdict::EndpointRedirect,
        Verdict::CaptivePortal,
        Verdict::SuspiciousRedirect,
        Verdict::Inconclusive,
        Verdict::LocalMitm,
        Verdict::ListedContact,
        Verdict::OperatorNotice,
    ];

    #[test]
    fn every_pair_has_a_number_and_a_name_of_its_own() {
        let pairs = MECHANISMS.iter().flat_map(|&m| VERDICTS.iter().map(move |&v| (m, v)));
        let ids: BTreeSet<u32> = pairs.clone().map(|(m, v)| id(m, v)).collect();
        let names: BTreeSet<String> = pairs.map(|(m, v)| name(m, v)).collect();
        assert_eq!((ids.len(), names.len()), (126, 126));
        assert_eq!(ids.first(), Some(&9_000_101));
    }

    #[test]
    fn numbers_that_were_handed_out_stay() {
        assert_eq!(id(Mechanism::HttpRedirect, Verdict::OnPathInjection), 9_000_101);
        assert_eq!(id(Mechanism::HttpRedirect, Verdict::InPathInjection), 9_000_102);
        assert_eq!(id(Mechanism::TcpReset, Verdict::OnPathInjection), 9_000_401);
        assert_eq!(id(Mechanism::SynAck, Verdict::Inconclusive), 9_000_606);
    }
}
