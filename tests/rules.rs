//! Rules on the command line: what is wrong with them, what they match, and what they change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::cases::PINS;

fn sidewatch(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidewatch")).args(arguments).output().unwrap()
}

fn rules(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(name).join("capture.pcap")
}

fn shown(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The alerts of a case with rules.
fn alerts(rule: &str, name: &str) -> Vec<Value> {
    let (_folder, path) = rules(rule);
    let run = sidewatch(&["replay", "--format", "json", shown(&case(name)), "--rules", shown(&path)]);
    assert_eq!((run.status.code(), text(&run.stderr).as_str()), (Some(0), ""));
    text(&run.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn verdicts(alerts: &[Value]) -> Vec<(u64, &str)> {
    alerts.iter().map(|alert| (alert["alert"]["severity"].as_u64().unwrap(), injection(alert)["verdict"].as_str().unwrap())).collect()
}

fn injection(alert: &Value) -> &Value {
    &alert["alert"]["context"]["injection"]
}

const LAB: &str = "[[suppress]]\nname = \"lab\"\nreason = \"ours\"\nnetworks = [\"192.0.2.0/24\"]\n";

#[test]
fn the_shipped_rules_are_right_and_listed() {
    let check = sidewatch(&["rules", "check"]);
    assert_eq!((check.status.code(), text(&check.stderr).as_str()), (Some(0), ""));
    let list = text(&sidewatch(&["rules", "list"]).stdout);
    for word in
        ["device      PacketLogic", "redirect    link shorteners", "portal      Apple", "operator    ", "pool        Great Firewall"]
    {
        assert!(list.contains(word), "{list}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place_and_stops_a_replay() {
    let (_folder, path) = rules("[[suppress]]\nname = \"lab\"\nreson = \"ours\"\nnetworks = [\"192.0.2.0/24\"]\n");
    let check = sidewatch(&["rules", "check", shown(&path)]);
    assert_eq!(check.status.code(), Some(2));
    let expected = format!("{}:3:1: there is no key `reson` here\n  fix: did you mean `reason`?\n", shown(&path));
    assert_eq!(text(&check.stderr), expected);
    let run = sidewatch(&["replay", shown(&case("race-302-on-get")), "--rules", shown(&path)]);
    assert_eq!((run.status.code(), run.stdout.len()), (Some(2), 0));
    assert!(text(&run.stderr).contains("3:1: there is no key `reson`"));
}

#[test]
fn a_suppression_holds_for_what_it_names_and_until_it_expires_by_the_packets() {
    assert_eq!(verdicts(&alerts(LAB, "race-302-on-get")), []);
    for elsewhere in
        ["networks = [\"203.0.113.0/24\"]", "hosts = [\"ws.example\"]", "detectors = [\"S11\"]", "devices = [\"Great Cannon\"]"]
    {
        let rule = format!("[[suppress]]\nname = \"x\"\nreason = \"y\"\n{elsewhere}\n");
        assert_eq!(verdicts(&alerts(&rule, "race-302-on-get")), [(1, "on_path_injection")], "{elsewhere}");
    }
    let tool = "[[suppress]]\nname = \"x\"\nreason = \"y\"\ndevices = [\"Packet tool with default fields (as scapy has)\"]\nhosts = [\"news.example\"]\n";
    assert_eq!(verdicts(&alerts(tool, "race-302-on-get")), []);
    assert_eq!(verdicts(&alerts(&format!("{LAB}expires = 2026-01-05\n"), "race-302-on-get")), [], "the packets are of that day");
    assert_eq!(verdicts(&alerts(&format!("{LAB}expires = 2026-01-04\n"), "race-302-on-get")), [(1, "on_path_injection")]);

    let (_folder, path) = rules(&format!("{LAB}expires = 2020-01-01\n"));
    let check = sidewatch(&["rules", "check", shown(&path)]);
    assert_eq!(check.status.code(), Some(2));
    assert!(text(&check.stderr).contains("5:11: the [[suppress]] \"lab\" expired on 2020-01-01"), "{}", text(&check.stderr));
}

#[test]
fn a_fingerprint_that_nobody_knows_is_told() {
    let (_folder, path) = rules("[[suppress]]\nname = \"x\"\nreason = \"y\"\ndevices = [\"02:00:00:00:00:17\", \"Great Canon\"]\n");
    let check = sidewatch(&["rules", "check", shown(&path)]);
    assert_eq!(check.status.code(), Some(2));
    assert!(
        text(&check.stderr).contains(":4:33: \"Great Canon\" is neither a fingerprint nor a hardware address"),
        "{}",
        text(&check.stderr)
    );
    let by_address = "[[suppress]]\nname = \"x\"\nreason = \"y\"\ndevices = [\"02:00:00:00:00:17\"]\n";
    assert_eq!(verdicts(&alerts(by_address, "race-302-on-get")), [], "the watched device's own");
}

#[test]
fn what_was_suppressed_is_counted() {
    let (_folder, path) = rules(LAB);
    let run = sidewatch(&["replay", "--stats", shown(&case("race-302-on-get")), "--rules", shown(&path)]);
    assert!(text(&run.stderr).lines().any(|line| line.split_whitespace().eq(["suppressed", "1"])), "{}", text(&run.stderr));
}

#[test]
fn a_severity_is_given_and_the_alert_says_by_which_rule() {
    let rule = "[[severity]]\nname = \"lab\"\nreason = \"our own tests\"\nverdicts = [\"on_path_injection\"]\nseverity = 3\n";
    let told = alerts(rule, "race-302-on-get");
    assert_eq!(verdicts(&told), [(3, "on_path_injection")]);
    let considered = injection(&told[0])["considered"].as_array().unwrap().last().unwrap();
    assert_eq!(considered["why"], "the rule \"lab\" gives severity 3 in place of 1: our own tests");
}

#[test]
fn a_list_explains_redirects_and_bounds_move_grades() {
    assert_eq!(verdicts(&alerts("", "web-ad-chain")).len(), 2);
    let tracker = "[[redirect]]\nname = \"ads\"\nhabit = \"tracker\"\ndomains = [\"adsone.test\", \"adstwo.test\"]\n";
    assert_eq!(verdicts(&alerts(tracker, "web-ad-chain")), []);
    assert_eq!(verdicts(&alerts("[thresholds]\nlow = 30\n", "web-ad-chain")), []);
}

#[test]
fn bounds_move_the_grades_of_the_local_network_too() {
    assert_eq!(verdicts(&alerts("", "local-dhcp-race")), [(2, "local_mitm")]);
    assert_eq!(verdicts(&alerts("[thresholds]\nmedium = 65\nhigh = 70\n", "local-dhcp-race")), [(3, "inconclusive")]);
    assert_eq!(verdicts(&alerts("[thresholds]\nlow = 65\nmedium = 70\nhigh = 80\n", "local-dhcp-race")), []);
    assert_eq!(
        verdicts(&alerts("[thresholds]\nmedium = 30\nhigh = 50\n", "local-dhcp-race")),
        [(2, "local_mitm")],
        "a router may be plugged in wrongly"
    );
    // What explanations hold down to a record stays one.
    for bounds in ["", "[thresholds]\nmedium = 26\nhigh = 27\n"] {
        assert!(verdicts(&alerts(bounds, "local-arp-same-address")).iter().all(|(severity, _)| *severity == 3), "{bounds}");
    }
    // An answer in the server's place is laid to whom is told of with these bounds only.
    let strict = alerts("[thresholds]\nlow = 97\nmedium = 98\nhigh = 99\nconfirmed = 100\n", "local-in-path-after-arp");
    assert!(verdicts(&strict).iter().all(|(_, verdict)| *verdict != "local_mitm"), "{strict:?}");
}

#[test]
fn a_system_that_looks_for_a_portal_is_told_of_one() {
    // The device's answer leads elsewhere and is as bare as any; only who asked tells.
    let bounds = "[thresholds]\nlow = 25\n";
    let probe = format!("{bounds}[[portal]]\nname = \"probe\"\nprobes = [\"shop.example/\"]\n");
    let suffix = "[[device]]\nname = \"mine\"\nsource = \"lab\"\nmarks = { ip_id = 0x3412, window = 32120, df = false }\n";
    assert_eq!(verdicts(&alerts(bounds, "in-path-without-timestamps")), [(1, "in_path_injection")]);
    assert_eq!(verdicts(&alerts(&probe, "in-path-without-timestamps")), [(3, "captive_portal")]);
    assert_eq!(verdicts(&alerts(suffix, "in-path-without-timestamps")), [(1, "in_path_injection")]);
    assert_eq!(
        verdicts(&alerts(&probe.replace("shop.example/", "shop.example/other"), "in-path-without-timestamps")),
        [(1, "in_path_injection")]
    );
}

#[test]
fn a_pool_of_forged_addresses_of_ones_own_is_known_by_its_name() {
    let pool = "[[pool]]\nname = \"mine\"\nsource = \"our own captures\"\ndate = \"2026\"\naddresses = [\"203.0.113.0/24\"]\n";
    assert_eq!(verdicts(&alerts("", "dns-letters-quiet")), []);
    let told = alerts(pool, "dns-letters-quiet");
    assert_eq!(verdicts(&told), [(3, "inconclusive")]);
    assert!(injection(&told[0])["signals"].to_string().contains("which matches mine (our own captures, 2026)"));
    let (_folder, path) = rules(pool);
    let said = text(&sidewatch(&["rules", "test", shown(&path), shown(&case("dns-letters-quiet"))]).stdout);
    assert!(said.starts_with("[[pool]] mine: names an address in alert "), "{said}");
}

#[test]
fn a_pin_is_checked_listed_and_tried() {
    let (_folder, path) = rules(&format!("{PINS}dns = [\"fe80::53\"]\n"));
    let check = sidewatch(&["rules", "check", shown(&path)]);
    assert_eq!((check.status.code(), text(&check.stderr).as_str()), (Some(0), ""));
    let list = text(&sidewatch(&["rules", "list", shown(&path)]).stdout);
    assert!(
        list.contains("pin         office, version 6\n            fe80::1 is at 02:00:00:00:00:01 or 02:11:22:33:44:01, DNS fe80::53"),
        "{list}"
    );
    let said = text(&sidewatch(&["rules", "test", shown(&path), shown(&case("pinned-arp-vrrp"))]).stdout);
    assert!(said.starts_with("[[pin]] office: is contradicted in alert ") && said.contains("(local_mitm arp_spoof, severity 2)"), "{said}");
    assert!(said.ends_with("[[pin]] office, version 6: matched nothing\n"), "{said}");

    fs::write(&path, PINS.replace("\"02:00:00:00:00:02\" }", "\"02:00:00:00:00\" }")).unwrap();
    let check = sidewatch(&["rules", "check", shown(&path)]);
    assert_eq!(check.status.code(), Some(2));
    let expected = ":4:107: \"02:00:00:00:00\" is no hardware address\n  fix: write it as 02:00:5e:10:00:01\n";
    assert!(text(&check.stderr).ends_with(expected), "{}", text(&check.stderr));
}

#[test]
fn a_trial_says_what_each_rule_would_have_matched() {
    let (_folder, path) = rules(&format!(
        "{LAB}[[device]]\nname = \"mine\"\nsource = \"lab\"\nmarks = {{ ip_id = 1, window = 8192, df = false, no_options = true, flags = \"PA\" }}\n\
         [[portal]]\nname = \"idle\"\nprobes = [\"probe.example\"]\n"
    ));
    let run = sidewatch(&["rules", "test", shown(&path), shown(&case("race-302-on-get"))]);
    let said = text(&run.stdout);
    assert_eq!((run.status.code(), text(&run.stderr).as_str()), (Some(0), ""));
    assert!(said.contains("[[suppress]] lab: would suppress alert "), "{said}");
    assert!(said.contains("[[device]] mine: is named in alert ") && said.contains("at frame 5 of "), "{said}");
    assert!(said.ends_with("[[portal]] idle: matched nothing\n"), "{said}");
    let gone = sidewatch(&["rules", "test", shown(&path), "gone.pcap"]);
    assert_eq!(gone.status.code(), Some(2));
}
