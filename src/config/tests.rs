//! What an administrator writes, and what is said about it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use proptest::prelude::*;

use super::file::{Written, parse};
use super::{Config, Secret, Target, Template, Transport, USUAL_PATH};
use crate::rules::Diagnostic;
use crate::rules::diagnosis::Page;

const SHIPPED: &str = include_str!("../../config/sidewatch.toml");
const EXAMPLES: &str = "# ---- Examples of other sinks ----";

fn written(text: &str) -> Written {
    parse(Page { file: "sidewatch.toml", text })
}

fn accepted(text: &str) -> Config {
    let written = written(text);
    assert_eq!(written.wrong, [], "{text}");
    written.config
}

/// All that is wrong, as line, column, what and fix.
fn wrong(text: &str) -> Vec<(usize, usize, String)> {
    let told = |diagnostic: Diagnostic| (diagnostic.line, diagnostic.column, format!("{} / {}", diagnostic.what, diagnostic.fix));
    written(text).wrong.into_iter().map(told).collect()
}

/// The only thing that is wrong.
fn only(text: &str) -> String {
    let wrong = wrong(text);
    assert_eq!(wrong.len(), 1, "{text}\n{wrong:#?}");
    assert!(!wrong[0].2.ends_with("/ "), "no fix is named: {wrong:?}");
    format!("{}:{}: {}", wrong[0].0, wrong[0].1, wrong[0].2)
}

/// The shipped file with the keys that are commented out.
fn uncommented(text: &str) -> String {
    text.lines()
        .map(|line| line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[')).unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn the_shipped_file_holds_every_key_at_its_default() {
    let (defaults, examples) = SHIPPED.split_once(EXAMPLES).unwrap();
    assert_eq!(accepted(SHIPPED), Config::default());
    assert_eq!(accepted(""), Config::default());
    let bare = uncommented(defaults);
    assert_eq!(accepted(&bare), Config::default());

    let keys: Vec<&str> = bare.lines().filter_map(|line| Some(line.split_once(" = ")?.0)).filter(|key| !key.starts_with('#')).collect();
    let known = "sensor memory rules indicators metrics log interfaces threads snap_length ring promiscuous filter folder keep size reserve \
                 storm heartbeat blind_after drops_per_mille name kind path rotate_at severity mechanisms networks per_minute";
    for key in known.split_whitespace() {
        assert!(keys.contains(&key), "the shipped file does not show {key}");
    }
    assert!(accepted(&uncommented(examples)).sinks.len() >= 5);
}

#[test]
fn the_examples_of_the_shipped_file_are_what_they_say() {
    let (_, examples) = SHIPPED.split_once(EXAMPLES).unwrap();
    let config = accepted(&uncommented(examples));
    let hooks: Vec<_> = config
        .sinks
        .iter()
        .filter_map(|sink| match &sink.target {
            Target::Webhook(hook) => Some((sink, hook)),
            _ => None,
        })
        .collect();
    let (soc, hook) = hooks[0];
    assert_eq!((soc.filter.severity, soc.heartbeat, soc.per_minute, hook.secrets.len()), (2, true, None, 2));
    assert_eq!(hook.token, Some(Secret::Credential("soc-token".to_owned())));
    assert_eq!((hooks[1].1.template, hooks[1].0.per_minute), (Template::Slack, Some(30)));
    let Some(Target::Syslog(syslog)) = config.sinks.last().map(|sink| &sink.target) else { panic!("the last one is syslog") };
    assert_eq!((syslog.transport, syslog.cef, syslog.facility), (Transport::Tls, true, 16));
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_place_and_the_fix() {
    let text = "memroy = \"1 GiB\"\nmetrics = \"0.0.0.0:9798\"\n[capture]\nthreads = 0\nring = \"64 GiB\"\n[stroe]\n\
                [[sink]]\nname = \"a\"\nkind = \"webhok\"\n[[sink]]\nname = \"b\"\nkind = \"syslog\"\naddress = \"logs\"\n";
    let wrong = wrong(text);
    let places: Vec<(usize, usize)> = wrong.iter().map(|(line, column, _)| (*line, *column)).collect();
    assert_eq!(places, [(1, 1), (2, 11), (4, 11), (5, 8), (6, 2), (9, 8), (13, 11)], "{wrong:#?}");
    for ((.., said), word) in wrong.iter().zip([
        "did you mean `memory`?",
        "this machine only",
        "from 1 to 64",
        "1 MiB to 1 GiB",
        "did you mean `store`?",
        "did you mean `webhook`?",
        "logs.example:514",
    ]) {
        assert!(said.contains(word), "{said} does not say {word}");
    }
}

#[test]
fn values_of_the_wrong_type_and_out_of_bounds_are_told_in_words() {
    for (text, place, word) in [
        ("memory = 256", "1:10", "\"16 MiB\""),
        ("memory = \"16 MiB\"", "1:10", "64 MiB to 64 GiB"),
        ("memory = \"lots\"", "1:10", "and \"lots\" is none"),
        ("sensor = \"two words\"", "1:10", "gateway-1"),
        ("sensor = 7", "1:10", "double quotes"),
        ("rules = \"/etc/rules\"", "1:9", "rules = [...]"),
        ("rules = [\"rules\"]", "1:10", "begin it with /"),
        ("metrics = \"localhost\"", "1:11", "127.0.0.1:9798"),
        ("log = \"sidewatch=loud\"", "1:7", "error, warn, info"),
        ("store = 5", "1:9", "[store]"),
        ("sink = {}", "1:8", "[[sink]]"),
        ("[capture]\ninterfaces = []", "1:1", "[\"auto\"]"),
        ("[capture]\ninterfaces = [\"eth0\", \"a name too long to be one\"]", "2:23", "sidewatch interfaces"),
        ("[capture]\npromiscuous = \"yes\"", "2:15", "without quotes"),
        ("[store]\nkeep = \"0 days\"", "2:8", "1 days to 3650 days"),
        ("[watch]\ndrops_per_mille = -1", "2:19", "from 0 to 1000"),
        ("memory = ", "1:10", "value"),
        ("memory = \"1 GiB\"\nmemory = \"2 GiB\"", "2:1", "duplicate key"),
    ] {
        let said = only(text);
        assert!(said.starts_with(&format!("{place}: ")) && said.contains(word), "{text}\n{said}");
    }
}

#[test]
fn mistakes_in_sinks_are_told_in_words() {
    let hook = "[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://soc.example/\"\n";
    for (text, word) in [
        ("[[sink]]\nkind = \"journald\"", "`name` is missing"),
        ("[[sink]]\nname = \"a\"", "`kind` is missing"),
        ("[[sink]]\nname = \"a b\"\nkind = \"journald\"", "soc-webhook"),
        ("[[sink]]\nname = \"a\"\nkind = \"journald\"\n[[sink]]\nname = \"a\"\nkind = \"journald\"", "there already"),
        ("[[sink]]\nname = \"a\"\nkind = \"journald\"\npath = \"/x\"", "there is no key `path` in this [[sink]]"),
        ("[[sink]]\nname = \"a\"\nkind = \"file\"", "add path = "),
        ("[[sink]]\nname = \"a\"\nkind = \"webhook\"", "add url = "),
        ("[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"ftp://x/\"", "kind ftp:"),
        ("[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"soc\"", "no web address"),
        ("[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://u:p@soc.example/\"", "may not stand in this file"),
        (&format!("{hook}severity = 4"), "from 1 to 3"),
        (&format!("{hook}mechanisms = [\"http_redirct\"]"), "did you mean `http_redirect`?"),
        (&format!("{hook}networks = [\"10.0.0.0/33\"]"), "not 0 to 32"),
        (&format!("{hook}networks = [\"ten\"]"), "10.0.0.0/8"),
        (&format!("{hook}template = \"slak\""), "did you mean `slack`?"),
        (&format!("{hook}template = \"generic\""), "needs `fields`"),
        (&format!("{hook}template = \"generic\"\nfields = {{ a = \"{{hedline}}\" }}"), "did you mean `headline`?"),
        (&format!("{hook}fields = {{ a = \"b\" }}"), "template = \"generic\""),
        (&format!("{hook}template = \"pagerduty\""), "routing key"),
        (&format!("{hook}client = {{ certificate = \"/x.pem\" }}"), "both `certificate` and `key`"),
        (&format!("{hook}timeout = \"1 h\""), "1 seconds to 2 minutes"),
        ("[[sink]]\nname = \"a\"\nkind = \"syslog\"\naddress = \"[::1:514\"", "host:port"),
        ("[[sink]]\nname = \"a\"\nkind = \"syslog\"\naddress = \"x:514\"\nfacility = \"local9\"", "did you mean"),
        ("[[sink]]\nname = \"a\"\nkind = \"syslog\"\naddress = \"x:514\"\nca = \"/ca.pem\"", "transport = \"tls\""),
    ] {
        let said = only(text);
        assert!(said.contains(word), "{text}\n{said}");
    }
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let hook = "[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://soc.example/\"\n";
    for text in ["token = \"hunter2\"", "secrets = [\"hunter2\"]", "client = { certificate = \"/x\", key = \"hunter2\" }"] {
        let all = wrong(&format!("{hook}{text}"));
        let said = format!("{all:?}");
        assert!(said.contains("may not stand in this file") && !said.contains("hunter2"), "{said}");
    }
    assert!(only(&format!("{hook}token = {{ fil = \"/x\" }}")).contains("did you mean `file`?"));
    assert!(only(&format!("{hook}token = {{ credential = \"../x\" }}")).contains("LoadCredential="));
}

#[test]
fn files_that_settings_name_must_be_there_and_secrets_secret() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("open.secret"), "whsec_x").unwrap();
    fs::set_permissions(at("open.secret"), Permissions::from_mode(0o640)).unwrap();
    fs::write(at("slack.url"), "https://hooks.example/T0/secret\n").unwrap();
    fs::set_permissions(at("slack.url"), Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "rules = [\"{}\"]\n[[sink]]\nname = \"a\"\nkind = \"webhook\"\nurl = \"https://soc.example/\"\nca = \"{}\"\nsecrets = [{{ file = \"{}\" }}]\n",
        at("rules"),
        at("ca.pem"),
        at("open.secret")
    );
    fs::write(at("sidewatch.toml"), text).unwrap();
    let wrong = Config::read(at("sidewatch.toml").as_ref()).unwrap_err();
    let lines: Vec<usize> = wrong.iter().map(|diagnostic| diagnostic.line).collect();
    assert_eq!(lines, [1, 6, 7], "{wrong:#?}");
    assert_eq!(wrong[2].fix, format!("chmod 600 {}", at("open.secret")));
    assert!(wrong[2].what.contains("mode 0640"), "{}", wrong[2].what);

    let text = format!("[[sink]]\nname = \"a\"\nkind = \"webhook\"\ntemplate = \"slack\"\nurl = {{ file = \"{}\" }}\n", at("slack.url"));
    fs::write(at("sidewatch.toml"), text).unwrap();
    let config = Config::read(at("sidewatch.toml").as_ref()).unwrap();
    let Target::Webhook(hook) = &config.sinks[0].target else { panic!("it is a webhook") };
    assert_eq!(hook.url, "https://hooks.example/T0/secret");
    assert!(!format!("{config:?}").contains("T0/secret"), "the address of a chat is a secret");
}

#[test]
fn a_file_that_cannot_be_read_is_told_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sidewatch.toml");
    let said = |path: &std::path::Path| Config::read(path).unwrap_err()[0].to_string();
    assert!(said(&path).contains("No such file") && said(&path).contains("--config"), "{}", said(&path));
    fs::write(&path, b"log = \"\xff\"").unwrap();
    assert!(said(&path).contains("from byte 7"), "{}", said(&path));
    fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
    assert!(said(&path).contains("larger than 1 MiB"), "{}", said(&path));
    assert!(USUAL_PATH.starts_with("/etc/"));
}

#[test]
fn measures_reach_the_settings() {
    let config = accepted("memory = \"1 GiB\"\n[watch]\nblind_after = \"1 min 30 s\"\n[capture]\nsnap_length = \"1500 B\"\nfilter = \" \"");
    assert_eq!((config.memory, config.watch.blind_after), (1_024, Duration::from_secs(90)));
    assert_eq!((config.capture.snap_length, config.capture.filter), (1_500, None));
}

proptest! {
    #[test]
    fn whatever_is_written_something_is_said_and_nothing_breaks(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = written(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_slip_anywhere_in_the_shipped_file_breaks_nothing(place in 0..SHIPPED.len(), slip in "\\PC{0,3}", cut in 0_usize..6) {
        let text = uncommented(SHIPPED);
        let begin = text.floor_char_boundary(place.min(text.len()));
        let end = text.floor_char_boundary((begin + cut).min(text.len()));
        let slipped = format!("{}{slip}{}", &text[..begin], &text[end..]);
        for diagnostic in written(&slipped).wrong {
            prop_assert!(diagnostic.line >= 1 && diagnostic.column >= 1 && !diagnostic.what.is_empty());
        }
    }
}
