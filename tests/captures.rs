//! The real binary over every folder of `pcaps/`, compared with its `expected.json`.

use crate::stories::{INDICATORS, RULES};
use crate::support::cases::{Alert, Expected};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn each_capture_gives_the_alerts_expected_of_it() {
    let pcaps = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    let mut folders: Vec<_> = fs::read_dir(pcaps).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let mut wrong = Vec::new();
    for folder in &folders {
        for complaint in complaints(folder) {
            wrong.push(format!("{}: {complaint}", folder.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(wrong.is_empty(), "{} complaints about {} captures:\n{}", wrong.len(), folders.len(), wrong.join("\n"));
}

/// What is wrong with the alerts on the capture of `folder`.
fn complaints(folder: &Path) -> Vec<String> {
    let expected: Expected = serde_json::from_str(&fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    let capture = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let capture = capture.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with("capture.")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sidewatch"));
    command.arg("replay").arg(&capture).args(["--format", "json"]);
    let indicators = folder.join(INDICATORS);
    if indicators.is_file() {
        command.arg("--indicators").arg(indicators);
    }
    let rules = folder.join(RULES);
    if rules.is_file() {
        command.arg("--rules").arg(rules);
    }
    let run = command.output().unwrap();
    if !run.status.success() {
        return vec![format!("exit status {:?}: {}", run.status.code(), String::from_utf8_lossy(&run.stderr).trim())];
    }
    let lines = String::from_utf8(run.stdout).unwrap();
    match lines.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>() {
        Ok(alerts) => compare(&expected, alerts),
        Err(error) => vec![format!("standard output is not JSON lines: {error}")],
    }
}

fn compare(expected: &Expected, mut alerts: Vec<Value>) -> Vec<String> {
    let mut wrong = Vec::new();
    for wanted in &expected.alerts {
        let same = |alert: &Value| frames(alert) == wanted.forged_frames && injection(alert)["mechanism"] == *wanted.mechanism;
        let near = |alert: &Value| frames(alert).iter().any(|frame| wanted.forged_frames.contains(frame));
        match alerts.iter().position(same).or_else(|| alerts.iter().position(near)) {
            Some(place) => wrong.extend(differences(wanted, &alerts.remove(place))),
            None => wrong.push(format!("no {} on frames {:?}", wanted.mechanism, wanted.forged_frames)),
        }
    }
    let unwelcome = alerts.iter().filter(|alert| expected.silent || alert["alert"]["severity"].as_u64() != Some(3));
    wrong.extend(unwelcome.map(|alert| format!("not expected: {}", summary(alert))));
    wrong
}

fn differences(wanted: &Alert, alert: &Value) -> Vec<String> {
    let found = injection(alert);
    let mut wrong = Vec::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{what}: wanted {wanted:?}, got {}", summary(alert)));
        }
    };
    demand(found["mechanism"] == *wanted.mechanism, "mechanism");
    demand(wanted.verdict.iter().any(|verdict| found["verdict"] == **verdict), "verdict");
    demand(alert["alert"]["severity"].as_u64().is_some_and(|severity| severity <= u64::from(wanted.max_severity)), "severity");
    demand(frames(alert) == wanted.forged_frames, "forged frames");
    demand(found["forged"]["frame"].as_u64() == wanted.forged_frames.first().copied(), "first forged frame");
    demand(found["genuine"]["frame"].as_u64() == wanted.genuine_frame, "genuine frame");
    let codes = codes(alert);
    demand(wanted.signals.iter().all(|signal| codes.contains(signal)), "signals");
    demand(wanted.followed.as_ref().is_none_or(|followed| *followed == steps(alert)), "followed");
    demand(wanted.led_by.as_ref().is_none_or(|leads| *leads == led_by(alert)), "led by");
    wrong
}

/// What led the client to its request, each as how and address.
fn led_by(alert: &Value) -> Vec<String> {
    let leads = injection(alert)["redirect"]["led_by"].as_array();
    leads.into_iter().flatten().map(|lead| [&lead["how"], &lead["url"]].map(|text| text.as_str().unwrap_or_default()).join(" ")).collect()
}

/// How the client followed the redirect, step by step.
fn steps(alert: &Value) -> Vec<String> {
    let steps = injection(alert)["redirect"]["followed"]["steps"].as_array();
    steps.into_iter().flatten().filter_map(|step| step["how"].as_str()).map(str::to_owned).collect()
}

fn injection(alert: &Value) -> &Value {
    &alert["alert"]["context"]["injection"]
}

fn frames(alert: &Value) -> Vec<u64> {
    let frames = injection(alert)["forged"]["frames"].as_array();
    frames.into_iter().flatten().filter_map(Value::as_u64).collect()
}

fn codes(alert: &Value) -> Vec<String> {
    let signals = injection(alert)["signals"].as_array();
    signals.into_iter().flatten().filter_map(|signal| signal["code"].as_str()).map(str::to_owned).collect()
}

fn summary(alert: &Value) -> String {
    let found = injection(alert);
    format!(
        "{} {} severity {} forged {:?} genuine {} by {:?}",
        found["mechanism"],
        found["verdict"],
        alert["alert"]["severity"],
        frames(alert),
        found["genuine"]["frame"],
        codes(alert)
    )
}
