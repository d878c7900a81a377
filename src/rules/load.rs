//! Rules from files and folders, on top of those that are shipped.

use std::fs;
use std::path::{Path, PathBuf};

use super::diagnosis::Diagnostic;
use super::file::Rules;

/// What is shipped: name and text.
const SHIPPED: [(&str, &str); 5] = [
    ("rules/devices.toml", include_str!("../../rules/devices.toml")),
    ("rules/redirects.toml", include_str!("../../rules/redirects.toml")),
    ("rules/portals.toml", include_str!("../../rules/portals.toml")),
    ("rules/operators.toml", include_str!("../../rules/operators.toml")),
    ("rules/dns_forged.toml", include_str!("../../rules/dns_forged.toml")),
];
/// The largest file of rules.
const LARGEST: u64 = 4 << 20;
/// Files of one folder.
const MOST_FILES: usize = 1_000;

/// Rules, and what is wrong with them.
#[derive(Debug, Default)]
pub struct LoadedRules {
    /// What is in force.
    pub rules: Rules,
    /// What is wrong, in order of files and lines.
    pub wrong: Vec<Diagnostic>,
}

/// The rules that are shipped.
#[must_use]
pub fn shipped() -> LoadedRules {
    load_rules(&[])
}

/// The shipped rules, and those of files and of the `*.toml` in folders.
#[must_use]
pub fn load_rules(paths: &[PathBuf]) -> LoadedRules {
    let mut loaded = LoadedRules::default();
    for (name, text) in SHIPPED {
        let wrong = loaded.rules.read(name, text);
        loaded.wrong.extend(wrong);
    }
    loaded.add_all(paths);
    loaded.wrong.extend(loaded.rules.dangling());
    loaded
}

/// The rules of files and folders alone.
#[must_use]
pub fn load_files(paths: &[PathBuf]) -> LoadedRules {
    let mut loaded = LoadedRules::default();
    loaded.add_all(paths);
    loaded
}

impl LoadedRules {
    fn add_all(&mut self, paths: &[PathBuf]) {
        for path in paths {
            match files(path) {
                Ok(files) => files.iter().for_each(|file| self.add(file)),
                Err(diagnostic) => self.wrong.push(diagnostic),
            }
        }
    }

    fn add(&mut self, path: &Path) {
        let name = path.display().to_string();
        let facts = fs::metadata(path).map_err(|error| error.to_string());
        let text = facts.and_then(|facts| match facts.len() {
            ..=LARGEST => fs::read_to_string(path).map_err(|error| error.to_string()),
            _ => Err("is larger than 4 MiB".to_owned()),
        });
        match text {
            Ok(text) => {
                let wrong = self.rules.read(&name, &text);
                self.wrong.extend(wrong);
            }
            Err(error) => self.wrong.push(whole(path, error, "give a text file in UTF-8 that can be read")),
        }
    }
}

/// The files that a path means, in order of name.
fn files(path: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| whole(path, error.to_string(), ""))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    match files.len() {
        0 => Err(whole(path, "holds no *.toml".to_owned(), "rules are files that end in .toml")),
        1..=MOST_FILES => Ok(files),
        _ => Err(whole(path, "holds more than 1,000 files".to_owned(), "join them")),
    }
}

fn whole(path: &Path, what: String, fix: &str) -> Diagnostic {
    Diagnostic { file: path.display().to_string(), line: 0, column: 0, what, fix: fix.to_owned() }
}
