//! Which answers come together with which question, and when it is closed.

use super::super::samples::{Sample, answer, ask, closed, play};
use super::*;

const ONE: [u8; 4] = [203, 0, 113, 1];
const OTHER: [u8; 4] = [192, 0, 2, 1];

#[test]
fn answers_are_collected_for_five_seconds_after_the_first() {
    let samples = [ask(0), answer(40, [ONE]), answer(5_000, [OTHER]), answer(5_050, [[198, 51, 100, 1]])];
    let (all, table) = play(&samples, &Limits::default());
    assert_eq!((all.len(), table.held().0), (1, 1), "the last answer is one to a question that nobody asked");
    let exchange = &all[0].scene.exchange;
    assert_eq!(all[0].at, Timestamp::from_nanos(5_040_000_000));
    assert_eq!((exchange.answers.len(), exchange.times_asked), (2, 1));
    assert_eq!(exchange.took(&exchange.answers[0]).map(|took| took.as_nanos()), Some(40_000_000));
}

#[test]
fn equal_answers_are_one_and_a_question_told_twice_was_asked_once() {
    let copy = |sample: Sample| Sample { ttl: sample.ttl - 1, ..sample };
    let all = closed(&[ask(0), copy(ask(0)), answer(40, [ONE]), copy(answer(40, [ONE])), Sample { ms: 900, ..ask(0) }, answer(940, [ONE])]);
    let exchange = &all[0].scene.exchange;
    assert_eq!((all.len(), exchange.times_asked, exchange.answers.len()), (1, 2, 1));
    assert_eq!(exchange.answers[0].frames, [3, 4, 6]);
}

#[test]
fn letters_do_not_part_a_question_from_its_answer_but_names_types_and_identifications_do() {
    let question = Sample { name: "A.exAmple", ..ask(0) };
    let others = [
        answer(10, [ONE]),
        Sample { id: 8, ..answer(11, [OTHER]) },
        Sample { qtype: 28, ..answer(12, [OTHER]) },
        Sample { name: "b.example", ..answer(13, [OTHER]) },
    ];
    let all = closed(&[&[question][..], &others].concat());
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|closed| closed.scene.exchange.answers.len() == 1));
    assert_eq!(all.iter().filter(|closed| closed.scene.exchange.times_asked == 1).count(), 1);
}

#[test]
fn what_nobody_contradicts_is_the_measure_for_others() {
    let question = |id, ms| Sample { id, ..ask(ms) };
    let reply = |id, ms, address| Sample { id, ..answer(ms, [address]) };
    let samples = [
        question(1, 0),
        reply(1, 30, ONE),
        question(2, 100),
        reply(2, 110, ONE),
        reply(2, 130, OTHER),
        question(3, 200),
        reply(3, 240, ONE),
    ];
    let all = closed(&samples);
    let habits = |id: u16| {
        let scene = &all.iter().find(|closed| closed.scene.exchange.id == id).unwrap().scene;
        scene.habits.iter().map(|habit| habit.mark.frame).collect::<Vec<_>>()
    };
    assert_eq!(habits(2), [2, 7], "the other two answers");
    assert_eq!(habits(3), [2], "not those that contradict each other");
}

#[test]
fn a_crowd_of_questions_costs_the_oldest_ones_their_wait_and_answers_to_nothing_cost_nobody_anything() {
    let limits = Limits { dns_bytes_per_shard: 16 << 10, ..Limits::default() };
    let numbered = |sample: fn(i64) -> Sample, from: i64| (0..400).map(move |id| Sample { id: id as u16, ..sample(from + id) });
    let questions: Vec<Sample> = numbered(ask, 0).collect();
    let (_, table) = play(&questions, &limits);
    assert!(table.counters().evicted > 300, "{:?} open", table.held());
    assert!(table.held().1 <= limits.dns_bytes_per_shard && table.held().0 > 5, "{:?} open", table.held());
    let stray = |ms| answer(ms, [OTHER]);
    let samples: Vec<Sample> = std::iter::once(Sample { id: 1_000, ..ask(0) }).chain(numbered(stray, 0)).collect();
    let (closed, table) = play(&samples, &limits);
    assert!(closed.is_empty() && table.counters().left_out > 300);
    assert!(table.open.values().any(|exchange| exchange.id == 1_000));
}

#[test]
fn resolvers_seen_longest_ago_are_forgotten_first() {
    let mut habits = Habits::default();
    let pair = |last| Pair {
        client: super::super::samples::CLIENT,
        resolver: crate::engine::decode::packet::Addr(last),
        vlans: [0; 2],
        tunnel: 0,
    };
    let mark = closed(&[ask(0), answer(1, [ONE])])[0].scene.exchange.answers[0].mark;
    let learned = |habits: &mut Habits, last| habits.learn(pair(last), Habit { serial: 1, mark, took: None }, 2);
    assert!(!learned(&mut habits, 1) && !learned(&mut habits, 2) && !learned(&mut habits, 1));
    assert!(learned(&mut habits, 3));
    assert_eq!([1, 2, 3].map(|last| habits.beside(&pair(last), 9).len()), [2, 0, 1]);
}

#[test]
fn an_answer_that_repeats_no_question_belongs_to_the_only_one_with_its_identification() {
    let mut bare = vec![0, 7, 0x81, 0x80, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4];
    bare.extend(OTHER);
    let limits = Limits::default();
    let (_, mut table) = play(&[ask(0)], &limits);
    let exchange = table.open.values().next().unwrap();
    let (src, dst) = (exchange.resolver, exchange.client);
    let head = DatagramHead { src: src.0, src_port: src.1, dst: dst.0, dst_port: dst.1, ..sample_head() };
    table.handle(&Datagram { head, payload: &bare }, head.time, &limits);
    assert_eq!(table.open.values().next().unwrap().answers.len(), 1);
}

#[test]
fn a_stray_answer_to_another_name_with_the_same_hash_pushes_nothing_out() {
    let (_, mut table) = play(&[ask(0)], &Limits::default());
    let (key, exchange) = table.open.pop_front().unwrap();
    // As if the hashes were equal: the key is that of the name which the answer repeats.
    let other = Message::read(&Sample { name: "other.example", ..ask(0) }.bytes()).unwrap().question.unwrap();
    table.open.insert(key, Exchange { question: other, ..exchange });
    let (sample, bytes) = (answer(1, [ONE]), answer(1, [ONE]).bytes());
    table.handle(&Datagram { head: sample.head(2, bytes.len()), payload: &bytes }, Timestamp::from_nanos(1_000_000), &Limits::default());
    assert_eq!((table.open.len(), table.counters().left_out), (1, 1));
    assert_eq!(table.open.values().next().unwrap().question.name.to_string(), "other.example");
}

fn sample_head() -> DatagramHead {
    DatagramHead {
        carrier: crate::engine::decode::datagram::Carrier::Udp,
        frame: 2,
        time: Timestamp::from_nanos(1_000_000),
        src: crate::engine::decode::packet::Addr(0),
        dst: crate::engine::decode::packet::Addr(0),
        src_port: 0,
        dst_port: 0,
        ttl: 55,
        ip_id: 1,
        df: false,
        ip_version: 4,
        ether: None,
        vlans: crate::engine::decode::packet::Vlans::default(),
        tunnel: 0,
        payload_len: 27,
        wire_len: 69,
    }
}
