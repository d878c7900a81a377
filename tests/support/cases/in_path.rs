//! In-path: a box answers in the site's name and keeps the genuine answer from arriving.

use super::http::{LURE, answer, bare_redirect, box_redirect, get, moved, page};
use super::race::{front_page, genuine};
use super::{Alert, Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::host::{Host, appliance, client, linux, macos, site, v4, v6, windows};
use crate::support::injector::{Injector, Ttl};
use crate::support::segment::{ACK, FIN, PSH};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "in-path-with-timestamps",
            "After the Turkish captures of 2018: the request is never answered by the site. A 307 with FIN and without PSH comes with IP-ID
             0x3412, window 32120, no options though timestamps were agreed, no DF, TTL two higher; 100 ms later the box acknowledges the
             client's FIN.",
            "The same 307, with Date and Server, from the site's own stack, which closes after it.",
            with_timestamps,
        ),
        Case::twins(
            "in-path-without-timestamps",
            "After the Egyptian captures of 2018: an old server without timestamps and DF acknowledges the request by its own stack; then the
             box answers with the same TTL, but IP-ID 0x3412 beside a counter, window 32120 beside 4065, FIN without PSH.",
            "The old server acknowledges, then redirects by its own stack with FIN and without PSH.",
            without_timestamps,
        ),
        Case::twins(
            "in-path-unknown-device",
            "A device that no fingerprint library knows: random IP-ID, TTL three higher, DF turned over, timestamps missing. The site's ACK of
             the request came through, nothing else does; the client's FIN stays unanswered.",
            "The same redirect by the site's own stack.",
            unknown_device,
        ),
        Case::twins(
            "in-path-unknown-device-plain-server",
            "The unknown device before a Windows server that agreed to no timestamps: IP-ID against a counter, TTL, DF and window must do.",
            "The Windows server redirects by itself.",
            plain_server,
        ),
        Case::twins(
            "in-path-ipv6",
            "IPv6 has no identification and no DF: the hop limit is off by three and the timestamps are missing.",
            "The same redirect by the site's own stack over IPv6.",
            ipv6,
        ),
        Case::twins(
            "in-path-later-request",
            "A kept-alive connection: the first exchange is genuine, the second request is answered by the unknown device.",
            "Both requests are answered by the site, the second with a redirect to another site.",
            later_request,
        ),
        Case::twins(
            "in-path-meta-refresh",
            "The box answers 200 with a page whose meta element sends the browser elsewhere.",
            "The site has such a page itself.",
            meta_refresh,
        ),
        Case::twins(
            "in-path-program-replaced",
            "A program is asked for over plain HTTP, and the box delivers one of its own: 200, three segments of its stack.",
            "The site delivers the program.",
            program_replaced,
        ),
        Case::twins(
            "in-path-early-answer",
            "The handshake took 120 ms; the answer comes 3 ms after the request, from another stack by TTL, DF, IP-ID and window.",
            "A front that opens the connection by way of the far origin and answers from its cache in 3 ms, all with one stack.",
            early_answer,
        ),
        Case::twins(
            "in-path-outran",
            "Before a server without timestamps, a device imitates TTL, DF and window; its identifications are its own, and its answer to the second
             request is there after 2 ms of a round trip of 40.",
            "The server's counter has run ahead by some thousands when it answers the second request by as bare a redirect, a round trip later.",
            outran,
        ),
        Case::twins(
            "in-path-flow-label",
            "Over IPv6, before a server without timestamps: the hop limit is the server's, the window is not, and the flow label is zero where all of the
             server's packets bear one.",
            "The server's bare redirect is lost on the way to the sensor. After its timeout Linux sends it again with another flow label, which takes
             a route that is one hop longer.",
            flow_label,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The client acknowledges, then closes, and nobody answers.
fn abandoned(tcp: &mut Connection<'_>) {
    tcp.ack();
    tcp.wait(after_ms(900.0));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    for pause in [220.0, 440.0, 880.0, 1760.0] {
        tcp.wait(after_ms(pause));
        let again = tcp.again(&fin);
        tcp.put(&again);
    }
}

/// The box answers, closes, and acknowledges the client's FIN after 100 ms. Returns the frames of the box.
fn answered_by_box(tcp: &mut Connection<'_>, ttl_shift: i8) -> Vec<u64> {
    let injector = Injector::packetlogic(ttl_shift);
    let mut forged = tcp.forge(&injector, after_ms(0.4), &box_redirect("https://x9q2.updates.test/prg.php?a=5c0f7be1d2a94386"));
    tcp.wait(after_ms(0.6));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    forged.push(tcp.forge_bare(&injector, after_ms(99.4), ACK));
    forged
}

fn with_timestamps(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(150.0);
    tcp.request(&get("files.example", "/tool.zip"));
    tcp.wait(after_ms(145.0));
    if !loud {
        let segments = tcp.server_segments(&moved("307 Temporary Redirect", "https://mirror.updates.test/tool.zip"), 1400, FIN | PSH | ACK);
        tcp.put_all(&segments);
        tcp.client_closes_too(150.0);
        return Told::quiet(story);
    }
    let forged = answered_by_box(&mut tcp, 2);
    Told::loud(story, [Alert::in_path("http_redirect", &forged).by(["H", "S8"])])
}

fn without_timestamps(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), appliance(v4(203, 0, 113, 9)).away(18));
    tcp.handshake(238.0);
    tcp.request(&get("shop.example", "/"));
    tcp.server_ack(after_ms(240.0));
    if !loud {
        let segments = tcp.server_segments(&moved("307 Temporary Redirect", "http://www.shop.example/"), 1400, FIN | ACK);
        tcp.put_all(&segments);
        tcp.client_closes_too(240.0);
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::packetlogic(0), after_ms(0.1), &box_redirect("http://x9q2.updates.test/ad?id=1"));
    tcp.wait(after_ms(0.6));
    let fin = tcp.segment(Side::Client, FIN | ACK, b"");
    tcp.put(&fin);
    Told::loud(story, [Alert::in_path("http_redirect", &forged).by(["H", "S8"])])
}

/// Request, the server's own ACK of it, then the answer of the device, or the server's own.
fn device_case(client: Host, server: Host, device: &Injector, loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client, server);
    tcp.handshake(40.0);
    tcp.request(&get("files.example", "/tool.zip"));
    tcp.server_ack(after_ms(40.0));
    if !loud {
        tcp.reply(after_ms(2.0), &moved("302 Found", LURE));
        tcp.ack();
        tcp.close();
        return Told::quiet(story);
    }
    let forged = tcp.forge(device, after_ms(2.0), &bare_redirect(LURE));
    abandoned(&mut tcp);
    Told::loud(story, [Alert::in_path("http_redirect", &forged).up_to(2).by(["H"])])
}

fn unknown_device(loud: bool) -> Told {
    device_case(client(), site(), &Injector::unknown_device(), loud)
}

fn plain_server(loud: bool) -> Told {
    device_case(client(), windows(v4(203, 0, 113, 44)).away(15), &Injector::unknown_device(), loud)
}

fn ipv6(loud: bool) -> Told {
    let device = Injector { window: None, df: None, ..Injector::unknown_device() };
    device_case(Host { mac: client().mac, ..macos(v6(0x17)) }, linux(v6(0x80)).away(11), &device, loud)
}

fn later_request(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(40.0);
    tcp.request(&get("files.example", "/"));
    genuine(&mut tcp, 40.0, &front_page());
    tcp.wait(after_ms(1800.0));
    tcp.request(&get("files.example", "/tool.zip"));
    if !loud {
        genuine(&mut tcp, 40.0, &moved("302 Found", LURE));
        tcp.close();
        return Told::quiet(story);
    }
    let forged = tcp.forge(&Injector::unknown_device(), after_ms(35.0), &bare_redirect(LURE));
    abandoned(&mut tcp);
    Told::loud(story, [Alert::in_path("http_redirect", &forged).up_to(2).by(["H"])])
}

fn meta_refresh(loud: bool) -> Told {
    let html = format!("<html><head><meta http-equiv=\"refresh\" content=\"0; url={LURE}\"></head><body></body></html>\n");
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(40.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        genuine(&mut tcp, 40.0, &page(&html));
        tcp.close();
        return Told::quiet(story);
    }
    let bare = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{html}", html.len());
    tcp.server_ack(after_ms(40.0));
    let forged = tcp.forge(&Injector::unknown_device(), after_ms(1.0), bare.as_bytes());
    abandoned(&mut tcp);
    Told::loud(story, [Alert::in_path("http_redirect", &forged).up_to(2).by(["H"])])
}

fn program_replaced(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(40.0);
    tcp.request(&get("files.example", "/setup.exe"));
    let program = |text: &str| format!("MZ {text} {}", "This is no program. ".repeat(180));
    let fields = "Content-Type: application/octet-stream\r\n";
    tcp.server_ack(after_ms(40.0));
    if !loud {
        tcp.reply(after_ms(1.0), &answer("200 OK", fields, &program("genuine")));
        tcp.ack();
        tcp.close();
        return Told::silent(story);
    }
    let forged = tcp.forge(&Injector::unknown_device(), after_ms(1.0), &answer("200 OK", fields, &program("replaced")));
    abandoned(&mut tcp);
    Told::loud(story, [Alert::in_path("http_content", &forged).up_to(2).by(["H"])])
}

fn early_answer(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), windows(v4(203, 0, 113, 44)).away(15));
    tcp.handshake(120.0);
    tcp.request(&get("news.example", "/"));
    if !loud {
        genuine(&mut tcp, 3.0, &front_page());
        tcp.close();
        return Told::quiet(story);
    }
    let device = Injector { ttl: Ttl::Like(11), ..Injector::unknown_device() };
    let forged = tcp.forge(&device, after_ms(3.0), &bare_redirect(LURE));
    tcp.ack();
    tcp.server_ack(after_ms(117.0));
    abandoned(&mut tcp);
    Told::loud(story, [Alert::in_path("http_redirect", &forged).or_verdict("on_path_injection").up_to(2).by(["S3", "H"])])
}

/// A page, and 1.8 s later the question for a program.
fn asked_twice(tcp: &mut Connection<'_>) {
    tcp.handshake(40.0);
    tcp.request(&get("files.example", "/"));
    genuine(tcp, 40.0, &front_page());
    tcp.wait(after_ms(1800.0));
    tcp.request(&get("files.example", "/tool.zip"));
}

fn outran(loud: bool) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), windows(v4(203, 0, 113, 44)).away(15));
    asked_twice(&mut tcp);
    if !loud {
        tcp.server.skip_ip_ids(4100);
        tcp.reply(after_ms(41.0), &bare_redirect(LURE));
        tcp.ack();
        tcp.close();
        return Told::quiet(story);
    }
    let forged = tcp.forge(&Injector { timestamps: false, ..Injector::careful() }, after_ms(2.0), &bare_redirect(LURE));
    abandoned(&mut tcp);
    Told::loud(story, [Alert::in_path("http_redirect", &forged).up_to(2).by(["S3", "S5"])])
}

fn flow_label(loud: bool) -> Told {
    let mut story = Story::new();
    let client = Host { ip: v6(0x17), ..client() };
    let server = Host { ip: v6(0x80), flow_label: 0x3_a51c, ..site().without_timestamps() };
    let mut tcp = story.connection(client, server);
    asked_twice(&mut tcp);
    if !loud {
        tcp.server_ack(after_ms(40.0));
        tcp.server.host = Host { flow_label: 0xb_27d4, ..tcp.server.host.clone().away(12) };
        tcp.reply(after_ms(240.0), &bare_redirect(LURE));
        tcp.ack();
        return Told::quiet(story);
    }
    let forged = tcp.forge(&Injector { ttl: Ttl::Like(0), ..Injector::quantum() }, after_ms(41.0), &bare_redirect(LURE));
    abandoned(&mut tcp);
    Told::loud(story, [Alert::in_path("http_redirect", &forged).up_to(2).by(["S6", "H"])])
}
