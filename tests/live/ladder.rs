//! The rate ladder: what tcpdump, Sidewatch and Suricata lose of the same traffic at the same rates. `make ladder` runs it; it takes less than three minutes.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::cable;
use super::traffic::{Repeat, Traffic};
use crate::lab::namespaces::Namespace;

/// Packets a second.
const RATES: [u32; 4] = [50_000, 100_000, 200_000, 400_000];
/// How long each rate is held.
const SECONDS: u32 = 4;
/// The ring of each program, MiB.
const RING: u32 = 32;
/// After so long counters of a program that reads them each second are those of the end.
const UPDATED: Duration = Duration::from_millis(2500);
/// Where Sidewatch gives its counters.
const METRICS: &str = "127.0.0.1:9798";
/// The program that is measured, a release build; none takes the one that was built with the tests.
const PROGRAM: &str = "SIDEWATCH_PROGRAM";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Tcpdump,
    Sidewatch,
    Suricata,
}

use Reader::{Sidewatch, Suricata, Tcpdump};

/// Who reads at the same time: each by itself, and the two that are compared most closely beside each other, which costs both.
const ROUNDS: [(&str, &[Reader]); 4] =
    [("tcpdump", &[Tcpdump]), ("sidewatch", &[Sidewatch]), ("suricata", &[Suricata]), ("tcpdump beside sidewatch", &[Tcpdump, Sidewatch])];

#[test]
#[ignore = "a measurement, on a machine that has nothing else to do: make ladder"]
fn drops_at_each_rate() {
    let Some(home) = cable() else { return };
    home.sysctl("ipv6/conf/all/disable_ipv6", "1").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("traffic.pcap");
    fs::write(&capture, traffic()).unwrap();
    let mut out = std::io::stdout().lock();
    writeln!(out, "dropped frames, {SECONDS} s of each rate, one thread, rings of {RING} MiB\n").unwrap();
    writeln!(out, "{:>10} {:>10} {:>10}  read and dropped", "wanted/s", "sent/s", "sent").unwrap();
    for rate in RATES {
        for (name, readers) in ROUNDS {
            let mut running: Vec<_> = readers.iter().map(|reader| Running::start(&home, *reader, folder.path())).collect();
            let (sent, held) = send(&home, &capture, rate);
            std::thread::sleep(UPDATED);
            let ends = running.iter_mut().map(|program| match program {
                Ok(program) => program.end(&home),
                Err(said) => said.clone(),
            });
            let dropped: Vec<String> = ends.collect();
            writeln!(out, "{rate:>10} {held:>10.0} {sent:>10}  {name}: {}", dropped.join(", ")).unwrap();
        }
    }
}

/// Downloads, pages and single keys, as a capture file.
fn traffic() -> Vec<u8> {
    let frames = Traffic::mixed(vec![Traffic::bulk(64, 120, Repeat::Once), Traffic::http(64, 8), Traffic::small(64, 60)]).frames;
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 4 << 16 | 2, 0, 0, 262_144, 1] {
        file.extend(u32::to_le_bytes(word));
    }
    for (number, frame) in frames.iter().enumerate() {
        let length = u32::try_from(frame.bytes.len()).unwrap();
        for word in [1_790_000_000, u32::try_from(number).unwrap(), length, length] {
            file.extend(u32::to_le_bytes(word));
        }
        file.extend(&frame.bytes);
    }
    file
}

/// Sends the capture again and again, each time between other addresses. How many frames that were, and how many a second.
fn send(home: &Namespace, capture: &Path, rate: u32) -> (u64, f64) {
    let output = home.within(|| {
        let mut command = Command::new("tcpreplay");
        command.args(["--intf1=swlab-a", "--preload-pcap", "--unique-ip", "--loop=100000", "--timer=gtod"]);
        command.args([format!("--limit={}", rate * SECONDS), format!("--duration={}", 2 * SECONDS), format!("--pps={rate}")]);
        command.arg(capture).output().unwrap_or_else(|error| panic!("tcpreplay (Debian package tcpreplay) sends the traffic: {error}"))
    });
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let number = |before: &str| {
        let rest = &text[text.find(before).unwrap_or_else(|| panic!("tcpreplay says no {before:?}: {text}")) + before.len()..];
        rest.split_whitespace().next().unwrap().parse::<f64>().unwrap()
    };
    let (sent, seconds) = (number("Actual:"), number("bytes) sent in"));
    (sent as u64, sent / seconds)
}

/// A program that reads the other end of the cable.
struct Running {
    reader: Reader,
    child: Child,
    folder: PathBuf,
}

impl Running {
    /// Starts it and waits until it reads; or says what it said when it did not.
    fn start(home: &Namespace, reader: Reader, folder: &Path) -> Result<Self, String> {
        let folder = folder.join(format!("{}-{:?}", reader.name(), Instant::now()).replace(|letter: char| !letter.is_alphanumeric(), "-"));
        fs::create_dir(&folder).unwrap();
        let before = sockets(home);
        let log = fs::File::create(folder.join("output")).unwrap();
        let mut command = reader.command(&folder);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = home.within(|| command.spawn()).map_err(|error| format!("{} is not there: {error}", reader.name()))?;
        let deadline = Instant::now() + Duration::from_secs(60);
        while sockets(home) <= before {
            if child.try_wait().unwrap().is_some() || Instant::now() > deadline {
                child.kill().ok();
                child.wait().ok();
                let said = fs::read_to_string(folder.join("output")).unwrap();
                return Err(format!("{} did not start: {}", reader.name(), said.lines().last().unwrap_or_default()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_secs(1));
        Ok(Self { reader, child, folder })
    }

    /// Ends it. What it says that it read and lost.
    fn end(&mut self, home: &Namespace) -> String {
        let counters = if self.reader == Sidewatch { metrics(home) } else { String::new() };
        kill_process(Pid::from_child(&self.child), Signal::INT).ok();
        self.child.wait().unwrap();
        let mut text = fs::read_to_string(self.folder.join("output")).unwrap() + &counters;
        text.push_str(&fs::read_to_string(self.folder.join("suricata.log")).unwrap_or_default());
        match self.reader.counted(&text) {
            Some((read, dropped)) => {
                let share = dropped as f64 * 100.0 / (read + dropped).max(1) as f64;
                format!("{} read {read} dropped {dropped} ({share:.3} %)", self.reader.name())
            }
            None => format!("{} said nothing of drops: {}", self.reader.name(), text.lines().last().unwrap_or_default()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Reader {
    const fn name(self) -> &'static str {
        match self {
            Tcpdump => "tcpdump",
            Sidewatch => "sidewatch",
            Suricata => "suricata",
        }
    }

    fn command(self, folder: &Path) -> Command {
        let place = folder.display();
        match self {
            Tcpdump => {
                let mut command = Command::new("tcpdump");
                command.args(["-i", "swlab-b", "-s", "65535", "-B", &(RING << 10).to_string(), "-w", "/dev/null"]);
                command
            }
            Sidewatch => {
                let settings = format!(
                    "metrics = \"{METRICS}\"\n[capture]\ninterfaces = [\"swlab-b\"]\nring = \"{RING} MiB\"\n[store]\nfolder = \"{place}\"\n\
                     [[sink]]\nname = \"eve\"\nkind = \"file\"\npath = \"{place}/eve.json\"\n"
                );
                let file = folder.join("sidewatch.toml");
                fs::write(&file, settings).unwrap();
                let program = std::env::var_os(PROGRAM).unwrap_or_else(|| env!("CARGO_BIN_EXE_sidewatch").into());
                let mut command = Command::new(program);
                command.args(["run", "--config"]).arg(file);
                command
            }
            Suricata => {
                let mut command = Command::new("suricata");
                let blocks = ["af-packet.0.block-size=262144".to_owned(), format!("af-packet.0.ring-size={}", (RING << 20) / 700)];
                let set =
                    ["af-packet.0.interface=swlab-b", "af-packet.0.threads=1", "af-packet.0.tpacket-v3=yes", "af-packet.0.use-mmap=yes"];
                command.args(["--af-packet=swlab-b", "-S", "/dev/null", "-l"]).arg(folder);
                set.into_iter().map(str::to_owned).chain(blocks).for_each(|value| {
                    command.arg("--set").arg(value);
                });
                command
            }
        }
    }

    /// Frames read and dropped, in what it wrote.
    fn counted(self, text: &str) -> Option<(u64, u64)> {
        let digits = |rest: &str| rest.trim_start().chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
        let before = |words: &str| text.lines().find_map(|line| digits(line.strip_suffix(words)?));
        let after = |words: &str| text.lines().find_map(|line| digits(line.split_once(words)?.1));
        let metric = |name: &str| {
            let values = text.lines().filter(|line| line.starts_with(name)).filter_map(|line| digits(line.rsplit_once(' ')?.1));
            values.reduce(|one: u64, other| one + other)
        };
        match self {
            Tcpdump => Some((before("packets captured")?, before("packets dropped by kernel")?)),
            Sidewatch => Some((metric("sidewatch_packets_total")?, metric("sidewatch_kernel_drops_total")?)),
            // Of those that it counts it has not seen the dropped ones.
            Suricata => after("drops: ").and_then(|dropped: u64| Some((after("packets: ")?.saturating_sub(dropped), dropped))),
        }
    }
}

/// Packet sockets of the namespace.
fn sockets(home: &Namespace) -> usize {
    home.within(|| fs::read_to_string("/proc/thread-self/net/packet").unwrap().lines().count())
}

/// What Sidewatch says of itself; nothing if it does not answer.
fn metrics(home: &Namespace) -> String {
    home.within(|| {
        let address: SocketAddr = METRICS.parse().unwrap();
        let mut text = String::new();
        if let Ok(mut stream) = TcpStream::connect(address) {
            stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok();
            stream.read_to_string(&mut text).ok();
        }
        text
    })
}
