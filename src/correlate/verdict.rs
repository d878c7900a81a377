//! From evidence to a verdict: score, grade, class, severity.

use super::portal::{self, Weighed};
use super::web::history;
use crate::alert::{Alert, Grade, Mechanism, Verdict};
use crate::engine::case::scene::Scene;
use crate::engine::decode::packet::TcpFlags;
use crate::engine::detect::redirect_semantics::{Destination, replaces_package};
use crate::engine::detect::{Assessment, Group, breaks_timestamps_rule, is_silent, rewrites_links};
use crate::engine::flow::event::{CloseContradiction, CloseKind};
use crate::engine::flow::record::seq_diff;
use crate::engine::protocol::http::RedirectKind;
use crate::rules::policy::{Policy, Thresholds};

/// What is said of an assessment.
#[derive(Debug)]
pub(super) struct Ruling {
    pub(super) verdict: Verdict,
    pub(super) mechanism: Mechanism,
    pub(super) grade: Grade,
    pub(super) severity: u8,
    pub(super) score: u8,
    /// Points of the header vote, halved where the sensor was impaired.
    pub(super) header_points: u8,
    pub(super) destination: Option<Destination>,
    /// How many kinds of evidence speak of the packets, not of what they say.
    pub(super) hard_groups: usize,
    /// Whether it is a portal's answer or an operator's notice, and why.
    pub(super) notice: Weighed,
}

/// What is known beside the case itself.
#[derive(Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) policy: &'a Policy,
    /// Answers like this one sent many clients of many sites to its target.
    pub(super) learned: bool,
    /// The network announced the target as its portal.
    pub(super) announced: bool,
    /// The client's path was bent inside the network a short time ago.
    pub(super) bent: bool,
}

impl Ruling {
    /// Who answers in the server's place after the client's path was bent is inside the network.
    pub(super) fn with_path(self, bent: bool) -> Self {
        let verdict = if bent { Verdict::LocalMitm } else { self.verdict };
        Self { verdict, ..self }
    }
}

/// A header vote, or a contradiction, that says enough by itself.
const DECISIVE_HEADER: u8 = 45;

/// Content that makes two header votes enough: a bare response, and a redirect to another site.
const SECONDING_CONTENT: u8 = 20;

/// Points of an answer within half of a round trip.
const FAR_TOO_SOON: u8 = 15;

/// Points by group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Points {
    pub(super) contradiction: u8,
    header: u8,
    pub(super) device: u8,
    timing: u8,
    content: u8,
    pub(super) indicator: u8,
    downgrade: u8,
    /// The client was sent to a listed indicator.
    sent_to_listed: bool,
}

impl Points {
    fn of(assessment: &Assessment) -> Self {
        // One direction only, no handshake, merged segments, a wrong checksum: header fields are then compared with too little.
        let header = assessment.points(Group::Header) / if assessment.scene.impaired { 2 } else { 1 };
        Self {
            contradiction: assessment.points(Group::Contradiction),
            header,
            device: assessment.points(Group::Device),
            timing: assessment.points(Group::Timing),
            content: assessment.points(Group::Content),
            indicator: assessment.points(Group::Indicator),
            downgrade: assessment.points(Group::Downgrade),
            sent_to_listed: assessment.listed.iter().any(|listed| listed.seen.is_redirect()),
        }
    }
    fn sum(self) -> u8 {
        [self.contradiction, self.header, self.device, self.timing, self.content, self.indicator, self.downgrade]
            .into_iter()
            .fold(0_u8, u8::saturating_add)
            .min(100)
    }
    /// How many of the groups spoke that can tell more than the shape of an answer.
    fn hard_groups(self) -> usize {
        [self.contradiction, self.header, self.device, self.indicator].into_iter().filter(|points| *points > 0).count()
    }
}

/// The ruling, or none below the lowest grade.
pub(super) fn rule(assessment: &Assessment, destination: Option<Destination>, around: &Surroundings<'_>) -> Option<Ruling> {
    let scene = &assessment.scene;
    let points = Points::of(assessment);
    let score = points.sum();
    let hard_groups = points.hard_groups();
    let notice = portal::weigh(assessment, points, destination.as_ref(), around);
    let verdict = notice.verdict.unwrap_or_else(|| class(assessment, points, destination.is_some()));
    let grade = graded(score, hard_groups, around.policy.thresholds)
        .or_else(|| notice.listed.then_some(Grade::Low))
        .map(|grade| if verdict == Verdict::ListedContact { grade.min(Grade::Medium) } else { grade })?;
    Some(Ruling {
        verdict,
        mechanism: if verdict == Verdict::ListedContact {
            Mechanism::Indicator
        } else {
            mechanism(scene, destination.as_ref(), downgrades(assessment))
        },
        grade,
        severity: severity(grade, verdict, points, destination.as_ref().is_some_and(|to| replaces_package(to, scene))),
        score,
        header_points: points.header,
        destination,
        hard_groups,
        notice,
    })
}

/// Takes the points for a client that went where it was sent. They raise the grade as all points do: without evidence in the packets not above medium. That the
/// client went there makes a probable injection as urgent as a sure one.
pub(super) fn follow(alert: &mut Alert, points: u8, (hard_groups, bounds): (usize, Thresholds)) {
    if points == 0 {
        return;
    }
    alert.score = alert.score.saturating_add(points).min(100);
    alert.confidence = f64::from(alert.score.min(99)) / 100.0;
    alert.grade = graded(alert.score, hard_groups, bounds).unwrap_or(alert.grade).max(alert.grade);
    if alert.verdict.is_injection() {
        alert.severity = if alert.grade >= Grade::Medium { 1 } else { alert.severity };
    }
}

/// `hard` groups of those spoke that tell of the packets and not of their content.
pub(super) fn graded(score: u8, hard: usize, bounds: Thresholds) -> Option<Grade> {
    match score {
        score if score >= bounds.confirmed && hard >= 2 => Some(Grade::Confirmed),
        score if score >= bounds.high && hard >= 1 => Some(Grade::High),
        score if score >= bounds.medium => Some(Grade::Medium),
        score if score >= bounds.low => Some(Grade::Low),
        _ => None,
    }
}

/// Only an injection and a listed indicator wake anyone: content and timing alone are worth a record. An injection in place of what is run or
/// installed when it arrives is raised by one.
fn severity(grade: Grade, verdict: Verdict, points: Points, in_place_of_package: bool) -> u8 {
    match injected(grade, verdict) {
        _ if points.sent_to_listed => 1,
        severity if in_place_of_package && verdict.is_injection() => severity.saturating_sub(1).max(1),
        severity if points.indicator > 0 => severity.min(2),
        severity => severity,
    }
}

/// The severity of what is told of packets alone.
pub(super) fn injected(grade: Grade, verdict: Verdict) -> u8 {
    match (grade, verdict) {
        (Grade::Confirmed | Grade::High, Verdict::OnPathInjection | Verdict::InPathInjection) => 1,
        (Grade::Medium, Verdict::OnPathInjection | Verdict::InPathInjection) => 2,
        _ => 3,
    }
}

/// The first class that fits what is neither a portal's nor an operator's.
fn class(assessment: &Assessment, points: Points, redirects: bool) -> Verdict {
    let scene = &assessment.scene;
    let decisive = is_decisive(scene, points);
    if points.contradiction > 0 && is_kept_from(assessment) {
        Verdict::InPathInjection
    } else if points.contradiction > 0 || (decisive && scene.spoke_again.is_some()) {
        Verdict::OnPathInjection
    } else if (decisive || outran(assessment, points)) && is_silent(scene) && is_compared_enough(assessment, points) {
        Verdict::InPathInjection
    } else if points.indicator > 0 && !points.sent_to_listed {
        Verdict::ListedContact
    } else if redirects && points.header == 0 && points.timing == 0 && one_stack(scene) {
        Verdict::EndpointRedirect
    } else if redirects && points.header == 0 {
        Verdict::SuspiciousRedirect
    } else {
        Verdict::Inconclusive
    }
}

/// The packets say enough by themselves: they are not of the server's stack, or of a known device's.
pub(super) fn is_decisive(scene: &Scene, points: Points) -> bool {
    // Two votes against the server's own packets of the connection, and a template's answer that leads away.
    let leads_astray = points.content >= SECONDING_CONTENT || points.sent_to_listed;
    let seconded = points.header > 0 && scene.base.len() >= 2 && leads_astray;
    points.header >= DECISIVE_HEADER || points.device > 0 || seconded
}

/// A single mark of the header against two packets of the server, a template's answer that leads away, and all that sooner than half of the way to
/// the server and back after the question that it acknowledges.
fn outran(assessment: &Assessment, points: Points) -> bool {
    let scene = &assessment.scene;
    let has_read = scene.trigger.is_some_and(|asked| seq_diff(asked.end_seq(), scene.suspect.ack) >= 0);
    let compared = assessment.votes() > 0 && scene.base.len() >= 2 && !scene.impaired;
    has_read && compared && points.timing >= FAR_TOO_SOON && points.content >= SECONDING_CONTENT
}

/// All that contradicts is the server's bare acknowledgment of the question, and its answer did not come: a device in the path lets the one pass
/// and not the other. A server that has not taken in the question has no answer to be kept back.
fn is_kept_from(assessment: &Assessment) -> bool {
    let scene = &assessment.scene;
    let acknowledges = |close: &CloseContradiction| {
        let asked = scene.trigger.is_some_and(|asked| seq_diff(asked.end_seq(), close.close.ack) >= 0);
        asked && close.kind == CloseKind::AckBeforeData
    };
    is_silent(scene) && ["S1", "S2"].iter().all(|code| assessment.found(code).is_none()) && scene.closes.iter().all(acknowledges)
}

/// Against the SYN-ACK alone every server behind a SYN proxy looks forged. Then the header needs a second witness: a broken timestamp rule, a known
/// device, a listed target, or a response as bare as a template.
fn is_compared_enough(assessment: &Assessment, points: Points) -> bool {
    let broken_rule = breaks_timestamps_rule(&assessment.scene);
    let seconded = points.device > 0 || points.sent_to_listed || assessment.found("S10").is_some();
    // Who goes on to answer the client's next questions is a server behind a switch, or a stack that stopped sending timestamps.
    seconded || (!assessment.scene.served_on && (broken_rule || !assessment.scene.base.is_empty()))
}

/// Two packets of the server, one of them later than its SYN-ACK, were sent by the suspect's stack. Of a connection that is kept open there is often no
/// more than the acknowledgment of the request.
fn one_stack(scene: &Scene) -> bool {
    same_stack(scene) >= 2
}

/// Packets of the server beside the suspect that its stack sent.
pub(super) fn same_stack(scene: &Scene) -> usize {
    scene.base_with_syn_ack().filter(|record| record.stack_bits() == scene.suspect.stack_bits()).count()
}

/// The forgery is for taking encryption away, and for nothing else that can be seen.
fn downgrades(assessment: &Assessment) -> bool {
    assessment.found(history::CODE).is_some() || (assessment.found("S17").is_some() && rewrites_links(&assessment.scene))
}

fn mechanism(scene: &Scene, destination: Option<&Destination>, downgrades: bool) -> Mechanism {
    let suspect = &scene.suspect;
    let framed_only = destination.is_some_and(|destination| destination.kind == RedirectKind::Iframe);
    if suspect.flags.any(TcpFlags::SYN) {
        Mechanism::SynAck
    } else if suspect.flags.any(TcpFlags::RST) {
        Mechanism::TcpReset
    } else if suspect.len == 0 && suspect.flags.any(TcpFlags::FIN) {
        Mechanism::TcpFin
    } else if destination.is_some() && !framed_only {
        Mechanism::HttpRedirect
    } else if downgrades {
        Mechanism::TlsDowngrade
    } else if scene.is_http || scene.response.is_some() || scene.asked().is_some() {
        Mechanism::HttpContent
    } else {
        Mechanism::TcpContent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEAK: Points =
        Points { contradiction: 0, header: 25, device: 0, timing: 0, content: 25, indicator: 0, downgrade: 0, sent_to_listed: false };

    #[test]
    fn an_injection_in_place_of_a_program_is_raised_by_one() {
        let both = |grade, verdict| [false, true].map(|program| severity(grade, verdict, WEAK, program));
        assert_eq!(both(Grade::Medium, Verdict::InPathInjection), [2, 1]);
        assert_eq!(both(Grade::Low, Verdict::OnPathInjection), [3, 2]);
        assert_eq!(both(Grade::High, Verdict::OnPathInjection), [1, 1]);
    }

    #[test]
    fn a_program_that_the_site_or_a_portal_redirects_wakes_nobody() {
        for verdict in [Verdict::EndpointRedirect, Verdict::SuspiciousRedirect, Verdict::CaptivePortal, Verdict::Inconclusive] {
            assert_eq!(severity(Grade::Medium, verdict, WEAK, true), 3, "{verdict:?}");
        }
    }
}
