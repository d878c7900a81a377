//! Forged ends and forged beginnings: RST, FIN and SYN-ACK in the server's name.

use super::http::{LURE, bare_redirect, get};
use super::race::front_page;
use super::{Alert, Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{client, linux, scramble, site, v4};
use crate::support::injector::{ForgedId, Injector, Ttl};
use crate::support::segment::{ACK, FIN, Opt, PSH, RST, SYN, Segment};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "rst-in-path",
            "The box of the Egyptian captures censors: an empty RST+ACK with IP-ID 0x3412, window 32120 and no DF; the site is not heard
             again.",
            "The site refuses the request with its own RST+ACK.",
            in_path,
        ),
        Case::twins(
            "rst-burst",
            "A censor's burst of three RST+ACK: TTL and window grow by one, identifications at random, TTL nine lower than the site's. The
             genuine page comes after.",
            "The site's program dies after the answer: data, then its own RST+ACK, then no more.",
            burst,
        ),
        Case::twins(
            "rst-reserved-bits",
            "After a capture in Zeek's tests: RST+ACK with the reserved bits set and with identification and window of the client's SYN. The
             page follows.",
            "An ordinary exchange whose client resets when it has what it wants.",
            reserved_bits,
        ),
        Case::twins(
            "rst-pair",
            "A pair of resets, the second 12,503 further in the sequence, as American cable customers saw in 2007; the server, which knows of
             nothing, answers.",
            "The server sends data to a client that has gone, and gets the client's resets at two sequence numbers.",
            pair,
        ),
        Case::twins(
            "fin-forged",
            "A bare FIN+ACK in the server's name, then the server's page at the place where the stream is said to have ended.",
            "The server's FIN, which it sends twice, and no byte after it.",
            fin,
        ),
        Case::twins(
            "syn-ack-competing",
            "A false SYN-ACK wins against the genuine one: the client talks with the false server in its sequence space and is redirected. The
             genuine SYN-ACK, with other TTL, options and initial number, is refused, and the server resets what it does not know.",
            "The SYN-ACK is sent twice because the ACK was lost.",
            competing,
        ),
        Case::twins(
            "syn-ack-alike",
            "The false SYN-ACK is the server's in every field but number and clock, and opens the connection that the false answer continues, as well
             imitated. What tells them apart is that the server resets what the client acknowledges.",
            "The SYN is sent again after a second, and a server with SYN cookies answers both, each with a number of its own, and resets what it gets of
             the first, which has expired.",
            alike,
        ),
        Case::twins(
            "syn-ack-late-then-reset",
            "The false SYN-ACK comes after the server's, with another TTL and options; its sender then resets what the client has acknowledged, as a server would
             that had sent only the second, but sooner than a packet travels there and back. The page comes all the same.",
            "The server's SYN-ACK comes twice, for the network doubled it, and the server resets a connection in which nobody asks for anything.",
            late_then_reset,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn asked(tcp: &mut Connection<'_>) {
    tcp.handshake(40.0);
    tcp.request(&get("news.example", "/forbidden"));
}

fn in_path(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    asked(&mut tcp);
    if !loud {
        tcp.server_ack(after_ms(40.0));
        tcp.reset(Side::Server, after_ms(0.5), RST | ACK);
        return Told::silent(story);
    }
    let forged = tcp.forge_bare(&Injector::packetlogic(2), after_ms(38.0), RST | ACK);
    Told::loud(story, [Alert::in_path("tcp_reset", &[forged]).or_verdict("on_path_injection").up_to(2).by(["H", "S8"])])
}

fn burst(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    asked(&mut tcp);
    if !loud {
        tcp.reply(after_ms(40.0), &front_page());
        tcp.ack();
        tcp.reset(Side::Server, after_ms(0.5), RST | ACK);
        return Told::silent(story);
    }
    tcp.wait(after_ms(9.0));
    let mut forged = Vec::new();
    for step in 0..3 {
        let mut reset = Injector::censor().bare(&tcp, RST | ACK);
        reset.ttl += step;
        reset.window += u16::from(step);
        reset.ip_id = reset.ip_id.wrapping_add(u16::from(step) * 0x2a11);
        forged.push(tcp.put(&reset));
    }
    let genuine = tcp.reply(after_ms(31.0), &front_page());
    tcp.reset(Side::Client, after_ms(0.1), RST);
    Told::loud(story, [Alert::on_path("tcp_reset", &forged, genuine[0]).up_to(2).by(["H", "S9"])])
}

fn reserved_bits(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    let syn_id = tcp.client.next_ip_id();
    asked(&mut tcp);
    if !loud {
        tcp.reply(after_ms(40.0), &front_page());
        tcp.reset(Side::Client, after_ms(0.5), RST | ACK);
        return Told::silent(story);
    }
    let window = Some(tcp.client.host.syn_window);
    let injector = Injector { ttl: Ttl::Like(-3), id: ForgedId::Constant(syn_id), window, ..Injector::censor() };
    let forged = tcp.forge_bare(&injector, after_ms(11.0), 0xf00 | RST | ACK);
    let genuine = tcp.reply(after_ms(29.0), &front_page());
    tcp.reset(Side::Client, after_ms(0.1), RST);
    Told::loud(story, [Alert::on_path("tcp_reset", &[forged], genuine[0]).up_to(2).by(["H", "S9"])])
}

fn pair(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    asked(&mut tcp);
    if !loud {
        tcp.reply(after_ms(40.0), &front_page());
        tcp.reset(Side::Client, after_ms(0.5), RST | ACK);
        tcp.reply(after_ms(0.2), &front_page());
        let mut late = tcp.segment(Side::Client, RST, b"");
        late.seq = late.seq.wrapping_add(12_503);
        tcp.put(&late);
        return Told::silent(story);
    }
    tcp.wait(after_ms(10.0));
    let mut reset = Injector { ttl: Ttl::Like(4), window: Some(0), ..Injector::censor() }.bare(&tcp, RST | ACK);
    let mut forged = vec![tcp.put(&reset)];
    reset.seq = reset.seq.wrapping_add(12_503);
    reset.ip_id = reset.ip_id.wrapping_add(1);
    forged.push(tcp.put(&reset));
    let genuine = tcp.reply(after_ms(30.0), &front_page());
    Told::loud(story, [Alert::on_path("tcp_reset", &forged, genuine[0]).up_to(2).by(["S9"])])
}

fn fin(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    asked(&mut tcp);
    if !loud {
        tcp.reply(after_ms(40.0), &front_page());
        tcp.wait(after_ms(0.2));
        let fin = tcp.segment(Side::Server, FIN | ACK, b"");
        tcp.put(&fin);
        tcp.wait(after_ms(240.0));
        let again = tcp.again(&fin);
        tcp.put(&again);
        tcp.client_closes_too(40.0);
        return Told::silent(story);
    }
    let forged = tcp.forge_bare(&Injector { ttl: Ttl::Like(7), ..Injector::quantum() }, after_ms(8.0), FIN | ACK);
    tcp.wait(after_ms(0.3));
    let end = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&end);
    let genuine = tcp.reply(after_ms(32.0), &front_page());
    tcp.reset(Side::Client, after_ms(0.1), RST);
    Told::loud(story, [Alert::on_path("tcp_fin", &[forged], genuine[0]).up_to(2).by(["H", "S9"])])
}

fn competing(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client().without_timestamps(), linux(v4(198, 51, 100, 80)).away(11).without_timestamps());
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    if !loud {
        tcp.wait(after_ms(24.0));
        let syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
        tcp.put(&syn_ack);
        tcp.story.seen = false;
        tcp.ack();
        tcp.story.seen = true;
        tcp.wait(after_ms(1024.0));
        tcp.put(&syn_ack);
        tcp.ack();
        tcp.request(&get("news.example", "/"));
        tcp.reply(after_ms(24.0), &front_page());
        tcp.close();
        return Told::silent(story);
    }
    tcp.client.heard = Some(0x1000_0000);
    let mut forged = vec![tcp.forge_bare(&Injector::quantum(), after_ms(4.0), SYN | ACK)];
    tcp.ack();
    tcp.request(&get("news.example", "/"));
    forged.extend(tcp.forge(&Injector::quantum(), after_ms(4.0), &bare_redirect(LURE)));
    tcp.ack();
    tcp.wait(after_ms(15.0));
    let mut syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    syn_ack.ack = syn.seq.wrapping_add(1);
    let genuine = tcp.put(&syn_ack);
    tcp.ack();
    tcp.wait(after_ms(24.0));
    let mut reset = tcp.segment(Side::Server, RST, b"");
    reset.seq = 0x1000_0001;
    reset.window = 0;
    tcp.put(&reset);
    Told::loud(story, [Alert::on_path("syn_ack", &forged, genuine).up_to(2).by(["S2"])])
}

fn alike(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    tcp.wait(after_ms(if loud { 20.0 } else { 24.0 }));
    let mut first = tcp.segment(Side::Server, SYN | ACK, b"");
    first.ack = syn.end();
    let other_clock = |segment: &mut Segment| {
        if let Some(Opt::Ts(clock, _)) = segment.options.iter_mut().find(|option| matches!(option, Opt::Ts(..))) {
            *clock = clock.wrapping_add(0x5a5a_5a5a);
        }
    };
    if loud {
        other_clock(&mut first);
    }
    let first = tcp.put(&first);
    if !loud {
        tcp.wait(after_ms(1000.0));
        let again = tcp.again(&syn);
        tcp.put(&again);
        tcp.wait(after_ms(24.0));
    }
    tcp.ack();
    let mut forged = vec![first];
    let refused = tcp.server.next;
    tcp.server.start_at(scramble(7) as u32);
    let mut second = tcp.segment(Side::Server, SYN | ACK, b"");
    second.ack = syn.end();
    if loud {
        tcp.request(&get("news.example", "/"));
        tcp.wait(after_ms(4.0));
    }
    let genuine = tcp.put(&second);
    if loud {
        let injector = Injector { flags: FIN | PSH | ACK, ..Injector::perfect() };
        tcp.wait(after_ms(16.0));
        let mut answer = tcp.forged(&injector, &bare_redirect(LURE));
        answer.iter_mut().for_each(other_clock);
        forged.extend(tcp.put_all(&answer));
    }
    tcp.server.next = refused;
    tcp.reset(Side::Server, after_ms(8.0), RST);
    if !loud {
        return Told::silent(story);
    }
    Told::loud(story, [Alert::on_path("syn_ack", &forged, genuine).by(["S2"])])
}

fn late_then_reset(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    let syn = tcp.segment(Side::Client, SYN, b"");
    tcp.put(&syn);
    tcp.wait(after_ms(24.0));
    let syn_ack = tcp.segment(Side::Server, SYN | ACK, b"");
    tcp.put(&syn_ack);
    tcp.ack();
    if !loud {
        tcp.put(&syn_ack);
        tcp.wait(after_ms(60_000.0));
        tcp.reset(Side::Server, after_ms(0.1), RST);
        return Told::silent(story);
    }
    let injector = Injector { ttl: Ttl::Like(9), ..Injector::quantum() };
    let mut second = injector.bare(&tcp, SYN | ACK);
    second.seq = scramble(11) as u32;
    tcp.put(&second);
    tcp.request(&get("news.example", "/"));
    let reset = tcp.forge_bare(&injector, after_ms(3.0), RST);
    let genuine = tcp.reply(after_ms(21.0), &front_page());
    tcp.reset(Side::Client, after_ms(0.1), RST);
    Told::loud(story, [Alert::on_path("tcp_reset", &[reset], genuine[0]).up_to(2).by(["S9", "H"])])
}
