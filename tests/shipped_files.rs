//! What is shipped beside the code says what is so: documents, licences, make targets, capture folders, the score baseline.

#![allow(clippy::expect_used, reason = "a project that cannot be read fails its test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Names of the capture folders that must be there at least, once there are any: a loud one and its quiet twin.
const FEWEST_CASES: usize = 2;

/// Pages that tests of their own write and compare.
const GENERATED: [&str; 1] = ["docs/detectors.md"];

#[test]
fn each_dependency_has_one_row_and_each_row_a_dependency() {
    let page = read("docs/dependencies.md");
    let (program, tests) = page.split_once("## In the tests").expect("the page has both sections");
    for (table, section) in [("dependencies", program), ("dev-dependencies", tests)] {
        let manifest = manifest();
        let wanted: Vec<&str> = manifest[table].as_table().expect("a table of dependencies").keys().map(String::as_str).collect();
        assert!(!wanted.is_empty(), "Cargo.toml has no {table}");
        let rows: Vec<[&str; 3]> = section.lines().filter_map(row).collect();
        let named: Vec<&str> = rows.iter().map(|[name, ..]| *name).collect();
        assert_eq!(named, sorted(wanted), "rows of docs/dependencies.md beside [{table}]");
        for [name, licence, why] in rows {
            assert!(!licence.is_empty() && why.ends_with('.') && why.len() > 20, "the row of {name} says too little");
        }
    }
}

#[test]
fn no_dependency_comes_from_outside_the_registry() {
    let lock: toml::Table = read("Cargo.lock").parse().expect("Cargo.lock is TOML");
    let packages = lock["package"].as_array().expect("packages");
    assert!(packages.len() > 50, "only {} packages were read", packages.len());
    for package in packages {
        let source = package.get("source").and_then(toml::Value::as_str);
        let ours = package["name"].as_str() == Some("sidewatch");
        assert!(source.map_or(ours, |source| source.starts_with("registry+")), "{} comes from {source:?}", package["name"]);
    }
}

#[test]
fn the_readme_shows_the_two_commands_and_make_knows_them() {
    let readme = read("README.md");
    let makefile = read("Makefile");
    for target in ["demo", "test", "lint", "bench", "help"] {
        assert!(makefile.lines().any(|line| line.starts_with(&format!("{target}:"))), "the Makefile has no target {target}");
    }
    for command in ["make demo", "make test"] {
        assert!(readme.contains(command), "the README does not show `{command}`");
    }
    assert!(readme.lines().count() < 150, "the README has grown past what is read");
}

#[test]
fn the_demo_replays_folders_that_are_there() {
    if !root().join("pcaps").exists() {
        return;
    }
    for variable in ["DEMO_LOUD", "DEMO_QUIET"] {
        let makefile = read("Makefile");
        let value = makefile.lines().find_map(|line| line.strip_prefix(variable)?.trim_start().strip_prefix(":=")).unwrap_or_default();
        assert!(!value.trim().is_empty(), "the Makefile does not set {variable}");
        for folder in value.split_whitespace() {
            assert!(root().join(folder).is_dir(), "{variable} of the Makefile names {folder}, which is not there");
        }
    }
}

#[test]
fn each_case_has_its_capture_its_expectation_and_its_origin() {
    let Ok(entries) = fs::read_dir(root().join("pcaps")) else { return };
    let cases: Vec<_> = entries.map(|entry| entry.expect("a case can be listed").path()).filter(|path| path.is_dir()).collect();
    assert!(cases.len() >= FEWEST_CASES, "only {} cases are in pcaps/", cases.len());
    for case in cases {
        let files: BTreeSet<String> = fs::read_dir(&case)
            .expect("a case can be listed")
            .map(|entry| entry.expect("a file can be listed").file_name().to_string_lossy().into_owned())
            .collect();
        let captures = files.iter().filter(|name| name.starts_with("capture.")).count();
        assert_eq!(captures, 1, "{} holds {captures} captures", case.display());
        for name in ["expected.json", "README.md"] {
            assert!(files.contains(name), "{} has no {name}", case.display());
        }
        let beside = ["indicators.txt", "rules.toml"].iter().filter(|name| files.contains(**name)).count();
        assert_eq!(files.len(), 3 + beside, "{} holds more than a case: {files:?}", case.display());
    }
}

#[test]
fn the_licences_are_those_of_the_manifest() {
    assert_eq!(manifest()["package"]["license"].as_str(), Some("MIT OR Apache-2.0"));
    assert!(read("LICENSE-MIT").contains("Copyright 2026 The Sidewatch contributors"));
    assert!(read("LICENSE-APACHE").contains("Version 2.0, January 2004"));
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut followed = 0;
    for page in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/architecture.md", "docs/dependencies.md"] {
        let folder = root().join(page);
        let folder = folder.parent().expect("a page lies in a folder");
        let text = read(page);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()).filter(|target| !target.is_empty());
        for target in targets.filter(|target| !target.contains("://")) {
            let there = folder.join(target).exists() || GENERATED.iter().any(|page| page.ends_with(target));
            assert!(there, "{page} links to {target}, which is not there");
            followed += 1;
        }
    }
    assert!(followed >= 5, "only {followed} links were followed");
}

#[test]
fn the_score_baseline_can_be_compared_with() {
    let baseline = read(".ci/score-baseline");
    let facts: Vec<Vec<&str>> =
        baseline.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_whitespace().collect()).collect();
    for figure in ["exact", "unexplained", "false_alarms", "failures"] {
        let values: Vec<_> = facts.iter().filter(|fact| fact.first() == Some(&figure)).collect();
        let [value] = values.as_slice() else { panic!("{figure} should have one line in .ci/score-baseline") };
        assert!(value.len() == 2 && value[1].parse::<u32>().is_ok(), "{value:?}");
    }
    let known = ["exact", "unexplained", "false_alarms", "failures", "not_exact"];
    assert!(facts.iter().all(|fact| known.contains(fact.first().unwrap_or(&""))), "a line of .ci/score-baseline means nothing");
}

/// The cells of a table row; none for other lines, the heading and the rule below it.
fn row(line: &str) -> Option<[&str; 3]> {
    let cells: Vec<&str> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let cells: [&str; 3] = cells.try_into().ok()?;
    (cells[0] != "crate" && !cells[0].starts_with('-')).then_some(cells)
}

fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

fn manifest() -> toml::Table {
    read("Cargo.toml").parse().expect("Cargo.toml is TOML")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
