//! The catalogue of cases. Each is a folder of `pcaps/`, and what stands there is what the story here gives.

mod chain;
mod closes;
mod content;
mod dns;
mod downloads;
mod evasion;
mod framing;
mod fronts;
pub(crate) mod http;
mod in_path;
mod lan;
mod lan_settings;
mod led;
mod listed;
mod pinned;
mod portals;
mod race;
mod rare;
mod resets;
mod sensor;
mod stream;
mod tcp;
mod told;
mod versions;
mod web;
mod wrapped;

pub(crate) use pinned::PINS;
pub(crate) use told::{Alert, Case, Expected, Told};

/// Every case, in order of name.
pub(crate) fn all() -> Vec<Case> {
    let loud_and_twins = [
        race::cases(),
        stream::cases(),
        framing::cases(),
        wrapped::cases(),
        in_path::cases(),
        resets::cases(),
        evasion::cases(),
        chain::cases(),
        led::cases(),
        downloads::cases(),
        dns::cases(),
        portals::cases(),
        content::cases(),
        versions::cases(),
    ];
    let local = [lan::cases(), lan_settings::cases(), pinned::cases(), listed::cases()];
    let quiet = [
        fronts::cases(),
        tcp::cases(),
        closes::cases(),
        listed::quiet(),
        portals::quiet(),
        sensor::cases(),
        web::cases(),
        rare::cases(),
        dns::harmless::cases(),
        dns::stream::quiet(),
    ];
    let mut cases: Vec<Case> = loud_and_twins.into_iter().chain(local).chain(quiet).flatten().collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}
