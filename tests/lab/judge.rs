//! What the program says of a recorded case, against what is known of it.

use super::attack::Attack;
use super::cases::{Case, Scene};
use crate::support::cases::{Alert, Expected};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What was found of an attack, or said of a harmless case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Finding {
    /// One alert on all of the attacker's frames and on no others, which knows where the attacker stood.
    Found(Said),
    /// One alert on frames of the attacker only, which leaves some out or does not know where the attacker stood.
    InPart(Said),
    /// No alert of severity 1 or 2, but perhaps a record of severity 3.
    Quiet(Option<Said>),
    /// Anything else: more alerts than injections, honest frames blamed.
    Wrong(String),
}

/// An alert, as far as it matters here.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    severity: u64,
    confidence: f64,
    verdict: String,
    mechanism: String,
    forged: Vec<u64>,
    genuine: Option<u64>,
    codes: Vec<String>,
}

/// Replays `capture` and judges what is said of it.
pub(crate) fn judge(case: Case, capture: &Path, truth: &[u64]) -> Finding {
    let run = Command::new(env!("CARGO_BIN_EXE_sidewatch")).arg("replay").arg(capture).args(["--format", "json"]).output().unwrap();
    if !run.status.success() {
        return Finding::Wrong(format!("exit status {:?}", run.status.code()));
    }
    let lines = String::from_utf8(run.stdout).unwrap();
    let mut said: Vec<Said> = lines.lines().map(|line| Said::read(&serde_json::from_str(line).unwrap())).collect();
    let records: Vec<Said> = said.extract_if(.., |said| said.severity >= 3).collect();
    let Some(last) = said.pop() else { return Finding::Quiet(records.into_iter().next()) };
    if !said.is_empty() || last.forged.is_empty() || !last.forged.iter().all(|frame| truth.contains(frame)) {
        return Finding::Wrong(format!("alert {} of {}: {}", said.len() + 1, said.len() + 1, last.words()));
    }
    if last.fits(case, truth) { Finding::Found(last) } else { Finding::InPart(last) }
}

impl Finding {
    /// The expectation that holds the program to it; none of what is not right.
    pub(crate) fn expected(&self, case: Case) -> Option<Expected> {
        match (self, case.scene, case.limit()) {
            (Self::Found(said), Scene::Attack(attack, _), _) => {
                Some(Expected { alerts: vec![said.expected(attack)], quiet: false, silent: false, twin_of: Vec::new() })
            }
            (Self::Quiet(_), _, Some(_)) => Some(Expected { alerts: Vec::new(), quiet: true, silent: false, twin_of: Vec::new() }),
            _ => None,
        }
    }

    /// In a cell of the matrix.
    pub(crate) fn cell(&self) -> String {
        match self {
            Self::Found(said) => format!("{} ({:.2})", said.severity, said.confidence),
            Self::InPart(said) => format!("part {}", said.severity),
            Self::Quiet(None) => "-".to_owned(),
            Self::Quiet(Some(said)) => format!("{} ({:.2})", said.severity, said.confidence),
            Self::Wrong(_) => "WRONG".to_owned(),
        }
    }

    pub(crate) fn words(&self) -> String {
        match self {
            Self::Found(said) => said.words(),
            Self::InPart(said) => format!("IN PART {}", said.words()),
            Self::Wrong(why) => format!("WRONG {why}"),
            Self::Quiet(None) => "quiet".to_owned(),
            Self::Quiet(Some(said)) => format!("quiet, but for {}", said.words()),
        }
    }
}

impl Said {
    fn read(alert: &Value) -> Self {
        let injection = &alert["alert"]["context"]["injection"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        Self {
            severity: alert["alert"]["severity"].as_u64().unwrap_or(0),
            confidence: injection["confidence"].as_f64().unwrap_or(0.0),
            verdict: text(&injection["verdict"]),
            mechanism: text(&injection["mechanism"]),
            forged: list(&injection["forged"]["frames"]).iter().filter_map(Value::as_u64).collect(),
            genuine: injection["genuine"]["frame"].as_u64(),
            codes: list(&injection["signals"]).iter().map(|signal| text(&signal["code"])).collect(),
        }
    }

    /// Whether it names all of the attacker's frames, and knows where the attacker stood.
    fn fits(&self, case: Case, truth: &[u64]) -> bool {
        let Scene::Attack(attack, _) = case.scene else { return false };
        self.forged == truth
            && attack.verdicts().contains(&self.verdict.as_str())
            && self.genuine.is_some() == attack.lets_genuine_through()
    }

    fn words(&self) -> String {
        format!(
            "severity {} ({:.2}) {} {} on {:?} against {:?} by {}",
            self.severity,
            self.confidence,
            self.verdict,
            self.mechanism,
            self.forged,
            self.genuine,
            self.codes.join(" ")
        )
    }

    fn expected(&self, attack: Attack) -> Alert {
        Alert {
            mechanism: self.mechanism.clone(),
            verdict: attack.verdicts().iter().map(|verdict| (*verdict).to_owned()).collect(),
            max_severity: self.severity as u8,
            forged_frames: self.forged.clone(),
            genuine_frame: self.genuine,
            signals: Vec::new(),
            followed: None,
            led_by: None,
        }
    }
}
