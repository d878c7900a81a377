//! Stories of captures, whole and damaged, on bytes that the tests write.

mod ahead;
mod archives;
mod damaged;
mod hostile;
mod packed;
mod pcap;
mod pcapng;
mod variants;
mod writing;

use std::io::Cursor;

use super::{CaptureFile, Damage, Part, ReadError};
use crate::capture::FrameSource;
use crate::engine::frame::LinkType;

/// A frame that outlives the buffer.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    number: u64,
    nanos: i64,
    link: LinkType,
    bytes: Vec<u8>,
    wire_len: u32,
}

/// All frames of a capture, and the error that ended it, if one did.
fn read(bytes: &[u8]) -> (Vec<Seen>, Option<ReadError>) {
    frames_of(CaptureFile::from_reader("story.pcap", Cursor::new(bytes.to_vec())))
}

fn frames_of(opened: Result<CaptureFile, ReadError>) -> (Vec<Seen>, Option<ReadError>) {
    let mut seen = Vec::new();
    let mut capture = match opened {
        Ok(capture) => capture,
        Err(error) => return (seen, Some(error)),
    };
    loop {
        match capture.next_frame() {
            Ok(Some(frame)) => seen.push(Seen {
                number: frame.number,
                nanos: frame.time.as_nanos(),
                link: frame.link,
                bytes: frame.bytes.to_vec(),
                wire_len: frame.wire_len,
            }),
            Ok(None) => return (seen, None),
            Err(error) => {
                assert!(matches!(capture.next_frame(), Ok(None)), "after its one error a capture is over");
                return (seen, Some(error));
            }
        }
    }
}

fn read_whole(bytes: &[u8]) -> Vec<Seen> {
    let (seen, error) = read(bytes);
    assert!(error.is_none(), "a whole capture ends without an error: {error:?}");
    seen
}

/// Frames, and the offset, count and kind of the damage behind them.
fn read_damaged(bytes: &[u8]) -> (Vec<Seen>, u64, Damage) {
    let (seen, error) = read(bytes);
    let Some(ReadError::Damaged { offset, packets, damage, .. }) = error else {
        panic!("a damage should be told: {error:?}");
    };
    assert_eq!(packets, seen.len() as u64, "the error counts what was given");
    (seen, offset, damage)
}
