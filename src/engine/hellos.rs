//! The QUIC handshakes of one shard whose ClientHello is not whole yet, and those that were read a short time ago.

use std::collections::VecDeque;

use super::decode::datagram::{Datagram, DatagramHead};
use super::decode::packet::Addr;
use super::protocol::quic::{ConnectionId, Handshake, Keys, initials};
use super::protocol::tls::{ClientHello, Opening};
use super::time::{Span, Timestamp};

/// A client gives up, or begins anew on other ports, long before (RFC 9000, section 10.1, suggests no number; browsers wait 4 to 30 s).
const FORGOTTEN_AFTER: Span = Span::from_secs(30);

/// The ends of a connection, and the tunnel in which it is.
type Ends = ((Addr, u16), (Addr, u16), u32);

#[derive(Debug)]
struct Open {
    ends: Ends,
    since: Timestamp,
    id: ConnectionId,
    keys: Keys,
    /// None once there is nothing more to learn.
    handshake: Option<Handshake>,
}

/// The handshakes, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Hellos {
    open: VecDeque<Open>,
    /// Handshakes forgotten before their ClientHello was whole, because there were too many.
    pub(super) evicted: u64,
}

impl Hellos {
    /// Takes a client's datagram; the ClientHello that it completes.
    pub(super) fn take(&mut self, datagram: &Datagram<'_>, most: usize) -> Option<Box<ClientHello>> {
        let head = &datagram.head;
        let ends = ((head.src, head.src_port), (head.dst, head.dst_port), head.tunnel);
        for packet in initials(datagram.payload) {
            let known = self.position(&ends, head);
            if known.and_then(|at| self.open.get(at)).is_some_and(|open| open.handshake.is_none()) {
                return None;
            }
            if let Some(open) = known.and_then(|at| self.open.get_mut(at))
                && let Some(handshake) = &mut open.handshake
            {
                if handshake.take(&packet, &open.keys) {
                    match handshake.opening() {
                        Opening::Unfinished => continue,
                        told => return open.conclude(told),
                    }
                }
                // A server that asks for proof of the address has the client begin anew with the connection id that it names (Retry).
                if open.id == packet.destination {
                    continue;
                }
            }
            let keys = Keys::of_client(packet.version, &packet.destination);
            let mut handshake = Handshake::default();
            if !handshake.take(&packet, &keys) {
                continue;
            }
            let opening = handshake.opening();
            let mut open = Open { ends, since: head.time, id: packet.destination, keys, handshake: Some(handshake) };
            let hello = if opening == Opening::Unfinished { None } else { open.conclude(opening) };
            self.begin(open, known, most);
            if hello.is_some() {
                return hello;
            }
        }
        None
    }

    fn position(&self, ends: &Ends, head: &DatagramHead) -> Option<usize> {
        self.open.iter().position(|open| open.ends == *ends && head.time - open.since < FORGOTTEN_AFTER)
    }

    fn begin(&mut self, open: Open, known: Option<usize>, most: usize) {
        if let Some(at) = known {
            self.open.remove(at);
        }
        while self.open.len() >= most.max(1) {
            let read = self.open.iter().position(|open| open.handshake.is_none());
            self.evicted += u64::from(read.is_none());
            self.open.remove(read.unwrap_or(0));
        }
        self.open.push_back(open);
    }
}

impl Open {
    fn conclude(&mut self, told: Opening) -> Option<Box<ClientHello>> {
        self.handshake = None;
        match told {
            Opening::Hello(hello) => Some(hello),
            Opening::Unfinished | Opening::Other => None,
        }
    }
}
