//! The same race as the sensor may see it: link types, tags, files, fragments, half a conversation.

use super::http::{LURE, bare_redirect, box_redirect, get, moved, page, prose};
use super::race::{front_page, genuine, repeat, told_by, told_of, twice};
use super::{Alert, Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::container::Container;
use crate::support::host::{Host, client, site, v6};
use crate::support::injector::Injector;
use crate::support::segment::{ACK, Checksum, FIN, PSH, SYN};
use crate::support::story::{Story, after_ms};
use crate::support::wire::{CUSTOMER, Link, SERVICE};

const TWIN: &str = "The site redirects by itself and repeats its segment, seen in the same way.";

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins("framed-vlan", "The race of `race-302-on-get` inside one 802.1Q tag.", TWIN, vlan),
        Case::twins("framed-qinq", "The race of `race-302-on-get` inside a service tag and a customer tag.", TWIN, qinq),
        Case::twins("framed-sll", "The race of `race-302-on-get` on Linux' `any` device, first form; pcap in big-endian nanoseconds.", TWIN, sll),
        Case::twins("framed-sll2", "The race of `race-302-on-get` on Linux' `any` device, second form.", TWIN, sll2),
        Case::twins("framed-raw-ip", "The race of `race-302-on-get` on a tunnel: raw IP without link layer.", TWIN, raw_ip),
        Case::twins("framed-gzip", "The race of `race-302-on-get` in a compressed capture.", TWIN, gzip),
        Case::twins(
            "framed-two-interfaces",
            "The race of `race-302-on-get` on a tap with one port for each direction: a pcapng file with two interfaces whose clocks tick in
             microseconds and in nanoseconds.",
            TWIN,
            two_interfaces,
        ),
        Case::twins(
            "framed-two-sections",
            "A pcapng file with two sections, as two files put together: a harmless exchange, then the race. Frame numbers go on.",
            "Two sections, a harmless exchange in each.",
            two_sections,
        ),
        Case::twins(
            "framed-fragments",
            "The genuine page comes in IP fragments; the forged redirect before it came whole.",
            "The page comes in fragments, and is sent again in one piece.",
            in_fragments,
        ),
        Case::twins("framed-midstream", "The race of `race-302-on-get` by a sensor that missed the handshake.", TWIN, midstream),
        Case::twins(
            "framed-midstream-in-path",
            "The handshake and the first exchange are missing; a second exchange is seen whole, then a request is answered by an in-path box
             and by nobody else.",
            "The same with the genuine page in place of the box.",
            midstream_in_path,
        ),
        Case::twins(
            "framed-midstream-high-port",
            "No handshake, no HTTP, and the server is at the higher port: a device that nobody knows forges a line of its answer.",
            "The client, at the lower port, sends a line twice, and so does the server.",
            midstream_high_port,
        ),
        Case::twins("framed-ipv6", "The race of `race-302-on-get` over IPv6.", TWIN, ipv6),
        Case::twins(
            "framed-snap-length",
            "The race of `race-302-on-get` in frames cut to 200 bytes: the forged one is whole, the genuine one is not.",
            TWIN,
            snap_length,
        ),
        Case::twins(
            "framed-client-offload",
            "The race of `race-302-on-get` captured on the client, whose own packets have only the pseudo header's sum.",
            TWIN,
            client_offload,
        ),
        Case::twins("framed-server-side-only", "Only what comes from the server is seen: SYN-ACK, forged and genuine answer.", TWIN, server_side_only),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn tagged(loud: bool, tags: &[(u16, u16)]) -> Told {
    let mut story = Story::new();
    story.tags = tags.to_vec();
    told_by(story, loud)
}

fn linked(loud: bool, link: Link) -> Told {
    let mut story = Story::new();
    story.link = link;
    told_by(story, loud)
}

fn vlan(loud: bool) -> Told {
    tagged(loud, &[(CUSTOMER, 42)])
}

fn qinq(loud: bool) -> Told {
    tagged(loud, &[(SERVICE, 700), (CUSTOMER, 42)])
}

fn sll(loud: bool) -> Told {
    linked(loud, Link::Sll).kept_as(Container::PcapBigNanos)
}

fn sll2(loud: bool) -> Told {
    linked(loud, Link::Sll2)
}

fn raw_ip(loud: bool) -> Told {
    linked(loud, Link::RawIp)
}

fn gzip(loud: bool) -> Told {
    told_by(Story::new(), loud).kept_as(Container::PcapGz)
}

fn ipv6(loud: bool) -> Told {
    let [client, site] = [(client(), v6(0x17)), (site(), v6(0x80))].map(|(host, ip)| Host { ip, ..host });
    told_of(Story::new(), client, site, Checksum::Good, loud)
}

fn snap_length(loud: bool) -> Told {
    let mut story = Story::new();
    story.snap = 200;
    told_by(story, loud)
}

fn client_offload(loud: bool) -> Told {
    told_of(Story::new(), client(), site(), Checksum::Partial, loud)
}

fn two_interfaces(loud: bool) -> Told {
    let mut story = Story::new();
    story.split_tap = true;
    told_by(story, loud).kept_as(Container::PcapNg)
}

fn two_sections(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("weather.example", "/"));
    tcp.reply(after_ms(24.0), &front_page());
    tcp.close();
    story.section = 1;
    story.wait(after_ms(900.0));
    told_by(story, loud).kept_as(Container::PcapNg)
}

fn in_fragments(loud: bool) -> Told {
    let mut story = Story::new();
    let mut server = site();
    server.df = false;
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.server_ack(after_ms(24.0));
    if !loud {
        let answer = tcp.server_segments(&page(&prose(12)), 1400, PSH | ACK);
        tcp.story.put_fragments(&answer[0], 512);
        tcp.wait(after_ms(220.0));
        let again = tcp.again(&answer[0]);
        tcp.put(&again);
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(0.2), &bare_redirect(LURE));
    tcp.ack();
    tcp.wait(after_ms(1.0));
    let answer = tcp.server_segments(&page(&prose(12)), 1400, PSH | ACK);
    let genuine = tcp.story.put_fragments(&answer[0], 512);
    tcp.client.heard = Some(answer[0].end());
    tcp.ack();
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1", "H"])])
}

fn midstream(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake_unseen(24.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        twice(&mut tcp, &moved("302 Found", LURE));
        tcp.close();
        return Told::quiet(story);
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(8.0), &bare_redirect(LURE));
    tcp.ack();
    let genuine = genuine(&mut tcp, 15.0, &front_page());
    tcp.close();
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine).by(["S1"])])
}

fn midstream_in_path(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake_unseen(24.0);
    tcp.request(&get("files.example", "/"));
    genuine(&mut tcp, 24.0, &front_page());
    tcp.request(&get("files.example", "/tool.zip"));
    if !loud {
        genuine(&mut tcp, 24.0, &front_page());
        tcp.close();
        return Told::silent(story);
    }
    let mut forged = tcp.forge(&Injector::packetlogic(2), after_ms(20.0), &box_redirect(LURE));
    tcp.wait(after_ms(0.4));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    forged.push(tcp.forge_bare(&Injector::packetlogic(2), after_ms(99.6), ACK));
    Told::loud(story, [Alert::in_path("http_redirect", &forged).up_to(2).by(["H", "S8"])])
}

fn server_side_only(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    let hide = |tcp: &mut Connection<'_>, seen: bool| tcp.story.seen = seen;
    hide(&mut tcp, false);
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    hide(&mut tcp, true);
    tcp.wait(after_ms(24.0));
    let syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    tcp.put(&syn_ack);
    hide(&mut tcp, false);
    tcp.ack();
    tcp.request(&get("news.example", "/"));
    hide(&mut tcp, true);
    tcp.wait(after_ms(8.0));
    if !loud {
        let segments = tcp.server_segments(&moved("302 Found", LURE), 1400, PSH | ACK);
        tcp.put_all(&segments);
        tcp.wait(after_ms(30.0));
        repeat(&mut tcp, &segments);
        return Told::quiet(story);
    }
    let forged = tcp.forge(&Injector::quantum(), after_ms(0.1), &bare_redirect(LURE));
    tcp.server_ack(after_ms(15.0));
    let genuine = tcp.reply(after_ms(0.5), &front_page());
    Told::loud(story, [Alert::on_path("http_redirect", &forged, genuine[0]).by(["S1"])])
}

fn midstream_high_port(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.server.end.port = 61_613;
    tcp.handshake_unseen(24.0);
    for (asked, answer) in [("MSG 1 hello\n", "RPL 1 good morning\n"), ("MSG 2 who is there\n", "RPL 2 the exchange\n")] {
        tcp.request(asked.as_bytes());
        genuine(&mut tcp, 24.0, answer.as_bytes());
    }
    tcp.wait(after_ms(0.4));
    let question = tcp.segment(Side::Client, PSH | ACK, b"MSG 3 what is the price\n");
    tcp.put(&question);
    if !loud {
        tcp.wait(after_ms(210.0));
        repeat(&mut tcp, &[question]);
        twice(&mut tcp, b"RPL 3 one hundred and 4\n");
        tcp.close();
        return Told::silent(story);
    }
    tcp.server_ack(after_ms(24.0));
    let forged = tcp.forge(&Injector::unknown_device(), after_ms(1.0), b"RPL 3 nine hundred and 90\n");
    tcp.ack();
    let genuine = tcp.reply(after_ms(30.0), b"RPL 3 one hundred and 4\n");
    tcp.ack();
    tcp.close();
    Told::loud(story, [Alert::on_path("tcp_content", &forged, genuine[0]).up_to(2).by(["S1", "H"])])
}
