//! The user's filter as it is given to the kernel: tags, tunnels and fragments in mind.
//!
//! A filter such as `tcp port 80` speaks of the packets that people think of. On the wire these may be tagged (once, or twice), in a tunnel, or in
//! pieces of which only the first has a port. So what the kernel is given lets through
//!
//! - what passes the filter, without a tag, behind one and behind two;
//! - every frame of an encapsulation that the decoder opens, whatever is in it: a kernel's filter cannot look inside. That takes in more than was asked
//!   for and hides nothing. Encrypted tunnels (ESP, WireGuard, OpenVPN) are not let through unasked, for nothing in them can be read;
//! - every fragment, and IPv6 with extension headers, behind which a port cannot be found.
//!
//! A filter that speaks of tags or tunnels itself is taken as it stands, and so is one that begins with `exactly`: `exactly not host 192.0.2.7`.

use pcap::{Activated, Capture, Linktype};

use super::error::words;

/// What makes a filter stand as it is written.
const EXACTLY: &str = "exactly ";

/// Words of the filter language that move all that comes after them further into the frame: repeated behind a tag they would say something else.
const MOVES: [&str; 6] = ["vlan", "mpls", "pppoed", "pppoes", "geneve", "vxlan"];

/// A frame that begins with one of the tags that `vlan` goes behind.
const TAGGED: &str = "(ether proto 0x8100 or ether proto 0x88a8 or ether proto 0x9100)";

/// Encapsulations by their EtherType: other tags, MPLS, PPP, PPPoE, FabricPath, MACsec, backbone bridges, NSH.
const ETHER_TYPES: [u16; 12] = [0x9200, 0x8926, 0x893f, 0x6558, 0x8847, 0x8848, 0x880b, 0x8864, 0x8903, 0x88e5, 0x88e7, 0x894f];
/// By their IP protocol: IPv4, IPv6, GRE, EtherIP, L2TPv3, MPLS, Ethernet; and IPv6's hop-by-hop options, routing, fragments, destination options.
const PROTOCOLS: [u8; 7] = [4, 41, 47, 97, 115, 137, 143];
const EXTENSIONS: [u8; 4] = [0, 43, 44, 60];
/// By their UDP port, as in `engine/decode/tunnel/udp.rs`, and Teredo's.
const PORTS: [u16; 14] = [1701, 2152, 3386, 3544, 4341, 4754, 4789, 4790, 5072, 5247, 6081, 6635, 8472, 37_008];

/// Whether a filter can be used on Ethernet; for a look at a configuration, without an interface.
///
/// # Errors
/// What libpcap says of it.
pub fn check(filter: &str) -> Result<(), String> {
    let ethernet = Capture::dead(Linktype::ETHERNET).map_err(|error| words(&error))?;
    widened(&ethernet, filter).map(drop)
}

/// What the kernel is to be given for the user's `filter` on frames of the type that `capture` gives.
///
/// # Errors
/// What libpcap says of the filter as the user wrote it.
pub(super) fn widened<T: Activated>(capture: &Capture<T>, filter: &str) -> Result<String, String> {
    let filter = filter.trim();
    let compiles = |text: String| capture.compile(&text, true).map(|_| text).map_err(|error| words(&error));
    if let Some(rest) = filter.strip_prefix(EXACTLY) {
        return compiles(rest.to_owned());
    }
    let plain = compiles(filter.to_owned())?;
    if filter.is_empty() || moves(filter) {
        return Ok(plain);
    }
    let opened = format!("({filter}) or {}", encapsulated());
    compiles(if capture.get_datalink() == Linktype::ETHERNET { behind_tags(&opened) } else { opened })
}

fn moves(filter: &str) -> bool {
    filter.split(|letter: char| !letter.is_ascii_alphanumeric()).any(|word| MOVES.contains(&word))
}

/// Each `vlan` moves all that comes after it, so the alternatives are nested. The kernel takes the outermost tag out of a frame that it
/// receives and leaves it in one that it sends; `vlan` knows both.
fn behind_tags(filter: &str) -> String {
    let untagged = format!("(({filter}) and not {TAGGED})");
    format!("{untagged} or (vlan and ({untagged} or (vlan and ({filter}))))")
}

/// Frames of which the decoder sees more than a filter can.
fn encapsulated() -> String {
    let types = ETHER_TYPES.iter().map(|kind| format!("ether proto {kind:#06x}"));
    let protocols = PROTOCOLS.iter().map(|protocol| format!("proto {protocol}"));
    let extensions = EXTENSIONS.iter().map(|protocol| format!("ip6 proto {protocol}"));
    let ports = PORTS.iter().map(|port| format!("udp port {port}"));
    let fragments = std::iter::once("ip[6:2] & 0x3fff != 0".to_owned());
    let all: Vec<String> = types.chain(protocols).chain(extensions).chain(ports).chain(fragments).collect();
    format!("({})", all.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pcap::{BpfProgram, Dead};

    fn ethernet() -> Capture<Dead> {
        Capture::dead(Linktype::ETHERNET).unwrap()
    }

    fn compile<T: Activated>(capture: &Capture<T>, filter: &str) -> Result<BpfProgram, String> {
        widened(capture, filter).map(|text| capture.compile(&text, true).unwrap())
    }

    /// Ethernet around `tags` and an IPv4 header of `protocol` from 192.0.2.7, with these ports.
    fn frame(tags: &[[u8; 4]], protocol: u8, ports: (u16, u16)) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        tags.iter().for_each(|tag| frame.extend(tag));
        frame.extend([0x08, 0x00, 0x45, 0, 0, 60, 0, 1, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 7, 198, 51, 100, 1]);
        frame.extend(ports.0.to_be_bytes());
        frame.extend(ports.1.to_be_bytes());
        frame.resize(80, 0);
        frame
    }

    const TAG: [u8; 4] = [0x81, 0, 0, 5];
    const SERVICE_TAG: [u8; 4] = [0x88, 0xa8, 0, 7];

    #[test]
    fn a_filter_holds_behind_no_tag_one_and_two() {
        let program = compile(&ethernet(), "tcp port 80").unwrap();
        for tags in [&[][..], &[TAG], &[SERVICE_TAG, TAG]] {
            assert!(program.filter(&frame(tags, 6, (40_000, 80))), "{tags:?}");
            assert!(!program.filter(&frame(tags, 6, (40_000, 443))), "{tags:?}");
        }
    }

    #[test]
    fn what_is_excluded_is_excluded_behind_tags_as_well() {
        let program = compile(&ethernet(), "not host 192.0.2.7").unwrap();
        let other = |tags| {
            let mut frame = frame(tags, 6, (40_000, 80));
            let from = frame.len() - 80 + 26 + 4 * tags.len();
            frame[from + 3] = 8;
            frame
        };
        for tags in [&[][..], &[TAG]] {
            assert!(!program.filter(&frame(tags, 6, (40_000, 80))), "{tags:?}");
            assert!(program.filter(&other(tags)), "{tags:?}");
        }
    }

    #[test]
    fn tunnels_and_fragments_are_let_through_for_what_may_be_in_them() {
        let program = compile(&ethernet(), "tcp port 80").unwrap();
        assert!(program.filter(&frame(&[], 17, (50_000, 4789))), "VXLAN");
        assert!(program.filter(&frame(&[TAG], 47, (0, 0))), "GRE behind a tag");
        assert!(!program.filter(&frame(&[], 17, (50_000, 51_820))), "WireGuard");
        let mut fragment = frame(&[], 6, (0, 0));
        fragment[21] = 0x10;
        assert!(program.filter(&fragment));
        let mut pppoe = frame(&[], 6, (0, 0));
        pppoe[12..14].copy_from_slice(&[0x88, 0x64]);
        assert!(program.filter(&pppoe));
    }

    #[test]
    fn an_exact_filter_or_one_of_tags_stands_as_it_is_written() {
        let exact = compile(&ethernet(), "exactly not host 192.0.2.7").unwrap();
        assert!(!exact.filter(&frame(&[], 47, (0, 0))));
        let tagged = compile(&ethernet(), "vlan 5 and tcp port 80").unwrap();
        assert!(tagged.filter(&frame(&[TAG], 6, (40_000, 80))));
        assert!(!tagged.filter(&frame(&[], 6, (40_000, 80))));
    }

    #[test]
    fn filters_hold_on_links_without_tags() {
        for link in [Linktype(12), Linktype::LINUX_SLL, Linktype(276)] {
            let capture = Capture::dead(link).unwrap();
            let compiled = compile(&capture, "tcp port 80 or host 192.0.2.7");
            assert!(compiled.is_ok(), "{link:?}: {:?}", compiled.err());
        }
    }

    #[test]
    fn a_wrong_filter_is_refused_with_the_words_of_libpcap() {
        let reason = |filter| compile(&ethernet(), filter).err().unwrap();
        assert!(reason("tcp prot 80").contains("syntax error"), "{}", reason("tcp prot 80"));
        assert!(reason("tcp) or (udp").contains("syntax error"));
        assert!(reason("exactly nonsense").len() > 5);
    }
}
