//! The pure engine: frames in, observations out. No clock, file, socket or thread may enter here.
#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::indexing_slicing)]

pub mod decode;
pub mod frame;
pub mod limits;
pub mod protocol;
pub mod time;
