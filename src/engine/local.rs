//! Messages of the local network as facts: what each says, and who said it. They need one place where all are seen, so they leave the engine at once.

use super::decode::datagram::{Carrier, Datagram, DatagramHead};
use super::decode::packet::Addr;
use super::protocol::arp::Arp;
use super::protocol::dhcp::{self, Lease};
use super::protocol::ndp::{Ndp, RouterAdvertisement};

/// A hardware address.
pub type Mac = [u8; 6];

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
    /// Whose an address is, in ARP or neighbour discovery.
    Claim(Claim),
    /// Who is a router.
    Router(RouterAdvertisement),
    /// What a server of DHCP or DHCPv6 gives.
    Lease(Lease),
    /// That there is a better first hop.
    Redirect(Redirect),
}

/// A claim to an address, a question for one, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose an address is said to be; none in a probe, which claims nothing.
    pub owner: Option<(Addr, Mac)>,
    /// The address that is asked for.
    pub asks: Option<Addr>,
    /// How it is said.
    pub manner: Manner,
    /// The ARP operation; 0 in neighbour discovery.
    pub operation: u16,
    /// The hardware address that ARP names as the target's.
    pub target_mac: Mac,
}

/// How a claim is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Beside a question.
    Asking,
    /// To everybody, unasked.
    Announcing,
    /// To one, as an answer; whether there was a question, others must say.
    Answering {
        /// Replaces what the receiver knows, as ARP always does and a proxy of neighbour discovery should not (RFC 4861, section 7.2.8).
        overrides: bool,
    },
}

/// A redirect of ICMP or ICMPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The better first hop.
    pub gateway: Addr,
    /// Its hardware address, where the message says it.
    pub mac: Option<Mac>,
    /// For which destination.
    pub destination: Addr,
    /// ICMP type and code.
    pub kind: (u8, u8),
}

impl Notice {
    /// Reads a datagram; none when it is malformed or says nothing that matters here.
    #[must_use]
    pub fn read(datagram: &Datagram<'_>) -> Option<Self> {
        let (head, payload) = (datagram.head, datagram.payload);
        let message = match head.carrier {
            Carrier::Arp => Message::Claim(arp(Arp::read(payload)?)?),
            Carrier::Icmp => Message::Redirect(icmp_redirect(payload)?),
            // A hop limit of 255 says that it comes from this link; receivers drop others (RFC 4861, section 11.2).
            Carrier::Icmpv6 if head.ttl == 255 => discovery(Ndp::read(payload)?, &head)?,
            Carrier::Udp if head.src_port == 67 => Message::Lease(dhcp::read_v4(payload)?),
            Carrier::Udp if head.src_port == 547 => Message::Lease(dhcp::read_v6(payload)?),
            Carrier::Icmpv6 | Carrier::Udp | Carrier::Tcp => return None,
        };
        Some(Self { head, message })
    }

    /// The sender's hardware address.
    #[must_use]
    pub const fn sender(&self) -> Option<Mac> {
        match self.head.ether {
            Some((sender, _)) => Some(sender),
            None => None,
        }
    }

    /// The hardware address of the one receiver; none when it went to several, or that is not known.
    #[must_use]
    pub const fn receiver(&self) -> Option<Mac> {
        match self.head.ether {
            Some((_, receiver)) if receiver[0] & 1 == 0 => Some(receiver),
            _ => None,
        }
    }
}

fn arp(arp: Arp) -> Option<Claim> {
    let Arp { operation, sender_mac, sender, target_mac, target } = arp;
    let is_probe = sender == Addr::v4([0; 4]);
    let (asks, manner) = match operation {
        Arp::REQUEST | Arp::REPLY if sender == target => (None, Manner::Announcing),
        Arp::REQUEST => (Some(target), Manner::Asking),
        Arp::REPLY => (None, Manner::Answering { overrides: true }),
        _ => return None,
    };
    Some(Claim { owner: (!is_probe).then_some((sender, sender_mac)), asks, manner, operation, target_mac })
}

fn discovery(message: Ndp, head: &DatagramHead) -> Option<Message> {
    let claim = |owner, asks, manner| Message::Claim(Claim { owner, asks, manner, operation: 0, target_mac: [0; 6] });
    Some(match message {
        Ndp::Solicitation { target, mac } => claim(mac.map(|mac| (head.src, mac)), Some(target), Manner::Asking),
        Ndp::Advertisement { target, mac, overrides } => {
            let is_multicast = head.dst.0 >> 120 == 0xff;
            let manner = if is_multicast { Manner::Announcing } else { Manner::Answering { overrides } };
            let mac = mac.or_else(|| head.ether.map(|(sender, _)| sender))?;
            claim(Some((target, mac)), None, manner)
        }
        Ndp::Router(said) => Message::Router(said),
        Ndp::Redirect { target, destination, mac } => Message::Redirect(Redirect { gateway: target, mac, destination, kind: (137, 0) }),
    })
}

/// ICMP's redirect (RFC 792): the gateway, then the header of the packet that had gone the longer way.
fn icmp_redirect(message: &[u8]) -> Option<Redirect> {
    let &[kind, code, _, _, g0, g1, g2, g3] = message.first_chunk()?;
    let destination = message.get(24..)?.first_chunk::<4>()?;
    Some(Redirect { gateway: Addr::v4([g0, g1, g2, g3]), mac: None, destination: Addr::v4(*destination), kind: (kind, code) })
}
