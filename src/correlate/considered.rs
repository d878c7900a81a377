//! The harmless explanations, and why each stands or falls.

use crate::alert::{Considered, Verdict};
use crate::engine::detect::{Assessment, breaks_timestamps_rule};

use super::verdict::Ruling;

/// Every explanation that could apply to the assessment.
pub(super) fn consider(assessment: &Assessment, ruling: &Ruling) -> Vec<Considered> {
    let scene = &assessment.scene;
    let mut all = Vec::new();
    let mut weigh = |explanation: &'static str, kept: bool, why: String| all.push(Considered { explanation, kept, why });
    if let Some(conflict) = scene.conflicts.first() {
        weigh(
            "retransmission",
            false,
            format!("{} of {} shared bytes differ; a sender repeats its bytes unchanged", conflict.differing, conflict.overlap),
        );
        let sums = (conflict.earlier_checksum, conflict.later_checksum);
        let why = match sums {
            (Some(true), Some(true)) => "both packets have right checksums",
            (Some(false), Some(false)) => "both checksums are unfilled, as with checksum offload, so they tell nothing",
            _ => "the checksum of one packet could not be verified",
        };
        weigh("corrupt frame", sums.0.is_none() || sums.1.is_none(), why.to_owned());
    }
    let votes = assessment.votes();
    if votes > 0 && scene.base.is_empty() {
        let broken = breaks_timestamps_rule(scene);
        let why = if broken {
            "the stack that opened the connection negotiated timestamps, and a front that answers for the server must keep to it"
        } else {
            "the SYN-ACK is all that the packet could be compared with"
        };
        weigh("anti-DDoS front that answers the SYN for the server", !broken && assessment.found("S8").is_none(), why.to_owned());
    } else if votes > 0 {
        weigh(
            "anti-DDoS front that answers the SYN for the server",
            false,
            match scene.base.len() {
                1 => "the packet also differs from another packet of the server".to_owned(),
                packets => format!("the packet also differs from {packets} other packets of the server"),
            },
        );
    }
    if votes > 0 {
        let alone = assessment.found("S5").is_none() && assessment.found("S6").is_none() && assessment.found("S6+").is_none();
        let why = if alone { "only the TTL differs" } else { "a route changes the TTL, and nothing else of a packet" };
        weigh("change of route or load balancer", alone, why.to_owned());
    }
    if ruling.destination.is_some() {
        let by_site = matches!(ruling.verdict, Verdict::EndpointRedirect | Verdict::SuspiciousRedirect);
        let why =
            if by_site { "nothing in the packets speaks against it" } else { "the packets that carried it are not of the server's stack" };
        weigh("redirect by the site itself or an ad", by_site, why.to_owned());
        weigh(
            "captive portal or operator's notice",
            true,
            "who operates the device that sent it cannot be told from the packets".to_owned(),
        );
    }
    if !assessment.listed.is_empty() {
        weigh(
            "a list that has grown old, or a visit on purpose",
            true,
            "names change hands, and who looks into a case goes there; the date of the list and the owner of the device can tell"
                .to_owned(),
        );
    }
    if scene.impaired {
        weigh(
            "gaps in what the sensor saw",
            true,
            "the handshake or one direction was not seen, or segments were merged before capture".to_owned(),
        );
    }
    all
}
