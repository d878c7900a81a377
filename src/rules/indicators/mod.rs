//! Lists of indicators: files in the forms that are passed around, a compact store, and what is looked up in it.

mod columns;
mod defang;
mod entry;
mod gather;
mod json;
mod matching;
mod misp;
mod plain;
#[cfg(test)]
mod properties;
mod read;
mod stix;
mod store;
mod table;

pub use entry::Kind;
pub use gather::{Complaint, Tally, Totals};
pub use matching::{Hit, Indicators};
pub use read::{Loaded, ReadError, load, read_text};
pub use store::StoreError;
