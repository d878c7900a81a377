//! Messages of the local network as facts: what each says, and who said it. They need one place where all are seen, so they leave the engine at once.

use super::decode::datagram::{Carrier, Datagram, DatagramHead};
use super::protocol::arp::Arp;

/// A message of the local network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Who sent it, and when.
    pub head: DatagramHead,
    /// What it says.
    pub message: Message,
}

/// What a message of the local network says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// ARP.
    Arp(Arp),
}

impl Notice {
    /// Reads a datagram; none when it is malformed or says nothing that matters here.
    #[must_use]
    pub fn read(datagram: &Datagram<'_>) -> Option<Self> {
        let message = match datagram.head.carrier {
            Carrier::Arp => Message::Arp(Arp::read(datagram.payload)?),
            Carrier::Icmp | Carrier::Icmpv6 | Carrier::Udp => return None,
        };
        Some(Self { head: datagram.head, message })
    }
}
