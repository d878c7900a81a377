//! The first bytes of a client's stream: nothing panics, more bytes never take back what was read, and what was read is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::engine::protocol::tls::Opening;

fuzz_target!(|data: &[u8]| {
    let whole = Opening::of_stream(data);
    if let Opening::Hello(hello) = &whole {
        assert!(hello.heap_bytes() < 8 << 10 && hello.protocols().count() < 256);
        assert!(hello.server_name.as_deref().is_none_or(|name| name.len() <= 255));
        for over_quic in [false, true] {
            let ja4 = hello.ja4(over_quic);
            assert!(ja4.len() == 36 && ja4.is_ascii(), "{ja4}");
        }
    }
    let half = Opening::of_stream(data.get(..data.len() / 2).unwrap_or_default());
    match half {
        Opening::Unfinished => {}
        told => assert_eq!(told, whole, "what was read of a half is what is read of the whole"),
    }
    let _ = Opening::of_message(data);
});
