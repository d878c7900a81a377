//! By which socket of an interface a packet is read: a small program for the kernel that looks at the two IP addresses and at nothing else.
//!
//! The kernel's own split goes by addresses and ports. That parts what the engine compares: the answers of a resolver to questions from several ports,
//! QUIC beside TCP, the fragments of a datagram. The program goes by the pair of addresses, alike for both directions, so all of these stay together,
//! and so does what a tunnel between two addresses carries. What is no IP packet goes to the first socket.

use std::collections::HashMap;

use libc::sock_filter;

/// Instructions of classic BPF, as `linux/bpf_common.h` numbers them: absolute and indirect loads into A, constants, cells, arithmetic on A, jumps.
const LOAD: u16 = 0x20;
const LOAD_WORD_AT_X: u16 = 0x40;
const LOAD_HALF_AT_X: u16 = 0x48;
const LOAD_BYTE_AT_X: u16 = 0x50;
const SET: u16 = 0x00;
const SET_X: u16 = 0x01;
const FETCH: u16 = 0x60;
const FETCH_X: u16 = 0x61;
const STORE: u16 = 0x02;
const STORE_X: u16 = 0x03;
const ADD: u16 = 0x04;
const MULTIPLY: u16 = 0x24;
const SHIFT_RIGHT: u16 = 0x74;
const XOR_X: u16 = 0xac;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const RETURN_A: u16 = 0x16;
const A_TO_X: u16 = 0x07;
const X_TO_A: u16 = 0x87;

/// Cells of the program's memory.
const KIND: u32 = 0;
const SUM: u32 = 1;
const BASE: u32 = 2;

/// Tags and session headers that are looked through: two tags and PPPoE.
const LAYERS: usize = 3;

/// Kinds of packets, as EtherTypes.
const V4: u32 = 0x0800;
const V6: u32 = 0x86dd;
const PPPOE: u32 = 0x8864;
const TAGS: [u32; 3] = [0x8100, 0x88a8, 0x9100];

/// Where the words of both addresses lie in a header.
const V4_WORDS: [u32; 2] = [12, 16];
const V6_WORDS: [u32; 8] = [8, 12, 16, 20, 24, 28, 32, 36];

/// The program. `factor` spreads the sums: an attacker who cannot guess it cannot choose addresses that meet on one socket.
pub(super) fn program(factor: u32) -> Vec<sock_filter> {
    let mut code = Code::default();
    // What comes in begins at its network header here, what goes out at its link layer, but its headers lie in one piece, and only within that can
    // be read relative to the network header.
    code.step(LOAD, ancillary(libc::SKF_AD_PKTTYPE));
    code.branch(OUTGOING, ("outgoing", 0));
    code.step(SET_X, 0);
    code.jump(("kind", 0));
    code.mark(("outgoing", 0));
    code.step(SET_X, libc::SKF_NET_OFF.cast_unsigned());
    code.mark(("kind", 0));
    code.step(LOAD, ancillary(libc::SKF_AD_PROTOCOL));
    (0..LAYERS).for_each(|layer| look_through(&mut code, layer));
    code.branch(V4, ("v4", 0));
    code.branch(V6, ("v6", 0));
    code.mark(("other", 0));
    code.step(RETURN, 0);
    code.mark(("v4", 0));
    sum(&mut code, &V4_WORDS);
    code.mark(("v6", 0));
    sum(&mut code, &V6_WORDS);
    code.mark(("spread", 0));
    code.step(FETCH, SUM);
    code.step(SHIFT_RIGHT, 16);
    code.step(FETCH_X, SUM);
    code.step(XOR_X, 0);
    code.step(MULTIPLY, factor | 1);
    code.step(SHIFT_RIGHT, 16);
    code.step(RETURN_A, 0);
    code.finish()
}

/// `PACKET_OUTGOING` of `linux/if_packet.h`.
const OUTGOING: u32 = 4;

/// Looks through a tag or a session header if A, the kind of what X points at, is one. Leaves both for what follows.
fn look_through(code: &mut Code, layer: usize) {
    let next = ("next", layer);
    TAGS.iter().for_each(|kind| code.branch(*kind, ("tag", layer)));
    code.branch(PPPOE, ("session", layer));
    code.jump(next);

    code.mark(("tag", layer));
    code.step(LOAD_HALF_AT_X, 2);
    code.step(STORE, KIND);
    [V4, V6, PPPOE].iter().chain(&TAGS).for_each(|kind| code.branch(*kind, ("behind", layer)));
    // The network header of what goes out may lie behind the tag already. Then it begins with a version.
    code.step(LOAD_BYTE_AT_X, 0);
    code.step(SHIFT_RIGHT, 4);
    code.choose(4, V4, next);
    code.choose(6, V6, next);
    code.jump(("other", 0));
    code.mark(("behind", layer));
    code.advance(4);
    code.step(FETCH, KIND);
    code.jump(next);

    code.mark(("session", layer));
    code.step(LOAD_HALF_AT_X, 6);
    code.step(STORE, KIND);
    code.advance(8);
    code.step(FETCH, KIND);
    code.choose(0x0021, V4, next);
    code.choose(0x0057, V6, next);
    code.jump(("other", 0));
    code.mark(next);
}

/// Sums up the words of both addresses by exclusive or, which does not care for their order.
fn sum(code: &mut Code, words: &[u32]) {
    code.step(STORE_X, BASE);
    code.step(SET, 0);
    code.step(STORE, SUM);
    for offset in words {
        code.step(FETCH_X, BASE);
        code.step(LOAD_WORD_AT_X, *offset);
        code.step(FETCH_X, SUM);
        code.step(XOR_X, 0);
        code.step(STORE, SUM);
    }
    code.jump(("spread", 0));
}

fn ancillary(field: i32) -> u32 {
    libc::SKF_AD_OFF.wrapping_add(field).cast_unsigned()
}

/// A place in the program: its name, and the layer that it belongs to.
type Label = (&'static str, usize);

/// Instructions whose jumps lead to names.
#[derive(Default)]
struct Code {
    steps: Vec<Step>,
    labels: HashMap<Label, usize>,
}

enum Step {
    Plain(sock_filter),
    Branch(u32, Label),
    Jump(Label),
}

impl Code {
    fn step(&mut self, code: u16, k: u32) {
        self.steps.push(Step::Plain(sock_filter { code, jt: 0, jf: 0, k }));
    }

    /// Goes to `label` if A is `value`.
    fn branch(&mut self, value: u32, label: Label) {
        self.steps.push(Step::Branch(value, label));
    }

    fn jump(&mut self, label: Label) {
        self.steps.push(Step::Jump(label));
    }

    /// Makes A `kind` and goes to `label` if A is `value`.
    fn choose(&mut self, value: u32, kind: u32, label: Label) {
        self.steps.push(Step::Plain(sock_filter { code: JUMP_IF_EQUAL, jt: 0, jf: 2, k: value }));
        self.step(SET, kind);
        self.jump(label);
    }

    /// Moves X forward.
    fn advance(&mut self, bytes: u32) {
        self.step(X_TO_A, 0);
        self.step(ADD, bytes);
        self.step(A_TO_X, 0);
    }

    fn mark(&mut self, label: Label) {
        self.labels.insert(label, self.steps.len());
    }

    /// All jumps lead forward, so the distance to a label is never negative.
    fn finish(self) -> Vec<sock_filter> {
        let distance = |from: usize, label: &Label| self.labels.get(label).map_or(0, |to| to.saturating_sub(from + 1));
        let resolve = |(place, step): (usize, &Step)| match step {
            Step::Plain(instruction) => *instruction,
            Step::Branch(k, label) => {
                let jt = u8::try_from(distance(place, label)).unwrap_or(u8::MAX);
                sock_filter { code: JUMP_IF_EQUAL, jt, jf: 0, k: *k }
            }
            Step::Jump(label) => sock_filter { code: JUMP, jt: 0, jf: 0, k: u32::try_from(distance(place, label)).unwrap_or(u32::MAX) },
        };
        self.steps.iter().enumerate().map(resolve).collect()
    }
}

#[cfg(test)]
mod tests;
