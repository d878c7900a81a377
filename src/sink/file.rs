//! The file sink: EVE JSON lines, each on the disk before it counts as told.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::SinkError;
use crate::config::FileTarget;

/// Owner writes, the group of the log's readers reads.
const MODE: u32 = 0o640;

/// A file that lines are appended to.
///
/// A line is written by one call and synced (`fdatasync`) before it counts, so a line that is told survives a loss of power, and one that was
/// torn by a full disk is taken back. The file is opened anew when its path leads elsewhere (logrotate) or it is told to.
#[derive(Debug)]
pub(super) struct Lines {
    target: FileTarget,
    open: Option<File>,
}

impl Lines {
    /// Nothing is opened yet.
    pub(super) const fn new(target: FileTarget) -> Self {
        Self { target, open: None }
    }

    /// Appends a line. Blocks on the disk.
    ///
    /// # Errors
    /// When it is not on the disk; nothing of it stays in the file, if the disk allows.
    pub(super) fn append(&mut self, line: &str) -> Result<(), SinkError> {
        let written = self.try_append(line);
        written.map_err(|source| {
            self.open = None;
            SinkError::File { path: self.target.path.clone(), source }
        })
    }

    fn try_append(&mut self, line: &str) -> io::Result<()> {
        if self.open.as_ref().is_some_and(|file| !is_at(file, &self.target.path)) {
            self.open = None;
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend(line.bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
        bytes.push(b'\n');
        if let Some(limit) = self.target.rotate_at
            && let Ok(there) = fs::metadata(&self.target.path)
            && there.is_file()
            && there.len() > 0
            && there.len() + bytes.len() as u64 > limit
        {
            self.open = None;
            rotate(&self.target.path, self.target.keep)?;
        }
        let file = match self.open.take() {
            Some(file) => file,
            None => opened(&self.target.path)?,
        };
        let file = self.open.insert(file);
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
            let _ = file.set_len(before);
            return Err(error);
        }
        Ok(())
    }
}

/// Opens it for appending, and ends a last line that a crash has torn.
fn opened(path: &Path) -> io::Result<File> {
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default(); // a FIFO without a reader must not hold the sink
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(MODE).custom_flags(nonblocking).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file: name one, or a path where one can be made"));
    }
    let mut last = [b'\n'];
    belongs_to_its_folder(&file, path);
    if file.metadata()?.len() > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// A file that `sinks test` makes as root is the daemon's, as its folder is.
fn belongs_to_its_folder(file: &File, path: &Path) {
    let (Ok(made), Some(Ok(folder))) = (file.metadata(), path.parent().map(fs::metadata)) else { return };
    if made.len() == 0 && made.uid() == 0 && folder.uid() != 0 {
        let _ = std::os::unix::fs::fchown(file, Some(folder.uid()), Some(folder.gid())); // without the right to, it stays root's
    }
}

/// Whether the path still leads to this file.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Renames the file to `.1`, what was `.1` to `.2`, and so on; the last one goes.
fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    if keep == 0 {
        return fs::remove_file(path);
    }
    for number in (1..keep).rev() {
        match fs::rename(numbered(path, number), numbered(path, number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::rename(path, numbered(path, 1))
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn lines(rotate_at: Option<u64>, keep: u32) -> (tempfile::TempDir, PathBuf, Lines) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("eve.json");
        let lines = Lines::new(FileTarget { path: path.clone(), rotate_at, keep });
        (folder, path, lines)
    }

    #[test]
    fn lines_are_whole_and_only_owner_and_group_read_them() {
        let (_folder, path, mut lines) = lines(None, 0);
        lines.append("{\"a\":1}").unwrap();
        lines.append("{\"b\":\n2}").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"b\": 2}\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o137, 0, "neither others nor execution");
    }

    #[test]
    fn a_file_that_logrotate_moved_is_left_and_a_new_one_begun() {
        let (folder, path, mut lines) = lines(None, 0);
        lines.append("one").unwrap();
        fs::rename(&path, folder.path().join("eve.json.1")).unwrap();
        lines.append("two").unwrap();
        fs::remove_file(&path).unwrap();
        File::create(&path).unwrap();
        lines.append("three").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("eve.json.1")).unwrap(), "one\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "three\n");
    }

    #[test]
    fn a_line_torn_by_a_crash_stands_alone() {
        let (_folder, path, mut lines) = lines(None, 0);
        fs::write(&path, "{\"torn\":").unwrap();
        lines.append("{}").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\"torn\":\n{}\n");
    }

    #[test]
    fn it_rotates_by_itself_and_keeps_as_many_as_it_was_told() {
        let (folder, path, mut lines) = lines(Some(10), 2);
        for line in ["11111111", "22222222", "33333333", "44444444"] {
            lines.append(line).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).ok();
        assert_eq!(fs::read_to_string(&path).unwrap(), "44444444\n");
        assert_eq!((read("eve.json.1").as_deref(), read("eve.json.2").as_deref()), (Some("33333333\n"), Some("22222222\n")));
        assert_eq!(read("eve.json.3"), None);
    }

    #[test]
    fn a_folder_that_vanished_is_told_and_used_again_when_it_is_back() {
        let (folder, path, _) = lines(None, 0);
        let path = folder.path().join("gone").join(path.file_name().unwrap());
        let mut lines = Lines::new(FileTarget { path: path.clone(), rotate_at: None, keep: 0 });
        let error = lines.append("one").unwrap_err();
        assert!(error.to_string().contains("gone/eve.json"), "{error}");
        fs::create_dir(path.parent().unwrap()).unwrap();
        lines.append("one").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
    }

    #[test]
    fn a_full_disk_or_a_device_is_an_error_and_no_loss() {
        for path in ["/dev/full", "/dev/null"] {
            let mut lines = Lines::new(FileTarget { path: PathBuf::from(path), rotate_at: None, keep: 0 });
            assert!(matches!(lines.append("one"), Err(SinkError::File { .. })), "{path}");
        }
    }
}
