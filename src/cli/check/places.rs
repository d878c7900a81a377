//! Folders that the daemon writes to, their owner, the room on their disk, and the machine's memory.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::Report;
use crate::config::{Config, Target};

/// Whom the shipped unit runs as.
pub(super) const USER: &str = "sidewatch";
/// Folders that the shipped unit makes for the daemon.
const MADE_BY_UNIT: [&str; 2] = ["/var/lib/sidewatch", "/var/log/sidewatch"];
/// Room that a disk should have beside the reserve, in bytes: a busy day's alerts.
const ROOM: u64 = 64 << 20;

/// Looks at the folder of the database and those of file sinks.
pub(super) fn look(report: &mut Report, config: &Config) {
    folder(report, "store", &config.store.folder);
    for sink in &config.sinks {
        if let Target::File(file) = &sink.target
            && let Some(parent) = file.path.parent()
        {
            folder(report, "folder", parent);
        }
    }
    room(report, config);
}

fn folder(report: &mut Report, what: &str, path: &Path) {
    let shown = path.display();
    let user = service_user();
    match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if MADE_BY_UNIT.iter().any(|made| path == Path::new(made)) {
                return report.fine(what, format!("{shown} is made at the first start"));
            }
            report.wrong(what, format!("{shown} is not there"), format!("install -d -m 700 -o {USER} {shown}"));
        }
        Err(error) => report.wrong(what, format!("{shown} cannot be looked at: {error}"), "run this as root"),
        Ok(facts) if !facts.is_dir() => report.wrong(what, format!("{shown} is no folder"), "name another one"),
        Ok(facts) if !may_write(&facts, path, user) => {
            report.wrong(what, format!("{shown} cannot be written by the service"), format!("chown {USER} {shown}"));
        }
        Ok(_) => report.fine(what, format!("{shown} can be written")),
    }
}

/// The number of the service's user, where the package has made it.
fn service_user() -> Option<u32> {
    let table = fs::read_to_string("/etc/passwd").unwrap_or_default();
    user_in(&table)
}

fn user_in(table: &str) -> Option<u32> {
    let mut rows = table.lines().map(|line| line.split(':'));
    rows.find_map(|mut row| (row.next()? == USER).then(|| row.nth(1)?.parse().ok()).flatten())
}

/// Whether the service's user, or else this one, may write there.
fn may_write(facts: &Metadata, path: &Path, user: Option<u32>) -> bool {
    match user {
        Some(user) if user != rustix::process::geteuid().as_raw() => {
            facts.uid() == user && facts.mode() & 0o300 == 0o300 || facts.mode() & 0o3 == 0o3
        }
        _ => rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK).is_ok(),
    }
}

fn room(report: &mut Report, config: &Config) {
    let Some(there) = config.store.folder.ancestors().find(|path| path.exists()) else { return };
    let Ok(disk) = rustix::fs::statvfs(there) else { return };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let (free_mib, wanted) = (free >> 20, config.store.reserve + ROOM);
    if free < wanted {
        let words = format!("{free_mib} MiB are free for {}", config.store.folder.display());
        return report.wrong("disk", words, format!("make room for {} MiB, or set store.folder to another disk", wanted >> 20));
    }
    report.fine("disk", format!("{free_mib} MiB are free; the database may grow to {} MiB", config.store.size >> 20));
}

/// The machine's memory, MiB.
pub(super) fn machine_memory() -> Option<u64> {
    let table = fs::read_to_string("/proc/meminfo").ok()?;
    let line = table.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_user_is_found_by_its_name_alone() {
        assert_eq!(user_in("root:x:0:0::/root:/bin/sh\nsidewatch:x:997:997::/var/lib/sidewatch:/usr/sbin/nologin\n"), Some(997));
        assert_eq!(user_in("sidewatcher:x:997:997::/:/bin/sh\nsidewatch:x\n"), None);
    }

    #[test]
    fn a_folder_that_is_not_there_is_made_by_the_unit_or_by_the_admin() {
        let (mut report, home) = (Report::default(), tempfile::tempdir().unwrap());
        folder(&mut report, "store", Path::new("/var/lib/sidewatch"));
        folder(&mut report, "folder", &home.path().join("missing"));
        assert_eq!(report.wrong, 1, "{}", report.text);
        assert!(report.text.contains("install -d -m 700 -o sidewatch"), "{}", report.text);
        assert!(machine_memory().is_some_and(|memory| memory > 64));
    }
}
