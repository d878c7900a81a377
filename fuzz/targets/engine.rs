//! Packet stories through the engine, the correlating stage and both renderings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::alert::Alert;
use sidewatch::engine::Knowledge;
use sidewatch::engine::limits::Limits;
use sidewatch::rules::indicators::read_text;
use sidewatch::rules::shipped;
use sidewatch_fuzz::script::Script;
use sidewatch_fuzz::story::tell;
use sidewatch_fuzz::watched::{Judged, line, run};
use std::sync::{Arc, LazyLock};

/// Where some of the stories lead, and where they go.
const LISTED: &[u8] = b"evil.example\na.example\nhttp://www.example.com/\n192.0.2.64/26\n";

static KNOWLEDGE: LazyLock<Arc<Knowledge>> = LazyLock::new(|| {
    let rules = shipped().rules;
    let indicators = read_text("lures.txt", LISTED).indicators;
    Arc::new(Knowledge { devices: rules.devices, redirects: rules.redirects, indicators, forged_addresses: rules.forged_addresses })
});

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let tight = script.byte() & 1 != 0;
    let steps = tell(script);
    if tight {
        run(&steps, &Limits::within(1 << 20), &KNOWLEDGE, (0, Judged::OnTheWay));
        return;
    }
    // Without bounds that are hit, neither the shards nor idle ticks may change what is said.
    let limits = Limits { open_cases_per_shard: 4096, ..Limits::default() };
    let one = run(&steps, &limits, &KNOWLEDGE, (0, Judged::AtTheEnd));
    let other = run(&steps, &limits, &KNOWLEDGE, (1, Judged::OnTheWay));
    assert_eq!(told(&one), told(&other));
});

fn told(alerts: &[Alert]) -> Vec<String> {
    let mut lines: Vec<String> = alerts.iter().map(line).collect();
    lines.sort();
    lines
}
