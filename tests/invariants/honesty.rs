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
