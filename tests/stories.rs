//! The folders of `pcaps/` against the stories that they are made from.

use crate::support::cases::{Case, all};
use flate2::read::GzDecoder;
use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The list of indicators that a case is replayed with.
pub(crate) const INDICATORS: &str = "indicators.txt";

/// The rules that a case is replayed with.
pub(crate) const RULES: &str = "rules.toml";

const CAPTURE_NAMES: [&str; 3] = ["capture.pcap", "capture.pcapng", "capture.pcap.gz"];

fn pcaps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps")
}

#[test]
fn each_folder_holds_what_its_story_gives() {
    let bless = std::env::var_os("SIDEWATCH_BLESS").is_some();
    let wrong: Vec<String> = all().iter().flat_map(|case| check(case, bless)).collect();
    assert!(wrong.is_empty(), "differs from its story (SIDEWATCH_BLESS=1 writes it anew):\n{}", wrong.join("\n"));
}

/// Names of the files of the case's folder that are not what they should be.
fn check(case: &Case, bless: bool) -> Vec<String> {
    let told = case.told();
    let folder = pcaps().join(&case.name);
    let capture = told.container.file_name();
    let mut files = vec![
        (capture, told.container.write(&told.story)),
        ("expected.json", told.expected_json().into_bytes()),
        ("README.md", case.readme().into_bytes()),
    ];
    files.extend(told.indicators.map(|list| (INDICATORS, list.as_bytes().to_vec())));
    files.extend(told.rules.map(|rules| (RULES, rules.as_bytes().to_vec())));
    if bless {
        fs::create_dir_all(&folder).unwrap();
        for stale in CAPTURE_NAMES.iter().filter(|name| **name != capture) {
            fs::remove_file(folder.join(stale)).ok();
        }
    }
    let mut wrong = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|found| plain(name, &found) == plain(name, &content)) {
            continue;
        }
        if bless {
            fs::write(path, content).unwrap();
        } else {
            wrong.push(format!("{}/{name}", case.name));
        }
    }
    wrong
}

/// The content under gzip, which another version of the compressor may pack otherwise.
fn plain(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    if name.ends_with(".gz") && GzDecoder::new(content).read_to_end(&mut bytes).is_ok() { bytes } else { content.to_vec() }
}

#[test]
fn no_folder_is_without_a_story() {
    let told = all().into_iter().map(|case| case.name);
    let recorded = crate::lab::cases::all().into_iter().map(|case| case.name());
    let in_the_lan = crate::lab::lan::scenes().into_iter().map(|scene| scene.name.to_owned());
    let known: BTreeSet<String> = told.chain(recorded).chain(in_the_lan).collect();
    let found = fs::read_dir(pcaps()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let strays: Vec<String> = found.filter(|name| !known.contains(name)).collect();
    assert!(strays.is_empty(), "neither a story nor the lab gives {strays:?}");
}

#[test]
fn each_case_has_a_name_of_its_own() {
    let names: BTreeSet<String> = all().into_iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all().len());
}

#[test]
fn every_loud_case_has_a_quiet_twin() {
    let cases = all();
    for case in cases.iter().filter(|case| !case.told().expected.quiet) {
        let twin = format!("{}-quiet", case.name);
        assert!(cases.iter().any(|other| other.name == twin), "{} has no quiet twin", case.name);
    }
}

#[test]
fn the_captures_stay_small() {
    let sizes = all()
        .iter()
        .map(|case| {
            let told = case.told();
            told.container.write(&told.story).len()
        })
        .collect::<Vec<_>>();
    assert!(sizes.iter().all(|size| *size < 64 << 10), "a case of a few kilobytes tells as much");
    assert!(sizes.iter().sum::<usize>() < 3 << 20);
}
