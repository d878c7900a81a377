//! What people see: the whole page of each story, and that hostile packets cannot write on it.

use std::path::Path;

use super::super::samples;
use super::*;

/// Compares with the file of that name; `SIDEWATCH_BLESS=1` writes it.
fn assert_page(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/alert/snapshots").join(format!("{name}.txt"));
    if std::env::var_os("SIDEWATCH_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, page).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(page, expected, "{name} reads otherwise; when that is meant, run the tests with SIDEWATCH_BLESS=1 and read the difference");
}

#[test]
fn every_story_reads_as_agreed() {
    for (name, alert) in samples::all() {
        assert_page(name, &render(&alert, &samples::replayed(), Style::default()));
    }
}

#[test]
fn a_live_sensor_is_named_with_its_interface() {
    let page = render(&samples::on_path(), &samples::live(), Style::default());
    assert!(page.contains("interface eth0, frame 5, sensor gateway-1"), "{page}");
}

#[test]
fn colour_adds_nothing_that_is_not_in_words() {
    let coloured = render(&samples::on_path(), &samples::replayed(), Style { colour: true });
    let plain = render(&samples::on_path(), &samples::replayed(), Style::default());
    assert!(coloured.contains("\u{1b}[31m  FORGED") && coloured.contains("\u{1b}[32m  GENUINE") && coloured.starts_with("\u{1b}[1mHIGH"));
    let stripped = ["[1m", "[31m", "[32m", "[0m"].iter().fold(coloured, |text, code| text.replace(&format!("\u{1b}{code}"), ""));
    assert_eq!(stripped, plain);
}

#[test]
fn only_an_injection_has_a_forged_packet() {
    for (name, alert) in samples::all() {
        let page = render(&alert, &samples::replayed(), Style { colour: true });
        assert_eq!(page.contains("FORGED"), alert.verdict.is_injection() && !alert.ladder.is_empty(), "{name}");
        assert_eq!(page.contains("\u{1b}[31m"), page.contains("FORGED"), "{name}");
    }
}

#[test]
fn hostile_packets_cannot_write_on_the_page() {
    let hostile =
        format!("http://evil.example/\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}gpj\u{2066}\u{9b}31m\r\n\u{2028}\u{430}{}", "A".repeat(10_240));
    let mut alert = samples::on_path();
    let redirect = alert.redirect.as_mut().unwrap();
    (redirect.to, redirect.from) = (hostile.clone(), Some(hostile.clone()));
    let http = alert.http.as_mut().unwrap();
    (http.hostname, http.url, http.method) = (Some(hostile.clone()), Some(hostile.clone()), Some(hostile.clone()));
    for row in &mut alert.ladder {
        row.note.clone_from(&hostile);
    }
    for signal in &mut alert.signals {
        (signal.observed, signal.expected, signal.why) = (hostile.clone(), hostile.clone(), hostile.clone());
    }
    alert.considered[0].why.clone_from(&hostile);
    let page = render(&alert, &samples::replayed(), Style::default());
    assert!(page.chars().all(|c| c == '\n' || (' '..='~').contains(&c)), "{page}");
    assert!(!page.contains("http:") && !page.contains("evil.example"), "{page}");
    assert!(page.len() < 12_000, "{}", page.len());
}

#[test]
fn no_line_is_wider_than_a_terminal_but_an_address() {
    for (name, mut alert) in samples::all() {
        for row in &mut alert.ladder {
            row.packet.frame += 10_000_000;
            if let Some(tcp) = &mut row.packet.tcp {
                tcp.seq = u32::MAX;
            }
        }
        let page = render(&alert, &samples::replayed(), Style::default());
        for line in page.lines().filter(|line| !line.starts_with("  to  ") && !line.starts_with("  from  ")) {
            assert!(line.chars().count() <= WIDTH, "{name}: {line}");
        }
    }
}

#[test]
fn broken_clocks_keep_the_columns() {
    let mut alert = samples::on_path();
    alert.ladder[0].packet.time = crate::engine::time::Timestamp::MIN;
    alert.ladder[4].packet.time = crate::engine::time::Timestamp::MAX;
    let page = render(&alert, &samples::replayed(), Style::default());
    let ladder: Vec<&str> = page.lines().filter(|line| line.contains("C -> S") || line.contains("C <- S")).collect();
    assert!(ladder.iter().all(|line| line.find("C ") == ladder[0].find("C ")), "{page}");
    assert!(ladder.iter().all(|line| line.len() <= WIDTH), "{page}");
}
