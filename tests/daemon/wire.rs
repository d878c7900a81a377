//! A wire between two interfaces of a namespace, the daemon at one end, and captures that are played at the other.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use pnet::datalink::{self, Channel, Config, interfaces};
use rustix::process::{Pid, Signal, kill_process};
use sidewatch::capture::FrameSource;
use sidewatch::capture::replay::open;
use tempfile::TempDir;

use crate::lab::namespaces::{Namespace, missing, own_inode, thread_inode};

/// How long a test waits for something at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Frames of a capture that is played.
const MOST_FRAMES: usize = 1_000;
/// Between two looks at a file.
const PAUSE: Duration = Duration::from_millis(5);

/// A line that is shown also when the test passes.
pub(super) fn say(line: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Two interfaces in a namespace: `swe-in` is watched, `swe-out` is where frames come from.
pub(super) struct Wire {
    home: Namespace,
}

impl Wire {
    /// None where this machine has no namespaces, which is said.
    pub(super) fn lay(test: &str) -> Option<Self> {
        if let Some(reason) = missing() {
            say(&format!("daemon: {test} skipped, {reason}"));
            return None;
        }
        let wire = Self { home: Namespace::make().unwrap() };
        wire.mend();
        Some(wire)
    }

    pub(super) fn mend(&self) {
        self.home.ip("link add swe-in type veth peer name swe-out\nlink set swe-in up\nlink set swe-out up\n").unwrap();
    }

    pub(super) fn cut(&self) {
        self.home.ip("link del swe-in\n").unwrap();
    }

    /// Plays a capture at its own pace, which must be between documentation addresses.
    pub(super) fn play(&self, case: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(case).join("capture.pcap");
        self.home.within(|| {
            assert_ne!(thread_inode(), own_inode(), "nothing is sent outside of the namespace");
            let end = interfaces().into_iter().find(|interface| interface.name == "swe-out").unwrap();
            let Ok(Channel::Ethernet(mut sender, _receiver)) = datalink::channel(&end, Config::default()) else { panic!("no Ethernet") };
            let mut capture = open(&path).unwrap();
            let (begun, mut first, mut frames) = (Instant::now(), None, 0);
            while let Some(frame) = capture.next_frame().unwrap() {
                let since = frame.time - *first.get_or_insert(frame.time);
                let due = begun + Duration::from_nanos(u64::try_from(since.as_nanos()).unwrap());
                thread::sleep(due.saturating_duration_since(Instant::now()));
                sender.send_to(frame.bytes, None).unwrap().unwrap();
                frames += 1;
                assert!(frames < MOST_FRAMES, "{case} is too long");
            }
        });
    }
}

/// The daemon, and a service manager that listens to it.
pub(super) struct Daemon {
    pub(super) folder: TempDir,
    child: Child,
    manager: Receiver<String>,
}

impl Daemon {
    /// The daemon at the watched end. Its watchdog is to be fed every second.
    pub(super) fn begin(wire: &Wire, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let (store, eve) = (place("store"), place("eve.json"));
        let config = format!(
            "sensor = \"gate\"\nmetrics = \"off\"\n[capture]\ninterfaces = [\"swe-in\"]\n[store]\nfolder = {store:?}\nreserve = \"1 MiB\"\n\
             [[sink]]\nname = \"eve\"\nkind = \"file\"\npath = {eve:?}\n"
        );
        fs::write(place("sidewatch.toml"), config).unwrap();
        let manager = UnixDatagram::bind(place("notify")).unwrap();
        let log = fs::File::create(place("log")).unwrap();
        let child = wire.home.within(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sidewatch"));
            command.arg("run").arg("--config").arg(place("sidewatch.toml")).args(options);
            command.env("NOTIFY_SOCKET", place("notify")).env("WATCHDOG_USEC", "1000000").env("SIDEWATCH_FREEZE", "0");
            command.env_remove("JOURNAL_STREAM").env_remove("WATCHDOG_PID");
            command.stdin(Stdio::null()).stderr(log).spawn().unwrap()
        });
        let (words, heard) = channel();
        thread::spawn(move || listen(&manager, &words));
        Self { folder, child, manager: heard }
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it tells the service manager so.
    pub(super) fn awaits(&self, word: &str) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.hears_within(Duration::from_millis(100)).is_some_and(|heard| heard == word) {
                return;
            }
        }
        panic!("it did not say {word}\n{}", self.log());
    }

    /// The next word to the service manager, within some time.
    pub(super) fn hears_within(&self, time: Duration) -> Option<String> {
        self.manager.recv_timeout(time).ok()
    }

    /// The first line of the file of alerts, and when it was there.
    pub(super) fn awaits_line(&self) -> (String, jiff::Timestamp) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let text = fs::read_to_string(self.folder.path().join("eve.json")).unwrap_or_default();
            if let Some((line, _)) = text.split_once('\n') {
                return (line.to_owned(), jiff::Timestamp::now());
            }
            thread::sleep(PAUSE);
        }
        panic!("no alert\n{}", self.log());
    }

    /// Ends it, as the service manager does; how long that took.
    pub(super) fn end(mut self) -> Duration {
        self.signal(Signal::TERM);
        let asked = Instant::now();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}\n{}", self.log());
        asked.elapsed()
    }
}

/// Hears every word, until nobody wants it any more.
fn listen(manager: &UnixDatagram, words: &Sender<String>) {
    let mut bytes = [0; 4_096];
    while let Ok(length) = manager.recv(&mut bytes) {
        if String::from_utf8_lossy(&bytes[..length]).lines().any(|word| words.send(word.to_owned()).is_err()) {
            return;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
