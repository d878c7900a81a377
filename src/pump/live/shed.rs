//! What is passed over when the kernel's ring is full: the bulk of encrypted connections, in which nobody can inject anything that is believed.

use super::headers::{ACK, Carried, PSH, look};
use crate::engine::frame::Frame;
use crate::engine::time::{Span, Timestamp};

/// Bytes from which on a segment is bulk; handshakes in small parts go on.
const BULK: usize = 256;
/// The port of TLS and QUIC.
const ENCRYPTED: u16 = 443;
/// How long the ring must have had room before everything is looked at again.
const CALM: Span = Span::from_secs(5);
/// A frame older than this when it is read tells of a ring that fills.
const LATE: Span = Span::from_millis(500);
/// No ring holds frames for longer.
const LATEST: Span = Span::from_secs(60);

/// Application data of TLS, or the middle of a record; a packet of QUIC with a short header. A segment that begins a record of a handshake is none, nor is
/// one that opens, ends or resets.
pub(super) fn is_encrypted_bulk(frame: &Frame<'_>) -> bool {
    match look(frame) {
        Some(Carried::Tcp { ports, flags, payload }) => {
            let begins = payload.first_chunk::<2>().is_some_and(|[kind, version]| matches!(kind, 0x14..=0x16) && *version == 3);
            is_of(ports) && flags & !(ACK | PSH) == 0 && payload.len() >= BULK && !begins && !is_text(payload)
        }
        Some(Carried::Udp { ports, payload }) => {
            is_of(ports) && payload.len() >= BULK && payload.first().is_some_and(|first| first & 0x80 == 0)
        }
        None => false,
    }
}

const fn is_of(ports: (u16, u16)) -> bool {
    ports.0 == ENCRYPTED || ports.1 == ENCRYPTED
}

/// Plain HTTP on that port, which is what a forged answer would be.
fn is_text(payload: &[u8]) -> bool {
    payload.starts_with(b"HTTP/")
        || payload.first_chunk::<16>().is_some_and(|start| start.iter().all(|byte| matches!(byte, b'\t' | b'\r' | b'\n' | b' '..=b'~')))
}

/// Whether the ring is full.
#[derive(Debug, Default)]
pub(super) struct Pressure {
    until: Option<Timestamp>,
}

impl Pressure {
    pub(super) const fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// Notes what the kernel dropped since the last reading.
    pub(super) fn read(&mut self, now: Timestamp, dropped: u64) {
        if dropped > 0 {
            self.until = Some(now + CALM);
        }
        // A clock that was set back does not prolong it.
        self.until.take_if(|until| now > *until || *until - now > CALM);
    }

    /// Notes that a full read began with a frame of this time. One much older is of before a step of the clock.
    pub(super) fn full_read(&mut self, now: Timestamp, first: Timestamp) {
        let late = now - first;
        if late > LATE && late <= LATEST {
            self.until = Some(now + CALM);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::frame::LinkType;

    /// An Ethernet frame with these ports and this payload.
    fn frame(protocol: u8, ports: (u16, u16), flags: u8, payload: &[u8]) -> Vec<u8> {
        let header = if protocol == 6 { 20 } else { 8 };
        let mut ip = vec![0x45, 0];
        ip.extend(((20 + header + payload.len()) as u16).to_be_bytes());
        ip.extend([0, 1, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1]);
        let mut segment = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
        segment.extend(if protocol == 6 { vec![0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0] } else { vec![0; 4] });
        [&[2; 12][..], &[0x81, 0, 0, 7, 8, 0], &ip, &segment, payload].concat()
    }

    fn is_shed(protocol: u8, ports: (u16, u16), flags: u8, start: &[u8]) -> bool {
        let bytes = frame(protocol, ports, flags, &[start, &[0xa5; 1_000]].concat());
        let wire_len = bytes.len() as u32;
        let whole = Frame { number: 1, time: Timestamp::MIN, link: LinkType::ETHERNET, bytes: &bytes, wire_len };
        for length in 0..bytes.len() {
            is_encrypted_bulk(&Frame { bytes: &bytes[..length], ..whole });
        }
        is_encrypted_bulk(&whole)
    }

    #[test]
    fn bulk_of_tls_and_quic_is_passed_over_and_nothing_else() {
        assert!(is_shed(6, (443, 40_000), ACK | PSH, &[0x17, 3, 3, 4, 0]));
        assert!(is_shed(6, (40_000, 443), ACK, &[0x99, 3, 3, 4, 0]), "the middle of a record");
        assert!(is_shed(17, (443, 40_000), 0, &[0x41]));
        assert!(!is_shed(6, (443, 40_000), ACK | PSH, &[0x16, 3, 3, 4, 0]), "a handshake");
        assert!(!is_shed(6, (443, 40_000), ACK | 4, &[0x17, 3, 3, 4, 0]), "a reset");
        assert!(!is_shed(6, (443, 40_000), ACK | 1, &[0x17, 3, 3, 4, 0]), "an end");
        assert!(!is_shed(6, (443, 40_000), ACK, b"HTTP/1.1 302 Found\r\n"), "a forged answer in plain text");
        assert!(!is_shed(6, (80, 40_000), ACK, &[0x17, 3, 3, 4, 0]));
        assert!(!is_shed(17, (443, 40_000), 0, &[0xc1]), "a long header of QUIC");
        assert!(!is_shed(17, (53, 40_000), 0, &[0x41]));
    }

    #[test]
    fn the_pressure_ends_when_the_ring_has_had_room_for_a_while() {
        let second = |seconds| Timestamp::from_parts(seconds, 0);
        let mut pressure = Pressure::default();
        for (at, dropped, is_on) in [(1, 0, false), (2, 5, true), (6, 1, true), (11, 0, true), (12, 0, false)] {
            pressure.read(second(at), dropped);
            assert_eq!(pressure.is_on(), is_on, "at {at} s");
        }
        pressure.full_read(second(13), second(13));
        assert!(!pressure.is_on(), "a frame that is read at once");
        pressure.full_read(second(100), second(13));
        assert!(!pressure.is_on(), "a frame of before a step of the clock");
        pressure.full_read(second(13), second(12));
        assert!(pressure.is_on(), "a frame that was read late");
        pressure.read(second(3), 0);
        assert!(!pressure.is_on(), "nor does it last when the clock was set back");
    }
}
