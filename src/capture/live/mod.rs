//! Frames of interfaces, by libpcap: the only user of the `pcap` crate.

mod error;
mod fanout;
mod filter;
mod interfaces;
mod kernel;
mod split;

use std::fmt;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use pcap::{Active, Capture as Handle, Error, Linktype, PacketHeader, Precision};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::netdevice::name_to_index;

use super::{FrameSource, KernelCounters, LiveFrames};
use crate::config::Capture;
use crate::engine::frame::{Frame, LinkType};
use crate::engine::time::Timestamp;

pub use error::LiveError;
pub use fanout::Sharing;
pub use filter::check as check_filter;
pub use interfaces::{Interface, all as interfaces, is_up, matching};

/// The name that stands for all interfaces.
pub const ANY: &str = "any";

/// After so many milliseconds the kernel hands over a block of the ring that is not full: what an alert may come later, against how often the thread wakes.
const BLOCK_TIMEOUT: i32 = 10;
/// For so long frames from before the sockets shared their traffic may still lie in a ring: a hundred times the time of a block.
const EARLY_FRAMES: Duration = Duration::from_secs(1);
/// The wait that an interface in trouble is given before it is asked again, so that nothing spins.
const TROUBLE: Duration = Duration::from_millis(10);
/// Capture threads of an interface; what the kernel takes in one group is 256.
const MOST_THREADS: u16 = 64;

/// One capture socket.
pub struct Live {
    handle: Handle<Active>,
    interface: String,
    /// The kernel's number of the interface; none for all of them. One that was deleted and made again has another.
    index: Option<u32>,
    link: LinkType,
    sharing: Sharing,
    /// Of those that share the interface.
    is_first: bool,
    /// The last frame's.
    number: u64,
    /// Nothing was there when the ring was last looked at.
    idle: bool,
    ended: bool,
    early: Option<Early>,
    early_frames: u64,
    /// A frame that was taken out of the ring while others were left out.
    held: Vec<u8>,
    kernel: kernel::Counters,
}

/// What frames are left out at the beginning.
#[derive(Clone, Copy, Debug)]
struct Early {
    before: Timestamp,
    since: Instant,
}

/// The sockets of one interface that share its traffic: one for each capture thread. From the moment in which this returns each frame is given by exactly
/// one of them. Errors do not leave any socket open.
///
/// # Errors
/// When the interface is not there, is down, or may not be watched; when the filter is wrong; when the kernel does not share it out.
pub fn open(interface: &str, capture: &Capture) -> Result<Vec<Live>, LiveError> {
    let threads = capture.threads.clamp(1, MOST_THREADS);
    let sharings: &[Sharing] = if threads == 1 { &[Sharing::Alone] } else { &[Sharing::ByAddresses, Sharing::ByFlow] };
    let mut refused = None;
    for &sharing in sharings {
        let mut sockets = (0..threads).map(|_| Live::open(interface, capture)).collect::<Result<Vec<_>, _>>()?;
        let handles: Vec<_> = sockets.iter().map(|socket| &socket.handle).collect();
        match fanout::join(&handles, sharing) {
            Ok(()) => {
                let now = wall_time();
                for (place, socket) in sockets.iter_mut().enumerate() {
                    socket.sharing = sharing;
                    socket.is_first = place == 0;
                    socket.begin(now);
                }
                return Ok(sockets);
            }
            Err(reason) => refused = Some(reason),
        }
    }
    let reason = refused.unwrap_or_else(|| io::ErrorKind::Unsupported.into());
    Err(LiveError::Sharing { interface: interface.to_owned(), reason })
}

/// The time of day, by which the kernel stamps frames.
#[must_use]
pub fn wall_time() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), i64::from(since.subsec_nanos()))
}

impl Live {
    fn open(interface: &str, capture: &Capture) -> Result<Self, LiveError> {
        let mut handle = activate(interface, capture)?;
        if interface == ANY {
            // The second version says by which interface a frame came. A libpcap before 1.10 has only the first, which will do.
            handle.set_datalink(Linktype(i32::from(LinkType::LINUX_SLL2.0))).ok();
        }
        if let Some(wanted) = &capture.filter {
            filter::widened(&handle, wanted)
                .and_then(|text| handle.filter(&text, true).map_err(|error| error::words(&error)))
                .map_err(|reason| LiveError::Filter { interface: interface.to_owned(), filter: wanted.clone(), reason })?;
        }
        let handle = handle.setnonblock().map_err(|error| LiveError::at_opening(interface, &error))?;
        let index = if interface == ANY { None } else { name_to_index(&handle, interface).ok() };
        let link = link_type(handle.get_datalink());
        Ok(Self {
            handle,
            interface: interface.to_owned(),
            index,
            link,
            sharing: Sharing::Alone,
            is_first: true,
            number: 0,
            idle: false,
            ended: false,
            early: None,
            early_frames: 0,
            held: Vec::new(),
            kernel: kernel::Counters::default(),
        })
    }

    /// Frames that are stamped before this moment are not given, but counted: not all sockets had joined yet. `open` has called it with the moment at
    /// which the sockets of one interface had; whoever opens several may call it again with a later one. It holds for what may be in the ring by
    /// then, so that a clock that is set back hides nothing for longer than a second.
    pub fn begin(&mut self, at: Timestamp) {
        self.early = Some(Early { before: at, since: Instant::now() });
    }

    /// Frames that were not given because they came before the beginning.
    #[must_use]
    pub const fn early_frames(&self) -> u64 {
        self.early_frames
    }

    /// The interface's name.
    #[must_use]
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// How its frames begin.
    #[must_use]
    pub const fn link(&self) -> LinkType {
        self.link
    }

    /// How it shares the interface's packets with the others that were opened with it.
    #[must_use]
    pub const fn sharing(&self) -> Sharing {
        self.sharing
    }

    /// What is next in the ring once early frames are left out; the bytes are in `held`.
    #[cold]
    fn first_frames(&mut self, early: Early) -> Result<Option<PacketHeader>, LiveError> {
        loop {
            match self.handle.next_packet() {
                Ok(packet) if stamp(packet.header) < early.before => self.early_frames += 1,
                Ok(packet) => {
                    self.held.clear();
                    self.held.extend_from_slice(packet.data);
                    return Ok(Some(*packet.header));
                }
                Err(Error::TimeoutExpired) => {
                    if early.since.elapsed() > EARLY_FRAMES {
                        (self.early, self.held) = (None, Vec::new());
                    }
                    return Ok(None);
                }
                Err(error) => {
                    self.ended = true;
                    return Err(LiveError::at_reading(&self.interface, &error));
                }
            }
        }
    }

    fn gone(&self) -> LiveError {
        LiveError::Gone { interface: self.interface.clone() }
    }

    /// Whether the interface that was opened is not there any more, another of its name perhaps.
    fn is_gone(&self) -> bool {
        self.index.is_some_and(|index| name_to_index(&self.handle, &self.interface) != Ok(index))
    }
}

/// libpcap takes its ring with TPACKET_V3, unless it is told to deliver each packet at once.
fn activate(interface: &str, capture: &Capture) -> Result<Handle<Active>, LiveError> {
    let failed = |error: Error| LiveError::at_opening(interface, &error);
    let snap_length = i32::try_from(capture.snap_length).unwrap_or(i32::MAX);
    let ring = i32::try_from(capture.ring).unwrap_or(i32::MAX);
    // All interfaces at once cannot be made promiscuous, and libpcap's warning of it counts as an error.
    let promiscuous = capture.promiscuous && interface != ANY;
    let handle = Handle::from_device(interface).map_err(failed)?;
    let handle = handle.snaplen(snap_length).buffer_size(ring).timeout(BLOCK_TIMEOUT).promisc(promiscuous).precision(Precision::Nano);
    handle.open().map_err(failed)
}

/// libpcap numbers raw IP by itself, and in files otherwise.
fn link_type(link: Linktype) -> LinkType {
    match u16::try_from(link.0).map_or(LinkType(u16::MAX), LinkType) {
        LinkType::RAW_BSD | LinkType::RAW_OPENBSD => LinkType::RAW,
        link => link,
    }
}

/// Packet sockets have stamped in nanoseconds since libpcap 1.5, whose field for microseconds holds them.
#[inline]
fn stamp(header: &PacketHeader) -> Timestamp {
    Timestamp::from_parts(header.ts.tv_sec, header.ts.tv_usec)
}

impl FrameSource for Live {
    type Error = LiveError;

    #[inline]
    fn next_frame(&mut self) -> Result<Option<Frame<'_>>, LiveError> {
        if self.ended {
            return Ok(None);
        }
        let (header, bytes) = if let Some(early) = self.early {
            let Some(header) = self.first_frames(early)? else {
                self.idle = true;
                return Ok(None);
            };
            (header, self.held.as_slice())
        } else {
            match self.handle.next_packet() {
                Ok(packet) => (*packet.header, packet.data),
                Err(Error::TimeoutExpired) => {
                    self.idle = true;
                    return Ok(None);
                }
                Err(error) => {
                    self.ended = true;
                    return Err(LiveError::at_reading(&self.interface, &error));
                }
            }
        };
        self.idle = false;
        self.number += 1;
        Ok(Some(Frame { number: self.number, time: stamp(&header), link: self.link, bytes, wire_len: header.len }))
    }

    fn is_waiting(&self) -> bool {
        self.idle
    }
}

impl LiveFrames for Live {
    fn wait(&mut self, at_most: Duration) -> Result<(), LiveError> {
        if self.ended {
            return Err(self.gone());
        }
        let timeout = Timespec { tv_sec: i64::try_from(at_most.as_secs()).unwrap_or(i64::MAX), tv_nsec: i64::from(at_most.subsec_nanos()) };
        let mut sockets = [PollFd::new(&self.handle, PollFlags::IN)];
        // A signal ends the wait early, as a frame does.
        let events = poll(&mut sockets, Some(&timeout)).map_or(PollFlags::empty(), |_| sockets[0].revents());
        let trouble = events.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
        if trouble && self.is_gone() {
            self.ended = true;
            return Err(self.gone());
        }
        if trouble && !events.contains(PollFlags::IN) {
            std::thread::sleep(at_most.min(TROUBLE));
        }
        if !events.is_empty() {
            self.idle = false;
        }
        Ok(())
    }

    fn kernel(&mut self) -> KernelCounters {
        if let Ok(read) = self.handle.stats() {
            self.kernel.take(read);
        }
        let total = self.kernel.total();
        // The kernel says it of the whole interface to each socket.
        if self.is_first { total } else { KernelCounters { dropped_by_interface: 0, ..total } }
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live")
            .field("interface", &self.interface)
            .field("number", &self.number)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
