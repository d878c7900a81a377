//! Any bytes as frames of any link type, several in a row so that fragments meet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::decode::checksum::checksum_ok;
use sidewatch::engine::decode::{Decoded, Decoder};
use sidewatch::engine::flow::key::FlowKey;
use sidewatch::engine::frame::{Frame, LinkType};
use sidewatch::engine::limits::Limits;
use sidewatch::engine::local::Notice;
use sidewatch::engine::time::Timestamp;
use sidewatch_fuzz::links::LINKS;
use sidewatch_fuzz::script::Script;

fuzz_target!(|data: &[u8]| {
    let mut script = Script::new(data);
    let limits = Limits::within(1 << 20);
    let mut decoder = Decoder::new(&limits);
    let mut number = 0;
    while !script.is_over() {
        let link = LINKS.get(usize::from(script.byte() & 31)).copied().unwrap_or_default();
        let how = script.byte();
        let len = usize::from(script.short() & 0x7ff);
        let bytes = script.take(len);
        number += 1;
        let time = Timestamp::from_parts(i64::from(how >> 6) * 20 + number as i64, 0);
        let wire_len = bytes.len() as u32 + u32::from(how >> 3 & 7) * 100;
        let frame = Frame { number, time, link: LinkType(link), bytes, wire_len };
        decoder.decode(&frame, |decoded| match decoded {
            Decoded::Tcp(packet) => {
                assert_eq!(packet.head.frame, number);
                assert!(packet.payload.len() <= packet.head.payload_len as usize, "more payload than the header declares");
                let _ = checksum_ok(&packet.head, packet.payload);
                let _ = FlowKey::of(&packet.head);
            }
            Decoded::Datagram(datagram) => {
                assert_eq!(datagram.head.frame, number);
                assert!(datagram.payload.len() <= datagram.head.payload_len as usize, "more payload than the header declares");
                let _ = Notice::read(datagram);
            }
        });
        assert!(decoder.heap_bytes() <= limits.fragment_bytes + (1 << 17), "{} bytes of fragments", decoder.heap_bytes());
    }
    assert_eq!(decoder.frames(), number);
    assert!(decoder.understood() <= number);
});
