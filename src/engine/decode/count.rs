//! What the decoder counts: one line per counter, indexed by an enum so that the packet path touches no string.

use std::collections::BTreeMap;

/// How many different unsupported link types are counted apart; the rest share one counter.
const LINK_TYPES_APART: usize = 64;

macro_rules! counters {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// One counter. The first group is the fate of a datagram: every frame adds one to exactly one of these, and a frame that
        /// holds several datagrams one for each. The notes after it are added beside a fate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Count {
            $($(#[$doc])* $variant,)+
        }

        /// Names in the order of the enum.
        const NAMES: &[&str] = &[$($name),+];
    };
}

counters! {
    /// A TCP segment was handed on.
    Tcp = "tcp",
    /// UDP.
    Udp = "udp",
    /// ICMP.
    Icmp = "icmp",
    /// ICMPv6.
    Icmpv6 = "icmpv6",
    /// IGMP.
    Igmp = "igmp",
    /// SCTP.
    Sctp = "sctp",
    /// Generic routing encapsulation of what is not decoded.
    Gre = "gre",
    /// IPsec's payload, encrypted as far as can be told.
    Esp = "esp",
    /// IPv4 inside IP.
    Ipv4InIp = "ipv4_in_ip",
    /// IPv6 inside IP.
    Ipv6InIp = "ipv6_in_ip",
    /// OSPF.
    Ospf = "ospf",
    /// PIM.
    Pim = "pim",
    /// VRRP or CARP.
    Vrrp = "vrrp",
    /// Any other protocol above IP.
    IpProtocolOther = "ip_protocol_other",
    /// IPv6 "no next header".
    NoNextHeader = "ipv6_no_next_header",
    /// ARP.
    Arp = "arp",
    /// MPLS with something under the labels that is not decoded.
    Mpls = "mpls",
    /// PPPoE discovery, or a broken session header.
    Pppoe = "pppoe",
    /// LLDP.
    Lldp = "lldp",
    /// 802.1X.
    Eapol = "eapol",
    /// 802.1AE, encrypted.
    Macsec = "macsec",
    /// Any other EtherType.
    EthertypeOther = "ethertype_other",
    /// 802.2 LLC that carries no IP (spanning tree, IPX, IS-IS, ...).
    LlcOther = "llc_other",
    /// Linux cooked capture of a device whose protocol field is no EtherType (netlink, 802.11 monitor, ...).
    CookedOther = "linux_cooked_other",
    /// PPP that carries no IP (link control, compressed, a part of a packet, ...).
    PppOther = "ppp_other",
    /// 802.11 management, control, or without data.
    WifiOther = "wifi_other",
    /// An encrypted 802.11 frame.
    WifiEncrypted = "wifi_encrypted",
    /// A fragment of an 802.11 frame.
    WifiFragment = "wifi_fragment",
    /// A later piece of a preempted Ethernet frame (IEEE 802.3br).
    MpacketFragment = "mpacket_fragment",
    /// A loopback frame of an address family other than IP.
    LoopbackOther = "loopback_family_other",
    /// A frame of its link type without any packet in it.
    LinkWithoutPacket = "link_without_packet",
    /// A link-layer header of unknown version.
    LinkHeaderInvalid = "link_header_invalid",
    /// More encapsulations than `Limits::tunnel_depth`.
    TunnelTooDeep = "tunnel_too_deep",
    /// L2TP over IP, of which the payload could not be told.
    L2tp = "l2tp",
    /// A link type that is not decoded; `Counters` splits it by number.
    LinkTypeUnsupported = "link_type_unsupported",
    /// The frame ends inside its link-layer header.
    LinkHeaderCut = "link_header_cut",
    /// More VLAN tags than `Limits::vlan_depth`.
    VlanTooDeep = "vlan_too_deep",
    /// Raw IP whose first byte names neither version 4 nor 6.
    IpVersionUnknown = "ip_version_unknown",
    /// The frame ends inside its IPv4 header.
    Ipv4HeaderCut = "ipv4_header_cut",
    /// An IPv4 header that contradicts itself.
    Ipv4HeaderInvalid = "ipv4_header_invalid",
    /// The frame ends inside its IPv6 header.
    Ipv6HeaderCut = "ipv6_header_cut",
    /// An IPv6 header with another version in it.
    Ipv6HeaderInvalid = "ipv6_header_invalid",
    /// The frame ends inside an extension header.
    ExtensionCut = "ip_extension_cut",
    /// An extension header that does not fit the packet's declared length, or of no length.
    ExtensionInvalid = "ip_extension_invalid",
    /// More extension headers than are followed.
    ExtensionsTooMany = "ip_extensions_too_many",
    /// A fragment; its datagram is not complete yet, or was dropped.
    Fragment = "fragment",
    /// A fragment that the snap length cut: its datagram cannot be rebuilt.
    FragmentCut = "fragment_cut",
    /// A fragment of impossible length or place.
    FragmentInvalid = "fragment_invalid",
    /// A fragment header inside a reassembled datagram, or more levels of fragments than are put together.
    FragmentNested = "fragment_nested",
    /// The frame ends inside the first twenty bytes of the TCP header.
    TcpHeaderCut = "tcp_header_cut",
    /// The IP packet is too short for a TCP header.
    TcpHeaderShort = "tcp_header_short",
    /// The data offset is below 5 or beyond the segment's end.
    TcpOffsetInvalid = "tcp_offset_invalid",

    /// Note: IPv4 inside IP.
    InIpv4 = "in_ipv4_in_ip",
    /// Note: IPv6 inside IP.
    InIpv6 = "in_ipv6_in_ip",
    /// Note: inside GRE.
    InGre = "in_gre",
    /// Note: inside the GRE of PPTP.
    InPptp = "in_pptp",
    /// Note: a frame mirrored by ERSPAN.
    InErspan = "in_erspan",
    /// Note: inside EtherIP, or Ethernet inside IPv6.
    InEtherIp = "in_ether_ip",
    /// Note: inside VXLAN or its generic extension.
    InVxlan = "in_vxlan",
    /// Note: inside GENEVE.
    InGeneve = "in_geneve",
    /// Note: inside a network service header.
    InNsh = "in_nsh",
    /// Note: inside LISP.
    InLisp = "in_lisp",
    /// Note: inside GTP-U.
    InGtp = "in_gtp",
    /// Note: inside L2TP.
    InL2tp = "in_l2tp",
    /// Note: inside Teredo.
    InTeredo = "in_teredo",
    /// Note: inside AYIYA.
    InAyiya = "in_ayiya",
    /// Note: inside CAPWAP.
    InCapwap = "in_capwap",
    /// Note: a frame sent on by TZSP.
    InTzsp = "in_tzsp",
    /// Note: inside ESP that does not encrypt.
    InEsp = "in_esp_unencrypted",
    /// Note: inside MACsec that does not encrypt.
    InMacsec = "in_macsec_unencrypted",
    /// Note: under MPLS labels.
    InMpls = "in_mpls",
    /// Note: inside a PPPoE session.
    InPppoe = "in_pppoe",
    /// Note: inside a provider backbone (802.1ah).
    InBackbone = "in_provider_backbone",
    /// Note: inside Cisco's FabricPath.
    InFabricPath = "in_fabric_path",
    /// Note: behind a VN-Tag.
    InVnTag = "in_vn_tag",
    /// Note: behind an E-Tag.
    InETag = "in_e_tag",
    /// Note: an aggregate of several 802.11 datagrams.
    InAggregate = "in_wifi_aggregate",
    /// Note: the TCP options were cut by the snap length and read as far as they are there.
    TcpOptionsCut = "tcp_options_cut",
    /// Note: a malformed TCP option; those before it were read.
    TcpOptionsMalformed = "tcp_options_malformed",
    /// Note: the IP header declares more than the frame had on the wire.
    IpLongerThanFrame = "ip_longer_than_frame",
    /// Note: a fragment overlaps an earlier one of its datagram with other bytes.
    FragmentOverlapConflict = "fragment_overlap_conflict",
    /// Note: an IPv6 datagram dropped because its fragments overlap (RFC 5722).
    FragmentOverlapDropped = "fragment_overlap_dropped",
    /// Note: a datagram dropped for a bound of `Limits`, the oldest first.
    FragmentEvicted = "fragment_evicted",
    /// Note: a datagram dropped because its fragments did not all come in time.
    FragmentTimeout = "fragment_timeout",
    /// Note: a datagram was put together from its fragments.
    FragmentReassembled = "fragment_reassembled",
}

/// The decoder's counters.
#[derive(Debug)]
pub(super) struct Counters {
    by_count: [u64; NAMES.len()],
    frames: u64,
    understood: u64,
    /// What the present frame adds to `understood` when it is.
    not_yet: u64,
    link_types: BTreeMap<u16, u64>,
    link_types_others: u64,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self { by_count: [0; NAMES.len()], frames: 0, understood: 0, not_yet: 0, link_types: BTreeMap::new(), link_types_others: 0 }
    }

    pub(super) fn frame(&mut self) {
        self.frames = self.frames.wrapping_add(1);
        self.not_yet = 1;
    }

    /// The frame reached the network layer, for the first time or again.
    #[inline]
    pub(super) fn understood(&mut self) {
        self.understood = self.understood.wrapping_add(self.not_yet);
        self.not_yet = 0;
    }

    #[inline]
    pub(super) fn add(&mut self, count: Count) {
        if let Some(n) = self.by_count.get_mut(count as usize) {
            *n = n.wrapping_add(1);
        }
    }

    /// Beside `Count::LinkTypeUnsupported`: which one it was.
    pub(super) fn link_type(&mut self, number: u16) {
        let room = self.link_types.len() < LINK_TYPES_APART;
        match self.link_types.get_mut(&number) {
            Some(n) => *n = n.wrapping_add(1),
            None if room => drop(self.link_types.insert(number, 1)),
            None => self.link_types_others = self.link_types_others.wrapping_add(1),
        }
    }

    pub(super) fn frames_seen(&self) -> u64 {
        self.frames
    }

    pub(super) fn frames_understood(&self) -> u64 {
        self.understood
    }

    /// Those above zero, by name.
    pub(super) fn by_name(&self) -> BTreeMap<String, u64> {
        let named = NAMES.iter().zip(self.by_count).enumerate();
        let mut names: BTreeMap<String, u64> = named
            .filter(|&(at, (_, n))| n > 0 && at != Count::LinkTypeUnsupported as usize)
            .map(|(_, (name, n))| ((*name).to_owned(), n))
            .collect();
        names.extend(self.link_types.iter().map(|(number, n)| (format!("link_type_{number}_unsupported"), *n)));
        if self.link_types_others > 0 {
            names.insert("link_types_others_unsupported".to_owned(), self.link_types_others);
        }
        names
    }
}
