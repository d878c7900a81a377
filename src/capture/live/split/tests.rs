//! The split, on a machine for classic BPF that does what the kernel's does with the instructions that the program has.

use super::*;

/// A packet as the kernel's hook sees it.
struct Seen<'a> {
    outgoing: bool,
    protocol: u16,
    link_and_network: (&'a [u8], &'a [u8]),
}

impl Seen<'_> {
    fn load(&self, offset: u32, size: usize) -> Option<u32> {
        let offset = offset.cast_signed();
        let (link, network) = self.link_and_network;
        match offset {
            _ if offset == libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE => return Some(if self.outgoing { OUTGOING } else { 0 }),
            _ if offset == libc::SKF_AD_OFF + libc::SKF_AD_PROTOCOL => return Some(u32::from(self.protocol)),
            _ => {}
        }
        let whole = [link, network].concat();
        let from = match offset {
            0.. if self.outgoing => usize::try_from(offset).unwrap(),
            0.. => usize::try_from(offset).unwrap() + link.len(),
            _ => usize::try_from(offset - libc::SKF_NET_OFF).unwrap() + link.len(),
        };
        Some(whole.get(from..from + size)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }
}

/// The kernel gives up with 0 where a load leads out of the packet.
fn run(program: &[sock_filter], seen: &Seen<'_>) -> u32 {
    let (mut a, mut x, mut cells, mut at) = (0_u32, 0_u32, [0_u32; 16], 0);
    loop {
        let sock_filter { code, jt, jf, k } = program[at];
        at += 1;
        let mut loaded = |offset, size| seen.load(offset, size).map(|value| a = value).is_some();
        let there = match code {
            LOAD => loaded(k, 4),
            LOAD_WORD_AT_X => loaded(x.wrapping_add(k), 4),
            LOAD_HALF_AT_X => loaded(x.wrapping_add(k), 2),
            LOAD_BYTE_AT_X => loaded(x.wrapping_add(k), 1),
            _ => true,
        };
        if !there {
            return 0;
        }
        match code {
            SET => a = k,
            SET_X => x = k,
            FETCH => a = cells[k as usize],
            FETCH_X => x = cells[k as usize],
            STORE => cells[k as usize] = a,
            STORE_X => cells[k as usize] = x,
            ADD => a = a.wrapping_add(k),
            MULTIPLY => a = a.wrapping_mul(k),
            SHIFT_RIGHT => a >>= k,
            XOR_X => a ^= x,
            JUMP => at += k as usize,
            JUMP_IF_EQUAL => at += usize::from(if a == k { jt } else { jf }),
            RETURN => return k,
            RETURN_A => return a,
            A_TO_X => x = a,
            X_TO_A => a = x,
            _ => assert!(matches!(code, LOAD | LOAD_WORD_AT_X | LOAD_HALF_AT_X | LOAD_BYTE_AT_X), "{code:#x}"),
        }
    }
}

const FACTOR: u32 = 0x9e37_79b9;
const LINK: [u8; 14] = [0; 14];
const CLIENT: [u8; 4] = [192, 0, 2, 10];
const SERVER: [u8; 4] = [203, 0, 113, 80];

fn v4(from: [u8; 4], to: [u8; 4]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 60, 0, 1, 0, 0, 64, 6, 0, 0];
    packet.extend([from, to].concat());
    packet.extend([0; 20]);
    packet
}

fn v6(from: u8, to: u8) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0, 0, 20, 6, 64];
    packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, from]);
    packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, to]);
    packet.extend([0; 20]);
    packet
}

fn incoming(protocol: u16, network: &[u8]) -> u32 {
    run(&program(FACTOR), &Seen { outgoing: false, protocol, link_and_network: (&LINK, network) })
}

fn outgoing(protocol: u16, link: &[u8], network: &[u8]) -> u32 {
    run(&program(FACTOR), &Seen { outgoing: true, protocol, link_and_network: (link, network) })
}

#[test]
fn both_directions_of_a_pair_meet_wherever_they_were_seen() {
    let expected = incoming(0x0800, &v4(CLIENT, SERVER));
    assert_ne!(expected, 0);
    assert_eq!(incoming(0x0800, &v4(SERVER, CLIENT)), expected);
    assert_eq!(outgoing(0x0800, &LINK, &v4(SERVER, CLIENT)), expected);
    assert_eq!(outgoing(0x0800, &[], &v4(SERVER, CLIENT)), expected, "a link without a header of its own");
    assert_ne!(incoming(0x0800, &v4(CLIENT, [203, 0, 113, 81])), expected);
    let expected = incoming(0x86dd, &v6(1, 2));
    assert_ne!(expected, 0);
    assert_eq!(incoming(0x86dd, &v6(2, 1)), expected);
    assert_eq!(outgoing(0x86dd, &LINK, &v6(2, 1)), expected);
}

#[test]
fn tags_and_sessions_are_looked_through() {
    let expected = incoming(0x0800, &v4(CLIENT, SERVER));
    let behind = |header: &[u8]| [header, &v4(SERVER, CLIENT)].concat();
    assert_eq!(incoming(0x8100, &behind(&[0, 5, 8, 0])), expected, "the inner of two tags is in the frame");
    assert_eq!(incoming(0x88a8, &behind(&[0, 5, 0x81, 0, 0, 6, 8, 0])), expected);
    assert_eq!(outgoing(0x8100, &LINK, &behind(&[0, 5, 8, 0])), expected);
    let tagged_link = [&LINK[..], &[0, 5, 8, 0]].concat();
    assert_eq!(outgoing(0x8100, &tagged_link, &v4(CLIENT, SERVER)), expected, "the network header lies behind the tag");
    assert_eq!(incoming(0x8864, &behind(&[0x11, 0, 0, 1, 0, 62, 0, 0x21])), expected);
    assert_eq!(incoming(0x8100, &behind(&[0, 7, 0x88, 0x64, 0x11, 0, 0, 1, 0, 62, 0, 0x21])), expected);
    let v6_behind = [&[0x11, 0, 0, 1, 0, 62, 0, 0x57][..], &v6(1, 2)].concat();
    assert_eq!(incoming(0x8864, &v6_behind), incoming(0x86dd, &v6(2, 1)));
}

#[test]
fn what_is_no_ip_packet_or_is_cut_goes_to_the_first_socket() {
    assert_eq!(incoming(0x0806, &[0; 28]), 0);
    assert_eq!(incoming(0x0800, &[0x45, 0, 0, 60]), 0);
    assert_eq!(incoming(0x8100, &[0, 5, 0x08, 0x06, 0, 0]), 0);
    assert_eq!(incoming(0x8864, &[0x11, 0, 0, 1, 0, 62, 0xc0, 0x21, 1, 1, 1, 1]), 0, "a session's own messages");
}

#[test]
fn clients_of_one_server_are_spread_evenly() {
    let mut sockets = [0; 4];
    for host in 0..=255 {
        sockets[incoming(0x0800, &v4([192, 0, 2, host], SERVER)) as usize % 4] += 1;
    }
    assert!(sockets.iter().all(|count| (48..=80).contains(count)), "{sockets:?}");
}

#[test]
fn the_program_is_one_that_the_kernel_takes() {
    let program = program(FACTOR);
    assert!(program.len() < 4096);
    for (place, step) in program.iter().enumerate() {
        let furthest = match step.code {
            JUMP => step.k as usize,
            JUMP_IF_EQUAL => usize::from(step.jt.max(step.jf)),
            _ => continue,
        };
        assert!(place + 1 + furthest < program.len(), "the jump at {place} leads out of the program");
        assert!(step.jt < u8::MAX, "the jump at {place} is too far for its field");
    }
    assert!(program.last().is_some_and(|step| step.code == RETURN_A));
}
