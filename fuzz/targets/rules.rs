//! Any text as rules: each diagnosis has a place in it, and what parses is held against a fixed injection and its alerts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::Knowledge;
use sidewatch::engine::limits::Limits;
use sidewatch::rules::Rules;
use sidewatch::rules::pins::Role;
use sidewatch_fuzz::script::Script;
use sidewatch_fuzz::story::tell;
use sidewatch_fuzz::watched::{Judged, run};
use std::sync::Arc;

/// Open, ask, be answered; then another answer to the same bytes by another stack, a close and two resets.
const INJECTION: [u8; 24] = [0, 7, 1, 1, 0xc4, 0, 0, 1, 0x35, 2, 0, 0xc4, 0, 40, 3, 0x11, 0x45, 0x46, 0, 2, 0xc6, 0x10, 0, 14];

fuzz_target!(|text: &str| {
    let (rules, wrong) = Rules::of_text("fuzz.toml", text);
    for diagnostic in &wrong {
        assert!((1..=text.lines().count().max(1) + 1).contains(&diagnostic.line) && diagnostic.column >= 1, "{diagnostic}");
    }
    let Rules { devices, redirects, policy, entries, forged_addresses, .. } = rules;
    assert!(entries.iter().all(|entry| !entry.name.trim().is_empty() && !entry.does.is_empty()));
    let steps = tell(Script::new(&INJECTION));
    let knowledge = Arc::new(Knowledge { devices, redirects, forged_addresses, ..Knowledge::default() });
    for alert in run(&steps, &Limits::default(), &knowledge, (0, Judged::AtTheEnd)) {
        let _ = (policy.suppression(&alert).is_some(), policy.severity(&alert).is_some());
        for (address, _) in [alert.flow.client, alert.flow.server] {
            let _ = (knowledge.forged_addresses.pool_of(address), policy.pins.machine(0, address, [2; 6]));
            let _ = [Role::Dhcp, Role::Router, Role::Dns].map(|role| policy.pins.role(0, role, address));
        }
    }
});
