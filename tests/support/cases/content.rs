//! What a forged answer brings along, and encryption that is taken away.

use super::http::{answer, bodiless, get, page, prose};
use super::lan::poison;
use super::race::genuine;
use super::{Alert, Case, Told};
use crate::support::host::{Host, client, site};
use crate::support::injector::Injector;
use crate::support::segment::{ACK, PSH};
use crate::support::story::{Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    [
        Case::twins(
            "insert-script",
            "The page of the site with a script of another site inserted wins the race against the page itself.",
            "The page has that script of another site by itself, and is sent twice.",
            script,
        ),
        Case::twins(
            "insert-program",
            "A program comes in place of the page that was asked for, and the page comes too.",
            "The site sends a program when one is asked for, twice.",
            program,
        ),
        Case::twins(
            "downgrade-links",
            "The page with its links to https written as http wins the race against the page itself.",
            "The page has links of both kinds, and is sent twice.",
            links,
        ),
        Case::twins(
            "downgrade-redirect",
            "The site redirects to https; a forged answer, a page by http, is there first.",
            "The site redirects to https, twice.",
            redirect,
        ),
        Case::twins(
            "downgrade-stripped",
            "The site led to https. Then a third machine poses as gateway and device, and a page by http comes from the site's name.",
            "The site leads to https from its front page, and gives another page by http; nobody poses as anybody.",
            stripped,
        ),
        Case::twins(
            "insert-under-validator",
            "The site gives a page under a strong ETag. Later the same page comes as a bare answer under the same ETag, with a script in it.",
            "Later the same page comes as a bare answer under the same ETag, byte by byte.",
            under_validator,
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The forged answer first, then the genuine one; or, quietly, the genuine one and once more the same. Frames of both.
fn race(loud: bool, path: &str, forged: &[u8], honest: &[u8]) -> (Story, Vec<u64>, u64) {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", path));
    let mut frames = Vec::new();
    if loud {
        frames = tcp.forge(&Injector::quantum(), after_ms(8.0), forged);
        tcp.ack();
    }
    tcp.server_ack(after_ms(15.0));
    let segments = tcp.server_segments(honest, 1400, PSH | ACK);
    let answer = tcp.put_all(&segments)[0];
    if !loud {
        tcp.wait(after_ms(230.0));
        let again: Vec<_> = segments.iter().map(|segment| tcp.again(segment)).collect();
        tcp.put_all(&again);
    }
    tcp.ack();
    tcp.close();
    story.wait(after_ms(4_000.0));
    (story, frames, answer)
}

fn told(loud: bool, (story, forged, genuine): (Story, Vec<u64>, u64), mechanism: &str, code: &str) -> Told {
    if !loud {
        return Told::silent(story);
    }
    let mut alert = Alert::on_path(mechanism, &forged, genuine);
    alert.signals = vec!["S1".to_owned(), code.to_owned()];
    Told::loud(story, [alert])
}

fn script(loud: bool) -> Told {
    let added = "<script src=\"http://cdn.lure.test/a.js\"></script>";
    let honest = if loud { page(&prose(4)) } else { page(&format!("{}{added}", prose(4))) };
    told(loud, race(loud, "/", &page(&format!("{added}{}", prose(3))), &honest), "http_content", "S16")
}

fn visit(story: &mut Story, server: Host, path: &str, answer: &[u8]) -> u64 {
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", path));
    let frame = genuine(&mut tcp, 24.0, answer);
    tcp.close();
    story.wait(after_ms(4_000.0));
    frame
}

fn stripped(loud: bool) -> Told {
    let mut story = Story::new();
    let to_https = bodiless("301 Moved Permanently", "Location: https://news.example/\r\nContent-Length: 0\r\n");
    visit(&mut story, site(), "/", &to_https);
    if !loud {
        visit(&mut story, site(), "/robots.html", &page(&prose(2)));
        return Told::silent(story);
    }
    let before = story.frames().len() as u64;
    let (forged, _) = poison(&mut story, 3);
    let attacker = Host { mac: [2, 0, 0, 0, 0, 0x66], ..site() };
    let answer = visit(&mut story, attacker, "/", &page(&prose(2)));
    let spoof = Alert::local("arp_spoof", &forged, Some(before + 3));
    Told::loud(story, [spoof, Alert::local("tls_downgrade", &[answer], None).up_to(2).by(["S14", "S17h"])])
}

fn under_validator(loud: bool) -> Told {
    let mut story = Story::new();
    let body = prose(3);
    visit(&mut story, site(), "/", &answer("200 OK", "Content-Type: text/html\r\nETag: \"17-a\"\r\n", &body));
    let later = if loud { format!("<script>go()</script>{body}") } else { body };
    let bare = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"17-a\"\r\nContent-Length: {}\r\n\r\n{later}", later.len());
    let frame = visit(&mut story, site(), "/", bare.as_bytes());
    if loud {
        return Told::loud(story, [Alert::called("inconclusive", "http_content", &[frame]).up_to(3).by(["S10", "S16e"])]);
    }
    Told::silent(story)
}

fn program(loud: bool) -> Told {
    let file = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 64\r\n\r\nMZ\x90\0".to_vec();
    let file = [file, vec![0x5a; 60]].concat();
    let (path, honest) = if loud { ("/viewer", page(&prose(4))) } else { ("/setup.exe", file.clone()) };
    told(loud, race(loud, path, &file, &honest), "http_content", "S16")
}

fn links(loud: bool) -> Told {
    let with =
        |scheme: &str| page(&format!("<a href=\"{scheme}://news.example/login\">log in</a><a href=\"http://blog.example/\">blog</a>"));
    told(loud, race(loud, "/", &with("http"), &with("https")), "tls_downgrade", "S17")
}

fn redirect(loud: bool) -> Told {
    let honest = bodiless("301 Moved Permanently", "Location: https://news.example/\r\nContent-Length: 0\r\n");
    told(loud, race(loud, "/", &page(&prose(3)), &honest), "http_content", "S17")
}
