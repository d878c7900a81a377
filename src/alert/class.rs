//! What an alert can be: its verdict, mechanism, grade, and why its case was closed, with their names in the record.

/// What is held to have happened: the first class that fits, in the order of `correlate/verdict.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Man on the side: the genuine answer came too.
    OnPathInjection,
    /// The genuine answer was suppressed.
    InPathInjection,
    /// The path was bent inside this network.
    LocalMitm,
    /// The site, or an ad in it, made the redirect.
    EndpointRedirect,
    /// A portal of the network asks for a log-in.
    CaptivePortal,
    /// The network's operator tells its customers something.
    OperatorNotice,
    /// The shape alone.
    SuspiciousRedirect,
    /// A listed indicator, and nothing else.
    ListedContact,
    /// Something does not fit, and too little was seen to say what.
    Inconclusive,
}

/// How an injection was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// An HTTP answer that sends the client elsewhere.
    HttpRedirect,
    /// Another HTTP answer.
    HttpContent,
    /// Bytes of another or unknown protocol.
    TcpContent,
    /// A reset.
    TcpReset,
    /// A FIN without payload.
    TcpFin,
    /// A SYN-ACK.
    SynAck,
    /// An answer of DNS.
    DnsAnswer,
    /// A claim in ARP to another's address.
    ArpSpoof,
    /// The same in IPv6 neighbour discovery.
    NdpSpoof,
    /// A server of DHCP or DHCPv6 that is not the network's.
    DhcpRogue,
    /// A router advertisement that is not the network's.
    RaRogue,
    /// An ICMP or ICMPv6 redirect.
    IcmpRedirect,
    /// An answer by http where https was to be expected.
    TlsDowngrade,
    /// Nothing was forged: a listed indicator was met.
    Indicator,
}

/// Grade of the score. Groups: A contradiction, B header vote, C known device, G listed indicator, L local network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// 25 to 39.
    Low,
    /// 40 to 64.
    Medium,
    /// 65 and more with a signal of group A, B, C, G or L.
    High,
    /// 90 and more with two of the groups A, B, C, G, L.
    Confirmed,
}

/// Why a case was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosedBecause {
    /// The flow was over: its ports were used anew, or it was idle for its whole timeout.
    FlowOver,
    /// The deadline passed.
    Deadline,
    /// The capture ended.
    EndOfCapture,
    /// Room was needed.
    Evicted,
}

impl Verdict {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnPathInjection => "on_path_injection",
            Self::InPathInjection => "in_path_injection",
            Self::LocalMitm => "local_mitm",
            Self::EndpointRedirect => "endpoint_redirect",
            Self::CaptivePortal => "captive_portal",
            Self::OperatorNotice => "operator_notice",
            Self::SuspiciousRedirect => "suspicious_redirect",
            Self::ListedContact => "listed_contact",
            Self::Inconclusive => "inconclusive",
        }
    }
    /// True when it says that somebody other than the server sent the packet.
    #[must_use]
    pub const fn is_injection(self) -> bool {
        matches!(self, Self::OnPathInjection | Self::InPathInjection | Self::LocalMitm)
    }
}

impl Mechanism {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HttpRedirect => "http_redirect",
            Self::HttpContent => "http_content",
            Self::TcpContent => "tcp_content",
            Self::TcpReset => "tcp_reset",
            Self::TcpFin => "tcp_fin",
            Self::SynAck => "syn_ack",
            Self::DnsAnswer => "dns_answer",
            Self::ArpSpoof => "arp_spoof",
            Self::NdpSpoof => "ndp_spoof",
            Self::DhcpRogue => "dhcp_rogue",
            Self::RaRogue => "ra_rogue",
            Self::IcmpRedirect => "icmp_redirect",
            Self::TlsDowngrade => "tls_downgrade",
            Self::Indicator => "indicator",
        }
    }
}

impl Grade {
    /// The grade in words, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Confirmed => "confirmed",
        }
    }
}

impl ClosedBecause {
    /// The name in the alert record.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlowOver => "flow_over",
            Self::Deadline => "deadline",
            Self::EndOfCapture => "end_of_capture",
            Self::Evicted => "evicted",
        }
    }
}
