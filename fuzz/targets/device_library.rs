//! Any text as a device library, and what parses held against a fixed injection.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::Knowledge;
use sidewatch::engine::limits::Limits;
use sidewatch::rules::device::DeviceLibrary;
use sidewatch_fuzz::script::Script;
use sidewatch_fuzz::story::tell;
use sidewatch_fuzz::watched::{Judged, run};
use std::sync::Arc;

/// Open, ask, be answered; then another answer to the same bytes by another stack, a close and two resets.
const INJECTION: [u8; 24] = [0, 7, 1, 1, 0xc4, 0, 0, 1, 0x35, 2, 0, 0xc4, 0, 40, 3, 0x11, 0x45, 0x46, 0, 2, 0xc6, 0x10, 0, 14];

fuzz_target!(|text: &str| {
    let Ok(devices) = DeviceLibrary::parse(text) else { return };
    for device in devices.devices() {
        let _ = format!("{device:?}");
    }
    let steps = tell(Script::new(&INJECTION));
    run(&steps, &Limits::default(), &Arc::new(Knowledge { devices, ..Knowledge::default() }), (0, Judged::AtTheEnd));
});
