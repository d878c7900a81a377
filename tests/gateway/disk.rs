//! A small disk of a test's own: a tmpfs in a mount namespace, that can be filled and emptied.

use super::programs::{Program, until};
use crate::lab::namespaces::Namespace;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A disk; it goes with the handle.
pub(crate) struct Disk {
    program: Program,
    folder: PathBuf,
}

impl Disk {
    /// Lays a disk of so many MiB over `folder`, for those who enter [`Self::mounts`].
    pub(crate) fn lay(home: &Namespace, folder: &Path, mebibytes: u32) -> io::Result<Self> {
        let mut command = Command::new("unshare");
        let script = "mount -t tmpfs -o size=\"$2\",mode=700 tmpfs \"$1\" && touch \"$1/laid\" && exec sleep 1200";
        command.args(["--mount", "sh", "-c", script, "sh"]).arg(folder).arg(format!("{mebibytes}m"));
        let program = Program::start(home, command, &folder.with_extension("log"))?;
        let disk = Self { program, folder: folder.to_owned() };
        until(Duration::from_secs(5), || disk.inside().join("laid").exists().then_some(()))
            .ok_or_else(|| io::Error::other(disk.program.said()))?;
        Ok(disk)
    }

    /// The mount namespace in which it is.
    pub(crate) fn mounts(&self) -> PathBuf {
        format!("/proc/{}/ns/mnt", self.program.pid()).into()
    }

    /// Its folder, seen from outside.
    pub(crate) fn inside(&self) -> PathBuf {
        let folder = self.folder.strip_prefix("/").unwrap_or(&self.folder);
        Path::new(&format!("/proc/{}/root", self.program.pid())).join(folder)
    }

    /// Fills it with another file, to the last byte. How many bytes that took.
    pub(crate) fn fill(&self) -> io::Result<u64> {
        let mut file = File::create(self.filler())?;
        let mut written = 0;
        for size in [1 << 16, 1 << 12, 1] {
            while let Ok(count) = file.write(&vec![0; size]) {
                written += count as u64;
            }
        }
        Ok(written)
    }

    /// Takes the other file away.
    pub(crate) fn empty(&self) -> io::Result<()> {
        fs::remove_file(self.filler())
    }

    fn filler(&self) -> PathBuf {
        self.inside().join("filler")
    }
}

#[test]
fn a_disk_is_full_when_it_is_filled_and_can_be_emptied() {
    if let Some(reason) = crate::lab::namespaces::missing() {
        return crate::lab::say(&format!("gateway: disk: skipped, {reason}\n"));
    }
    let (scratch, home) = (tempfile::tempdir().unwrap(), Namespace::make().unwrap());
    let disk = Disk::lay(&home, scratch.path(), 4).unwrap();
    assert!(!scratch.path().join("laid").exists(), "the disk is seen by those only who enter its namespace");
    assert!(disk.fill().unwrap() > 3 << 20);
    assert_eq!(fs::write(disk.inside().join("more"), [0; 5000]).unwrap_err().kind(), io::ErrorKind::StorageFull);
    disk.empty().unwrap();
    fs::write(disk.inside().join("more"), [0; 5000]).unwrap();
}
