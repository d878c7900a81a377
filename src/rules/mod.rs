//! Rules and indicators: file formats to matchers.

pub mod device;
pub(crate) mod diagnosis;
pub mod dns_forged;
mod file;
pub mod indicators;
mod load;
pub mod network;
pub mod operators;
pub mod pins;
pub mod policy;
pub mod portals;
pub mod redirects;

pub use diagnosis::Diagnostic;
#[cfg(feature = "daemon")]
pub(crate) use file::MECHANISMS;
pub use file::{Entry, Rules, TABLES};
pub use load::{LoadedRules, load_files, load_rules, shipped};
