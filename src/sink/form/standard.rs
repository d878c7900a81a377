//! Standard Webhooks 1.0: type, timestamp, data.

use super::{Told, eve, plain};

/// Bytes of a body at most: the specification recommends less than 20 kB.
pub(super) const LARGEST: usize = 19_500;

/// The body. `data` is the EVE record, cut down and marked `truncated` where it would not fit.
pub(super) fn body(told: &Told<'_>) -> String {
    let head = format!(r#"{{"type":"sidewatch.{}","timestamp":"{}","data":"#, told.record.kind.name(), plain::time(told.record.at));
    let data = eve::fitted(&told.eve, LARGEST - head.len() - 1);
    format!("{head}{data}}}")
}
