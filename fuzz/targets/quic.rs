//! Datagrams as they come, and frames sealed as a client seals them: nothing panics, memory is bounded, and order changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::protocol::quic::{Handshake, Keys, initials};
use sidewatch::engine::protocol::tls::{LONGEST_HELLO, Opening};
use sidewatch_fuzz::script::Script;

fuzz_target!(|data: &[u8]| {
    let mut handshake = Handshake::default();
    for packet in initials(data) {
        handshake.take(&packet, &Keys::of_client(packet.version, &packet.destination));
    }
    let mut script = Script::new(data);
    let mut payloads = Vec::new();
    while !script.is_over() && payloads.len() < 16 {
        let len = usize::from(script.short() & 0x7ff);
        payloads.push(script.take(len));
    }
    let in_order = gathered(payloads.iter());
    let reversed = gathered(payloads.iter().rev());
    // Where the same place is filled twice with other bytes, the later ones stand; only a hello that came once is the same in any order.
    if payloads.len() == 1 {
        assert_eq!(in_order, reversed);
    }
});

fn gathered<'a>(payloads: impl Iterator<Item = &'a &'a [u8]>) -> Opening {
    let mut handshake = Handshake::default();
    for payload in payloads {
        handshake.take_payload(payload);
        assert!(handshake.heap_bytes() < 4 * LONGEST_HELLO);
    }
    handshake.opening()
}
