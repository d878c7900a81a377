//! The catalogue of cases. Each is a folder of `pcaps/`, and what stands there is what the story here gives.

mod framing;
mod http;
mod in_path;
mod race;
mod resets;
mod stream;
mod told;

pub(crate) use told::{Alert, Case, Expected, Told};

/// Every case, in order of name.
pub(crate) fn all() -> Vec<Case> {
    let mut cases: Vec<Case> =
        [race::cases(), stream::cases(), framing::cases(), in_path::cases(), resets::cases()].into_iter().flatten().collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}
