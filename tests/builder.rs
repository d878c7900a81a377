//! Tests of the packet-story builder.

use crate::support::container::Container;
use crate::support::host::{appliance, client, linux, site, v4, v6};
use crate::support::injector::Injector;
use crate::support::segment::{ACK, Checksum, FIN, PSH, SYN, fold};
use crate::support::story::{Mirror, START, Story, after_ms};
use crate::support::wire::Link;

const ETHERNET: usize = 14;
const IPV4: usize = ETHERNET + 20;

/// Handshake and one exchange.
fn small_talk(story: &mut Story) -> Vec<u64> {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(20.0);
    tcp.request(b"hello\n");
    tcp.reply(after_ms(20.0), b"good morning\n")
}

fn tcp_sum(frame: &[u8]) -> u16 {
    let segment = &frame[IPV4..];
    let pseudo = [&frame[ETHERNET + 12..IPV4], &[0, 6], &(segment.len() as u16).to_be_bytes()].concat();
    fold(&[&pseudo, segment])
}

#[test]
fn checksums_add_up_to_all_ones() {
    let mut story = Story::new();
    small_talk(&mut story);
    for frame in story.frames() {
        assert_eq!(fold(&[&frame.bytes[ETHERNET..IPV4]]), 0xffff);
        assert_eq!(tcp_sum(&frame.bytes), 0xffff);
    }
}

#[test]
fn an_offloading_card_leaves_the_sum_of_the_pseudo_header() {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.client.checksum = Checksum::Partial;
    tcp.handshake(20.0);
    let frame = &story.frames()[0].bytes;
    let pseudo = [&frame[ETHERNET + 12..IPV4], &[0, 6, 0, (frame.len() - IPV4) as u8]].concat();
    assert_eq!(frame[IPV4 + 16..IPV4 + 18], fold(&[&pseudo]).to_be_bytes());
}

#[test]
fn the_ends_keep_count_of_what_they_heard() {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(20.0);
    tcp.request(b"hello\n");
    tcp.reply(after_ms(20.0), b"good morning\n");
    assert_eq!(tcp.client.heard, Some(tcp.server.isn.wrapping_add(14)));
    assert_eq!(tcp.server.heard, Some(tcp.client.isn.wrapping_add(7)));
}

#[test]
fn time_is_told_by_the_story_alone() {
    let mut story = Story::new();
    let answer = small_talk(&mut story);
    assert_eq!(answer, [5]);
    assert_eq!(story.frames()[0].time, START);
    let gap = story.frames()[4].time - story.frames()[3].time;
    assert_eq!(gap, 20_010_000, "20 ms after the request, which took 10 us itself");
}

#[test]
fn a_stack_agrees_only_to_options_that_both_have() {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), appliance(v4(203, 0, 113, 9)));
    tcp.handshake(20.0);
    let lengths: Vec<usize> = story.frames().iter().map(|frame| usize::from(frame.bytes[IPV4 + 12] >> 4) * 4 - 20).collect();
    assert_eq!(lengths, [24, 4, 0]);
}

#[test]
fn an_injector_stands_where_the_client_listens() {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(20.0);
    tcp.request(b"hello\n");
    let shot = tcp.forged(&Injector::quantum(), b"forged\n").remove(0);
    let genuine = tcp.server_segments(b"good morning\n", 1400, PSH | ACK).remove(0);
    assert_eq!((shot.seq, shot.ack), (genuine.seq, genuine.ack));
    assert_eq!((shot.ip_id, shot.window, shot.df, shot.options.len()), (1, 8192, false, 0));
    assert_ne!(shot.ttl, genuine.ttl);
}

#[test]
fn the_perfect_injector_differs_in_bytes_alone() {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(20.0);
    tcp.request(b"hello\n");
    let shot = tcp.forged(&Injector::perfect(), b"same\n").remove(0);
    let genuine = tcp.server_segments(b"same\n", 1400, PSH | ACK).remove(0);
    assert_eq!(shot.datagram(), genuine.datagram());
}

#[test]
fn what_the_sensor_misses_has_no_number() {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.story.seen = false;
    tcp.handshake(20.0);
    tcp.story.seen = true;
    assert_eq!(tcp.request(b"hello\n"), 1);
}

#[test]
fn a_tap_around_a_router_sees_both_sides_of_it() {
    let mut story = Story::new();
    story.mirror = Mirror::AroundRouter;
    small_talk(&mut story);
    let ttls: Vec<u8> = story.frames().iter().take(2).map(|frame| frame.bytes[ETHERNET + 8]).collect();
    assert_eq!(ttls, [64, 63]);
    assert_eq!(fold(&[&story.frames()[1].bytes[ETHERNET..IPV4]]), 0xffff);
}

#[test]
fn fragments_hold_the_datagram_once() {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(20.0);
    tcp.request(b"hello\n");
    let segment = tcp.server_segments(&[b'x'; 300], 1400, PSH | ACK).remove(0);
    assert_eq!(tcp.story.put_fragments(&segment, 128), 7);
    let parts = &story.frames()[4..];
    let joined: Vec<u8> = parts.iter().flat_map(|frame| frame.bytes[IPV4..].to_vec()).collect();
    assert_eq!(joined, segment.datagram()[20..]);
    let offsets: Vec<u16> = parts.iter().map(|frame| u16::from_be_bytes([frame.bytes[ETHERNET + 6], frame.bytes[ETHERNET + 7]])).collect();
    assert_eq!(offsets, [0x2000, 0x2010, 32]);
}

#[test]
fn link_layers_differ_in_front_of_the_same_datagram() {
    for (link, header) in [(Link::Ethernet, 14), (Link::RawIp, 0), (Link::Sll, 16), (Link::Sll2, 20)] {
        let mut story = Story::new();
        story.link = link;
        small_talk(&mut story);
        assert_eq!(story.frames()[0].bytes[header], 0x45, "{link:?}");
    }
}

#[test]
fn ipv6_has_neither_identification_nor_header_sum() {
    let mut story = Story::new();
    let mut tcp = story.connection(linux(v6(0x17)), linux(v6(0x80)).away(9));
    tcp.handshake(20.0);
    let frame = &story.frames()[1].bytes;
    assert_eq!(frame[12..14], [0x86, 0xdd]);
    assert_eq!(frame[ETHERNET + 7], 55);
}

#[test]
fn the_files_begin_with_their_magic() {
    let mut story = Story::new();
    small_talk(&mut story);
    let begins = |container: Container| container.write(&story)[..4].to_vec();
    assert_eq!(begins(Container::Pcap), [0xd4, 0xc3, 0xb2, 0xa1]);
    assert_eq!(begins(Container::PcapBigNanos), [0xa1, 0xb2, 0x3c, 0x4d]);
    assert_eq!(begins(Container::PcapNg), [0x0a, 0x0d, 0x0d, 0x0a]);
    assert_eq!(begins(Container::PcapGz)[..2], [0x1f, 0x8b]);
}

#[test]
fn the_same_story_gives_the_same_bytes() {
    let tell = || {
        let mut story = Story::new();
        small_talk(&mut story);
        Container::Pcap.write(&story)
    };
    assert_eq!(tell(), tell());
}

#[test]
fn sequence_numbers_count_syn_and_fin() {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    let syn = tcp.segment(crate::support::connection::Side::Client, SYN, b"");
    assert_eq!(syn.end(), syn.seq.wrapping_add(1));
    let mut fin = syn.clone();
    fin.flags = FIN | ACK;
    fin.payload = b"bye".to_vec();
    assert_eq!(fin.end(), fin.seq.wrapping_add(4));
}
