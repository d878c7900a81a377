//! The link types that frames are thrown at.

/// Numbers of the tcpdump.org registry: every one that is decoded, and one that is not.
pub const LINKS: [u16; 32] = [
    1, 12, 14, 101, 113, 276, 0, 108, 9, 50, 51, 104, 105, 117, 119, 127, 143, 163, 166, 192, 204, 226, 228, 229, 239, 240, 253, 147, 1, 1,
    101, 113,
];
