//! Unrelated flows do not matter to each other, nor do the numbers of frames.

use proptest::prelude::*;
use sidewatch::engine::time::{Span, Timestamp};

use super::a_few;
use super::talks::{any_talks, apart, number, together};
use super::tape::{Cut, alerts, lines};

proptest! {
    #![proptest_config(a_few(24))]

    #[test]
    fn each_flow_is_judged_as_if_it_were_alone(talks in any_talks(12), places in prop::collection::vec(any::<u16>(), 12)) {
        let mut flows = apart(&talks);
        // Frames of one time stand in an order of conversations that is drawn.
        let mut order: Vec<usize> = (0..flows.len()).collect();
        order.sort_by_key(|flow| places[*flow]);
        let mut all: Vec<(usize, Cut)> = order.iter().flat_map(|flow| flows[*flow].iter().map(|cut| (*flow, cut.clone()))).collect();
        all.sort_by_key(|(_, cut)| cut.time);
        let mut seen = vec![0; flows.len()];
        for (place, (flow, cut)) in (1..).zip(&mut all) {
            cut.number = place;
            flows[*flow][seen[*flow]].number = place;
            seen[*flow] += 1;
        }
        let frames: Vec<Cut> = all.into_iter().map(|(_, cut)| cut).collect();
        let late = frames.iter().map(|cut| cut.time).max().unwrap_or(Timestamp::MIN) + Span::from_secs(700);
        let mut together = lines(&alerts(&frames, Some(late)));
        let mut alone: Vec<String> = flows.iter().flat_map(|flow| lines(&alerts(flow, Some(late)))).collect();
        together.sort();
        alone.sort();
        prop_assert_eq!(together, alone);
    }

    #[test]
    fn the_id_of_an_alert_does_not_depend_on_frame_numbers(talks in any_talks(12), first in 2..u64::from(u32::MAX)) {
        let mut frames = together(&talks);
        let ids = |frames: &[Cut]| alerts(frames, None).iter().map(|alert| (alert.id, alert.flow.id, alert.severity)).collect::<Vec<_>>();
        let plain = ids(&frames);
        number(&mut frames, first);
        prop_assert_eq!(ids(&frames), plain);
    }
}
