//! Which files are meant: those named, and those found in the folders named.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::error::shown;

/// What is taken from a folder, as one sentence for the help text.
pub const FOLDER_RULE: &str = "From a folder, and the folders in it, every file is taken whose name ends in .pcap, .pcapng, \
    .cap, .trace, .tcpdump, .dump or .ntar, also with a number behind it (.pcap12) and also packed (.gz, .zst, .xz, .bz2, \
    .lz4), in the order of the names' bytes; links to files are followed, links to folders are not.";

/// By what names of files captures are told, to go on a sentence.
pub(super) const NAME_RULE: &str = "end in .pcap, .pcapng, .cap, .trace, .tcpdump, .dump or .ntar, also with a number behind it \
    (.pcap12) and also packed (.gz, .zst, .xz, .bz2, .lz4)";

const ENDINGS: [&str; 7] = [".pcap", ".pcapng", ".cap", ".trace", ".tcpdump", ".dump", ".ntar"];
const PACKED: [&str; 5] = [".gz", ".zst", ".xz", ".bz2", ".lz4"];

/// Why the captures meant could not be listed.
#[derive(Debug, Error)]
pub enum InputError {
    /// A path leads nowhere.
    #[error("{}: there is no such file or folder", shown(path))]
    Missing {
        /// As given.
        path: PathBuf,
    },
    /// The system would not tell.
    #[error("{}: cannot be looked into: {source}", shown(path))]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A folder holds nothing to read.
    #[error("{}: no capture file is in this folder. {FOLDER_RULE} Name other files one by one.", shown(path))]
    NoCapture {
        /// As given.
        path: PathBuf,
    },
}

/// The capture files meant by `paths`, in the order given: files whatever their name, folders by [`FOLDER_RULE`].
///
/// # Errors
/// When a path does not exist, a folder cannot be looked into, or one holds no capture.
pub fn inputs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, InputError> {
    let mut found = Vec::new();
    for path in paths {
        let facts = fs::metadata(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => InputError::Missing { path: path.clone() },
            _ => InputError::Unreadable { path: path.clone(), source },
        })?;
        if !facts.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        walk(path, &mut found)?;
        if found.len() == before {
            return Err(InputError::NoCapture { path: path.clone() });
        }
    }
    Ok(found)
}

/// Without recursion, so that no depth of folders can exhaust the stack.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), InputError> {
    let mut pending = contents(folder)?;
    while let Some(entry) = pending.pop() {
        match entry.kind {
            Kind::Folder => pending.extend(contents(&entry.path)?),
            Kind::Capture => found.push(entry.path),
        }
    }
    Ok(())
}

struct Entry {
    path: PathBuf,
    kind: Kind,
}

enum Kind {
    Folder,
    Capture,
}

/// The folders and captures directly in `folder`, last first.
fn contents(folder: &Path) -> Result<Vec<Entry>, InputError> {
    let unreadable = |source| InputError::Unreadable { path: folder.to_path_buf(), source };
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let facts = entry.file_type().map_err(unreadable)?;
        let path = entry.path();
        let kind = if facts.is_dir() {
            Kind::Folder
        } else if named_like_a_capture(&entry.file_name()) && (facts.is_file() || (facts.is_symlink() && is_link_to_take(&path))) {
            Kind::Capture
        } else {
            continue;
        };
        entries.push(Entry { path, kind });
    }
    entries.sort_by(|one, other| {
        let name = |entry: &Entry| entry.path.file_name().map(|name| name.as_encoded_bytes().to_vec());
        name(other).cmp(&name(one))
    });
    Ok(entries)
}

/// A link that leads nowhere is taken too, so that opening it says so instead of it being dropped unseen.
fn is_link_to_take(link: &Path) -> bool {
    fs::metadata(link).map_or(true, |target| target.is_file())
}

/// Whether a file of a folder or an archive is taken for a capture.
pub(super) fn named_like_a_capture(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_lowercase();
    let unpacked = PACKED.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let unnumbered = unpacked.trim_end_matches(|letter: char| letter.is_ascii_digit());
    ENDINGS.iter().any(|ending| unnumbered.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        folder
    }

    fn found_in(folder: &Path) -> Vec<String> {
        let found = inputs(&[folder.to_path_buf()]).unwrap();
        found.iter().map(|path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_folder_gives_its_captures_in_the_order_of_the_bytes_of_their_names_at_every_depth() {
        let folder = folder_with(&["b.pcap", "a/z.cap", "a/B.pcapng", "a-1.pcap", "c/d/e.ntar", "Z.pcap", "é.pcap"]);
        assert_eq!(found_in(folder.path()), ["Z.pcap", "a/B.pcapng", "a/z.cap", "a-1.pcap", "b.pcap", "c/d/e.ntar", "é.pcap"]);
    }

    #[test]
    fn a_name_may_end_in_any_known_way_numbered_and_packed_or_not() {
        let good = ["a.pcap", "b.pcap0", "c.pcap12", "d.pcap3.gz", "e.PCAP.ZST", "f.dump", "g.trace", "h.tcpdump", "i.cap.gz", "j.pcap.xz"];
        let folder = folder_with(&good);
        for bad in ["pcap", "notes.txt", "k.gz", "l.pcap.rar", "m.pcap.gz.zst", "n.pcap-old", "o.pcap.json", "recap"] {
            fs::write(folder.path().join(bad), b"").unwrap();
        }
        assert_eq!(found_in(folder.path()), good);
    }

    #[test]
    fn links_to_files_are_followed_and_links_to_folders_are_not() {
        let outside = folder_with(&["target", "sub/hidden.pcap"]);
        let folder = folder_with(&["own.pcap"]);
        symlink(outside.path().join("target"), folder.path().join("link.pcap")).unwrap();
        symlink(outside.path().join("sub"), folder.path().join("folder.pcap")).unwrap();
        symlink(folder.path(), folder.path().join("loop")).unwrap();
        symlink("nowhere", folder.path().join("broken.pcap")).unwrap();
        assert_eq!(found_in(folder.path()), ["broken.pcap", "link.pcap", "own.pcap"]);
    }

    #[test]
    fn a_named_file_is_taken_whatever_its_name_and_the_order_given_stands() {
        let folder = folder_with(&["strange.bin", "in/a.pcap"]);
        let (strange, inside) = (folder.path().join("strange.bin"), folder.path().join("in"));
        assert_eq!(inputs(&[strange.clone(), inside.clone()]).unwrap(), [strange, inside.join("a.pcap")]);
    }

    #[test]
    fn a_folder_without_captures_is_an_error_that_says_what_is_taken() {
        let folder = folder_with(&["notes.txt"]);
        let error = inputs(&[folder.path().to_path_buf()]).unwrap_err();
        assert!(error.to_string().contains("no capture file is in this folder. From a folder,"));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_an_error() {
        let error = inputs(&[PathBuf::from("no/such.pcap")]).unwrap_err();
        assert_eq!(error.to_string(), "no/such.pcap: there is no such file or folder");
    }
}
