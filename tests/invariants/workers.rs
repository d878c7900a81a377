//! One worker or many: the same words, run after run.

use proptest::prelude::*;

use super::a_few;
use super::talks::{any_talks, merged, together, told_times};
use super::tape::pumped;

proptest! {
    #![proptest_config(a_few(4))]

    #[test]
    fn the_number_of_workers_does_not_matter(talks in any_talks(30)) {
        let frames = together(&talks);
        same_for_all_workers(&frames)?;
    }

    #[test]
    fn nor_do_the_borders_of_batches(talks in any_talks(12)) {
        let frames = merged(&told_times(&talks, 4_300));
        prop_assert!(frames.len() > 4_200);
        same_for_all_workers(&frames)?;
    }
}

fn same_for_all_workers(frames: &[super::tape::Cut]) -> Result<(), TestCaseError> {
    let one = pumped(frames, 1);
    for workers in [1, 2, 3, 4, 7] {
        let many = pumped(frames, workers);
        prop_assert_eq!(&many, &one, "{} workers", workers);
    }
    Ok(())
}
