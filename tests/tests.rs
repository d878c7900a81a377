//! The one test binary.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on says so by a panic")]

/// The packet-story builder tells what its words say: fields, checksums, link layers, files.
mod builder;
/// The real binary reads each folder of `pcaps/` and says what `expected.json` says.
mod captures;
/// The page about the detectors is what their doc blocks say.
mod detector_docs;
/// What lies in `pcaps/` is what the stories give.
mod stories;
/// The story builder and the catalogue of cases.
mod support;
