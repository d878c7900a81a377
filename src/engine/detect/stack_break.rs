//! S6: the suspect was not made by the stack that opened the connection.
//!
//! ## What it sees
//! (a) No timestamps option although both sides negotiated it (not on a RST); (b) a TSval that the server's clock cannot show; (c) another "don't
//! fragment" bit; (d) a window more than four times larger or smaller, the same on every packet of the suspect's sender; (e) data with FIN
//! and without PSH; (f) reserved or ECN bits on a RST; (g) over IPv6, payload with another flow label than the one that at least two of the server's other
//! packets all bear, from the same number of hops away.
//!
//! ## Why it matters
//! (a) counts three votes: once timestamps are negotiated every segment must carry them, and of 1,585 ordinary flows none broke the rule. The
//! others are habits of a stack and count one vote each.
//!
//! ## When it is wrong
//! Middleboxes that strip options strip them from the SYN too, so that nothing was negotiated. DF differs between a SYN proxy and the server behind it
//! (1.6 % of flows). FIN on the first data segment is seen in 4.6 % of HTTP flows. (g) Linux takes a new label after a timeout, in the hope of another
//! route: where the hop limit differs too, the label is no second mark.
//!
//! ## Reference
//! RFC 7323, section 3.2; RFC 6864; RFC 6437, section 3 (one label for a flow); Marczak et al., "Bad Traffic" (2018); Weaver et al. (2009); ordinary flows: 2,680 of the test captures of nDPI,
//! Suricata, Zeek and C. Sanders, 1,585 of them with timestamps negotiated, 803 of them HTTP. Of the servers' 4,082 IPv6 segments with payload in those
//! captures none had another label than those before it.

use super::{Detector, Finding, Group, Knowledge, vote};
use crate::engine::case::scene::Scene;
use crate::engine::case::stacks::{labels_differ, window_jumps};
use crate::engine::decode::packet::TcpFlags;
use crate::engine::flow::record::Record;
use crate::engine::time::Span;

/// How far a TSval may be from what the server's clock shows.
const CLOCK_SLACK: Span = Span::from_secs(10);
/// RFC 7323, section 5.4: a timestamp clock ticks at most once a millisecond. Stacks that tick faster are compared by their own rate.
const FASTEST_TICKS_PER_SECOND: i64 = 1_000;

/// The detector.
#[derive(Debug)]
pub(super) struct StackBreak;

impl Detector for StackBreak {
    fn code(&self) -> &'static str {
        "S6"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Header
    }
    fn inspect(&self, scene: &Scene, _: &Knowledge) -> Option<Finding> {
        let breaks = [
            no_timestamps(scene),
            wrong_clock(scene),
            other_df(scene),
            other_window(scene),
            unpushed_fin(scene),
            reserved_bits(scene),
            other_label(scene),
        ];
        let found: Vec<Break> = breaks.into_iter().flatten().collect();
        let votes = found.iter().map(|found| found.votes).sum();
        let join = |part: fn(&Break) -> &str| found.iter().map(part).collect::<Vec<_>>().join("; ");
        (votes > 0).then(|| {
            let why = if votes >= 3 {
                "The packet breaks a rule that the stack which opened the connection must keep."
            } else {
                "The packet does not have the habits of the stack which opened the connection."
            };
            vote(votes, join(|found| &found.observed), join(|found| &found.expected), vec![scene.suspect.frame], why)
        })
    }
}

struct Break {
    votes: u8,
    observed: String,
    expected: String,
}

impl Break {
    fn new(votes: u8, observed: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { votes, observed: observed.into(), expected: expected.into() }
    }
}

/// The suspect leaves out the timestamps option although both sides negotiated it, and the server's other packets carry it.
#[must_use]
pub fn breaks_timestamps_rule(scene: &Scene) -> bool {
    let exempt = scene.suspect.flags.any(TcpFlags::RST | TcpFlags::SYN);
    // Where others of the server leave the option out too, and are not of the suspect's sender, it was stripped on the way.
    let stripped = scene.base.iter().filter(|record| !record.has_timestamps()).count() * 2 > scene.base.len();
    !exempt && !scene.suspect.has_timestamps() && scene.timestamps_negotiated() && !stripped
}

fn no_timestamps(scene: &Scene) -> Option<Break> {
    breaks_timestamps_rule(scene).then(|| Break::new(3, "no timestamps option", "timestamps on every segment, as both sides negotiated"))
}

fn wrong_clock(scene: &Scene) -> Option<Break> {
    let suspect = &scene.suspect;
    let near =
        scene.base_with_syn_ack().filter(|record| record.has_timestamps()).min_by_key(|record| record.frame.abs_diff(suspect.frame))?;
    if !suspect.has_timestamps() {
        return None;
    }
    let ticks = i64::from(suspect.tsval.wrapping_sub(near.tsval) as i32);
    let passed = (suspect.time - near.time).as_nanos();
    let slack = CLOCK_SLACK.as_nanos();
    let rate = rate(scene).unwrap_or(FASTEST_TICKS_PER_SECOND);
    let most = (passed.saturating_add(slack) / 1_000_000).saturating_mul(rate) / 1_000;
    let least = (passed.min(0).saturating_sub(slack) / 1_000_000).saturating_mul(rate) / 1_000;
    (ticks > most || ticks < least)
        .then(|| Break::new(1, format!("TSval {}", suspect.tsval), format!("TSval near {}, as the server's clock shows", near.tsval)))
}

/// Ticks a second between the first and the last packet of the base, where that tells; never less than the standard's fastest.
fn rate(scene: &Scene) -> Option<i64> {
    let mut stamped = scene.base_with_syn_ack().filter(|record| record.has_timestamps());
    let first = stamped.next()?;
    let last = stamped.last()?;
    let millis = (last.time - first.time).as_nanos() / 1_000_000;
    let ticks = i64::from(last.tsval.wrapping_sub(first.tsval) as i32);
    (millis > 0 && ticks > 0).then(|| (ticks.saturating_mul(1_000) / millis).max(FASTEST_TICKS_PER_SECOND))
}

fn other_df(scene: &Scene) -> Option<Break> {
    if scene.suspect.is_v6() {
        return None;
    }
    let name = |df: bool| if df { "DF set" } else { "DF clear" };
    let df = scene.suspect.df();
    let nearest = scene.base.iter().filter(|record| !record.flags.any(TcpFlags::SYN));
    let all_differ = if scene.base.is_empty() {
        scene.syn_ack.seen().is_some_and(|record| record.df() != df)
    } else {
        nearest.clone().all(|record| record.df() != df)
    };
    all_differ.then(|| Break::new(1, name(df), format!("{} on the server's other packets", name(!df))))
}

fn other_window(scene: &Scene) -> Option<Break> {
    let suspect = &scene.suspect;
    let constant = scene
        .forged
        .iter()
        .filter(|record| !record.flags.any(TcpFlags::RST) || record.frame == suspect.frame)
        .all(|record| record.window == suspect.window);
    // The SYN-ACK's window is never scaled: it can be compared only where no scaling was negotiated.
    let unscaled =
        scene.syn_ack.window_scale.is_none_or(|scale| scale == 0) || scene.syn.seen().is_some() && scene.syn.window_scale.is_none();
    let comparable: Vec<&Record> =
        if scene.base.is_empty() { scene.syn_ack.seen().filter(|_| unscaled).into_iter().collect() } else { scene.base.iter().collect() };
    let nearest = comparable.into_iter().min_by_key(|record| record.frame.abs_diff(suspect.frame))?;
    (constant && window_jumps(suspect.window, nearest.window))
        .then(|| Break::new(1, format!("window {}", suspect.window), format!("window near {}", nearest.window)))
}

fn unpushed_fin(scene: &Scene) -> Option<Break> {
    let suspect = &scene.suspect;
    let unpushed = suspect.len > 0 && suspect.flags.any(TcpFlags::FIN) && !suspect.flags.any(TcpFlags::PSH);
    unpushed.then(|| Break::new(1, "data with FIN and without PSH", "PSH on the last data of a stream"))
}

fn reserved_bits(scene: &Scene) -> Option<Break> {
    let suspect = &scene.suspect;
    let odd = suspect.flags.any(TcpFlags::RST) && suspect.flags.any(TcpFlags::RESERVED | TcpFlags::ECE | TcpFlags::CWR);
    odd.then(|| Break::new(1, format!("flags {:#05x} on a RST", suspect.flags.0), "no reserved or ECN bits on a RST"))
}

fn other_label(scene: &Scene) -> Option<Break> {
    let suspect = &scene.suspect;
    let known: Vec<&Record> = scene.base.iter().filter(|record| !record.flags.any(TcpFlags::SYN | TcpFlags::RST)).collect();
    let first = known.first().filter(|_| known.len() >= 2 && suspect.len > 0)?;
    let agreed = known.iter().all(|record| record.flow_label() == first.flow_label() && record.ttl == suspect.ttl);
    let name = |record: &Record| format!("flow label {:#07x}", record.flow_label());
    (agreed && labels_differ(suspect, first)).then(|| Break::new(1, name(suspect), name(first)))
}
