//! The same race on every link type and inside every encapsulation: one table.

use super::http::{get, page, prose};
use super::race::{genuine, told_by, told_of};
use super::{Case, Told};
use crate::support::connection::Connection;
use crate::support::host::{Host, client, site, v6};
use crate::support::segment::Checksum;
use crate::support::story::Story;
use crate::support::wrapping::{Wrapped, Wrapping};

pub(super) fn cases() -> Vec<Case> {
    let apart = Case::alone(
        "wrapped-two-networks",
        "Two networks in one VXLAN have the same addresses: in each the same connection is made, and gets another page.",
        two_networks,
    );
    [links(), layers(), generic(), overlays(), access()].into_iter().flatten().flat_map(Case::wrapped).chain([apart]).collect()
}

/// The race as `wrapping` shows it.
pub(super) fn told(wrapping: Wrapping, loud: bool) -> Told {
    let mut story = Story::new();
    story.wrapping = Some(wrapping);
    if !wrapping.six {
        return told_by(story, loud);
    }
    let prefix = if wrapping.name == "teredo" { teredo_client() } else { v6(0x17) };
    let [client, site] = [(client(), prefix), (site(), v6(0x80))].map(|(host, ip)| Host { ip, ..host });
    told_of(story, client, site, Checksum::Good, loud)
}

fn two_networks() -> Told {
    let mut story = Story::new();
    let network = |frame| Some(within("vxlan", "", frame));
    let networks = [
        network(|w| w.in_udp((50_001, 4789), &[&[8, 0, 0, 0, 0, 0, 1, 0][..], &w.framed()].concat())),
        network(|w| w.in_udp((50_001, 4789), &[&[8, 0, 0, 0, 0, 0, 2, 0][..], &w.framed()].concat())),
    ];
    for (network, sentences) in networks.into_iter().zip([2, 3]) {
        story.wrapping = network;
        let mut tcp = Connection::new(&mut story, client(), site(), 1);
        tcp.handshake(24.0);
        tcp.request(&get("news.example", "/"));
        genuine(&mut tcp, 15.0, &page(&prose(sentences)));
    }
    Told::silent(story)
}

fn teredo_client() -> std::net::IpAddr {
    std::net::IpAddr::from([0x2001, 0, 0xcb00, 0x7101, 0, 0xf227, 0x34ff, 0x8efe_u16])
}

fn on(link: u16, name: &'static str, about: &'static str, frame: fn(&Wrapped<'_>) -> Vec<u8>) -> Wrapping {
    Wrapping { name, about, link, six: false, frame }
}

fn within(name: &'static str, about: &'static str, frame: fn(&Wrapped<'_>) -> Vec<u8>) -> Wrapping {
    on(1, name, about, frame)
}

fn six(wrapping: Wrapping) -> Wrapping {
    Wrapping { six: true, ..wrapping }
}

fn links() -> Vec<Wrapping> {
    vec![
        on(0, "null", "on a BSD loopback device, in little-endian order.", |w| w.behind(&[2, 0, 0, 0])),
        on(0, "null-swapped", "on a loopback device of a big-endian machine.", |w| w.behind(&[0, 0, 0, 2])),
        on(108, "loop", "on an OpenBSD loopback device.", |w| w.behind(&[0, 0, 0, 2])),
        on(9, "ppp", "on a PPP link.", |w| [&[0xff, 3][..], &w.in_ppp()].concat()),
        on(50, "ppp-hdlc", "on a PPP link without address field.", |w| w.in_ppp()),
        on(51, "ppp-ether", "on a device that shows PPPoE sessions.", in_session),
        on(104, "cisco-hdlc", "on a serial line with Cisco's framing.", |w| w.behind(&[0x0f, 0, 8, 0])),
        on(117, "pflog", "in the log of OpenBSD's packet filter.", |w| w.behind(&[&[61, 2][..], &[0; 62]].concat())),
        on(143, "docsis", "on a cable modem's network.", |w| [&[0, 0, 0, 0, 0, 0][..], &w.framed()].concat()),
        on(226, "ipnet", "on a Solaris IP network device.", |w| w.behind(&[&[1, 2][..], &[0; 22]].concat())),
        on(228, "raw-ipv4", "without link layer, as a link type of its own.", |w| w.datagram.to_vec()),
        six(on(229, "raw-ipv6", "over IPv6 without link layer, as a link type of its own.", |w| w.datagram.to_vec())),
        on(239, "nflog", "in the log of Linux' packet filter.", |w| {
            let length = (w.datagram.len() as u16 + 4).to_le_bytes();
            w.behind(&[&[2, 0, 0, 1, 8, 0, 1, 0, 8, 0, 1, 0][..], &length, &[9, 0]].concat())
        }),
        on(274, "mpacket", "in Ethernet frames with preamble and check sequence.", |w| {
            [&[0x55; 7][..], &[0xd5], &w.framed(), &[0x11; 4]].concat()
        }),
        on(105, "wifi", "in bare 802.11 frames.", |w| w.in_air(None, &w.in_llc())),
        on(127, "wifi-radiotap", "in 802.11 frames with quality of service, behind radiotap, with check sequence.", |w| {
            [&[0, 0, 17, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10][..], &w.in_air(Some(0), &w.in_llc()), &[0x22; 4]].concat()
        }),
        on(119, "wifi-prism", "in 802.11 frames behind a Prism header.", |w| {
            [&[0x44, 0, 0, 0, 144, 0, 0, 0][..], &[0; 136], &w.in_air(None, &w.in_llc())].concat()
        }),
        on(163, "wifi-avs", "in 802.11 frames behind an AVS header.", |w| {
            [&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64][..], &[0; 56], &w.in_air(None, &w.in_llc())].concat()
        }),
        on(192, "wifi-ppi", "in 802.11 frames behind per-packet information.", |w| {
            [&[0, 0, 8, 0, 105, 0, 0, 0][..], &w.in_air(Some(0), &w.in_llc())].concat()
        }),
        on(105, "wifi-bridge", "in 802.11 frames with four addresses.", |w| {
            let (src, dst) = (w.segment.src.mac, w.segment.dst.mac);
            [&[8, 3, 0, 0, 2, 0, 0, 0, 0, 0xaa, 2, 0, 0, 0, 0, 0xbb][..], &dst, &[0x10, 0], &src, &w.in_llc()].concat()
        }),
        on(127, "wifi-aggregate", "in 802.11 aggregates, each time as the second datagram.", aggregate),
    ]
}

/// An A-MSDU: a neighbour's datagram, then this one.
fn aggregate(w: &Wrapped<'_>) -> Vec<u8> {
    let part = |payload: &[u8]| {
        let ends = [w.segment.dst.mac, w.segment.src.mac].concat();
        let mut bytes = [&ends[..], &(payload.len() as u16).to_be_bytes(), payload].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let neighbour = [0xaa, 0xaa, 3, 0, 0, 0, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1];
    [&[0, 0, 8, 0, 0, 0, 0, 0][..], &w.in_air(Some(0x80), &[part(&neighbour), part(&w.in_llc())].concat())].concat()
}

fn in_session(w: &Wrapped<'_>) -> Vec<u8> {
    let ppp = w.in_ppp();
    [&[0x11, 0, 0, 9][..], &(ppp.len() as u16).to_be_bytes(), &ppp].concat()
}

fn layers() -> Vec<Wrapping> {
    vec![
        within("mpls", "under two labels, other ones in each direction.", |w| {
            w.ethernet(0x8847, &w.behind(&[0, 1, w.by_way(0x20, 0x40), 64, 0, 1, w.by_way(0x31, 0x51), 64]))
        }),
        within("mpls-one-way", "under a label on the way to the site, which the last router took off on the way back.", |w| {
            if w.to_site() { w.ethernet(0x8847, &w.behind(&[0, 1, 0x31, 64])) } else { w.framed() }
        }),
        within("mpls-pseudowire", "in Ethernet over MPLS with a control word.", |w| {
            w.ethernet(0x8847, &[&[0, 1, 0x31, 64, 0, 0, 0, 0][..], &w.framed()].concat())
        }),
        within("mpls-pseudowire-bare", "in Ethernet over MPLS without a control word.", |w| {
            w.ethernet(0x8847, &[&[0, 1, 0x31, 64][..], &w.framed()].concat())
        }),
        within("pppoe", "in a PPPoE session.", |w| w.ethernet(0x8864, &in_session(w))),
        within("fabric-path", "in Cisco's FabricPath.", |w| w.ethernet(0x8903, &[&[0, 0x60][..], &w.framed()].concat())),
        within("vn-tag", "behind a VN-Tag.", |w| w.ethernet(0x8926, &w.behind(&[w.by_way(0, 0x80), 1, 0, 2, 8, 0]))),
        within("e-tag", "behind an E-Tag.", |w| w.ethernet(0x893f, &w.behind(&[0, w.by_way(1, 2), 0, 2, 0, 0, 8, 0]))),
        within("backbone", "in a provider backbone (802.1ah).", |w| w.ethernet(0x88e7, &[&[0, 0, 7, 7][..], &w.framed()].concat())),
        within("macsec", "in MACsec that protects without encrypting.", |w| {
            let tag = [0x20, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1, 8, 0];
            w.ethernet(0x88e5, &[&w.behind(&tag)[..], &[0x5a; 16]].concat())
        }),
        within("nsh", "behind a network service header.", |w| {
            w.ethernet(0x894f, &[&[0x0f, 0xc2, 1, 3, 0, 0, w.by_way(1, 2), 255][..], &w.framed()].concat())
        }),
    ]
}

fn generic() -> Vec<Wrapping> {
    vec![
        within("gre", "in plain GRE.", |w| w.in_gre(&[0, 0, 8, 0], w.datagram)),
        within("gre-keyed", "in GRE with checksum, key and sequence number.", |w| {
            w.in_gre(&[0xb0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 42, 0, 0, 0, 9], w.datagram)
        }),
        within("gre-bridged", "in Ethernet over GRE.", |w| w.in_gre(&[0x20, 0, 0x65, 0x58, 0, 0, 9, w.by_way(1, 2)], &w.framed())),
        within("pptp", "in PPTP, the acknowledgment in every other packet.", |w| {
            let ppp = [&[0xff, 3][..], &w.in_ppp()].concat();
            let [l0, l1] = (ppp.len() as u16).to_be_bytes();
            let head = [0x30, w.by_way(0x81, 1), 0x88, 0x0b, l0, l1, 0, w.by_way(7, 8), 0, 0, 0, 1];
            w.in_gre(&head, &[w.by_way(&[0, 0, 0, 2][..], &[]), &ppp].concat())
        }),
        within("erspan-1", "mirrored by ERSPAN type I.", |w| w.in_gre(&[0, 0, 0x88, 0xbe], &w.framed())),
        within("erspan-2", "mirrored by ERSPAN type II.", |w| {
            w.in_gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 5, 0, 9, 0, 0, 0, 3], &w.framed())
        }),
        within("erspan-3", "mirrored by ERSPAN type III with the optional subheader.", |w| {
            let head = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 5, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
            w.in_gre(&head, &w.framed())
        }),
        within("ipip", "in IPv4 in IPv4.", |w| w.in_ipv4(4, w.datagram)),
        six(within("6in4", "over IPv6 in IPv4.", |w| w.in_ipv4(41, w.datagram))),
        within("4in6", "over IPv4 in IPv6.", |w| w.in_ipv6(4, w.datagram)),
        six(within("6in6", "over IPv6 in IPv6.", |w| w.in_ipv6(41, w.datagram))),
        within("ether-ip", "in Ethernet in IP.", |w| w.in_ipv4(97, &[&[0x30, 0][..], &w.framed()].concat())),
        within("authenticated", "behind an authentication header, in tunnel mode.", |w| {
            w.in_ipv4(51, &w.behind(&[&[4, 4, 0, 0, 0, 0, 1, w.by_way(1, 2)][..], &[0x33; 16]].concat()))
        }),
        within("esp-null", "in ESP without encryption, in tunnel mode.", |w| {
            let padding = (4 - (w.datagram.len() + 2) % 4) % 4;
            let tail = [(1..=padding as u8).collect(), vec![padding as u8, 4], vec![0xa5; 12]].concat();
            w.in_ipv4(50, &[&w.behind(&[0, 0, 1, w.by_way(1, 2), 0, 0, 0, 7])[..], &tail].concat())
        }),
    ]
}

fn overlays() -> Vec<Wrapping> {
    vec![
        within("vxlan", "in VXLAN.", |w| {
            w.in_udp((w.by_way(50_001, 61_007), 4789), &[&[8, 0, 0, 0, 0, 0, 42, 0][..], &w.framed()].concat())
        }),
        within("vxlan-policy", "in VXLAN with a group policy, on the port that Linux took first.", |w| {
            w.in_udp((50_001, 8472), &[&[0x88, 0, 0, w.by_way(1, 2), 0, 0, 42, 0][..], &w.framed()].concat())
        }),
        within("vxlan-gpe", "in VXLAN-GPE without Ethernet.", |w| w.in_udp((50_001, 4790), &w.behind(&[0x0c, 0, 0, 1, 0, 0, 42, 0]))),
        within("geneve", "in GENEVE with an option.", |w| {
            let head = [2, 0, 0x65, 0x58, 0, 0, 42, 0, 1, 2, 3, 1, 9, 9, 9, 9];
            w.in_udp((50_001, 6081), &[&head[..], &w.framed()].concat())
        }),
        within("lisp", "in LISP.", |w| w.in_udp((50_001, 4341), &w.behind(&[0; 8]))),
        within("tzsp", "sent on by a sniffer in TZSP.", |w| w.in_udp((50_001, 37_008), &[&[1, 0, 0, 1, 1][..], &w.framed()].concat())),
    ]
}

fn access() -> Vec<Wrapping> {
    vec![
        within("gtp", "in GTP-U, a tunnel number for each direction.", |w| {
            let [l0, l1] = (w.datagram.len() as u16).to_be_bytes();
            w.in_udp((2152, 2152), &w.behind(&[0x30, 255, l0, l1, 0, 0, 0, w.by_way(1, 2)]))
        }),
        within("gtp-extended", "in GTP-U with sequence number and extension header, as in 5G.", |w| {
            let [l0, l1] = (w.datagram.len() as u16 + 8).to_be_bytes();
            w.in_udp((2152, 2152), &w.behind(&[0x36, 255, l0, l1, 0, 0, 0, w.by_way(1, 2), 0, 1, 0, 0x85, 1, 0, 9, 0]))
        }),
        within("l2tp", "in L2TP, session numbers for each direction.", |w| {
            let head = [0, 2, 0, w.by_way(1, 2), 0, w.by_way(3, 4), 0xff, 3];
            w.in_udp((1701, 1701), &[&head[..], &w.in_ppp()].concat())
        }),
        within("l2tp-3", "in Ethernet over L2TP version 3 with a cookie.", |w| {
            w.in_ipv4(115, &[&[0, 0, 0, w.by_way(1, 2), 1, 2, 3, 4][..], &w.framed()].concat())
        }),
        within("l2tp-3-udp", "in Ethernet over L2TP version 3 over UDP.", |w| {
            w.in_udp((1701, 1701), &[&[0, 3, 0, 0, 0, 0, 0, w.by_way(1, 2)][..], &w.framed()].concat())
        }),
        six(within("teredo", "over IPv6 through Teredo.", |w| {
            let origin = [0, 0, 0x12, 0x34, 0x34, 0xff, 0x8e, 0xfe];
            w.in_udp(w.by_way((40_001, 3544), (3544, 40_001)), &w.behind(w.by_way(&[][..], &origin)))
        })),
        six(within("ayiya", "over IPv6 through AYIYA.", |w| {
            let head = [&[0x44, 0x52, 0x11, 41, 0, 0, 0, 0][..], &[w.by_way(1, 2); 16], &[3; 20]].concat();
            w.in_udp(w.by_way((50_001, 5072), (5072, 50_001)), &w.behind(&head))
        })),
        within("capwap", "between an access point and its controller in CAPWAP.", |w| {
            w.in_udp(w.by_way((50_001, 5247), (5247, 50_001)), &[&[0, 0x10, 0, 0, 0, 0, 0, 0][..], &w.framed()].concat())
        }),
        within("capwap-air", "between an access point and its controller in CAPWAP, as 802.11 frames.", |w| {
            let inside = w.in_air(None, &w.in_llc());
            w.in_udp(w.by_way((50_001, 5247), (5247, 50_001)), &[&[0, 0x10, 3, 0, 0, 0, 0, 0][..], &inside].concat())
        }),
    ]
}
