//! Sidewatch says when the network has forged what a device received.
//!
//! The one line that everything hangs on:
//!
//! ```text
//! capture -> Frame -> [ decode -> flow -> protocol -> detect ] -> Observation -> [ correlate -> verdict ] -> Alert -> sink
//! ```
//!
//! Square brackets are pure: bytes and a packet time go in, values come out. The modules are declared in the line's order.

pub mod capture;

pub mod engine;

pub mod correlate;

pub mod alert;

pub mod rules;

pub mod pump;

#[cfg(feature = "daemon")]
pub mod store;

#[cfg(feature = "daemon")]
pub mod sink;

#[cfg(feature = "daemon")]
pub mod config;

#[cfg(feature = "daemon")]
pub mod daemon;

pub mod cli;
