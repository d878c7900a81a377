//! The catalogue of cases. Each is a folder of `pcaps/`, and what stands there is what the story here gives.

mod http;
mod race;
mod told;

pub(crate) use told::{Alert, Case, Expected, Told};

/// Every case, in order of name.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = race::cases();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}
