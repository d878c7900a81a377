//! The daemon: threads, signals, health, and nothing that decides what an attack is.

pub mod confine;
pub mod metrics;
