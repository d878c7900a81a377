//! `docs/detectors.md` is what the doc blocks of the detectors say, in the registry's order.

use sidewatch::engine::detect::registry::DETECTORS;
use sidewatch::engine::detect::{Detector, Group};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/detectors.md";
const FOLDER: &str = "src/engine/detect";

/// Files of the folder that are no detector.
const APART: [&str; 3] = ["mod", "registry", "tests"];

const HEADINGS: [&str; 4] = ["What it sees", "Why it matters", "When it is wrong", "Reference"];

const PREFACE: &str = "\
# Detectors

Made from the doc blocks in `src/engine/detect/`; `SIDEWATCH_BLESS=1 cargo test` writes it anew. Each detector looks at a suspect packet beside the
server's other packets, and gives evidence: it never decides alone that something was forged. Within a group only the strongest detector counts,
except that header votes and points of content are added up.
";

/// A detector's file: its name without the suffix, and its doc block.
struct Explained {
    stem: String,
    title: String,
    body: Vec<String>,
}

#[test]
fn the_page_is_what_the_detectors_say() {
    let page = page();
    let path = root().join(PAGE);
    if std::env::var_os("SIDEWATCH_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == page, "{PAGE} differs from the doc blocks (SIDEWATCH_BLESS=1 writes it anew)");
}

#[test]
fn each_detector_is_registered_under_a_code_of_its_own() {
    let codes: BTreeSet<&str> = DETECTORS.iter().map(|detector| detector.code()).collect();
    assert_eq!(codes.len(), DETECTORS.len(), "two detectors have one code");
    let files = explained();
    let documented: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(documented, codes, "codes of the doc blocks beside those of the registry");
    let registry = fs::read_to_string(root().join(FOLDER).join("registry.rs")).unwrap();
    for file in files.values() {
        let rows = registry.lines().filter(|line| line.trim_start().starts_with(&format!("&{}::", file.stem))).count();
        assert_eq!(rows, 1, "{}.rs should have one line in {FOLDER}/registry.rs", file.stem);
    }
}

#[test]
fn each_doc_block_has_the_four_headings_in_order_and_something_below_each() {
    for file in explained().values() {
        let headings: Vec<&str> = file.body.iter().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}.rs", file.stem);
        let mut sections = file.body.split(|line| line.starts_with("## "));
        assert!(sections.next().unwrap().iter().all(String::is_empty), "{}.rs says something before its first heading", file.stem);
        for (heading, section) in HEADINGS.iter().zip(sections) {
            assert!(section.iter().any(|line| line.len() > 10), "{}.rs: {heading} says nothing", file.stem);
        }
    }
}

fn page() -> String {
    let mut files = explained();
    let mut page = PREFACE.to_owned();
    page.push_str("\n| code | finds | group | version |\n|---|---|---|---|\n");
    let told: Vec<(&dyn Detector, Explained)> =
        DETECTORS.iter().filter_map(|detector| Some((*detector, files.remove(detector.code())?))).collect();
    for (detector, file) in &told {
        let (code, group, version) = (detector.code(), name(detector.group()), detector.version());
        writeln!(page, "| {code} | [{}]({}) | {group} | {version} |", file.title.trim_end_matches('.'), source(&file.stem)).unwrap();
    }
    for (detector, file) in &told {
        write!(page, "\n## {}: {}\n\n", detector.code(), file.title.trim_end_matches('.')).unwrap();
        writeln!(page, "Code {}, version {}, group: {}.", detector.code(), detector.version(), name(detector.group())).unwrap();
        for line in &file.body {
            writeln!(page, "{}{line}", if line.starts_with("## ") { "#" } else { "" }).unwrap();
        }
    }
    page
}

/// The doc blocks by the code that their first line begins with.
fn explained() -> BTreeMap<String, Explained> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(root().join(FOLDER)).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() || APART.contains(&stem.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.trim().to_owned());
        let first = lines.next().unwrap_or_default();
        let Some((code, title)) = first.split_once(": ") else { panic!("{stem}.rs does not begin with a code, as in `//! S42: ...`") };
        let twin = files.insert(code.to_owned(), Explained { stem, title: title.to_owned(), body: lines.collect() });
        assert!(twin.is_none(), "two files explain {code}");
    }
    files
}

fn source(stem: &str) -> String {
    format!("../{FOLDER}/{stem}.rs")
}

const fn name(group: Group) -> &'static str {
    match group {
        Group::Contradiction => "contradiction",
        Group::Header => "header vote",
        Group::Device => "known device",
        Group::Timing => "timing",
        Group::Indicator => "G, a listed indicator",
        Group::Content => "content",
        Group::Class => "class only",
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
