//! Which flow a packet belongs to, and in which shard that flow lives.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use crate::engine::decode::datagram::{DNS, DatagramHead};
use crate::engine::decode::packet::{Addr, Head, Vlans};

/// Shards of the flow state. A constant, so that the number of workers changes nothing.
pub const SHARDS: usize = 64;
/// The bits of a hash that say which.
const SHARD_BITS: u64 = 63 << 58;

/// A TCP flow, or the datagrams between two addresses: the two endpoints in a fixed order, and the VLANs and tunnels, where equal addresses may be other hosts.
///
/// Packed, for every packet compares one that is in no cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowKey {
    low: Addr,
    high: Addr,
    /// Of the lower endpoint, and of the higher one.
    ports: [u16; 2],
    vlans: [u16; 2],
    tunnel: u32,
}

/// Which endpoint of the key sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The lower one.
    Low,
    /// The higher one.
    High,
}

impl Sender {
    /// The other endpoint.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

impl FlowKey {
    /// The key of a packet, and who sent it.
    #[must_use]
    pub fn of(head: &Head) -> (Self, Sender) {
        let (src, dst) = ((head.src, head.src_port), (head.dst, head.dst_port));
        let (low, high, sender) = if src <= dst { (src, dst, Sender::Low) } else { (dst, src, Sender::High) };
        (Self { low: low.0, high: high.0, ports: [low.1, high.1], vlans: vlan_pair(head.vlans), tunnel: head.tunnel }, sender)
    }

    /// The key of all datagrams between two addresses, whatever their ports: those of a question's answers may differ.
    #[must_use]
    pub fn of_pair(head: &DatagramHead) -> Self {
        let (low, high) = if head.src <= head.dst { (head.src, head.dst) } else { (head.dst, head.src) };
        Self { low, high, ports: [0; 2], vlans: vlan_pair(head.vlans), tunnel: head.tunnel }
    }

    /// Hash keyed by `seed`: attackers choose addresses.
    #[must_use]
    #[inline(always)]
    pub fn hash(&self, seed: u64) -> u64 {
        let hash = self.hash_of_all(seed);
        if self.has_port(DNS) { beside_datagrams(self, hash, seed) } else { hash }
    }

    /// Address and port of one endpoint.
    #[must_use]
    pub const fn endpoint(&self, sender: Sender) -> (Addr, u16) {
        let [low, high] = self.ports;
        match sender {
            Sender::Low => (self.low, low),
            Sender::High => (self.high, high),
        }
    }

    /// One of the endpoints has this port.
    #[must_use]
    #[inline]
    pub const fn has_port(&self, port: u16) -> bool {
        let [low, high] = self.ports;
        low == port || high == port
    }

    /// The tunnels, as one number.
    #[must_use]
    pub const fn tunnel(&self) -> u32 {
        self.tunnel
    }

    #[inline(always)]
    fn hash_of_all(&self, seed: u64) -> u64 {
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        hasher.write_u128(self.low.0);
        hasher.write_u128(self.high.0);
        let ([low, high], [outer, inner]) = (self.ports, self.vlans);
        hasher.write_u64(u64::from(low) | u64::from(high) << 16 | u64::from(outer) << 32 | u64::from(inner) << 48);
        hasher.write_u32(self.tunnel);
        hasher.finish()
    }

    /// The shard of a flow whose hash is `hash`.
    #[must_use]
    pub const fn shard(hash: u64) -> usize {
        (hash >> 58) as usize % SHARDS
    }
}

/// What two ask each other over TCP is compared with what they ask over UDP: both are one shard's.
#[cold]
#[inline(never)]
fn beside_datagrams(key: &FlowKey, hash: u64, seed: u64) -> u64 {
    let pair = FlowKey { ports: [0; 2], ..*key }.hash_of_all(seed);
    (hash & !SHARD_BITS) | (pair & SHARD_BITS)
}

fn vlan_pair(vlans: Vlans) -> [u16; 2] {
    let ids = vlans.as_slice();
    [ids.first().copied().unwrap_or(0), ids.get(1).copied().unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_take_the_top_bits() {
        assert_eq!(FlowKey::shard(0), 0);
        assert_eq!(FlowKey::shard(u64::MAX), SHARDS - 1);
    }
}
