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
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                move_into_link_name_space(self.handle.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                assert_eq!(thread_inode(), self.inode, "the thread is where it should be");
                work()
            });
            inside.join().unwrap()
        })
    }

    /// Gives `ip` a batch of commands, one a line, inside.
    pub(crate) fn ip(&self, batch: &str) {
        let output = self.within(|| {
            let mut child = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
            child.stdin.take().unwrap().write_all(batch.as_bytes())?;
            child.wait_with_output()
        });
        let output = output.unwrap();
        assert!(output.status.success(), "ip: {}\n{batch}", String::from_utf8_lossy(&output.stderr));
    }

    /// Sets a value below `/proc/sys/net`, which is this namespace's own.
    pub(crate) fn sysctl(&self, key: &str, value: &str) {
        self.within(|| fs::write(format!("/proc/sys/net/{key}"), value)).unwrap();
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

/// Why namespaces cannot be made here; none if they can.
pub(crate) fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it needs root to make network namespaces".to_owned());
    }
    if Command::new("ip").arg("-Version").output().is_err() {
        return Some("the program `ip` (package iproute2) is missing".to_owned());
    }
    Namespace::make().err().map(|error| format!("no network namespace can be made here: {error}"))
}
