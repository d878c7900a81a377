//! The network itself: a switch that floods, the machines on it, and the sensor that sees every frame.

use crate::lab::fence::{Fenced, open};
use crate::lab::namespaces::Namespace;
use crate::support::lan::{Mac, Station, station};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(super) const DEVICE: Station = station(0x17);
pub(super) const GATEWAY: Station = station(0x01);
pub(super) const OTHER: Station = station(0x66);
/// Where the gateway's card has gone when it was replaced.
pub(super) const REPLACED: Mac = [2, 0, 0, 0, 9, 9];
pub(super) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 80);
pub(super) const OUTSIDE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, 0x80);
pub(super) const PORT: u16 = 8765;

/// The network, and what its sensor has seen.
pub(crate) struct Lan {
    pub(super) device: Namespace,
    pub(super) gateway: Namespace,
    pub(super) other: Namespace,
    liar: Fenced,
    /// The ends of the frames that nobody but the attacker sent.
    pub(super) sent: Vec<Vec<u8>>,
    pub(super) tap: Tap,
    _switch: Namespace,
}

impl Lan {
    pub(super) fn build() -> io::Result<Self> {
        let [switch, device, gateway, other] = [Namespace::make()?, Namespace::make()?, Namespace::make()?, Namespace::make()?];
        switch.sysctl("ipv6/conf/default/disable_ipv6", "1")?;
        // Without a memory of who is where it floods all, so that any port sees all.
        switch.ip("link add swlab-br type bridge ageing_time 0 mcast_snooping 0\nlink set swlab-br up\n")?;
        for (home, station, port) in [(&device, DEVICE, 1), (&gateway, GATEWAY, 2), (&other, OTHER, 3)] {
            plug(home, station, &switch, port)?;
        }
        gateway.ip(&format!("addr add {OUTSIDE}/32 dev lo\naddr add {OUTSIDE6}/128 dev lo nodad\n"))?;
        for home in [&gateway, &other] {
            home.sysctl("ipv4/ip_forward", "1")?;
            home.sysctl("ipv6/conf/all/forwarding", "1")?;
        }
        other.ip("route add default via 192.0.2.1\nroute add ::/0 via fe80::1 dev swlab-l\n")?;
        device.ip("route add default via 192.0.2.1\nroute add ::/0 via fe80::1 dev swlab-l\n")?;
        let (liar, _) = open(&other, "swlab-l")?;
        let tap = Tap::start(&switch, "swlab-p1")?;
        Ok(Self { device, gateway, other, liar, sent: Vec::new(), tap, _switch: switch })
    }

    /// Gives the other machine a way to the gateway that is not on the switch, so that its kernel passes on silently what it drew to itself.
    pub(super) fn open_own_way(&self) -> io::Result<()> {
        for key in ["all", "swlab-l", "default"] {
            self.gateway.sysctl(&format!("ipv4/conf/{key}/rp_filter"), "0")?;
        }
        self.other.ip(&format!(
            "link add swlab-x type veth peer name swlab-x netns {}\naddr add 198.51.100.2/30 dev swlab-x\naddr add 2001:db8:8::2/64 dev swlab-x nodad\n\
             link set swlab-x up\n",
            self.gateway.pid()
        ))?;
        self.gateway.ip("addr add 198.51.100.1/30 dev swlab-x\naddr add 2001:db8:8::1/64 dev swlab-x nodad\nlink set swlab-x up\n")?;
        self.other.ip("route replace default via 198.51.100.1\nroute replace ::/0 via 2001:db8:8::1 dev swlab-x\n")
    }

    pub(super) fn lie(&mut self, frame: Vec<u8>) -> io::Result<()> {
        self.liar.send_frame(&frame)?;
        self.sent.push(frame);
        Ok(())
    }

    /// A connection from the device to the outside, with a server that says everything again.
    pub(super) fn connect(&self, to: IpAddr) -> io::Result<TcpStream> {
        let listener = self.gateway.within(|| TcpListener::bind((to, PORT)))?;
        thread::spawn(move || -> io::Result<()> {
            let (mut stream, _) = listener.accept()?;
            let mut line = [0; 64];
            loop {
                match stream.read(&mut line)? {
                    0 => return Ok(()),
                    len => stream.write_all(&line[..len])?,
                }
            }
        });
        let stream = self.device.within(|| TcpStream::connect_timeout(&SocketAddr::new(to, PORT), Duration::from_secs(3)))?;
        stream.set_read_timeout(Some(Duration::from_secs(4)))?;
        Ok(stream)
    }
}

fn plug(home: &Namespace, station: Station, switch: &Namespace, port: u8) -> io::Result<()> {
    let [a, b, c, d] = station.ip;
    let last = station.ip6[15];
    home.sysctl("ipv6/conf/default/accept_ra", "0")?;
    home.ip(&format!(
        "link add swlab-l address {} type veth peer name swlab-p{port} netns {}\nlink set swlab-l addrgenmode none\n\
         addr add {a}.{b}.{c}.{d}/24 dev swlab-l\naddr add fe80::{last:x}/64 dev swlab-l nodad\naddr add 2001:db8:1::{last:x}/64 dev swlab-l nodad\n\
         link set swlab-l up\nlink set lo up\n",
        written(station.mac),
        switch.pid()
    ))?;
    switch.ip(&format!("link set swlab-p{port} master swlab-br\nlink set swlab-p{port} up\n"))
}

pub(super) fn written(mac: Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// The device says something, and hears it again.
pub(super) fn exchange(stream: &mut TcpStream, times: usize) -> io::Result<()> {
    for _ in 0..times {
        stream.write_all(b"are you there?\n")?;
        let mut heard = [0; 15];
        stream.read_exact(&mut heard)?;
        sleep(Duration::from_millis(250));
    }
    Ok(())
}

/// Frames, each with its time since 1970.
pub(super) type Frames = Vec<(Duration, Vec<u8>)>;

/// Every frame on one port of the switch; it ends with the handle.
pub(super) struct Tap {
    pub(super) frames: Arc<Mutex<Frames>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tap {
    fn start(home: &Namespace, interface: &str) -> io::Result<Self> {
        let (_, mut receiver) = open(home, interface)?;
        let frames = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (list, told) = (frames.clone(), stop.clone());
        let thread = thread::spawn(move || {
            while !told.load(Ordering::Relaxed) {
                let Ok(frame) = receiver.next() else { continue };
                let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                list.lock().unwrap().push((since_1970, frame.to_vec()));
            }
        });
        Ok(Self { frames, stop, thread: Some(thread) })
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}
