//! Capture files: pcap of both byte orders and both resolutions, pcapng, gzip.

use super::story::{Captured, Story};
use std::io::Write;

/// The form of a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// Microseconds, little-endian.
    Pcap,
    /// Nanoseconds, big-endian.
    PcapBigNanos,
    /// One section per [`Story::section`], two interfaces in each: microseconds and nanoseconds.
    PcapNg,
    /// [`Container::Pcap`] in gzip.
    PcapGz,
}

impl Container {
    /// Name of the file in the case's folder.
    pub(crate) fn file_name(self) -> &'static str {
        match self {
            Self::Pcap | Self::PcapBigNanos => "capture.pcap",
            Self::PcapNg => "capture.pcapng",
            Self::PcapGz => "capture.pcap.gz",
        }
    }

    /// The file, byte for byte.
    pub(crate) fn write(self, story: &Story) -> Vec<u8> {
        match self {
            Self::Pcap => pcap(story, u32::to_le_bytes, u16::to_le_bytes, 1000),
            Self::PcapBigNanos => pcap(story, u32::to_be_bytes, u16::to_be_bytes, 1),
            Self::PcapNg => pcapng(story),
            Self::PcapGz => gzip(&Self::Pcap.write(story)),
        }
    }
}

fn pcap(story: &Story, u32_bytes: fn(u32) -> [u8; 4], u16_bytes: fn(u16) -> [u8; 2], resolution: u64) -> Vec<u8> {
    let magic = if resolution == 1 { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
    let mut file = Vec::new();
    file.extend(u32_bytes(magic));
    file.extend(u16_bytes(2));
    file.extend(u16_bytes(4));
    for word in [0, 0, story.snap as u32, u32::from(story.link_type())] {
        file.extend(u32_bytes(word));
    }
    for frame in story.frames() {
        let seconds = (frame.time / 1_000_000_000) as u32;
        let fraction = (frame.time % 1_000_000_000 / resolution) as u32;
        for word in [seconds, fraction, frame.bytes.len() as u32, frame.original_len] {
            file.extend(u32_bytes(word));
        }
        file.extend(&frame.bytes);
    }
    file
}

fn pcapng(story: &Story) -> Vec<u8> {
    let mut file = Vec::new();
    let mut section = None;
    for frame in story.frames() {
        if section != Some(frame.section) {
            section = Some(frame.section);
            file.extend(section_header());
            file.extend(interface(story, 6));
            file.extend(interface(story, 9));
        }
        file.extend(packet(frame));
    }
    file
}

fn block(kind: u32, mut body: Vec<u8>) -> Vec<u8> {
    body.resize(body.len().next_multiple_of(4), 0);
    let length = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &body, &length].concat()
}

fn section_header() -> Vec<u8> {
    let mut body = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    body.extend([1, 0, 0, 0]);
    body.extend([0xff; 8]);
    block(0x0a0d_0d0a, body)
}

fn interface(story: &Story, decimals: u8) -> Vec<u8> {
    let mut body = story.link_type().to_le_bytes().to_vec();
    body.extend([0, 0]);
    body.extend((story.snap as u32).to_le_bytes());
    body.extend([9, 0, 1, 0, decimals, 0, 0, 0, 0, 0, 0, 0]);
    block(1, body)
}

fn packet(frame: &Captured) -> Vec<u8> {
    let ticks = if frame.interface == 0 { frame.time / 1000 } else { frame.time };
    let mut body = Vec::new();
    for word in [frame.interface, (ticks >> 32) as u32, ticks as u32, frame.bytes.len() as u32, frame.original_len] {
        body.extend(word.to_le_bytes());
    }
    body.extend(&frame.bytes);
    block(6, body)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
