//! `sidewatch alerts`, beside a daemon and without one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use super::*;

fn alerts(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sidewatch")).arg("alerts").args(arguments).arg("--database").arg(folder).output().unwrap()
}

/// Standard output of what must succeed.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = alerts(folder, arguments);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(0) && complaint.is_empty(), "{arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of what must be refused.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = alerts(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// A storm of 12 (the first is 0x1a1), an event, a suspicion, and a quiet alert of another device.
fn kept(folder: &Path) -> Store {
    let store = Store::open(&settings(folder), &sinks()).unwrap();
    let storm = |number| Record { storm_key: "http_redirect|injection|evil.example|192.168.7.23".to_owned(), severity: 1, ..alert(number) };
    store.commit(&(0x1a1..0x1ad).map(storm).collect::<Vec<_>>(), &sinks()).unwrap();
    let quiet = Record {
        severity: 3,
        client: "10.0.0.9".to_owned(),
        mechanism: "tcp_reset".to_owned(),
        headline: "A reset\u{1b}[31m".to_owned(),
        ..alert(0x2b1)
    };
    store.commit(&[quiet, Record { kind: Kind::Blind, ..alert(0x3c1) }], &sinks()).unwrap();
    store.pend(&[alert(0x4d2)]).unwrap();
    store
}

#[test]
fn alerts_are_listed_in_aligned_columns_and_storms_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let _store = kept(folder.path());
    let list = said(folder.path(), &["list"]);
    let lines: Vec<&str> = list.lines().collect();
    assert_eq!(lines.len(), 4, "{list}");
    assert!(lines[0].starts_with("TIME (UTC)           SEVERITY  ID                DEVICE        MECHANISM      COUNT  WHAT"), "{list}");
    assert!(lines[1].contains("high      00000000000001a1  192.168.7.23  http_redirect  12     A forged answer, number 417"), "{list}");
    assert!(lines[2].ends_with("A reset\\u{1b}[31m") && lines[3].ends_with("(pending)") && !list.contains('\u{1b}'), "{list}");
    assert_eq!(said(folder.path(), &["list", "--severity", "1"]).lines().count(), 2);
    assert_eq!(said(folder.path(), &["list", "--client", "10.0.0.9"]).lines().count(), 2);
    assert_eq!(said(folder.path(), &["list", "--mechanism", "tcp_reset"]).lines().count(), 2);
    assert_eq!(said(folder.path(), &["list", "--pending"]).lines().count(), 2);
    assert_eq!(said(folder.path(), &["list", "--repeats"]).lines().count(), 15);
    assert_eq!(said(folder.path(), &["list", "--since", "2026-11-24T12:11:00Z"]).lines().count(), 3);
    assert_eq!(said(folder.path(), &["list", "--since", "2100-01-01"]), "No alert.\n");
    let last = said(folder.path(), &["list", "--limit", "1"]);
    assert!(last.contains("(pending)") && last.ends_with("The last 1; --limit 0 shows all.\n"), "{last}");
}

#[test]
fn programs_get_eve_lines_with_the_count_of_the_storm() {
    let folder = tempfile::tempdir().unwrap();
    let _store = kept(folder.path());
    let lines = said(folder.path(), &["list", "--format", "json"]);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["alert"]["context"]["injection"]["storm"]["count"], 12);
    assert_eq!((lines.lines().count(), said(folder.path(), &["export", "--format", "eve"]).lines().count()), (3, 14));
}

#[test]
fn one_alert_is_told_in_words_by_the_beginning_of_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    let next = store.next("loud", 0).unwrap().unwrap();
    store.failed(next.row, "status 503", 5, Some(1_795_521_700_000)).unwrap();
    store.delivered(store.next("all", 0).unwrap().unwrap().row, 1_795_521_602_000).unwrap();
    let page = said(folder.path(), &["show", "00000000000001A1"]);
    for words in [
        "HIGH: A forged answer, number 417",
        "count     12, the last at 2026-11-24 12:07:09 UTC",
        "This device asked, and something on the way answered.",
        "all   delivered 2026-11-24 12:00:02 UTC",
        "all   waiting (when the count was 10)",
        "loud  waiting, next at 2026-11-24 12:01:40 UTC, one attempt failed: status 503",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(said(folder.path(), &["show", "00000000000001a2"]).contains("repeats   00000000000001a1"));
    assert!(said(folder.path(), &["show", "00000000000004d2"]).contains("still awaited"));
    assert!(refused(folder.path(), &["show", "00000000000001"]).contains("several alerts"));
    assert!(refused(folder.path(), &["show", "ff"]).contains("no alert has an id that begins with ff"));
}

#[test]
fn a_mute_says_who_and_why_and_holds_in_the_daemon_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    assert!(refused(folder.path(), &["mute", "00000000000001a1"]).contains("say --why"));
    assert!(refused(folder.path(), &["mute", "--why", "x"]).contains("say what is to be muted"));
    assert!(refused(folder.path(), &["mute", "--client", "here", "--why", "x"]).contains("no address"));
    assert!(refused(folder.path(), &["mute", "--client", "10.0.0.9", "--until", "2020-01-01", "--why", "x"]).contains("that is over"));
    let muted = said(folder.path(), &["mute", "00000000000001a1", "--until", "2w", "--why", "our own proxy"]);
    assert!(muted.starts_with("Muted by ") && muted.contains(": our own proxy (mute 1)") && muted.contains("evil.example"), "{muted}");
    said(folder.path(), &["mute", "--client", "10.0.0.0/8", "--why", "lab"]);
    let record = |number, client: &str| Record { client: client.to_owned(), severity: 1, ..alert(number) };
    let like_it = Record { storm_key: "http_redirect|injection|evil.example|192.168.7.23".to_owned(), ..record(0x5e1, "192.168.7.23") };
    let before = deliver_all(&store, "loud").len();
    store.commit(&[like_it, record(0x5e2, "10.1.1.1"), record(0x5e3, "192.168.7.23")], &sinks()).unwrap();
    assert_eq!((before, deliver_all(&store, "loud")), (2, vec![id(0x5e3)]));
    assert!(said(folder.path(), &["show", "00000000000005e1"]).contains("our own proxy (mute 1)"));
    assert!(said(folder.path(), &["list"]).contains("(muted)"));
    assert_eq!(said(folder.path(), &["mute", "--end", "2"]), "Mute 2 has ended.\n");
    assert!(refused(folder.path(), &["mute", "--end", "2"]).contains("no mute 2 holds"));
    let list = said(folder.path(), &["mute", "--list"]);
    assert!(list.contains("(mute 1)\n") && list.contains("lab (mute 2) (over)\n  device 10.0.0.0/8\n"), "{list}");
}

#[test]
fn the_folder_comes_from_the_settings_and_what_is_missing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    drop(kept(folder.path()));
    let settings = folder.path().join("sidewatch.toml");
    fs::write(&settings, format!("[store]\nfolder = {:?}\n", folder.path())).unwrap();
    let list =
        |config: &Path| Command::new(env!("CARGO_BIN_EXE_sidewatch")).args(["alerts", "list", "--config"]).arg(config).output().unwrap();
    assert!(String::from_utf8(list(&settings).stdout).unwrap().contains("192.168.7.23"));
    let missing = list(&folder.path().join("nothing.toml"));
    assert!(
        missing.status.code() == Some(2) && String::from_utf8(missing.stderr).unwrap().contains("give --config FILE or --database FOLDER")
    );
    let empty = tempfile::tempdir().unwrap();
    assert!(refused(empty.path(), &["list"]).contains("no alert database is there"));
    assert!(refused(empty.path(), &["mute", "--client", "10.0.0.9", "--why", "x"]).contains("no alert database is there"));
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0, "asking makes nothing");
}

#[test]
fn a_user_who_may_only_read_reads_what_a_daemon_has_left() {
    if !rustix::process::geteuid().is_root() {
        return say("store: the test of a user who may only read is skipped: only root can become another user");
    }
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    let program = folder.path().join("sidewatch");
    fs::copy(env!("CARGO_BIN_EXE_sidewatch"), &program).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    drop(store);
    fs::set_permissions(folder.path().join("alerts.db"), fs::Permissions::from_mode(0o644)).unwrap();
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program)
            .args(arguments)
            .arg("--database")
            .arg(folder.path());
        command.output()
    };
    let Ok(output) = as_nobody(&["alerts", "list"]) else {
        return say("store: the test of a user who may only read is skipped: there is no program setpriv");
    };
    assert!(String::from_utf8_lossy(&output.stdout).contains("192.168.7.23"), "{}", String::from_utf8_lossy(&output.stderr));
    fs::set_permissions(folder.path().join("alerts.db"), fs::Permissions::from_mode(0o600)).unwrap();
    let output = as_nobody(&["alerts", "list"]).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && complaint.contains("Permission denied"), "{complaint}");
}
