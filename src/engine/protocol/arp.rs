//! ARP for IPv4 on Ethernet (RFC 826): who says that an address is whose.

use crate::engine::decode::packet::Addr;

/// An ARP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// What the sender wants: 1 asks, 2 answers; the reverse forms claim nothing.
    pub operation: u16,
    /// Hardware address that the sender gives as its own.
    pub sender_mac: [u8; 6],
    /// Protocol address that the sender gives as its own; 0.0.0.0 in a probe (RFC 5227).
    pub sender: Addr,
    /// Hardware address of the target; nothing in a question.
    pub target_mac: [u8; 6],
    /// Protocol address of the target.
    pub target: Addr,
}

impl Arp {
    /// Asks who has the target address.
    pub const REQUEST: u16 = 1;
    /// Answers that.
    pub const REPLY: u16 = 2;

    /// Reads the packet.
    #[must_use]
    pub fn read(packet: &[u8]) -> Option<Self> {
        let &[_, _, _, _, _, _, op0, op1, ref rest @ ..] = packet.first_chunk::<28>()?;
        let (&sender_mac, rest) = rest.split_first_chunk::<6>()?;
        let (&sender, rest) = rest.split_first_chunk::<4>()?;
        let (&target_mac, rest) = rest.split_first_chunk::<6>()?;
        let &target = rest.first_chunk::<4>()?;
        let operation = u16::from_be_bytes([op0, op1]);
        Some(Self { operation, sender_mac, sender: Addr::v4(sender), target_mac, target: Addr::v4(target) })
    }
}
