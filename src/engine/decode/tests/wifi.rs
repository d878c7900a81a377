//! Stories of 802.11 frames.

use super::*;

const BARE: LinkType = LinkType(105);
const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
const ACCESS_POINT: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// The header of a data frame from the client to the server by the direction bits, without quality of service.
fn header(direction: u8) -> Vec<u8> {
    let addresses = match direction {
        0 => [SERVER_MAC, CLIENT_MAC, ACCESS_POINT],
        1 => [ACCESS_POINT, CLIENT_MAC, SERVER_MAC],
        2 => [SERVER_MAC, ACCESS_POINT, CLIENT_MAC],
        _ => [ACCESS_POINT, ACCESS_POINT, SERVER_MAC],
    };
    let fourth = if direction == 3 { &CLIENT_MAC[..] } else { &[] };
    [&[8, direction, 0, 0][..], &addresses.concat(), &[0x10, 0], fourth].concat()
}

fn with_quality(direction: u8, control: u8) -> Vec<u8> {
    let mut bytes = header(direction);
    bytes[0] = 0x88;
    [bytes, vec![control, 0]].concat()
}

fn packet() -> Vec<u8> {
    [&SNAP[..], &ipv4(&tcp(&[], b"hello"))].concat()
}

/// Frames of which noise would hardly get the first bytes right: bare, aggregated, behind radiotap.
pub(super) fn examples() -> Vec<Vec<u8>> {
    let sub = [&SERVER_MAC[..], &CLIENT_MAC, &[0, packet().len() as u8], &packet(), &[0; 3]].concat();
    let aggregate = [with_quality(3, 0x80), sub.repeat(3)].concat();
    let radiotap = [&[0, 0, 17, 0, 3, 0, 0, 0][..], &[0; 8], &[0x30], &aggregate].concat();
    vec![[header(1), packet()].concat(), aggregate, radiotap]
}

#[test]
fn data_frames_are_read_in_every_direction_with_and_without_quality_of_service() {
    for direction in 0..4 {
        says_hello(BARE, &[header(direction), packet()].concat(), |len| on_ethernet(hello(len)));
        says_hello(BARE, &[with_quality(direction, 0), packet(), vec![1; 4]].concat(), |len| on_ethernet(hello(len)));
        let mut ordered = with_quality(direction, 0);
        ordered[1] |= 0x80;
        says_hello(BARE, &[ordered, vec![0; 4], packet()].concat(), |len| on_ethernet(hello(len)));
    }
}

#[test]
fn what_monitor_interfaces_put_before_the_frame_is_taken_off() {
    let air = [with_quality(1, 0), packet()].concat();
    let expected = |len| on_ethernet(hello(len));
    says_hello(LinkType(127), &[&[0, 0, 8, 0, 0, 0, 0, 0][..], &air].concat(), expected);
    let checked = [&[0, 0, 17, 0, 3, 0, 0, 0][..], &[0; 8], &[0x10], &air, &[9; 4]].concat();
    says_hello(LinkType(127), &checked, expected);
    let chained = [&[0, 0, 25, 0, 3, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0; 8], &[0x20], &with_quality(1, 0), &[0; 2], &packet()];
    says_hello(LinkType(127), &chained.concat(), expected);
    let prism = [&[0x44, 0, 0, 0, 144, 0, 0, 0][..], &[0; 136], &air].concat();
    says_hello(LinkType(119), &prism, expected);
    let avs = [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64][..], &[0; 56], &air].concat();
    says_hello(LinkType(163), &avs, expected);
    says_hello(LinkType(119), &avs, expected);
    says_hello(LinkType(192), &[&[0, 0, 12, 0, 105, 0, 0, 0, 1, 2, 3, 4][..], &air].concat(), expected);
    says_hello(LinkType(192), &[&[0, 0, 8, 0, 1, 0, 0, 0][..], &ethernet(IPV4, &packet()[8..])].concat(), expected);
    becomes(LinkType(192), &[0, 0, 8, 0, 192, 0, 0, 0, 0], &["link_header_invalid"]);
}

#[test]
fn every_datagram_of_an_aggregate_is_seen() {
    let sub = |payload: &[u8]| {
        let body = [&SNAP[..], &ipv4(&tcp(&[], payload))].concat();
        let mut bytes = [&SERVER_MAC[..], &CLIENT_MAC, &(body.len() as u16).to_be_bytes(), &body].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let udp = [&SERVER_MAC[..], &CLIENT_MAC, &[0, 36], &SNAP, &Ipv4 { protocol: 17, ..Ipv4::default() }.around(&[0; 8]), &[0; 2]].concat();
    let bytes = [with_quality(1, 0x80), sub(b"one"), udp, sub(b"three"), sub(b"hello"), vec![7; 4]].concat();
    let mut decoder = Decoder::new(&Limits::default());
    let all = all_decoded(&mut decoder, &frame(BARE, &bytes));
    let payloads: Vec<&[u8]> = all.iter().map(|(_, payload)| payload.as_slice()).collect();
    assert_eq!(payloads, [&b"one"[..], b"three", b"hello"]);
    assert_eq!(without_sum(all[2].0), on_ethernet(hello(bytes.len() as u32)));
    let counts = decoder.counts();
    assert_eq!((counts["tcp"], counts["udp"], counts["in_wifi_aggregate"], decoder.understood()), (3, 1, 1, 1));
}

#[test]
fn frames_that_hold_no_readable_packet_are_counted() {
    let changed = |at: usize, to: u8| {
        let mut bytes = [header(1), packet()].concat();
        bytes[at] = to;
        bytes
    };
    becomes(BARE, &changed(1, 0x41), &["wifi_encrypted"]);
    becomes(BARE, &changed(1, 0x05), &["wifi_fragment"]);
    becomes(BARE, &changed(22, 0x11), &["wifi_fragment"]);
    becomes(BARE, &changed(0, 0x80), &["wifi_other"]);
    becomes(BARE, &changed(0, 0x48), &["wifi_other"]);
    becomes(BARE, &[8, 1, 0], &["link_header_cut"]);
    becomes(BARE, &with_quality(1, 0x80), &["in_wifi_aggregate", "wifi_other"]);
    becomes(LinkType(127), &[0, 0, 200, 0, 0, 0, 0, 0], &["link_header_cut"]);
    becomes(LinkType(127), &[1, 0, 8, 0, 0, 0, 0, 0], &["link_header_invalid"]);
}
