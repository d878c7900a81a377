//! The borders of the code, held by reading it: what the pure halves may not touch, who may use which parser, what every file owes its reader.

#![allow(clippy::expect_used, reason = "a project that cannot be read fails its test")]

mod reader;

use std::fs;
use std::path::{Path, PathBuf};

use reader::{Source, strip};

/// The halves that take bytes and a packet time and give values.
const PURE: [&str; 2] = ["src/engine", "src/correlate"];

/// What would let the world into a pure half; also in part, by a glob or by a parent module brought in by name.
const WORLD: [&str; 14] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time",
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::collections::hash_set",
    "foldhash::fast::RandomState",
    "foldhash::quality::RandomState",
];

/// Plain values that live in modules of `WORLD`, and the trait that decoders of bytes in memory are written against.
const VALUES: [&str; 7] = [
    "std::io::Read",
    "std::net::AddrParseError",
    "std::net::IpAddr",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
    "std::net::SocketAddr",
    "std::time::Duration",
];

/// The dependencies that a pure half may use: they compute, and do nothing else. Every other one is kept out, those to come included.
const PURE_CRATES: [&str; 17] = [
    "aes_gcm",
    "brotli_decompressor",
    "domain",
    "etherparse",
    "flate2",
    "foldhash",
    "hashbrown",
    "hashlink",
    "hkdf",
    "html5gum",
    "httparse",
    "memchr",
    "psl",
    "ruzstd",
    "sha2",
    "thiserror",
    "url",
];

/// What a folder may not look at: the line runs one way, and the lower layers know of no attack.
const ONE_WAY: [(&str, &[&str]); 9] = [
    ("src/engine", &["crate::capture", "crate::correlate", "crate::alert", "crate::pump", "crate::cli"]),
    ("src/engine/decode", &["crate::engine::flow", "crate::engine::protocol", "crate::engine::case", "crate::engine::detect"]),
    ("src/engine/flow", &["crate::engine::detect"]),
    ("src/engine/dns", &["crate::engine::detect", "crate::engine::flow", "crate::engine::case"]),
    ("src/engine/protocol", &["crate::engine::flow", "crate::engine::case", "crate::engine::detect"]),
    ("src/correlate", &["crate::capture", "crate::pump", "crate::cli"]),
    ("src/alert", &["crate::capture", "crate::correlate", "crate::pump", "crate::cli"]),
    ("src/capture", &["crate::correlate", "crate::alert", "crate::rules", "crate::pump", "crate::cli"]),
    ("src/store", &["crate::capture", "crate::correlate", "crate::pump", "crate::sink", "crate::daemon", "crate::cli"]),
];

/// Crates with one home.
const HOMES: [(&str, &str); 9] = [
    ("backon", "src/sink"),
    ("hmac", "src/sink"),
    ("reqwest", "src/sink"),
    ("tokio_rustls", "src/sink"),
    ("pcap", "src/capture/live"),
    ("rusqlite", "src/store"),
    ("domain", "src/engine/protocol/dns"),
    ("etherparse", "src/engine/decode"),
    ("pcap_parser", "src/capture"),
];

/// The modules of the crate in the order of the line.
const LINE: [&str; 11] = ["capture", "engine", "correlate", "alert", "rules", "pump", "store", "sink", "config", "daemon", "cli"];

/// Lines of a source file, its unit tests included.
const LONGEST_FILE: usize = 450;

const DOC_BLOCK: [&str; 4] = ["What it sees", "Why it matters", "When it is wrong", "Reference"];

#[test]
fn the_pure_halves_touch_nothing_of_the_world() {
    let mut forbidden: Vec<String> = WORLD.iter().map(ToString::to_string).collect();
    let impure = dependencies().into_iter().filter(|name| !PURE_CRATES.contains(&name.as_str()));
    forbidden.extend(impure);
    assert!(forbidden.iter().any(|name| name == "clap"), "Cargo.toml was not understood");
    for half in PURE {
        no_breach(&code_of(half), &forbidden, "comes from outside, and the engine takes bytes and a packet time only");
    }
}

#[test]
fn the_line_runs_one_way() {
    for (folder, forbidden) in ONE_WAY {
        let forbidden: Vec<String> = forbidden.iter().map(ToString::to_string).collect();
        let sources = sources(folder);
        assert!(!sources.is_empty() || !root().join("src/engine/detect").exists(), "{folder} is gone, and its border with it");
        no_breach(&sources, &forbidden, "lies further down the line or above this layer");
    }
}

#[test]
fn each_parser_crate_has_one_home() {
    for (name, home) in HOMES {
        let elsewhere: Vec<Source> = all_sources().into_iter().filter(|source| !source.is_below(home)).collect();
        no_breach(&elsewhere, &[name.to_string()], &format!("is used in {home} only"));
    }
}

#[test]
fn the_pure_halves_deny_what_clippy_can_see() {
    for half in PURE {
        if code_of(half).len() < 2 {
            continue; // a placeholder has no code to guard
        }
        let root = read(&format!("{half}/mod.rs"));
        for lint in ["clippy::disallowed_methods", "clippy::disallowed_types", "clippy::indexing_slicing"] {
            let denied = root.lines().any(|line| line.starts_with("#![deny(") && line.contains(lint));
            assert!(denied, "{half}/mod.rs does not deny {lint}");
        }
        for source in code_of(half) {
            assert!(
                !source.code.contains("indexing_slicing") || source.path.ends_with("/mod.rs"),
                "{}: a lint of the border is allowed",
                source.path
            );
        }
    }
}

#[test]
fn every_file_begins_by_saying_what_may_live_in_it() {
    for source in all_sources() {
        let first = source.text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//! ") && first.len() > 20, "{} begins with {first:?}", source.path);
    }
}

#[test]
fn files_stay_small_and_are_named_for_what_they_do() {
    for source in all_sources() {
        let lines = source.text.lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines, more than {LONGEST_FILE}", source.path);
        for vague in ["common", "helpers", "manager", "types", "utils"] {
            assert!(!source.path.split(['/', '.']).any(|part| part == vague), "{}: {vague} says nothing", source.path);
        }
        assert!(!source.code.contains("fn get_"), "{}: a name begins with get_", source.path);
    }
}

#[test]
fn the_modules_are_declared_in_the_order_of_the_line() {
    let root = read("src/lib.rs");
    let declared: Vec<&str> = root.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(declared, LINE);
    let line = root.lines().find_map(|line| line.strip_prefix("//! capture -> Frame -> ")).expect("src/lib.rs opens with the line");
    for page in ["README.md", "docs/architecture.md"] {
        assert!(read(page).contains(line), "{page} does not show the line of src/lib.rs: capture -> Frame -> {line}");
    }
}

#[test]
fn each_detector_explains_itself_and_is_registered_once() {
    let folder = "src/engine/detect";
    let apart = ["mod.rs", "registry.rs", "tests.rs"];
    let detectors: Vec<Source> =
        sources(folder).into_iter().filter(|source| !apart.iter().any(|name| source.path == format!("{folder}/{name}"))).collect();
    for source in &detectors {
        let Some(stem) = source.path.strip_prefix(&format!("{folder}/")).and_then(|rest| rest.strip_suffix(".rs")) else { continue };
        if stem.contains('/') {
            continue; // tests of the detector beside it
        }
        let docs: Vec<&str> =
            source.text.lines().filter_map(|line| line.strip_prefix("///").or_else(|| line.strip_prefix("//!"))).collect();
        for heading in DOC_BLOCK {
            let there = docs.iter().any(|line| line.trim_start_matches([' ', '#', '*']).starts_with(heading));
            assert!(there, "{} has no {heading:?} in its doc block", source.path);
        }
        let rows = strip(&read(&format!("{folder}/registry.rs"))).lines().filter(|line| line.contains(&format!("{stem}::"))).count();
        assert_eq!(rows, 1, "{} should have one line in {folder}/registry.rs", source.path);
    }
    assert!(!root().join(folder).exists() || detectors.len() >= 5, "only {} detectors were found in {folder}", detectors.len());
}

#[test]
fn no_file_names_the_machine_it_was_written_on() {
    let machine = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tm", "p/bash")];
    let files = shipped_files(root());
    assert!(files.len() > 20, "only {} files were read", files.len());
    for path in files {
        let bytes = fs::read(&path).expect("a shipped file can be read");
        for place in machine {
            assert!(memchr::memmem::find(&bytes, place.as_bytes()).is_none(), "{} holds {place}", path.display());
        }
    }
}

#[test]
fn a_breach_is_the_thing_itself_a_part_of_it_or_its_whole_parent() {
    let forbidden = ["std::net".to_string(), "std::collections::HashMap".to_string()];
    for bad in
        ["std::net", "std::net::TcpStream", "std::net::*", "std::collections", "std::collections::*", "std::collections::HashMap::new"]
    {
        assert!(breach(bad, &forbidden).is_some(), "{bad} went through");
    }
    for good in ["std::net::IpAddr", "std::net::Ipv4Addr::from", "std::collections::BTreeMap", "hashbrown::HashMap", "std::network"] {
        assert_eq!(breach(good, &forbidden), None, "{good}");
    }
}

fn no_breach(sources: &[Source], forbidden: &[String], why: &str) {
    let breaches: Vec<String> = sources
        .iter()
        .flat_map(|source| source.paths().into_iter().map(move |path| (source, path)))
        .filter_map(|(source, path)| breach(&path, forbidden).map(|of| format!("{}: `{path}`: {of} {why}", source.path)))
        .collect();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// The forbidden path that `path` breaks.
fn breach<'a>(path: &str, forbidden: &'a [String]) -> Option<&'a str> {
    if VALUES.iter().any(|value| is_below(path, value)) {
        return None;
    }
    let whole = path.strip_suffix("::*").unwrap_or(path);
    let by_parent = path != whole || !path.starts_with("crate"); // `pub(in crate::engine)` brings nothing in
    forbidden.iter().find(|bad| is_below(whole, bad) || by_parent && is_below(bad, whole)).map(String::as_str)
}

fn is_below(path: &str, parent: &str) -> bool {
    path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The source files below a folder without those of unit tests; at least one must be there.
fn code_of(folder: &str) -> Vec<Source> {
    let sources: Vec<Source> = sources(folder).into_iter().filter(|source| !source.is_test()).collect();
    assert!(!sources.is_empty(), "no source was found below {folder}");
    sources
}

fn sources(folder: &str) -> Vec<Source> {
    let files = shipped_files(&root().join(folder)).into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    files.map(|path| relative(&path)).map(|path| Source::new(path.clone(), read(&path))).collect()
}

/// All of `src/`, of which 17 files were there before the first detector.
fn all_sources() -> Vec<Source> {
    let sources = sources("src");
    assert!(sources.len() >= 17, "only {} files were found below src", sources.len());
    sources
}

/// The files below `folder` that belong to the project, in order.
fn shipped_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder of the project can be listed").path()).collect();
    paths.sort();
    let foreign = |path: &Path| path.file_name().is_some_and(|name| name == ".git" || name == "target");
    let below = |path: PathBuf| if path.is_dir() { shipped_files(&path) } else { vec![path] };
    paths.into_iter().filter(|path| !foreign(path)).flat_map(below).collect()
}

/// The dependencies of Cargo.toml as code names them.
fn dependencies() -> Vec<String> {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("Cargo.toml is TOML");
    let table = manifest.get("dependencies").and_then(toml::Value::as_table).expect("Cargo.toml has dependencies");
    table.keys().map(|name| name.replace('-', "_")).collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).expect("the path lies in the project").to_string_lossy().replace('\\', "/")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
