//! Interfaces of all kinds, and what happens when one is switched off, deleted, made again.

use std::time::{Duration, Instant};

use sidewatch::capture::live::{Live, LiveError, is_up, matching};
use sidewatch::capture::{FrameSource, LiveFrames};
use sidewatch::engine::frame::LinkType;

use super::wire::{Shape, frame, read_while, send, settings, watch};
use super::{cable, carrying};

const FRAMES: u32 = 500;

fn numbered() -> impl Iterator<Item = Vec<u8>> {
    (0..FRAMES).map(|number| frame(number, 1, false, Shape::Udp4))
}

/// Reads as the daemon does until the source ends; the error it ended with.
fn ending(socket: &mut Live) -> LiveError {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        match socket.next_frame() {
            Ok(Some(_)) => {}
            Ok(None) => {
                if let Err(error) = socket.wait(Duration::from_millis(50)) {
                    return error;
                }
            }
            Err(error) => return error,
        }
    }
    panic!("the source did not end");
}

#[test]
fn an_idle_wait_comes_back_in_time() {
    let Some(home) = cable() else { return };
    let mut socket = watch(&home, "lo", &settings(1)).unwrap().remove(0);
    assert!(socket.next_frame().unwrap().is_none() && socket.is_waiting());
    for _ in 0..5 {
        let started = Instant::now();
        socket.wait(Duration::from_millis(60)).unwrap();
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(50) && took < Duration::from_secs(2), "{took:?}");
    }
}

#[test]
fn a_deleted_interface_ends_its_sockets_and_can_be_opened_when_it_is_made_again() {
    let Some(home) = cable() else { return };
    let mut sockets = watch(&home, "swlab-b", &settings(2)).unwrap();
    home.ip("link del swlab-a\n").unwrap();
    for socket in &mut sockets {
        let error = ending(socket);
        assert!(matches!(&error, LiveError::Gone { interface } if interface == "swlab-b"), "{error:?}");
        assert!(error.may_pass() && socket.next_frame().unwrap().is_none(), "a later call gives none");
    }
    let missing = watch(&home, "swlab-b", &settings(2)).unwrap_err();
    assert!(matches!(missing, LiveError::Missing { .. }) && missing.may_pass(), "{missing:?}");

    home.ip("link add swlab-a type veth peer name swlab-b\n").unwrap();
    let down = watch(&home, "swlab-b", &settings(2)).unwrap_err();
    assert!(matches!(down, LiveError::Down { .. }) && down.may_pass(), "{down:?}");
    assert!(!home.within(|| is_up("swlab-b")));
    home.ip("link set swlab-a up\nlink set swlab-b up\n").unwrap();
    assert!(home.within(|| is_up("swlab-b")));
    carrying(&home, &["swlab-a", "swlab-b"]);
    let mut again = watch(&home, "swlab-b", &settings(2)).unwrap();
    let given = read_while(&mut again, FRAMES as usize, || send(&home, "swlab-a", numbered()));
    assert_eq!(given.iter().map(|numbers| numbers.values().sum::<usize>()).sum::<usize>(), FRAMES as usize);
}

#[test]
fn an_interface_that_is_made_again_unseen_ends_the_old_sockets() {
    let Some(home) = cable() else { return };
    let mut old = watch(&home, "swlab-b", &settings(1)).unwrap().remove(0);
    home.ip("link del swlab-a\nlink add swlab-a type veth peer name swlab-b\nlink set swlab-a up\nlink set swlab-b up\n").unwrap();
    assert!(matches!(ending(&mut old), LiveError::Gone { .. }));
}

#[test]
fn an_interface_that_is_switched_off_and_on_goes_on() {
    let Some(home) = cable() else { return };
    let mut sockets = watch(&home, "swlab-b", &settings(2)).unwrap();
    home.ip("link set swlab-b down\n").unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(300) {
        for socket in &mut sockets {
            while socket.next_frame().unwrap().is_some() {}
            socket.wait(Duration::from_millis(20)).unwrap();
        }
    }
    home.ip("link set swlab-b up\n").unwrap();
    carrying(&home, &["swlab-a", "swlab-b"]);
    let given = read_while(&mut sockets, FRAMES as usize, || send(&home, "swlab-a", numbered()));
    assert_eq!(given.iter().map(|numbers| numbers.values().sum::<usize>()).sum::<usize>(), FRAMES as usize);
}

#[test]
fn all_interfaces_at_once_give_each_frame_as_often_as_it_passes_one() {
    let Some(home) = cable() else { return };
    let mut sockets = watch(&home, "any", &settings(2)).unwrap();
    assert_eq!(sockets[0].link(), LinkType::LINUX_SLL2);
    let given = read_while(&mut sockets, FRAMES as usize, || send(&home, "swlab-a", numbered()));
    let total: usize = given.iter().map(|numbers| numbers.values().sum::<usize>()).sum();
    assert_eq!(total, 2 * FRAMES as usize, "out at one end of the cable, in at the other");
    assert!(given.iter().filter(|numbers| !numbers.is_empty()).count() == 1, "one pair of hosts is on one thread");
}

#[test]
fn loopback_gives_each_frame_once() {
    let Some(home) = cable() else { return };
    let mut sockets = watch(&home, "lo", &settings(2)).unwrap();
    let given = read_while(&mut sockets, FRAMES as usize, || {
        home.within(|| {
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            let ear = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            for number in 0..FRAMES {
                socket.send_to(&[&b"numbered"[..], &number.to_be_bytes()].concat(), ear.local_addr().unwrap()).unwrap();
            }
        });
    });
    let times: Vec<usize> = given.iter().flat_map(|numbers| numbers.values().copied()).collect();
    assert!(times.len() == FRAMES as usize && times.iter().all(|count| *count == 1), "{} numbers", times.len());
}

#[test]
fn tunnels_and_bridges_are_read_as_what_they_are() {
    let Some(home) = cable() else { return };
    home.ip("tuntap add swlab-t mode tun\nlink set swlab-t up\nlink add swlab-br type bridge forward_delay 0\nlink set swlab-br up\nlink set swlab-b master swlab-br\n")
        .unwrap();
    assert_eq!(watch(&home, "swlab-t", &settings(1)).unwrap()[0].link(), LinkType::RAW);
    let mut bridge = watch(&home, "swlab-br", &settings(1)).unwrap();
    assert_eq!(bridge[0].link(), LinkType::ETHERNET);
    carrying(&home, &["swlab-a", "swlab-b", "swlab-br"]);
    // A bridge may look at IPv4 headers, whose checksums are left out here.
    let broadcast = (0..FRAMES).map(|number| {
        let mut frame = frame(number, 1, false, Shape::Udp6);
        frame[..6].fill(0xff);
        frame
    });
    let given = read_while(&mut bridge, FRAMES as usize, || send(&home, "swlab-a", broadcast));
    assert_eq!(given[0].len(), FRAMES as usize);
    let there = home.within(|| matching(&["swlab-?".to_owned(), "lo".to_owned()]));
    assert_eq!(there, ["swlab-a", "swlab-b", "swlab-t", "lo"]);
}
