//! The delay line: passes frames between the gateway's link and the servers' links in user space, with a fixed delay, and lets a box on the road act.

use super::fence::{Fenced, open};
use super::namespaces::Namespace;
use super::packet::Packet;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

/// One way between the router and the servers. The round trip is twice that.
pub(crate) const DELAY: Duration = Duration::from_millis(20);

/// Routers between the sensor and the servers.
pub(crate) const HOPS: u8 = 9;

/// Frames that the box on one flow's road may make up.
const MOST_FORGED: usize = 64;

/// What stands on the road of one flow, at the gateway's end of the line.
pub(crate) trait Middlebox: Send {
    fn client_sent(&mut self, packet: Packet, road: &mut Road) {
        road.pass_on(packet);
    }

    fn server_sent(&mut self, packet: Packet, road: &mut Road) {
        road.deliver(packet);
    }
}

/// Nothing but the road.
pub(crate) struct Nothing;

impl Middlebox for Nothing {}

/// Where a middlebox puts what is to go on.
pub(crate) struct Road {
    pub(crate) now: Instant,
    orders: Vec<(Duration, Order)>,
}

enum Order {
    /// To the servers' link of this number.
    ToServer(usize, Packet),
    ToClient(Packet),
    /// To the client, in the server's name.
    Forged(Packet),
    /// Arrives at the gateway's end from a server.
    Arrives(Packet),
}

impl Road {
    /// For a box that stands beside the road: what it would pass on passes without it.
    pub(crate) fn beside(now: Instant) -> Self {
        Self { now, orders: Vec::new() }
    }

    /// What the box made up, and how long after.
    pub(crate) fn made_up(self) -> impl Iterator<Item = (Duration, Packet)> {
        self.orders.into_iter().filter_map(|(wait, order)| if let Order::Forged(packet) = order { Some((wait, packet)) } else { None })
    }

    pub(crate) fn pass_on(&mut self, packet: Packet) {
        self.pass_on_by(0, packet);
    }

    pub(crate) fn pass_on_by(&mut self, link: usize, packet: Packet) {
        self.orders.push((DELAY, Order::ToServer(link, packet)));
    }

    pub(crate) fn deliver(&mut self, packet: Packet) {
        self.deliver_after(Duration::ZERO, packet);
    }

    pub(crate) fn deliver_after(&mut self, wait: Duration, packet: Packet) {
        self.orders.push((wait, Order::ToClient(packet)));
    }

    /// Sends what the server never sent, and notes that.
    pub(crate) fn forge(&mut self, wait: Duration, packet: Packet) {
        self.orders.push((wait, Order::Forged(packet)));
    }
}

enum Event {
    /// From the gateway (none) or the servers' link of this number.
    Frame(Option<usize>, Vec<u8>),
    Place(IpAddr, Box<dyn Middlebox>),
    Stop,
}

/// The frames that boxes have forged, as they went out.
pub(crate) type Forgeries = Arc<Mutex<Vec<Vec<u8>>>>;

/// The line at work.
pub(crate) struct Line {
    events: Sender<Event>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    pub(crate) forged: Forgeries,
}

impl Line {
    /// Starts the line between `gateway` and `servers`, all of them interfaces of `home`.
    pub(crate) fn start(home: &Namespace, gateway: &str, servers: &[&str]) -> std::io::Result<Self> {
        let (events, incoming) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        let mut senders = Vec::new();
        let places = std::iter::once((None, gateway)).chain(servers.iter().enumerate().map(|(number, name)| (Some(number), *name)));
        for (place, interface) in places {
            let (sender, mut receiver) = open(home, interface)?;
            senders.push(sender);
            let (events, stop) = (events.clone(), stop.clone());
            threads.push(spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    if let Ok(frame) = receiver.next()
                        && events.send(Event::Frame(place, frame.to_vec())).is_err()
                    {
                        return;
                    }
                }
            }));
        }
        let forged = Forgeries::default();
        let mut work = Work {
            gateway: senders.remove(0),
            servers: senders,
            boxes: HashMap::new(),
            spent: HashMap::new(),
            queue: BinaryHeap::new(),
            waiting: HashMap::new(),
            forged: forged.clone(),
            count: 0,
        };
        threads.push(spawn(move || work.run(&incoming)));
        Ok(Self { events, stop, threads, forged })
    }

    /// Puts a box on the road to one server.
    pub(crate) fn place(&self, server: IpAddr, middlebox: Box<dyn Middlebox>) {
        self.events.send(Event::Place(server, middlebox)).unwrap();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.events.send(Event::Stop).ok();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

struct Work {
    gateway: Fenced,
    servers: Vec<Fenced>,
    boxes: HashMap<IpAddr, Box<dyn Middlebox>>,
    /// Forged frames by server.
    spent: HashMap<IpAddr, usize>,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    waiting: HashMap<u64, Order>,
    forged: Forgeries,
    count: u64,
}

impl Work {
    fn run(&mut self, incoming: &Receiver<Event>) {
        loop {
            let wait = self.queue.peek().map_or(Duration::from_secs(1), |next| next.0.0.saturating_duration_since(Instant::now()));
            match incoming.recv_timeout(wait) {
                Ok(Event::Frame(place, frame)) => self.take(place, &frame),
                Ok(Event::Place(server, middlebox)) => drop(self.boxes.insert(server, middlebox)),
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            while let Some(Reverse((due, number))) = self.queue.peek().copied().filter(|next| next.0.0 <= now) {
                self.queue.pop();
                if let Some(order) = self.waiting.remove(&number) {
                    self.carry_out(order, due);
                }
            }
        }
    }

    fn take(&mut self, place: Option<usize>, frame: &[u8]) {
        let Some(mut packet) = Packet::read(frame) else { return };
        let now = Instant::now();
        packet.ttl = packet.ttl.saturating_sub(HOPS);
        if place.is_some() {
            self.schedule(now + DELAY, Order::Arrives(packet));
        } else {
            self.ask(packet, now, |middlebox, packet, road| middlebox.client_sent(packet, road));
        }
    }

    fn carry_out(&mut self, order: Order, due: Instant) {
        let sent = match order {
            Order::Arrives(packet) => return self.ask(packet, due, |middlebox, packet, road| middlebox.server_sent(packet, road)),
            Order::ToServer(link, packet) => self.servers[link].send(&packet),
            Order::ToClient(packet) => self.gateway.send(&packet),
            Order::Forged(packet) => self.gateway.send(&packet).inspect(|frame| self.forged.lock().unwrap().push(frame.clone())),
        };
        sent.unwrap();
    }

    fn ask(&mut self, packet: Packet, now: Instant, ask: fn(&mut dyn Middlebox, Packet, &mut Road)) {
        let mut road = Road { now, orders: Vec::new() };
        let server = packet.server();
        match self.boxes.get_mut(&server) {
            Some(middlebox) => ask(middlebox.as_mut(), packet, &mut road),
            None => ask(&mut Nothing, packet, &mut road),
        }
        let forged = road.orders.iter().filter(|(_, order)| matches!(order, Order::Forged(_))).count();
        let spent = self.spent.entry(server).or_default();
        *spent += forged;
        assert!(*spent <= MOST_FORGED, "a box sends without end");
        for (wait, order) in road.orders {
            self.schedule(now + wait, order);
        }
    }

    fn schedule(&mut self, due: Instant, order: Order) {
        self.count += 1;
        self.queue.push(Reverse((due, self.count)));
        self.waiting.insert(self.count, order);
    }
}
