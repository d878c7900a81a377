//! Network namespaces that live as long as their handle: made, entered by a thread, wired up, and gone with the test, whatever ends it.

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A network namespace of the lab.
///
/// A child process that waits for the end of its standard input holds it. The pipe closes even when the test is killed, and the namespace
/// goes with the child, its interfaces with the namespace.
pub(crate) struct Namespace {
    holder: Child,
    handle: File,
    inode: String,
}

impl Namespace {
    pub(crate) fn make() -> io::Result<Self> {
        let mut holder = Command::new("unshare").args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let path = format!("/proc/{}/ns/net", holder.id());
        let deadline = Instant::now() + Duration::from_secs(5);
        while inode(&path).is_ok_and(|inode| inode == own_inode()) {
            if Instant::now() > deadline || holder.try_wait()?.is_some() {
                holder.kill().ok();
                holder.wait().ok();
                return Err(io::Error::other("unshare made no namespace"));
            }
            thread::sleep(Duration::from_millis(1));
        }
        let (handle, inode) = (File::open(&path)?, inode(&path)?);
        Ok(Self { holder, handle, inode })
    }

    /// Does `work` on a thread that is in this namespace; sockets opened there stay in it.
    pub(crate) fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.way_in().unwrap().within(work)
    }

    /// What lets another thread do its work in here.
    pub(crate) fn way_in(&self) -> io::Result<WayIn> {
        Ok(WayIn { handle: self.handle.try_clone()?, inode: self.inode.clone() })
    }

    /// Gives `ip` a batch of commands, one a line, inside.
    pub(crate) fn ip(&self, batch: &str) -> io::Result<()> {
        let output = self.within(|| {
            let mut child = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            child.stdin.take().unwrap().write_all(batch.as_bytes())?;
            child.wait_with_output()
        })?;
        if output.status.success() { Ok(()) } else { Err(io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned())) }
    }

    /// Sets a value below `/proc/sys/net`, which is this namespace's own.
    pub(crate) fn sysctl(&self, key: &str, value: &str) -> io::Result<()> {
        self.within(|| fs::write(format!("/proc/sys/net/{key}"), value))
    }

    /// The process that the namespace can be named by.
    pub(crate) fn pid(&self) -> u32 {
        self.holder.id()
    }

    pub(crate) fn inode(&self) -> &str {
        &self.inode
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}

/// A way into a namespace, which lasts at least as long.
pub(crate) struct WayIn {
    handle: File,
    inode: String,
}

impl WayIn {
    /// As [`Namespace::within`].
    pub(crate) fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                move_into_link_name_space(self.handle.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                assert_eq!(thread_inode(), self.inode, "the thread is where it should be");
                work()
            });
            inside.join().unwrap()
        })
    }
}

/// The namespace that the test process was started in, as the kernel names it.
pub(crate) fn own_inode() -> String {
    inode("/proc/self/ns/net").unwrap()
}

/// The namespace that the calling thread is in.
pub(crate) fn thread_inode() -> String {
    inode("/proc/thread-self/ns/net").unwrap()
}

fn inode(path: &str) -> io::Result<String> {
    Ok(fs::read_link(path)?.to_string_lossy().into_owned())
}

/// Why the lab cannot be built here; none if it can.
pub(crate) fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it needs root to make network namespaces".to_owned());
    }
    if Command::new("ip").arg("-Version").output().is_err() {
        return Some("the program `ip` (package iproute2) is missing".to_owned());
    }
    rehearse().err().map(|error| format!("this machine gives no namespaces with links and settings of their own: {error}"))
}

/// The least of what the lab does: a namespace with a link and with forwarding.
fn rehearse() -> io::Result<()> {
    let home = Namespace::make()?;
    home.ip("link add swlab-a type veth peer name swlab-b\n")?;
    home.sysctl("ipv4/ip_forward", "1")?;
    home.sysctl("ipv6/conf/all/forwarding", "1")
}
