//! Capture from interfaces of network namespaces: what is on the wire is given once, whole, and what goes wrong is told apart.

mod capture_doctor;
mod capture_filter;
mod capture_interfaces;
mod capture_once;
mod ladder;
#[allow(dead_code, reason = "shared with the benchmarks, which use all of it")]
#[path = "../../benches/traffic.rs"]
mod traffic;
mod wire;

use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::lab::namespaces::{Namespace, missing};

/// A namespace with one cable in it, both ends up; none, with words, where that cannot be.
fn cable() -> Option<Namespace> {
    if let Some(reason) = missing() {
        std::io::stderr().write_all(format!("live capture: skipped, {reason}\n").as_bytes()).ok();
        return None;
    }
    let home = Namespace::make().unwrap();
    home.ip("link add swlab-a type veth peer name swlab-b\nlink set swlab-a up\nlink set swlab-b up\nlink set lo up\n").unwrap();
    carrying(&home, &["swlab-a", "swlab-b"]);
    Some(home)
}

/// Waits until the interfaces carry frames: the kernel notices a carrier by and by.
fn carrying(home: &Namespace, interfaces: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(10);
    let is_up = |name: &&str| {
        let shown = home.within(|| Command::new("ip").args(["-o", "link", "show", name]).output().unwrap());
        String::from_utf8_lossy(&shown.stdout).contains(" state UP ")
    };
    while !interfaces.iter().all(is_up) {
        assert!(Instant::now() < deadline, "{interfaces:?} carry nothing");
        std::thread::sleep(Duration::from_millis(5));
    }
}
