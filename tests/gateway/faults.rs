//! What goes wrong at night: a capture thread that stands still, an interface that is deleted, a disk that is full, a database that is corrupt or locked, a receiver that is away, a clock that was put back.

use super::daemon::{Daemon, Home, LEAST_RESERVE, WATCHDOG, database, kept};
use super::disk::Disk;
use super::programs::{self, until};
use super::receiver::{Mood, Receiver};
use super::stream::{Stream, WATCHED, lay, link, number};
use crate::lab::namespaces::{self, Namespace};
use crate::lab::say;
use rustix::process::Signal;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

/// An hour, and the day by which a clock was wrong, in the database's milliseconds.
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// From an injection to the receiver at most, when nothing is wrong.
const SOON: Duration = Duration::from_secs(15);

/// From the end of a fault to the receiver at most.
const LATER: Duration = Duration::from_secs(40);

const PACE: Duration = Duration::from_millis(20);

type Scene = (&'static str, fn(Post));

const SCENES: [Scene; 7] = [
    ("a capture thread that stands still stops the watchdog's food, and the next life sees again", capture_stalled),
    ("an interface that is deleted and made again is watched again", interface_deleted),
    ("alerts raised while the disk is full arrive", disk_full),
    ("a corrupt database is set aside, and a new one goes on", database_corrupt),
    ("alerts raised while another process holds the database arrive", database_locked),
    ("what waits for a receiver that was away for an hour arrives in order", receiver_away),
    ("what was put off by a clock that was a day ahead arrives", clock_put_back),
];

#[test]
fn the_daemon_outlives_faults_and_tells_what_it_found_meanwhile() {
    let needs = [("unshare", "util-linux"), ("nsenter", "util-linux")];
    if let Some(reason) = namespaces::missing().or_else(|| programs::missing(&needs)) {
        return say(&format!("gateway: faults: skipped, {reason}\n"));
    }
    let failed: Vec<&str> = thread::scope(|scope| {
        let playing: Vec<_> = SCENES.iter().map(|(name, play)| (*name, scope.spawn(move || play(Post::make())))).collect();
        playing.into_iter().filter_map(|(name, scene)| scene.join().is_err().then_some(name)).collect()
    });
    assert!(failed.is_empty(), "not so: {failed:#?}");
}

/// A daemon's place on a link of its own, and who is told.
struct Post {
    receiver: Receiver,
    place: Home,
    home: Namespace,
    scratch: tempfile::TempDir,
    /// Number of the next injection.
    next: u16,
}

impl Post {
    fn make() -> Self {
        let (scratch, home) = (tempfile::tempdir().unwrap(), link().unwrap());
        let place = Home::make(scratch.path()).unwrap();
        let receiver = Receiver::start(&home, |_| Mood::Takes).unwrap();
        place.settle(WATCHED, &place.webhook(&receiver.url()), LEAST_RESERVE).unwrap();
        Self { receiver, place, home, scratch, next: 0 }
    }

    fn start(&self) -> Daemon {
        let mut daemon = self.place.start(&self.home).unwrap();
        daemon.wait_until_ready().unwrap();
        daemon
    }

    /// Tells so many injections.
    fn inject(&mut self, count: u16) {
        Stream::begin(&self.home, self.next..self.next + count, PACE).unwrap().end().unwrap();
        self.next += count;
    }

    /// The numbers of the injections that the receiver knows of, in the order in which it took them.
    fn known(&self) -> Vec<u16> {
        self.receiver.must_be_signed();
        self.receiver.taken().iter().filter_map(|message| number(message.body["data"]["dest_ip"].as_str()?)).collect()
    }

    /// Waits until the receiver knows of all injections so far.
    fn all_arrive(&self, daemon: &mut Daemon, within: Duration) {
        let all = || (0..self.next).all(|number| self.known().contains(&number)).then_some(());
        assert!(until(within, all).is_some(), "{:?} of {} arrived: {}", self.known(), self.next, daemon.program.said());
        self.lives(daemon);
    }

    fn lives(&self, daemon: &mut Daemon) {
        assert!(daemon.program.ended().is_none(), "it ended: {}", daemon.program.said());
    }

    /// Waits until so many alerts wait in the outbox, and ends the daemon.
    fn end_when_waiting(&self, mut daemon: Daemon, count: u64) {
        let waiting = || kept(&self.place.store, self.scratch.path()).ok().filter(|kept| kept.waiting == count);
        assert!(
            until(SOON, waiting).is_some(),
            "{:?} of {count} wait: {}",
            kept(&self.place.store, self.scratch.path()),
            daemon.program.said()
        );
        end(&mut daemon);
    }
}

/// Ends the daemon as systemd does.
fn end(daemon: &mut Daemon) {
    daemon.program.signal(Signal::TERM).unwrap();
    let status = daemon.program.end_within(Duration::from_secs(5)).unwrap();
    assert!(status.success(), "{status}: {}", daemon.program.said());
}

fn capture_stalled(mut post: Post) {
    let mut daemon = post.start();
    let is_fed = |daemon: &mut Daemon| daemon.fed().is_some_and(|ago| ago < WATCHDOG);
    assert!(until(SOON, || is_fed(&mut daemon).then_some(())).is_some(), "the watchdog is never fed: {}", daemon.program.said());
    post.inject(1);
    post.all_arrive(&mut daemon, SOON);
    assert!(is_fed(&mut daemon), "the watchdog is not fed on an idle link");
    daemon.program.signal(Signal::USR2).unwrap();
    let starved = until(SOON, || (!is_fed(&mut daemon)).then_some(()));
    assert!(starved.is_some(), "something feeds the watchdog though capture stands still");
    // What systemd does then.
    daemon.program.signal(Signal::ABORT).unwrap();
    daemon.program.end_within(Duration::from_secs(5)).unwrap();
    let mut daemon = post.start();
    post.inject(1);
    post.all_arrive(&mut daemon, SOON);
}

fn interface_deleted(mut post: Post) {
    let mut daemon = post.start();
    post.inject(1);
    post.all_arrive(&mut daemon, SOON);
    post.home.ip(&format!("link del {WATCHED}\n")).unwrap();
    let told =
        until(SOON, || daemon.program.said().lines().rev().any(|line| line.contains(WATCHED) && line.contains("WARN")).then_some(()));
    assert!(told.is_some(), "it does not say that the interface is gone: {}", daemon.program.said());
    post.lives(&mut daemon);
    lay(&post.home).unwrap();
    // Injections before it watches again are nobody's to tell of.
    let first = post.next;
    let again = until(LATER, || {
        post.inject(1);
        thread::sleep(Duration::from_secs(1));
        post.known().into_iter().find(|number| *number >= first)
    });
    assert!(again.is_some(), "it does not watch the interface again: {}", daemon.program.said());
    post.lives(&mut daemon);
}

fn disk_full(mut post: Post) {
    let disk = Disk::lay(&post.home, &post.place.store, 16).unwrap();
    post.place.mounts = Some(disk.mounts());
    let mut daemon = post.start();
    post.inject(2);
    post.all_arrive(&mut daemon, SOON);
    disk.fill().unwrap();
    post.inject(6);
    until(Duration::from_secs(8), || (post.known().len() == 8).then_some(()));
    say(&format!("gateway: of 6 alerts raised while the disk was full, {} arrived meanwhile\n", post.known().len() - 2));
    post.lives(&mut daemon);
    disk.empty().unwrap();
    post.all_arrive(&mut daemon, LATER);
    post.inject(1);
    post.all_arrive(&mut daemon, SOON);
}

fn database_corrupt(mut post: Post) {
    let mut daemon = post.start();
    post.inject(2);
    post.all_arrive(&mut daemon, SOON);
    end(&mut daemon);
    let path = post.place.store.join("alerts.db");
    assert!(!post.place.store.join("alerts.db-wal").exists(), "the database was not closed");
    let length = fs::metadata(&path).unwrap().len();
    File::options().write(true).open(&path).unwrap().write_all_at(&vec![0xaa; (length - 4096) as usize], 4096).unwrap();
    let mut daemon = post.start();
    post.inject(1);
    post.all_arrive(&mut daemon, SOON);
    let names: Vec<String> =
        fs::read_dir(&post.place.store).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    let is_aside = names.iter().any(|name| name.starts_with("alerts") && name.contains("damaged"));
    assert!(is_aside, "the corrupt database is gone: {names:?}");
    end(&mut daemon);
}

fn database_locked(mut post: Post) {
    let mut daemon = post.start();
    post.inject(1);
    post.all_arrive(&mut daemon, SOON);
    let other = database(&post.place.store.join("alerts.db")).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    post.inject(4);
    thread::sleep(Duration::from_secs(12));
    assert_eq!(post.known().len(), 1, "what is not committed is not told");
    post.lives(&mut daemon);
    other.execute_batch("ROLLBACK").unwrap();
    post.all_arrive(&mut daemon, LATER);
}

fn receiver_away(mut post: Post) {
    let daemon = post.start();
    post.receiver.change(|_| Mood::Refuses(Duration::from_secs(4)));
    post.inject(6);
    post.end_when_waiting(daemon, 6);
    // The hour is made in the database: older rows, more attempts, and the next one due after a wait as long as they get.
    let older = format!(
        "UPDATE alert SET committed = committed - {HOUR}, at = at - {HOUR} * 1000; \
         UPDATE outbox SET made = made - {HOUR}, attempts = attempts + 20, due = (unixepoch() + 3) * 1000"
    );
    database(&post.place.store.join("alerts.db")).unwrap().execute_batch(&older).unwrap();
    post.receiver.change(|_| Mood::Takes);
    let mut daemon = post.start();
    post.all_arrive(&mut daemon, LATER);
    let outbox = kept(&post.place.store, post.scratch.path()).unwrap().outbox;
    let in_order: Vec<u16> = outbox.iter().filter_map(|client| number(client)).collect();
    assert_eq!(post.known(), in_order);
}

fn clock_put_back(mut post: Post) {
    let daemon = post.start();
    post.receiver.change(|_| Mood::Fails);
    post.inject(3);
    post.end_when_waiting(daemon, 3);
    // The machine's clock is everybody's, so that the step is made in the database: as if the attempts had been made by a clock a day ahead.
    let ahead = format!(
        "UPDATE outbox SET made = made + {DAY}, due = due + {DAY}, last_error_at = last_error_at + {DAY}; UPDATE alert SET committed = committed + {DAY}"
    );
    database(&post.place.store.join("alerts.db")).unwrap().execute_batch(&ahead).unwrap();
    post.receiver.change(|_| Mood::Takes);
    let mut daemon = post.start();
    post.inject(1);
    post.all_arrive(&mut daemon, LATER);
}
