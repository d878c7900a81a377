//! The local network in the lab: real kernels on one switch that floods every frame, and among them a machine that lies, or one that changes harmlessly.

use super::fence::{Fenced, open};
use super::namespaces::{Namespace, missing};
use super::say;
use crate::support::cases::{Alert, Expected};
use crate::support::lan::{Mac, Station, advertises, answers, station};
use serde_json::Value;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DEVICE: Station = station(0x17);
const GATEWAY: Station = station(0x01);
const OTHER: Station = station(0x66);
/// Where the gateway's card has gone when it was replaced.
const REPLACED: Mac = [2, 0, 0, 0, 9, 9];
const PORT: u16 = 8765;
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 80);
const OUTSIDE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 3, 0, 0, 0, 0, 0x80);

/// What is played, and what must be said of it.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    about: &'static str,
    play: fn(&mut Lan) -> io::Result<()>,
    /// The mechanism that must be told of, and a signal of it; none for what wakes nobody.
    mechanism: Option<(&'static str, &'static str)>,
    /// Programs without which it is not played.
    needs: &'static [&'static str],
}

pub(crate) const SCENES: [Scene; 8] = [
    Scene {
        name: "lab-lan-arp-two-sided",
        about: "A machine tells the device that it is the gateway, and the gateway that it is the device; both kernels believe it, and it passes their packets on",
        play: poison,
        mechanism: Some(("arp_spoof", "S14m")),
        needs: &[],
    },
    Scene {
        name: "lab-lan-ndp-override",
        about: "A machine tells the device, in neighbour advertisements with the override flag, that the router's address is its own; the kernel believes it",
        play: poison6,
        mechanism: Some(("ndp_spoof", "S14m")),
        needs: &[],
    },
    Scene {
        name: "lab-lan-replaced-card",
        about: "The gateway's card is replaced: the kernel announces the address from the new one, and the connection goes on through it",
        play: replaced,
        mechanism: None,
        needs: &[],
    },
    Scene {
        name: "lab-lan-better-way",
        about: "The device's gateway passes packets on to another router of the same link, and its kernel says so in ICMP redirects",
        play: better_way,
        mechanism: None,
        needs: &[],
    },
    Scene {
        name: "lab-lan-restart",
        about: "The device's link goes down and up again, with its tests for duplicates and its questions",
        play: restart,
        mechanism: None,
        needs: &[],
    },
    Scene {
        name: "lab-lan-dhcp-second",
        about: "Two dnsmasq serve the device, which asks four times; the second one names itself as router and DNS",
        play: second_server,
        mechanism: Some(("dhcp_rogue", "S14d")),
        needs: DHCP,
    },
    Scene {
        name: "lab-lan-dhcp-pair",
        about: "Two dnsmasq serve the device with the same settings",
        play: pair_of_servers,
        mechanism: None,
        needs: DHCP,
    },
    Scene {
        name: "lab-lan-radvd-pair",
        about: "Two radvd announce two routers of one link, with the same prefix and DNS",
        play: pair_of_routers,
        mechanism: None,
        needs: &["radvd"],
    },
];

/// What `udhcpc` and `dnsmasq` are called.
const DHCP: &[&str] = &["dnsmasq", "udhcpc"];

/// The network, and what its sensor has seen.
pub(crate) struct Lan {
    device: Namespace,
    gateway: Namespace,
    other: Namespace,
    liar: Fenced,
    sent: Vec<Vec<u8>>,
    tap: Tap,
    _switch: Namespace,
}

impl Lan {
    fn build() -> io::Result<Self> {
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

    fn lie(&mut self, frame: Vec<u8>) -> io::Result<()> {
        self.liar.send_frame(&frame)?;
        self.sent.push(frame);
        Ok(())
    }

    /// A connection from the device to the outside, with a server that says everything again.
    fn connect(&self, to: IpAddr) -> io::Result<TcpStream> {
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

fn written(mac: Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// The device says something, and hears it again.
fn exchange(stream: &mut TcpStream, times: usize) -> io::Result<()> {
    for _ in 0..times {
        stream.write_all(b"are you there?\n")?;
        let mut heard = [0; 15];
        stream.read_exact(&mut heard)?;
        sleep(Duration::from_millis(250));
    }
    Ok(())
}

fn poison(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 3)?;
    // Linux keeps an entry for a second against another claim (locktime), and takes the claim after that.
    sleep(Duration::from_millis(700));
    for _ in 0..4 {
        lan.lie(answers(GATEWAY.at(OTHER.mac), DEVICE))?;
        lan.lie(answers(DEVICE.at(OTHER.mac), GATEWAY))?;
        exchange(&mut stream, 4)?;
    }
    Ok(())
}

fn poison6(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE6.into())?;
    exchange(&mut stream, 3)?;
    for _ in 0..4 {
        lan.lie(advertises(GATEWAY.at(OTHER.mac), Some(DEVICE), 0xa0))?;
        exchange(&mut stream, 4)?;
    }
    Ok(())
}

fn replaced(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 3)?;
    lan.gateway.sysctl("ipv4/conf/swlab-l/arp_notify", "1")?;
    lan.gateway.ip(&format!("link set swlab-l address {}\n", written(REPLACED)))?;
    exchange(&mut stream, 8)
}

fn better_way(lan: &mut Lan) -> io::Result<()> {
    lan.device.ip("route replace default via 192.0.2.102\n")?;
    lan.device.sysctl("ipv4/conf/all/accept_redirects", "1")?;
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 8)
}

fn restart(lan: &mut Lan) -> io::Result<()> {
    let mut stream = lan.connect(OUTSIDE.into())?;
    exchange(&mut stream, 3)?;
    lan.device.sysctl("ipv4/conf/swlab-l/arp_notify", "1")?;
    lan.device.ip(
        "link set swlab-l down\nlink set swlab-l up\nroute add default via 192.0.2.1\naddr add fe80::17/64 dev swlab-l\naddr add 2001:db8:1::17/64 dev swlab-l\n",
    )?;
    exchange(&mut stream, 6)?;
    let other = lan.other.within(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)))?;
    lan.device
        .within(|| TcpStream::connect_timeout(&SocketAddr::new(Ipv4Addr::new(192, 0, 2, 0x66).into(), PORT), Duration::from_secs(2)))?;
    drop(other);
    Ok(())
}

/// Frames, each with its time since 1970.
type Frames = Vec<(Duration, Vec<u8>)>;

/// A program that runs in a namespace until the handle goes.
struct Running(std::process::Child);

impl Running {
    fn start(home: &Namespace, program: &str, arguments: &[String]) -> io::Result<Self> {
        home.within(|| Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn()).map(Self)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A server that gives addresses from `first` on, and `named` as router and DNS.
fn dnsmasq(home: &Namespace, first: u8, named: Station) -> io::Result<Running> {
    let [a, b, c, d] = named.ip;
    let named = format!("{a}.{b}.{c}.{d}");
    let range = format!("--dhcp-range={a}.{b}.{c}.{first},{a}.{b}.{c}.{},255.255.255.0,1h", first + 20);
    let fixed = [
        "--no-daemon",
        "--conf-file=/dev/null",
        "--port=0",
        "--no-ping",
        "--leasefile-ro",
        "--interface=swlab-l",
        "--user=root",
        "--pid-file=",
    ];
    let options = [format!("--dhcp-option=3,{named}"), format!("--dhcp-option=6,{named}"), range];
    Running::start(home, "dnsmasq", &fixed.into_iter().map(str::to_owned).chain(options).collect::<Vec<_>>())
}

fn ask_for_address(lan: &Lan, times: usize) -> io::Result<()> {
    sleep(Duration::from_millis(600));
    for _ in 0..times {
        let arguments = ["-n", "-q", "-f", "-t", "4", "-T", "1", "-i", "swlab-l", "-s", "/bin/true", "-x", "hostname:device"];
        lan.device.within(|| Command::new("udhcpc").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status())?;
        sleep(Duration::from_millis(400));
    }
    Ok(())
}

fn second_server(lan: &mut Lan) -> io::Result<()> {
    let _first = dnsmasq(&lan.gateway, 100, GATEWAY)?;
    ask_for_address(lan, 1)?;
    let _second = dnsmasq(&lan.other, 150, OTHER)?;
    ask_for_address(lan, 3)
}

fn pair_of_servers(lan: &mut Lan) -> io::Result<()> {
    let _first = dnsmasq(&lan.gateway, 100, GATEWAY)?;
    let _second = dnsmasq(&lan.other, 150, GATEWAY)?;
    ask_for_address(lan, 3)
}

fn pair_of_routers(lan: &mut Lan) -> io::Result<()> {
    let scratch = tempfile::tempdir()?;
    let config = scratch.path().join("radvd.conf");
    fs::write(
        &config,
        "interface swlab-l { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;\n prefix 2001:db8:1::/64 {}; RDNSS 2001:db8:1::53 {}; };\n",
    )?;
    let start = |home: &Namespace, name: &str| {
        let pid = scratch.path().join(name);
        let arguments = ["-n", "-C", &config.display().to_string(), "-p", &pid.display().to_string()].map(str::to_owned);
        Running::start(home, "radvd", &arguments)
    };
    let _both = [start(&lan.gateway, "one")?, start(&lan.other, "two")?];
    sleep(Duration::from_secs(8));
    Ok(())
}

/// Every frame on one port of the switch; it ends with the handle.
struct Tap {
    frames: Arc<Mutex<Frames>>,
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

fn pcap(frames: &[(Duration, Vec<u8>)]) -> Vec<u8> {
    let mut file: Vec<u8> = [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 262_144, 1].into_iter().flat_map(u32::to_le_bytes).collect();
    for (time, bytes) in frames {
        let length = bytes.len() as u32;
        file.extend([time.as_secs() as u32, time.subsec_micros(), length, length].into_iter().flat_map(u32::to_le_bytes));
        file.extend(bytes);
    }
    file
}

fn folder(scene: &Scene) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(scene.name)
}

#[test]
fn claims_between_real_kernels_are_found_and_their_harmless_changes_are_not() {
    if let Some(reason) = missing() {
        return say(&format!("lab of the local network: skipped, {reason}\n"));
    }
    let wrong: Vec<String> = thread::scope(|scope| {
        let playing: Vec<_> = SCENES.iter().filter(|scene| can_be_played(scene)).map(|scene| scope.spawn(move || played(scene))).collect();
        playing.into_iter().filter_map(|scene| scene.join().unwrap().err()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the programs are there that it needs.
fn can_be_played(scene: &Scene) -> bool {
    let is_there = |program: &&&str| Command::new(program).arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    let missing: Vec<_> = scene.needs.iter().filter(|program| !is_there(program)).collect();
    if !missing.is_empty() {
        say(&format!("{}: skipped, without {missing:?}\n", scene.name));
    }
    missing.is_empty()
}

/// Plays a scene until it turns out as it must, three times at most; what is wrong.
fn played(scene: &Scene) -> Result<(), String> {
    let mut wrong = String::new();
    for _ in 0..3 {
        match play(scene) {
            Ok(()) => return Ok(()),
            Err(why) => wrong = format!("{}: {why}", scene.name),
        }
    }
    Err(wrong)
}

fn play(scene: &Scene) -> Result<(), String> {
    let mut lan = Lan::build().map_err(|error| error.to_string())?;
    (scene.play)(&mut lan).map_err(|error| error.to_string())?;
    sleep(Duration::from_millis(100));
    let frames = lan.tap.frames.lock().unwrap().clone();
    // A server that is not the network's lies with each frame that it sends from its port.
    let serves = |bytes: &[u8]| bytes[6..12] == OTHER.mac && bytes[12..14] == [8, 0] && bytes[23] == 17;
    let lies = |bytes: &Vec<u8>| lan.sent.contains(bytes) || (scene.needs == DHCP && scene.mechanism.is_some() && serves(bytes));
    let truth: Vec<u64> = (1..).zip(&frames).filter(|(_, (_, bytes))| lies(bytes)).map(|(number, _)| number).collect();
    drop(lan);
    let scratch = tempfile::tempdir().unwrap();
    let capture = scratch.path().join("capture.pcap");
    fs::write(&capture, pcap(&frames)).unwrap();
    let loud: Vec<Value> = alerts(&capture).into_iter().filter(|alert| alert["alert"]["severity"].as_u64() <= Some(2)).collect();
    if let Err(why) = judge(scene, &loud, &truth) {
        let open = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab-open").join(scene.name);
        fs::create_dir_all(&open).unwrap();
        fs::copy(&capture, open.join("capture.pcap")).unwrap();
        return Err(why);
    }
    if std::env::var_os("SIDEWATCH_RECORD").is_some() && !folder(scene).exists() {
        keep(scene, &pcap(&frames), &loud, &truth);
    }
    Ok(())
}

fn alerts(capture: &Path) -> Vec<Value> {
    let run = Command::new(env!("CARGO_BIN_EXE_sidewatch")).arg("replay").arg(capture).args(["--format", "json"]).output().unwrap();
    String::from_utf8(run.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One alert on the attacker's frames alone, or none.
fn judge(scene: &Scene, loud: &[Value], truth: &[u64]) -> Result<(), String> {
    let Some((mechanism, code)) = scene.mechanism else {
        return if loud.is_empty() { Ok(()) } else { Err(format!("not expected: {loud:?}")) };
    };
    let [alert] = loud else { return Err(format!("{} alerts: {loud:?}", loud.len())) };
    let named = forged(alert);
    let fits = injection(alert)["mechanism"] == mechanism && !named.is_empty() && named.iter().all(|frame| truth.contains(frame));
    let is_by = injection(alert)["signals"].as_array().into_iter().flatten().any(|signal| signal["code"] == code);
    if fits && is_by { Ok(()) } else { Err(format!("truth {truth:?}, said {alert}")) }
}

fn injection(alert: &Value) -> &Value {
    &alert["alert"]["context"]["injection"]
}

fn forged(alert: &Value) -> Vec<u64> {
    injection(alert)["forged"]["frames"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

fn keep(scene: &Scene, capture: &[u8], loud: &[Value], truth: &[u64]) {
    let alerts = loud.iter().map(|alert| Alert {
        mechanism: scene.mechanism.unwrap_or_default().0.to_owned(),
        verdict: vec!["local_mitm".to_owned()],
        max_severity: alert["alert"]["severity"].as_u64().unwrap_or(0) as u8,
        forged_frames: forged(alert),
        genuine_frame: injection(alert)["genuine"]["frame"].as_u64(),
        signals: vec![scene.mechanism.unwrap_or_default().1.to_owned()],
        followed: None,
        led_by: None,
    });
    let expected = Expected { alerts: alerts.collect(), quiet: scene.mechanism.is_none(), silent: false };
    let truth: Vec<String> = truth.iter().map(u64::to_string).collect();
    let truth = if truth.is_empty() { "none".to_owned() } else { truth.join(", ") };
    let kind = if scene.mechanism.is_some() { "An attack" } else { "Harmless" };
    let readme = format!(
        "# {}\n\n{kind}: {}.\n\nFrames that the attacker sent: {truth}.\n\n\
         Recorded in the lab of `tests/lab/lan.rs`: Linux kernels in network namespaces on a bridge that floods. Addresses are those of RFC 5737 and\n\
         RFC 3849; nothing left the machine. `SIDEWATCH_RECORD=1 cargo test lab::` as root records the scenes that have no folder.\n",
        scene.name, scene.about
    );
    let folder = folder(scene);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("capture.pcap"), capture).unwrap();
    fs::write(folder.join("expected.json"), serde_json::to_string_pretty(&expected).unwrap() + "\n").unwrap();
    fs::write(folder.join("README.md"), readme).unwrap();
}
