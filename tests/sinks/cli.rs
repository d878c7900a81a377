//! `sidewatch sinks`, by the real binary.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use sidewatch::config::StoreSettings;
use sidewatch::store::Store;

use super::receiver::{Act, Receiver, idle_port};
use super::{alert, hook, sink, webhook};

fn sidewatch(config: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidewatch")).arg("sinks").args(arguments).arg("--config").arg(config).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_test_says_of_each_sink_what_happened_and_what_to_do() {
    let receiver = Receiver::new(|_| Act::Answer(200, ""));
    let refusing = Receiver::new(|_| Act::Answer(401, ""));
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sidewatch.toml");
    let token = folder.path().join("token");
    std::fs::write(&token, "s3cr3t").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let eve = folder.path().join("eve.json");
    let text = format!(
        "[store]\nfolder = {:?}\n[[sink]]\nname = \"good\"\nkind = \"webhook\"\nurl = \"{}\"\ntoken = {{ file = {token:?} }}\n[[sink]]\nname = \
         \"bad\"\nkind = \"webhook\"\nurl = \"{}\"\n[[sink]]\nname = \"eve\"\nkind = \"file\"\npath = {eve:?}\n[[sink]]\nname = \
         \"away\"\nkind = \"syslog\"\ntransport = \"tcp\"\naddress = \"127.0.0.1:{}\"\n",
        folder.path().join("store"),
        receiver.url,
        refusing.url,
        idle_port()
    );
    std::fs::write(&config, text).unwrap();
    let output = sidewatch(&config, &["test"]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(3), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("good: ok, ") && text.contains("eve: ok, "), "{text}");
    assert!(text.contains("bad: FAILED") && text.contains("answered 401") && text.contains("check the sink's token"), "{text}");
    assert!(text.contains("away: FAILED") && !text.contains("s3cr3t"), "{text}");
    assert!(std::fs::read_to_string(&eve).unwrap().contains("\"Sidewatch test of a sink\""));
    assert!(receiver.seen()[0].body.starts_with("{\"type\":\"sidewatch.test\""));
    let output = sidewatch(&config, &["test", "good", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let line: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((&line["sink"], &line["ok"]), (&"good".into(), &true.into()));
    assert_eq!(sidewatch(&config, &["test", "nobody"]).status.code(), Some(2));
    let output = sidewatch(&config, &["status"]);
    assert_eq!(output.status.code(), Some(2), "there is no database: {}", out(&output));
}

#[test]
fn a_status_shows_what_waits_and_lets_what_was_given_up_wait_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("sidewatch.toml");
    let text = format!(
        "[store]\nfolder = {:?}\n[[sink]]\nname = \"soc\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n",
        folder.path().join("store")
    );
    std::fs::write(&config, text).unwrap();
    let settings = StoreSettings { folder: folder.path().join("store"), ..StoreSettings::default() };
    let store = Store::open(&settings, &[]).unwrap();
    let sinks = [sink("soc", hook(webhook("http://127.0.0.1:9/")))];
    store.commit(&[alert(1), alert(2)], &sinks).unwrap();
    let first = store.next("soc", i64::MAX).unwrap().unwrap();
    store.failed(first.row, "receiver:443 answered 422: no", 1_795_521_601_000, None).unwrap();
    let text = out(&sidewatch(&config, &["status"]));
    assert!(text.contains("last success  never") && text.contains("waiting       1, the oldest for"), "{text}");
    assert!(text.contains("given up      1") && text.contains("answered 422"), "{text}");
    let output = sidewatch(&config, &["status", "--retry-dead", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let line: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!((&line["waiting"], &line["dead"]), (&2.into(), &0.into()));
}
