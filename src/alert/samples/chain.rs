//! A made-up alert whose redirect the device followed.

use super::super::{Alert, Followed, How, Lead, Led, Step, TlsFacts};
use super::{at, in_path};
use crate::engine::decode::packet::Addr;
use crate::engine::protocol::http::Wants;

/// The in-path redirect, followed by way of a page in plain HTTP. The names are hostile.
pub(super) fn followed() -> Alert {
    let mut alert = in_path();
    let step = |frame: u64, how: How, hop: u8, port: u16| Step {
        frame,
        time: at(40_000) + (at(frame as i64 * 10_000) - at(0)),
        how,
        hop,
        name: None,
        server: (Addr::v4([203, 0, 113, 66]), port),
        url: None,
        tls: None,
    };
    let tls = TlsFacts {
        sni: Some("x9q2.updates.test".to_owned()),
        version: 0x0304,
        alpn: vec!["h2".to_owned(), "\u{1b}[31mred".to_owned()],
        encrypted_hello: true,
        ja4: "t13d1516h2_8daaf6152771_e5627efa2ab1".to_owned(),
    };
    let named = |name: &str, step: Step| Step { name: Some(name.to_owned()), ..step };
    let steps = vec![
        named("go.updates.test", step(11, How::DnsQuestion, 0, 53)),
        step(13, How::TcpConnection, 0, 80),
        named(
            "go.updates.test",
            Step { url: Some("http://go.updates.test/c?u=\u{202e}77".to_owned()), ..step(15, How::HttpRequest, 0, 80) },
        ),
        named("x9q2.updates.test", Step { url: Some("https://x9q2.updates.test:30297/".to_owned()), ..step(16, How::Redirected, 0, 80) }),
        named("x9q2.updates.test", Step { tls: Some(tls), ..step(19, How::TlsHello, 1, 30_297) }),
    ];
    if let Some(redirect) = &mut alert.redirect {
        let lead = |url: &str, how, seen| Lead { url: url.to_owned(), how, seen };
        redirect.led_by = vec![
            lead("https://mail.example.net/", Led::Page, None),
            lead("http://blog.example.org/\u{1b}[31mred?\u{202e}77", Led::Page, Some((3, at(1_000)))),
            lead("http://count.example.com/r", Led::Redirected, Some((5, at(20_000)))),
        ];
        redirect.wants = Wants::Frame;
        redirect.followed = Some(Followed { steps, target: Some("go.updates.test".to_owned()), new_domain: true });
    }
    alert
}
