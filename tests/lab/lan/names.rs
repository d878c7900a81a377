//! Looking names up: the C library's resolver asks dnsmasq over a road with hops and a delay, and somebody beside the road answers too, or nobody does.

use super::network::Lan;
use super::programs::{DNSMASQ, Running};
use super::road::{Forger, RESOLVER, Road};
use super::{Scene, Truth};
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// The program that asks by way of the C library.
pub(super) const CLIENT: &str = "getent";
const DNS: &[&str] = &["dnsmasq", CLIENT];
const RESOLVER6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 9, 0, 0, 0, 0, 0x53);
/// One way on the road.
const DELAY: Duration = Duration::from_millis(20);
/// `news.example`, A, as it stands in a message.
const QUESTION: &[u8] = b"\x04news\x07example\0\0\x01";

pub(super) const SCENES: [Scene; 9] = [
    Scene {
        name: "lab-dns-won-ip4",
        about: "The device's C library asks a dnsmasq nine hops away; somebody beside the road sees the question and answers first, with another address",
        play: won,
        truth: Truth::Forged("dns_answer", "S15"),
        needs: DNS,
    },
    Scene {
        name: "lab-dns-lost-ip4",
        about: "The same, and the forged answer comes after the resolver's, when the device no longer listens; its kernel says so",
        play: lost,
        truth: Truth::Forged("dns_answer", "S15"),
        needs: DNS,
    },
    Scene {
        name: "lab-dns-denied-ip4",
        about: "The forged answer comes first and says that there is no such name",
        play: denied,
        truth: Truth::Forged("dns_answer", "S15"),
        needs: DNS,
    },
    Scene {
        name: "lab-dns-won-ip6",
        about: "The device asks over IPv6, and the forged answer comes first",
        play: won6,
        truth: Truth::Forged("dns_answer", "S15"),
        needs: DNS,
    },
    Scene {
        name: "lab-dns-lost-ip6",
        about: "The device asks over IPv6, and the forged answer comes after the resolver's",
        play: lost6,
        truth: Truth::Forged("dns_answer", "S15"),
        needs: DNS,
    },
    Scene {
        name: "lab-dns-rewritten",
        about: "The operator's dnsmasq answers every name that does not exist with the address of a page of its own (--address)",
        play: rewritten,
        truth: Truth::Harmless(&["dns_answer"]),
        needs: DNS,
    },
    Scene {
        name: "lab-dns-rotation-ip4",
        about: "dnsmasq turns the addresses of a name from answer to answer; the device asks five times, for A and AAAA at once",
        play: rotation,
        truth: Truth::Harmless(&["dns_answer"]),
        needs: DNS,
    },
    Scene {
        name: "lab-dns-rotation-ip6",
        about: "The same over IPv6",
        play: rotation6,
        truth: Truth::Harmless(&["dns_answer"]),
        needs: DNS,
    },
    Scene {
        name: "lab-dns-retried",
        about: "The answer takes longer than the device waits, which asks again from the same port with the same identification; dnsmasq answers both, in another order",
        play: retried,
        truth: Truth::Harmless(&["dns_answer"]),
        needs: &["dnsmasq"],
    },
];

/// What the resolver knows: names with their addresses.
const HOSTS: &str = "\
203.0.113.80 news.example
203.0.113.81 news.example
203.0.113.82 news.example
2001:db8:3::80 news.example
2001:db8:3::81 news.example
198.51.100.7 weather.example
2001:db8:7::7 weather.example
";

/// A resolver at work at the far end of the road.
struct Resolver {
    road: Road,
    _program: Running,
    scratch: tempfile::TempDir,
}

impl Resolver {
    fn start(lan: &Lan, delay: Duration, (forger, option): (Option<Forger>, &str)) -> io::Result<Self> {
        let road = Road::build(lan, delay, forger)?;
        let scratch = tempfile::tempdir()?;
        let hosts = scratch.path().join("hosts");
        fs::write(&hosts, HOSTS)?;
        let own = [
            "--no-resolv".to_owned(),
            "--no-hosts".to_owned(),
            format!("--addn-hosts={}", hosts.display()),
            "--local-ttl=300".to_owned(),
            "--interface=swlab-r".to_owned(),
            "--bind-interfaces".to_owned(),
            option.to_owned(),
        ];
        let arguments: Vec<String> = DNSMASQ.map(str::to_owned).into_iter().chain(own).collect();
        let program = Running::start(&road.resolver, "dnsmasq", &arguments)?;
        sleep(Duration::from_millis(600));
        Ok(Self { road, _program: program, scratch })
    }

    /// The C library of a device that has this resolver looks names up.
    fn look_up(&self, lan: &Lan, at: IpAddr, names: &[&str]) -> io::Result<()> {
        let settings = self.scratch.path().join("resolv.conf");
        fs::write(&settings, format!("nameserver {at}\noptions timeout:2 attempts:1\n"))?;
        for name in names {
            lan.device.within(|| with_settings(&settings, &[CLIENT, "ahosts", name]))?;
            sleep(Duration::from_millis(150));
        }
        Ok(())
    }
}

/// Runs a program for which the settings of its resolver are laid over the machine's, in a mount namespace that ends with it.
fn with_settings(settings: &Path, program: &[&str]) -> io::Result<ExitStatus> {
    let script = "mount --bind \"$1\" /etc/resolv.conf && shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(settings).args(program);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status()
}

/// Whether that can be done here.
pub(super) fn gives_settings() -> bool {
    let scratch = tempfile::NamedTempFile::new();
    scratch.and_then(|file| with_settings(file.path(), &["true"])).is_ok_and(|status| status.success())
}

fn forger(address: Option<[u8; 4]>, waits: Duration) -> Forger {
    Forger { question: QUESTION.to_vec(), address, waits, ttl: 61 }
}

/// Names are looked up, and the last of them is answered by two.
fn raced(lan: &mut Lan, at: IpAddr, forger: Forger) -> io::Result<()> {
    let resolver = Resolver::start(lan, DELAY, (Some(forger), "--local=/example/"))?;
    resolver.look_up(lan, at, &["weather.example", "nothing.example", "weather.example", "news.example"])?;
    lan.sent.extend(resolver.road.forged.lock().unwrap().drain(..));
    Ok(())
}

fn quietly(lan: &Lan, at: IpAddr, option: &str, names: &[&str]) -> io::Result<()> {
    Resolver::start(lan, DELAY, (None, option))?.look_up(lan, at, names)
}

const FALSE: Option<[u8; 4]> = Some([192, 0, 2, 66]);
const AT_ONCE: Duration = Duration::from_millis(2);
const TOO_LATE: Duration = Duration::from_millis(60);

fn won(lan: &mut Lan) -> io::Result<()> {
    raced(lan, RESOLVER.into(), forger(FALSE, AT_ONCE))
}

fn lost(lan: &mut Lan) -> io::Result<()> {
    raced(lan, RESOLVER.into(), forger(FALSE, TOO_LATE))
}

fn denied(lan: &mut Lan) -> io::Result<()> {
    raced(lan, RESOLVER.into(), forger(None, AT_ONCE))
}

fn won6(lan: &mut Lan) -> io::Result<()> {
    raced(lan, RESOLVER6.into(), forger(FALSE, AT_ONCE))
}

fn lost6(lan: &mut Lan) -> io::Result<()> {
    raced(lan, RESOLVER6.into(), forger(FALSE, TOO_LATE))
}

fn rewritten(lan: &mut Lan) -> io::Result<()> {
    quietly(lan, RESOLVER.into(), "--address=/#/203.0.113.200", &["wwww.example", "news.example", "nwes.example", "no-such-name.example"])
}

fn rotation(lan: &mut Lan) -> io::Result<()> {
    quietly(lan, RESOLVER.into(), "--local=/example/", &["news.example"; 5])
}

fn rotation6(lan: &mut Lan) -> io::Result<()> {
    quietly(lan, RESOLVER6.into(), "--local=/example/", &["news.example"; 5])
}

fn retried(lan: &mut Lan) -> io::Result<()> {
    let _resolver = Resolver::start(lan, Duration::from_millis(300), (None, "--local=/example/"))?;
    let socket = lan.device.within(|| UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)))?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    for id in [0x4a1c_u16, 0x9d02, 0x17e5] {
        let question = [&id.to_be_bytes()[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], QUESTION, &[0, 1]].concat();
        for _ in 0..2 {
            socket.send_to(&question, (RESOLVER, 53))?;
            sleep(Duration::from_millis(400));
        }
        for _ in 0..2 {
            socket.recv(&mut [0; 512])?;
        }
    }
    Ok(())
}
