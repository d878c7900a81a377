//! Lists of indicators on the command line: what is loaded, what is left out, and that nothing of the network is lost.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn sidewatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidewatch")).args(arguments).output().unwrap()
}

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(name)
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_store_says_and_finds_what_its_list_did() {
    let list = case("listed-contact").join("indicators.txt");
    let here = folder(&[]);
    let store = here.path().join("all.store");
    let import = sidewatch(&["indicators", "import", shown(&list), "--out", shown(&store)]);
    assert_eq!((import.status.code(), text(&import.stderr).as_str()), (Some(0), ""));
    assert_eq!(sidewatch(&["indicators", "list", shown(&store)]).stdout, import.stdout);
    assert!(text(&import.stdout).contains("domain-name 1, url 1, ipv4-addr 1"), "{}", text(&import.stdout));

    for name in ["listed-contact", "listed-forged-redirect", "listed-address", "listed-contact-quiet"] {
        let replayed = |with: &Path| sidewatch(&["replay", "--format", "json", shown(&case(name)), "--indicators", shown(with)]);
        let (by_list, by_store) = (replayed(&list), replayed(&store));
        assert_eq!(by_list.status.code(), Some(0));
        assert_eq!(by_list.stdout, by_store.stdout, "{name}");
        let many = sidewatch(&["replay", "--format", "json", "--workers", "3", shown(&case(name)), "--indicators", shown(&store)]);
        assert_eq!(many.stdout, by_store.stdout, "{name} on three workers");
    }
    assert_eq!(fs::read_dir(here.path()).unwrap().count(), 1, "nothing is left beside the store");
}

#[test]
fn an_alert_tells_list_date_entry_and_place() {
    let folder = case("listed-redirect-by-site");
    let list = folder.join("indicators.txt");
    let run = sidewatch(&["replay", "--format", "json", shown(&folder), "--indicators", shown(&list)]);
    let alert: Value = serde_json::from_slice(&run.stdout).unwrap();
    let expected = serde_json::json!([{
        "value": "updates[.]test", "type": "domain-name", "list": "indicators.txt", "list_date": "2026-01-02",
        "seen": "location", "met": "http://x9q2.updates.test/land",
    }]);
    assert_eq!(alert["alert"]["context"]["injection"]["indicators"], expected);
    assert_eq!(alert["alert"]["severity"], 1);
    let words = text(&sidewatch(&["replay", shown(&folder), "--indicators", shown(&list)]).stdout);
    assert!(words.contains("Listed indicators\n  - domain-name updates[.]test on indicators.txt (2026-01-02)"), "{words}");
}

/// The alerts on a case that is replayed with its list.
fn told(name: &str) -> Vec<Value> {
    let list = case(name).join("indicators.txt");
    let run = sidewatch(&["replay", "--format", "json", shown(&case(name)), "--indicators", shown(&list)]);
    text(&run.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_whole_story_is_one_alert_that_tells_it_in_order() {
    for (name, verdict) in [("listed-whole-story", "on_path_injection"), ("listed-whole-story-by-site", "endpoint_redirect")] {
        let alerts = told(name);
        let [alert] = alerts.as_slice() else { panic!("{name}: {} alerts", alerts.len()) };
        let said = &alert["alert"]["context"]["injection"];
        assert_eq!((&alert["alert"]["severity"], &said["verdict"]), (&1.into(), &verdict.into()), "{name}");
        assert_eq!(said["redirect"]["from"], "http://news.example/");
        let steps: Vec<&Value> = said["redirect"]["followed"]["steps"].as_array().unwrap().iter().collect();
        let how: Vec<&str> = steps.iter().filter_map(|step| step["how"].as_str()).collect();
        assert_eq!(how, ["dns_question", "tcp_connection", "tls_hello"], "{name}");
        let forged = said["forged"]["frame"].as_u64().unwrap();
        let frames: Vec<u64> = [forged].into_iter().chain(steps.iter().filter_map(|step| step["frame"].as_u64())).collect();
        assert!(frames.len() == 4 && frames.is_sorted(), "{name}: {frames:?}");
        assert_eq!((&steps[1]["port"], &steps[2]["name"]), (&30297.into(), &"x9q2.updates.test".into()), "{name}");
        let words = said["explanation"].as_str().unwrap();
        let places: Vec<usize> =
            ["asked for http://news.example/", "sent the device to https://x9q2.updates.test:30297/", "went there", "updates[.]test"]
                .iter()
                .map(|part| words.find(part).unwrap_or_else(|| panic!("{name}: no {part} in {words}")))
                .collect();
        assert!(places.is_sorted(), "{name}: {words}");
    }
    for name in ["listed-whole-story-quiet", "listed-whole-story-by-site-quiet"] {
        assert!(told(name).iter().all(|alert| alert["alert"]["severity"] == 3), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_told_by_file_and_line() {
    let here = folder(&[("a.txt", "evil.example\nnot a name\n"), ("b.json", "{\"objects\": [")]);
    let (list, cut) = (here.path().join("a.txt"), here.path().join("b.json"));
    let check = sidewatch(&["indicators", "check", shown(&list)]);
    assert_eq!(check.status.code(), Some(3));
    assert!(text(&check.stderr).starts_with("a.txt:2: \"not a name\""), "{}", text(&check.stderr));
    assert_eq!(sidewatch(&["indicators", "list", shown(&list)]).status.code(), Some(0));

    let store = here.path().join("s");
    fs::write(&store, "old").unwrap();
    for bad in [&cut, &here.path().join("gone.txt")] {
        let import = sidewatch(&["indicators", "import", shown(&list), shown(bad), "--out", shown(&store)]);
        assert_eq!(import.status.code(), Some(2));
        assert!(text(&import.stderr).contains(shown(bad)), "{}", text(&import.stderr));
        assert_eq!(sidewatch(&["replay", shown(&case("listed-contact")), "--indicators", shown(bad)]).status.code(), Some(2));
    }
    assert_eq!(fs::read(&store).unwrap(), b"old", "what was there stays until the new one is whole");
}

#[test]
fn lists_that_need_more_than_the_memory_are_refused_with_the_figure() {
    let names: String = (0..120_000).map(|n| format!("host-{n}.a-rather-long-name-{n}.example\n")).collect();
    let here = folder(&[("big.txt", &names)]);
    let run = sidewatch(&["replay", "--memory", "64", shown(&case("listed-contact")), "--indicators", shown(&here.path().join("big.txt"))]);
    assert_eq!(run.status.code(), Some(2));
    assert!(text(&run.stderr).contains("give --memory "), "{}", text(&run.stderr));
}

/// Published lists lie beside the checkout where the score is taken.
#[test]
fn published_lists_load_without_loss_of_a_network_indicator() {
    let Some(shared) = std::env::var_os("SIDEWATCH_SHARED") else { return };
    let lists = Path::new(&shared).join("corpus/indicators");
    let Ok(entries) = fs::read_dir(lists) else { return };
    for path in entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|kind| kind == "stix2")) {
        let bundle: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let patterns: Vec<&str> = bundle["objects"].as_array().unwrap().iter().filter_map(|object| object["pattern"].as_str()).collect();
        let domains = patterns.iter().filter(|pattern| pattern.starts_with("[domain-name:value=")).count();
        let listed = text(&sidewatch(&["indicators", "check", shown(&path)]).stdout);
        assert!(domains > 100 && listed.contains(&format!("domain-name {domains}\n")), "{listed}");
        assert!(listed.contains(&format!("{} left out, 0 unreadable", patterns.len() - domains)), "{listed}");
    }
}
