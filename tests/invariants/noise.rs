//! Nothing panics: neither on bytes that mean nothing nor on conversations that were damaged.

use proptest::prelude::*;
use sidewatch::engine::frame::LinkType;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::time::{Span, Timestamp};

use super::a_few;
use super::talks::{Third, any_talks, ask, injector, lure, number, page, together};
use super::tape::{Cut, alerts, cuts, ended, engine, lines};
use crate::support::host::{Host, TsClock, client, site};
use crate::support::story::{Story, after_ms};

/// Every link type that is understood, and one that is not.
const LINKS: [LinkType; 7] =
    [LinkType::ETHERNET, LinkType::RAW_BSD, LinkType::RAW_OPENBSD, LinkType::RAW, LinkType::LINUX_SLL, LinkType::LINUX_SLL2, LinkType(147)];

/// How one frame is damaged.
#[derive(Clone, Debug)]
enum Damage {
    Flip(u16),
    Overwrite(u16, u8),
    Truncate(u16),
    Duplicate,
    Remove,
    Swap,
    Restamp(i64),
    Relink(u8),
    WireLen(u32),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => any::<u16>().prop_map(Damage::Flip),
        4 => (0..64_u16, any::<u8>()).prop_map(|(place, byte)| Damage::Overwrite(place, byte)),
        2 => any::<u16>().prop_map(Damage::Truncate),
        2 => Just(Damage::Duplicate),
        2 => Just(Damage::Remove),
        2 => Just(Damage::Swap),
        1 => any::<i64>().prop_map(Damage::Restamp),
        1 => any::<u8>().prop_map(Damage::Relink),
        1 => any::<u32>().prop_map(Damage::WireLen),
    ]
}

fn strike(frames: &mut Vec<Cut>, place: usize, damage: &Damage) {
    if frames.is_empty() {
        return;
    }
    let place = place % frames.len();
    let cut = &mut frames[place];
    let len = cut.bytes.len().max(1);
    match damage {
        Damage::Flip(bit) => {
            let byte = usize::from(*bit / 8) % len;
            if let Some(byte) = cut.bytes.get_mut(byte) {
                *byte ^= 1 << (bit % 8);
            }
        }
        Damage::Overwrite(at, value) => {
            if let Some(byte) = cut.bytes.get_mut(usize::from(*at)) {
                *byte = *value;
            }
        }
        Damage::Truncate(to) => cut.bytes.truncate(usize::from(*to) % len),
        Damage::Duplicate => {
            let copy = cut.clone();
            frames.insert(place, copy);
        }
        Damage::Remove => drop(frames.remove(place)),
        Damage::Swap => {
            let other = (place + 1) % frames.len();
            frames.swap(place, other);
        }
        Damage::Restamp(nanos) => cut.time = Timestamp::from_nanos(*nanos),
        Damage::Relink(link) => cut.link = LINKS[usize::from(*link) % LINKS.len()],
        Damage::WireLen(len) => cut.wire_len = *len,
    }
}

proptest! {
    #![proptest_config(a_few(48))]

    #[test]
    fn no_bytes_cause_a_panic(frames in prop::collection::vec(
        (0..LINKS.len(), any::<i64>(), prop::collection::vec(any::<u8>(), 0..200), any::<u32>(), any::<bool>()), 1..40)
    ) {
        let mut engine = engine(Limits::default());
        for (number, (link, time, mut bytes, wire_len, looks_like_ip)) in (1..).zip(frames) {
            if looks_like_ip && let Some(first) = bytes.first_mut() {
                *first = if *first & 1 == 0 { 0x45 } else { 0x60 };
            }
            let cut = Cut { number, time: Timestamp::from_nanos(time), link: LINKS[link], bytes, wire_len };
            engine.handle_frame(&cut.frame());
        }
        let _ = lines(&ended(engine));
    }

    #[test]
    fn no_damaged_conversation_causes_a_panic(
        talks in any_talks(6),
        strikes in prop::collection::vec((any::<usize>(), damage()), 1..80),
    ) {
        let mut frames = together(&talks);
        for (place, damage) in &strikes {
            strike(&mut frames, *place, damage);
        }
        number(&mut frames, 1);
        let _ = lines(&alerts(&frames, None));
    }
}

#[test]
fn a_clock_that_races_and_a_stamp_of_1970_cause_no_panic() {
    let mut story = Story::new();
    let hasty = Host { timestamps: Some(TsClock { offset: 1, per_second: u32::MAX }), ..site() };
    let mut tcp = story.connection(client(), hasty);
    tcp.handshake(24.0);
    ask(&mut tcp);
    let forged = tcp.forge(&injector(Third::Careful), after_ms(9.0), &lure());
    tcp.reply(after_ms(15.0), &page(9));
    tcp.ack();
    let mut frames = cuts(&story, Span::ZERO);
    frames[forged[0] as usize - 1].time = Timestamp::from_nanos(0);
    let _ = lines(&alerts(&frames, None));
}
