//! However the genuine answer is cut and shuffled, the forged one is found.

use proptest::prelude::*;
use sidewatch::alert::{Alert, Mechanism, Verdict};
use sidewatch::engine::time::Span;

use super::a_few;
use super::talks::{Third, ask, injector, lure, page};
use super::tape::{alerts, cuts};
use crate::support::connection::{Connection, Side};
use crate::support::host::{client, site};
use crate::support::segment::{ACK, PSH, Segment};
use crate::support::story::{Story, after_ms};

/// An overlap of less than eight bytes is no conflict, so no segment is smaller.
const SMALLEST: usize = 8;

proptest! {
    #![proptest_config(a_few(32))]

    #[test]
    fn the_conflict_is_found_however_the_genuine_answer_is_cut(
        third in prop_oneof![Just(Third::Quantum), Just(Third::Careful), Just(Third::Unknown)],
        sizes in prop::collection::vec(SMALLEST..1_400, 1..12),
        swaps in prop::collection::vec(0..3_usize, 1..12),
        forged_first in any::<bool>(),
    ) {
        let (found, forged) = race(third, &sizes, &swaps, forged_first);
        let loud: Vec<&Alert> = found.iter().filter(|alert| alert.severity <= 2).collect();
        prop_assert_eq!(loud.len(), 1, "{:?}", found);
        prop_assert_eq!(loud[0].verdict, Verdict::OnPathInjection);
        prop_assert_eq!(loud[0].mechanism, Mechanism::HttpRedirect);
        prop_assert_eq!(&loud[0].forged_frames, &[forged]);
    }
}

fn race(third: Third, sizes: &[usize], swaps: &[usize], forged_first: bool) -> (Vec<Alert>, u64) {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    ask(&mut tcp);
    let shot = tcp.forged(&injector(third), &lure());
    let mut forged = 0;
    if forged_first {
        tcp.wait(after_ms(9.0));
        forged = tcp.put_all(&shot)[0];
        tcp.ack();
    }
    tcp.server_ack(after_ms(15.0));
    let genuine = genuine(&mut tcp, sizes, swaps);
    tcp.put_all(&genuine);
    if !forged_first {
        tcp.wait(after_ms(1.0));
        forged = tcp.put_all(&shot)[0];
    }
    tcp.client.heard = Some(tcp.server.next);
    tcp.ack();
    tcp.close();
    (alerts(&cuts(&story, Span::ZERO), None), forged)
}

/// The page in segments of these sizes, over and over, each moved back by up to two places.
fn genuine(tcp: &mut Connection<'_>, sizes: &[usize], swaps: &[usize]) -> Vec<Segment> {
    let page = page(40);
    let mut rest = &page[..];
    let mut segments = Vec::new();
    for size in sizes.iter().cycle() {
        // What is left must not be too small to count.
        let size = if rest.len() < size + SMALLEST { rest.len() } else { *size };
        let (part, later) = rest.split_at(size);
        segments.push(tcp.segment(Side::Server, PSH | ACK, part));
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    for (place, swap) in swaps.iter().cycle().take(segments.len()).enumerate() {
        let other = (place + swap).min(segments.len() - 1);
        segments.swap(place, other);
    }
    segments
}
