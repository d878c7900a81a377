//! A recorded case as a folder of `pcaps/`: capture, expectation, and a README that holds the truth.

use super::cases::{Case, Recording, Scene};
use super::judge::{Finding, judge};
use super::recorder::pcap;
use crate::support::cases::Expected;
use std::fs;
use std::path::{Path, PathBuf};

const TRUTH: &str = "Frames that the attacker sent: ";

/// Where the case lies when it is recorded.
pub(crate) fn folder(case: &Case) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps").join(case.name())
}

/// Writes what was recorded if the case has no folder and what is said of it is right. What is not right is written beside the build, for who
/// improves the detectors.
pub(crate) fn keep(case: &Case, recording: &Recording, finding: &Finding) {
    let folder = folder(case);
    let bytes = pcap(&recording.frames);
    if folder.exists() {
        return;
    }
    let Some(expected) = finding.expected(*case) else {
        let open = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab-open").join(case.name());
        fs::create_dir_all(&open).unwrap();
        fs::write(open.join("capture.pcap"), bytes).unwrap();
        fs::write(open.join("README.md"), format!("{}\nSaid: {}\n", readme(case, &recording.forged), finding.words())).unwrap();
        return;
    };
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("capture.pcap"), bytes).unwrap();
    fs::write(folder.join("README.md"), readme(case, &recording.forged)).unwrap();
    write_expected(case, &expected);
}

/// Judges the recorded capture anew, and writes what is expected of it if that is right.
pub(crate) fn bless(case: &Case) {
    let truth = truth(&fs::read_to_string(folder(case).join("README.md")).unwrap());
    if let Some(expected) = judge(*case, &folder(case).join("capture.pcap"), &truth).expected(*case) {
        write_expected(case, &expected);
    }
}

/// What is expected of a recorded case; none if it is not recorded.
pub(crate) fn expected(case: &Case) -> Option<Expected> {
    let text = fs::read_to_string(folder(case).join("expected.json")).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The numbers of the forged frames that a README names.
pub(crate) fn truth(readme: &str) -> Vec<u64> {
    let line = readme.lines().find_map(|line| line.strip_prefix(TRUTH)).unwrap();
    line.trim_end_matches('.').split(", ").filter_map(|number| number.parse().ok()).collect()
}

fn write_expected(case: &Case, expected: &Expected) {
    let json = serde_json::to_string_pretty(expected).unwrap() + "\n";
    fs::write(folder(case).join("expected.json"), json).unwrap();
}

fn readme(case: &Case, forged: &[u64]) -> String {
    let (kind, words) = match case.scene {
        Scene::Attack(attack, quality) => ("An attack", format!("{}.\nImitated: {}", attack.words(), quality.words())),
        Scene::Twin(twin) => ("Harmless", twin.words().to_owned()),
    };
    let forged = if forged.is_empty() { "none".to_owned() } else { forged.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ") };
    let limit = match (case.scene, case.limit()) {
        (Scene::Attack(..), Some(why)) => format!("\nIt may stay without an alert: {why}\n"),
        _ => String::new(),
    };
    format!(
        "# {}\n\n{kind}, over IPv{}: {words}.\n\n{TRUTH}{forged}.\n{limit}\n\
         Recorded in the lab of `tests/lab/`: Linux's own TCP at both ends, in network namespaces, with a delay line of 20 ms each way between \
         the gateway, where the sensor is, and the server. Addresses are those of RFC 5737 and RFC 3849; nothing left the machine.\n\
         `SIDEWATCH_RECORD=1 cargo test lab::` as root records the lab's cases that have no folder.\n",
        case.name(),
        case.version,
    )
}
