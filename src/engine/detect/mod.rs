//! Detectors: each looks at a scene and says what speaks for a forgery. They never decide severity, wording of the alert, or de-duplication.

mod bare_response;
mod close_contradiction;
mod competing_syn_ack;
mod content_insert;
mod device_fingerprint;
pub mod dns_conflict;
mod downgrade;
mod early_answer;
mod genuine_silence;
mod hop_shift;
pub mod indicator;
mod ip_id_break;
mod overlap_conflict;
pub mod redirect_semantics;
pub mod registry;
mod stack_break;
mod unread_question;

pub use content_insert::words as inserted_in_words;
pub use downgrade::rewrites_links;
pub use genuine_silence::is_silent;
pub use stack_break::breaks_timestamps_rule;

use super::case::scene::Scene;
use super::decode::packet::TcpFlags;
use crate::rules::device::DeviceLibrary;
use crate::rules::dns_forged::ForgedAddresses;
use crate::rules::indicators::Indicators;
use crate::rules::redirects::RedirectLists;
use indicator::Listed;

/// Detectors of one group measure the same thing; only the strongest of a group counts, but header votes and points of content add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// A: contradiction. Two things were sent that one sender cannot have sent.
    Contradiction,
    /// B: header vote.
    Header,
    /// C: the marks of a known device.
    Device,
    /// D: timing.
    Timing,
    /// E: content.
    Content,
    /// G: a listed indicator.
    Indicator,
    /// M: encryption taken away.
    Downgrade,
    /// No weight of its own; decides the class.
    Class,
}

/// How much a piece of evidence can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Proves that two senders wrote into the stream.
    Proof,
    /// Hardly ever seen without a forgery.
    Strong,
    /// Seen in harmless traffic too.
    Weak,
    /// Tells the classes apart.
    Class,
}

impl Weight {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proof => "proof",
            Self::Strong => "strong",
            Self::Weak => "weak",
            Self::Class => "class",
        }
    }
}

/// What a detector found, and which.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// Stable code.
    pub code: &'static str,
    /// Version of the detector.
    pub version: u32,
    /// Group.
    pub group: Group,
    /// What it says.
    pub finding: Finding,
}

/// What detectors look things up in.
#[derive(Debug, Default)]
pub struct Knowledge {
    /// The marks of known devices.
    pub devices: DeviceLibrary,
    /// Addresses that forged answers of DNS are known to carry.
    pub forged_addresses: ForgedAddresses,
    /// Lists of indicators.
    pub indicators: Indicators,
    /// Sites whose redirects mean nothing.
    pub redirects: RedirectLists,
}

/// One detector: a file of this folder and a line of the registry.
pub trait Detector: Sync {
    /// Stable code: what alerts, expectations and the changelog call it.
    fn code(&self) -> &'static str;
    /// Rises with every change of what it finds.
    fn version(&self) -> u32;
    /// Group.
    fn group(&self) -> Group;
    /// What it finds in a scene.
    fn inspect(&self, scene: &Scene, knowledge: &Knowledge) -> Option<Finding>;
}

/// A detector of something else than scenes, which therefore is no `Detector`.
#[derive(Debug)]
pub struct Described {
    /// As in `Detector`.
    pub code: &'static str,
    /// As in `Detector`.
    pub version: u32,
    /// The group of its first evidence.
    pub group: Group,
}

/// What a detector says.
#[derive(Clone, Debug)]
pub struct Finding {
    /// How much it can carry.
    pub weight: Weight,
    /// Points.
    pub points: u8,
    /// Votes towards the header vote.
    pub votes: u8,
    /// What was seen.
    pub observed: String,
    /// What it was compared with.
    pub expected: String,
    /// Frames that show it.
    pub frames: Vec<u64>,
    /// One sentence.
    pub why: &'static str,
}

/// A scene with all that was found in it.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The scene.
    pub scene: Scene,
    /// What was found, in the registry's order.
    pub evidence: Vec<Evidence>,
    /// Listed indicators that it touches.
    pub listed: Vec<Listed>,
}

impl Assessment {
    /// Header votes of all detectors.
    #[must_use]
    pub fn votes(&self) -> u8 {
        self.evidence.iter().map(|evidence| evidence.finding.votes).sum()
    }
    /// Points of the header vote: 2 votes 25, 3 votes 45, 4 and more 55. Of 2,680 ordinary flows seven (0.26 %) had two votes
    /// against the SYN-ACK alone; the three votes of missing timestamps were seen in none of the 1,585 that negotiated them.
    #[must_use]
    pub fn header_points(&self) -> u8 {
        match self.votes() {
            0 | 1 => 0,
            2 => 25,
            3 => 45,
            _ => 55,
        }
    }
    /// Header points that do not tell two suspects apart: of two SYN-ACKs each fits what its own sender sent after it.
    fn header_points_of_two(&self) -> u8 {
        if self.scene.suspect.flags.any(TcpFlags::SYN) { self.header_points().min(self.score()) } else { 0 }
    }
    /// The sender of a SYN-ACK went on to answer as servers do.
    fn leads_to_honest_answer(&self) -> bool {
        let answer = self.scene.response.as_ref().filter(|_| self.scene.suspect.flags.any(TcpFlags::SYN));
        answer.is_some_and(|answer| answer.has_date || answer.server.is_some())
    }
    /// The strongest points of a group; the header group counts its votes.
    #[must_use]
    pub fn points(&self, group: Group) -> u8 {
        match group {
            Group::Header => self.header_points(),
            // Content is the one group in which two detectors look at different things: the head and the target.
            Group::Content => self.of(group).map(|evidence| evidence.finding.points).sum(),
            _ => self.of(group).map(|evidence| evidence.finding.points).max().unwrap_or(0),
        }
    }
    /// Points of all groups, at most 100.
    #[must_use]
    pub fn score(&self) -> u8 {
        [Group::Contradiction, Group::Header, Group::Device, Group::Timing, Group::Content, Group::Indicator, Group::Downgrade]
            .into_iter()
            .fold(0_u8, |sum, group| sum.saturating_add(self.points(group)))
            .min(100)
    }
    fn of(&self, group: Group) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().filter(move |evidence| evidence.group == group)
    }
    /// The evidence of one detector.
    #[must_use]
    pub fn found(&self, code: &str) -> Option<&Evidence> {
        self.evidence.iter().find(|evidence| evidence.code == code)
    }
}

/// Runs every detector over every scene of a case and keeps the reading that explains most.
///
/// Of two copies of the same bytes the forgery is the one whose header fits the rest of the server's packets less; where the headers do not
/// tell, the one that ignores the question, then the barer one, then the one that came first, for an injector must win the race. Of two SYN-ACKs it is
/// the one whose acknowledgment the server resets, whatever else is said.
#[must_use]
pub fn assess(scenes: Vec<Scene>, knowledge: &Knowledge) -> Option<Assessment> {
    scenes
        .into_iter()
        .map(|scene| Assessment { evidence: inspect(&scene, knowledge), listed: indicator::listed(&scene, knowledge), scene })
        // A second SYN-ACK without S2 is a server's or a front's second attempt; its header says nothing.
        .filter(|assessment| !assessment.scene.suspect.flags.any(TcpFlags::SYN) || assessment.found("S2").is_some())
        .filter(|assessment| !assessment.evidence.is_empty())
        .max_by_key(|assessment| {
            let unread = assessment.found("S6+").is_some();
            let first = std::cmp::Reverse(assessment.scene.suspect.frame);
            let score = assessment.score() - assessment.header_points_of_two();
            (
                assessment.scene.disowned,
                score,
                !assessment.leads_to_honest_answer(),
                assessment.votes(),
                unread,
                assessment.points(Group::Content),
                first,
            )
        })
}

fn inspect(scene: &Scene, knowledge: &Knowledge) -> Vec<Evidence> {
    registry::DETECTORS
        .iter()
        .filter_map(|detector| {
            let finding = detector.inspect(scene, knowledge)?;
            Some(Evidence { code: detector.code(), version: detector.version(), group: detector.group(), finding })
        })
        .collect()
}

/// A vote towards the header vote.
fn vote(votes: u8, observed: String, expected: String, frames: Vec<u64>, why: &'static str) -> Finding {
    let weight = if votes >= 2 { Weight::Strong } else { Weight::Weak };
    Finding { weight, points: 0, votes, observed, expected, frames, why }
}

/// The first line of a payload in printable characters, at most 80 bytes of it.
#[must_use]
pub fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or(&[]);
    line.iter().take(80).map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' }).collect()
}
