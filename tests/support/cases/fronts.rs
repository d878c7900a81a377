//! Quiet: what stands before or beside a server and makes one server look like two.

use super::http::{answer, bodiless, get, page, prose};
use super::race::{front_page, genuine};
use super::{Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{Host, IpId, TsClock, appliance, client, linux, macos, scramble, site, v4, windows};
use crate::support::segment::{ACK, FIN, Opt, PSH, RST, SYN};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::alone(
            "front-syn-proxy",
            "A hoster's shield answers the SYN itself: TTL, DF, window and IP-ID (copied from the client's SYN) of its SYN-ACK differ from all
             that follows, which is one stack: the bare ACK of the request, the answer, the FIN.",
            syn_proxy,
        ),
        Case::alone(
            "front-syn-proxy-before-ack",
            "As before, but the server behind the shield sends no bare ACK: its answer is its first packet, and three segments of one stack.",
            syn_proxy_without_ack,
        ),
        Case::alone(
            "front-syn-cookies",
            "The client's ACKs are lost, and a server with SYN cookies answers each retry of the SYN with another initial number, seconds apart.",
            syn_cookies,
        ),
        Case::alone(
            "front-path-change",
            "In the middle of a download the route changes: the TTL falls by two and stays there. The counter of the IP-ID goes on.",
            path_change,
        ),
        Case::alone(
            "front-anycast-shift",
            "After a pause the answers of an anycast address come from three hops nearer, by the same connection's stack, and stay so.",
            anycast_shift,
        ),
        Case::alone(
            "front-delayed-syn-ack",
            "An accelerator opens the connection to the origin before it sends its SYN-ACK (300 ms), then answers each request within 15 ms.",
            delayed_syn_ack,
        ),
        Case::alone(
            "front-transparent-proxy",
            "A transparent proxy speaks in the server's name for the whole flow: two hops away, one stack from SYN-ACK to FIN, answers with Via.",
            transparent_proxy,
        ),
        Case::alone(
            "front-pool",
            "A balanced pool: three connections to one address meet three machines, with TTL, identification and clock of their own.",
            pool,
        ),
        Case::alone(
            "front-client-nat",
            "The NAT in front of the client writes identifications of its own on the client's side; the server's are in order.",
            client_nat,
        ),
        Case::alone("stack-random-ids", "A server whose identifications are random, as OpenBSD's are.", random_ids),
        Case::alone("stack-constant-ids", "A small stack that sends the same identification in every packet.", constant_ids),
        Case::alone("stack-zero-ids", "A server that sends identification 0 with DF in every packet.", zero_ids),
        Case::alone(
            "stack-linux-syn-ack-zero",
            "Linux: the SYN-ACK has identification 0 and DF, the data count up from a value far away.",
            linux_server,
        ),
        Case::alone(
            "stack-id-wrap",
            "A long connection in which the identification passes 65,535; between the answers the server talked to others, so it also leaps.",
            id_wrap,
        ),
        Case::alone(
            "stack-userland-reuse",
            "A userland tunnel stack that reuses sequence numbers: its keep-alives carry one byte, and an empty line of two bytes is later
             followed by data at the same number.",
            userland_reuse,
        ),
        Case::alone("stack-slow-clock", "A server whose timestamp clock ticks 100 times a second and starts anew for each connection.", slow_clock),
        Case::alone(
            "stack-window-opens",
            "The window of a server grows from 227 to 9,000 in one connection, as receive buffers are tuned.",
            window_opens,
        ),
    ]
}

fn exchange(tcp: &mut Connection<'_>, rtt: f64, path: &str) {
    tcp.request(&get("news.example", path));
    genuine(tcp, rtt, &front_page());
}

fn whole(client: Host, server: Host) -> Story {
    let mut story = Story::new();
    let mut tcp = story.connection(client, server);
    tcp.handshake(30.0);
    exchange(&mut tcp, 30.0, "/");
    exchange(&mut tcp, 30.0, "/sport");
    tcp.close();
    story
}

/// Handshake with a shield; the options it agreed to hold for the server behind it.
fn shielded(tcp: &mut Connection<'_>) {
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    tcp.wait(after_ms(30.0));
    let mut syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    syn_ack.ttl = 113;
    syn_ack.df = true;
    syn_ack.ip_id = syn.ip_id;
    syn_ack.window = 0x2000;
    tcp.put(&syn_ack);
    tcp.ack();
}

fn behind_shield() -> Host {
    let mut server = windows(v4(198, 51, 100, 80)).away(15);
    server.df = false;
    server.ttl = 255;
    server
}

fn syn_proxy() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), behind_shield());
    shielded(&mut tcp);
    exchange(&mut tcp, 31.0, "/");
    tcp.close();
    Told::silent(story)
}

fn syn_proxy_without_ack() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), behind_shield());
    shielded(&mut tcp);
    tcp.request(&get("news.example", "/"));
    tcp.reply(after_ms(33.0), &page(&prose(60)));
    tcp.ack();
    tcp.close();
    Told::quiet(story)
}

fn syn_cookies() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    let syn = tcp.segment(Side::Client, SYN, b"");
    for pause in [1000.0, 3000.0, 7000.0] {
        let retry = tcp.again(&syn);
        tcp.put(&retry);
        tcp.wait(after_ms(30.0));
        tcp.server.start_at(scramble(pause as u64) as u32);
        tcp.client.heard = None;
        let syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
        tcp.put(&syn_ack);
        tcp.story.seen = pause > 5000.0;
        tcp.ack();
        if !tcp.story.seen {
            tcp.wait(after_ms(pause));
            tcp.story.seen = true;
        }
    }
    exchange(&mut tcp, 30.0, "/");
    tcp.close();
    Told::quiet(story)
}

fn path_change() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(30.0);
    tcp.request(&get("news.example", "/"));
    let text = page(&prose(120));
    let (before, after) = text.split_at(1448 * 3);
    tcp.reply(after_ms(30.0), before);
    tcp.ack();
    tcp.server.host.hops += 2;
    tcp.reply(after_ms(28.0), after);
    tcp.ack();
    exchange(&mut tcp, 28.0, "/sport");
    tcp.close();
    Told::quiet(story)
}

fn anycast_shift() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(30.0);
    exchange(&mut tcp, 30.0, "/");
    tcp.wait(after_ms(9000.0));
    tcp.server.host.hops -= 3;
    exchange(&mut tcp, 18.0, "/sport");
    exchange(&mut tcp, 18.0, "/weather");
    tcp.close();
    Told::quiet(story)
}

fn delayed_syn_ack() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(300.0);
    for path in ["/", "/sport"] {
        tcp.request(&get("news.example", path));
        tcp.reply(after_ms(15.0), &front_page());
        tcp.ack();
    }
    tcp.close();
    Told::quiet(story)
}

fn transparent_proxy() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), macos(v4(203, 0, 113, 7)).away(2));
    tcp.handshake(2.0);
    tcp.request(&get("news.example", "/"));
    let via = answer("200 OK", "Via: 1.1 cache-3.isp.test (squid)\r\nX-Cache: HIT\r\n", &prose(4));
    tcp.reply(after_ms(1.0), &via);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn pool() -> Told {
    let mut story = Story::new();
    for (hops, id, offset) in [(11, 0x1111, 1), (13, 0xa000, 900_000_000), (9, 0x77, 3_000_000_000)] {
        let mut machine = site().away(hops).with_ip_id(IpId::Sequential(id));
        machine.timestamps = Some(TsClock { offset, per_second: 1000 });
        let mut tcp = story.connection(client(), machine);
        tcp.handshake(30.0);
        exchange(&mut tcp, 30.0, "/");
        tcp.close();
    }
    Told::silent(story)
}

fn client_nat() -> Told {
    Told::silent(whole(client().with_ip_id(IpId::Random(7)), site()))
}

fn random_ids() -> Told {
    Told::silent(whole(client(), site().with_ip_id(IpId::Random(3))))
}

fn constant_ids() -> Told {
    Told::silent(whole(client(), appliance(v4(203, 0, 113, 9)).with_ip_id(IpId::Constant(0x1234)).away(7)))
}

fn zero_ids() -> Told {
    Told::silent(whole(client(), macos(v4(203, 0, 113, 7)).away(11)))
}

fn linux_server() -> Told {
    Told::silent(whole(client(), linux(v4(203, 0, 113, 80)).away(11)))
}

fn id_wrap() -> Told {
    let mut story = Story::new();
    let server = windows(v4(203, 0, 113, 44)).away(15).with_ip_id(IpId::Sequential(0xff40));
    let mut tcp = story.connection(client(), server);
    tcp.handshake(30.0);
    for leap in [20, 60, 900, 2200, 5000] {
        exchange(&mut tcp, 30.0, "/ticker");
        tcp.server.skip_ip_ids(leap);
        tcp.wait(after_ms(4000.0));
    }
    tcp.close();
    Told::silent(story)
}

fn userland_reuse() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site().without_timestamps());
    tcp.server.end.port = 8443;
    tcp.handshake(30.0);
    tcp.request(&[22, 3, 1, 0, 4, 1, 2, 3, 4]);
    tcp.reply(after_ms(30.0), &[22, 3, 3, 0, 4, 9, 9, 9, 9]);
    tcp.ack();
    tcp.wait(after_ms(10_000.0));
    let mut probe = tcp.segment(Side::Server, ACK, b"");
    probe.seq = probe.seq.wrapping_sub(1);
    probe.payload = vec![0xa5];
    tcp.put(&probe);
    tcp.ack();
    let place = tcp.server.next;
    let line = tcp.segment(Side::Server, PSH | ACK, b"\r\n");
    tcp.put(&line);
    tcp.ack();
    tcp.server.next = place;
    let data = tcp.segment(Side::Server, PSH | ACK, &[23, 3, 3, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    tcp.put(&data);
    tcp.ack();
    tcp.reset(Side::Client, after_ms(5.0), RST | ACK);
    Told::silent(story)
}

fn slow_clock() -> Told {
    let mut server = site();
    server.timestamps = Some(TsClock { offset: 17, per_second: 100 });
    let mut story = whole(client(), server.clone());
    let mut tcp = story.connection(client(), server);
    tcp.handshake(30.0);
    tcp.request(&get("news.example", "/"));
    let last = tcp.server_segments(&bodiless("204 No Content", ""), 1400, FIN | PSH | ACK);
    assert!(matches!(last[0].options[0], Opt::Ts(..)), "the clock of this case must be there");
    tcp.wait(after_ms(30.0));
    tcp.put_all(&last);
    tcp.client_closes_too(30.0);
    Told::silent(story)
}

fn window_opens() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.server.host.window = 227;
    tcp.handshake(30.0);
    for window in [340, 900, 2400, 9000] {
        exchange(&mut tcp, 30.0, "/ticker");
        tcp.server.host.window = window;
    }
    tcp.close();
    Told::silent(story)
}
