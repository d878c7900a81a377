//! Landlock: from the inside, the daemon gives up every file that it does not need, so that whoever takes it over has them no more.

use std::fmt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError,
    RulesetStatus, path_beneath_rules,
};

use crate::config::{Config, Secret, Target};

/// The rights that are restricted where the kernel knows them: all of files up to Linux 6.10. Older kernels restrict fewer.
const RIGHTS: ABI = ABI::V5;
/// What is read while the daemon runs, wherever it is there: names and addresses (which other programs replace by renaming, so that a folder must be
/// granted), certificates, what libraries and the C library load, the kernel's tables of interfaces, its own state.
const READ: [&str; 13] = [
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/proc",
    "/run/NetworkManager",
    "/run/resolvconf",
    "/run/systemd",
    "/run/nscd",
    "/sys/class",
    "/sys/devices",
    "/dev/null",
    "/dev/urandom",
];
/// Folders that the service manager gave to the service, by the variables that name them.
const GIVEN: [&str; 2] = ["RUNTIME_DIRECTORY", "NOTIFY_SOCKET"];

/// How far the kernel went along. Its text is a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confined {
    /// All that was asked for is enforced.
    Fully,
    /// An older kernel enforces a part.
    Partly,
    /// This kernel has no Landlock, or it is turned off.
    Not,
}

impl fmt::Display for Confined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fully => "confined by Landlock: only settings, the system's files and the own folders can be opened",
            Self::Partly => {
                "confined by Landlock as far as this kernel can: only settings, the system's files and the own folders can be opened"
            }
            Self::Not => "not confined by Landlock: this kernel has none, or it is turned off (lsm=landlock,... on its command line)",
        })
    }
}

/// Why Landlock could not be used.
#[derive(Debug, thiserror::Error)]
#[error("Landlock refused: {0}; the daemon goes on without it")]
pub struct ConfineError(#[from] RulesetError);

/// Confines the calling thread and those that it starts from then on: call it when all folders are there, and before other threads begin. What a
/// new file of settings names elsewhere, after a reload, cannot be opened until the daemon begins anew.
///
/// # Errors
/// When the kernel refused; nothing is confined then.
pub fn confine(config: &Config, file: &Path) -> Result<Confined, ConfineError> {
    let read = AccessFs::from_read(RIGHTS) & !AccessFs::Execute;
    let write = AccessFs::from_all(RIGHTS) & !AccessFs::Execute & !AccessFs::MakeChar & !AccessFs::MakeBlock;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RIGHTS))?
        .create()?
        .add_rules(path_beneath_rules(readable(config, file), read))?
        .add_rules(path_beneath_rules(writable(config), write))?
        .restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => Confined::Fully,
        RulesetStatus::PartiallyEnforced => Confined::Partly,
        RulesetStatus::NotEnforced => Confined::Not,
    })
}

/// Folders, for a file that is replaced is another file.
fn readable(config: &Config, file: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = READ.iter().map(PathBuf::from).collect();
    paths.extend(folder_of(file));
    for path in config.rules.iter().chain(&config.indicators) {
        if path.is_dir() {
            paths.push(path.clone());
        } else {
            paths.extend(folder_of(path));
        }
    }
    for sink in &config.sinks {
        match &sink.target {
            Target::Webhook(hook) => {
                paths.extend(hook.ca.as_deref().and_then(folder_of));
                paths.extend(hook.client.as_ref().and_then(|(certificate, _)| folder_of(certificate)));
                let secrets = hook.secrets.iter().chain(&hook.token).chain(hook.client.as_ref().map(|(_, key)| key));
                paths.extend(secrets.filter_map(Secret::path).filter_map(|path| folder_of(&path)));
            }
            Target::Syslog(syslog) => paths.extend(syslog.ca.as_deref().and_then(folder_of)),
            Target::File(_) | Target::Journald => {}
        }
    }
    paths
}

fn writable(config: &Config) -> Vec<PathBuf> {
    let mut paths = vec![config.store.folder.clone(), PathBuf::from("/dev/null")];
    for sink in &config.sinks {
        if let Target::File(file) = &sink.target {
            paths.extend(folder_of(&file.path));
        }
    }
    paths.extend(GIVEN.iter().filter_map(std::env::var_os).map(PathBuf::from).filter(|path| path.is_absolute()));
    // SQLite puts what it sorts there; the unit gives the daemon folders of its own in their place.
    paths.extend([std::env::temp_dir(), PathBuf::from("/var/tmp")]);
    paths
}

fn folder_of(path: &Path) -> Option<PathBuf> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread;

    use super::*;
    use crate::config::{FileTarget, SinkSettings};

    #[test]
    fn a_confined_daemon_keeps_its_own_folders_and_loses_the_rest() {
        // Beside the test itself, for the temporary folder stays open to SQLite.
        let home = tempfile::tempdir_in(std::env::current_exe().unwrap().parent().unwrap()).unwrap();
        if home.path().starts_with(std::env::temp_dir()) {
            eprintln!("skipped: the test lies in the folder of temporary files, which the daemon may write");
            return;
        }
        let at = |name: &str| home.path().join(name);
        for folder in ["etc", "store", "log", "lists", "elsewhere"] {
            fs::create_dir(at(folder)).unwrap();
        }
        fs::write(at("elsewhere/diary"), "dear diary").unwrap();
        fs::write(at("lists/a.txt"), "evil.example").unwrap();
        let mut config = Config { indicators: vec![at("lists/a.txt")], ..Config::default() };
        config.store.folder = at("store");
        let mut sinks = SinkSettings::usual();
        sinks[0].target = Target::File(FileTarget { path: at("log/eve.json"), rotate_at: None, keep: 1 });
        config.sinks = sinks;
        let settings = at("etc/sidewatch.toml");

        // On a thread of its own: there is no way back.
        let paths: Vec<PathBuf> =
            ["store/x", "log/eve.json", "etc/new.toml", "lists/b.txt", "elsewhere/diary", "lists/a.txt"].map(at).into();
        let [store, log, new, list, diary, old_list] = paths.try_into().unwrap();
        let told = thread::spawn(move || {
            let confined = confine(&config, &settings).unwrap();
            if confined == Confined::Not {
                eprintln!("skipped: {confined}");
                return;
            }
            fs::write(&store, "x").unwrap();
            fs::write(&log, "x").unwrap();
            fs::rename(&log, log.with_extension("1")).unwrap();
            fs::remove_file(&store).unwrap();
            assert!(fs::read(&old_list).is_ok());
            assert!(fs::read("/etc/hosts").is_ok() && fs::read_to_string("/proc/self/status").is_ok());
            for (what, refused) in [
                ("a setting is written", fs::write(&new, "x")),
                ("a list is written", fs::write(&list, "x")),
                ("somebody's diary is read", fs::read(&diary).map(drop)),
                ("a program is started", std::process::Command::new("/bin/true").status().map(drop)),
            ] {
                assert_eq!(refused.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied, "{what}");
            }
        });
        told.join().unwrap();
    }
}
