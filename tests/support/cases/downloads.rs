//! What is run, installed or set up the moment it arrives, and redirected to another site on its way.

use super::http::{bare_redirect, get, moved};
use super::race::{front_page, genuine};
use super::{Alert, Case, Told};
use crate::support::connection::Side;
use crate::support::host::{client, site};
use crate::support::injector::{ForgedId, Injector, Ttl};
use crate::support::segment::{ACK, FIN, PSH};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "download-programs",
            "A program, an installer, packages and an app are asked for; a device in the path, near to the site's stack, sends each client to another
             site for it. That alone would be of severity 2.",
            "The site itself sends the clients to a mirror of another site.",
            programs,
        ),
        Case::twins(
            "download-settings",
            "Configuration profiles, proxy settings and updates are asked for; the same device sends each client to another site for it.",
            "The site itself sends the clients to another site for them.",
            settings,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn programs(loud: bool) -> Told {
    each(loud, ["/setup.exe", "/setup.msi", "/viewer.dmg", "/tool.deb", "/tool.rpm", "/messenger.apk", "/bundle.zip?mirror=1"])
}

fn settings(loud: bool) -> Told {
    each(loud, ["/vpn.mobileconfig", "/office.pac", "/wpad.dat", "/kb5001.msu", "/patch.msp", "/update.CAB"])
}

/// Little of it differs from the site's stack: TTL and DF.
pub(super) fn near_device() -> Injector {
    Injector {
        ttl: Ttl::Like(3),
        id: ForgedId::NextOfServer,
        df: Some(false),
        window: None,
        timestamps: true,
        flags: PSH | ACK,
        step: 0,
        size: 1400,
    }
}

fn each<const N: usize>(loud: bool, paths: [&str; N]) -> Told {
    let mut story = Story::new();
    let alerts = paths.map(|path| asked(&mut story, loud, path));
    if loud { Told::loud(story, alerts) } else { Told::noted(story, alerts) }
}

fn asked(story: &mut Story, loud: bool, path: &str) -> Alert {
    let to = format!("http://mirror.loads.test{path}");
    let mut tcp = story.connection(client(), site());
    tcp.handshake(40.0);
    tcp.request(&get("files.example", "/"));
    genuine(&mut tcp, 40.0, &front_page());
    tcp.wait(after_ms(900.0));
    tcp.request(&get("files.example", path));
    tcp.server_ack(after_ms(40.0));
    let alert = if loud {
        let forged = tcp.forge(&near_device(), after_ms(1.0), &bare_redirect(&to));
        tcp.ack();
        let fin = tcp.segment(Side::Client, FIN | ACK, b"");
        tcp.put(&fin);
        Alert::in_path("http_redirect", &forged).by(["S11"])
    } else {
        let frame = genuine(&mut tcp, 1.0, &moved("302 Found", &to));
        tcp.close();
        Alert::called("endpoint_redirect", "http_redirect", &[frame]).by(["S11"])
    };
    story.wait(after_ms(12_000.0));
    alert
}
