//! Answers side by side: which stand against each other, and which is held to be forged.

use super::*;
use crate::engine::dns::samples::{ANSWER, Sample, answer, ask, closed};

const SITE: [u8; 4] = [203, 0, 113, 80];
const NEAR: [u8; 4] = [203, 0, 113, 90];
const FALSE: [u8; 4] = [192, 0, 2, 66];
const KNOWN: [u8; 4] = [8, 7, 198, 45];

/// What is found of the question with identification 7.
fn found(samples: &[Sample]) -> Option<DnsAssessment> {
    let forged_addresses = crate::rules::shipped().rules.forged_addresses;
    let knowledge = Knowledge { forged_addresses, ..Knowledge::default() };
    let all = closed(samples);
    let closed = all.iter().find(|closed| closed.scene.exchange.id == 7).expect("an answer came");
    inspect(&closed.scene, &knowledge)
}

/// Frames of what is forged and of what is genuine.
fn parted(assessment: &DnsAssessment) -> (Kind, Vec<u64>, Vec<u64>) {
    let frames = |indices| assessment.answers(indices).flat_map(|answer| answer.frames.clone()).collect();
    (assessment.kind, frames(&assessment.forged), frames(&assessment.genuine))
}

/// Two other questions, each answered once after 40 ms; then `samples`.
fn with_habits(samples: &[Sample]) -> Vec<Sample> {
    let other = |id, ms| [Sample { id, ..ask(ms) }, Sample { id, ..answer(ms + 40, [[198, 51, 100, 9]]) }];
    [&other(1, -300)[..], &other(2, -200), samples].concat()
}

#[test]
fn arrival_alone_names_nobody() {
    for times in [(10, 40), (40, 10)] {
        let mut samples = [ask(0), answer(times.0, [FALSE]), answer(times.1, [SITE])];
        samples[1..].sort_by_key(|sample| sample.ms);
        let assessment = found(&samples).unwrap();
        assert_eq!((assessment.kind, assessment.score()), (Kind::Unclear, 45));
    }
}

#[test]
fn each_mark_names_the_forged_one_whichever_came_first() {
    let plain = answer(40, [FALSE]);
    let marked = [
        Sample { addresses: vec![KNOWN], ..plain.clone() },
        Sample { name: "A.EXAMPLE", ..plain.clone() },
        Sample { edns: false, ..plain.clone() },
        Sample { ttl: 64, ..plain.clone() },
        Sample { ip_id: 0, df: false, ..plain.clone() },
        Sample { ip_id: ask(0).ip_id, ..plain.clone() },
        Sample { flags: ANSWER | Flags::AUTHORITATIVE, ..plain.clone() },
        Sample { flags: ANSWER & !Flags::RECURSION_AVAILABLE, ..plain },
    ];
    for forged in marked {
        for (ms, frames) in [(10, (2, 3)), (70, (3, 2))] {
            let mut samples = [ask(0), answer(40, [SITE]), Sample { ms, ..forged.clone() }];
            samples[1..].sort_by_key(|sample| sample.ms);
            let assessment = found(&samples).unwrap_or_else(|| panic!("{forged:?}"));
            assert_eq!(parted(&assessment), (Kind::TwoSenders, vec![frames.0], vec![frames.1]), "{forged:?}");
            assert!(assessment.score() >= 50 && !assessment.retried);
        }
    }
}

#[test]
fn the_resolvers_other_answers_are_the_measure() {
    let by_ttl = with_habits(&[ask(0), Sample { ttl: 90, ..answer(60, [FALSE]) }, answer(100, [SITE])]);
    let assessment = found(&by_ttl).unwrap();
    assert_eq!((parted(&assessment), assessment.score()), ((Kind::TwoSenders, vec![6], vec![7]), 55));
    let by_time = with_habits(&[ask(0), answer(15, [FALSE]), answer(100, [SITE])]);
    assert_eq!(parted(&found(&by_time).unwrap()), (Kind::TwoSenders, vec![6], vec![7]));
    let in_time = with_habits(&[ask(0), answer(25, [FALSE]), answer(100, [SITE])]);
    assert_eq!(found(&in_time).unwrap().kind, Kind::Unclear);
}

#[test]
fn a_server_of_a_zone_is_asked_without_recursion_and_has_authority() {
    let asked = Sample { flags: 0, ..ask(0) };
    let genuine = Sample { flags: 0x8400, ..answer(40, [SITE]) };
    let forged = Sample { flags: 0x8080, ..answer(10, [FALSE]) };
    assert_eq!(parted(&found(&[asked, forged, genuine]).unwrap()), (Kind::TwoSenders, vec![2], vec![3]));
}

#[test]
fn three_forged_answers_and_one_genuine_are_one_finding() {
    let forged = |ms, address| Sample { edns: false, ttl: 99, ..answer(ms, [address]) };
    let assessment =
        found(&with_habits(&[ask(0), forged(5, KNOWN), forged(6, [93, 46, 8, 89]), forged(7, FALSE), answer(45, [SITE])])).unwrap();
    assert_eq!(parted(&assessment), (Kind::TwoSenders, vec![6, 7, 8], vec![9]));
    assert!(assessment.evidence[0].finding.observed.contains("8.7.198.45 (frame 6)"));
    assert!(assessment.evidence.iter().filter(|evidence| evidence.finding.points == 15).count() == 1, "a kind of mark counts once");
}

#[test]
fn only_forged_answers_were_seen_where_all_are_of_a_pool() {
    let assessment = found(&[ask(0), answer(5, [KNOWN]), answer(6, [[93, 46, 8, 89]])]).unwrap();
    assert_eq!((parted(&assessment), assessment.score()), ((Kind::Replaced, vec![2, 3], Vec::new()), 60));
}

#[test]
fn a_copied_header_does_not_hide_what_no_resolver_says() {
    let copied = |forged: Sample| Sample { ip_id: 901, ..forged };
    let genuine = Sample { ip_id: 900, ..answer(40, [SITE]) };
    for forged in [answer(10, [KNOWN]), Sample { name: "A.EXAMPLE", ..answer(10, [FALSE]) }] {
        let assessment = found(&[ask(0), copied(forged), genuine.clone()]).unwrap();
        assert_eq!(parted(&assessment), (Kind::TwoSenders, vec![2], vec![3]));
    }
}

#[test]
fn a_site_whose_own_addresses_are_in_a_pool_and_that_is_asked_for_twice_is_a_hint() {
    let assessment = found(&[ask(0), ask(1000), answer(1040, [KNOWN]), answer(1060, [[93, 46, 8, 89]])]).unwrap();
    assert_eq!((assessment.kind, assessment.score()), (Kind::KnownAddress, 40));
}

#[test]
fn a_known_address_alone_is_a_hint_and_with_a_mark_a_replacement() {
    let hint = found(&with_habits(&[ask(0), answer(41, [KNOWN])])).unwrap();
    assert_eq!((hint.kind, hint.score()), (Kind::KnownAddress, 25));
    let early = found(&with_habits(&[ask(0), Sample { ttl: 61, ..answer(3, [KNOWN]) }])).unwrap();
    assert_eq!((early.kind, early.score()), (Kind::Replaced, 45));
    assert_eq!(found(&with_habits(&[ask(0), Sample { ttl: 61, ..answer(3, [SITE]) }])).map(|found| found.kind), None);
}

#[test]
fn a_denial_or_nothing_contradicts_addresses() {
    let denial = Sample { flags: ANSWER | 3, edns: false, ..answer(10, []) };
    assert_eq!(parted(&found(&[ask(0), denial, answer(40, [SITE])]).unwrap()), (Kind::TwoSenders, vec![2], vec![3]));
    let nothing = Sample { authorities: 1, ..answer(40, []) };
    let forged = Sample { edns: false, ..answer(10, [FALSE]) };
    assert_eq!(parted(&found(&[ask(0), forged, nothing]).unwrap()), (Kind::TwoSenders, vec![2], vec![3]));
}

#[test]
fn what_is_no_contradiction_is_nothing() {
    let quiet = [
        ("one network", vec![ask(0), answer(10, [SITE]), answer(40, [NEAR])]),
        ("a shared address", vec![ask(0), answer(10, [SITE, FALSE]), answer(40, [FALSE])]),
        ("an error", vec![ask(0), Sample { flags: ANSWER | 2, ..answer(10, []) }, Sample { ttl: 90, ..answer(40, [SITE]) }]),
        ("a refusal", vec![ask(0), Sample { flags: ANSWER | 5, ..answer(10, []) }, Sample { ttl: 90, ..answer(40, [SITE]) }]),
        ("truncated", vec![ask(0), Sample { flags: ANSWER | Flags::TRUNCATED, ..answer(10, [FALSE]) }, answer(40, [SITE])]),
        (
            "any",
            [ask(0), answer(10, [FALSE]), Sample { edns: false, ..answer(40, [SITE]) }]
                .map(|sample| Sample { qtype: ANY, ..sample })
                .to_vec(),
        ),
        ("one machine", vec![ask(0), Sample { ip_id: 900, ..answer(10, [FALSE]) }, Sample { ip_id: 901, ..answer(11, [SITE]) }]),
        ("asked again", vec![ask(0), ask(1000), answer(1040, [FALSE]), answer(1060, [SITE])]),
        ("unseen and later", vec![answer(0, [FALSE]), answer(2000, [SITE])]),
    ];
    for (name, samples) in quiet {
        assert!(found(&samples).is_none(), "{name}");
    }
}

#[test]
fn a_question_asked_again_needs_more_than_one_mark() {
    let asked = [ask(0), ask(1000)];
    let one_mark = Sample { ttl: 58, ..answer(1040, [FALSE]) };
    let assessment = found(&[&asked[..], &[one_mark.clone(), answer(1060, [SITE])]].concat()).unwrap();
    assert_eq!((assessment.kind, assessment.score()), (Kind::Unclear, 35));
    let known = Sample { addresses: vec![KNOWN], ..one_mark };
    assert_eq!(found(&[&asked[..], &[known, answer(1060, [SITE])]].concat()).unwrap().kind, Kind::TwoSenders);
    let letters = Sample { name: "A.EXAMPLE", ..answer(1040, [FALSE]) };
    assert_eq!(found(&[&asked[..], &[letters, answer(1060, [SITE])]].concat()).unwrap().kind, Kind::TwoSenders);
}

#[test]
fn answers_near_each_other_whose_question_was_not_seen_are_to_one_question() {
    let assessment = found(&[Sample { edns: false, ..answer(0, [KNOWN]) }, answer(30, [SITE])]).unwrap();
    assert_eq!((assessment.kind, assessment.retried), (Kind::TwoSenders, false));
}
