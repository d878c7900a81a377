//! A scene played: what the sensor saw, what the program says of it, and the folder of `pcaps/` that is made of both.

use super::network::{DEVICE, Lan, OTHER};
use super::{Scene, Truth};
use crate::support::cases::{Alert, Expected};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

/// Where a scene lies when it is recorded.
pub(super) fn folder(scene: &Scene) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(scene.name)
}

/// Whether a server that is not the network's sent it: from DHCP's port, or as an advertisement of a router.
fn serves(bytes: &[u8]) -> bool {
    let dhcp = bytes[12..14] == [8, 0] && bytes[23] == 17 && bytes[34..36] == [0, 67];
    let router = bytes[12..14] == [0x86, 0xdd] && bytes[20] == 58 && bytes[54] == 134;
    bytes[6..12] == OTHER.mac && (dhcp || router)
}

/// Plays it once, and records it where that was asked for.
pub(super) fn play(scene: &Scene) -> Result<(), String> {
    let mut lan = Lan::build().map_err(|error| error.to_string())?;
    (scene.play)(&mut lan).map_err(|error| error.to_string())?;
    sleep(Duration::from_millis(100));
    let frames = lan.tap.frames.lock().unwrap().clone();
    let forged = matches!(scene.truth, Truth::Forged(..));
    // The device quotes what it refuses.
    let was_sent = |bytes: &[u8]| bytes[6..12] != DEVICE.mac && lan.sent.iter().any(|lie| bytes.ends_with(lie));
    let lies = |bytes: &[u8]| forged && (serves(bytes) || was_sent(bytes));
    let truth: Vec<u64> = (1..).zip(&frames).filter(|(_, (_, bytes))| lies(bytes)).map(|(number, _)| number).collect();
    drop(lan);
    let scratch = tempfile::tempdir().unwrap();
    let capture = scratch.path().join("capture.pcap");
    fs::write(&capture, pcap(&frames)).unwrap();
    let loud: Vec<Value> = alerts(&capture).into_iter().filter(|alert| alert["alert"]["severity"].as_u64() <= Some(2)).collect();
    if let Err(why) = judge(scene, &loud, &truth) {
        let open = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab-open").join(scene.name);
        fs::create_dir_all(&open).unwrap();
        fs::copy(&capture, open.join("capture.pcap")).unwrap();
        return Err(why);
    }
    if std::env::var_os("SIDEWATCH_RECORD").is_some() && !folder(scene).exists() {
        keep(scene, &pcap(&frames), &loud, &truth);
    }
    Ok(())
}

fn pcap(frames: &[(Duration, Vec<u8>)]) -> Vec<u8> {
    let mut file: Vec<u8> = [0xa1b2_c3d4_u32, 4 << 16 | 2, 0, 0, 262_144, 1].into_iter().flat_map(u32::to_le_bytes).collect();
    for (time, bytes) in frames {
        let length = bytes.len() as u32;
        file.extend([time.as_secs() as u32, time.subsec_micros(), length, length].into_iter().flat_map(u32::to_le_bytes));
        file.extend(bytes);
    }
    file
}

fn alerts(capture: &Path) -> Vec<Value> {
    let run = Command::new(env!("CARGO_BIN_EXE_sidewatch")).arg("replay").arg(capture).args(["--format", "json"]).output().unwrap();
    String::from_utf8(run.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// One alert on the attacker's frames alone, or none.
fn judge(scene: &Scene, loud: &[Value], truth: &[u64]) -> Result<(), String> {
    let Truth::Forged(mechanism, code) = scene.truth else {
        return if loud.is_empty() { Ok(()) } else { Err(format!("not expected: {loud:?}")) };
    };
    let [alert] = loud else { return Err(format!("{} alerts: {loud:?}", loud.len())) };
    let named = forged(alert);
    let fits = injection(alert)["mechanism"] == mechanism && injection(alert)["verdict"] == verdict(mechanism);
    let theirs = !named.is_empty() && named.iter().all(|frame| truth.contains(frame));
    let is_by = injection(alert)["signals"].as_array().into_iter().flatten().any(|signal| signal["code"] == code);
    if fits && theirs && is_by { Ok(()) } else { Err(format!("truth {truth:?}, said {alert}")) }
}

/// What a mechanism is called here: the forger of names stands beyond the gateway, all others on the switch.
fn verdict(mechanism: &str) -> &'static str {
    if mechanism == "dns_answer" { "on_path_injection" } else { "local_mitm" }
}

fn injection(alert: &Value) -> &Value {
    &alert["alert"]["context"]["injection"]
}

fn forged(alert: &Value) -> Vec<u64> {
    injection(alert)["forged"]["frames"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

fn keep(scene: &Scene, capture: &[u8], loud: &[Value], truth: &[u64]) {
    let (quiet, twin_of, mechanism, code) = match scene.truth {
        Truth::Forged(mechanism, code) => (false, &[][..], mechanism, code),
        Truth::Harmless(like) => (true, like, "", ""),
    };
    let alerts = loud.iter().map(|alert| Alert {
        mechanism: mechanism.to_owned(),
        verdict: vec![verdict(mechanism).to_owned()],
        max_severity: alert["alert"]["severity"].as_u64().unwrap_or(0) as u8,
        forged_frames: forged(alert),
        genuine_frame: injection(alert)["genuine"]["frame"].as_u64(),
        signals: vec![code.to_owned()],
        followed: None,
        led_by: None,
    });
    let twin_of = twin_of.iter().map(ToString::to_string).collect();
    let expected = Expected { alerts: alerts.collect(), quiet, silent: false, twin_of };
    let truth: Vec<String> = truth.iter().map(u64::to_string).collect();
    let truth = if truth.is_empty() { "none".to_owned() } else { truth.join(", ") };
    let kind = if quiet { "Harmless" } else { "An attack" };
    let readme = format!(
        "# {}\n\n{kind}: {}.\n\nFrames that the attacker sent: {truth}.\n\n\
         Recorded in the lab of `tests/lab/lan.rs`: Linux kernels in network namespaces on a bridge that floods. Addresses are those of RFC 5737 and\n\
         RFC 3849; nothing left the machine. `SIDEWATCH_RECORD=1 cargo test lab::` as root records the scenes that have no folder.\n",
        scene.name, scene.about
    );
    let folder = folder(scene);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("capture.pcap"), capture).unwrap();
    fs::write(folder.join("expected.json"), serde_json::to_string_pretty(&expected).unwrap() + "\n").unwrap();
    fs::write(folder.join("README.md"), readme).unwrap();
}
