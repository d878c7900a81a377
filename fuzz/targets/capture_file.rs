//! Any bytes as a capture file: what is read does not depend on how the bytes trickle in, and nothing follows an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::capture::FrameSource;
use sidewatch::capture::replay::{CaptureFile, MAX_CAPTURED};
use std::io::Read;

/// Frames read of one file; a packed one may hold millions of empty ones.
const MOST_FRAMES: usize = 2000;

/// Gives a few bytes at a time.
struct Trickle {
    bytes: Vec<u8>,
    at: usize,
    most: usize,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.len().min(buffer.len()).min(self.most);
        buffer[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}

/// The frames, and how it ended.
fn read(data: &[u8], most: usize) -> (Vec<String>, String) {
    let mut frames = Vec::new();
    let mut source = match CaptureFile::from_reader("fuzz", Trickle { bytes: data.to_vec(), at: 0, most }) {
        Ok(source) => source,
        Err(error) => return (frames, error.to_string()),
    };
    let mut last = 0;
    while frames.len() < MOST_FRAMES {
        match source.next_frame() {
            Ok(Some(frame)) => {
                assert!(frame.number > last, "frame {} follows frame {last}", frame.number);
                assert!(frame.bytes.len() <= MAX_CAPTURED as usize, "{} bytes", frame.bytes.len());
                last = frame.number;
                frames.push(format!("{frame:?}"));
            }
            Ok(None) => return (frames, "over".to_owned()),
            Err(error) => {
                assert!(matches!(source.next_frame(), Ok(None)), "something follows an error");
                return (frames, error.to_string());
            }
        }
    }
    (frames, "enough".to_owned())
}

fuzz_target!(|data: &[u8]| {
    let most = usize::from(data.last().copied().unwrap_or(0) % 13) + 1;
    let (whole, trickled) = (read(data, usize::MAX), read(data, most));
    if data.starts_with(&[0x1f, 0x8b]) {
        // What the call that meets a damage has unpacked is lost, and a call unpacks more when more is there.
        let common = whole.0.len().min(trickled.0.len());
        assert_eq!(whole.0[..common], trickled.0[..common]);
    } else {
        assert_eq!(whole, trickled);
    }
});
