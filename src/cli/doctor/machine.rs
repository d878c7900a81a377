//! What the machine says of itself: its clock, its memory, its disk, what its cards lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Whether the clock is held right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockState {
    Held,
    Loose,
    /// It says a time before this program was written (2026): nobody has set it.
    NeverSet,
    /// Nobody tells.
    Unknown,
}

/// 2026-01-01, seconds since the epoch.
const WRITTEN: u64 = 1_767_225_600;

/// Asks whoever may know: systemd's time service, its `timedatectl`, chrony.
pub(super) fn clock() -> ClockState {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if now < WRITTEN {
        return ClockState::NeverSet;
    }
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return ClockState::Held;
    }
    let says = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).env("LC_ALL", "C").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let by_systemd = says("timedatectl", &["show", "--property=NTPSynchronized", "--value"]);
    let by_chrony = || says("chronyc", &["-c", "tracking"]);
    by_systemd.and_then(|text| systemd_says(&text)).or_else(|| chrony_says(&by_chrony()?)).unwrap_or(ClockState::Unknown)
}

fn systemd_says(text: &str) -> Option<ClockState> {
    match text.trim() {
        "yes" => Some(ClockState::Held),
        "no" => Some(ClockState::Loose),
        _ => None,
    }
}

/// The last field is the state of leap seconds, or that nothing is held.
fn chrony_says(text: &str) -> Option<ClockState> {
    match text.trim().rsplit_once(',')?.1 {
        "Not synchronised" => Some(ClockState::Loose),
        _ => Some(ClockState::Held),
    }
}

/// Bytes of memory that the program can still have: what is available, or less where its control group allows less.
pub(super) fn memory_available() -> Option<u64> {
    let available = available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let allowed = limit_files(&groups).iter().filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok()).min();
    Some(allowed.map_or(available, |allowed: u64| available.min(allowed)))
}

/// `MemAvailable:  123456 kB`.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// Where the limits of control groups are, of either version, from `/proc/self/cgroup`. That of a group binds those below it.
fn limit_files(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(group)) = (fields.next(), fields.next(), fields.next()) else { continue };
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let below = Path::new(group.trim_start_matches('/'));
        files.extend(below.ancestors().map(|ancestor| Path::new(root).join(ancestor).join(file)));
    }
    files
}

/// Bytes free below a folder, or where it would be made.
pub(super) fn disk_free(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|ancestor| ancestor.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Frames that the card could not hand over, since it was switched on.
pub(super) fn lost_by_card(interface: &str) -> u64 {
    let counter = |name: &str| {
        let path = Path::new("/sys/class/net").join(interface).join("statistics").join(name);
        fs::read_to_string(path).ok().and_then(|text| text.trim().parse::<u64>().ok()).unwrap_or_default()
    };
    counter("rx_missed_errors").saturating_add(counter("rx_fifo_errors"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_is_available() {
        assert_eq!(available("MemTotal:  500 kB\nMemAvailable:     2048 kB\nBuffers: 1 kB\n"), Some(2 << 20));
        assert_eq!(available("MemTotal:  500 kB\n"), None);
    }

    #[test]
    fn limits_of_control_groups_are_looked_for_up_to_the_root() {
        let files = limit_files("9:cpu:/\n4:memory:/a\n0::/system.slice/sidewatch.service\n");
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/system.slice/sidewatch.service/memory.max",
                "/sys/fs/cgroup/system.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
    }

    #[test]
    fn whoever_holds_the_clock_says_so() {
        assert_eq!(
            (systemd_says("yes\n"), systemd_says("no\n"), systemd_says("")),
            (Some(ClockState::Held), Some(ClockState::Loose), None)
        );
        let chrony =
            |state: &str| chrony_says(&format!("C0A80101,192.0.2.1,3,1790000000.1,0.0,0.0,0.0,1.0,0.0,0.1,0.01,0.01,64.0,{state}\n"));
        assert_eq!((chrony("Normal"), chrony("Not synchronised")), (Some(ClockState::Held), Some(ClockState::Loose)));
        assert_eq!(chrony_says("506 Cannot talk to daemon"), None);
    }

    #[test]
    fn the_disk_of_a_folder_that_is_not_made_yet_is_that_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        assert!(disk_free(&folder.path().join("not/yet")).is_some_and(|free| free > 0));
    }
}
