//! The one test binary.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test that cannot go on says so by a panic")]

/// The borders of the pure engine, and the shape of the tree.
mod architecture;
/// The packet-story builder tells what its words say: fields, checksums, link layers, files.
mod builder;
/// The real binary reads each folder of `pcaps/` and says what `expected.json` says.
mod captures;
/// The real binary on the command line: inputs, formats, exit statuses.
mod cli;
/// The daemon on a wire: alerts, reloads, interfaces that come and go, the watchdog.
#[cfg(feature = "daemon")]
mod daemon;
/// docs/detectors.md is made from the detectors' doc blocks.
mod detector_docs;
/// Hostile captures do not take the program beyond its cap of memory.
mod floods;
/// The whole daemon between real servers, clients and an attacker; nothing it has found is lost.
#[cfg(feature = "daemon")]
mod gateway;
/// Lists of indicators on the command line, and what a replay says with them.
mod indicators;
/// What holds for every capture: random conversations, floods, noise.
mod invariants;
/// Real TCP stacks in network namespaces, attacked on purpose.
mod lab;
/// Capture from interfaces, in network namespaces.
#[cfg(feature = "daemon")]
mod live;
/// Each mechanism has loud cases and quiet ones.
mod mechanisms;
/// The Debian package: its units, and its life under a real systemd.
#[cfg(feature = "daemon")]
mod package;
/// Thousands of recorded redirects, where they lie beside the checkout.
mod redirects;
mod reload;
/// Rules on the command line: diagnoses, trials, and what they change.
mod rules;
/// What is shipped beside the code says what the code says.
mod shipped_files;
/// Sinks, told to receivers that fail in every way.
#[cfg(feature = "daemon")]
mod sinks;
/// The alert database under kills, full disks and other processes, and the commands that read it.
#[cfg(feature = "daemon")]
mod store;
/// What lies in `pcaps/` is what the stories give.
mod stories;
/// The story builder and the catalogue of cases.
mod support;

/// Where the benchmarks' traffic, which is shared, looks for them.
#[cfg(feature = "daemon")]
use support::{segment, wire};
