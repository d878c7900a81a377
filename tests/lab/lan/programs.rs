//! The programs that serve the local network: dnsmasq, radvd, and the client udhcpc.

use super::network::Lan;
use crate::lab::namespaces::Namespace;
use crate::support::lan::Station;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// What `udhcpc` and `dnsmasq` are called.
pub(super) const DHCP: &[&str] = &["dnsmasq", "udhcpc"];

/// A program that runs in a namespace until the handle goes.
pub(super) struct Running(std::process::Child);

impl Running {
    pub(super) fn start(home: &Namespace, program: &str, arguments: &[String]) -> io::Result<Self> {
        home.within(|| Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()).map(Self)
    }

    /// Lets it say its farewell.
    pub(super) fn end(mut self) -> io::Result<()> {
        kill_process(Pid::from_child(&self.0), Signal::TERM)?;
        self.0.wait().map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Options of every dnsmasq: nothing of this machine's, and no daemon.
pub(super) const DNSMASQ: [&str; 5] = ["--no-daemon", "--conf-file=/dev/null", "--no-ping", "--user=root", "--pid-file="];

/// A server that gives addresses from `first` on, and names a router and a server of DNS.
pub(super) fn dnsmasq(home: &Namespace, first: u8, (router, dns): (Station, Station)) -> io::Result<Running> {
    let dotted = |[a, b, c, d]: [u8; 4]| format!("{a}.{b}.{c}.{d}");
    let (low, high) = (dotted([192, 0, 2, first]), dotted([192, 0, 2, first + 20]));
    let own = [
        "--port=0".to_owned(),
        "--leasefile-ro".to_owned(),
        "--interface=swlab-l".to_owned(),
        format!("--dhcp-option=3,{}", dotted(router.ip)),
        format!("--dhcp-option=6,{}", dotted(dns.ip)),
        format!("--dhcp-range={low},{high},255.255.255.0,1h"),
    ];
    Running::start(home, "dnsmasq", &DNSMASQ.map(str::to_owned).into_iter().chain(own).collect::<Vec<_>>())
}

/// The device asks for an address.
pub(super) fn ask_for_address(lan: &Lan, times: usize) -> io::Result<()> {
    sleep(Duration::from_millis(600));
    for _ in 0..times {
        let arguments = ["-n", "-q", "-f", "-t", "4", "-T", "1", "-i", "swlab-l", "-s", "/bin/true", "-x", "hostname:device"];
        lan.device.within(|| Command::new("udhcpc").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status())?;
        sleep(Duration::from_millis(400));
    }
    Ok(())
}

/// A router that announces itself every three to four seconds, with the prefix 2001:db8:`network`::/64 and a server of DNS in it.
pub(super) fn radvd(home: &Namespace, scratch: &Path, name: &str, (network, more): (u8, &str)) -> io::Result<Running> {
    let config = scratch.join(format!("{name}.conf"));
    let text = format!(
        "interface swlab-l {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; {more}\n prefix 2001:db8:{network:x}::/64 {{}};\n \
         RDNSS 2001:db8:{network:x}::53 {{}}; }};\n"
    );
    fs::write(&config, text)?;
    let pid = scratch.join(format!("{name}.pid"));
    Running::start(home, "radvd", &["-n", "-C", &config.display().to_string(), "-p", &pid.display().to_string()].map(str::to_owned))
}
