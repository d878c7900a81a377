//! Stream bytes to messages. Knows nothing of flows, tables or attacks.

pub mod dns;
pub mod http;
pub mod url;
