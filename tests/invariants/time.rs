//! Idle ticks change nothing, and what was held is given back.

use proptest::prelude::*;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::{Span, Timestamp};

use super::a_few;
use super::talks::{any_talks, together};
use super::tape::{alerts, ended, engine, lines};

proptest! {
    #![proptest_config(a_few(24))]

    #[test]
    fn idle_ticks_do_not_matter(talks in any_talks(12), ticks in prop::collection::vec(0..40_u8, 1..64)) {
        let frames = together(&talks);
        let plain = lines(&alerts(&frames, None));
        let mut engine = engine(Limits::default());
        let mut before = frames[0].time;
        for (cut, tick) in frames.iter().zip(ticks.iter().cycle()) {
            // At the time before, at this frame's own, or at up to eight times between.
            let gap = (cut.time - before).as_nanos();
            for step in 0..=i64::from(tick % 10) {
                engine.handle_timeout(before + Span::from_nanos(gap / 9 * step));
            }
            if *tick == 39 {
                engine.handle_timeout(cut.time);
            }
            engine.handle_frame(&cut.frame());
            before = cut.time;
        }
        prop_assert_eq!(lines(&ended(engine)), plain);
    }

    #[test]
    fn nothing_is_held_in_the_end(talks in any_talks(12), late in any::<bool>()) {
        let frames = together(&talks);
        let mut engine = engine(Limits::default());
        for cut in &frames {
            engine.handle_frame(&cut.frame());
        }
        engine.handle_timeout(engine.now());
        // The clock holds back the first frames of a capture until three agree.
        prop_assert!(frames.len() < 3 || engine.shards().held().0 + engine.shards().held_questions().0 != 0);
        if late {
            let hour = frames.iter().map(|cut| cut.time).max().unwrap_or(Timestamp::MIN) + Span::from_secs(3_600);
            engine.handle_timeout(hour);
        } else {
            engine.finish();
        }
        prop_assert_eq!((engine.shards().held(), engine.shards().held_questions()), ((0, 0, 0), (0, 0)));
    }
}
