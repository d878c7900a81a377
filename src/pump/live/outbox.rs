//! What a capture thread hands to the judging thread, without ever waiting for it.

use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError};

use super::{Batch, Message};
use crate::engine::observation::{Observation, What};
use crate::engine::time::Timestamp;

/// Judged cases and messages of the local network that wait for room in the queue; the oldest go first.
const MOST_CARRIED: usize = 8_192;
/// How long the last word may wait for room in the queue.
const LAST_WORD: Duration = Duration::from_millis(500);

/// The sending end.
#[derive(Debug)]
pub(super) struct Outbox {
    sender: Sender<Message>,
    slot: u8,
    pub(super) epoch: u32,
    carried: Vec<Observation>,
    drops: Option<(Timestamp, u64)>,
    /// Facts left out because the queue was full.
    pub(super) facts_shed: u64,
    /// Judged observations given up because it was full for too long.
    pub(super) judged_lost: u64,
}

/// What a client did, or what a web answer was like: many, and each of little weight.
const fn is_fact(observation: &Observation) -> bool {
    matches!(observation.what, What::Contact(_) | What::Web(_))
}

impl Outbox {
    pub(super) const fn new(sender: Sender<Message>, slot: u8) -> Self {
        Self { sender, slot, epoch: 0, carried: Vec::new(), drops: None, facts_shed: 0, judged_lost: 0 }
    }

    /// Says with the next batch that the kernel dropped frames.
    pub(super) fn dropped(&mut self, at: Timestamp, frames: u64) {
        let before = self.drops.map_or(0, |(_, before)| before);
        self.drops = Some((at, before + frames));
    }

    /// Sends, or keeps what must not be lost until the next time.
    pub(super) fn send(&mut self, observations: Vec<Observation>, watermark: Timestamp) {
        let batch = self.batch(observations, watermark);
        if let Err(TrySendError::Full(Message::Saw(batch)) | TrySendError::Disconnected(Message::Saw(batch))) =
            self.sender.try_send(Message::Saw(batch))
        {
            self.keep(batch);
        }
    }

    /// The last batch of an epoch, for which there is a little time.
    pub(super) fn send_last(&mut self, observations: Vec<Observation>, watermark: Timestamp) {
        let batch = self.batch(observations, watermark);
        if let Err(failed) = self.sender.send_timeout(Message::Saw(batch), LAST_WORD)
            && let Message::Saw(batch) = failed.into_inner()
        {
            let facts = batch.observations.iter().filter(|observation| is_fact(observation)).count();
            self.facts_shed += facts as u64;
            self.judged_lost += (batch.observations.len() - facts) as u64;
        }
    }

    /// Nothing follows.
    pub(super) fn end(&self) {
        // A judging thread that is gone needs no word.
        let _ = self.sender.send_timeout(Message::Ended(self.slot), LAST_WORD);
    }

    fn batch(&mut self, observations: Vec<Observation>, watermark: Timestamp) -> Batch {
        let mut all = std::mem::take(&mut self.carried);
        all.extend(observations);
        Batch { slot: self.slot, epoch: self.epoch, observations: all, watermark, drops: self.drops.take() }
    }

    #[cold]
    fn keep(&mut self, batch: Batch) {
        self.drops = batch.drops;
        let all = batch.observations.len();
        self.carried = batch.observations;
        self.carried.retain(|observation| !is_fact(observation));
        self.facts_shed += (all - self.carried.len()) as u64;
        let surplus = self.carried.len().saturating_sub(MOST_CARRIED);
        self.carried.drain(..surplus);
        self.judged_lost += surplus as u64;
    }
}
