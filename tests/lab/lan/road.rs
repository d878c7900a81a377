//! The road between the gateway and a resolver: it takes its time, costs hops, and may have somebody beside it who answers first, or last.

use super::network::Lan;
use crate::lab::fence::{Fenced, is_ours, open};
use crate::lab::namespaces::Namespace;
use crate::support::names::Udp;
use crate::support::segment::End;
use pnet::packet::ipv4::{self, Ipv4Packet, MutableIpv4Packet};
use pnet::packet::ipv6::{Ipv6Packet, MutableIpv6Packet};
use pnet::packet::udp::{self, MutableUdpPacket, UdpPacket};
use pnet::packet::{MutablePacket, Packet};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::Duration;

/// Routers between the gateway and the resolver.
const HOPS: u8 = 9;
const DNS: u16 = 53;
const ETHERNET: usize = 14;
const HEADER: usize = 12;

pub(super) const RESOLVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 53);

/// Who stands beside the road and answers questions for one name's IPv4 address.
#[derive(Clone)]
pub(crate) struct Forger {
    /// The question's name and type, as they stand in a message.
    pub(crate) question: Vec<u8>,
    /// None: that there is no such name.
    pub(crate) address: Option<[u8; 4]>,
    /// After the question came by.
    pub(crate) waits: Duration,
    pub(crate) ttl: u8,
}

/// The road; it ends with the handle.
pub(super) struct Road {
    /// The messages that were forged.
    pub(super) forged: Arc<Mutex<Vec<Vec<u8>>>>,
    /// Where the resolver is.
    pub(super) resolver: Namespace,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    _road: Namespace,
}

impl Road {
    /// Builds it behind the gateway; one way takes `delay`.
    pub(super) fn build(lan: &Lan, delay: Duration, forger: Option<Forger>) -> io::Result<Self> {
        let [road, resolver] = [Namespace::make()?, Namespace::make()?];
        road.sysctl("ipv6/conf/default/disable_ipv6", "1")?;
        for (home, names, last, peer) in [(&lan.gateway, ("swlab-out", "swlab-near"), 1, 53), (&resolver, ("swlab-r", "swlab-far"), 53, 1)]
        {
            let (own, other_end) = names;
            home.ip(&format!(
                "link add {own} address 02:00:00:00:01:{last:02} type veth peer name {other_end} netns {}\nlink set {own} addrgenmode none\n\
                 addr add 203.0.113.{last}/24 dev {own}\naddr add 2001:db8:9::{last}/64 dev {own} nodad\nlink set {own} up\nlink set lo up\n\
                 neigh add 203.0.113.{peer} lladdr 02:00:00:00:01:{peer:02} nud permanent dev {own}\n\
                 neigh add 2001:db8:9::{peer} lladdr 02:00:00:00:01:{peer:02} nud permanent dev {own}\n",
                road.pid()
            ))?;
            road.ip(&format!("link set {other_end} up\n"))?;
        }
        resolver.ip("route add default via 203.0.113.1\nroute add ::/0 via 2001:db8:9::1 dev swlab-r\n")?;
        let (near, from_near) = open(&road, "swlab-near")?;
        let (far, from_far) = open(&road, "swlab-far")?;
        let (near, far) = (Arc::new(Mutex::new(near)), Arc::new(Mutex::new(far)));
        let (forged, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let beside = forger.map(|forger| Beside { forger, near: near.clone(), forged: Arc::clone(&forged) });
        let mut threads = Vec::new();
        for (mut receiver, to, beside) in [(from_near, far, beside), (from_far, near, None)] {
            let stop = stop.clone();
            threads.push(thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let Ok(frame) = receiver.next() else { continue };
                    let mut frame = frame.to_vec();
                    if age(&mut frame).is_none() {
                        continue;
                    }
                    if let Some(beside) = &beside {
                        beside.hears(&frame);
                    }
                    send_after(delay, to.clone(), frame);
                }
            }));
        }
        Ok(Self { forged, resolver, stop, threads, _road: road })
    }
}

impl Drop for Road {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

fn send_after(wait: Duration, to: Arc<Mutex<Fenced>>, frame: Vec<u8>) {
    thread::spawn(move || {
        sleep(wait);
        to.lock().unwrap().send_frame(&frame).ok();
    });
}

/// Takes the road's hops from a datagram of DNS, and fills in the checksums that the kernel left to the card. Anything else is none.
fn age(frame: &mut [u8]) -> Option<()> {
    if frame.get(12..ETHERNET)? == [8, 0] {
        let mut ip = MutableIpv4Packet::new(&mut frame[ETHERNET..])?;
        let (src, dst) = (ip.get_source(), ip.get_destination());
        ip.set_ttl(ip.get_ttl().saturating_sub(HOPS));
        ip.set_checksum(ipv4::checksum(&ip.to_immutable()));
        (ip.get_next_level_protocol().0 == 17).then_some(())?;
        let mut datagram = MutableUdpPacket::new(ip.payload_mut())?;
        datagram.set_checksum(udp::ipv4_checksum(&datagram.to_immutable(), &src, &dst));
        is_dns(&datagram.to_immutable())
    } else {
        let mut ip = MutableIpv6Packet::new(&mut frame[ETHERNET..])?;
        let (src, dst) = (ip.get_source(), ip.get_destination());
        ip.set_hop_limit(ip.get_hop_limit().saturating_sub(HOPS));
        (ip.get_next_header().0 == 17).then_some(())?;
        let mut datagram = MutableUdpPacket::new(ip.payload_mut())?;
        datagram.set_checksum(udp::ipv6_checksum(&datagram.to_immutable(), &src, &dst));
        is_dns(&datagram.to_immutable())
    }
}

fn is_dns(datagram: &UdpPacket<'_>) -> Option<()> {
    [datagram.get_source(), datagram.get_destination()].contains(&DNS).then_some(())
}

/// The forger at its place.
pub(crate) struct Beside {
    pub(crate) forger: Forger,
    pub(crate) near: Arc<Mutex<Fenced>>,
    /// The messages that were forged.
    pub(crate) forged: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Beside {
    /// Answers in the resolver's name, if it is the question that the forger waits for.
    pub(crate) fn hears(&self, frame: &[u8]) {
        let Some((src, dst, payload)) = read(frame) else { return };
        if !payload[HEADER..].starts_with(&self.forger.question) || ![src.ip, dst.ip].into_iter().all(is_ours) {
            return;
        }
        let answer = self.forger.answer(&payload);
        let Forger { ttl, waits, .. } = self.forger;
        let datagram = Udp { src: dst, dst: src, ttl, ip_id: 0x2a2a, df: false, payload: answer.clone() }.datagram();
        self.forged.lock().unwrap().push(answer);
        let frame = [&frame[6..12], &frame[..6], &frame[12..ETHERNET], &datagram].concat();
        send_after(waits, self.near.clone(), frame);
    }
}

impl Forger {
    fn answer(&self, question: &[u8]) -> Vec<u8> {
        let (code, count) = if self.address.is_some() { (0x80, 1) } else { (0x83, 0) };
        let mut message = [&question[..2], &[0x81, code, 0, 1, 0, count, 0, 0, 0, 0], &self.question, &[0, 1]].concat();
        if let Some(address) = self.address {
            message.extend([&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4][..], &address].concat());
        }
        message
    }
}

/// Who asks whom, and the message.
fn read(frame: &[u8]) -> Option<(End, End, Vec<u8>)> {
    let (src, dst, datagram): (IpAddr, IpAddr, Vec<u8>) = if frame[12..ETHERNET] == [8, 0] {
        let ip = Ipv4Packet::new(&frame[ETHERNET..])?;
        (ip.get_source().into(), ip.get_destination().into(), ip.payload().to_vec())
    } else {
        let ip = Ipv6Packet::new(&frame[ETHERNET..])?;
        (ip.get_source().into(), ip.get_destination().into(), ip.payload().to_vec())
    };
    let datagram = UdpPacket::new(&datagram)?;
    let end = |ip, port, mac: &[u8]| Some(End { ip, port, mac: mac.try_into().ok()? });
    let (src, dst) = (end(src, datagram.get_source(), &frame[6..12])?, end(dst, datagram.get_destination(), &frame[..6])?);
    (datagram.payload().len() > HEADER).then(|| (src, dst, datagram.payload().to_vec()))
}
