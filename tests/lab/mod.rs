//! The lab: real TCP stacks in network namespaces, a delay line between them, and a test-only attacker that cannot leave them.

#![allow(clippy::print_stdout, reason = "shown when a test fails")]

pub(crate) mod attack;
pub(crate) mod attacker;
pub(crate) mod cases;
pub(crate) mod fence;
mod folder;
mod judge;
pub(crate) mod lan;
mod limits;
pub(crate) mod line;
pub(crate) mod namespaces;
pub(crate) mod packet;
pub(crate) mod recorder;
mod topology;
mod twins;
pub(crate) mod web;

use cases::{Case, Recording, Scene, all, play_all};
use judge::{Finding, judge};
use packet::Packet;
use pnet::datalink::MacAddr;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use topology::Lab;

/// Rounds in which a case may turn out as it was recorded: time is real here, and other programs take it.
const ROUNDS: usize = 3;

#[test]
fn attacks_between_real_stacks_are_found_as_recorded_and_their_harmless_twins_are_not() {
    if let Some(reason) = namespaces::missing() {
        return say(&format!("lab: skipped, {reason}\n"));
    }
    let record = std::env::var_os("SIDEWATCH_RECORD").is_some();
    let started = Instant::now();
    let lab = Lab::build().unwrap();
    let (mut left, mut findings) = (all(), BTreeMap::new());
    for _ in 0..ROUNDS {
        left = play_all(&lab, &left).into_iter().filter_map(|(case, result)| review(case, result, record, &mut findings)).collect();
        if left.is_empty() {
            break;
        }
    }
    drop(lab);
    let names: Vec<String> = left.iter().map(Case::name).collect();
    say(&format!("lab: {} cases in {:.1} s\n{}", all().len(), started.elapsed().as_secs_f64(), limits::matrix(&findings)));
    assert!(names.is_empty(), "not as recorded: {names:?}");
}

/// Looks at what was recorded of a case. Gives the case back if it has to be played again.
fn review(case: Case, result: Result<Recording, String>, record: bool, findings: &mut BTreeMap<Case, Finding>) -> Option<Case> {
    let recording = match result {
        Ok(recording) => recording,
        Err(error) => {
            println!("{}: {error}", case.name());
            return Some(case);
        }
    };
    let scratch = tempfile::tempdir().unwrap();
    let capture = scratch.path().join("capture.pcap");
    fs::write(&capture, recorder::pcap(&recording.frames)).unwrap();
    let finding = judge(case, &capture, &recording.forged);
    if record {
        folder::keep(&case, &recording, &finding);
    }
    let as_recorded = match (case.scene, folder::expected(&case)) {
        (Scene::Twin(_), _) => matches!(finding, Finding::Quiet(_)),
        (Scene::Attack(..), Some(expected)) if !expected.quiet => matches!(finding, Finding::Found(_) | Finding::InPart(_)),
        _ => true,
    };
    println!("{}: forged {:?}: {}", case.name(), recording.forged, finding.words());
    findings.insert(case, finding);
    (!as_recorded).then_some(case)
}

#[test]
fn the_page_of_limits_says_what_is_expected_of_the_recorded_cases() {
    let bless = std::env::var_os("SIDEWATCH_BLESS").is_some();
    if bless {
        all().iter().filter(|case| folder::folder(case).exists()).for_each(folder::bless);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    if bless {
        fs::write(&path, limits::page()).unwrap();
    }
    assert!(fs::read_to_string(path).is_ok_and(|page| page == limits::page()), "SIDEWATCH_BLESS=1 writes docs/limits.md anew");
}

#[test]
fn a_recorded_case_is_loud_unless_its_limit_is_known() {
    let recorded: Vec<Case> = all().into_iter().filter(|case| folder::folder(case).exists()).collect();
    assert!(recorded.len() >= 40, "only {} cases are recorded", recorded.len());
    for case in recorded {
        let readme = fs::read_to_string(folder::folder(&case).join("README.md")).unwrap();
        let truth = folder::truth(&readme);
        assert_eq!(truth.is_empty(), matches!(case.scene, Scene::Twin(_)), "{}", case.name());
        let expected = folder::expected(&case).unwrap();
        assert!(!expected.quiet || case.limit().is_some(), "{} is quiet, and no limit says why", case.name());
        for alert in expected.alerts {
            assert_eq!(alert.forged_frames, truth, "{}", case.name());
        }
        let size = fs::metadata(folder::folder(&case).join("capture.pcap")).unwrap().len();
        assert!(size < 6000, "{} has {size} bytes", case.name());
    }
}

#[test]
fn the_cases_without_a_folder_are_those_that_the_page_calls_open() {
    let mut open: Vec<String> = all().iter().filter(|case| !folder::folder(case).exists()).map(Case::name).collect();
    let mut named: Vec<&str> = limits::OPEN.iter().flat_map(|(cases, _)| cases.iter().copied()).collect();
    open.sort();
    named.sort_unstable();
    assert_eq!(open, named);
}

#[test]
fn nothing_can_be_sent_outside_the_lab() {
    let own = namespaces::own_inode();
    assert!(fence::check(&own, "swlab-c").is_err(), "the machine's namespace is not the lab's, whatever the interface is called");
    assert!(fence::check("net:[1]", "swlab-c").is_err(), "the thread is in another namespace");
    for outside in ["8.8.8.8", "10.0.0.1", "192.0.3.1", "2606:4700::1111", "fe80::1"] {
        assert!(!fence::is_ours(outside.parse().unwrap()), "{outside}");
    }
    for inside in ["192.0.2.10", "203.0.113.80", "2001:db8:3::80"] {
        assert!(fence::is_ours(inside.parse().unwrap()), "{inside}");
    }
    if namespaces::missing().is_none() {
        let home = namespaces::Namespace::make().unwrap();
        assert!(fence::open(&home, "lo").is_err(), "an interface of another name");
        assert!(home.within(|| fence::check(home.inode(), "swlab-c")).is_ok());
    }
}

#[test]
fn a_packet_is_read_as_it_was_built() {
    for (src, dst) in [("203.0.113.1", "192.0.2.10"), ("2001:db8:3::1", "2001:db8:1::10")] {
        let packet = Packet {
            from: MacAddr::new(2, 0, 0, 0, 0, 1),
            to: MacAddr::new(2, 0, 0, 0, 0, 2),
            src: src.parse().unwrap(),
            dst: dst.parse().unwrap(),
            src_port: web::PORT,
            dst_port: 40000,
            ttl: 55,
            ip_id: 0,
            df: src.contains('.'),
            flow_label: 0,
            seq: 7,
            ack: 9,
            flags: packet::PSH | packet::ACK,
            window: 509,
            options: packet::timestamps(1, 2),
            payload: web::redirect(),
        };
        let again = Packet::read(&packet.frame()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{packet:?}"));
        assert_eq!((again.timestamp(), again.echo(), again.window_shift()), (Some(1), Some(2), None));
    }
}

/// Says it even when the test passes.
pub(crate) fn say(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).ok();
}
