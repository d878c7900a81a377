//! `sidewatch doctor` and `sidewatch interfaces`, the real program, on wires with an illness.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};

use super::cable;
use super::wire::send;
use crate::lab::namespaces::Namespace;

/// A TCP segment of connection `number`, or one that answers it.
fn segment(number: u8, back: bool) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, 6, 0, 0];
    let (client, server) = ([192, 0, 2, 10], [203, 0, 113, 80]);
    let (client_port, server_port) = ([0x99, number], [0, 80]);
    let ((from, to), (from_port, to_port)) =
        if back { ((server, client), (server_port, client_port)) } else { ((client, server), (client_port, server_port)) };
    frame.extend([&from[..], &to, &from_port, &to_port, &[0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 2, 0, 0, 0, 0, 0]].concat());
    frame
}

fn run(home: &Namespace, arguments: &[&str]) -> Output {
    home.within(|| Command::new(env!("CARGO_BIN_EXE_sidewatch")).args(arguments).output().unwrap())
}

/// What the doctor says of the cable's end while `directions` of ten connections go over it.
fn doctor(directions: &[bool]) -> Option<(String, Option<i32>)> {
    let home = cable()?;
    let seen = AtomicBool::new(false);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !seen.load(Ordering::Relaxed) {
                for back in directions {
                    send(&home, "swlab-a", (0..10).map(|number| segment(number, *back)));
                }
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        let output = run(&home, &["doctor", "--interface", "swlab-b", "--seconds", "1"]);
        seen.store(true, Ordering::Relaxed);
        output
    });
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code()))
}

#[test]
fn a_mirror_of_one_direction_is_found() {
    let Some((text, status)) = doctor(&[false]) else { return };
    assert!(text.contains("WRONG  10 of 10 TCP connections on swlab-b are heard in one direction only\n  why: "), "{text}");
    assert_eq!(status, Some(3));
    let Some((text, _)) = doctor(&[false, true]) else { return };
    assert!(text.contains("10 TCP connections (10 of 10 heard both ways), 0 dropped"), "{text}");
    assert!(!text.contains("one direction"), "{text}");
}

#[test]
fn a_silent_interface_and_one_that_is_not_there_are_found() {
    let Some(home) = cable() else { return };
    // Nothing of IPv6 is said by the kernel itself then.
    home.sysctl("ipv6/conf/all/disable_ipv6", "1").unwrap();
    let output = run(&home, &["doctor", "--interface", "lo", "--interface", "nosuch*", "--seconds", "1"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("WRONG  lo carried nothing in 1 s"), "{text}");
    assert!(text.contains("WRONG  there is no interface that fits \"nosuch*\""), "{text}");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn interfaces_are_listed_for_people_and_for_programs() {
    let Some(home) = cable() else { return };
    let text = String::from_utf8_lossy(&run(&home, &["interfaces"]).stdout).into_owned();
    assert!(text.lines().any(|line| line.starts_with("swlab-a  up")), "{text}");
    let rows: serde_json::Value = serde_json::from_slice(&run(&home, &["interfaces", "--format", "json"]).stdout).unwrap();
    let names: Vec<&str> = rows.as_array().unwrap().iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["lo", "swlab-a", "swlab-b", "any"]);
}

#[test]
fn bad_settings_and_bad_usage_are_refused() {
    let bad = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_sidewatch")).args(arguments).output().unwrap();
    let output = bad(&["doctor", "--config", "nosuch.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nosuch.toml"), "{output:?}");
    assert_eq!(bad(&["doctor", "--seconds", "0"]).status.code(), Some(2));
}
