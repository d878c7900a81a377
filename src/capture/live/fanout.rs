//! Sockets of one interface share its packets (PACKET_FANOUT): the three socket options for which there is no safe call.
#![allow(unsafe_code, reason = "no safe crate joins a fanout group; each call hands over a value that lives on this stack")]

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use libc::{c_int, c_uint, c_void, socklen_t};

use super::split;

/// How the sockets of an interface share its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// There is one, and it has all.
    Alone,
    /// By the pair of IP addresses: whatever two hosts send each other is on one thread.
    ByAddresses,
    /// By the kernel's own hash, ports included, because it takes no program (before Linux 4.3): what a resolver answers to questions from several
    /// ports, QUIC, and IPv6 fragments may be on several threads, and some forgeries among them go unseen. One thread sees them.
    ByFlow,
}

/// Groups have numbers of 16 bits that all programs of a network namespace share. The kernel finds a free one since Linux 4.12; before that so many
/// are tried.
const TRIES: u16 = 64;

/// Makes all `sockets` members of one new group.
///
/// # Errors
/// What the kernel says.
pub(super) fn join<S: AsFd>(sockets: &[S], sharing: Sharing) -> io::Result<()> {
    let Some((first, others)) = sockets.split_first() else { return Ok(()) };
    let mode = match sharing {
        Sharing::Alone => return Ok(()),
        Sharing::ByAddresses => libc::PACKET_FANOUT_CBPF,
        Sharing::ByFlow => libc::PACKET_FANOUT_HASH | libc::PACKET_FANOUT_FLAG_DEFRAG,
    };
    let group = found(first.as_fd(), mode)?;
    if sharing == Sharing::ByAddresses {
        hand_over_program(first.as_fd())?;
    }
    others.iter().try_for_each(|socket| enter(socket.as_fd(), group, mode))
}

/// Makes `socket` the first member of a group of its own, and says its number.
fn found(socket: BorrowedFd<'_>, mode: c_uint) -> io::Result<u16> {
    if enter(socket, 0, mode | libc::PACKET_FANOUT_FLAG_UNIQUEID).is_ok() {
        return number(socket);
    }
    let start = RandomState::new().hash_one(std::process::id()) as u16;
    let mut last = io::ErrorKind::InvalidInput.into();
    for group in (0..TRIES).map(|step| start.wrapping_add(step.wrapping_mul(257))) {
        match enter(socket, group, mode) {
            Ok(()) => return Ok(group),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn enter(socket: BorrowedFd<'_>, group: u16, mode: c_uint) -> io::Result<()> {
    option(socket, libc::PACKET_FANOUT, &(c_uint::from(group) | mode << 16))
}

/// The group of a socket: the lower half of what the kernel gives.
fn number(socket: BorrowedFd<'_>) -> io::Result<u16> {
    let (mut value, mut size): (c_uint, socklen_t) = (0, size_of::<c_uint>() as socklen_t);
    // SAFETY: both pointers are to variables of this function that outlive the call, and the size given is that of the first, which is all the kernel
    // writes to.
    let status = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::SOL_PACKET, libc::PACKET_FANOUT, (&raw mut value).cast::<c_void>(), &raw mut size)
    };
    if status == 0 { Ok(value as u16) } else { Err(io::Error::last_os_error()) }
}

fn hand_over_program(socket: BorrowedFd<'_>) -> io::Result<()> {
    let factor = RandomState::new().hash_one(0) as u32;
    let mut program = split::program(factor);
    let len = u16::try_from(program.len()).map_err(io::Error::other)?;
    // The kernel follows the pointer in here during the call, while `program` lives.
    option(socket, libc::PACKET_FANOUT_DATA, &libc::sock_fprog { len, filter: program.as_mut_ptr() })
}

fn option<T>(socket: BorrowedFd<'_>, name: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the pointer is to a value that outlives the call, and the size given is its own; the kernel reads no further and keeps nothing of it. A
    // `sock_fprog` in it points at as many instructions as it says, and those are copied during the call.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            name,
            std::ptr::from_ref(value).cast::<c_void>(),
            size_of::<T>() as socklen_t,
        )
    };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
