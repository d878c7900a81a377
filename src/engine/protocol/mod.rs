//! Bytes of streams and datagrams to messages. Knows nothing of flows, tables or attacks.

pub mod arp;
pub mod dhcp;
pub mod dns;
pub mod http;
pub mod ndp;
pub mod url;
