//! No alert without evidence.

use proptest::prelude::*;

use super::a_few;
use super::talks::{honest_talks, together};
use super::tape::{alerts, lines};

proptest! {
    #![proptest_config(a_few(48))]

    #[test]
    fn honest_stacks_are_not_accused(talks in honest_talks(16)) {
        let loud: Vec<_> = alerts(&together(&talks), None).into_iter().filter(|alert| alert.severity <= 2).collect();
        prop_assert!(loud.is_empty(), "{:#?}", lines(&loud));
    }
}

#[test]
fn the_forging_patterns_are_not_silent() {
    use super::talks::Pattern::{FalseNames, Fin, InPath, Race, Reset};
    use super::talks::{Talk, Third};
    for pattern in [Race(Third::Quantum), Race(Third::Careful), Race(Third::Perfect), InPath(Third::PacketLogic), Reset, Fin, FalseNames(2)]
    {
        let talk = Talk { pattern, server: 0, rtt_ms: 40, paragraphs: 9, closes: false, start_ms: 0 };
        let found = alerts(&together(&[talk]), None);
        assert!(found.iter().any(|alert| alert.severity <= 2), "{pattern:?}: {:#?}", lines(&found));
    }
}
