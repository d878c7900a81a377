//! Portals and operators' notices: by what an answer is known for one, and what speaks against it.

use std::net::{IpAddr, Ipv4Addr};

use super::verdict::{Points, Surroundings, is_decisive};
use crate::alert::Verdict;
use crate::engine::case::scene::Scene;
use crate::engine::detect::Assessment;
use crate::engine::detect::redirect_semantics::{Destination, asks_package, is_made_for_one};
use crate::rules::operators::Purpose;

/// What an answer looks like, and whether it is taken for that.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    /// A list names the target, so that it is worth a record by that alone.
    pub(super) listed: bool,
    /// The class, when nothing speaks against it.
    pub(super) verdict: Option<Verdict>,
    /// By what it looks like a portal's answer or an operator's notice.
    pub(super) shape: Option<String>,
    /// Why it is none all the same.
    pub(super) against: Option<&'static str>,
}

/// By what an answer is known, the surest first.
enum Shape<'a> {
    /// A list names the target as an operator's: name, source, date.
    Listed(&'a str, &'a str, &'a str),
    /// Status 511 (RFC 6585, section 6).
    LoginRequired,
    /// The network itself announced the portal (RFC 8910).
    Announced,
    /// The target is an address of a private network.
    Private,
    /// The request only asks whether there is a portal: the system that asks so.
    Probe(&'a str),
    /// Many clients of many sites were sent there.
    Learned,
}

impl Shape<'_> {
    const fn verdict(&self) -> Verdict {
        match self {
            Self::Listed(..) | Self::Learned => Verdict::OperatorNotice,
            Self::LoginRequired | Self::Announced | Self::Private | Self::Probe(_) => Verdict::CaptivePortal,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Listed(name, source, date) => format!("the target is listed as a notice of {name} ({source}, {date})"),
            Self::LoginRequired => "status 511 says that the network wants a log-in".to_owned(),
            Self::Announced => "the network announced this host as its portal (RFC 8910)".to_owned(),
            Self::Private => "the target is an address inside a private network".to_owned(),
            Self::Probe(system) => format!("the request is one by which {system} looks for a portal"),
            Self::Learned => "the same answer sent clients of three sites, and three clients, to this host".to_owned(),
        }
    }
}

/// Weighs an answer.
pub(super) fn weigh(assessment: &Assessment, points: Points, destination: Option<&Destination>, around: &Surroundings<'_>) -> Weighed {
    let Some(shape) = shape(&assessment.scene, destination, around) else { return Weighed::default() };
    let against = objection(&shape, &assessment.scene, points, destination, around);
    let listed = against.is_none() && matches!(shape, Shape::Listed(..));
    Weighed { listed, verdict: against.is_none().then(|| shape.verdict()), shape: Some(shape.words()), against }
}

fn shape<'a>(scene: &Scene, destination: Option<&Destination>, around: &Surroundings<'a>) -> Option<Shape<'a>> {
    let to = destination.and_then(|destination| destination.to.as_ref());
    let owner = to.and_then(|to| around.policy.operators.owner(to.host()));
    // Within one site, what leads to a private address is a device's own page.
    let leads_away = destination.is_some_and(|destination| destination.cross_site != Some(false));
    let probe = || {
        let request = scene.asked()?;
        around.policy.portals.probe(request.host.as_deref().unwrap_or_default(), &request.target)
    };
    match owner {
        Some(owner) if owner.purpose == Purpose::Notice => Some(Shape::Listed(&owner.name, &owner.source, &owner.date)),
        _ if scene.response.as_ref().is_some_and(|response| response.status == 511) => Some(Shape::LoginRequired),
        _ if around.announced => Some(Shape::Announced),
        _ if leads_away && to.is_some_and(|to| is_private(to.host())) => Some(Shape::Private),
        _ if leads_away && let Some(system) = probe() => Some(Shape::Probe(system)),
        None if around.learned => Some(Shape::Learned),
        _ => None,
    }
}

fn objection(
    shape: &Shape<'_>,
    scene: &Scene,
    points: Points,
    destination: Option<&Destination>,
    around: &Surroundings<'_>,
) -> Option<&'static str> {
    let is_listed = matches!(shape, Shape::Listed(..));
    let is_learned = matches!(shape, Shape::Learned);
    let for_one = destination.is_some_and(is_made_for_one);
    let forged = is_decisive(scene, points);
    if points.contradiction > 0 {
        Some("something else that was sent contradicts it")
    } else if points.indicator > 0 {
        Some("it touches a listed indicator")
    } else if asks_package(scene) {
        Some("a program was asked for, in whose place a notice is of no use")
    } else if around.bent && forged {
        Some("the client's way was bent inside this network, where anybody can announce a portal")
    } else if for_one && !is_listed && (points.device > 0 || is_learned) {
        Some("the address is made for this one client")
    } else if is_learned && forged {
        Some("the packets are not of the server's stack, and no list names the target as an operator's")
    } else {
        None
    }
}

/// An address that is not reached from the outside: private (RFC 1918), link-local, shared by an operator's customers (RFC 6598), unique local.
fn is_private(host: &str) -> bool {
    let is_shared = |v4: Ipv4Addr| matches!(v4.octets(), [100, 64..=127, ..]);
    host.parse::<IpAddr>().is_ok_and(|ip| match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || is_shared(v4),
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    })
}
