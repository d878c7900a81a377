//! A disk that is full for a while, made of a small file system in a mount namespace of its own.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use super::*;
use sidewatch::store::StoreError;

const CHILD: &str = "store::full::the_child_meets_a_full_disk";
/// Bytes of the file system.
const DISK: u64 = 16 << 20;
/// Bytes of the reserve.
const RESERVE: u64 = 4 << 20;

#[test]
fn a_full_disk_takes_the_reserve_and_loses_nothing() {
    if !rustix::process::geteuid().is_root() {
        return say("store: the test of a full disk is skipped: only root can mount a small file system");
    }
    let folder = tempfile::tempdir().unwrap();
    let mount = format!("mount -t tmpfs -o size={DISK} sidewatch-full \"${FOLDER}\" && exec \"$@\"");
    let child = again(CHILD, folder.path());
    let ran = Command::new("unshare")
        .args(["--mount", "sh", "-c", &mount, "sh"])
        .arg(child.get_program())
        .args(child.get_args())
        .env(FOLDER, folder.path())
        .env(FIRST, "full")
        .output();
    let Ok(output) = ran else { return say("store: the test of a full disk is skipped: there is no program unshare") };
    let said = String::from_utf8_lossy(&output.stdout);
    if String::from_utf8_lossy(&output.stderr).contains("unshare failed") {
        return say("store: the test of a full disk is skipped: mount namespaces are not allowed here");
    }
    assert!(output.status.success() && said.contains("child: recovered"), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said.lines().filter(|line| line.starts_with(MARK)).for_each(|line| say(&format!("store: full disk, {line}")));
}

/// Takes all room that is left, to the last byte.
fn fill(path: &Path) {
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    for size in [1 << 16, 1 << 12, 1 << 8, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

#[test]
fn the_child_meets_a_full_disk() {
    let (Some(folder), Ok("full")) = (std::env::var_os(FOLDER).map(PathBuf::from), std::env::var(FIRST).as_deref()) else { return };
    let (filler, reserve) = (folder.join("filler"), folder.join("alerts.reserve"));
    let settings = StoreSettings { reserve: RESERVE, ..settings(&folder) };
    let store = Store::open(&settings, &sinks()).unwrap();
    store.commit(&[alert(0)], &sinks()).unwrap();
    fill(&filler);
    let mut committed = 1;
    let error = loop {
        match store.commit(&[alert(committed)], &sinks()) {
            Ok(()) => committed += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert_eq!((store.counters().reserve_given, fs::metadata(&reserve).unwrap().len()), (1, 0));
    assert!(committed > 500, "the reserve took {committed} alerts");
    tell(&format!("{committed} alerts committed, most of them in the reserve; then {error}"));
    let first = store.next("all", 0).unwrap().unwrap();
    assert_eq!(first.record.id, id(0), "who reads goes on");
    fs::remove_file(&filler).unwrap();
    store.commit(&[alert(committed)], &sinks()).unwrap();
    let begun = Instant::now();
    while fs::metadata(&reserve).unwrap().len() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "no reserve is held again");
        store.prune(0).unwrap();
        store.wait(Duration::from_millis(100));
    }
    drop(store);
    let store = Store::open(&settings, &sinks()).unwrap();
    let told = deliver_all(&store, "all");
    assert_eq!(told, (0..=committed).map(id).collect::<Vec<_>>());
    tell("recovered");
}
