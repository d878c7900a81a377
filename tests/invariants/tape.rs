//! Frames in memory, and what the engine or the pump says of them.

use std::convert::Infallible;
use std::sync::Arc;

use sidewatch::alert::{Alert, SourceFacts, eve};
use sidewatch::capture::FrameSource;
use sidewatch::correlate::Correlator;
use sidewatch::engine::frame::{Frame, LinkType};
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::{Span, Timestamp};
use sidewatch::engine::{Engine, Knowledge};
use sidewatch::pump::{Audience, Renewal, Settings, run};

use crate::support::story::Story;

/// A frame, and its number in its capture.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub(super) number: u64,
    pub(super) time: Timestamp,
    pub(super) link: LinkType,
    pub(super) bytes: Vec<u8>,
    pub(super) wire_len: u32,
}

impl Cut {
    pub(super) fn frame(&self) -> Frame<'_> {
        Frame { number: self.number, time: self.time, link: self.link, bytes: &self.bytes, wire_len: self.wire_len }
    }
}

/// The frames of `story`, `late` later than it was told.
pub(super) fn cuts(story: &Story, late: Span) -> Vec<Cut> {
    let cut = |(number, frame): (u64, &crate::support::story::Captured)| Cut {
        number,
        time: Timestamp::from_nanos(frame.time as i64) + late,
        link: LinkType(story.link as u16),
        bytes: frame.bytes.clone(),
        wire_len: frame.original_len,
    };
    (1..).zip(story.frames()).map(cut).collect()
}

pub(super) fn engine(limits: Limits) -> Engine {
    Engine::new(limits, Arc::new(Knowledge::default()), 7)
}

/// The alerts on `frames`, all judged at the end, which comes long after the last of them when `late` says so.
pub(super) fn alerts(frames: &[Cut], late: Option<Timestamp>) -> Vec<Alert> {
    let mut engine = engine(Limits::default());
    for cut in frames {
        engine.handle_frame(&cut.frame());
    }
    if let Some(late) = late {
        engine.handle_timeout(late);
    }
    ended(engine)
}

/// Ends the capture; the alerts.
pub(super) fn ended(mut engine: Engine) -> Vec<Alert> {
    engine.finish();
    Correlator::default().finish(engine.poll_observations(), engine.now())
}

pub(super) fn lines(alerts: &[Alert]) -> Vec<String> {
    alerts.iter().map(|alert| eve::to_line(alert, &SourceFacts::default())).collect()
}

/// A source that is read from memory, and must be waited for once, after so many frames.
struct Tape<'a> {
    left: std::slice::Iter<'a, Cut>,
    waits_for: Option<usize>,
}

impl FrameSource for Tape<'_> {
    type Error = Infallible;
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Infallible> {
        Ok(self.left.next().map(Cut::frame))
    }
    fn is_waiting(&self) -> bool {
        self.waits_for == Some(self.left.len())
    }
}

#[derive(Default)]
struct Told {
    alerts: Vec<Alert>,
    /// What is in force from the second batch on.
    renewal: Option<Renewal>,
    batches: usize,
}

impl<S> Audience<S> for Told {
    fn alert(&mut self, alert: &Alert) {
        self.alerts.push(alert.clone());
    }
    fn renewal(&mut self) -> Option<Renewal> {
        self.batches += 1;
        self.renewal.take_if(|_| self.batches == 2)
    }
    fn progress(&mut self, _frames: u64, _source: &S) {}

    fn panicked(&mut self, frame: u64) {
        panic!("the engine panicked at frame {frame}");
    }
}

/// What the pump tells of `frames`, and what it counted, with so many workers.
pub(super) fn pumped(frames: &[Cut], workers: usize) -> (Vec<String>, String) {
    let settings =
        Settings { limits: Limits::default(), knowledge: Arc::new(Knowledge::default()), policy: Arc::default(), seed: 7, workers };
    pumped_as(frames, &settings, None)
}

/// The same, where after so many frames something else takes force; behind the first batch, when the frames are fewer.
pub(super) fn pumped_as(frames: &[Cut], settings: &Settings, renewal: Option<(usize, Renewal)>) -> (Vec<String>, String) {
    let (after, renewal) = renewal.unzip();
    let mut told = Told { renewal, ..Told::default() };
    let waits_for = after.and_then(|after| frames.len().checked_sub(after));
    let (report, ended) = run(&mut Tape { left: frames.iter(), waits_for }, settings, &mut told);
    ended.unwrap();
    assert!(told.renewal.is_none(), "it was asked for");
    (lines(&told.alerts), format!("{report:?}"))
}
