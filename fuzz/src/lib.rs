//! What the fuzz targets share: reading a script from bytes, telling packets by it, and watching the engine while it reads them.

pub mod exchange;
pub mod links;
pub mod script;
pub mod story;
pub mod watched;

#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/support/segment.rs"]
pub(crate) mod segment;
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../../tests/support/wire.rs"]
pub(crate) mod wire;
