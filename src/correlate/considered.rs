//! The harmless explanations, and why each stands or falls.

use crate::alert::{Considered, Verdict};
use crate::engine::detect::{Assessment, breaks_timestamps_rule};
use crate::engine::protocol::http::Wants;

use super::page;
use super::verdict::{Ruling, same_stack};

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
        let (by_site, why) = site_or_ad(assessment, ruling);
        weigh("redirect by the site itself or an ad", by_site, why);
    }
    if ruling.destination.is_some() || ruling.notice.shape.is_some() {
        let (kept, why) = portal_or_notice(ruling);
        weigh("captive portal or operator's notice", kept, why);
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

fn site_or_ad(assessment: &Assessment, ruling: &Ruling) -> (bool, String) {
    let scene = &assessment.scene;
    let by_page = page::of(scene).map_or_else(String::new, |page| {
        let part = match scene.asked().map(|request| request.wants) {
            Some(Wants::Part) => ", for a part of it such as an image",
            Some(Wants::Frame) => ", for a frame in it",
            _ => "",
        };
        format!("; the page {}, of another site, led to this request{part}", page.as_str())
    });
    match ruling.verdict {
        Verdict::EndpointRedirect => {
            let alike = same_stack(scene);
            (
                true,
                format!(
                    "{alike} other packets of the server, the acknowledgment of the request among them, are of the same stack{by_page}"
                ),
            )
        }
        Verdict::SuspiciousRedirect => {
            (true, format!("nothing in the packets speaks against it, but too few others of the server were seen to show it{by_page}"))
        }
        Verdict::CaptivePortal | Verdict::OperatorNotice => (false, "the target is not one that a site or an ad would choose".to_owned()),
        _ => (false, format!("the packets that carried it are not of the server's stack{by_page}")),
    }
}

fn portal_or_notice(ruling: &Ruling) -> (bool, String) {
    let notice = &ruling.notice;
    match (&notice.shape, notice.against) {
        (Some(shape), None) => (true, shape.clone()),
        (Some(shape), Some(against)) => (false, format!("{shape}, but {against}")),
        (None, _) => (true, "nothing shows one, but who operates the device that sent it cannot be told from the packets".to_owned()),
    }
}
