//! S15: a question of DNS got answers that contradict each other, or one that forged answers are known by.
//!
//! ## What it sees
//! Answers over UDP or TCP to one question (same ends, identification, name and type) within 5 s; a question that is asked again over TCP, of the same
//! name and type, is the same one. Two contradict when their addresses have no network in
//! common (/24, /48 of IPv6) and no alias, or when one gives addresses and the other says that there are none: 45 points. Marks tell which of
//! them is forged: it came in less than half the resolver's shortest time (10 points); its TTL differs by more than one from the resolver's other
//! answers, or from the rival's where there are no others (10; a rival over TCP is a measure as good as others, for its sender made a handshake); it carries an address of a known pool, `rules/dns_forged.toml` (15); it does not
//! repeat the letters' case of the question as the rival does (10); it leaves out EDNS although the rival has it (5); its "don't fragment" bit is
//! not the resolver's (5); its identification is the question's, or 0 without DF (5); its AA and RA flags are not the rival's (5). With no rival, an address of a
//! pool alone is 25 points and a hint; together with such a mark the genuine answer was held back.
//!
//! ## Why it matters
//! A resolver answers a question once. Two answers that contradict prove that two spoke, and hardly ever come without a forgery (Duan et al. found
//! none in harmless traffic). Arrival alone never names the forged one: 11 % of the forged ones lose the race.
//!
//! ## When it is wrong
//! A question that was asked again gets a second answer, and round robin or a CDN other addresses in it: with no more answers than questions, the
//! contradiction is 25 points and needs two marks or a pool; with none it is nothing. Two answers of one machine (same TTL and DF, identifications
//! next to each other) are nothing; two that nothing tells apart are recorded at severity 3. Not compared: errors such as SERVFAIL and REFUSED,
//! truncated answers, answers to ANY, transfers of zones, the headers of TCP with those of UDP, what the sensor cut. Copies by a mirror or around a router say the same. A resolver that answers what does
//! not exist with a page of its own, or a portal's or filter's resolver, answers once, with its own stack: nothing. Pool addresses can be in use
//! in a private network, and Teredo addresses can be real: alone they stay at severity 3.
//!
//! ## Reference
//! Duan et al., Hold-On: Protecting Against On-Path DNS Poisoning (SATIN 2012); Anonymous et al., Triplet Censors (FOCI 2020): three injectors and
//! their headers; Hoang et al., How Great is the Great Firewall? (USENIX Security 2021), Teredo answers and 11 %; Dagon et al., 0x20-bit encoding
//! (CCS 2008); RFC 1035, RFC 4343, RFC 6864, RFC 6891, RFC 8482; resolv.conf(5).

use std::fmt::Write;

use super::{Described, Evidence, Finding, Group, Knowledge, Weight};
use crate::engine::decode::packet::Addr;
use crate::engine::dns::{Answer, Exchange, Scene};
use crate::engine::protocol::dns::{A, AAAA, ANY, AXFR, Flags, IXFR, Message, rcode_name};
use crate::engine::time::Span;
use crate::rules::dns_forged::ForgedAddresses;
use marks::Mark;

mod marks;
#[cfg(test)]
mod tests;

/// The detector.
pub(super) static DESCRIBED: Described = Described { code: CODE, version: VERSION, group: GROUP };

const CODE: &str = "S15";
const VERSION: u32 = 2;
const GROUP: Group = Group::Contradiction;

/// Points of a contradiction that no second question explains.
const CONTRADICTION: u8 = 45;
/// Points of one that a second question may explain, or of an address of a pool with no rival.
const HINT: u8 = 25;
/// Answers to a question that was not seen are to one question when they are this near: stub resolvers ask again after a second or more.
const ONE_QUESTION: Span = Span::from_millis(900);
/// Doubt that is more than a bare form: one mark.
const TELLS: u8 = 2;
/// Doubt where a second question may explain the second answer: two marks, or a strong one.
const TELLS_RETRIED: u8 = 6;
/// Response codes that are compared: NOERROR and NXDOMAIN.
const COMPARED: [u8; 2] = [0, NXDOMAIN];
const NXDOMAIN: u8 = 3;
/// Addresses named in one line.
const NAMED: usize = 4;

/// What happened to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Two senders answered, and marks tell which is which.
    TwoSenders,
    /// Only forged answers were seen.
    Replaced,
    /// Answers contradict, and nothing tells which is forged, or whether.
    Unclear,
    /// Answers with addresses that forged ones are known by, and nothing else against them.
    KnownAddress,
}

/// A question with what was found.
#[derive(Clone, Debug)]
pub struct DnsAssessment {
    /// The question, its answers and the resolver's habits.
    pub scene: Scene,
    /// What happened.
    pub kind: Kind,
    /// Indices of the answers that are forged or, where that is unclear, of the one that is looked at.
    pub forged: Vec<usize>,
    /// Indices of the answers that are genuine or, where that is unclear, of those that contradict it.
    pub genuine: Vec<usize>,
    /// No more answers came than questions were asked.
    pub retried: bool,
    /// What was found, the contradiction or the known address first.
    pub evidence: Vec<Evidence>,
}

impl DnsAssessment {
    /// Points of all evidence, at most 100.
    #[must_use]
    pub fn score(&self) -> u8 {
        self.evidence.iter().fold(0_u8, |sum, evidence| sum.saturating_add(evidence.finding.points)).min(100)
    }
    /// The answers with these indices.
    pub fn answers<'a>(&'a self, indices: &'a [usize]) -> impl Iterator<Item = &'a Answer> {
        indices.iter().filter_map(|index| self.scene.exchange.answers.get(*index))
    }
    /// Evidence of this group was found.
    #[must_use]
    pub fn has(&self, group: Group) -> bool {
        self.evidence.iter().any(|evidence| evidence.group == group)
    }
}

/// Looks at a question and its answers.
#[must_use]
pub fn inspect(scene: &Scene, knowledge: &Knowledge) -> Option<DnsAssessment> {
    let exchange = &scene.exchange;
    let pools = &knowledge.forged_addresses;
    // Servers answer the first with whatever they like (RFC 8482), the others in several messages (transfers of zones, RFC 5936 and RFC 1995).
    if matches!(exchange.question.qtype, ANY | AXFR | IXFR) {
        return None;
    }
    let compared: Vec<usize> = numbered(exchange).filter(|(_, answer)| is_compared(answer)).map(|(index, _)| index).collect();
    let contested: Vec<Contested> = compared.iter().filter_map(|index| Contested::of(scene, *index, &compared, pools)).collect();
    if contested.is_empty() { known_address(scene, &compared, pools) } else { contradiction(scene, &contested, pools) }
}

fn numbered(exchange: &Exchange) -> impl Iterator<Item = (usize, &Answer)> {
    exchange.answers.iter().enumerate()
}

fn is_compared(answer: &Answer) -> bool {
    let flags = answer.message.flags;
    COMPARED.contains(&flags.rcode()) && !flags.has(Flags::TRUNCATED) && answer.message.answers_whole
}

/// An answer that others contradict.
struct Contested {
    index: usize,
    rivals: Vec<usize>,
    marks: Vec<Mark>,
}

impl Contested {
    fn of(scene: &Scene, index: usize, compared: &[usize], pools: &ForgedAddresses) -> Option<Self> {
        let exchange = &scene.exchange;
        let answer = exchange.answers.get(index)?;
        let is_rival = |other: &usize| {
            let rival = exchange.answers.get(*other).filter(|_| *other != index);
            rival.is_some_and(|rival| {
                let is_copied = || [answer, rival].iter().any(|answer| marks::is_strange(exchange, answer, pools));
                contradict(exchange.question.qtype, answer, rival) && (!is_one_machine(answer, rival) || is_copied())
            })
        };
        let rivals: Vec<usize> = compared.iter().copied().filter(is_rival).collect();
        let others: Vec<&Answer> = rivals.iter().filter_map(|rival| exchange.answers.get(*rival)).collect();
        (!others.is_empty()).then(|| Self { index, marks: marks::of(scene, answer, &others, pools), rivals })
    }

    fn doubt(&self) -> u8 {
        self.marks.iter().map(|mark| mark.doubt).sum()
    }

    fn is_of_pool(&self) -> bool {
        self.marks.iter().any(Mark::is_of_pool)
    }

    /// Nothing but the addresses speaks against it.
    fn is_only_of_pool(&self) -> bool {
        self.marks.iter().all(Mark::is_of_pool)
    }
}

fn contradict(qtype: u16, one: &Answer, other: &Answer) -> bool {
    let (a, b) = (&one.message, &other.message);
    if a.alias.is_some() && a.alias == b.alias {
        return false;
    }
    match (a.addresses.is_empty(), b.addresses.is_empty()) {
        (false, false) => !a.addresses.iter().any(|address| b.addresses.iter().any(|other| are_near(*address, *other))),
        (true, true) => false,
        // Who was asked for anything else may answer with what belongs to it; addresses alone are no answer to that.
        (false, true) => [A, AAAA].contains(&qtype) || (a.others == 0 && b.others > 0),
        (true, false) => [A, AAAA].contains(&qtype) || (b.others == 0 && a.others > 0),
    }
}

/// In one /24, or /48 of IPv6: the least that is routed by itself.
fn are_near(Addr(one): Addr, Addr(other): Addr) -> bool {
    let is_v4 = |address: u128| address >> 32 == 0xffff;
    let shift = if is_v4(one) { 8 } else { 80 };
    is_v4(one) == is_v4(other) && one >> shift == other >> shift
}

/// The header says that one machine sent both, one right after the other.
fn is_one_machine(one: &Answer, other: &Answer) -> bool {
    let (a, b) = (&one.mark, &other.mark);
    let step = (a.ip_id.wrapping_sub(b.ip_id) as i16).unsigned_abs();
    !a.is_v6 && a.ttl == b.ttl && a.df == b.df && a.ip_id != 0 && b.ip_id != 0 && (1..=64).contains(&step)
}

/// No more answers than questions.
fn is_retried(exchange: &Exchange) -> bool {
    let answers = u32::try_from(exchange.answers.len()).unwrap_or(u32::MAX).saturating_add(exchange.left_out);
    if exchange.times_asked > 0 {
        return exchange.times_asked >= answers;
    }
    let times = || exchange.answers.iter().map(|answer| answer.mark.time);
    times().min().zip(times().max()).is_none_or(|(first, last)| last - first > ONE_QUESTION)
}

fn contradiction(scene: &Scene, contested: &[Contested], pools: &ForgedAddresses) -> Option<DnsAssessment> {
    let retried = is_retried(&scene.exchange);
    let least = contested.iter().filter(|answer| !answer.is_of_pool()).map(Contested::doubt).min();
    let is_leader = |answer: &Contested| !answer.is_of_pool() && Some(answer.doubt()) == least;
    let leaders: Vec<usize> = contested.iter().filter(|answer| is_leader(answer)).map(|answer| answer.index).collect();
    let most = contested.iter().filter(|answer| !is_leader(answer)).map(Contested::doubt).max();
    let gap = most.map_or(0, |most| most.saturating_sub(least.unwrap_or(0)));
    let enough = if retried { TELLS_RETRIED } else { TELLS };
    let (kind, forged, genuine) = if leaders.is_empty() {
        // A site whose own addresses are in a pool is asked for twice, too.
        let kind = if retried && contested.iter().all(Contested::is_only_of_pool) { Kind::KnownAddress } else { Kind::Replaced };
        (kind, contested.iter().map(|answer| answer.index).collect(), Vec::new())
    } else if gap >= enough {
        let quarrel = contested.iter().any(|answer| is_leader(answer) && answer.rivals.iter().any(|rival| leaders.contains(rival)));
        let forged = contested.iter().filter(|answer| !is_leader(answer)).map(|answer| answer.index).collect();
        (Kind::TwoSenders, forged, if quarrel { Vec::new() } else { leaders.clone() })
    } else {
        let first = contested.first()?;
        (Kind::Unclear, vec![first.index], first.rivals.clone())
    };
    let answer = |index: &usize| scene.exchange.answers.get(*index);
    // Told of is what tells the forged ones from the genuine ones, where these are known.
    let others: Vec<&Answer> = if genuine.is_empty() { &leaders } else { &genuine }.iter().filter_map(answer).collect();
    let evidence = marks::strongest(forged.iter().filter_map(answer).flat_map(|answer| marks::of(scene, answer, &others, pools)));
    if kind == Kind::Unclear && retried && evidence.is_empty() {
        return None;
    }
    let points = if retried { HINT } else { CONTRADICTION };
    let evidence = std::iter::once(two_answers(&scene.exchange, (&forged, &genuine), points)).chain(evidence).collect();
    Some(DnsAssessment { scene: scene.clone(), kind, forged, genuine, retried, evidence })
}

fn known_address(scene: &Scene, compared: &[usize], pools: &ForgedAddresses) -> Option<DnsAssessment> {
    let exchange = &scene.exchange;
    let is_known = |index: &&usize| exchange.answers.get(**index).is_some_and(|answer| marks::pool(answer, pools).is_some());
    let forged: Vec<usize> = compared.iter().filter(is_known).copied().collect();
    let marks = forged.iter().filter_map(|index| exchange.answers.get(*index)).flat_map(|answer| marks::of(scene, answer, &[], pools));
    let mut evidence = marks::strongest(marks);
    let (known, others): (Vec<Evidence>, Vec<Evidence>) = evidence.drain(..).partition(|evidence| evidence.group == Group::Device);
    let mut known = known.into_iter().next()?;
    known.finding.points = HINT;
    let kind = if others.is_empty() { Kind::KnownAddress } else { Kind::Replaced };
    let evidence = std::iter::once(known).chain(others).collect();
    Some(DnsAssessment { scene: scene.clone(), kind, forged, genuine: Vec::new(), retried: is_retried(exchange), evidence })
}

fn two_answers(exchange: &Exchange, (forged, genuine): (&[usize], &[usize]), points: u8) -> Evidence {
    let of = |indices: &[usize]| {
        let answers = indices.iter().filter_map(|index| exchange.answers.get(*index));
        let said: Vec<String> = answers.map(|answer| format!("{} (frame {})", content(&answer.message), answer.mark.frame)).collect();
        said.join("; ")
    };
    let mut frames: Vec<u64> =
        forged.iter().chain(genuine).filter_map(|index| exchange.answers.get(*index)).flat_map(|answer| answer.frames.clone()).collect();
    frames.sort_unstable();
    let expected = if genuine.is_empty() { "one answer to one question".to_owned() } else { of(genuine) };
    Evidence {
        code: CODE,
        version: VERSION,
        group: GROUP,
        finding: Finding {
            weight: if points == CONTRADICTION { Weight::Proof } else { Weight::Weak },
            points,
            votes: 0,
            observed: of(forged),
            expected,
            frames,
            why: if points == CONTRADICTION {
                "One question got answers that contradict each other: two have answered."
            } else {
                "A question that was asked more than once got answers that contradict each other."
            },
        },
    }
}

/// What an answer says, in a few words.
#[must_use]
pub fn content(message: &Message) -> String {
    let mut said: Vec<String> = message.addresses.iter().take(NAMED).map(ToString::to_string).collect();
    let more = message.addresses.len().saturating_sub(NAMED);
    if more > 0 {
        said.push(format!("{more} more"));
    }
    let mut text = said.join(", ");
    if let Some(alias) = &message.alias {
        let _ = write!(text, "{}alias {alias}", if text.is_empty() { "" } else { ", " });
    }
    match (text.is_empty(), message.flags.rcode()) {
        (false, _) => text,
        (true, 0) if message.others > 0 => format!("{} records of another kind", message.others),
        (true, 0) => "no address".to_owned(),
        (true, code) => rcode_name(code),
    }
}
