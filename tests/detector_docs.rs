//! `docs/detectors.md` is what the doc blocks of the detectors say, in the registry's order.

use sidewatch::correlate::{chain, local, web};
use sidewatch::engine::detect::registry::{DETECTORS, OF_DNS};
use sidewatch::engine::detect::{Described, Group};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "docs/detectors.md";
const FOLDER: &str = "src/engine/detect";

/// Files of the folder that are no detector.
const APART: [&str; 3] = ["mod", "registry", "tests"];

/// Detectors of what needs one place where all connections and messages are seen.
const LOCAL: &str = "src/correlate/local";
const LOCAL_APART: [&str; 7] = ["mod", "addresses", "harmless", "incidents", "pinned", "tell", "tests"];

/// The detector of what clients do afterwards.
const CHAIN: &str = "src/correlate/chain";
const CHAIN_APART: [&str; 5] = ["mod", "contacts", "led", "seen", "tests"];
/// Detectors of web answers of other times.
const WEB: &str = "src/correlate/web";
const WEB_APART: [&str; 3] = ["mod", "fifo", "tell"];

const HEADINGS: [&str; 4] = ["What it sees", "Why it matters", "When it is wrong", "Reference"];

const PREFACE: &str = "\
# Detectors

Made from the doc blocks in `src/engine/detect/` and in `chain/`, `local/` and `web/` of `src/correlate/`; `SIDEWATCH_BLESS=1 cargo test` writes it anew. Each detector of a connection
looks at a suspect packet beside the server's other packets, and gives evidence: it never decides alone that something was forged. Within a group only the
strongest detector counts, except that header votes and points of content are added up. The detectors of the local network, S14 and its kin, add up what
speaks against one machine, and hold it down where harmless explanations stand: from 25 points it is a record of severity 3, from 40 severity 2, from 65
severity 1. S15 looks at a question of DNS and its answers, and its points add up.
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
    let codes: BTreeSet<&str> = registered().iter().map(|detector| detector.code).collect();
    assert_eq!(codes.len(), registered().len(), "two detectors have one code");
    let files = explained(FOLDER, &APART);
    let documented: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(documented, codes, "codes of the doc blocks beside those of the registry");
    let registry = fs::read_to_string(root().join(FOLDER).join("registry.rs")).unwrap();
    for file in files.values() {
        let rows = registry.matches(&format!("&{}::", file.stem)).count();
        assert_eq!(rows, 1, "{}.rs should be listed once in {FOLDER}/registry.rs", file.stem);
    }
}

#[test]
fn each_detector_of_the_local_network_is_listed_once() {
    let codes: BTreeSet<&str> = local::DETECTORS.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes.len(), local::DETECTORS.len(), "two detectors have one code");
    let files = explained(LOCAL, &LOCAL_APART);
    assert_eq!(files.keys().map(String::as_str).collect::<BTreeSet<_>>(), codes);
    let codes: BTreeSet<&str> = chain::DETECTORS.iter().map(|(code, _)| *code).collect();
    assert_eq!(explained(CHAIN, &CHAIN_APART).keys().map(String::as_str).collect::<BTreeSet<_>>(), codes);
}

#[test]
fn each_detector_of_web_answers_is_listed_once() {
    let codes: BTreeSet<&str> = web::DETECTORS.iter().map(|(code, _)| *code).collect();
    assert_eq!(explained(WEB, &WEB_APART).keys().map(String::as_str).collect::<BTreeSet<_>>(), codes);
}

#[test]
fn each_doc_block_has_the_four_headings_in_order_and_something_below_each() {
    let across = explained(LOCAL, &LOCAL_APART).into_iter().chain(explained(CHAIN, &CHAIN_APART)).chain(explained(WEB, &WEB_APART));
    for file in explained(FOLDER, &APART).into_iter().chain(across).map(|(_, file)| file) {
        let headings: Vec<&str> = file.body.iter().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}.rs", file.stem);
        let mut sections = file.body.split(|line| line.starts_with("## "));
        assert!(sections.next().unwrap().iter().all(String::is_empty), "{}.rs says something before its first heading", file.stem);
        for (heading, section) in HEADINGS.iter().zip(sections) {
            assert!(section.iter().any(|line| line.len() > 10), "{}.rs: {heading} says nothing", file.stem);
        }
    }
}

/// All detectors, those of scenes first.
fn registered() -> Vec<Described> {
    let of_scenes =
        DETECTORS.iter().map(|detector| Described { code: detector.code(), version: detector.version(), group: detector.group() });
    let of_dns = OF_DNS.iter().map(|Described { code, version, group }| Described { code, version: *version, group: *group });
    of_scenes.chain(of_dns).collect()
}

fn page() -> String {
    let (mut files, mut local_files) = (explained(FOLDER, &APART), explained(LOCAL, &LOCAL_APART));
    local_files.extend(explained(CHAIN, &CHAIN_APART));
    let mut page = PREFACE.to_owned();
    page.push_str("\n| code | finds | group | version |\n|---|---|---|---|\n");
    let of_flows = registered().into_iter().map(|detector| (detector.code, detector.version, name(detector.group), FOLDER));
    let of_networks = local::DETECTORS.iter().map(|(code, version)| (*code, *version, "local network", LOCAL));
    let mut web_files = explained(WEB, &WEB_APART);
    let of_chains = chain::DETECTORS.iter().map(|(code, version)| (*code, *version, "chain", CHAIN));
    let of_webs = web::DETECTORS.iter().map(|(code, version)| (*code, *version, "across flows", WEB));
    let told: Vec<_> = of_flows
        .chain(of_chains)
        .chain(of_networks)
        .chain(of_webs)
        .filter_map(|row| Some((row, files.remove(row.0).or_else(|| local_files.remove(row.0)).or_else(|| web_files.remove(row.0))?)))
        .collect();
    for ((code, version, group, folder), file) in &told {
        writeln!(page, "| {code} | [{}](../{folder}/{}.rs) | {group} | {version} |", file.title.trim_end_matches('.'), file.stem).unwrap();
    }
    for ((code, version, group, _), file) in &told {
        write!(page, "\n## {code}: {}\n\n", file.title.trim_end_matches('.')).unwrap();
        writeln!(page, "Code {code}, version {version}, group: {group}.").unwrap();
        for line in &file.body {
            writeln!(page, "{}{line}", if line.starts_with("## ") { "#" } else { "" }).unwrap();
        }
    }
    page
}

/// The doc blocks by the code that their first line begins with.
fn explained(folder: &str, apart: &[&str]) -> BTreeMap<String, Explained> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() || apart.contains(&stem.as_str()) {
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

const fn name(group: Group) -> &'static str {
    match group {
        Group::Contradiction => "contradiction",
        Group::Header => "header vote",
        Group::Device => "known device",
        Group::Timing => "timing",
        Group::Indicator => "G, a listed indicator",
        Group::Content => "content",
        Group::Downgrade => "downgrade",
        Group::Class => "class only",
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
