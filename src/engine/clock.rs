//! The engine's clock: packet time that never runs backwards, and that no single wrong stamp can carry away.

use super::frame::{Frame, LinkType};
use super::time::{Span, Timestamp};

/// A step forward of more than this is believed only when several frames agree on it, or the next frame is within as much of it: all idle flows
/// and open cases end with it.
const FAR: Span = Span::from_secs(3_600);
/// Frames in a row that must be far ahead before the clock follows them.
const WITNESSES: usize = 3;

/// Gives every frame its engine time. The first frames of a capture, and those far ahead, are held back until it is known whether
/// the clock follows them, so three frames are held at most.
#[derive(Clone, Debug)]
pub struct Clock {
    now: Timestamp,
    held: Vec<Held>,
    disbelieved: u64,
}

/// A frame that outlives its source's buffer.
#[derive(Clone, Debug)]
struct Held {
    number: u64,
    time: Timestamp,
    link: LinkType,
    bytes: Vec<u8>,
    wire_len: u32,
}

impl Default for Clock {
    fn default() -> Self {
        Self { now: Timestamp::MIN, held: Vec::new(), disbelieved: 0 }
    }
}

impl Clock {
    /// Takes the next frame and delivers what can be told the time of, in order: usually just this frame.
    #[inline]
    pub fn pass(&mut self, frame: &Frame<'_>, mut deliver: impl FnMut(&Frame<'_>, Timestamp)) {
        if self.held.is_empty() && !self.is_far(frame.time) {
            self.now = self.now.max(frame.time);
            deliver(frame, self.now);
        } else {
            self.weigh(frame, &mut deliver);
        }
    }

    /// The end of the input: delivers what is held.
    pub fn finish(&mut self, mut deliver: impl FnMut(&Frame<'_>, Timestamp)) {
        if self.now == Timestamp::MIN {
            self.now = self.earliest_held();
        }
        self.release(&mut deliver);
    }

    /// Moves on to a time that somebody vouches for, unless it is past. Held frames that it makes believable come before it, as if they had
    /// been believed when they came.
    pub fn advance(&mut self, time: Timestamp, mut deliver: impl FnMut(&Frame<'_>, Timestamp)) {
        let is_far = |held: &Held| held.time - time > FAR;
        let decided = self.held.iter().rposition(|held| !is_far(held)).map_or(0, |at| at + 1);
        let undecided = self.held.split_off(decided);
        for held in std::mem::replace(&mut self.held, undecided) {
            match is_far(&held) {
                true => self.disbelieved += 1,
                false => self.now = self.now.max(held.time),
            }
            held.deliver(self.now, &mut deliver);
        }
        self.now = self.now.max(time);
    }

    /// The time it is.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Frames so far ahead, and so alone with it, that the clock did not follow them.
    #[must_use]
    pub const fn disbelieved(&self) -> u64 {
        self.disbelieved
    }

    fn is_far(&self, time: Timestamp) -> bool {
        time - self.now > FAR
    }

    #[cold]
    fn weigh(&mut self, frame: &Frame<'_>, deliver: &mut impl FnMut(&Frame<'_>, Timestamp)) {
        if !self.is_far(frame.time) {
            self.advance(frame.time, &mut *deliver);
            self.release(deliver);
            return deliver(frame, self.now);
        }
        let Frame { number, time, link, wire_len, bytes } = *frame;
        self.held.push(Held { number, time, link, bytes: bytes.to_vec(), wire_len });
        if self.held.len() >= WITNESSES {
            self.now = self.now.max(self.earliest_held());
            // Those still far ahead, with none behind them that is not, wait for more witnesses: fewer than there were.
            let decided = self.held.iter().rposition(|held| !self.is_far(held.time)).map_or(0, |at| at + 1);
            let undecided = self.held.split_off(decided);
            self.release(deliver);
            self.held = undecided;
        }
    }

    fn earliest_held(&self) -> Timestamp {
        self.held.iter().map(|held| held.time).min().unwrap_or(self.now)
    }

    fn release(&mut self, deliver: &mut impl FnMut(&Frame<'_>, Timestamp)) {
        for held in std::mem::take(&mut self.held) {
            if self.is_far(held.time) {
                self.disbelieved += 1;
            } else {
                self.now = self.now.max(held.time);
            }
            held.deliver(self.now, deliver);
        }
    }
}

impl Held {
    fn deliver(&self, now: Timestamp, deliver: &mut impl FnMut(&Frame<'_>, Timestamp)) {
        let Self { number, time, link, wire_len, ref bytes } = *self;
        deliver(&Frame { number, time, link, bytes, wire_len }, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    /// Numbers and engine times, in seconds, of frames stamped so.
    fn told(stamps: &[i64]) -> (Vec<(u64, i64)>, u64) {
        let mut clock = Clock::default();
        let mut told = Vec::new();
        let mut note = |frame: &Frame<'_>, now: Timestamp| told.push((frame.number, now.as_nanos() / 1_000_000_000));
        for (number, seconds) in (1..).zip(stamps) {
            let time = Timestamp::from_parts(*seconds, 0);
            clock.pass(&Frame { number, time, link: LinkType::RAW, bytes: &[1, 2], wire_len: 2 }, &mut note);
        }
        clock.finish(&mut note);
        assert!(told.is_sorted(), "in order, and never backwards: {told:?}");
        (told, clock.disbelieved())
    }

    fn times(stamps: &[i64]) -> Vec<i64> {
        let (told, _) = told(stamps);
        assert!(told.iter().map(|(number, _)| *number).eq(1..=stamps.len() as u64), "each frame once: {told:?}");
        told.into_iter().map(|(_, now)| now).collect()
    }

    #[test]
    fn steps_of_up_to_an_hour_are_followed_and_steps_back_are_not() {
        assert_eq!(times(&[5, 6, 7, 4, 7 + HOUR, 9]), [5, 6, 7, 7, 7 + HOUR, 7 + HOUR]);
    }

    #[test]
    fn a_step_of_more_than_an_hour_is_followed_when_the_next_frame_is_half_of_the_way() {
        let minute = 60;
        assert_eq!(times(&[5, 6, 7, 64 * minute, 55 * minute, 56 * minute]), [5, 6, 7, 64 * minute, 64 * minute, 64 * minute]);
    }

    #[test]
    fn a_frame_years_ahead_moves_nothing_and_is_counted() {
        let stamps = [5, 6, 7, 4_000_000_000, 8, 9];
        assert_eq!(times(&stamps), [5, 6, 7, 8, 8, 9]);
        assert_eq!(told(&stamps).1, 1);
        assert_eq!(told(&[5, 6, 7, i64::MAX, i64::MAX, 8, i64::MAX]).1, 3);
    }

    #[test]
    fn a_pause_of_days_is_believed_once_three_frames_agree_and_they_get_the_new_time_themselves() {
        let day = 24 * HOUR;
        assert_eq!(times(&[5, 6, 7, day, day + 1, day + 2, day + 3]), [5, 6, 7, day, day + 1, day + 2, day + 3]);
        assert_eq!(times(&[5, 6, 7, 4_000_000_000, day, day + 1, day + 2]), [5, 6, 7, day, day, day + 1, day + 2]);
    }

    #[test]
    fn a_capture_of_one_frame_every_few_hours_is_followed() {
        let stamps: Vec<i64> = (0..20).map(|frame| frame * 5 * HOUR).collect();
        let followed = times(&stamps);
        assert_eq!(followed[..18], stamps[..18]);
        assert_eq!(followed[18..], [stamps[17]; 2], "the last have no witnesses");
    }

    #[test]
    fn a_wrong_first_stamp_is_no_beginning() {
        assert_eq!(times(&[4_000_000_000, 5, 6, 7]), [5, 5, 6, 7]);
        let now = 1_700_000_000;
        assert_eq!(times(&[0, now, now + 1, now + 2, now + 3]), [0, now, now + 1, now + 2, now + 3]);
    }

    #[test]
    fn what_is_held_at_the_end_is_delivered() {
        assert_eq!(times(&[5]), [5]);
        assert_eq!(times(&[6, 5]), [6, 6]);
        assert_eq!(times(&[5, 6, 7, 9 * HOUR]), [5, 6, 7, 7]);
        assert_eq!(times(&[]), [0_i64; 0]);
    }

    #[test]
    fn a_time_that_is_vouched_for_brings_the_held_frames_that_it_makes_believable_with_their_own_times() {
        let mut clock = Clock::default();
        let mut told = Vec::new();
        let mut note = |frame: &Frame<'_>, now: Timestamp| told.push((frame.number, now.as_nanos() / 1_000_000_000));
        for (number, seconds) in [(1, 5), (2, 6)] {
            let time = Timestamp::from_parts(seconds, 0);
            clock.pass(&Frame { number, time, link: LinkType::RAW, bytes: &[1, 2], wire_len: 2 }, &mut note);
        }
        clock.advance(Timestamp::from_parts(90, 0), &mut note);
        let time = Timestamp::from_parts(4_000_000_000, 0);
        clock.pass(&Frame { number: 3, time, link: LinkType::RAW, bytes: &[1, 2], wire_len: 2 }, &mut note);
        clock.advance(Timestamp::from_parts(91, 0), &mut note);
        clock.finish(&mut note);
        assert_eq!(told, [(1, 5), (2, 6), (3, 91)]);
    }

    #[test]
    fn no_stamps_at_all_overflow() {
        times(&[i64::MIN, i64::MAX, 0, i64::MAX, i64::MIN, i64::MAX, i64::MAX, i64::MAX, 1]);
    }
}
