//! Messages of DNS as they come, and as they should not.

use proptest::prelude::*;

use super::*;

/// A header with these flags and counts.
fn header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let mut bytes = vec![0xbe, 0xef];
    bytes.extend(flags.to_be_bytes());
    bytes.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    bytes
}

fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).chain([0]).collect()
}

fn question(text: &str, qtype: u16) -> Vec<u8> {
    [name(text), qtype.to_be_bytes().to_vec(), vec![0, 1]].concat()
}

/// A record whose owner is the question's name, by a pointer.
fn record(rtype: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xc0, 12];
    bytes.extend(rtype.to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(ttl.to_be_bytes());
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
    bytes
}

fn opt() -> Vec<u8> {
    vec![0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]
}

#[test]
fn a_question_keeps_its_letters() {
    let bytes = [header(0x0100, [1, 0, 0, 1]), question("wWw.ExAmple.ORG", A), opt()].concat();
    let message = Message::read(&bytes).unwrap();
    let asked = message.question.as_ref().unwrap();
    assert_eq!((message.id, asked.name.to_string().as_str(), asked.qtype, asked.qclass), (0xbeef, "wWw.ExAmple.ORG", A, 1));
    assert!(!message.is_answer() && message.edns && message.whole && message.flags.has(Flags::RECURSION_DESIRED));
    let small = Message::read(&[header(0x0100, [1, 0, 0, 0]), question("www.example.org", A)].concat()).unwrap();
    assert!(small.question.as_ref().unwrap().name.is_same(&asked.name));
    assert_ne!(small.question.unwrap().name, asked.name);
}

#[test]
fn an_answer_gives_its_addresses_in_order_and_the_end_of_its_aliases() {
    let bytes = [
        header(0x8180, [1, 3, 0, 1]),
        question("www.example.org", A),
        record(5, 300, &[&[4], &b"edge"[..], &[0xc0, 16]].concat()),
        record(A, 60, &[203, 0, 113, 9]),
        record(A, 61, &[198, 51, 100, 7]),
        opt(),
    ]
    .concat();
    let message = Message::read(&bytes).unwrap();
    assert_eq!(message.addresses, [Addr::v4([198, 51, 100, 7]), Addr::v4([203, 0, 113, 9])]);
    assert_eq!(message.alias.unwrap().to_string(), "edge.example.org");
    assert_eq!((message.ttl, message.others, message.counts), (Some(60), 0, [1, 3, 0, 1]));
    assert!(message.edns && message.whole && message.answers_whole);
}

#[test]
fn what_the_snap_length_cut_is_left_out_and_said_so() {
    let bytes =
        [header(0x8180, [1, 2, 0, 1]), question("a.example", A), record(A, 60, &[192, 0, 2, 1]), record(A, 60, &[192, 0, 2, 2])].concat();
    let whole_answers = Message::read(&bytes).unwrap();
    assert!(whole_answers.answers_whole && !whole_answers.whole, "the OPT record was cut away");
    let cut = Message::read(&bytes[..bytes.len() - 3]).unwrap();
    assert_eq!(cut.addresses.len(), 1);
    assert!(!cut.answers_whole);
}

#[test]
fn a_record_of_the_wrong_length_is_no_address() {
    let bytes = [header(0x8180, [1, 1, 0, 0]), question("a.example", AAAA), record(AAAA, 60, &[1, 2, 3, 4, 5])].concat();
    let message = Message::read(&bytes).unwrap();
    assert!(message.addresses.is_empty() && message.whole);
}

#[test]
fn what_is_no_query_is_not_read() {
    assert!(Message::read(b"").is_none());
    assert!(Message::read(&[0; 11]).is_none());
    let notify = [header(0x2000, [1, 0, 0, 0]), question("example", 6)].concat();
    assert!(Message::read(&notify).is_none());
    let loops = [header(0x0100, [1, 0, 0, 0]), vec![0xc0, 12, 0, 1, 0, 1]].concat();
    assert!(Message::read(&loops).is_none());
}

#[test]
fn odd_labels_are_escaped() {
    let bytes = [header(0, [1, 0, 0, 0]), vec![4, b'a', b'.', 0x1b, 0xff, 0, 0, 1, 0, 1]].concat();
    assert_eq!(Message::read(&bytes).unwrap().question.unwrap().name.to_string(), r"a\.\027\255");
    let root = [header(0, [1, 0, 0, 0]), vec![0, 0, 2, 0, 1]].concat();
    assert_eq!(Message::read(&root).unwrap().question.unwrap().name.to_string(), ".");
    assert_eq!((type_name(A), type_name(65_280), rcode_name(3)), ("A".to_owned(), "TYPE65280".to_owned(), "NXDOMAIN".to_owned()));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_grow(bytes in proptest::collection::vec(any::<u8>(), 0..600), flags in any::<u16>(), counts in any::<[u8; 4]>()) {
        let tail = [header(flags & 0x87bf, counts.map(u16::from)), bytes.clone()].concat();
        for input in [bytes, tail] {
            if let Some(message) = Message::read(&input) {
                prop_assert!(message.addresses.len() <= MOST_ADDRESSES);
                prop_assert!(message.addresses.is_sorted());
                let names = [message.question.as_ref().map(|question| &question.name), message.alias.as_ref()];
                for name in names.into_iter().flatten() {
                    prop_assert!(name.as_bytes().len() <= 255);
                    prop_assert!(name.to_string().bytes().all(|byte| (b'!'..=b'~').contains(&byte)));
                }
            }
        }
    }

    #[test]
    fn a_cut_message_says_nothing_that_the_whole_one_does_not(at in 0_usize..120) {
        let bytes = [header(0x8180, [1, 2, 0, 1]), question("a.example", A), record(A, 9, &[192, 0, 2, 1]), record(A, 9, &[192, 0, 2, 2]), opt()].concat();
        let whole = Message::read(&bytes).unwrap();
        if let Some(cut) = Message::read(bytes.get(..at).unwrap_or(&bytes)) {
            prop_assert!(cut.addresses.iter().all(|address| whole.addresses.contains(address)));
            prop_assert!(at >= bytes.len() || !cut.whole);
        }
    }
}
