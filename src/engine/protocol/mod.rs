//! Stream bytes to messages. Knows nothing of flows, tables or attacks.

pub mod http;
