//! Idle ticks change nothing, and what was held is given back.

use std::sync::Arc;

use proptest::prelude::*;
use sidewatch::correlate::Correlator;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::{Span, Timestamp};
use sidewatch::engine::{Engine, Knowledge};
use sidewatch::rules::indicators::read_text;

use super::a_few;
use super::talks::{any_talks, together};
use super::tape::{alerts, cuts, ended, engine, lines};
use crate::support::cases::http::{bare_redirect, get, page};
use crate::support::host::{client, site};
use crate::support::story::{Story, after_ms};

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

#[test]
fn a_visit_is_told_of_whenever_observations_are_judged_though_a_redirect_to_the_same_place_comes_later() {
    let mut story = Story::new();
    let leads_there = bare_redirect("http://pages.example/land/2");
    for (host, answer) in [("pages.example", page("here").to_vec()), ("news.example", leads_there)] {
        let mut tcp = story.connection(client(), site());
        tcp.handshake(24.0);
        tcp.request(&get(host, "/"));
        tcp.reply(after_ms(24.0), &answer);
        tcp.ack();
        tcp.close();
        story.wait(after_ms(30_000.0));
    }
    let indicators = read_text("pages.txt", b"http://pages.example/\n").indicators;
    let knowledge = Arc::new(Knowledge { indicators, ..Knowledge::default() });
    let told = |judged_at_each_frame: bool| {
        let mut engine = Engine::new(Limits::default(), Arc::clone(&knowledge), 7);
        let mut correlator = Correlator::default().with_knowledge(Arc::clone(&knowledge));
        let mut alerts = Vec::new();
        for cut in cuts(&story, Span::ZERO) {
            if judged_at_each_frame {
                engine.handle_timeout(cut.time);
                alerts.extend(correlator.judge(engine.poll_observations(), engine.now()));
            }
            engine.handle_frame(&cut.frame());
        }
        engine.finish();
        alerts.extend(correlator.finish(engine.poll_observations(), engine.now()));
        lines(&alerts)
    };
    assert_eq!(told(true), told(false));
    assert_eq!(told(true).len(), 2);
}
