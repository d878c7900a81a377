//! Helpers of the tests: the packet-story builder and the catalogue of cases. No assertions live here.

pub(crate) mod cases;
pub(crate) mod connection;
pub(crate) mod container;
pub(crate) mod host;
pub(crate) mod injector;
pub(crate) mod lan;
pub(crate) mod names;
pub(crate) mod segment;
pub(crate) mod story;
pub(crate) mod wire;
pub(crate) mod wrapping;
