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
use changed::{Contents, Pages, inserted};
use history::History;

/// Code and version of each detector, in the order of the documentation.
pub const DETECTORS: [(&str, u32); 2] = [(changed::CODE, changed::VERSION), (history::CODE, history::VERSION)];

/// Answers whose case may still be open; the oldest goes first.
const MOST_PENDING: usize = 1_024;

/// Those of which the pages are held, of up to 8 KiB each.
const MOST_WITH_PAGES: usize = 64;

/// An answer: its client, and the frame in which it begins.
type Answer = ((Addr, u16), u64);

/// What is remembered of web answers.
#[derive(Debug)]
pub(super) struct Webs {
    history: History,
    contents: Contents,
    /// Evidence that waits for the case of its answer.
    pending: VecDeque<Pending>,
}

#[derive(Debug)]
struct Pending {
    answer: Answer,
    evidence: Evidence,
    /// In which it is looked up what was inserted; few answers come to a case.
    pages: Option<Pages>,
}

impl Webs {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { history: History::new(limits.web_memory), contents: Contents::new(limits.web_memory), pending: VecDeque::new() }
    }

    /// Takes a fact. An alert, when a page takes encryption away and the client's path was bent.
    pub(super) fn take(&mut self, web: &Web, bent: impl FnOnce() -> bool, at: Timestamp) -> Option<Alert> {
        if let Some((evidence, pages)) = web.version.as_ref().and_then(|version| self.contents.take(web, version)) {
            self.keep(web, evidence, pages);
        }
        match web.fact {
            Fact::WantsTls => self.history.wants_tls(web),
            Fact::PlainPage => {
                let evidence = self.history.plain_page(web)?;
                if bent() {
                    return Some(tell::tell(web, &evidence, at));
                }
                self.keep(web, evidence, None);
            }
            Fact::Version => {}
        }
        None
    }

    /// Keeps evidence for the case of its answer.
    fn keep(&mut self, web: &Web, evidence: Evidence, pages: Option<Pages>) {
        self.pending.push_back(Pending { answer: (web.flow.client, web.record.frame), evidence, pages });
        let older = self.pending.len().checked_sub(MOST_WITH_PAGES + 1);
        if let Some(older) = older.and_then(|older| self.pending.get_mut(older)) {
            older.pages = None;
        }
        if self.pending.len() > MOST_PENDING {
            self.pending.pop_front();
        }
    }

    /// The case with what is known of its answer; none when that is nothing.
    pub(super) fn added_to(&mut self, case: &Judged) -> Option<Judged> {
        let frame = case.assessment.scene.response.as_ref()?.first.frame;
        let answer = (case.flow.client, frame);
        if self.pending.iter().all(|pending| pending.answer != answer) {
            return None;
        }
        let mut case = case.clone();
        let from = case.assessment.scene.asked_address();
        self.pending.retain(|pending| {
            let concerned = pending.answer == answer;
            if concerned {
                let mut evidence = pending.evidence.clone();
                evidence.finding.observed += &pending.pages.as_ref().map_or_else(String::new, |pages| inserted(pages, from.as_ref()));
                case.assessment.evidence.push(evidence);
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
