//! Rules and indicators: file formats to matchers.

pub mod device;
pub mod indicators;
