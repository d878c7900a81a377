//! Web answers across flows: hosts that wanted https, contents that were others. One file for each detector.

pub mod changed;
mod fifo;
pub mod history;
mod tell;

use std::collections::VecDeque;

use crate::alert::Alert;
use crate::engine::decode::packet::Addr;
use crate::engine::detect::Evidence;
use crate::engine::limits::Limits;
use crate::engine::observation::Judged;
use crate::engine::time::Timestamp;
use crate::engine::web::{Fact, Web};
use changed::Contents;
use history::History;

/// Code and version of each detector, in the order of the documentation.
pub const DETECTORS: [(&str, u32); 2] = [(changed::CODE, changed::VERSION), (history::CODE, history::VERSION)];

/// Answers whose case may still be open; the oldest goes first.
const MOST_PENDING: usize = 1_024;

/// An answer: its client, and the frame in which it begins.
type Answer = ((Addr, u16), u64);

/// What is remembered of web answers.
#[derive(Debug)]
pub(super) struct Webs {
    history: History,
    contents: Contents,
    /// Evidence that waits for the case of its answer.
    pending: VecDeque<(Answer, Evidence)>,
}

impl Webs {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { history: History::new(limits.web_memory), contents: Contents::new(limits.web_memory), pending: VecDeque::new() }
    }

    /// Takes a fact. An alert, when a page takes encryption away and the client's path was bent.
    pub(super) fn take(&mut self, web: &Web, bent: impl FnOnce() -> bool, at: Timestamp) -> Option<Alert> {
        if let Some(evidence) = web.version.as_ref().and_then(|version| self.contents.take(web, version)) {
            self.keep(web, evidence);
        }
        match web.fact {
            Fact::WantsTls => self.history.wants_tls(web),
            Fact::PlainPage => {
                let evidence = self.history.plain_page(web)?;
                if bent() {
                    return Some(tell::tell(web, &evidence, at));
                }
                self.keep(web, evidence);
            }
            Fact::Version => {}
        }
        None
    }

    /// Keeps evidence for the case of its answer.
    fn keep(&mut self, web: &Web, evidence: Evidence) {
        self.pending.push_back(((web.flow.client, web.record.frame), evidence));
        if self.pending.len() > MOST_PENDING {
            self.pending.pop_front();
        }
    }

    /// The case with what is known of its answer; none when that is nothing.
    pub(super) fn added_to(&mut self, case: &Judged) -> Option<Judged> {
        let frame = case.assessment.scene.response.as_ref()?.first.frame;
        let answer = (case.flow.client, frame);
        if self.pending.iter().all(|(known, _)| *known != answer) {
            return None;
        }
        let mut case = case.clone();
        self.pending.retain(|(known, evidence)| {
            let concerned = *known == answer;
            if concerned {
                case.assessment.evidence.push(evidence.clone());
            }
            !concerned
        });
        Some(case)
    }

    /// Hosts and contents forgotten for the bound.
    pub(super) const fn evicted(&self) -> u64 {
        self.history.evicted() + self.contents.evicted()
    }
}
