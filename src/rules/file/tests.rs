//! Stories of people who write rules, right and wrong.

use super::*;

fn told(text: &str) -> Vec<String> {
    Rules::of_text("mine.toml", text).1.iter().map(ToString::to_string).collect()
}

#[test]
fn a_fingerprint_takes_five_lines() {
    let text = "\
[[device]]
name = \"Box of our operator\"
source = \"our own captures, 2026\"
marks = { ip_id = 0x1234, window = [8192, 4096], df = false }
";
    let (rules, wrong) = Rules::of_text("mine.toml", text);
    assert_eq!(wrong, []);
    let [device] = rules.devices.devices() else { panic!("one device") };
    assert_eq!((device.marks.ip_id.as_deref(), device.marks.window.as_deref()), (Some([0x1234].as_slice()), Some([8192, 4096].as_slice())));
    assert!(device.mandatory.is_empty() && device.date == "undated");
}

#[test]
fn every_mistake_is_told_with_its_place_and_the_fix() {
    for (text, expected) in [
        ("[[devices]]\n", "mine.toml:1:3: there is no table `devices`\n  fix: did you mean `device`?"),
        (
            "[[device]]\nname = \"x\"\nsource = \"y\"\nmarks = { windw = [1] }\n",
            "mine.toml:4:11: there is no key `windw` here\n  fix: did you mean `window`?",
        ),
        (
            "[device]\nname = \"x\"\n",
            "mine.toml:1:1: is one table, and there may be several\n  fix: write its heading in double brackets, as [[device]]",
        ),
        (
            "[[redirect]]\nname = \"x\"\nhabit = \"traker\"\ndomains = []\n",
            "mine.toml:3:9: `traker` is no value for this key\n  fix: did you mean `tracker`?",
        ),
        (
            "[[redirect]]\nname = \"x\"\nhabit = \"tracker\"\ndomains = [\"a.example\", \"http://b.example/\"]\n",
            "mine.toml:4:25: \"http://b.example/\" is no domain\n  fix: write it without scheme, port, wildcard and path, as news.example",
        ),
        (
            "[[suppress]]\nname = \"x\"\nreason = \"y\"\n",
            "mine.toml:1:1: has no condition, and would fit every alert\n  fix: add networks, hosts, devices, detectors, verdicts or mechanisms",
        ),
        (
            "[[suppress]]\nname = \"x\"\nreason = \"y\"\nnetworks = [\"10.0.0.0/33\"]\n",
            "mine.toml:4:13: \"10.0.0.0/33\" is no network\n  fix: write 192.0.2.0/24, 2001:db8::/32 or an address",
        ),
        (
            "[[suppress]]\nname = \"x\"\nreason = \"y\"\nhosts = [\"a.example\"]\nexpires = \"soon\"\n",
            "mine.toml:5:11: \"soon\" is no day\n  fix: write expires = 2027-01-31",
        ),
        ("[[suppress]]\nname = \"x\"\nhosts = [\"a.example\"]\n", "mine.toml:1:1: the key `reason` is missing\n  fix: add reason = ..."),
        (
            "[[severity]]\nname = \"x\"\nreason = \"y\"\nverdicts = [\"captive_portals\"]\nseverity = 3\n",
            "mine.toml:4:13: there is no verdict \"captive_portals\"\n  fix: did you mean `captive_portal`?",
        ),
        (
            "[[severity]]\nname = \"x\"\nreason = \"y\"\nverdicts = [\"captive_portal\"]\nseverity = 4\n",
            "mine.toml:5:12: there is no severity 4\n  fix: 1 is high, 2 medium, 3 low",
        ),
        (
            "[[suppress]]\nname = \"x\"\nreason = \"y\"\ndetectors = [\"S14d\", \"S99\"]\n",
            "mine.toml:4:22: there is no detector \"S99\"\n  fix: codes are S1 to S17, some with a letter more as S6+ and S14d, and H",
        ),
        (
            "[[pool]]\nname = \"x\"\nsource = \"y\"\ndate = \"2026\"\naddresses = [\"192.0.2.1\", \"192.0.2.300\"]\n",
            "mine.toml:5:27: \"192.0.2.300\" is neither an address nor a network\n  fix: write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32",
        ),
        (
            "[thresholds]\nmedium = 80\n",
            "mine.toml:1:1: the bounds do not rise\n  fix: 25 <= low < medium < high < confirmed <= 100; the defaults are 25, 40, 65, 90",
        ),
    ] {
        assert_eq!(told(text), [expected], "{text}");
    }
    let broken = told("[[device]\nname = \"x\"\n");
    assert!(!broken.is_empty() && broken[0].starts_with("mine.toml:1:"), "{broken:?}");
}

#[test]
fn one_mistake_does_not_hide_the_next_and_the_rest_is_in_force() {
    let text = "\
[[portal]]
name = \"a\"
probe = [\"a.example\"]
[[portal]]
name = \"b\"
probes = [\"b.example\"]
[[portal]]
name = \"b\"
probes = [\"c.example\"]
";
    let (rules, wrong) = Rules::of_text("mine.toml", text);
    let lines: Vec<usize> = wrong.iter().map(|diagnostic| diagnostic.line).collect();
    assert_eq!(lines, [3, 8], "{wrong:?}");
    assert_eq!((rules.policy.portals.probe("b.example", "/x"), rules.policy.portals.probe("c.example", "/")), (Some("b"), None));
}

#[test]
fn a_rule_says_when_it_expires() {
    let text = "[[suppress]]\nname = \"lab\"\nreason = \"tests\"\nnetworks = [\"192.0.2.0/24\"]\nexpires = 2026-01-05\n";
    let (rules, wrong) = Rules::of_text("mine.toml", text);
    assert_eq!(wrong, []);
    let [(end, diagnostic)] = rules.expiries.as_slice() else { panic!("one day") };
    assert_eq!(*end, Timestamp::from_parts(1_767_657_599, 999_999_999));
    assert!(diagnostic.to_string().starts_with("mine.toml:5:11: the [[suppress]] \"lab\" expired on 2026-01-05"));
}

#[test]
fn what_is_shipped_is_right() {
    let loaded = super::super::shipped();
    assert_eq!(loaded.wrong, []);
    assert!(loaded.rules.entries.len() >= 17);
    assert_eq!(loaded.rules.policy.portals.probe("captive.apple.com", "/hotspot-detect.html"), Some("Apple"));
    assert_eq!(loaded.rules.policy.portals.probe("www.google.com", "/search?q=x"), None);
    assert_eq!(loaded.rules.redirects.explains("t.co", "news.example"), Some("link shorteners"));
}
