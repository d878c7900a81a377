//! The marks by which a forged answer is told from the resolver's own.

use super::super::{Evidence, Finding, Group, Weight};
use super::{CODE, VERSION};
use crate::engine::decode::packet::Addr;
use crate::engine::dns::{Answer, Exchange, Habit, Scene};
use crate::engine::protocol::dns::Flags;
use crate::engine::time::Span;
use crate::rules::dns_forged::{ForgedAddresses, Pool};

/// Shorter times are within the jitter of the capture.
const SHORTEST_TIME: Span = Span::from_millis(2);
/// Answers that make a measure of time.
const FEWEST_TIMED: usize = 2;

/// Something that speaks against an answer.
pub(super) struct Mark {
    pub(super) group: Group,
    /// Points towards the score; 0 is not told of.
    points: u8,
    /// How much it tells this answer from its rivals.
    pub(super) doubt: u8,
    observed: String,
    expected: String,
    frames: Vec<u64>,
    why: &'static str,
}

impl Mark {
    pub(super) fn is_of_pool(&self) -> bool {
        self.group == Group::Device
    }

    /// The stronger one stands, for the frames of both.
    fn take_in(&mut self, mut other: Self) {
        if (other.points, other.doubt) > (self.points, self.doubt) {
            std::mem::swap(self, &mut other);
        }
        self.frames.extend(other.frames);
        self.frames.sort_unstable();
        self.frames.dedup();
    }
}

/// All marks of an answer, beside the rivals that contradict it.
pub(super) fn of(scene: &Scene, answer: &Answer, rivals: &[&Answer], pools: &ForgedAddresses) -> Vec<Mark> {
    [
        known_address(answer, pools),
        hops(scene, answer, rivals),
        early(scene, answer),
        letters(scene, answer, rivals),
        edns(scene, answer, rivals),
        fragment_bit(scene, answer, rivals),
        identification(scene, answer, rivals),
        claims(scene, answer, rivals),
        bareness(answer, rivals),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Of each kind of mark the strongest, as evidence.
pub(super) fn strongest(marks: impl Iterator<Item = Mark>) -> Vec<Evidence> {
    let mut kept: Vec<Mark> = Vec::new();
    for mark in marks.filter(|mark| mark.points > 0) {
        match kept.iter_mut().find(|other| other.why == mark.why) {
            Some(other) => other.take_in(mark),
            None => kept.push(mark),
        }
    }
    kept.into_iter()
        .map(|mark| Evidence {
            code: CODE,
            version: VERSION,
            group: mark.group,
            finding: Finding {
                weight: if mark.doubt >= 8 { Weight::Strong } else { Weight::Weak },
                points: mark.points,
                votes: 0,
                observed: mark.observed,
                expected: mark.expected,
                frames: mark.frames,
                why: mark.why,
            },
        })
        .collect()
}

/// The answer carries what no resolver says, however well its header is copied: an address of a pool, or other letters than those asked for.
pub(super) fn is_strange(exchange: &Exchange, answer: &Answer, pools: &ForgedAddresses) -> bool {
    repeats(exchange, answer) == Some(false) || pool(answer, pools).is_some()
}

/// Whether the question is repeated in the letters in which it was asked; none where either is unknown.
fn repeats(exchange: &Exchange, answer: &Answer) -> Option<bool> {
    let question = answer.message.question.as_ref().filter(|_| !exchange.asked.is_empty())?;
    Some(exchange.asked.iter().any(|asked| asked.name == question.name))
}

/// The pool that an address of the answer is in.
pub(super) fn pool<'p>(answer: &Answer, pools: &'p ForgedAddresses) -> Option<(Addr, &'p Pool)> {
    answer.message.addresses.iter().find_map(|address| Some((*address, pools.pool_of(*address)?)))
}

fn known_address(answer: &Answer, pools: &ForgedAddresses) -> Option<Mark> {
    let (address, pool) = pool(answer, pools)?;
    Some(Mark {
        group: Group::Device,
        points: 15,
        doubt: 8,
        observed: format!("{address}, which matches {} ({}, {})", pool.name, pool.source, pool.date),
        expected: "an address of no known pool".to_owned(),
        frames: answer.frames.clone(),
        why: "The answer carries an address that forged answers are known by.",
    })
}

fn hops(scene: &Scene, answer: &Answer, rivals: &[&Answer]) -> Option<Mark> {
    const WHY: &str = "The answer came over another number of routers than the resolver's.";
    let ttl = answer.mark.ttl;
    let differs = |other: u8| other.abs_diff(ttl) > 1;
    let mark = |doubt, expected, frame| Mark {
        group: Group::Header,
        points: 10,
        doubt,
        observed: format!("TTL {ttl}"),
        expected,
        frames: vec![answer.mark.frame, frame],
        why: WHY,
    };
    if let Some(last) = scene.habits.last() {
        let is_strange = scene.habits.iter().all(|habit| differs(habit.mark.ttl));
        return is_strange.then(|| {
            let expected = format!("TTL {}, as in {} other answers of this resolver", last.mark.ttl, scene.habits.len());
            mark(4, expected, last.mark.frame)
        });
    }
    let rival = rivals.iter().find(|rival| differs(rival.mark.ttl))?;
    // Some injectors copy the TTL of the question.
    let mirrors = |other: &Answer| scene.exchange.asked.iter().any(|asked| asked.mark.ttl == other.mark.ttl);
    let doubt = match () {
        // Nobody but the resolver, or who is on the way to it, can have opened that connection: it is a measure by itself.
        () if rival.mark.over_tcp && !answer.mark.over_tcp => 6,
        () if mirrors(answer) && !mirrors(rival) => 2,
        () => 0,
    };
    Some(mark(doubt, format!("TTL {}, as in the answer that contradicts it", rival.mark.ttl), rival.mark.frame))
}

fn early(scene: &Scene, answer: &Answer) -> Option<Mark> {
    let times: Vec<&Habit> = scene.habits.iter().filter(|habit| habit.took.is_some()).collect();
    let fastest = times.iter().filter_map(|habit| Some((habit.took?, habit.mark.frame))).min()?;
    let took = scene.exchange.took(answer)?;
    let is_early = times.len() >= FEWEST_TIMED && fastest.0 >= SHORTEST_TIME && took.times(2) < fastest.0;
    is_early.then(|| Mark {
        group: Group::Timing,
        points: 10,
        doubt: 4,
        observed: format!("{:.1} ms after the question", took.as_millis_f64()),
        expected: format!("about {:.1} ms, the shortest time of {} other answers", fastest.0.as_millis_f64(), times.len()),
        frames: vec![answer.mark.frame, fastest.1],
        why: "The answer came in less than half the shortest time that this resolver took.",
    })
}

fn letters(scene: &Scene, answer: &Answer, rivals: &[&Answer]) -> Option<Mark> {
    let rival = rivals.iter().find(|rival| repeats(&scene.exchange, rival) == Some(true))?;
    (repeats(&scene.exchange, answer) == Some(false)).then(|| Mark {
        group: Group::Header,
        points: 10,
        doubt: 8,
        observed: answer.message.question.as_ref().map_or_else(String::new, |question| question.name.to_string()),
        expected: scene.exchange.asked.first().map_or_else(String::new, |asked| asked.name.to_string()),
        frames: vec![answer.mark.frame, rival.mark.frame],
        why: "The answer does not repeat the question in the letters in which it was asked.",
    })
}

fn edns(scene: &Scene, answer: &Answer, rivals: &[&Answer]) -> Option<Mark> {
    let wanted = scene.exchange.asked.iter().any(|asked| asked.edns);
    let rival = rivals.iter().find(|rival| rival.message.edns)?;
    (wanted && answer.message.whole && !answer.message.edns).then(|| Mark {
        group: Group::Header,
        points: 5,
        doubt: 3,
        observed: "no EDNS".to_owned(),
        expected: "EDNS, as the question has it and the answer that contradicts it".to_owned(),
        frames: vec![answer.mark.frame, rival.mark.frame],
        why: "The answer leaves out the extension that the question brought.",
    })
}

fn fragment_bit(scene: &Scene, answer: &Answer, rivals: &[&Answer]) -> Option<Mark> {
    let own = answer.mark.df;
    // Systems set the bit in TCP that do not in UDP.
    let is_alike = |mark: &crate::engine::dns::Mark| mark.over_tcp == answer.mark.over_tcp;
    let others: Vec<bool> = scene.habits.iter().map(|habit| habit.mark).filter(is_alike).map(|mark| mark.df).collect();
    let rival = rivals.iter().find(|rival| is_alike(&rival.mark));
    let (other, doubt) = if others.is_empty() { (rival?.mark.df, 0) } else { (*others.first()?, 3) };
    let agree = others.iter().all(|df| *df == other);
    let name = |df: bool| if df { "DF set" } else { "DF clear" };
    (!answer.mark.is_v6 && agree && own != other).then(|| Mark {
        group: Group::Header,
        points: 5,
        doubt,
        observed: name(own).to_owned(),
        expected: format!("{}, as in {}", name(other), if doubt > 0 { "the resolver's other answers" } else { "the other answer" }),
        frames: vec![answer.mark.frame],
        why: "The answer's \"don't fragment\" bit is not that of the resolver's answers.",
    })
}

fn identification(scene: &Scene, answer: &Answer, rivals: &[&Answer]) -> Option<Mark> {
    let is_copy =
        |answer: &Answer| answer.mark.ip_id != 0 && scene.exchange.asked.iter().any(|asked| asked.mark.ip_id == answer.mark.ip_id);
    // RFC 6864: without DF the identification must be unique while fragments may live, and 0 twice is not.
    let is_constant = |mark: &crate::engine::dns::Mark| mark.ip_id == 0 && !mark.df;
    let usual = scene.habits.iter().any(|habit| is_constant(&habit.mark)) || rivals.iter().any(|rival| is_constant(&rival.mark));
    let copied = is_copy(answer) && !rivals.is_empty() && !rivals.iter().any(|rival| is_copy(rival));
    let constant = is_constant(&answer.mark) && !usual && !(rivals.is_empty() && scene.habits.is_empty());
    (!answer.mark.is_v6 && !answer.mark.over_tcp && (copied || constant)).then(|| Mark {
        group: Group::Header,
        points: 5,
        doubt: 3,
        observed: if copied { format!("IP ID {:#06x}, that of the question", answer.mark.ip_id) } else { "IP ID 0 without DF".to_owned() },
        expected: "an identification of its own".to_owned(),
        frames: vec![answer.mark.frame],
        why: "The answer's identification is one that programs choose and systems do not.",
    })
}

/// Who is asked to ask others offers it and has no zone; who is asked for what it has itself has the zone.
fn claims(scene: &Scene, answer: &Answer, rivals: &[&Answer]) -> Option<Mark> {
    let asked = scene.exchange.asked.first()?;
    let is_resolver = asked.flags.has(Flags::RECURSION_DESIRED);
    let is_usual = |answer: &Answer| {
        let has = |bit: u16| answer.message.flags.has(bit);
        if is_resolver { has(Flags::RECURSION_AVAILABLE) && !has(Flags::AUTHORITATIVE) } else { has(Flags::AUTHORITATIVE) }
    };
    let named = |answer: &Answer| {
        let flag = |bit: u16, name: &str| format!("{}{name}", if answer.message.flags.has(bit) { "" } else { "no " });
        format!("{}, {}", flag(Flags::AUTHORITATIVE, "AA"), flag(Flags::RECURSION_AVAILABLE, "RA"))
    };
    let rival = rivals.iter().find(|rival| is_usual(rival))?;
    (!is_usual(answer)).then(|| Mark {
        group: Group::Content,
        points: 5,
        doubt: 2,
        observed: named(answer),
        expected: format!("{}, as {} answer", named(rival), if is_resolver { "resolvers" } else { "servers of a zone" }),
        frames: vec![answer.mark.frame, rival.mark.frame],
        why: "The answer's flags are not those of a server of this kind.",
    })
}

/// Never told of: only the last thing that tells two answers apart, where a header shows that there are two senders.
fn bareness(answer: &Answer, rivals: &[&Answer]) -> Option<Mark> {
    let records = |answer: &Answer| answer.message.counts.iter().skip(1).map(|count| u32::from(*count)).sum::<u32>();
    let is_bare = records(answer) == 1 && rivals.iter().all(|rival| records(rival) > 1);
    let other_sender = rivals.iter().any(|rival| {
        let (own, other) = (&answer.mark, &rival.mark);
        other.ttl.abs_diff(own.ttl) > 1 || (other.df != own.df && other.over_tcp == own.over_tcp)
    });
    (is_bare && other_sender).then(|| Mark {
        group: Group::Content,
        points: 0,
        doubt: 2,
        observed: String::new(),
        expected: String::new(),
        frames: Vec::new(),
        why: "",
    })
}
