//! Stories of a pump whose source or engine breaks in the middle.

use std::convert::Infallible;

use super::*;
use crate::engine::frame::{Frame, LinkType};
use crate::engine::time::Timestamp;
use crate::rules::device::DeviceLibrary;

/// Gives frames of nothing known, and panics before some of them.
struct Brittle {
    given: u64,
    frames: u64,
    panics_before: Vec<u64>,
}

impl FrameSource for Brittle {
    type Error = Infallible;

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Infallible> {
        if self.panics_before.first() == Some(&(self.given + 1)) {
            self.panics_before.remove(0);
            panic!("as the story wants it");
        }
        if self.given == self.frames {
            return Ok(None);
        }
        self.given += 1;
        let time = Timestamp::from_parts(1_700_000_000, self.given as i64);
        Ok(Some(Frame { number: self.given, time, link: LinkType(9_999), bytes: &[0; 60], wire_len: 60 }))
    }
}

#[derive(Default)]
struct Ear {
    panics: Vec<u64>,
    frames: u64,
}

impl Audience<Brittle> for Ear {
    fn alert(&mut self, _: &Alert) {}
    fn progress(&mut self, frames: u64, _: &Brittle) {
        self.frames = frames;
    }
    fn panicked(&mut self, frame: u64) {
        self.panics.push(frame);
    }
}

fn pumped(workers: usize, panics_before: &[u64]) -> (Report, Ear) {
    let settings =
        Settings { limits: Limits::default(), knowledge: Arc::new(Knowledge { devices: DeviceLibrary::default() }), seed: 1, workers };
    let mut ear = Ear::default();
    let mut source = Brittle { given: 0, frames: 10_000, panics_before: panics_before.to_vec() };
    let (report, ended) = run(&mut source, &settings, &mut ear);
    assert!(ended.is_ok());
    (report, ear)
}

#[test]
fn a_panic_is_told_with_its_frame_and_every_other_frame_is_read() {
    for workers in [1, 3] {
        let (report, ear) = pumped(workers, &[2, 5_001, 9_999]);
        assert_eq!((report.frames, ear.frames, report.panics), (10_000, 10_000, 3));
        assert_eq!(ear.panics, [1, 5_000, 9_998], "the frame before which it broke");
    }
}

#[test]
fn a_source_that_gives_nothing_but_panics_ends_the_run() {
    for workers in [1, 3] {
        let (report, ear) = pumped(workers, &[101, 101, 101]);
        assert_eq!((report.frames, ear.panics), (100, vec![100, 100]));
    }
}

#[test]
fn frames_come_to_the_same_whatever_the_number_of_workers() {
    let (one, _) = pumped(1, &[]);
    let (four, _) = pumped(4, &[]);
    assert_eq!((one.frames, one.decoded, one.panics), (four.frames, four.decoded, 0));
}
