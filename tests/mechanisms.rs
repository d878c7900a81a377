//! Every mechanism has cases that are heard and harmless ones that look like it; those that a lab can play were played there.

use crate::support::cases::Expected;
use sidewatch::alert::Mechanism;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The fewest of either kind.
const FEWEST: usize = 2;

/// Mechanisms that must also have so many cases between real kernels and programs.
const PLAYED: [Mechanism; 6] =
    [Mechanism::DnsAnswer, Mechanism::ArpSpoof, Mechanism::NdpSpoof, Mechanism::DhcpRogue, Mechanism::RaRogue, Mechanism::IcmpRedirect];

/// All mechanisms that an alert can name. A new one makes this fail to compile until it is listed.
const fn all() -> [Mechanism; 14] {
    use Mechanism::*;
    match HttpRedirect {
        HttpRedirect | HttpContent | TcpContent | TcpReset | TcpFin | SynAck | DnsAnswer => {}
        ArpSpoof | NdpSpoof | DhcpRogue | RaRogue | IcmpRedirect | TlsDowngrade | Indicator => {}
    }
    [
        HttpRedirect,
        HttpContent,
        TcpContent,
        TcpReset,
        TcpFin,
        SynAck,
        DnsAnswer,
        ArpSpoof,
        NdpSpoof,
        DhcpRogue,
        RaRogue,
        IcmpRedirect,
        TlsDowngrade,
        Indicator,
    ]
}

/// The cases of a mechanism.
#[derive(Debug, Default)]
struct Cases {
    loud: BTreeSet<String>,
    quiet: BTreeSet<String>,
}

impl Cases {
    fn enough(&self, name: impl Fn(&str) -> bool) -> bool {
        [&self.loud, &self.quiet].iter().all(|cases| cases.iter().filter(|case| name(case)).count() >= FEWEST)
    }
}

/// What the folders of `pcaps/` hold, by mechanism. A quiet case is that of the mechanisms that it names, or of its loud twin's.
fn cases() -> BTreeMap<String, Cases> {
    let pcaps = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    let mut found: BTreeMap<String, Cases> = BTreeMap::new();
    let expectations: BTreeMap<String, Expected> = fs::read_dir(pcaps)
        .unwrap()
        .map(|entry| {
            let folder = entry.unwrap().path();
            let text = fs::read_to_string(folder.join("expected.json")).unwrap();
            (folder.file_name().unwrap().to_string_lossy().into_owned(), serde_json::from_str(&text).unwrap())
        })
        .collect();
    for (name, expected) in &expectations {
        let twin = name.strip_suffix("-quiet").and_then(|loud| expectations.get(loud));
        let of_twin = twin.into_iter().flat_map(|loud| &loud.alerts).map(|alert| &alert.mechanism);
        let told = expected.alerts.iter().map(|alert| &alert.mechanism).filter(|_| !expected.quiet);
        for mechanism in told {
            found.entry(mechanism.clone()).or_default().loud.insert(name.clone());
        }
        for mechanism in of_twin.chain(&expected.twin_of).filter(|_| expected.quiet) {
            found.entry(mechanism.clone()).or_default().quiet.insert(name.clone());
        }
    }
    found
}

#[test]
fn every_mechanism_has_loud_cases_and_quiet_ones() {
    let found = cases();
    for mechanism in all() {
        let cases = found.get(mechanism.name());
        assert!(cases.is_some_and(|cases| cases.enough(|_| true)), "{} has too few: {cases:?}", mechanism.name());
    }
    let known: BTreeSet<&str> = all().iter().map(|mechanism| mechanism.name()).collect();
    let strays: Vec<_> = found.keys().filter(|name| !known.contains(name.as_str())).collect();
    assert!(strays.is_empty(), "no alert names the mechanisms {strays:?}");
}

#[test]
fn what_a_lab_can_play_was_played_between_kernels() {
    let found = cases();
    for mechanism in PLAYED {
        let cases = &found[mechanism.name()];
        assert!(cases.enough(|name| name.starts_with("lab-")), "{} has too few of the lab: {cases:?}", mechanism.name());
    }
}

#[test]
fn only_a_harmless_case_is_like_something_else() {
    let pcaps = Path::new(env!("CARGO_MANIFEST_DIR")).join("pcaps");
    for entry in fs::read_dir(pcaps).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path().join("expected.json")).unwrap();
        let expected: Expected = serde_json::from_str(&text).unwrap();
        assert!(expected.quiet || expected.twin_of.is_empty(), "{expected:?}");
    }
}
