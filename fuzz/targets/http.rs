//! Both directions of a connection as HTTP, with gaps: nothing panics and memory is bounded. Where reading goes on after garbage or a gap depends
//! on the segments, so that events are not compared here; the target `html` does so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::limits::Limits;
use sidewatch_fuzz::exchange::{acts, run};
use sidewatch_fuzz::script::Script;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let cut = usize::from(script.byte() % 64) + 1;
    let limits = Limits::default();
    let acts = acts(&mut script);
    run(&acts, usize::MAX, &limits);
    run(&acts, cut, &limits);
});
