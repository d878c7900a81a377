//! What the attacker does to a flow and how well it imitates the server's headers, with what is right to say of it.

use std::time::Duration;

/// What the attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Attack {
    /// Beside the road: answers the first request before the server does.
    RaceRedirect,
    /// Beside the road: answers the second request of a connection.
    RaceLater,
    /// Beside the road: fires when the SYN-ACK passes; the request crosses the answer.
    RaceOnSynAck,
    /// Beside the road: fires when the SYN-ACK passes, and the client has the answer before it asks.
    RaceBeforeRequest,
    /// Beside the road: a page of the same length with another script, to the second request.
    RaceContent,
    /// Beside the road: a reset upon the request.
    RaceRst,
    /// Beside the road: a FIN upon the request.
    RaceFin,
    /// Beside the road: a SYN-ACK with a sequence number of its own, and the answer in that sequence.
    RaceSynAck,
    /// On the road: a redirect instead of the first answer.
    InPathRedirect,
    /// On the road: a redirect instead of the first answer, and nothing of the server passes from then on.
    InPathMute,
    /// On the road: a redirect instead of the second answer.
    InPathLater,
    /// On the road: as [`Self::InPathLater`], of a server that uses no timestamps.
    InPathPlain,
    /// On the road: the page with another script instead of the second answer.
    InPathContent,
    /// On the road: a reset instead of the first answer.
    InPathRst,
}

/// How well the headers are imitated; each step keeps those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Quality {
    /// A packet library's defaults: TTL of its own place, IP-ID 1, window 8192, no DF, no options.
    Naive,
    /// The server's TTL as it arrives at the sensor.
    Ttl,
    /// DF, the window field and the flow label of the server's last packet.
    Window,
    /// IP-ID one after the server's last; timed like a server's answer.
    IpId,
    /// Timestamps continue the server's clock; the window is scaled as after a handshake.
    Perfect,
}

impl Attack {
    pub(crate) const ALL: [Self; 14] = [
        Self::RaceRedirect,
        Self::RaceLater,
        Self::RaceOnSynAck,
        Self::RaceBeforeRequest,
        Self::RaceContent,
        Self::RaceRst,
        Self::RaceFin,
        Self::RaceSynAck,
        Self::InPathRedirect,
        Self::InPathMute,
        Self::InPathLater,
        Self::InPathPlain,
        Self::InPathContent,
        Self::InPathRst,
    ];

    /// The name in folders and tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RaceRedirect => "race-redirect",
            Self::RaceLater => "race-later",
            Self::RaceOnSynAck => "race-on-syn-ack",
            Self::RaceBeforeRequest => "race-before-request",
            Self::RaceContent => "race-content",
            Self::RaceRst => "race-rst",
            Self::RaceFin => "race-fin",
            Self::RaceSynAck => "race-syn-ack",
            Self::InPathRedirect => "in-path-redirect",
            Self::InPathMute => "in-path-mute",
            Self::InPathLater => "in-path-later",
            Self::InPathPlain => "in-path-plain",
            Self::InPathContent => "in-path-content",
            Self::InPathRst => "in-path-rst",
        }
    }

    /// In words, for a reader of a capture's README.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::RaceRedirect => "a bare 302 upon the first request; the genuine page follows at the same sequence number",
            Self::RaceLater => "a bare 302 upon the second request of a connection; the genuine page follows",
            Self::RaceOnSynAck => "a bare 302 shot when the SYN-ACK passes, which the request crosses; the genuine page follows",
            Self::RaceBeforeRequest => {
                "a bare 302 shot when the SYN-ACK passes; the client has it before it asks, and its request then acknowledges \
                 what the server never sent, so that the server ignores it"
            }
            Self::RaceContent => "the page with another script, of the same length, upon the second request; the genuine page follows",
            Self::RaceRst => "a reset upon the first request; the genuine page follows",
            Self::RaceFin => "a FIN upon the first request; the genuine page follows at the same sequence number",
            Self::RaceSynAck => "a SYN-ACK with another sequence number ahead of the server's, and a bare 302 in that sequence",
            Self::InPathRedirect => {
                "a bare 302 instead of the first answer, which is suppressed; the server's bare ACK of the request passes"
            }
            Self::InPathMute => "a bare 302 instead of the first answer; nothing that the server sends passes from then on",
            Self::InPathLater => "a bare 302 instead of the second answer of a connection, which is suppressed",
            Self::InPathPlain => "a bare 302 instead of the second answer, which is suppressed, of a server that uses no timestamps",
            Self::InPathContent => "the page with another script instead of the second answer, which is suppressed",
            Self::InPathRst => "a reset instead of the first answer, which is suppressed",
        }
    }

    /// Whether the genuine answer is kept from the client.
    pub(crate) fn in_path(self) -> bool {
        matches!(
            self,
            Self::InPathRedirect | Self::InPathMute | Self::InPathLater | Self::InPathPlain | Self::InPathContent | Self::InPathRst
        )
    }

    /// Whether it fires on the SYN-ACK.
    pub(crate) fn on_greeting(self) -> Option<Duration> {
        match self {
            Self::RaceOnSynAck => Some(Duration::from_millis(8)),
            Self::RaceBeforeRequest => Some(Duration::ZERO),
            _ => None,
        }
    }

    /// How long the client waits between the handshake and the request.
    pub(crate) fn hesitation(self) -> Duration {
        Duration::from_millis(if self == Self::RaceBeforeRequest { 12 } else { 0 })
    }

    /// Why no detector that sees one point of the road can be expected to find it; none if it should be found.
    pub(crate) fn limit(self, quality: Quality, version: u8) -> Option<&'static str> {
        match (self, quality) {
            (Self::InPathRst, _) if version == 6 => Some(
                "A reset carries no timestamps when honest stacks send it, IPv6 has neither IP-ID nor DF, and a hop limit alone is one vote.",
            ),
            (Self::InPathRst, Quality::Window | Quality::IpId | Quality::Perfect) => Some(
                "A reset carries no timestamps when honest stacks send it; with TTL and DF copied its header has nothing left to tell.",
            ),
            (Self::InPathPlain, Quality::IpId) => Some("Without timestamps, TTL, DF, window and IP-ID are all the headers there are."),
            (Self::InPathPlain, Quality::Window) if version == 6 => {
                Some("Without timestamps, hop limit, window and flow label are all the headers there are over IPv6.")
            }
            (_, Quality::Perfect) if self.in_path() => Some(
                "All headers are the server's and the genuine answer is suppressed: at this point of the road only the content is left.",
            ),
            _ => None,
        }
    }

    /// Whether something genuine comes that contradicts the forgery. A client that has taken in bytes that the server never sent is not answered.
    pub(crate) fn lets_genuine_through(self) -> bool {
        !self.in_path() && self != Self::RaceBeforeRequest
    }

    /// The verdicts that are right. Whether a server that gives no answer was kept from it, or refused a request that acknowledges what it never
    /// sent, need not be told apart.
    pub(crate) fn verdicts(self) -> &'static [&'static str] {
        match self {
            Self::RaceBeforeRequest => &["on_path_injection", "in_path_injection"],
            _ if self.in_path() => &["in_path_injection"],
            _ => &["on_path_injection"],
        }
    }

    /// Requests on the connection, the last of which is the one attacked.
    pub(crate) fn requests(self) -> usize {
        if matches!(self, Self::RaceLater | Self::RaceContent | Self::InPathLater | Self::InPathPlain | Self::InPathContent) {
            2
        } else {
            1
        }
    }
}

impl Quality {
    pub(crate) const ALL: [Self; 5] = [Self::Naive, Self::Ttl, Self::Window, Self::IpId, Self::Perfect];

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Naive => "none: TTL of the attacker's own place, IP-ID 1, window 8192, no DF, no options",
            Self::Ttl => "the server's TTL",
            Self::Window => "the server's TTL, DF, flow label and window field",
            Self::IpId => "the server's TTL, DF, window field and next IP-ID, sent when a server's answer could come",
            Self::Perfect => {
                "the server's TTL, DF, flow label, scaled window, next IP-ID and running clock, sent when a server's answer could come"
            }
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Naive => "q0",
            Self::Ttl => "q1",
            Self::Window => "q2",
            Self::IpId => "q3",
            Self::Perfect => "q4",
        }
    }
}
