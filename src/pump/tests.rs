//! Stories of a pump whose source or engine breaks in the middle.

use std::convert::Infallible;

use super::*;
use crate::engine::frame::{Frame, LinkType};
use crate::engine::time::Timestamp;

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
        Settings { limits: Limits::default(), knowledge: Arc::new(Knowledge::default()), policy: Arc::default(), seed: 1, workers };
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

/// Gives questions and claims to addresses, each from another machine.
struct Neighbours {
    given: u64,
    bytes: Vec<u8>,
}

impl FrameSource for Neighbours {
    type Error = Infallible;

    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, Infallible> {
        if self.given == 9_000 {
            return Ok(None);
        }
        self.given += 1;
        let [.., high, low] = self.given.to_be_bytes();
        self.bytes = match self.given % 2 {
            0 => [&[2; 12][..], &[8, 6, 0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, high, low, 10, 0, high, low, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1]]
                .concat(),
            _ => {
                let header = [0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, high, low, 192, 0, 2, 53];
                [&[2; 12][..], &[8, 0], &header, &[0x9c, 0x40, 0, 53, 0, 9, 0, 0, 7]].concat()
            }
        };
        let time = Timestamp::from_parts(1_700_000_000, self.given as i64);
        let wire_len = self.bytes.len() as u32;
        Ok(Some(Frame { number: self.given, time, link: LinkType::ETHERNET, bytes: &self.bytes, wire_len }))
    }
}

impl Audience<Neighbours> for Ear {
    fn alert(&mut self, _: &Alert) {}
    fn progress(&mut self, _: u64, _: &Neighbours) {}
    fn panicked(&mut self, frame: u64) {
        self.panics.push(frame);
    }
}

#[test]
fn messages_without_tcp_reach_the_same_places_whatever_the_number_of_workers() {
    let pumped = |workers| {
        let settings =
            Settings { limits: Limits::default(), knowledge: Arc::new(Knowledge::default()), policy: Arc::default(), seed: 1, workers };
        let (report, ended) = run(&mut Neighbours { given: 0, bytes: Vec::new() }, &settings, &mut Ear::default());
        assert!(ended.is_ok());
        report
    };
    let (one, three) = (pumped(1), pumped(3));
    assert_eq!((one.shards.datagrams, one.correlate.notices), (4_500, 4_500));
    assert_eq!((one.shards, one.correlate, one.decoded), (three.shards, three.correlate, three.decoded));
}
