//! S8: the marks of a known device.
//!
//! ## What it sees
//! The fields of the suspect and of its sender's other packets against the entries of the device library (`rules/devices.toml`): all fields of an
//! entry, or at least three including every mandatory one.
//!
//! ## Why it matters
//! Devices that forge packets build them from templates: one constant IP ID, window, flag set or header order in every packet, year after year.
//! The entry names a product, its source and its date.
//!
//! ## When it is wrong
//! It says neither who operates the device nor that the purpose was malicious: operators use the same products for quota notices. Entries that describe a
//! common packet tool count only where the server's own stack differs.
//!
//! ## Reference
//! Each entry names its source.

use super::{Detector, Finding, Group, Knowledge, Weight};
use crate::engine::case::scene::Scene;

/// The detector.
#[derive(Debug)]
pub(super) struct DeviceFingerprint;

impl Detector for DeviceFingerprint {
    fn code(&self) -> &'static str {
        "S8"
    }
    fn version(&self) -> u32 {
        1
    }
    fn group(&self) -> Group {
        Group::Device
    }
    fn inspect(&self, scene: &Scene, knowledge: &Knowledge) -> Option<Finding> {
        let found = knowledge.devices.best_match(scene)?;
        Some(Finding {
            weight: if found.exact { Weight::Strong } else { Weight::Weak },
            points: if found.exact { 55 } else { 30 },
            votes: 0,
            observed: found.fields.join(", "),
            expected: format!("matches fingerprint {} ({}, {})", found.name, found.source, found.date),
            frames: scene.forged.iter().map(|record| record.frame).collect(),
            why: "The packet carries the marks of a known injection device.",
        })
    }
}
