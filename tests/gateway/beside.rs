//! The attacker beside the road: hears what passes at the router, and answers in the servers' names before they can.

use super::street::{AT_ROUTER, SERVERS_MAC, Street};
use crate::lab::attack::{Attack, Quality};
use crate::lab::attacker::Attacker;
use crate::lab::fence::{Fenced, open};
use crate::lab::lan::road::{Beside as BesideNames, Forger};
use crate::lab::line::{Middlebox, Road};
use crate::lab::packet::{Packet, SYN};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;
use std::time::Instant;

/// Where forged answers of DNS lead.
pub(crate) const LURE: [u8; 4] = [198, 51, 100, 2];

/// What is done to connections with one server.
#[derive(Clone, Copy)]
pub(crate) struct Aim {
    /// The server is 203.0.113 and this.
    pub(crate) server: u8,
    pub(crate) attack: Attack,
    pub(crate) quality: Quality,
}

/// A packet that the server never sent.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) packet: Packet,
    /// Its sequence number as people count, the server's first being 0.
    pub(crate) seq: u32,
}

/// What the attacker has sent.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) packets: Mutex<Vec<Forged>>,
    /// Messages of DNS.
    pub(crate) answers: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// The attacker at work; it ends with the handle.
pub(crate) struct Beside {
    pub(crate) sent: Arc<Sent>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Beside {
    pub(crate) fn start(street: &Street, aims: Vec<Aim>, names: &[&str]) -> io::Result<Self> {
        let (sender, mut receiver) = open(&street.router, AT_ROUTER)?;
        let (sent, stop) = (Arc::<Sent>::default(), Arc::new(AtomicBool::new(false)));
        let near = Arc::new(Mutex::new(sender));
        let liar = |name: &&str| BesideNames { forger: liar(name), near: near.clone(), forged: sent.answers.clone() };
        let names: Vec<BesideNames> = names.iter().map(liar).collect();
        let (told, list) = (stop.clone(), sent.clone());
        let thread = spawn(move || {
            let mut flows = HashMap::new();
            while !told.load(Ordering::Relaxed) {
                let Ok(frame) = receiver.next() else { continue };
                let to_servers = frame.starts_with(&SERVERS_MAC);
                match Packet::read(frame) {
                    Some(packet) => strike(&aims, &mut flows, (packet, to_servers), (&near, &list)),
                    None if to_servers => names.iter().for_each(|liar| liar.hears(frame)),
                    None => {}
                }
            }
        });
        Ok(Self { sent, stop, thread: Some(thread) })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

/// Lets the attacker of the packet's flow see it, and sends what that makes up.
fn strike(
    aims: &[Aim],
    flows: &mut HashMap<(IpAddr, u16), (Attacker, u32)>,
    (packet, to_server): (Packet, bool),
    (near, sent): (&Arc<Mutex<Fenced>>, &Arc<Sent>),
) {
    let server = packet.server();
    let Some(aim) = aims.iter().find(|aim| server == IpAddr::V4(Ipv4Addr::new(203, 0, 113, aim.server))) else { return };
    let port = if to_server { packet.src_port } else { packet.dst_port };
    let (attacker, start) = flows.entry((server, port)).or_insert_with(|| (Attacker::new(aim.attack, aim.quality), 0));
    if !to_server && packet.has(SYN) {
        *start = packet.seq;
    }
    let start = *start;
    let mut road = Road::beside(Instant::now());
    if to_server {
        attacker.client_sent(packet, &mut road)
    } else {
        attacker.server_sent(packet, &mut road)
    };
    for (wait, packet) in road.made_up() {
        let (near, sent) = (near.clone(), sent.clone());
        spawn(move || {
            sleep(wait);
            sent.packets.lock().unwrap().push(Forged { packet: packet.clone(), seq: packet.seq.wrapping_sub(start) });
            near.lock().unwrap().send(&packet).ok();
        });
    }
}

/// Who answers questions for the address of `name` with one of the attacker's, before the resolver can.
fn liar(name: &str) -> Forger {
    let labels: Vec<u8> = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    let question = [&labels[..], &[0, 0, 1]].concat();
    Forger { question, address: Some(LURE), waits: Duration::from_millis(2), ttl: 61 }
}
