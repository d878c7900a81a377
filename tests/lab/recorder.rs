//! What the sensor sees: frames off one interface of the gateway, by server, and capture files of them.

use super::fence::open;
use super::namespaces::Namespace;
use super::packet::Packet;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A frame and when it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) since_1970: Duration,
    pub(crate) at: Instant,
    pub(crate) server: IpAddr,
    pub(crate) bytes: Vec<u8>,
}

/// A recorder at work; it ends with the handle.
pub(crate) struct Recorder {
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    pub(crate) fn start(home: &Namespace, interface: &str) -> io::Result<Self> {
        let (_, mut receiver) = open(home, interface)?;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (list, told) = (seen.clone(), stop.clone());
        let thread = spawn(move || {
            while !told.load(Ordering::Relaxed) {
                let Ok(frame) = receiver.next() else { continue };
                let Some(packet) = Packet::read(frame) else { continue };
                let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
                list.lock().unwrap().push(Seen { since_1970, at: Instant::now(), server: packet.server(), bytes: frame.to_vec() });
            }
        });
        Ok(Self { seen, stop, thread: Some(thread) })
    }

    /// The frames to and from `server`.
    pub(crate) fn of(&self, server: IpAddr) -> Vec<Seen> {
        self.seen.lock().unwrap().iter().filter(|seen| seen.server == server).cloned().collect()
    }

    /// How long no frame to or from `server` has been seen.
    pub(crate) fn quiet_for(&self, server: IpAddr) -> Duration {
        self.seen.lock().unwrap().iter().rfind(|seen| seen.server == server).map_or(Duration::ZERO, |seen| seen.at.elapsed())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().map(JoinHandle::join);
    }
}

/// A capture file of Ethernet frames.
pub(crate) fn pcap(frames: &[Seen]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 262_144, 1] {
        file.extend(u32::to_le_bytes(word));
    }
    for frame in frames {
        let length = frame.bytes.len() as u32;
        for word in [frame.since_1970.as_secs() as u32, frame.since_1970.subsec_micros(), length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&frame.bytes);
    }
    file
}
