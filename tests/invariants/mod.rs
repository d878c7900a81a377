//! What holds for every capture. `SIDEWATCH_PROPTEST_CASES=500` tries so many random ones for each sentence; without it a few.

mod bounds;
mod honesty;
mod noise;
mod order;
mod reload;
mod splits;
mod talks;
mod tape;
mod time;
mod workers;

use proptest::test_runner::Config;

/// A few cases, or as many as the environment asks for.
fn a_few(cases: u32) -> Config {
    let asked = std::env::var("SIDEWATCH_PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    Config { cases: asked.unwrap_or(cases), failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() }
}
