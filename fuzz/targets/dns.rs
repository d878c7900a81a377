//! Messages of DNS bare and framed; and questions and answers through the shards to the alert, with ticks and without.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidewatch::alert::Alert;
use sidewatch::correlate::Correlator;
use sidewatch::engine::decode::datagram::{Carrier, DNS, Datagram, DatagramHead};
use sidewatch::engine::decode::packet::{Addr, Vlans};
use sidewatch::engine::flow::key::SHARDS;
use sidewatch::engine::limits::Limits;
use sidewatch::engine::protocol::dns::{Message, type_name};
use sidewatch::engine::time::{Span, Timestamp};
use sidewatch::engine::{Knowledge, Shards};
use sidewatch::rules::shipped;
use sidewatch_fuzz::script::Script;
use sidewatch_fuzz::watched::{line, sound};
use std::sync::{Arc, LazyLock};

static KNOWLEDGE: LazyLock<Arc<Knowledge>> =
    LazyLock::new(|| Arc::new(Knowledge { forged_addresses: shipped().rules.forged_addresses, ..Knowledge::default() }));

fuzz_target!(|data: &[u8]| {
    for message in [Message::read(data), Message::read_framed(data)].into_iter().flatten() {
        let question = message.question.iter().map(|question| (question.name.to_string(), type_name(question.qtype)));
        assert!(question.map(|(name, _)| name).chain(message.alias.map(|alias| alias.to_string())).all(|name| name.is_ascii()));
    }
    let mut script = Script::new(data);
    let limits = if script.byte() & 1 == 0 { Limits::default() } else { Limits { dns_bytes_per_shard: 4 << 10, ..Limits::default() } };
    let limits = Arc::new(limits);
    let datagrams = datagrams(script);
    let plain = judged(&datagrams, &limits, false);
    let ticked = judged(&datagrams, &limits, true);
    assert_eq!(plain.iter().map(line).collect::<Vec<_>>(), ticked.iter().map(line).collect::<Vec<_>>());
});

/// The first byte of each says who sends it, the second how long after the one before, then come its header and its length.
fn datagrams(mut script: Script<'_>) -> Vec<(DatagramHead, &[u8])> {
    let mut all = Vec::new();
    let mut now = 1_767_603_600_000_000_000_i64;
    while !script.is_over() && all.len() < 400 {
        let verb = script.byte();
        let gap = i64::from(script.byte());
        now += if verb & 0x80 == 0 { gap * 1_000_000 } else { gap * 100_000_000 };
        let (ttl, ip_id, len) = (script.byte(), script.short(), usize::from(script.short() & 0x3ff));
        let payload = script.take(len);
        let address = |last: u8| {
            if verb & 0x40 == 0 { Addr::v4([192, 0, 2, last]) } else { Addr::v6([0x20, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]) }
        };
        let client = (address(verb >> 1 & 1), 40_000 + u16::from(verb >> 2 & 1));
        let resolver = (address(53 + (verb >> 3 & 1)), DNS);
        let (src, dst) = if verb & 1 == 0 { (client, resolver) } else { (resolver, client) };
        let head = DatagramHead {
            carrier: Carrier::Udp,
            frame: all.len() as u64 + 1,
            time: Timestamp::from_nanos(now),
            src: src.0,
            dst: dst.0,
            src_port: src.1,
            dst_port: dst.1,
            ttl,
            ip_id,
            df: verb & 0x10 != 0,
            ip_version: if verb & 0x40 == 0 { 4 } else { 6 },
            ether: None,
            vlans: Vlans::default(),
            tunnel: u32::from(verb >> 5 & 1),
            payload_len: len as u32,
            wire_len: len as u32 + 42,
        };
        all.push((head, payload));
    }
    all
}

fn judged(datagrams: &[(DatagramHead, &[u8])], limits: &Arc<Limits>, ticks: bool) -> Vec<Alert> {
    let mut shards = Shards::new(limits, &KNOWLEDGE, u64::from(ticks));
    let mut observed = Vec::new();
    let mut now = Timestamp::MIN;
    for (head, payload) in datagrams {
        if ticks && now != Timestamp::MIN {
            let half = Span::from_nanos((head.time - now).as_nanos() / 2);
            shards.tick(now + half, &mut observed);
            shards.tick(head.time, &mut observed);
        }
        now = head.time;
        shards.handle_datagram(&Datagram { head: *head, payload }, now, &mut observed);
        assert!(shards.held_questions().1 <= SHARDS * limits.dns_bytes_per_shard);
    }
    shards.finish(now, &mut observed);
    assert_eq!(shards.held_questions(), (0, 0));
    let alerts = Correlator::new(limits).finish(observed, now);
    for alert in &alerts {
        sound(alert, datagrams.len() as u64);
    }
    alerts
}
