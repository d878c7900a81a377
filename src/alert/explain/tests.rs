//! A person who knows no TCP learns what was compared, what it shows, and what is not known.

use super::super::samples;
use super::*;

#[test]
fn the_genuine_answer_came_later() {
    let said = explanation(&samples::on_path());
    assert!(said.contains("asked for http://news.example/ and got two different answers"), "{said}");
    assert!(said.contains("sent the device to http://x.example/; the genuine one arrived 28 ms later"), "{said}");
    assert!(said.ends_with("they do not show who, or why."), "{said}");
}

#[test]
fn the_genuine_answer_never_came() {
    let mut alert = samples::in_path();
    assert!(explanation(&alert).contains("the server itself was not heard within 3.1 s, where the capture ends"));
    alert.closed_because = ClosedBecause::Deadline;
    assert!(explanation(&alert).contains("the server itself was not heard within 3.1 s:"));
    alert.silence = None;
    assert!(explanation(&alert).contains("the server itself was not heard afterwards:"));
}

#[test]
fn the_genuine_packet_came_first() {
    let said = explanation(&samples::syn_ack());
    assert!(said.contains("tried to connect to 203.0.113.7 (port 80)"), "{said}");
    assert!(said.contains("had arrived 9 ms earlier"), "{said}");
}

#[test]
fn the_host_of_a_long_address_is_the_true_one() {
    let mut alert = samples::on_path();
    alert.redirect.as_mut().unwrap().to = format!("http://bank.example.{}@evil.example/x", "a".repeat(200));
    let said = explanation(&alert);
    assert!(said.contains("sent the device to an address of evil.example;"), "{said}");
    alert.redirect.as_mut().unwrap().to = format!("http://{}/", "a.".repeat(200));
    assert!(explanation(&alert).contains("an address that is too long to be sound"));
}

#[test]
fn it_is_said_by_what_the_forged_one_was_known() {
    let mut alert = samples::on_path();
    assert!(explanation(&alert).contains("One of them does not match the server's other packets"));
    alert.signals.truncate(1);
    assert!(explanation(&alert).contains("One of them was judged to be the forged one"));
    alert.signals[0].code = "S8";
    assert!(explanation(&alert).contains("has the marks of a known kind of device"));
}

#[test]
fn a_server_that_went_on_did_not_break_off() {
    let said = explanation(&samples::reset());
    assert!(said.contains("the server itself went on: its next packet arrived 5 ms later"), "{said}");
    assert!(said.contains("likely but not certain"), "{said}");
}

#[test]
fn what_wakes_nobody_is_said_to_be_probably_harmless_and_why() {
    for (name, alert) in samples::all() {
        let said = explanation(&alert);
        assert_eq!(said.contains("This is probably harmless: "), alert.severity == 3, "{name}: {said}");
    }
}

#[test]
fn nobody_is_accused() {
    for (name, alert) in samples::all() {
        let said = format!("{} {}", headline(&alert), explanation(&alert)).to_lowercase();
        for word in ["attack", "hacker", "government", "state-", "spyware", "malicious"] {
            assert!(!said.contains(word), "{name}: {word}: {said}");
        }
        if !alert.verdict.is_injection() {
            assert!(!headline(&alert).starts_with("A forged"), "{name}");
        }
    }
}

#[test]
fn explanations_are_two_or_three_sentences_of_bearable_length() {
    for (name, mut alert) in samples::all() {
        if let Some(redirect) = &mut alert.redirect {
            redirect.to = format!("http://x.example/{}", "a".repeat(10_240));
        }
        let said = explanation(&alert);
        let sentences = said.matches(". ").count() + 1;
        assert!((2..=3).contains(&sentences), "{name}: {sentences}: {said}");
        assert!(said.chars().count() < 800, "{name}");
    }
}
