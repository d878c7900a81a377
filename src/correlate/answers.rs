//! One forged answer of DNS over TCP is told of once, although the packets of its connection and the answers in it are judged apart.

use std::collections::VecDeque;

use crate::alert::{Alert, Carrier, ClosedBecause, Mechanism};
use crate::engine::case::LONGEST_WAIT;
use crate::engine::dns::WINDOW;
use crate::engine::time::{Span, Timestamp};

/// A case is decided ten seconds after its packet at the latest, the answers to a question five seconds after the first of them.
const WAIT: Span = Span::from_secs(11);
const _: () = assert!(WAIT.as_nanos() > LONGEST_WAIT.as_nanos() && WAIT.as_nanos() > WINDOW.as_nanos());
/// Alerts that wait; the first is told early.
const MOST_HELD: usize = 64;
/// Frames that are known to be told of; the first are forgotten.
const MOST_TOLD: usize = 1_024;

/// Alerts that wait, the one due first in front, and what was told.
#[derive(Debug, Default)]
pub(super) struct Answers {
    held: VecDeque<(Timestamp, Alert)>,
    told: VecDeque<u64>,
    /// Alerts of what was told before.
    pub(super) repeated: u64,
}

pub(super) fn is_over_tcp(alert: &Alert) -> bool {
    alert.mechanism == Mechanism::DnsAnswer && alert.flow.carrier == Carrier::Tcp
}

impl Answers {
    /// Takes what is said of the packets of a connection, or of the answers to a question; what can be told at once comes back.
    pub(super) fn take(&mut self, alerts: impl IntoIterator<Item = Alert>, now: Timestamp) -> Vec<Alert> {
        let (held, mut told): (Vec<Alert>, Vec<Alert>) = alerts.into_iter().partition(is_over_tcp);
        for alert in held {
            if alert.forged_frames.iter().any(|frame| self.told.contains(frame)) {
                self.repeated += 1;
            } else if let Some((_, waiting)) = self.held.iter_mut().find(|(_, waiting)| is_same(waiting, &alert)) {
                *waiting = merged(waiting.clone(), alert);
            } else {
                self.held.push_back((now.max(alert.forged.time + WAIT), alert));
            }
        }
        while self.held.len() > MOST_HELD {
            told.extend(self.held.pop_front().map(|(_, alert)| self.tell(alert, now)));
        }
        told
    }

    /// When something is to be told next.
    #[inline]
    pub(super) fn next_due(&self) -> Timestamp {
        self.held.front().map_or(Timestamp::MAX, |(due, _)| *due)
    }

    /// Tells what is due at or before `now`.
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut told = Vec::new();
        while let Some((due, alert)) = self.held.pop_front_if(|(due, _)| *due <= now) {
            told.push(self.tell(alert, due));
        }
        told
    }

    /// Tells everything on what was seen.
    pub(super) fn finish(&mut self, now: Timestamp) -> Vec<Alert> {
        let mut told = self.tick(now);
        while let Some((_, alert)) = self.held.pop_front() {
            told.push(self.tell(Alert { closed_because: ClosedBecause::EndOfCapture, ..alert }, now));
        }
        told
    }

    fn tell(&mut self, alert: Alert, at: Timestamp) -> Alert {
        self.told.extend(&alert.forged_frames);
        let surplus = self.told.len().saturating_sub(MOST_TOLD);
        self.told.drain(..surplus);
        Alert { closed_at: alert.closed_at.max(at), ..alert }
    }
}

fn is_same(one: &Alert, other: &Alert) -> bool {
    one.flow.client == other.flow.client && one.forged_frames.iter().any(|frame| other.forged_frames.contains(frame))
}

/// The surer of both under the id of the first, which may have been told of as pending, with the reasons of the other, and the genuine answer where only the other knows it.
fn merged(one: Alert, other: Alert) -> Alert {
    let (id, closed_at) = (one.id, one.closed_at.max(other.closed_at));
    let (mut surer, other) = if other.score > one.score { (other, one) } else { (one, other) };
    (surer.id, surer.closed_at) = (id, closed_at);
    surer.signals.extend(other.signals);
    let known: Vec<&'static str> = surer.considered.iter().map(|considered| considered.explanation).collect();
    surer.considered.extend(other.considered.into_iter().filter(|considered| !known.contains(&considered.explanation)));
    if surer.genuine.is_none() && other.genuine.is_some() && other.verdict.is_injection() {
        (surer.verdict, surer.genuine, surer.genuine_frames, surer.silence) = (other.verdict, other.genuine, other.genuine_frames, None);
        surer.dns = other.dns;
    }
    surer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{Verdict, samples};

    fn over_tcp(frame: u64, score: u8) -> Alert {
        let mut alert = samples::dns_alert();
        alert.flow.carrier = Carrier::Tcp;
        (alert.id, alert.score, alert.forged_frames) = (frame, score, vec![frame]);
        alert
    }

    fn unanswered(frame: u64, score: u8) -> Alert {
        Alert { genuine: None, genuine_frames: Vec::new(), verdict: Verdict::InPathInjection, ..over_tcp(frame, score) }
    }

    #[test]
    fn what_is_said_of_packets_and_of_answers_is_one_alert_whichever_comes_first() {
        for packets_first in [true, false] {
            let mut answers = Answers::default();
            let start = over_tcp(7, 0).forged.time;
            let mut said = [unanswered(7, 60), over_tcp(7, 50)];
            if !packets_first {
                said.reverse();
            }
            for alert in said {
                assert!(answers.take([alert], start + Span::from_secs(5)).is_empty());
            }
            let told = answers.tick(start + WAIT);
            assert_eq!((told.len(), told[0].score, told[0].verdict), (1, 60, Verdict::OnPathInjection));
            assert!(told[0].genuine.is_some() && told[0].closed_at == start + WAIT);
            assert!(answers.take([over_tcp(7, 90)], start + WAIT).is_empty() && answers.held.is_empty());
            assert_eq!(answers.repeated, 1);
        }
    }

    #[test]
    fn what_belongs_to_other_packets_is_told_by_itself() {
        let mut answers = Answers::default();
        let now = over_tcp(7, 0).forged.time;
        assert!(answers.take([unanswered(7, 60), over_tcp(8, 50)], now).is_empty());
        assert_eq!(answers.take([samples::dns_alert()], now).len(), 1, "what came by UDP does not wait");
        assert_eq!(answers.finish(now).len(), 2);
    }

    #[test]
    fn few_wait() {
        let mut answers = Answers::default();
        let now = over_tcp(7, 0).forged.time;
        assert_eq!(answers.take((0..200).map(|frame| over_tcp(frame, 50)), now).len(), 200 - MOST_HELD);
    }
}
