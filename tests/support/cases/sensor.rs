//! Quiet: what mirrors, offloads and snap lengths do to honest traffic.

use super::http::{get, moved, page, prose};
use super::race::{front_page, genuine, repeat};
use super::{Case, Told};
use crate::support::connection::{Connection, Side};
use crate::support::container::Container;
use crate::support::host::{client, site};
use crate::support::segment::{ACK, Checksum, PSH, RST};
use crate::support::story::{Mirror, Story, after_ms};

pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::alone("sensor-mirror-twice", "A mirror port that shows each frame twice, bit for bit.", mirror_twice),
        Case::alone(
            "sensor-mirror-around-router",
            "A mirror of both sides of a router: each packet twice, the second time with a TTL one lower.",
            mirror_around_router,
        ),
        Case::alone(
            "sensor-mirror-around-router-redirect",
            "As before, and the site redirects to another site.",
            mirror_around_router_redirect,
        ),
        Case::alone(
            "sensor-checksum-offload",
            "Captured on the client itself: all its packets have only the pseudo header's sum, as the card was to do the rest.",
            client_offload,
        ),
        Case::alone(
            "sensor-checksum-offload-server",
            "Captured on the server itself: all that the server sends has only the pseudo header's sum.",
            server_offload,
        ),
        Case::alone(
            "sensor-corrupt-frame",
            "One segment was damaged on the way: its checksum is wrong and forty of its bytes are others. It is sent again and is right.",
            corrupt_frame,
        ),
        Case::alone(
            "sensor-corrupt-reset",
            "Damage turned a segment's flags to RST; the checksum tells. The stream goes on.",
            corrupt_reset,
        ),
        Case::alone(
            "sensor-snap-length",
            "Frames cut to 96 bytes, with a retransmission: what was not captured must not be compared.",
            snap_length,
        ),
        Case::alone(
            "sensor-snap-length-other-borders",
            "Frames cut to 96 bytes, and the answer is sent again with other segment borders.",
            snap_length_other_borders,
        ),
        Case::alone(
            "sensor-super-frame",
            "Receive offload put three segments together into one frame of 4,344 bytes; a retransmission of the middle one comes alone.",
            super_frame,
        ),
        Case::alone("sensor-lost-frames", "The sensor missed every third frame.", lost_frames),
        Case::alone(
            "sensor-fragments-overtaking",
            "The answer comes in fragments and in the wrong order; a second copy follows in one piece.",
            fragments_overtaking,
        ),
        Case::alone(
            "sensor-two-sections",
            "A pcapng of two sections in which the same connection is captured twice by two ports of a tap.",
            two_sections,
        ),
    ]
}

fn talk(story: &mut Story, path: &str, answer: &[u8]) {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    genuine(&mut tcp, 24.0, &front_page());
    tcp.request(&get("news.example", path));
    genuine(&mut tcp, 24.0, answer);
    tcp.close();
}

fn mirrored(mirror: Mirror, answer: &[u8]) -> Story {
    let mut story = Story::new();
    story.mirror = mirror;
    talk(&mut story, "/sport", answer);
    story
}

fn mirror_twice() -> Told {
    Told::silent(mirrored(Mirror::Twice, &front_page()))
}

fn mirror_around_router() -> Told {
    Told::silent(mirrored(Mirror::AroundRouter, &front_page()))
}

fn mirror_around_router_redirect() -> Told {
    Told::quiet(mirrored(Mirror::AroundRouter, &moved("302 Found", "http://other.test/")))
}

fn offloaded(side: Side) -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.peer(side).checksum = Checksum::Partial;
    tcp.handshake(24.0);
    for path in ["/", "/sport"] {
        tcp.request(&get("news.example", path));
        genuine(&mut tcp, 24.0, &front_page());
    }
    tcp.close();
    Told::silent(story)
}

fn client_offload() -> Told {
    offloaded(Side::Client)
}

fn server_offload() -> Told {
    offloaded(Side::Server)
}

fn asked(story: &mut Story) -> Connection<'_> {
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.server_ack(after_ms(24.0));
    tcp
}

fn corrupt_frame() -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    let right = tcp.server_segments(&front_page(), 1400, PSH | ACK);
    let mut damaged = right[0].clone();
    damaged.payload[20..60].fill(0);
    damaged.checksum = Checksum::Bad;
    tcp.put(&damaged);
    tcp.wait(after_ms(210.0));
    repeat(&mut tcp, &right);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn corrupt_reset() -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    let right = tcp.server_segments(&front_page(), 1400, PSH | ACK);
    let mut damaged = right[0].clone();
    damaged.flags |= RST;
    damaged.checksum = Checksum::Bad;
    tcp.put(&damaged);
    tcp.wait(after_ms(210.0));
    repeat(&mut tcp, &right);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn snap_length() -> Told {
    let mut story = Story::new();
    story.snap = 96;
    let mut tcp = asked(&mut story);
    let segments = tcp.server_segments(&page(&prose(40)), 1000, PSH | ACK);
    tcp.put_all(&segments);
    tcp.wait(after_ms(210.0));
    repeat(&mut tcp, &segments);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn snap_length_other_borders() -> Told {
    let mut story = Story::new();
    story.snap = 96;
    let mut tcp = asked(&mut story);
    let text = page(&prose(40));
    tcp.reply(after_ms(1.0), &text);
    tcp.wait(after_ms(210.0));
    tcp.server.next = tcp.server.next.wrapping_sub(text.len() as u32);
    let again = tcp.server_segments(&text, 700, PSH | ACK);
    tcp.put_all(&again);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn super_frame() -> Told {
    let mut story = Story::new();
    let mut tcp = asked(&mut story);
    let text = page(&prose(200));
    let whole = tcp.server_segments(&text[..4344], 4344, PSH | ACK);
    tcp.put_all(&whole);
    tcp.wait(after_ms(30.0));
    let mut middle = tcp.again(&whole[0]);
    middle.seq = middle.seq.wrapping_add(1448);
    middle.payload = text[1448..2896].to_vec();
    tcp.put(&middle);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn lost_frames() -> Told {
    let mut story = Story::new();
    let mut tcp = story.connection(client(), site());
    tcp.handshake(24.0);
    for path in ["/", "/sport", "/weather"] {
        tcp.request(&get("news.example", path));
        tcp.wait(after_ms(24.0));
        let segments = tcp.server_segments(&page(&prose(30)), 500, PSH | ACK);
        for (index, segment) in segments.iter().enumerate() {
            tcp.story.seen = index % 3 != 1;
            tcp.put(segment);
        }
        tcp.story.seen = true;
        tcp.ack();
    }
    tcp.close();
    Told::silent(story)
}

fn fragments_overtaking() -> Told {
    let mut story = Story::new();
    let mut server = site();
    server.df = false;
    let mut tcp = story.connection(client(), server);
    tcp.handshake(24.0);
    tcp.request(&get("news.example", "/"));
    tcp.server_ack(after_ms(24.0));
    let segments = tcp.server_segments(&page(&prose(24)), 1000, PSH | ACK);
    for segment in segments.iter().rev() {
        tcp.story.put_fragments(segment, 520);
    }
    tcp.wait(after_ms(210.0));
    repeat(&mut tcp, &segments);
    tcp.ack();
    tcp.close();
    Told::silent(story)
}

fn two_sections() -> Told {
    let mut story = Story::new();
    story.split_tap = true;
    talk(&mut story, "/sport", &front_page());
    story.section = 1;
    story.wait(after_ms(400.0));
    talk(&mut story, "/weather", &front_page());
    Told::silent(story).kept_as(Container::PcapNg)
}
