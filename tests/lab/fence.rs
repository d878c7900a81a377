//! The fence: frames are read and sent on interfaces of the lab's own namespaces only, between documentation addresses only, and not without end.

use super::namespaces::{Namespace, own_inode, thread_inode};
use super::packet::Packet;
use pnet::datalink::{Channel, Config, DataLinkReceiver, DataLinkSender, channel, interfaces};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// How all interfaces of the lab are named.
pub(crate) const PREFIX: &str = "swlab-";

/// Frames that one fenced sender gives out before it refuses.
const MOST_FRAMES: u32 = 20_000;

/// A sender that has been checked.
pub(crate) struct Fenced {
    sender: Box<dyn DataLinkSender>,
    inode: String,
    left: u32,
}

/// Opens an interface of `home` for reading and sending.
pub(crate) fn open(home: &Namespace, interface: &str) -> io::Result<(Fenced, Box<dyn DataLinkReceiver>)> {
    home.within(|| {
        check(home.inode(), interface)?;
        let found = interfaces().into_iter().find(|known| known.name == interface);
        let found = found.ok_or_else(|| io::Error::other(format!("no interface {interface}")))?;
        let config = Config { read_timeout: Some(Duration::from_millis(20)), read_buffer_size: 1 << 16, ..Config::default() };
        match channel(&found, config)? {
            Channel::Ethernet(sender, receiver) => Ok((Fenced { sender, inode: home.inode().to_owned(), left: MOST_FRAMES }, receiver)),
            _ => Err(io::Error::other("not an Ethernet interface")),
        }
    })
}

/// Whether the calling thread may send on `interface`: it is in the lab's namespace `inode`, which is not the machine's, and the name is the lab's.
pub(crate) fn check(inode: &str, interface: &str) -> io::Result<()> {
    let outside = thread_inode() != inode || inode == own_inode() || !interface.starts_with(PREFIX);
    if outside {
        return Err(io::Error::other(format!("{interface} lies outside the lab: nothing is sent there")));
    }
    Ok(())
}

impl Fenced {
    /// For a road that only passes on what others have sent, or a stream of stories whose length is known.
    pub(crate) fn for_so_many(self, frames: u32) -> Self {
        Self { left: frames, ..self }
    }

    /// Sends a packet between addresses of the lab. Returns the frame.
    pub(crate) fn send(&mut self, packet: &Packet) -> io::Result<Vec<u8>> {
        if ![packet.src, packet.dst].into_iter().all(is_ours) {
            return Err(io::Error::other(format!("{} or {} is no documentation address", packet.src, packet.dst)));
        }
        if self.inode == own_inode() || self.left == 0 {
            return Err(io::Error::other("the fence is closed"));
        }
        self.left -= 1;
        let frame = packet.frame();
        self.sender.send_to(&frame, None).unwrap_or_else(|| Err(io::Error::other("the frame is too long")))?;
        Ok(frame)
    }
}

impl Fenced {
    /// Sends a message of the local network as it is; whoever makes it gives it documentation and link-local addresses only.
    pub(crate) fn send_frame(&mut self, frame: &[u8]) -> io::Result<()> {
        if self.inode == own_inode() || self.left == 0 {
            return Err(io::Error::other("the fence is closed"));
        }
        self.left -= 1;
        self.sender.send_to(frame, None).unwrap_or_else(|| Err(io::Error::other("the frame is too long")))
    }
}

/// RFC 5737 and RFC 3849.
pub(crate) fn is_ours(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => matches!(address.octets(), [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _]),
        IpAddr::V6(address) => address.segments()[..2] == [0x2001, 0xdb8],
    }
}
