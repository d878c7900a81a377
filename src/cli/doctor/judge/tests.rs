//! Each illness is found, and health is not taken for one.

use super::*;
use crate::capture::KernelCounters;

fn healthy() -> Heard {
    Heard { frames: 900, understood: 890, flows: 20, judged: 12, one_sided: 1, ..Heard::default() }
}

fn only(findings: &[Finding]) -> &Finding {
    assert_eq!(findings.len(), 1, "{findings:?}");
    &findings[0]
}

#[test]
fn an_interface_with_traffic_in_both_directions_is_healthy() {
    assert!(heard("eth0", &healthy(), 0, 5).is_empty());
    let up = Interface { name: "eth0".to_owned(), up: true, carrier: Some(true), ..Interface::default() };
    assert_eq!(link(&up), None);
}

#[test]
fn a_dead_interface_has_the_command_that_wakes_it() {
    let down = Interface { name: "eth0".to_owned(), ..Interface::default() };
    assert_eq!(link(&down).unwrap().mend, "ip link set eth0 up");
    let unplugged = Interface { up: true, carrier: Some(false), ..down };
    assert!(link(&unplugged).unwrap().what.contains("no carrier"));
}

#[test]
fn the_wrong_interface_is_silent_or_hears_broadcasts_only() {
    assert!(only(&heard("eth1", &Heard::default(), 0, 5)).what.contains("carried nothing in 5 s"));
    let broadcasts = Heard { frames: 9, understood: 9, ..Heard::default() };
    assert!(only(&heard("eth1", &broadcasts, 0, 5)).what.contains("no TCP connection"));
    let unreadable = Heard { frames: 9, ..Heard::default() };
    assert!(only(&heard("eth1", &unreadable, 0, 5)).what.contains("none of them is IP"));
}

#[test]
fn a_mirror_of_one_direction_is_told_from_a_few_unanswered_connections() {
    let mirror = Heard { one_sided: 11, ..healthy() };
    assert!(only(&heard("eth0", &mirror, 0, 5)).what.starts_with("11 of 12 TCP connections"));
    assert!(heard("eth0", &Heard { judged: 2, one_sided: 2, ..healthy() }, 0, 5).is_empty(), "too few to say");
}

#[test]
fn drops_of_the_ring_and_of_the_card_are_told_apart() {
    let dropping = Heard { kernel: KernelCounters { received: 1000, dropped: 20, dropped_by_interface: 0 }, ..healthy() };
    assert!(only(&heard("eth0", &dropping, 0, 5)).what.starts_with("20 of 1000 frames"));
    assert!(only(&heard("eth0", &healthy(), 7, 5)).mend.starts_with("ethtool -G eth0 rx"));
}

#[test]
fn merging_that_can_be_turned_off_is_wrong_and_what_cannot_is_a_note() {
    let feature = |name: &str, fixed| Feature { name: name.to_owned(), on: true, fixed };
    let known = Offloads::Known(vec![feature("generic-receive-offload", false), feature("rx-gro-hw", true)]);
    let found = offloads("eth0", &known);
    assert_eq!((found[0].wrong, found[0].mend.as_str()), (true, "ethtool -K eth0 gro off"));
    assert!(!found[1].wrong && found[1].what.contains("GRO in hardware"));
    assert!(!only(&offloads("eth0", &Offloads::Unknown(Why::NoProgram))).wrong);
    assert!(offloads("ppp0", &Offloads::Unknown(Why::Said("Operation not supported".to_owned()))).is_empty());
}

#[test]
fn memory_must_hold_the_rings_and_the_program() {
    let config = Config::default();
    assert_eq!(memory(&config, 1, Some(4 << 30)), None);
    assert!(memory(&config, 1, Some(100 << 20)).unwrap().what.starts_with("the sensor may use"));
    assert!(memory(&config, 10, Some(100 << 20)).unwrap().what.starts_with("the rings take 320 MiB"));
    assert_eq!(memory(&config, 1, None), None);
}

#[test]
fn the_disk_must_hold_what_the_database_may_grow_to() {
    let config = Config::default();
    assert_eq!(disk(&config, Some(u64::MAX)), None);
    assert!(disk(&config, Some(1 << 20)).unwrap().what.starts_with("1 MiB are free"));
}

#[test]
fn only_a_clock_that_is_held_is_healthy() {
    assert_eq!(clock(ClockState::Held), None);
    assert_eq!(clock(ClockState::Loose).unwrap().mend, "timedatectl set-ntp true");
    assert!(clock(ClockState::NeverSet).unwrap().wrong);
    assert!(!clock(ClockState::Unknown).unwrap().wrong);
}

#[test]
fn a_refusal_names_what_to_do() {
    let denied = LiveError::NotPermitted { interface: "eth0".to_owned() };
    assert!(refused(&denied).what.contains("CAP_NET_RAW") && refused(&denied).mend.contains("setcap"));
}
